"""Templates, licences and checklists on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kb.audience import Audience, Reader
from kb.checklist import Check, Checklist, Tick
from kb.errors import Conflict, NotFound
from kb.person import RIGHTS, Licence, Right, Role
from kb.store import articles, checklists, licences, people, templates
from kb.store.database import Database
from kb.template import STANDARD, Field, Template
from tests.examples import NOON, a_person, a_revision, an_article

NAMES = {"en": "Cause", "zh-Hans": "原因", "zh-Hant": "原因"}
FAULT = Template("t1", NAMES, (Field("cause", NAMES, True, Audience.INTERNAL),), False, True, 1, "ada", NOON)


def test_the_standard_template_is_there_without_a_row_and_with_one_once_it_is_changed(db: Database) -> None:
    changed = replace(STANDARD, is_default=True).changed("ada", NOON)
    with db.write() as tx:
        assert (templates.get(tx, "standard"), templates.every(tx)) == (STANDARD, [STANDARD])
        templates.insert(tx, FAULT)
        assert templates.every(tx) == [STANDARD, FAULT]
        assert templates.update(tx, STANDARD, changed)
        assert templates.get(tx, "standard") == changed
        assert not templates.update(tx, replace(FAULT, version=7), FAULT), "it has another version"
        with pytest.raises(NotFound):
            templates.get(tx, "t2")


def test_of_two_who_change_the_standard_template_first_one_is_told(db: Database) -> None:
    for number, refused in ((1, False), (2, True)):
        changed = STANDARD.changed(f"p{number}", NOON)
        if refused:
            with pytest.raises(Conflict), db.write() as tx:
                templates.update(tx, STANDARD, changed)
        else:
            with db.write() as tx:
                assert templates.update(tx, STANDARD, changed)


def test_a_person_is_read_with_what_their_roles_may(db: Database) -> None:
    with db.write() as tx:
        people.insert(tx, a_person(roles=frozenset({Role.CANDIDATE, Role.COACH})), NOON)
        assert people.get(tx, "ada").allowed is None
        every = licences.every_to_change(tx, "eve", NOON)
        assert {role: each.rights for role, each in every.items()} == RIGHTS
        licences.update(tx, Licence(Role.COACH, frozenset({Right.COACH}), {"en": "Guide"}, 1, "eve", NOON))
        licences.forget_unchanged(tx)
        assert licences.configured(tx) == {Role.COACH: frozenset({Right.COACH})}
        assert people.get(tx, "ada").allowed == RIGHTS[Role.CANDIDATE] | {Right.COACH}
        assert licences.every(tx)[Role.COACH].names == {"en": "Guide"}


def test_a_checklist_is_kept_once_and_changed_by_one_coach_at_a_time(db: Database) -> None:
    first = Checklist("a1", 1, {Check.ISSUE: True, Check.STEPS: False})
    ticked = first.tick({Tick.CORRECT: True}, "Clear", 0, "eve", NOON)
    with db.write() as tx:
        articles.insert(tx, an_article(latest=2))
        for number in (1, 2):
            articles.add_revision(tx, a_revision(number=number, created_at=NOON + timedelta(hours=number)))
        checklists.insert(tx, first)
        checklists.insert(tx, replace(first, revision=2))
        checklists.update(tx, first, ticked)
        assert checklists.get(tx, "a1", 1) == ticked
        assert [each.revision for each in checklists.of_author(tx, "ada", 5)] == [2, 1]
        assert checklists.of_author(tx, "bob", 5) == []
        with pytest.raises(Conflict):
            checklists.update(tx, first, ticked)


def test_what_ends_or_was_not_confirmed_comes_in_order_of_urgency(db: Database) -> None:
    day = timedelta(days=1)
    with db.write() as tx:
        for name, fields in {
            "soon": {"valid_until": NOON + day},
            "ended": {"valid_until": NOON - day},
            "later": {"valid_until": NOON + 9 * day},
            "old": {"published_at": NOON - 9 * day},
            "confirmed": {"published_at": NOON - 9 * day, "confirmed_at": NOON},
            "hidden": {"published_at": NOON - 9 * day, "audience": Audience.INTERNAL},
            "draft": {"valid_until": NOON, "published": None},
            "theirs": {"valid_until": NOON, "owner_id": "bob"},
        }.items():
            articles.insert(tx, an_article(name, **{"published": 1, "published_at": NOON, "owner_id": "ada"} | fields))
        anyone = Reader()
        ending = articles.expiring(tx, anyone, NOON + 2 * day, "ada", 9)
        assert [each.id for each in ending] == ["ended", "soon"]
        assert [each.id for each in articles.expiring(tx, anyone, NOON, None, 9)] == ["ended", "theirs"]
        assert [(each.id, at) for each, at in articles.unconfirmed(tx, anyone, NOON - day, None, 9)] == [
            ("old", NOON - 9 * day)
        ]
