"""What only the embedded engine has: a folder, one owner, a lock."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kb.errors import IndexUnavailable
from kb.search.edge import EdgeIndex
from kb.search.index import Request
from kb.search.lexical import query_vector
from tests.search.corpus import by_item, dense_query, passage, points, same_up_to_ties
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


def test_optimizing_has_nothing_to_do_until_a_fifth_was_deleted_and_changes_no_answer(edge: EdgeIndex) -> None:
    corpus = [passage(f"a{n}", f"hub word{n % 7}") for n in range(1600)]
    edge.upsert(points(corpus))
    assert not edge.optimize()
    edge.replace({one.ref.item: () for one in corpus[:500]})
    before = edge.retrieve(HUB)
    assert edge.optimize()
    assert edge.count() == 1100
    after = edge.retrieve(HUB)
    assert same_up_to_ties(after.lexical, before.lexical)
    assert same_up_to_ties(after.dense, before.dense)
    assert not edge.optimize()
