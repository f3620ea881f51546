import json
from pathlib import Path

import pytest

from kb import clock
from kb.article import Draft
from kb.audience import Audience
from kb.bootstrap import Service
from kb.cli import checks
from kb.cli.checks import check_backlog, check_drift, check_encoder, check_index, check_serving, check_space
from kb.errors import EncoderUnavailable
from kb.generation import Generation, GenerationState
from kb.language import Language
from kb.outbox import Lane
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM
from kb.search.encoder import Encoder, packaged_identity
from kb.search.holding import Hold
from kb.search.loading import BackgroundEncoder, Wanted
from kb.settings import Settings
from kb.solve import improve
from kb.solve.generations import TEXT
from kb.store import outbox
from kb.store.database import Database
from tests.cli.conftest import Kb
from tests.examples import NOON
from tests.toys import ToyEncoder


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder that needs no PyTorch."""
    monkeypatch.setattr(checks.check_encoder, "__defaults__", (lambda wanted, make: ToyEncoder(),))


def a_generation(**fields: object) -> Generation:
    made = {"name": "g1", "state": GenerationState.LIVE, "created_at": NOON, "touched_at": NOON, "analyzer": TEXT,
            "encoder": packaged_identity().digest} | fields  # fmt: skip
    return Generation(**made)  # type: ignore[arg-type]


def test_without_a_database_the_doctor_says_what_to_do_and_fails(kb: Kb, light: None) -> None:
    result = kb("doctor")
    assert result.exit_code == 1
    assert "FAIL  database" in result.stdout
    assert "run: kb migrate" in result.stdout


def test_after_migrating_all_is_well(kb: Kb, light: None) -> None:
    kb("migrate")
    result = kb("doctor", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["ok"] is True
    assert {"python", "packages", "disk", "database", "index", "calibration", "backlog", "engine", "encoder"} == {
        check["name"] for check in found["checks"]
    }


def test_an_index_of_another_encoder_or_analyzer_wants_a_rebuild() -> None:
    assert check_index(a_generation(), 10, packaged_identity()).state == "ok"
    for other in (a_generation(encoder="another"), a_generation(analyzer="another")):
        check = check_index(other, 10, packaged_identity())
        assert check.state == "problem"
        assert "kb reindex" in check.advice


def test_content_without_an_index_is_a_problem_and_an_empty_start_is_not() -> None:
    assert check_index(None, 10, None).state == "problem"
    assert check_index(None, 0, None).state == "warning"


def test_changes_that_failed_are_a_problem(sqlite_db: Database) -> None:
    assert check_backlog(sqlite_db).state == "ok"
    with sqlite_db.write() as tx:
        outbox.add(tx, [ItemRef(Kind.ARTICLE, "a1")], Lane.PEOPLE_LEXICAL, clock.now())
    assert check_backlog(sqlite_db).state == "ok"
    with sqlite_db.write() as tx:
        outbox.fail(tx, outbox.claim(tx, Lane.PEOPLE_LEXICAL, 1, clock.now()), "it burns", clock.now())
    assert check_backlog(sqlite_db).state == "problem"


def test_a_serving_process_is_noticed(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert "no kb serve runs" in check_serving(settings).found
    hold = Hold(tmp_path / "index.lock")
    hold.take()
    assert "a kb serve runs" in check_serving(settings).found
    hold.release()
    assert "no kb serve runs" in check_serving(settings).found


def test_an_encoder_that_cannot_be_loaded_is_a_problem_with_its_reason() -> None:
    def broken(wanted: Wanted, make: bool) -> Encoder:
        raise EncoderUnavailable("the packaged model is damaged")

    check = check_encoder(Settings(), broken)
    assert (check.state, check.found) == ("problem", "the packaged model is damaged")


def test_a_full_disk_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_space(tmp_path / "not" / "there" / "yet").state in ("ok", "warning")
    monkeypatch.setattr(checks, "_NO_SPACE", 1 << 60)
    assert check_space(tmp_path).state == "problem"


def test_a_server_that_is_away_is_a_problem(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, qdrant_url="http://127.0.0.1:9", qdrant_timeout_s=1)
    check = checks.check_server(settings)
    assert check.state == "problem"
    assert "KB_QDRANT_URL" in check.advice


def test_drift_is_looked_for_when_asked_and_nothing_is_changed(kb: Kb, light: None, tmp_path: Path) -> None:
    kb("migrate")
    settings = Settings(data_dir=tmp_path / "data", _env_file=None)  # type: ignore[call-arg]
    assert check_drift(settings).found == "there is no index yet"
    toy = ToyEncoder()
    encoder = BackgroundEncoder(lambda: toy, toy.identity).start()
    encoder.wait()
    service = Service(settings, encoder=encoder, indexing=False).prepare()
    article = improve.create(service.db, SYSTEM, Draft("Red light", "Restart.", Language.ENGLISH, Audience.PUBLIC))
    service.indexer.settle()
    assert check_drift(settings).found.startswith("kb serve runs on this folder")
    service.close()
    assert check_drift(settings).state == "ok"
    service = Service(settings, encoder=encoder, indexing=False).prepare()
    index, _ = service.live.get()
    index.replace({ItemRef(Kind.ARTICLE, article.id): []})
    service.close()
    for _ in range(2):
        check = check_drift(settings)
        assert (check.state, "1 missing" in check.found) == ("problem", True)
    assert "FAIL  drift" in kb("doctor", "--drift").stdout
