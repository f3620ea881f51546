"""What may be secret, to whom, and what the world around it looks like: strategies that draw one example."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from kb import clock
from kb.article import Article, Confidence, Revision
from kb.audience import Audience
from kb.language import Language
from tests.secrets.worlds import PEOPLE, a_revision, an_article

WORDS = ["router", "light", "red", "reset", "invoice", "hub", "E-1234", "重启", "路由器", "退款", "重設", "帳單"]
SECRETS = ["mandrill", "quokka", "E-9471", "绝密", "狐猴", "機密"]
"""Words that secrets are made of, and now and then what everybody may read."""

SLIPS = ["mandirll", "quoka", "绝蜜", "狐候", "機蜜", "rotuer", "invoce", "重其", "路油器"]
"""The same, misspelt: nobody may be told of a word that only secrets hold."""

TOPICS = ["", "net", "net/wifi", "pay/refund", "den", "den/lair"]
PRODUCTS = ["hub-6", "phone", "lair-1"]
TAGS = ["lights", "urgent", "lair"]
STATES = ["live", "live", "live", "draft", "archived", "scheduled", "expired"]

Ask = tuple[str, dict[str, Any], bool]
"""A request: the name of an operation, the values drawn for it, and whether the index is away."""

SAME = 0  # in place of a number: the article that this example adds to both worlds
SECRET = -1  # the one that only one world has


@dataclass(frozen=True)
class Spec:
    """An article as it was drawn. `sections` are (audience or None, Markdown)."""

    title: str
    sections: tuple[tuple[Audience | None, str], ...]
    audience: Audience
    state: str
    groups: frozenset[str] = frozenset()
    language: Language = Language.ENGLISH
    confidence: Confidence = Confidence.VALIDATED
    topic: str = ""
    products: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def body(self) -> str:
        return "\n\n".join(text if to is None else f"::: {to}\n{text}\n:::" for to, text in self.sections)

    def made(self, n: int) -> tuple[Article, Revision]:
        """The nth article, with its one revision."""
        at = clock.now()
        state: dict[str, Any] = {
            "live": {},
            "draft": {"published": None, "published_at": None},
            "archived": {"confidence": Confidence.ARCHIVED},
            "scheduled": {"valid_from": at + timedelta(days=9)},
            "expired": {"valid_until": at - timedelta(hours=9)},
        }[self.state]
        fields = {"audience": self.audience, "groups": self.groups, "language": self.language, "topic": self.topic,
                  "products": self.products, "tags": self.tags, "confidence": self.confidence} | state  # fmt: skip
        return an_article(n, **fields), a_revision(n, self.title, self.body)


def is_staff(who: str) -> bool:
    return bool(who) and bool(PEOPLE[who].get("roles"))


def tier_of(who: str) -> Audience:
    return PEOPLE[who]["tier"] if who else Audience.PUBLIC


def groups_of(who: str) -> frozenset[str]:
    return frozenset(PEOPLE[who].get("groups", ())) if who else frozenset()


def sees(who: str, spec: Spec) -> bool:
    """Whether somebody may know of it: the rule, said once more and differently, as an oracle."""
    order = ["public", "customer", "partner", "internal"]
    high_enough = order.index(spec.audience) <= order.index(tier_of(who))
    return high_enough and not (spec.groups and spec.groups.isdisjoint(groups_of(who))) and (
        spec.state == "live" or is_staff(who)
    )  # fmt: skip


def above(who: str) -> list[Audience]:
    """The audiences that they do not belong to."""
    return [audience for audience in Audience if audience.rank > tier_of(who).rank]


_words = st.sampled_from(WORDS * 2 + SECRETS)
_secret_words = st.sampled_from(WORDS + SECRETS * 3)
_tiers = st.sampled_from(Audience)


def _line(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(words, min_size=1, max_size=5).map(" ".join)


def _text(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """One element of Markdown."""
    line = _line(words)
    return st.one_of(
        line,
        line,
        line.map("## Issue\n\n{}".format),
        line.map("## Environment\n\n{}".format),
        st.tuples(line, line).map(lambda two: f"## {two[0]}\n\n{two[1]}"),
        st.lists(line, min_size=1, max_size=3).map(lambda lines: "\n".join(f"- {each}" for each in lines)),
        line.map("1. {}".format),
        line.map("```\n{}\n```".format),
        line.map("| a |\n|---|\n| {} |".format),
        line.map("> {}".format),
        line.map("See [ref]: {}".format),
        st.sampled_from(["[ref]: https://a.example", "[ref]: https://b.example", "[ref]"]),
    )


@st.composite
def specs(draw: st.DrawFn, words: st.SearchStrategy[str] = _words, sections: int = 4) -> Spec:
    """Any article."""
    to = st.one_of(st.none(), st.none(), _tiers)
    return Spec(
        title=draw(_line(words)),
        sections=tuple(draw(st.lists(st.tuples(to, _text(words)), min_size=1, max_size=sections))),
        audience=draw(_tiers),
        state=draw(st.sampled_from(STATES)),
        groups=frozenset(draw(st.sets(st.sampled_from(["desk", "vault"]), max_size=1)) if draw(st.booleans()) else ()),
        language=draw(st.sampled_from(Language)),
        confidence=draw(st.sampled_from([Confidence.VALIDATED, Confidence.NOT_VALIDATED, Confidence.WORK_IN_PROGRESS])),
        topic=draw(st.sampled_from(TOPICS)),
        products=tuple(sorted(draw(st.sets(st.sampled_from(PRODUCTS), max_size=2)))),
        tags=tuple(sorted(draw(st.sets(st.sampled_from(TAGS), max_size=1)))),
    )


@st.composite
def seen_specs(draw: st.DrawFn, who: str) -> Spec:
    """An article that they see."""
    return replace(
        draw(specs()),
        audience=draw(st.sampled_from([each for each in Audience if each.rank <= tier_of(who).rank])),
        state="live",
        groups=frozenset(draw(st.sets(st.sampled_from(sorted(groups_of(who))), max_size=1)))
        if groups_of(who)
        else frozenset(),
    )


@st.composite
def hidden_specs(draw: st.DrawFn, who: str) -> Spec:
    """An article that they do not see, for one reason at least."""
    spec = draw(specs(_secret_words))
    reasons: list[dict[str, Any]] = [{"groups": frozenset({"vault"})}]
    reasons += [{"audience": audience} for audience in above(who)]
    reasons += [] if is_staff(who) else [{"state": state} for state in ("draft", "archived", "scheduled", "expired")]
    return spec if not sees(who, spec) else replace(spec, **draw(st.sampled_from(reasons)))


@dataclass(frozen=True)
class Plan:
    """One example. `shared` goes into both worlds, and `same` with it, which `who` sees; the secret into one.

    `kind` says what the secret is; `hidden` is the article it is about, where it is about one; `blocks` are sections
    for others, each with its place among those of `same`. `asks` are drawn by `tests.secrets.asking`.
    """

    who: str
    kind: str
    same: Spec
    shared: tuple[Spec, ...]
    hidden: Spec | None
    blocks: tuple[tuple[int, Audience, str], ...]
    asks: tuple[Ask, ...]

    @property
    def with_blocks(self) -> Spec:
        """`same` with the sections for others."""
        sections: list[tuple[Audience | None, str]] = list(self.same.sections)
        for place, to, text in self.blocks:
            sections.insert(place % (len(sections) + 1), (to, text))
        return replace(self.same, sections=tuple(sections))


def kinds_for(who: str) -> list[str]:
    """What can be secret to somebody."""
    kinds = ["article", "article", "link", "trail", "person"]
    kinds += ["section", "section", "post", "word"] if above(who) else []
    kinds += ["group"] if groups_of(who) else []
    kinds += [] if is_staff(who) else ["draft", "state"]
    kinds += ["case"] if above(who) or not is_staff(who) else []
    return kinds


@st.composite
def plans(draw: st.DrawFn, who: str, asks: Callable[[str], st.SearchStrategy[tuple[Ask, ...]]]) -> Plan:
    """An example for somebody: no more is drawn than its kind of secret needs. `asks` gives requests for a kind."""
    kind = draw(st.sampled_from(kinds_for(who)))
    block = st.tuples(st.integers(0, 9), st.sampled_from(above(who) or [Audience.INTERNAL]), _text(_secret_words))
    return Plan(
        who=who,
        kind=kind,
        same=draw(seen_specs(who)),
        shared=tuple(draw(st.lists(specs(sections=2), max_size=1))),
        hidden=draw(hidden_specs(who)) if kind in ("article", "link", "trail", "post", "draft", "word") else None,
        blocks=tuple(draw(st.lists(block, min_size=1, max_size=2))) if kind == "section" else (),
        asks=draw(asks(kind)),
    )
