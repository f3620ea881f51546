import json
import re
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kb import clock
from kb.article import Draft
from kb.audience import Audience
from kb.cli.serving import listen
from kb.errors import Conflict, IndexUnavailable, Invalid
from kb.generation import GenerationState
from kb.interaction import Channel
from kb.language import Language
from kb.person import SYSTEM
from kb.search.holding import Hold
from kb.settings import Settings
from kb.solve import improve, trail
from kb.solve.publishing import cut_posts, save_posts
from kb.store import backup, generations, outbox
from kb.store.database import Database
from kb.store.migrate import migrate
from tests.cli.conftest import Kb
from tests.cli.test_serving import serve, wait_until_it_answers
from tests.examples import NOON, a_post
from tests.traces import SECRETS, a_life, assert_none_in


def record() -> Database:
    db = Database(Settings().database)
    migrate(db)
    return db


@pytest.fixture
def filled(kb: Kb) -> None:
    """An article, a post by sam and a call of C-1009, who are mentioned in the article."""
    with closing(record()) as db:
        body = "Ask sam about C-1009."
        improve.create(db, SYSTEM, Draft("Red light", body, Language.ENGLISH, Audience.PUBLIC))
        post = a_post(author="sam", body="My own words.")
        with db.write() as tx:
            save_posts(tx, [post], [], cut_posts([post]), NOON)
        trail.open_interaction(db, SYSTEM, Channel.PHONE, subject="C-1009")


@pytest.fixture(autouse=True)
def nobody_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.cli.keeping._LATECOMERS_S", 0.0)


def test_a_backup_says_where_it_is_and_comes_back(kb: Kb, filled: None, tmp_path: Path) -> None:
    said = kb("backup", str(tmp_path / "backups"))
    assert re.search(r"rows, .* MB, verified, in", said.stderr)
    made = Path(said.stdout.strip())
    assert backup.verified(made)
    (tmp_path / "data" / "kb.db").rename(tmp_path / "lost.db")
    said = kb("restore", str(made))
    assert "the record is that of" in said.stdout
    assert "kb reindex" in said.stdout
    with closing(record()) as db, db.read() as tx:
        assert tx.exec_driver_sql("SELECT title FROM revision").scalar_one() == "Red light"


def test_a_place_inside_the_data_folder_is_refused(kb: Kb, filled: None, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="data folder"):
        kb("backup", str(tmp_path / "data" / "backups"))


def test_only_the_latest_backups_are_kept(kb: Kb, filled: None, tmp_path: Path) -> None:
    for day in range(1, 4):
        old = tmp_path / "backups" / f"kb-2026-01-0{day}T000000Z"
        old.mkdir(parents=True)
        (old / backup.MANIFEST).write_text("{}")
    said = kb("backup", str(tmp_path / "backups"), "--keep", "2")
    assert said.stderr.count("deleted") == 2
    assert backup.good(tmp_path / "backups")[0].name == "kb-2026-01-03T000000Z"


def test_a_restore_beside_a_running_service_is_refused(kb: Kb, filled: None, tmp_path: Path) -> None:
    made = kb("backup", str(tmp_path / "backups")).stdout.strip()
    hold = Hold(tmp_path / "data" / "index.lock")
    hold.take()
    try:
        with pytest.raises(IndexUnavailable, match="stop it first"):
            kb("restore", made, "--replace")
    finally:
        hold.release()
    with pytest.raises(Conflict, match="--replace"):
        kb("restore", made)
    kb("restore", made, "--replace")


def test_a_restore_drops_the_index_of_the_record_before(kb: Kb, filled: None, tmp_path: Path) -> None:
    made = kb("backup", str(tmp_path / "backups")).stdout.strip()
    old = tmp_path / "data" / "index" / "g1"
    old.mkdir(parents=True)
    kb("restore", made, "--replace")
    assert not old.exists()


def test_erasing_says_what_went_and_which_texts_an_editor_has_to_look_at(kb: Kb, filled: None, tmp_path: Path) -> None:
    with closing(record()) as db, db.read() as tx:
        number = tx.exec_driver_sql("SELECT number FROM article").scalar_one()
    would = kb("erase", "--subject", "C-1009", "--dry-run").stdout
    did = kb("erase", "--subject", "C-1009").stdout
    assert would.replace("would erase", "erased") == did
    assert re.search(r"1  interactions$", did, re.MULTILINE)
    assert f"revision {number}, 1: body" in did
    assert "nothing (more) is known" in kb("erase", "--subject", "C-1009").stderr


def test_an_author_goes_from_the_index_as_well(kb: Kb, filled: None, tmp_path: Path) -> None:
    old = tmp_path / "data" / "index" / "g1"
    old.mkdir(parents=True)
    assert "the index is deleted" in kb("erase", "--subject", "sam").stderr
    assert not old.exists()
    with closing(record()) as db, db.read() as tx:
        assert generations.every(tx) == []


def test_where_somebody_serves_a_new_index_is_waited_for(
    kb: Kb, filled: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.cli.keeping._PATIENCE_S", 0.0)
    hold = Hold(tmp_path / "data" / "index.lock")
    hold.take()
    try:
        with pytest.raises(IndexUnavailable, match="nobody builds the index"):
            kb("erase", "--subject", "sam")
        with closing(record()) as db, db.read() as tx:
            assert generations.every(tx, GenerationState.WANTED)
    finally:
        hold.release()


def test_a_name_that_may_mean_several_is_not_erased(kb: Kb, filled: None, tmp_path: Path) -> None:
    kb("person", "add", "sam")
    with pytest.raises(Invalid, match=r"(?s)person:.*author:forum/sam"):
        kb("erase", "--subject", "sam")
    assert "erased author:forum/sam" in kb("erase", "--subject", "author:forum/sam").stdout
    assert "erased person:" in kb("erase", "--subject", "sam").stdout


def test_the_ledger_is_written_for_a_restore_elsewhere(kb: Kb, filled: None, tmp_path: Path) -> None:
    made = kb("backup", str(tmp_path / "backups")).stdout.strip()
    kb("erase", "--subject", "C-1009", "--ledger", str(tmp_path / "ledger.json"))
    assert "C-1009" not in (tmp_path / "ledger.json").read_text()
    (tmp_path / "data" / "kb.db").unlink()
    said = kb("restore", made, "--erasures", str(tmp_path / "ledger.json"))
    assert "1 who had been erased since were erased again" in said.stdout


def test_erasing_can_be_told_in_json(kb: Kb, filled: None) -> None:
    found = json.loads(kb("erase", "--subject", "C-1009", "--dry-run", "--json").stdout)
    assert found["subjects"] == ["customer:C-1009"]
    assert found["rows"]["interactions"] == 1
    assert found["mentions"][0]["table"] == "revision"


def test_nobody_is_nobody(kb: Kb, filled: None) -> None:
    with pytest.raises(Invalid, match="--subject"):
        kb("erase")


@pytest.mark.slow
def test_beside_a_running_service_backups_are_made_and_people_erased(kb: Kb, tmp_path: Path) -> None:
    """With the embedded engine and its index; the files are looked through while it goes on."""
    with closing(record()) as db:
        a_life(db)
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    process = serve(tmp_path, port)
    try:
        wait_until_it_answers(f"http://127.0.0.1:{port}")
        with closing(record()) as db:
            wait_for(lambda: indexed(db))
            before = backup.verified(Path(kb("backup", str(tmp_path / "before")).stdout.strip()))
            assert before.tables["person"].rows == 1
            for secret in SECRETS[:5]:
                kb("erase", "--subject", secret)
            after = kb("backup", str(tmp_path / "after")).stdout.strip()
            wait_until_it_answers(f"http://127.0.0.1:{port}")
            wait_for(lambda: len(list((tmp_path / "data" / "index").iterdir())) == 1)
        assert_none_in([tmp_path / "data", Path(after)])
        with pytest.raises(IndexUnavailable, match="stop it first"):
            kb("restore", after, "--replace")
    finally:
        process.kill()
        process.communicate()


def indexed(db: Database) -> bool:
    with db.read() as tx:
        return generations.live(tx) is not None and not any(each.waiting for each in outbox.backlog(tx, clock.now()))


def wait_for(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)
