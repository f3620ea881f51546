"""An encoder that cannot be loaded, fails, hangs."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kb.search import encoder as encoders
from kb.search.encoder import Encoder
from kb.search.hasty import CachingEncoder, HastyEncoder
from kb.search.index import Vector
from kb.search.loading import ENCODE_S, RETRY_S, BackgroundEncoder, serving_encoder
from kb.settings import Settings
from tests.api.conftest import House
from tests.faults.conftest import converged, found, publish, ready, running, timed, until
from tests.toys import ToyEncoder

pytestmark = pytest.mark.slow


class Moody(ToyEncoder):
    """A toy that fails or hangs when told to: `queries` and `passages` are called before each encoding."""

    def __init__(self) -> None:
        super().__init__()
        self.queries: Callable[[], object] = lambda: None
        self.passages: Callable[[], object] = lambda: None

    def encode_queries(self, texts: Sequence[str]) -> Vector:
        self.queries()
        return super().encode_passages(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vector:
        self.passages()
        return super().encode_passages(texts)


def as_served(encoder: Encoder) -> BackgroundEncoder:
    """The encoder as `serving_encoder` wraps one."""
    background = BackgroundEncoder(lambda: CachingEncoder(HastyEncoder(encoder, ENCODE_S)), encoder.identity).start()
    background.wait()
    return background


def fail() -> None:
    raise RuntimeError("out of memory")


@pytest.mark.parametrize("weights", [None, b"not the weights"])
def test_without_a_good_model_words_answer_and_a_good_one_makes_up_for_it(
    settings: Callable[..., Settings], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: bytes
) -> None:
    if weights is not None:
        (tmp_path / "model.safetensors").write_bytes(weights)
    monkeypatch.setattr(encoders, "packaged_folder", lambda: tmp_path)
    with running(settings(), serving_encoder()) as house:
        assert publish(house).status_code == 201
        until(lambda: found(house, "restart") == (["Red light"], ["encoder"]))
        state = ready(house)
        assert (state["ready"], state["parts"]["encoder"]["state"]) == (True, "failed")
    with running(settings()) as house:  # started again, with one that works
        converged(house, folder)
        assert found(house, "restart") == (["Red light"], [])


def test_a_model_that_comes_back_is_loaded_without_a_restart(
    settings: Callable[..., Settings], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, is_back = ToyEncoder(), threading.Event()

    def load() -> Encoder:
        if not is_back.is_set():
            raise OSError("the hub is away")
        return good

    assert RETRY_S > 10  # in tests sooner
    with running(settings(), BackgroundEncoder(load, retry_s=0.2)) as house:
        assert publish(house).status_code == 201
        until(lambda: found(house, "restart") == (["Red light"], ["encoder"]))
        is_back.set()
        until(lambda: found(house, "restart") == (["Red light"], []))
        converged(house, folder)


def test_an_encoder_that_fails_leaves_words_and_vectors_follow(settings: Callable[..., Settings], folder: Path) -> None:
    moody = Moody()
    with running(settings(), as_served(moody)) as house:
        converged(house, folder)
        moody.queries = moody.passages = fail
        assert publish(house).status_code == 201
        until(lambda: found(house, "restart") == (["Red light"], ["encoder"]))
        moody.queries = moody.passages = lambda: None
        converged(house, folder)
        assert found(house, "restart") == (["Red light"], [])


def test_an_encoder_that_hangs_holds_up_no_search_and_no_lexical_indexing(
    settings: Callable[..., Settings], folder: Path
) -> None:
    moody, let_go = Moody(), threading.Event()
    with running(settings(), as_served(moody)) as house:
        try:
            converged(house, folder)
            moody.queries = moody.passages = lambda: let_go.wait(60)
            assert publish(house).status_code == 201
            until(lambda: found(house, "restart") == (["Red light"], ["encoder"]))
            _, seconds = timed(lambda: _search_all(house))
            assert seconds < 2, "who came later waited as well"
        finally:
            let_go.set()
        until(lambda: found(house, "restart") == (["Red light"], []))
        converged(house, folder)


def _search_all(house: House) -> None:
    """Twenty people at once, each with a question of their own."""
    people = [threading.Thread(target=found, args=(house, f"restart number {n}")) for n in range(20)]
    for person in people:
        person.start()
    for person in people:
        person.join()
