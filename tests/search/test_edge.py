"""What only the embedded engine has: a folder, one owner, a lock."""

import random
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from kb.errors import IndexUnavailable
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.search.edge import EdgeIndex
from kb.search.index import Request
from kb.search.lexical import query_vector
from tests.search.corpus import READERS, any_query, by_item, dense_query, passage, passages, points, same_up_to_ties
from tests.toys import bytes_on_disk, copy_index

HUB = Request(query_vector(["hub"]), dense_query(["hub"]))


def test_what_was_written_is_there_after_a_restart_with_the_same_up_to_ties(blank: Path, tmp_path: Path) -> None:
    index = EdgeIndex.open(copy_index(blank, tmp_path / "g"))
    index.upsert(points([passage(f"a{n}", f"hub {'light ' * n}") for n in range(30)]))
    before = index.retrieve(HUB)
    index.close()
    again = EdgeIndex.open(tmp_path / "g", 32)
    assert again.dimension == 32
    assert again.retrieve(HUB) == before
    again.close()


def test_a_second_process_is_told_that_the_folder_is_open_elsewhere(blank: Path, tmp_path: Path) -> None:
    index = EdgeIndex.open(copy_index(blank, tmp_path / "g"))
    code = (
        f"from pathlib import Path; from kb.search.edge import EdgeIndex; EdgeIndex.open(Path({str(tmp_path / 'g')!r}))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert other.returncode == 1
    assert "IndexUnavailable: another process has the index folder" in other.stderr
    assert "KB_QDRANT_URL" in other.stderr
    index.close()


def test_a_missing_a_broken_and_a_different_index_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailable, match="no readable index"):
        EdgeIndex.open(tmp_path / "none")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "edge_config.json").write_text("{")
    with pytest.raises(IndexUnavailable, match="kb reindex"):
        EdgeIndex.open(tmp_path / "bad")
    EdgeIndex.create(tmp_path / "g", 32).close()
    with pytest.raises(IndexUnavailable, match="32 dimensions, the encoder 384"):
        EdgeIndex.open(tmp_path / "g", 384)
    with pytest.raises(IndexUnavailable, match="cannot open"):
        EdgeIndex.create(tmp_path / "g", 32)


def test_the_text_of_a_passage_is_never_on_disk(blank: Path, tmp_path: Path) -> None:
    index = EdgeIndex.open(copy_index(blank, tmp_path / "g"))
    secret = passage("a1", "xylophone quokka", title="Zeppelin", heading=("Kumquat",), environment="Narwhal")
    index.upsert(points([secret]))
    index.flush()
    index.replace({secret.ref.item: ()})
    index.close()
    on_disk = bytes_on_disk(tmp_path / "g")
    assert b"article/a1" in on_disk  # ids stay, even of what was deleted: so nothing else may be there
    for word in (b"xylophone", b"quokka", b"Zeppelin", b"Kumquat", b"Narwhal"):
        assert word not in on_disk


def test_readers_and_writers_in_many_threads_do_not_disturb_each_other(edge: EdgeIndex) -> None:
    corpus = [passage(f"a{n}", f"hub word{n}") for n in range(200)]
    edge.upsert(points(corpus))
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(50):
                assert len(edge.retrieve(HUB).lexical) == 100
        except BaseException as error:
            failures.append(error)

    def write() -> None:
        try:
            for start in range(0, 200, 20):
                edge.replace(by_item(points(corpus[start : start + 20])))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for work in (read, read, write, write)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert edge.count() == 200


def test_an_answer_names_a_passage_as_it_is_now_however_often_it_was_found(edge: EdgeIndex) -> None:
    edge.upsert(points([passage("a1", "hub"), passage("a2", "hub")]))
    first = edge.retrieve(HUB)
    assert [hit.language for hit in first.lexical] == ["en", "en"]
    edge.upsert(points([passage("a1", "hub", language=Language.SIMPLIFIED)]))
    assert {hit.ref.item_id: hit.language for hit in edge.retrieve(HUB).lexical} == {"a1": "zh-Hans", "a2": "en"}
    edge.replace({ItemRef(Kind.ARTICLE, "a1"): []})
    assert [hit.ref.item_id for hit in edge.retrieve(HUB).lexical] == ["a2"]


def test_no_more_names_are_kept_than_fit_and_answers_are_the_same(
    edge: EdgeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge.upsert(points([passage(f"a{n}", f"hub {'light ' * n}") for n in range(30)]))
    before = edge.retrieve(HUB)
    monkeypatch.setattr("kb.search.edge.REMEMBERED", 5)
    edge.upsert(points([passage("b", "hub hub")]))
    now = edge.retrieve(HUB)
    assert edge.remembered == 5
    assert {hit.ref for hit in now.lexical} == {hit.ref for hit in before.lexical} | {passage("b").ref}
    assert edge.retrieve(HUB) == now


def test_two_bits_choose_what_exact_search_would(edge: EdgeIndex) -> None:
    edge.upsert(points(passages(600)))
    rng = random.Random(3)
    for _ in range(20):
        asked = Request(dense=dense_query(any_query(rng)), reader=READERS[-1], k=20)
        found, exact = edge.retrieve(asked).dense, edge.retrieve(replace(asked, exact=True)).dense
        assert same_up_to_ties(found[:10], exact[:10])


def test_optimizing_has_nothing_to_do_until_a_fifth_was_deleted_and_changes_no_answer(edge: EdgeIndex) -> None:
    corpus = [passage(f"a{n}", f"hub word{n % 97} word{n % 7}") for n in range(1600)]
    edge.upsert(points(corpus))
    assert not edge.optimize()
    edge.replace({one.ref.item: () for one in corpus[:500]})
    before = edge.retrieve(HUB)
    assert edge.optimize()
    assert edge.count() == 1100
    after = edge.retrieve(HUB)
    assert same_up_to_ties(after.lexical, before.lexical)
    assert same_up_to_ties(after.dense[:10], before.dense[:10])  # 32 dimensions of 2 bits choose no hundred exactly
    assert not edge.optimize()
