from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from kb.errors import NotFound
from kb.file import File
from kb.store import articles, files
from kb.store.database import Database
from tests.examples import NOON, a_revision, an_article

RING = File("image/png", b"\x89PNG\0ring", 4, 2)
MANUAL = File("application/pdf", b"%PDF-")


def attach(db: Database, article_id: str, file: File, name: str = "ring.png") -> None:
    with db.write() as tx:
        files.keep(tx, file, NOON)
        files.attach(tx, article_id, file.hash, name, "ada", NOON)


@pytest.fixture
def two(db: Database) -> Database:
    with db.write() as tx:
        for name in ("a1", "a2"):
            articles.insert(tx, an_article(name))
    return db


def test_a_file_is_kept_once_and_attached_with_the_name_it_first_had(two: Database) -> None:
    attach(two, "a1", RING)
    attach(two, "a1", RING, "other.png")
    attach(two, "a2", RING, "third.png")
    with two.read() as tx:
        (one,) = files.attached(tx, "a1")
        assert (one.hash, one.media_type, one.size, one.name) == (RING.hash, "image/png", 9, "ring.png")
        assert (one.added_by, one.added_at) == ("ada", NOON)
        assert files.get(tx, "a2", RING.hash).name == "third.png"
        assert files.content(tx, RING.hash) == RING.content
        with pytest.raises(NotFound):
            files.get(tx, "a1", MANUAL.hash)
        with pytest.raises(NotFound):
            files.content(tx, MANUAL.hash)


def test_a_file_is_forgotten_with_the_last_article_that_had_it(two: Database) -> None:
    attach(two, "a1", RING)
    attach(two, "a2", RING)
    attach(two, "a2", MANUAL)
    with two.write() as tx:
        files.detach(tx, "a1", [RING.hash])
        files.detach(tx, "a1", [MANUAL.hash])  # not its own
        assert files.content(tx, RING.hash)
        files.detach(tx, "a2", [RING.hash])
        with pytest.raises(NotFound):
            files.content(tx, RING.hash)
        assert [each.hash for each in files.attached(tx, "a2")] == [MANUAL.hash]


def test_unused_is_what_no_revision_names_and_has_waited(two: Database) -> None:
    attach(two, "a1", RING)
    attach(two, "a1", MANUAL)
    with two.write() as tx:
        articles.add_revision(tx, a_revision(number=1, body=f"![x]({RING.reference})"))
        articles.add_revision(tx, a_revision(number=2, body="Nothing."))
        later = NOON + timedelta(hours=1)
        assert files.unused(tx, "a1", later) == [MANUAL.hash]
        assert files.unused(tx, "a1", NOON) == []
        assert files.unused(tx, "a2", later) == []


def test_a_file_that_one_forgets_while_another_attaches_it_is_there_in_the_end(two: Database) -> None:
    """Whoever comes second waits for the first: no file without bytes, none that nobody has."""

    def attach_and_detach(article_id: str) -> None:
        for _ in range(20):
            attach(two, article_id, RING)
            with two.write() as tx:
                files.detach(tx, article_id, [RING.hash])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(attach_and_detach, ("a1", "a2")))
    attach(two, "a1", RING)
    with two.read() as tx:
        assert files.content(tx, RING.hash) == RING.content
