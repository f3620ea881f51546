"""Loading the encoder in the background."""

import threading

from kb.search.encoder import Encoder, packaged_identity
from kb.search.loading import BackgroundEncoder, Wanted, background_encoder
from tests.toys import ToyEncoder


def test_the_encoder_is_loading_and_then_ready() -> None:
    let_go, toy = threading.Event(), ToyEncoder()

    def load() -> Encoder:
        let_go.wait(10)
        return toy

    background = BackgroundEncoder(load)
    assert background.state == "not started"
    background.start()
    assert (background.state, background.ready(), background.identity) == ("loading", None, None)
    assert background.wait(0.01) is None
    let_go.set()
    assert background.wait(10) is toy
    assert (background.state, background.ready(), background.identity) == ("ready", toy, toy.identity)


def test_a_model_that_fails_to_load_says_why_and_may_be_tried_again() -> None:
    outcomes: list[Exception | Encoder] = [ValueError("no such file"), ToyEncoder()]

    def load() -> Encoder:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    background = BackgroundEncoder(load).start()
    assert background.wait(10) is None
    assert background.state == "failed: no such file"
    assert background.start().wait(10) is not None
    assert background.state == "ready"


def test_starting_twice_loads_once() -> None:
    loads: list[int] = []

    def load() -> Encoder:
        loads.append(1)
        return ToyEncoder()

    background = BackgroundEncoder(load)
    for _ in range(3):
        background.start()
        background.wait(10)
    assert loads == [1]


def test_the_packaged_model_is_known_before_it_is_loaded() -> None:
    assert background_encoder().identity == packaged_identity()
    assert background_encoder(Wanted("some/other-model")).identity is None
