"""For whoever may not see a secret, a world with it and one without it cannot be told apart.

Each example adds an article that the person sees, and perhaps one more, to both worlds, and one secret to one of them:
an article, a post, a section, a group, a draft, a link, a change of state, a trail, a word of the dictionary, a flag
with its case, a person.
Both are indexed, and the person asks a few routes, drawn from the whole OpenAPI, for words, numbers and ids of both.
Status, headers and body are equal, but for times and what is drawn by chance for each request.

To see a failure again run its test: the seeds are fixed. After each failure both worlds begin anew, so what Hypothesis
shrinks it to and prints stands on its own. Should it hold then, an earlier secret was to blame, and Hypothesis calls
the test flaky: the difference is printed in any case.
"""

import functools
import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from kb import clock
from kb.article import Article, Revision
from kb.audience import Audience
from kb.file import File, Named
from kb.interaction import Channel, Event, EventKind, Interaction
from kb.language import Language
from kb.passage import Kind
from kb.person import SYSTEM
from kb.post import Post
from kb.product import Product
from kb.solve.access import add_person
from kb.topic import Topic
from tests.secrets.asking import asks, operations, request_of
from tests.secrets.plans import SAME, SECRET, Plan, above, is_staff, plans
from tests.secrets.worlds import (
    Pair,
    Template,
    a_number,
    add_meaning,
    an_id,
    difference,
    flag_as_insider,
    name_place,
    write_article,
    write_post,
    write_trail,
)

EXAMPLES = 252
"""Different ones for each of eight people: 2,016."""

FRESH = settings(
    max_examples=10,  # after ten Hypothesis would go on to vary those it has: five of six would be no new ones
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)

RENEWED = 8
"""After so many times ten examples both worlds begin anew: in small ones every passage is in every ranking."""

WHO = ["", "customer", "club_customer", "partner", "partner_author", "reader", "candidate", "contributor"]


@pytest.fixture
def pair(template: Template) -> Iterator[Pair]:
    with pytest.MonkeyPatch.context() as patch:
        pair = Pair(template, patch)
        try:
            yield pair
        finally:
            pair.end()


@pytest.mark.slow
@pytest.mark.parametrize("who", WHO)
def test_a_secret_changes_nothing_for_whoever_may_not_see_it(pair: Pair, who: str) -> None:
    pair.begin()
    routes = operations(pair.plain.client.app)  # type: ignore[arg-type]
    drawn = plans(who, functools.partial(asks, sorted(routes)))
    played: set[str] = set()
    replies = 0
    for number in itertools.count():
        if len(played) >= EXAMPLES:
            break
        if number % RENEWED == RENEWED - 1:
            pair.begin()

        @seed(number)
        @settings(FRESH)
        @given(drawn)
        def nobody_can_tell(plan: Plan) -> None:
            nonlocal replies
            if repr(plan) in played:
                return
            try:
                replies += play(pair, routes, plan)
            except BaseException:
                pair.begin()
                raise
            played.add(repr(plan))

        nobody_can_tell()
    print(f"{who or 'anonymous'}: {len(played)} examples, {replies} pairs of replies compared")


def play(pair: Pair, routes: dict[str, Any], plan: Plan) -> int:
    """Write the example's things, ask both worlds, compare; returns how many replies were."""
    named = written(pair, plan)
    pair.settle(wholly=plan.kind in ("post", "person"))
    pair.clock.tick()
    for name, drawn, without_index in plan.asks:
        asked = request_of(name, routes[name], drawn, named)
        method, path = routes[name][0], asked.pop("path")
        if name in ("read_interaction", "preview_entry"):
            pair.log()
        if name in ("list_queue", "dismiss_lines", "restore_lines"):
            pair.keep_queue()
        replies = pair.ask(method, path, plan.who, without_index, **asked)
        if told := difference(*replies):
            raise AssertionError(f"{plan.who or 'anonymous'} can tell by {method} {path} {asked}:\n{told}\n{plan}")
        if method != "GET" and "/articles" in path and replies[0].status < 300:
            pair.settle()
    return len(plan.asks)


def written(pair: Pair, plan: Plan) -> dict[str, Any]:
    """Write what goes into both worlds and, into one, the secret. Returns what requests name."""
    for spec in plan.shared:
        n = pair.next()
        for house in pair.worlds:
            write_article(house, *spec.made(n))
    same, hidden = pair.next(), pair.next()
    plain = plan.same.made(same)
    file = File("application/pdf", f"%PDF mandrill {hidden}".encode())
    secretive = _with_secret(plan, plain, same, hidden, file)
    mine = _interaction(pair, plan.who)
    events = [_event(pair, plan.who, mine, EventKind.RESOLVED), _event(pair, "insider", mine, EventKind.VIEWED, same)]
    secret_files = [Named("mandrill.pdf", file)] if plan.kind == "section" else []
    for house, article, files in ((pair.secretive, secretive, secret_files), (pair.plain, plain, [])):
        write_article(house, *article, files=files)
        write_trail(house, mine, events)
    theirs = _interaction(pair, "insider")
    _keep_secret(pair, plan, secretive[0], hidden, mine, theirs)
    numbers = {SAME: a_number(same), SECRET: a_number(hidden)} | {n: a_number(n) for n in range(1, 6)}
    ids = {SAME: an_id(same), SECRET: an_id(hidden)} | {n: an_id(n) for n in range(1, 6)}
    interactions = {"same": mine.id, "secret": theirs.id, "none": "0" * 32}
    return {"numbers": numbers, "ids": ids, "interactions": interactions, "file": file,
            "person": pair.template.ids["insider"]}  # fmt: skip


def _with_secret(
    plan: Plan, plain: tuple[Article, Revision], same: int, hidden: int, file: File
) -> tuple[Article, Revision]:
    """The article that they see, with what they do not see of it."""
    article, revision = plain
    if plan.kind == "section":
        article, revision = plan.with_blocks.made(same)
        block = f"\n\n::: internal\n[quokka]({file.reference})\n:::"
        return article, replace(revision, body=revision.body + block)
    if plan.kind == "group" and article.groups:
        return replace(article, groups=article.groups | {"vault"}), revision
    if plan.kind == "link":
        return replace(article, superseded_by=an_id(hidden), translation_of=an_id(hidden)), revision
    return plain


def _keep_secret(pair: Pair, plan: Plan, article: Article, hidden: int, mine: Interaction, theirs: Interaction) -> None:
    """Write the secret that stands beside their article, or follows it."""
    house, at = pair.secretive, clock.now()
    match plan.kind:
        case "article" | "link":
            place = {"topic": "crypt/lower", "products": ("crypt-1",)} if "lair" in plan.hidden.tags else {}
            write_article(house, *replace(plan.hidden, **place).made(hidden))
            name_place(house, Topic("crypt", {"en": "Crypt"}), Product("crypt-1", "Crypt 1"))
            flag_as_insider(house, replace(plan.hidden, **place).made(hidden)[0])
        case "post":
            write_post(house, _post(hidden, plan))
        case "draft":
            text = Revision(article.id, 2, plan.hidden.title, plan.hidden.body, "system", at, "mandrill")
            write_article(house, article.revise(at), text, article)
        case "state":
            later = {"owner_id": pair.template.ids["insider"], "valid_until": at + timedelta(days=99)}
            write_article(house, article.with_state(at, **later), None, article)
        case "trail":
            write_article(house, *plan.hidden.made(hidden))
            _write_secret_trail(pair, plan, article, hidden, mine, theirs)
        case "word":
            add_meaning(house, plan.hidden.title, above(plan.who)[hidden % len(above(plan.who))])
        case "case":
            flag_as_insider(house, article, gap=f"mandrill {article.number}")
        case "person":
            add_person(house.service.db, SYSTEM, "Mandrill Quokka", Audience.INTERNAL, groups=["vault", "lair"])


def _write_secret_trail(
    pair: Pair, plan: Plan, article: Article, hidden: int, mine: Interaction, theirs: Interaction
) -> None:
    """What the insider did with the secret article in a contact that they may see, and in one that they may not."""
    linked = {"data": {"type": "resolution"}}
    events = [_event(pair, "insider", mine, EventKind.VIEWED, hidden),
              _event(pair, "insider", mine, EventKind.LINKED, hidden, **linked)]  # fmt: skip
    write_trail(pair.secretive, None, events)
    shown = [["article", each, 1, 0] for each in (an_id(hidden), article.id)]
    for house, hits in ((pair.secretive, shown), (pair.plain, shown[1:])):
        write_trail(
            house, None, [_event(pair, "insider", mine, EventKind.SEARCHED, data={"query": "red", "shown": hits})]
        )
    if not is_staff(plan.who):
        write_trail(pair.secretive, theirs, [_event(pair, "insider", theirs, EventKind.INSERTED, hidden)])


def _interaction(pair: Pair, who: str) -> Interaction:
    opened_by = pair.template.ids.get(who, "anonymous")
    return Interaction(an_id(pair.next()), Channel.PHONE, clock.now(), opened_by, subject="somebody")


def _event(pair: Pair, who: str, interaction: Interaction, kind: EventKind, n: int | None = None, **more: Any) -> Event:
    item = {} if n is None else {"item_kind": Kind.ARTICLE, "item_id": an_id(n), "revision": 1, "ordinal": 0}
    return Event(kind, clock.now(), pair.template.ids.get(who, "anonymous"), interaction.id, **item | more)


def _post(n: int, plan: Plan) -> Post:
    audience = plan.hidden.audience if plan.hidden.audience in above(plan.who) else Audience.INTERNAL
    return Post(an_id(n), "forum", f"t/{n}", plan.hidden.title, plan.hidden.body, Language.ENGLISH, "Quokka",
                clock.now(), audience, f"https://forum.example/{n}", products=("lair-1",))  # fmt: skip
