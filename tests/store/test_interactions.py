import random
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from kb.errors import NotFound
from kb.interaction import Channel, Continuation, Event, EventKind, LinkType
from kb.passage import ItemRef, Kind
from kb.store import interactions
from kb.store.database import Database, Tx
from kb.store.schema import event
from tests.examples import NOON, an_event, an_interaction

SECOND = timedelta(seconds=1)


def link(item_id: str = "x", kind: LinkType = LinkType.RESOLUTION, interaction: str = "i1", **fields: object) -> Event:
    return an_event(
        EventKind.LINKED, interaction, item_kind=Kind.ARTICLE, item_id=item_id, data={"type": kind}, **fields
    )


def unlink(item_id: str = "x", interaction: str = "i1", **fields: object) -> Event:
    return an_event(EventKind.UNLINKED, interaction, item_kind=Kind.ARTICLE, item_id=item_id, **fields)


def resolved(tx: Tx, *ids: str) -> dict[str, int]:
    return counted(tx, Kind.ARTICLE, *(ids or ("x",)))


def counted(tx: Tx, kind: Kind, *ids: str) -> dict[str, int]:
    """How many interactions each item resolved; those that resolved none are left out."""
    found = {item_id: tx.scalar(sa.select(interactions.resolved_count(kind, sa.literal(item_id)))) for item_id in ids}
    return {item_id: count for item_id, count in found.items() if count}


def test_an_interaction_comes_back_as_it_was(db: Database) -> None:
    first = an_interaction("i1", external_id="desk-1")
    second = an_interaction(
        "i2",
        channel=Channel.CHAT,
        opened_at=NOON + SECOND,
        external_id="desk-2",
        subject="customer-9",
        product="hub-6",
        language="zh-Hant",
        continues="i1",
        continuation=Continuation.CALL_BACK,
    )
    with db.write() as tx:
        interactions.insert(tx, first)
        interactions.insert(tx, second)
    with db.read() as tx:
        assert interactions.get(tx, "i1") == first
        assert interactions.get(tx, "i2") == second
        assert interactions.by_external_id(tx, "desk-2") == second
        assert interactions.by_external_id(tx, "") is None
        with pytest.raises(NotFound):
            interactions.get(tx, "nobody")


def test_a_trail_is_told_in_order_of_time_with_all_it_knows(db: Database) -> None:
    searched = an_event(
        EventKind.SEARCHED,
        at=NOON + SECOND,
        search_id="s1",
        data={"query": "紅燈", "hits": [{"id": "x", "score": 0.5}]},
    )
    viewed = an_event(
        EventKind.VIEWED,
        at=NOON + 2 * SECOND,
        search_id="s1",
        position=1,
        item_kind=Kind.POST,
        item_id="x",
        revision=3,
        ordinal=0,
    )
    with db.write() as tx:
        interactions.insert(tx, an_interaction())
        interactions.append(tx, [viewed])
        interactions.append(tx, [searched, an_event(EventKind.COPIED, None)])  # searches are written in groups, later
    with db.read() as tx:
        told = interactions.trail(tx, "i1")
    assert [each.kind for each in told] == [EventKind.SEARCHED, EventKind.VIEWED]
    assert told[0].data == searched.data
    assert told[1] == replace(viewed, id=told[1].id)
    assert told[0].id is not None


def test_events_of_one_moment_keep_the_order_they_came_in(db: Database) -> None:
    kinds = [EventKind.SEARCHED, EventKind.VIEWED, EventKind.COPIED, EventKind.INSERTED, EventKind.RESOLVED]
    with db.write() as tx:
        interactions.insert(tx, an_interaction())
        interactions.append(tx, [an_event(kind) for kind in kinds])
        assert [each.kind for each in interactions.trail(tx, "i1")] == kinds


def test_appending_changes_nothing_that_was_told_before(db: Database) -> None:
    with db.write() as tx:
        interactions.insert(tx, an_interaction())
        interactions.append(tx, [link(), unlink(at=NOON + SECOND)])
        before = interactions.trail(tx, "i1")
        interactions.append(tx, [link(at=NOON + 2 * SECOND)])
        interactions.append(tx, [])
        assert interactions.trail(tx, "i1")[:2] == before


def test_the_number_of_an_event_is_never_given_again(db: Database) -> None:
    with db.write() as tx:
        interactions.append(tx, [an_event(EventKind.SEARCHED, None)])
        [first] = interactions.recent(tx, EventKind.SEARCHED)
        tx.execute(sa.delete(event))
        interactions.append(tx, [an_event(EventKind.SEARCHED, None)])
        [second] = interactions.recent(tx, EventKind.SEARCHED)
    assert first.id is not None
    assert second.id is not None
    assert second.id > first.id


def test_recent_events_are_newest_first_and_of_one_kind(db: Database) -> None:
    with db.write() as tx:
        interactions.append(tx, [an_event(EventKind.SEARCHED, None, search_id=f"s{n}") for n in range(3)])
        interactions.append(tx, [an_event(EventKind.VIEWED, None)])
        assert [each.search_id for each in interactions.recent(tx, EventKind.SEARCHED, 2)] == ["s2", "s1"]


def test_an_event_of_an_unknown_interaction_is_refused(db: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError), db.write() as tx:
        interactions.append(tx, [an_event(EventKind.VIEWED, "nobody")])


def test_an_item_counts_once_for_each_interaction_it_resolved(db: Database) -> None:
    with db.write() as tx:
        for each in ("i1", "i2", "i3"):
            interactions.insert(tx, an_interaction(each))
        interactions.append(tx, [link(interaction="i1"), link(interaction="i1", at=NOON + SECOND)])
        interactions.append(tx, [link(interaction="i2"), link(interaction="i3", kind=LinkType.REFERENCE)])
        interactions.append(tx, [link("y", interaction="i3")])
        assert resolved(tx, "x", "y", "z") == {"x": 2, "y": 1}
        assert counted(tx, Kind.POST, "x") == {}


def test_unlinking_takes_the_resolution_back_and_linking_again_restores_it(db: Database) -> None:
    with db.write() as tx:
        interactions.insert(tx, an_interaction())
        for step, (what, count) in enumerate([(link(), 1), (unlink(), 0), (link(), 1), (unlink(), 0)]):
            interactions.append(tx, [replace(what, at=NOON + step * SECOND)])
            assert resolved(tx) == ({"x": 1} if count else {})
            assert len(interactions.links(tx, "i1")) == count


def test_a_resolution_that_turns_out_to_be_a_mere_reference_no_longer_counts(db: Database) -> None:
    with db.write() as tx:
        interactions.insert(tx, an_interaction())
        interactions.append(tx, [link(), link(kind=LinkType.REFERENCE, at=NOON + SECOND)])
        assert resolved(tx) == {}
        [current] = interactions.links(tx, "i1").values()
    assert current.data["type"] == "reference"


def test_what_is_written_late_about_an_earlier_moment_does_not_overrule(db: Database) -> None:
    with db.write() as tx:
        interactions.insert(tx, an_interaction())
        interactions.append(tx, [unlink(at=NOON + SECOND)])
        interactions.append(tx, [link(at=NOON)])
        assert resolved(tx) == {}
        assert interactions.links(tx, "i1") == {}


def test_counts_and_links_tell_the_same_whatever_happened(db: Database) -> None:
    rng = random.Random(3)
    with db.write() as tx:
        for n in range(5):
            interactions.insert(tx, an_interaction(f"i{n}"))
        for _ in range(40):
            group = []
            for _ in range(rng.randint(1, 4)):
                at, where, what = NOON + rng.randint(0, 20) * SECOND, f"i{rng.randrange(5)}", rng.choice("xyz")
                group.append(
                    unlink(what, where, at=at)
                    if rng.random() < 0.4
                    else link(what, rng.choice(list(LinkType)), where, at=at)
                )
            interactions.append(tx, group)
            told: dict[str, int] = {}
            for n in range(5):
                for (_, item_id), each in interactions.links(tx, f"i{n}").items():
                    if each.data["type"] == LinkType.RESOLUTION:
                        told[item_id] = told.get(item_id, 0) + 1
            assert resolved(tx, "x", "y", "z") == told


def test_ratings_are_counted_by_voice_and_what_was_said_with_them_comes_back(db: Database) -> None:
    about = {"item_kind": Kind.ARTICLE, "item_id": "x", "revision": 1}
    said = {"comment": "which button? 哪个", "audience": "public", "groups": []}
    no, yes, later = EventKind.NOT_HELPFUL, EventKind.HELPFUL, NOON + SECOND
    with db.write() as tx:
        interactions.insert(tx, an_interaction("i1"))
        for each in (
            an_event(no, "i1", at=NOON, **about),
            an_event(no, "i1", at=NOON, **about, data=said),
            an_event(no, None, at=NOON, person_id="p2", **about),
            an_event(yes, None, at=NOON, person_id="p3", **about),
            an_event(no, None, at=later, person_id="p4", **about, data=said),
            an_event(no, None, at=NOON, person_id="p5", **about | {"item_id": "y"}, data=said),
        ):
            interactions.append(tx, [each])
        assert interactions.get(tx, "i1", to_add=True).id == "i1"
    item = ItemRef(Kind.ARTICLE, "x")
    with db.read() as tx:
        assert interactions.voices(tx, item, NOON, NOON) == {no: 2, yes: 1}
        assert interactions.voices(tx, item, NOON, later) == {no: 3, yes: 1}
        assert [each.data for each in interactions.comments(tx, item, NOON, NOON, 10)] == [said]
        assert [each.person_id for each in interactions.comments(tx, item, NOON, later, 1)] == ["p4"]
        person = interactions.trail(tx, "i1")[0].person_id
        assert [each.data for each in interactions.rated(tx, "i1", person, item)] == [{}, said]
        assert interactions.rated(tx, "i1", "p2", item) == []
