import uuid

from kb.audience import Access, Audience
from kb.outbox import Lane
from kb.passage import ItemRef, Kind, PassageRef
from tests.examples import a_passage


def test_a_point_id_is_computed_and_stays_the_same_for_ever() -> None:
    point = PassageRef(Kind.ARTICLE, "a1", 1, 0).point_id
    assert point == "a0427a22-4913-57ec-b047-0c5b3b05235b"  # indexes on disk are built on it
    assert uuid.UUID(point).version == 5


def test_no_two_passages_share_a_point() -> None:
    refs = [
        PassageRef(kind, item, revision, ordinal)
        for kind in Kind for item in ("a", "a/1", "1") for revision in (1, 11) for ordinal in (0, 1, 11)
    ]  # fmt: skip
    assert len({ref.point_id for ref in refs}) == len(refs)


def test_a_passage_knows_its_item() -> None:
    assert PassageRef(Kind.POST, "p1", 2, 3).item == ItemRef(Kind.POST, "p1")


def test_the_hash_covers_what_is_encoded_and_nothing_else() -> None:
    plain = a_passage()
    assert len({each.hash for each in (
        plain, a_passage(title="x"), a_passage(heading=("x",)), a_passage(environment="x"), a_passage(text="x"),
    )}) == 5  # fmt: skip
    same = [a_passage(revision=2), a_passage(access=Access(Audience.INTERNAL)), a_passage(tags=("x",), topic="x")]
    assert {each.hash for each in same} == {plain.hash}


def test_the_hash_does_not_confuse_neighbouring_fields() -> None:
    assert a_passage(title="a", environment="b").hash != a_passage(title="ab", environment="").hash


def test_a_topic_counts_for_all_topics_above_it() -> None:
    assert a_passage(topic="tv/faults/sound").topics == ("tv", "tv/faults", "tv/faults/sound")
    assert a_passage(topic="").topics == ()


def test_people_come_before_bulk_and_words_before_vectors() -> None:
    assert sorted(Lane) == [Lane.PEOPLE_LEXICAL, Lane.PEOPLE_DENSE, Lane.BULK_LEXICAL, Lane.BULK_DENSE]
    assert [lane.dense for lane in Lane] == [Lane.PEOPLE_DENSE, Lane.PEOPLE_DENSE, Lane.BULK_DENSE, Lane.BULK_DENSE]
    assert [lane.is_dense for lane in Lane] == [False, True, False, True]
