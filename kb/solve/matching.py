"""Which article is meant? What somebody elsewhere calls it: a number, an id, an address, a title, or what it says.

What may be two is nothing: a flag about the wrong article is worse than one that is asked for again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import parse_qsl, urlsplit

from rapidfuzz import fuzz, process

from kb.errors import NotFound
from kb.number import parse_number
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM, Person
from kb.solve import seeing
from kb.standing import Standing
from kb.store import articles, content, passages, posts
from kb.store.database import Tx
from kb.text.markdown import plain
from kb.text.script import HAN_RUN, fold, simplified, traditional

NEAR = 88.0
"""Per cent of equal text from which a title or a quote is one that was written a little differently."""

LEAD = 5.0
"""Per cent by which the nearest must be nearer than the next."""

SHORTEST = 4
"""Characters of a quote that say anything: two Chinese words."""

_NEEDLES = 4
_HAN = 8  # characters of a run that are looked for
_LOOKED_AT = 300  # passages
_WORD = re.compile(rf"{HAN_RUN.pattern}|[^\W_]+(?:[-'.][^\W_]+)*")
_OURS = re.compile(r"(?<!\d)\d{3}-\d{4}(?!\d)")
_ID = re.compile("[0-9a-f]{32}")


class By(StrEnum):
    """By what an article was found."""

    NUMBER = "number"
    ID = "id"
    ADDRESS = "address"
    TITLE = "title"
    QUOTE = "quote"
    NEAR_TITLE = "near_title"
    NEAR_QUOTE = "near_quote"
    NONE = "none"  # nothing answers: there is none


@dataclass(frozen=True, slots=True)
class Meant:
    """Where the item that is meant stands, by what that is known, and how sure: 1 leaves no doubt."""

    standing: Standing
    by: By
    likeness: float = 1.0


class Matcher:
    """Finds what is meant among what somebody may see. Titles are read once, so it is made for one run."""

    def __init__(self, by: Person) -> None:
        self._by = by
        self._titles: Mapping[str, list[ItemRef]] | None = None

    def meant(self, tx: Tx, named: str, title: str, quote: str, at: datetime) -> Meant:
        """The item called `named` (a number, id, address or title; one a line), or of that title, or that says `quote`.

        Raises NotFound with the reason: nothing, or more than one.
        """
        for name in named.splitlines():
            if found := self._called(tx, name, at):
                return found
        title = title or named.partition("\n")[0]
        several: list[Standing] = []
        for by, items in ((By.TITLE, self._of_title(tx, title)), (By.QUOTE, _saying(tx, quote))):
            several = self._there(tx, items, at) if not several else _both(several, set(items))
            if len(several) == 1:
                return Meant(several[0], by)
        if several:
            numbers = ", ".join(each.label or each.item.id for each in several[:3])
            raise NotFound(f"{len(several)} have that title or say that ({numbers}, …): give the number")
        near = self._near(tx, title, quote, at)
        if near is None:
            raise NotFound("no article has that number, address or title, and none says that")
        return near

    def _called(self, tx: Tx, named: str, at: datetime) -> Meant | None:
        named = named.strip()
        if not named:
            return None
        if "://" in named or named.startswith(("/", "#", "?", "www.")):
            return self._one(tx, _at_address(tx, named), By.ADDRESS, at)
        if number := parse_number(named):
            return self._one(tx, _numbered(tx, [number]), By.NUMBER, at)
        if _ID.fullmatch(named):
            return self._one(tx, [ItemRef(kind, named) for kind in (Kind.ARTICLE, Kind.POST)], By.ID, at)
        return self._one(tx, [ItemRef(Kind.ARTICLE, each) for each in articles.of_source_key(tx, [named])], By.ID, at)

    def _one(self, tx: Tx, items: Sequence[ItemRef], by: By, at: datetime) -> Meant | None:
        found = self._there(tx, items, at)
        return Meant(found[0], by) if len(found) == 1 else None

    def _there(self, tx: Tx, items: Sequence[ItemRef], at: datetime) -> list[Standing]:
        """Those of these items that are there; of an article that made way the one in its place. What is live goes
        before what is not."""
        found: dict[ItemRef, Standing] = {}
        for each in content.standings(tx, items, at).values():
            if each.superseded_by and not each.live:
                found |= content.standings(tx, [each.superseded_by], at)
            else:
                found[each.item] = each
        seen = [
            each
            for each in found.values()
            if seeing.belongs(self._by, each.access) and (each.live or self._by.is_staff)
        ]
        return [each for each in seen if each.live] or seen

    def _of_title(self, tx: Tx, title: str) -> list[ItemRef]:
        return self._known(tx).get(_bare(title), []) if title.strip() else []

    def _known(self, tx: Tx) -> Mapping[str, list[ItemRef]]:
        if self._titles is None:
            titles: dict[str, list[ItemRef]] = {}
            for article_id, title in articles.titles(tx, None if self._by == SYSTEM else self._by.reader):
                titles.setdefault(_bare(title), []).append(ItemRef(Kind.ARTICLE, article_id))
            self._titles = titles
        return self._titles

    def _near(self, tx: Tx, title: str, quote: str, at: datetime) -> Meant | None:
        if len(_bare(title)) >= SHORTEST:
            best = process.extract(_bare(title), list(self._known(tx)), scorer=fuzz.ratio, limit=2, score_cutoff=NEAR)
            if best and (len(best) == 1 or best[0][1] - best[1][1] >= LEAD):
                found = self._there(tx, self._known(tx)[best[0][0]], at)
                if len(found) == 1:
                    return Meant(found[0], By.NEAR_TITLE, round(best[0][1] / 100, 3))
        scores = _nearly_saying(tx, quote)
        there = self._there(tx, list(scores), at)
        ranked = sorted(((scores.get(each.item, 0.0), each) for each in there), key=lambda pair: -pair[0])
        if ranked and ranked[0][0] >= NEAR and (len(ranked) == 1 or ranked[0][0] - ranked[1][0] >= LEAD):
            return Meant(ranked[0][1], By.NEAR_QUOTE, round(ranked[0][0] / 100, 3))
        return None


def _both(found: list[Standing], items: set[ItemRef]) -> list[Standing]:
    """Those that are in both; all where a second look says nothing."""
    return [each for each in found if each.item in items] or found


def _numbered(tx: Tx, numbers: Sequence[str]) -> list[ItemRef]:
    return [ItemRef(Kind.ARTICLE, each) for each in articles.ids_of(tx, numbers).values()]


def _at_address(tx: Tx, url: str) -> list[ItemRef]:
    """What stands at an address: a post, an article of ours by its number, or one by the path it was brought in from.

    A bare number of seven digits in another system's address is that system's.
    """
    found = [ItemRef(Kind.POST, each) for each in posts.at_address(tx, [url, url.rstrip("/"), f"{url.rstrip('/')}/"])]
    if found:
        return found
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    asked = dict(parse_qsl(parts.query)) | dict(parse_qsl(parts.fragment))
    named = [asked.get("article", ""), *_OURS.findall(f"{parts.path} {parts.fragment}")]
    numbers = [number for each in named if (number := parse_number(each))]
    if found := _numbered(tx, numbers):
        return found
    path = parts.path.strip("/")
    keys = {path[at:] for at, before in enumerate(f"/{path}") if before == "/"} - {""}
    keys |= {f"{re.sub('[.]html?$', '', key)}{end}" for key in set(keys) for end in ("", ".md", "/index.md")}
    best = articles.of_source_key(tx, sorted(keys))
    longest = max((len(key) for key in best.values()), default=0)
    return [ItemRef(Kind.ARTICLE, each) for each, key in best.items() if len(key) == longest]


def _saying(tx: Tx, quote: str) -> list[ItemRef]:
    """The items in which a quote stands, scripts, case and spaces aside."""
    said, needles = _bare(quote), _needles(quote)
    if len(said) < SHORTEST or not needles:
        return []
    found = passages.holding(tx, needles, len(needles), _LOOKED_AT)
    return list(dict.fromkeys(item for item, text in found if said in _bare(plain(text))))


def _nearly_saying(tx: Tx, quote: str) -> dict[ItemRef, float]:
    said, needles = _bare(quote), _needles(quote)
    scores: dict[ItemRef, float] = {}
    if len(said) < SHORTEST * 2 or len(needles) < 2:
        return scores
    for item, text in passages.holding(tx, needles, len(needles) // 2, _LOOKED_AT):
        scores[item] = max(scores.get(item, 0.0), fuzz.partial_ratio(said, _bare(plain(text))))
    return scores


def _needles(quote: str) -> list[list[str]]:
    """The longest words of a quote, each as it may be written; of a Chinese run its beginning."""
    words = sorted({each[:_HAN] if HAN_RUN.match(each) else each for each in _WORD.findall(quote)}, key=_weight)
    return [sorted({each, simplified(each), traditional(each)}) for each in words[-_NEEDLES:]]


def _weight(word: str) -> tuple[int, str]:
    return len(word) * (3 if HAN_RUN.match(word) else 1), word


def _bare(text: str) -> str:
    return " ".join(_WORD.findall(fold(text)))
