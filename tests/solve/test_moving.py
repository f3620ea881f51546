"""What becomes of the cases of an article that is merged into another one, and out of it again."""

import pytest

from kb.article import Article, Draft
from kb.audience import Audience
from kb.case import Action, RevisionCase, State
from kb.errors import NotFound
from kb.flag import Cause
from kb.interaction import Channel, Event, EventKind
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM, Person, Role
from kb.solve import casework, flagging, improve, merging, recalling, telling, trail
from kb.solve.access import add_person
from kb.solve.fixing import Fixes
from kb.store import articles, cases
from kb.store.database import Database
from tests.solve.test_flagging import DEFAULTS, FIFTEEN, TEN, about, agent, flag, written

REST = "Restart the hub."


def merge(db: Database, one: Article, other: Article, body: str = "") -> None:
    with db.read() as tx:
        versions = {each.id: articles.get(tx, each.id).version for each in (one, other)}
    merging.merge(db, SYSTEM, one.id, other.id, versions, body=body)


def fix(db: Database, article: Article, case: RevisionCase, meaning: bool = False) -> None:
    with db.read() as tx:
        version = articles.get(tx, article.id).version
    fixes = Fixes([case.id], meaning)
    improve.revise(db, SYSTEM, article.id, "Red light", FIFTEEN, version=version, publish=True, fixes=fixes)


def read(db: Database, case: RevisionCase) -> casework.Told:
    return casework.read(db, SYSTEM, case.id)


def actions(db: Database, case: RevisionCase) -> list[Action]:
    return [each.action for each in read(db, case).steps]


def test_a_case_goes_on_at_the_article_that_is_kept_and_comes_back_with_the_undo(db: Database) -> None:
    older, newer = written(db, REST), written(db)
    by = agent(db, "agent")
    case = flag(db, by, about(newer))
    merge(db, older, newer)
    moved = read(db, case).case
    assert (moved.item, moved.label, moved.revision) == (ItemRef(Kind.ARTICLE, older.id), older.number, 2)
    assert (moved.count, moved.state, moved.quote) == (1, State.OPEN, case.quote)
    assert read(db, case).steps[-1].text == newer.number
    again = flag(db, agent(db, "other"), about(older, revision=2))
    assert (again.id, again.count) == (case.id, 2), "the same sentence there is the same case"
    merging.undo(db, SYSTEM, newer.id)
    back = read(db, case).case
    assert (back.item, back.label, back.revision, back.ordinal) == (case.item, newer.number, 1, 0)
    assert (back.fold, back.count) == (case.fold, 2)
    assert actions(db, case)[-2:] == [Action.FLAGGED, Action.MOVED]


def test_two_cases_of_the_same_become_one_and_nothing_of_either_is_lost(db: Database) -> None:
    older, newer = written(db), written(db)
    one, both, other = (agent(db, name) for name in ("one", "both", "other"))
    editor = agent(db, "editor", Role.CONTRIBUTOR)
    there = flag(db, one, about(older))
    flag(db, both, about(older))
    here = flag(db, both, about(newer, note="since firmware 4"))
    flag(db, other, about(newer, severe=True))
    casework.assign(db, editor, here.id, editor.id)
    merge(db, older, newer)
    kept, folded = read(db, there), read(db, here)
    assert {each.person_id for each in kept.flags} == {one.id, both.id, other.id}
    assert (kept.case.count, kept.case.severity, kept.case.assignee_id) == (3, "severe", editor.id)
    assert "since firmware 4" in kept.case.words
    assert (folded.case.state, folded.case.turn_around_s) == (State.CLOSED, None)
    assert [each.note for each in folded.flags] == ["since firmware 4"]
    assert actions(db, there)[-1] == actions(db, here)[-1] == Action.FOLDED
    fix(db, older, kept.case)
    told = {by.name: [each.notification.news for each in telling.listing(db, by, unread=True, before=None, limit=9)]
            for by in (one, both, other)}  # fmt: skip
    assert told == {"one": ["fixed"], "both": ["fixed"], "other": ["fixed"]}


def test_an_undone_merge_leaves_what_became_one_together_and_readable(db: Database) -> None:
    older, newer = written(db), written(db)
    there, here = flag(db, agent(db, "one"), about(older)), flag(db, agent(db, "other"), about(newer))
    merge(db, older, newer)
    merging.undo(db, SYSTEM, newer.id)
    assert (read(db, there).case.count, read(db, there).case.label) == (2, older.number)
    assert read(db, here).case.state is State.CLOSED


def test_what_waits_to_be_accepted_for_a_sentence_that_comes_back_is_open_again(db: Database) -> None:
    older, newer = written(db), written(db)
    fixed = flag(db, agent(db, "one"), about(older))
    fix(db, older, fixed)
    flag(db, agent(db, "other"), about(newer))
    merge(db, older, newer)
    assert (read(db, fixed).case.state, read(db, fixed).case.count) == (State.OPEN, 2)


def test_a_fix_that_waits_to_be_accepted_waits_at_the_article_that_is_kept(db: Database) -> None:
    older, newer = written(db, REST), written(db)
    by = agent(db, "agent")
    case = flag(db, by, about(newer))
    fix(db, newer, case)
    merge(db, older, newer)
    moved = read(db, case).case
    assert (moved.state, moved.fixed_revision, moved.proof) == (State.FIXED, 2, "waiting")
    assert moved.label == older.number
    assert casework.accept(db, by, case.id).state is State.CLOSED


def test_what_was_fixed_after_the_merge_stays_where_it_was_fixed(db: Database) -> None:
    older, newer = written(db, REST), written(db)
    case = flag(db, agent(db, "agent"), about(newer))
    merge(db, older, newer)
    fix(db, older, case)
    merging.undo(db, SYSTEM, newer.id)
    assert (read(db, case).case.label, read(db, case).case.state) == (older.number, State.FIXED)


def test_who_may_not_read_the_article_that_is_kept_no_longer_owns_the_case(db: Database) -> None:
    owner = agent(db, "owner", Role.CONTRIBUTOR)
    older, newer = written(db, REST, groups=("vault",)), written(db, owner_id=owner.id)
    case = flag(db, agent(db, "agent"), about(newer))
    merge(db, older, newer)
    assert casework.adopt(db, DEFAULTS) == 1
    with db.read() as tx:
        assert cases.get(tx, case.id).owner_id != owner.id
    with pytest.raises(NotFound):
        casework.read(db, owner, case.id)


def test_a_gap_that_was_filled_stays_what_was_asked(db: Database) -> None:
    gap = flag(db, agent(db, "agent"), flagging.Said(Cause.NOTHING_ANSWERS, query="red at night"))
    older = written(db, REST)
    draft = Draft("Red light", TEN, language=Language.ENGLISH, audience=Audience.PUBLIC)
    newer = improve.create(db, SYSTEM, draft, fixes=Fixes([gap.id]))
    merge(db, older, newer)
    moved = read(db, gap).case
    assert (moved.title, moved.item, moved.fold) == ("red at night", ItemRef(Kind.ARTICLE, older.id), gap.fold)


def test_recall_names_who_received_the_article_that_was_merged(db: Database) -> None:
    lead, _ = add_person(db, SYSTEM, "lead", Audience.INTERNAL, roles={Role.PUBLISHER})
    older, newer = written(db, REST), written(db)
    case = flag(db, lead, about(newer))
    _sent(db, lead, newer, 1)
    merge(db, older, newer)
    _sent(db, lead, older, 1)
    _sent(db, lead, older, 2)
    fix(db, older, case, meaning=True)
    _sent(db, lead, older, 3)
    found = recalling.recall(db, lead, case.id)
    assert found.revisions == (2,)
    assert [each.revision for each in found.received] == [2, 1], "of the one kept, and of the one merged"


def _sent(db: Database, by: Person, article: Article, revision: int) -> None:
    opened = trail.open_interaction(db, by, Channel.CHAT)
    event = Event(EventKind.INSERTED, opened.opened_at, by.id, opened.id, item_kind=Kind.ARTICLE, item_id=article.id,
                  revision=revision)  # fmt: skip
    trail.record(db, by, [event], DEFAULTS)


def test_cases_of_an_archived_article_stay_readable_and_can_be_answered(db: Database) -> None:
    article = written(db)
    by = agent(db, "agent")
    editor = agent(db, "editor", Role.PUBLISHER)
    case = flag(db, by, about(article))
    with db.read() as tx:
        version = articles.get(tx, article.id).version
    improve.archive(db, SYSTEM, article.id, version=version)
    assert casework.read(db, by, case.id).flags[0].quote == "ten seconds"
    casework.comment(db, by, case.id, "Is it gone?")
    assert casework.decline(db, editor, case.id, "The article is archived").state is State.DECLINED
    assert casework.read(db, by, case.id).case.label == article.number
    with db.read() as tx:
        assert cases.get(tx, case.id).title == "Red light"
