from dataclasses import replace
from datetime import timedelta

from kb.generation import Generation, GenerationState
from kb.store import generations
from kb.store.database import Database
from tests.examples import NOON

FULL = Generation(
    name="g1",
    state=GenerationState.LIVE,
    created_at=NOON,
    touched_at=NOON,
    encoder="0" * 64,
    encoder_name="all-MiniLM-L6-v2",
    dimension=384,
    analyzer="1",
    average_length=61.25,
    live_at=NOON,
)


def test_a_generation_comes_back_as_it_was_and_is_overwritten(db: Database) -> None:
    retired = replace(FULL, state=GenerationState.RETIRED, average_length=0.0)
    with db.write() as tx:
        generations.save(tx, FULL)
        assert generations.every(tx) == [FULL]
        generations.save(tx, retired)
        assert generations.every(tx) == [retired]


def test_generations_are_told_by_state_oldest_first(db: Database) -> None:
    later = replace(FULL, name="g0", state=GenerationState.BUILDING, created_at=NOON + timedelta(hours=1), live_at=None)
    with db.write() as tx:
        assert generations.live(tx) is None
        generations.save(tx, later)
        generations.save(tx, FULL)
        assert generations.every(tx) == [FULL, later]
        assert generations.every(tx, GenerationState.BUILDING, GenerationState.WANTED) == [later]
        assert generations.live(tx) == FULL
        generations.delete(tx, ["g1", "nobody"])
        assert generations.every(tx) == [later]
