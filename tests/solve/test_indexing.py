from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from kb import clock
from kb.article import Article
from kb.audience import Audience, Reader
from kb.errors import EncoderUnavailable
from kb.outbox import Lane
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM
from kb.query import Query
from kb.search.loading import BackgroundEncoder
from kb.solve import improve
from kb.store import outbox, passages
from tests.solve.conftest import Works, ready
from tests.toys import ToyEncoder

Write = Callable[..., Article]


def waiting(works: Works) -> dict[Lane, int]:
    with works.db.read() as tx:
        return {each.lane: each.waiting for each in outbox.backlog(tx, clock.now()) if each.waiting}


def test_a_published_article_is_found_by_both_legs(works: Works, write: Write) -> None:
    article = write("Red light on the hub", "Restart it.")
    works.settle()
    assert works.found("red light", legs="lexical") == [article.id]
    assert works.found("red light on the hub", legs="dense") == [article.id]
    assert waiting(works) == {}


def test_lexical_comes_first_and_does_not_wait_for_the_encoder(works: Works, write: Write) -> None:
    works.settle()
    article = write("Red light", "Restart the hub.")
    works.indexer.step()
    assert works.found("red light") == [article.id]
    assert works.found("red light", legs="dense") == []
    assert waiting(works) == {Lane.PEOPLE_DENSE: 1}
    works.settle()
    assert works.found("red light", legs="dense") == [article.id]


def test_without_an_encoder_search_is_lexical_and_catches_up_when_it_arrives(works: Works, write: Write) -> None:
    toy = ToyEncoder(name="late")
    absent = BackgroundEncoder(lambda: toy, toy.identity)
    works = works.reopened(absent)
    article = write("Red light", "Restart the hub.")
    works.settle()
    assert works.found("red light") == [article.id]
    assert works.searcher.retrieve(Query("red light")).degraded == ("encoder",)
    absent.start()
    absent.wait()
    works.settle()
    assert works.found("red light", legs="dense") == [article.id]
    works.live.close()


def test_a_new_revision_replaces_the_old_one(works: Works, write: Write) -> None:
    article = write("Red light", "Hold reset for fifteen seconds.")
    works.settle()
    improve.revise(works.db, SYSTEM, article.id, "Red light", "Hold reset for ten seconds.", publish=True)
    works.settle()
    assert works.found("fifteen") == []
    assert works.found("ten") == [article.id]
    assert {ref.revision for ref in works.live.get()[0].refs()} == {2}


def test_a_draft_revision_changes_nothing_for_readers(works: Works, write: Write) -> None:
    article = write("Red light", "Hold reset for fifteen seconds.")
    works.settle()
    improve.revise(works.db, SYSTEM, article.id, "Red light", "Hold reset for ten seconds.")
    works.settle()
    assert works.found("fifteen") == [article.id]
    assert works.found("ten") == []


def test_an_archived_article_leaves_the_index(works: Works, write: Write) -> None:
    article = write()
    works.settle()
    improve.archive(works.db, SYSTEM, article.id)
    works.settle()
    assert works.found("red light") == []
    assert works.live.get()[0].count() == 0


def test_a_narrower_audience_takes_an_article_away_from_those_outside(works: Works, write: Write) -> None:
    article = write()
    works.settle()
    assert works.found("red light", Reader()) == [article.id]
    improve.set_state(works.db, SYSTEM, article.id, {"audience": Audience.INTERNAL})
    works.settle()
    assert works.found("red light", Reader()) == []
    assert works.found("red light") == [article.id]


def test_an_article_appears_and_disappears_with_its_dates(
    works: Works, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = clock.now()
    article = write(
        "Winter offer", "Half price.", valid_from=today + timedelta(days=1), valid_until=today + timedelta(days=3)
    )
    works.settle()
    assert works.found("winter offer") == []
    monkeypatch.setattr(clock, "now", lambda: today + timedelta(days=2))
    works.settle()
    assert works.found("winter offer") == [article.id]
    monkeypatch.setattr(clock, "now", lambda: today + timedelta(days=4))
    works.settle()
    assert works.found("winter offer") == []


def test_people_are_served_before_bulk(works: Works, write: Write) -> None:
    works.settle()
    bulk = [write(f"Bulk {n}", "Imported text.") for n in range(3)]
    with works.db.write() as tx:
        for job in outbox.claim(tx, Lane.PEOPLE_LEXICAL, 10, clock.now()):
            outbox.done(tx, [job])
        outbox.add(tx, [ItemRef(Kind.ARTICLE, each.id) for each in bulk], Lane.BULK_LEXICAL, clock.now())
    urgent = write("Urgent fix", "Typed by a person.")
    works.indexer.step()
    assert works.found("urgent") == [urgent.id]
    assert works.found("imported") == []


def test_people_do_not_wait_for_the_vectors_of_a_large_batch(
    works: Works, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk = [write(f"Imported {number}", f"Text number {number}.") for number in range(4)]
    while works.indexer.step():
        pass
    with works.db.write() as tx:
        outbox.done(tx, outbox.claim(tx, Lane.PEOPLE_DENSE, 10, clock.now()))
        outbox.add(tx, [ItemRef(Kind.ARTICLE, each.id) for each in bulk], Lane.BULK_DENSE, clock.now())
    monkeypatch.setattr("kb.solve.indexing.ENCODED_AT_ONCE", 1)
    encoder, asked = works.encoder.ready(), list[str]()
    encode = encoder.encode_passages

    def publishing(texts: list[str]) -> np.ndarray:
        asked.extend(texts)
        if len(asked) == 2:
            write("Urgent fix", "Typed by a person.")
            works.indexer.step()
        return encode(texts)

    monkeypatch.setattr(encoder, "encode_passages", publishing)
    works.indexer.encode_step()
    assert [text.startswith("Urgent") for text in asked] == [False, False, True, False, False]
    assert waiting(works) == {}


def test_nothing_is_encoded_twice(works: Works, write: Write) -> None:
    article = write("Red light", "Restart the hub.")
    works.settle()
    encoded = works.indexer.counters.encoded
    improve.set_state(works.db, SYSTEM, article.id, {"tags": ("led",)})
    works.settle()
    assert works.indexer.counters.encoded == encoded


def test_vectors_go_with_the_text(works: Works, write: Write) -> None:
    article = write("Red light", "Restart the hub.")
    works.settle()
    digest = works.encoder.identity.digest
    with works.db.read() as tx:
        [passage] = passages.of_items(tx, [ItemRef(Kind.ARTICLE, article.id)])[ItemRef(Kind.ARTICLE, article.id)]
        assert passages.vectors(tx, digest, [passage.hash])
    improve.revise(works.db, SYSTEM, article.id, "Red light", "Call us.", publish=True)
    works.settle()
    with works.db.read() as tx:
        assert not passages.vectors(tx, digest, [passage.hash])


def test_a_bad_item_holds_up_nobody_else(works: Works, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("One before", "It stands.")
    works.settle()  # from now on the average length stays: a new index would not know of the failure below
    bad, good = write("Bad one", "It fails."), write("Good one", "It works.")
    index, _ = works.live.get()
    replace = index.replace

    def picky(items: dict) -> None:  # type: ignore[type-arg]
        if ItemRef(Kind.ARTICLE, bad.id) in items:
            raise ValueError("this one cannot be indexed")
        replace(items)

    monkeypatch.setattr(index, "replace", picky)
    works.settle()
    assert works.found("works") == [good.id]
    with works.db.read() as tx:
        assert sum(each.failed for each in outbox.backlog(tx, clock.now())) == 1
    monkeypatch.setattr(index, "replace", replace)
    later = clock.now() + timedelta(seconds=10)
    monkeypatch.setattr(clock, "now", lambda: later)
    works.settle()
    assert works.found("fails") == [bad.id]


def test_an_encoder_that_fails_for_a_while_is_tried_again(
    works: Works, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = write()
    encoder = works.encoder.ready()
    encode = encoder.encode_passages

    def failing(texts: list[str]) -> np.ndarray:
        raise EncoderUnavailable("out of memory")

    monkeypatch.setattr(encoder, "encode_passages", failing)
    works.settle()
    assert works.found("red light") == [article.id]
    monkeypatch.setattr(encoder, "encode_passages", encode)
    later = clock.now() + timedelta(seconds=10)
    monkeypatch.setattr(clock, "now", lambda: later)
    works.settle()
    assert works.found("red light", legs="dense") == [article.id]


def test_an_end_in_the_middle_loses_one_batch_of_vectors_at_most(
    works: Works, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        write(f"Article {number}", f"Text number {number}.")
    while works.indexer.step():
        pass
    monkeypatch.setattr("kb.solve.indexing.ENCODED_AT_ONCE", 1)
    encoder, asked = works.encoder.ready(), list[str]()
    encode = encoder.encode_passages

    def ends(texts: list[str]) -> np.ndarray:
        asked.extend(texts)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return encode(texts)

    monkeypatch.setattr(encoder, "encode_passages", ends)
    with pytest.raises(KeyboardInterrupt):
        works.indexer.encode_step()
    works.settle()
    assert (len(asked), len(set(asked))) == (5, 4)


def test_what_was_under_way_when_the_process_died_is_done_by_the_next(works: Works, write: Write) -> None:
    works.settle()
    article = write()
    with works.db.write() as tx:
        assert outbox.claim(tx, Lane.PEOPLE_LEXICAL, 10, clock.now())
    works = works.reopened().settle()
    assert works.found("red light") == [article.id]
    works.live.close()


def test_the_index_grown_by_changes_equals_a_clean_rebuild(works: Works, write: Write) -> None:
    kept = [write(f"Red light {n}", f"Restart the hub number {n}. " * (n + 1)) for n in range(12)]
    works.settle()
    for article in kept[:4]:
        improve.archive(works.db, SYSTEM, article.id)
    for article in kept[4:8]:
        improve.revise(works.db, SYSTEM, article.id, "Invoice", "Your invoice explained, at length. " * 9, publish=True)
    works.settle()
    grown = works.contents()
    works.live.close()
    for generation in works.engine.generations():
        works.engine.drop(generation)
    afresh = Works.open(works.db, works.engine, ready(ToyEncoder())).settle()
    assert afresh.contents() == grown
    afresh.live.close()
