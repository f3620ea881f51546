"""Flags of many at once, on both databases; who owns what, and what remains of somebody who is erased."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from kb import clock
from kb.article import Article, Draft
from kb.audience import Audience
from kb.case import Action, RevisionCase, Rules, Severity, State
from kb.errors import Conflict, Invalid, NotFound
from kb.flag import Cause
from kb.interaction import Channel, Event, EventKind
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM, Person, Role
from kb.solve import casework, erasing, flagging, improve, telling, trail
from kb.solve.access import add_person, disable
from kb.solve.fixing import Fixes
from kb.solve.flagging import Said
from kb.store import articles, cases, domains, flags
from kb.store.cases import Wanted
from kb.store.database import Database

AGENTS = 50
DEFAULTS = Rules()
TEN, FIFTEEN = "Hold reset for ten seconds. Then wait.", "Hold reset for fifteen seconds. Then wait."


def agent(db: Database, name: str, *roles: Role, **fields: object) -> Person:
    return add_person(db, SYSTEM, name, Audience.INTERNAL, roles=roles or (Role.CANDIDATE,), **fields)[0]  # type: ignore[arg-type]


def written(db: Database, body: str = TEN, **state: object) -> Article:
    fields: dict[str, object] = {"language": Language.ENGLISH, "audience": Audience.PUBLIC} | state
    return improve.create(db, SYSTEM, Draft("Red light", body, **fields))  # type: ignore[arg-type]


def about(article: Article, **more: object) -> Said:
    item = ItemRef(Kind.ARTICLE, article.id)
    fields: dict[str, object] = {"item": item, "revision": 1, "ordinal": 0, "quote": "ten seconds"} | more
    return Said(Cause.WRONG_FACT, **fields)  # type: ignore[arg-type]


def flag(db: Database, by: Person, said: Said, rules: Rules = DEFAULTS) -> RevisionCase:
    return flagging.flag(db, by, said, rules).case


def at_once(work: Callable[[Person], object], people: list[Person]) -> list[object]:
    barrier = Barrier(len(people))

    def together(person: Person) -> object:
        barrier.wait()
        return work(person)

    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(together, people))


def test_fifty_who_flag_the_same_sentence_at_once_make_one_case_and_are_each_told_once(db: Database) -> None:
    owner = agent(db, "owner", Role.PUBLISHER)
    article = written(db, owner_id=owner.id)
    agents = [agent(db, f"agent {n}") for n in range(AGENTS)]
    assert len(set(at_once(lambda each: flag(db, each, about(article)).id, agents))) == 1
    (case,) = casework.listing(db, owner, Wanted(), "", 10)
    assert (case.count, case.demand) == (AGENTS, 4 * AGENTS)
    with db.read() as tx:
        assert flags.flaggers(tx, case.id) == sorted(each.id for each in agents)
        assert Counter(each.action for each in cases.steps(tx, case.id)) == {Action.OPENED: 1, Action.FLAGGED: AGENTS}
    assert [each.notification.news for each in telling.listing(db, owner, unread=True, before=None, limit=99)] == [
        "opened"
    ]
    fixed = improve.revise(db, owner, article.id, "Red light", FIFTEEN, version=1, publish=True, fixes=Fixes([case.id]))
    assert fixed.published == 2
    at_once(lambda each: flag(db, each, about(article, note="again")), agents[:10])
    for each in agents:
        (message,) = telling.listing(db, each, unread=True, before=None, limit=99)
        assert (message.notification.news, message.case.id) == ("fixed", case.id)
    assert casework.read(db, owner, case.id).case.count == AGENTS
    accepted = at_once(lambda each: casework.accept(db, each, case.id).state, agents[:10])
    assert set(accepted) == {State.CLOSED}
    steps = Counter(each.action for each in casework.read(db, owner, case.id).steps)
    assert steps[Action.ACCEPTED] == 1


def test_of_two_who_fix_one_case_at_once_one_is_refused_and_no_revision_is_lost(db: Database) -> None:
    editors = [agent(db, f"editor {n}", Role.PUBLISHER) for n in range(2)]
    article = written(db)
    case = flag(db, agent(db, "agent"), about(article))

    def fix(by: Person) -> str:
        try:
            improve.revise(db, by, article.id, by.name, FIFTEEN, version=1, publish=True, fixes=Fixes([case.id]))
        except Conflict:
            return "refused"
        return "fixed"

    assert sorted(map(str, at_once(fix, editors))) == ["fixed", "refused"]
    told = casework.read(db, editors[0], case.id)
    assert (told.case.fixed_revision, told.case.round) == (2, 1)


def test_an_owner_is_found_by_article_then_domain_then_fallback_and_never_is_nobody(db: Database) -> None:
    candidate = agent(db, "candidate")
    assert flag(db, candidate, about(written(db, topic="a"))).owner_id == SYSTEM.id
    coach, lead = agent(db, "coach", Role.COACH), agent(db, "lead", Role.CONTRIBUTOR)
    with db.write() as tx:
        domains.put(tx, "b", lead.id)
    assert flag(db, candidate, about(written(db, topic="b/c"))).owner_id == lead.id
    assert flag(db, candidate, about(written(db, topic="b/c", owner_id=coach.id))).owner_id == coach.id
    assert flag(db, candidate, about(written(db))).owner_id == coach.id
    assert flag(db, candidate, about(written(db)), Rules(lead.id)).owner_id == lead.id
    assert flag(db, candidate, about(written(db, owner_id=candidate.id))).owner_id == coach.id  # who may not fix
    closed = written(db, groups=frozenset({"vault"}), topic="b")
    member = agent(db, "member", groups=["vault"])
    assert flag(db, member, about(closed)).owner_id == SYSTEM.id  # nobody else may read it


def test_the_case_of_somebody_who_has_left_finds_another_owner_who_is_told(db: Database) -> None:
    first, second = agent(db, "a coach", Role.COACH), agent(db, "b coach", Role.COACH)
    case = flag(db, agent(db, "agent"), about(written(db)))
    assert case.owner_id == first.id
    disable(db, SYSTEM, first.id)
    assert casework.adopt(db, Rules()) == 1
    assert casework.adopt(db, Rules()) == 0
    assert casework.read(db, second, case.id).case.owner_id == second.id
    assert len(telling.listing(db, second, unread=True, before=None, limit=9)) == 1


def test_internal_text_shown_outside_is_severe_and_for_those_who_govern(db: Database) -> None:
    agent(db, "coach", Role.COACH)
    compliance = agent(db, "publisher", Role.PUBLISHER)
    case = flag(db, agent(db, "agent"), Said(Cause.INTERNAL_SHOWN, ItemRef(Kind.ARTICLE, written(db).id), 1, 0))
    assert (case.severity, case.owner_id) == (Severity.SEVERE, compliance.id)
    assert case.due_at - case.opened_at == timedelta(hours=8)


def test_the_more_an_article_is_used_the_sooner_its_case_is_due(db: Database) -> None:
    by = agent(db, "agent")
    used, unused = written(db), written(db)
    for _ in range(10):
        contact = trail.open_interaction(db, by, Channel.CHAT)
        event = Event(
            EventKind.INSERTED, clock.now(), by.id, contact.id, item_kind=Kind.ARTICLE, item_id=used.id, revision=1
        )
        trail.record(db, by, [event, event])
    much, little = flag(db, by, about(used)), flag(db, by, about(unused))
    assert (much.reuse, much.demand, little.reuse, little.demand) == (10, 44, 0, 4)
    assert little.due_at - little.opened_at == 2 * (much.due_at - much.opened_at) == timedelta(days=5)


def test_who_is_erased_leaves_a_case_without_their_name_and_words_searched(db: Database) -> None:
    owner, by = agent(db, "owner", Role.COACH), agent(db, "Mandrill Quokka")
    contact = trail.open_interaction(db, by, Channel.PHONE, subject="C-1009")
    article = written(db)
    case = flag(db, by, about(article, query="quokka bill", interaction_id=contact.id))
    gap = flag(db, by, Said(Cause.NOTHING_ANSWERS, query="quokka abroad"))
    other = flag(db, owner, about(article, query="mine", interaction_id=contact.id))
    assert other.id == case.id
    erasing.erase(db, erasing.find(db, "customer:C-1009"))
    (first, second) = casework.read(db, owner, case.id).flags
    assert {first.interaction_id, second.interaction_id, first.query, second.query} == {None, ""}
    erasing.erase(db, erasing.find(db, f"person:{by.id}"))
    told = casework.read(db, owner, case.id)
    assert told.case.count == 2
    assert by.id not in repr(told)
    assert casework.read(db, owner, gap.id).case.title == ""
    assert not erasing.find(db, by.id)


def test_a_list_holds_exactly_the_cases_that_can_be_read(db: Database) -> None:
    writer = agent(db, "writer", Role.ADMIN, groups=["vault", "desk"])
    partner = add_person(db, SYSTEM, "partner", Audience.PARTNER, roles=[Role.PUBLISHER])[0]
    readers = [writer, partner, agent(db, "one", groups=["vault"]), agent(db, "two")]
    made = []
    for audience in (Audience.PUBLIC, Audience.INTERNAL):
        for groups in ((), ("vault",), ("desk", "other")):
            article = written(db, audience=audience, groups=frozenset(groups))
            made += [flag(db, writer, about(article)).id]
            if audience is Audience.PUBLIC and not groups:
                made += [flag(db, partner, about(article)).id]
    made.append(flag(db, partner, Said(Cause.NOTHING_ANSWERS, query="x")).id)
    for by in readers:
        listed = {each.id for each in casework.listing(db, by, Wanted(), "", 99)}
        assert listed == {each for each in made if _reads(db, by, each)}
    assert len({len(casework.listing(db, by, Wanted(), "", 99)) for by in readers}) == 4


def test_a_revision_that_is_gone_from_sight_leaves_its_case_as_it_was(db: Database) -> None:
    by = agent(db, "agent")
    article = written(db)
    case = flag(db, by, about(article))
    with db.read() as tx:
        version = articles.get(tx, article.id).version
    improve.archive(db, SYSTEM, article.id, version=version)
    assert casework.read(db, by, case.id).case == case


def _reads(db: Database, by: Person, case_id: str) -> bool:
    try:
        casework.read(db, by, case_id)
    except NotFound:
        return False
    return True


def test_nobody_quotes_a_revision_that_was_written_for_others(db: Database) -> None:
    partner = add_person(db, SYSTEM, "partner", Audience.PARTNER, roles=[Role.PUBLISHER])[0]
    article = written(db, "The quokka is ours.", audience=Audience.INTERNAL)
    improve.revise(db, SYSTEM, article.id, "Red light", TEN, publish=True)
    improve.set_state(db, SYSTEM, article.id, {"audience": Audience.PARTNER})
    with pytest.raises(Invalid, match="no revision 1"):
        flag(db, partner, about(article, quote="The", ordinal=None))
    assert flag(db, partner, about(article, revision=2)).quote == "Hold reset for ten seconds."


def test_opening_an_article_to_more_readers_opens_no_case_about_what_it_said_before(db: Database) -> None:
    member, other = agent(db, "member", groups=["vault"]), agent(db, "other")
    article = written(db, groups=frozenset({"vault"}))
    case = flag(db, member, about(article))
    improve.set_state(db, SYSTEM, article.id, {"groups": frozenset()})
    assert _reads(db, member, case.id)
    assert not _reads(db, other, case.id)
    assert casework.listing(db, other, Wanted(), "", 9) == []
    assert [each.id for each in casework.listing(db, member, Wanted(), "", 9)] == [case.id]
    theirs = flag(db, other, about(article))
    assert (theirs.count, _reads(db, other, theirs.id)) == (1, True)
