import json
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from kb.article import Article, Confidence, Governance
from kb.audience import Audience, Reader
from kb.errors import Conflict, NotFound
from kb.interaction import EventKind
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.store import articles, interactions
from kb.store.database import Database
from tests.examples import NOON, a_revision, an_article, an_event, an_interaction

FULL = an_article(
    "full",
    language=Language.TRADITIONAL,
    audience=Audience.PARTNER,
    confidence=Confidence.VALIDATED,
    governance=Governance.COMPLIANCE,
    groups=frozenset({"fraud", "partner-北"}),
    topic="broadband/faults",
    products=("hub-6", "電視盒"),
    tags=("red", "燈"),
    owner_id="ada",
    latest=2,
    published=2,
    published_at=NOON,
    valid_from=NOON - timedelta(days=1),
    valid_until=NOON + timedelta(days=1),
    superseded_by="other",
    translation_of="original",
    source="markdown",
    source_key="faults/紅燈.md",
    source_hash="0" * 64,
    version=7,
)


@pytest.mark.parametrize("each", [an_article(), FULL], ids=["plain", "full"])
def test_an_article_comes_back_as_it_was(db: Database, each: Article) -> None:
    with db.write() as tx:
        articles.insert(tx, each)
    with db.read() as tx:
        assert articles.get(tx, each.id) == each
        assert articles.by_number(tx, each.number) == each
        assert articles.by_ids(tx, [each.id, "nobody"]) == {each.id: each}
        assert articles.number_exists(tx, each.number)


def test_a_change_comes_back_with_its_groups(db: Database) -> None:
    changed = FULL.with_state(NOON + timedelta(hours=1), groups=frozenset({"tier-2"}), tags=(), valid_until=None)
    with db.write() as tx:
        articles.insert(tx, FULL)
        articles.update(tx, FULL, changed)
    with db.read() as tx:
        assert articles.get(tx, "full") == changed


def test_taking_the_last_group_away_lifts_the_restriction(db: Database) -> None:
    opened = FULL.with_state(NOON, groups=frozenset())
    with db.write() as tx:
        articles.insert(tx, FULL)
        articles.update(tx, FULL, opened)
    with db.read() as tx:
        assert articles.get(tx, "full").groups == frozenset()


def test_the_second_of_two_changes_to_the_same_version_is_a_conflict(db: Database) -> None:
    read = an_article()
    with db.write() as tx:
        articles.insert(tx, read)
        articles.update(tx, read, read.with_state(NOON, topic="mine"))
    with pytest.raises(Conflict), db.write() as tx:
        articles.update(tx, read, read.with_state(NOON, topic="theirs", groups=frozenset({"x"})))
    with db.read() as tx:
        kept = articles.get(tx, read.id)
    assert (kept.topic, kept.groups, kept.version) == ("mine", frozenset(), 2)


def test_a_number_is_given_once(db: Database) -> None:
    with db.write() as tx:
        articles.insert(tx, an_article("a1", number="123-4567"))
    with pytest.raises(Conflict), db.write() as tx:
        articles.insert(tx, an_article("a2", number="123-4567"))


def test_two_who_write_the_same_revision_meet_a_conflict(db: Database) -> None:
    with db.write() as tx:
        articles.insert(tx, an_article())
        articles.add_revision(tx, a_revision())
    with pytest.raises(Conflict), db.write() as tx:
        articles.add_revision(tx, a_revision(title="Theirs"))


def test_revisions_come_back_oldest_first(db: Database) -> None:
    written = [a_revision(number=n, title=f"第{n}版", note="why") for n in (1, 2, 3)]
    with db.write() as tx:
        articles.insert(tx, an_article())
        for each in reversed(written):
            articles.add_revision(tx, each)
    with db.read() as tx:
        assert articles.revisions(tx, "a1") == written
        assert articles.get_revision(tx, "a1", 2) == written[1]
        assert articles.revisions(tx, "nobody") == []


def test_what_is_not_there_is_not_found(db: Database) -> None:
    with db.read() as tx:
        with pytest.raises(NotFound):
            articles.get(tx, "nobody")
        with pytest.raises(NotFound):
            articles.by_number(tx, "000-0000")
        with pytest.raises(NotFound):
            articles.get_revision(tx, "nobody", 1)
        assert not articles.number_exists(tx, "000-0000")


def test_articles_of_a_source_are_found_by_their_key_there(db: Database) -> None:
    mine = an_article("a1", source="markdown", source_key="a.md")
    with db.write() as tx:
        for each in (mine, an_article("a2", source="wiki", source_key="a.md"), an_article("a3")):
            articles.insert(tx, each)
    with db.read() as tx:
        assert articles.by_source(tx, "markdown") == {"a.md": mine}
        assert articles.known(tx, "markdown") == {"a.md": ("a1", "")}
        assert articles.known(tx, "markdown", "b.md") == {}


def test_a_thousand_ids_are_no_trouble(db: Database) -> None:
    with db.write() as tx:
        for n in range(12):
            articles.insert(tx, an_article(f"a{n}", groups=frozenset({"x"})))
    with db.read() as tx:
        found = articles.by_ids(tx, [f"a{n}" for n in range(40_000)])
    assert len(found) == 12
    assert all(each.groups == {"x"} for each in found.values())


def test_lists_hold_exactly_what_the_reader_may_read(db: Database) -> None:
    rng = random.Random(7)
    groups = ["fraud", "tier-2", "partner-a"]

    def some() -> frozenset[str]:
        return frozenset(rng.sample(groups, rng.choice([0, 0, 1, 2])))

    def moment() -> object:
        return rng.choice([None, NOON, NOON - timedelta(seconds=1), NOON + timedelta(seconds=1)])

    everything = [
        an_article(
            f"r{n}",
            number=f"{n:03d}-0000",
            audience=rng.choice(list(Audience)),
            groups=some(),
            confidence=rng.choice(list(Confidence)),
            latest=1,
            published=rng.choice([None, 1]),
            valid_from=moment(),
            valid_until=moment(),
        )
        for n in range(150)
    ]
    with db.write() as tx:
        for each in everything:
            articles.insert(tx, each)
    with db.read() as tx:
        for tier in Audience:
            for _ in range(3):
                reader = Reader(tier, some())
                allowed = [each for each in everything if reader.may_read(each.access)]
                assert articles.readable(tx, reader, live_at=None, limit=1000) == allowed
                live = [each for each in allowed if each.is_live(NOON)]
                assert articles.readable(tx, reader, live_at=NOON, limit=1000) == live


def test_a_list_can_be_narrowed(db: Database) -> None:
    with db.write() as tx:
        for n, topic in enumerate(["tv", "tv/faults", "tvs", "t%", "t%/x"]):
            state = Confidence.ARCHIVED if n == 1 else Confidence.VALIDATED
            published = None if n == 0 else 1
            row = an_article(
                topic, number=f"{n}", topic=topic, confidence=state, published=published, products=("hub",)
            )
            articles.insert(tx, row)

    def found(**narrowed: object) -> list[str]:
        with db.read() as tx:
            return [each.topic for each in articles.readable(tx, Reader(), **{"live_at": None, **narrowed})]

    assert found(topic="tv") == ["tv", "tv/faults"]
    assert found(topic="t%") == ["t%", "t%/x"]
    assert found(published=False) == ["tv"]
    assert found(published=True, topic="tv") == ["tv/faults"]
    assert found(having={"confidence": [Confidence.ARCHIVED, Confidence.NOT_VALIDATED]}) == ["tv/faults"]
    with db.read() as tx:
        placed = articles.placed(tx, Reader(), NOON)
    assert sorted(placed) == [("t%", ["hub"]), ("t%/x", ["hub"]), ("tvs", ["hub"])]


def test_a_list_continues_behind_the_last_number(db: Database) -> None:
    numbers = ["100-0000", "200-0000", "300-0000"]
    with db.write() as tx:
        for number in numbers:
            articles.insert(tx, an_article(number, number=number))
    with db.read() as tx:
        first = articles.readable(tx, Reader(), live_at=None, limit=2)
        rest = articles.readable(tx, Reader(), live_at=None, after=first[-1].number, limit=2)
    assert [each.number for each in first + rest] == numbers


def test_changes_are_found_from_their_moment_on(db: Database) -> None:
    with db.write() as tx:
        articles.insert(tx, an_article("old", modified_at=NOON - timedelta(seconds=1)))
        articles.insert(tx, an_article("new", modified_at=NOON))
    with db.read() as tx:
        assert articles.changed_since(tx, NOON) == ["new"]


def test_ids_are_walked_in_portions(db: Database) -> None:
    with db.write() as tx:
        for name in ("a3", "a1", "a2"):
            articles.insert(tx, an_article(name))
    with db.read() as tx:
        assert articles.ids(tx, "", 2) == ["a1", "a2"]
        assert articles.ids(tx, "a2", 2) == ["a3"]


def test_a_standing_tells_what_readers_see_and_what_it_resolved(db: Database) -> None:
    each = replace(FULL, confidence=Confidence.VALIDATED)
    with db.write() as tx:
        articles.insert(tx, each)
        articles.add_revision(tx, a_revision("full", 1, title="Old"))
        articles.add_revision(tx, a_revision("full", 2, title="Shown"))
        interactions.insert(tx, an_interaction())
        linked = an_event(EventKind.LINKED, item_kind=Kind.ARTICLE, item_id="full", data={"type": "resolution"})
        interactions.append(tx, [linked])
    with db.read() as tx:
        found = articles.standings(tx, ["full", "nobody"], NOON)
    assert list(found) == [ItemRef(Kind.ARTICLE, "full")]
    standing = found[ItemRef(Kind.ARTICLE, "full")]
    assert (standing.title, standing.revision, standing.live, standing.resolved) == ("Shown", 2, True, 1)
    assert (standing.label, standing.access, standing.superseded) == (each.number, each.access, True)


def test_the_audited_state_is_plain_data(db: Database) -> None:
    state = articles.state(FULL)
    assert json.loads(json.dumps(state)) == state
    assert state["groups"] == ["fraud", "partner-北"]
    assert "modified_at" not in state
