"""Owners are told of what ends, once."""

from datetime import timedelta

import pytest

from kb import clock
from kb.article import Draft, Size
from kb.audience import Audience
from kb.case import News
from kb.interaction import Channel, Event, EventKind
from kb.language import Language
from kb.passage import Kind
from kb.person import SYSTEM, Person, Role
from kb.solve import access, domains, improve, telling, trail
from kb.solve.reminding import remind
from kb.solve.upkeep import Terms
from kb.store import interactions
from kb.store.database import Database

TERMS = Terms()


def staff(db: Database, name: str, tier: Audience = Audience.INTERNAL) -> Person:
    return access.add_person(db, SYSTEM, name, tier, roles=[Role.PUBLISHER])[0]


def ends(db: Database, days: int, **more: object) -> str:
    draft = Draft("Summer prices", "Ten a month.", Language.ENGLISH, Audience.INTERNAL,
                  valid_until=clock.now() + timedelta(days=days), **more)  # fmt: skip
    return improve.create(db, SYSTEM, draft, publish=True).id


def told(db: Database, who: Person) -> list[tuple[News, str]]:
    found = telling.listing(db, who, unread=True, before=None, limit=50)
    return [(each.notification.news, each.title) for each in found]


def later(monkeypatch: pytest.MonkeyPatch, **by: float) -> None:
    at = clock.now() + timedelta(**by)
    monkeypatch.setattr(clock, "now", lambda: at)


def test_an_owner_is_told_that_an_article_ends_and_that_it_has_each_once(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = staff(db, "Ada")
    ends(db, days=40, owner_id=ada.id)
    assert (remind(db, TERMS), told(db, ada)) == (0, [])
    later(monkeypatch, days=11)
    assert (remind(db, TERMS), remind(db, TERMS)) == (1, 0)
    assert told(db, ada) == [(News.EXPIRING, "Summer prices")]
    later(monkeypatch, days=30)
    assert (remind(db, TERMS), remind(db, TERMS)) == (1, 0)
    assert [news for news, _ in told(db, ada)] == [News.EXPIRED, News.EXPIRING]


def test_another_end_is_another_reminder_and_what_is_archived_needs_none(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = staff(db, "Ada")
    moved, gone = ends(db, days=10, owner_id=ada.id), ends(db, days=10, owner_id=ada.id)
    improve.archive(db, SYSTEM, gone)
    assert remind(db, TERMS) == 1
    improve.set_state(db, SYSTEM, moved, {"valid_until": clock.now() + timedelta(days=60)})
    assert remind(db, TERMS) == 0
    later(monkeypatch, days=45)
    assert remind(db, TERMS) == 1


def test_without_an_owner_who_may_read_it_the_owner_of_the_domain_is_told(db: Database) -> None:
    lead, outside = staff(db, "Lead"), staff(db, "Partner", Audience.PARTNER)
    domains.put(db, SYSTEM, "prices", lead.id)
    ends(db, days=10, owner_id=outside.id, topic="prices/summer")
    ends(db, days=10, topic="nobody/s")
    assert remind(db, TERMS) == 1
    assert (len(told(db, lead)), told(db, outside)) == (1, [])


def test_who_may_not_read_it_any_more_is_not_told_of_it(db: Database) -> None:
    ada = staff(db, "Ada")
    article = ends(db, days=10, owner_id=ada.id)
    remind(db, TERMS)
    assert len(told(db, ada)) == 1
    improve.set_state(db, SYSTEM, article, {"groups": frozenset({"vault"})})
    assert told(db, ada) == []


def test_who_used_an_article_lately_is_told_when_it_says_something_else(db: Database) -> None:
    ada, agent, gone = staff(db, "Ada"), staff(db, "Agent"), staff(db, "Gone")
    article = ends(db, days=90)
    contact = trail.open_interaction(db, agent, Channel.PHONE)
    used = [Event(EventKind.INSERTED, clock.now(), each.id, contact.id, item_kind=Kind.ARTICLE, item_id=article,
                  revision=1) for each in (agent, gone, ada)]  # fmt: skip
    with db.write() as tx:
        interactions.append(tx, used)
    access.disable(db, SYSTEM, gone.id)
    improve.revise(db, ada, article, "Summer prices", "Ten each month.", publish=True)
    assert told(db, agent) == [], "content"
    improve.revise(db, ada, article, "Summer prices", "Twelve a month.", publish=True, size=Size.MEANING)
    assert told(db, agent) == [(News.CHANGED, "Summer prices")]
    assert told(db, ada) == [], "who changed it knows"
    improve.publish(db, ada, article, 2)
    assert len(told(db, agent)) == 1, "taken back"
