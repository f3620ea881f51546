from pathlib import Path

import pytest

import kb.bootstrap
from kb.article import Draft
from kb.audience import Audience
from kb.errors import IndexUnavailable
from kb.generation import Generation, GenerationState
from kb.language import Language
from kb.person import SYSTEM
from kb.search.engines import EdgeEngine
from kb.search.holding import Hold
from kb.search.loading import BackgroundEncoder
from kb.settings import Settings
from kb.solve import improve
from kb.store import generations
from kb.store.database import Database
from kb.store.migrate import migrate
from tests.cli.conftest import Kb
from tests.toys import ToyEncoder


@pytest.fixture
def article(kb: Kb) -> None:
    """One published article in the record of this test."""
    db = Database(Settings().database)
    migrate(db)
    improve.create(db, SYSTEM, Draft("Red light", "Restart the hub.", Language.ENGLISH, Audience.PUBLIC))
    db.close()


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder that needs no PyTorch."""
    encoder = ToyEncoder()
    monkeypatch.setattr(
        kb.bootstrap, "serving_encoder", lambda wanted: BackgroundEncoder(lambda: encoder, encoder.identity)
    )


def known(*states: GenerationState) -> list[Generation]:
    db = Database(Settings().database)
    try:
        with db.read() as tx:
            return generations.every(tx, *states)
    finally:
        db.close()


def test_where_nobody_serves_reindex_builds_the_index_itself(kb: Kb, article: None) -> None:
    assert "live with 1 passages" in kb("reindex").stderr
    [live] = known(GenerationState.LIVE)
    index = EdgeEngine(Settings().data_dir / "index").open(live.name)
    assert index.count() == 1
    assert not list(index.without_dense())
    index.close()


def test_a_second_reindex_takes_the_place_of_the_first(kb: Kb, article: None) -> None:
    kb("reindex")
    [first] = known(GenerationState.LIVE)
    kb("reindex")
    [second] = known(GenerationState.LIVE)
    assert first.name != second.name
    assert not known(GenerationState.WANTED)


def test_where_somebody_serves_reindex_asks_through_the_record(kb: Kb, article: None) -> None:
    hold = Hold(Settings().data_dir / "index.lock")
    hold.take()
    assert "has been asked" in kb("reindex").stderr
    hold.release()
    assert len(known(GenerationState.WANTED)) == 1
    assert not known(GenerationState.LIVE)


def test_a_second_holder_is_refused_with_the_first_ones_number(tmp_path: Path) -> None:
    first, second = Hold(tmp_path / "index.lock"), Hold(tmp_path / "index.lock")
    first.take()
    first.take()
    with pytest.raises(IndexUnavailable, match=r"pid \d+"):
        second.take()
    first.release()
    second.take()
    second.release()
