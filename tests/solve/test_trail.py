from collections.abc import Callable
from dataclasses import replace

import pytest

from kb import clock
from kb.article import Article
from kb.audience import Audience
from kb.errors import Invalid, KbError, NotFound, Unavailable
from kb.interaction import Channel, Continuation, Event, EventKind, LinkType
from kb.passage import ItemRef, Kind
from kb.person import ANONYMOUS, Person, Role
from kb.solve import trail
from kb.solve.trail import SearchLog
from kb.store import content, interactions
from kb.store.database import Database
from tests.examples import an_event

Write = Callable[..., Article]
AGENT = Person("ann", "Ann", Audience.INTERNAL, frozenset({Role.CANDIDATE}))
CUSTOMER = Person("cus", "Cus", Audience.CUSTOMER)


def about(article: Article, kind: EventKind, interaction_id: str | None, **data: object) -> Event:
    return Event(
        kind, clock.now(), "", interaction_id, item_kind=Kind.ARTICLE, item_id=article.id, revision=1, data=data
    )


def test_what_happens_in_a_contact_is_kept_in_order_with_who_did_it(sqlite_db: Database, write: Write) -> None:
    article = write()
    contact = trail.open_interaction(sqlite_db, AGENT, Channel.PHONE, external_id="CASE-7")
    for kind in (EventKind.VIEWED, EventKind.INSERTED):
        trail.record(sqlite_db, AGENT, [about(article, kind, contact.id)])
    found, events, _ = trail.read_trail(sqlite_db, AGENT, contact.id)
    assert found.external_id == "CASE-7"
    assert [(each.kind, each.person_id) for each in events] == [("viewed", "ann"), ("inserted", "ann")]


def test_the_host_desktop_may_open_the_same_contact_twice(sqlite_db: Database) -> None:
    first = trail.open_interaction(sqlite_db, AGENT, Channel.CHAT, external_id="CASE-7")
    assert trail.open_interaction(sqlite_db, AGENT, Channel.CHAT, external_id="CASE-7") == first


def test_a_contact_may_continue_another_and_says_why(sqlite_db: Database) -> None:
    first = trail.open_interaction(sqlite_db, AGENT, Channel.SELF_HELP)
    second = trail.open_interaction(
        sqlite_db, AGENT, Channel.PHONE, continues=first.id, continuation=Continuation.HANDOFF
    )
    assert (second.continues, second.continuation) == (first.id, Continuation.HANDOFF)
    with pytest.raises(Invalid):
        trail.open_interaction(sqlite_db, AGENT, Channel.PHONE, continues=first.id)


def test_resolution_links_count_as_evidence_until_they_are_taken_back(sqlite_db: Database, write: Write) -> None:
    article = write()
    item = ItemRef(Kind.ARTICLE, article.id)
    contact = trail.open_interaction(sqlite_db, AGENT, Channel.PHONE)

    def resolved() -> int:
        with sqlite_db.read() as tx:
            return content.standings(tx, [item], clock.now())[item].resolved

    trail.record(sqlite_db, AGENT, [about(article, EventKind.LINKED, contact.id, type=LinkType.REFERENCE.value)])
    assert resolved() == 0
    trail.record(sqlite_db, AGENT, [about(article, EventKind.LINKED, contact.id, type=LinkType.RESOLUTION.value)])
    assert resolved() == 1
    trail.record(sqlite_db, AGENT, [about(article, EventKind.UNLINKED, contact.id)])
    assert resolved() == 0
    assert len(trail.read_trail(sqlite_db, AGENT, contact.id)[1]) == 3, "unlinking is an event, nothing is removed"


def test_all_events_of_a_call_are_written_or_none(sqlite_db: Database, write: Write) -> None:
    article = write()
    contact = trail.open_interaction(sqlite_db, AGENT, Channel.PHONE)
    good = about(article, EventKind.VIEWED, contact.id)
    with pytest.raises(KbError):
        trail.record(sqlite_db, AGENT, [good, replace(good, item_id="nowhere")])
    assert trail.read_trail(sqlite_db, AGENT, contact.id)[1] == []


def test_a_trail_is_closed_to_strangers_and_so_are_articles_they_cannot_read(sqlite_db: Database, write: Write) -> None:
    secret = write(audience=Audience.INTERNAL)
    contact = trail.open_interaction(sqlite_db, AGENT, Channel.PHONE)
    mine = trail.open_interaction(sqlite_db, CUSTOMER, Channel.SELF_HELP)
    with pytest.raises(NotFound):
        trail.read_trail(sqlite_db, CUSTOMER, contact.id)
    with pytest.raises(NotFound):
        trail.record(sqlite_db, CUSTOMER, [about(secret, EventKind.VIEWED, mine.id)])
    assert trail.read_trail(sqlite_db, AGENT, mine.id)[0] == mine


@pytest.mark.parametrize(
    "event",
    [
        an_event(EventKind.SEARCHED),
        an_event(EventKind.VIEWED),
        an_event(EventKind.RESOLVED, interaction_id=None),
    ],
)
def test_an_event_that_says_too_little_or_too_much_is_refused(sqlite_db: Database, event: Event) -> None:
    contact = trail.open_interaction(sqlite_db, AGENT, Channel.PHONE)
    with pytest.raises(Invalid):
        trail.record(sqlite_db, AGENT, [replace(event, interaction_id=event.interaction_id and contact.id)])


def test_the_log_of_searches_waits_for_the_database_and_drops_the_oldest_when_full(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SearchLog(sqlite_db, capacity=3)
    for number in range(5):
        log.add(Event(EventKind.SEARCHED, clock.now(), ANONYMOUS.id, data={"query": str(number)}))
    assert log.dropped == 2
    write = sqlite_db.write

    def locked() -> None:
        raise Unavailable("locked")

    monkeypatch.setattr(sqlite_db, "write", locked)
    log.flush()
    monkeypatch.setattr(sqlite_db, "write", write)
    log.flush()
    with sqlite_db.read() as tx:
        assert sorted(each.data["query"] for each in interactions.recent(tx, EventKind.SEARCHED)) == ["2", "3", "4"]
