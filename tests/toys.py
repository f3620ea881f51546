"""Small real things to play with in tests: fast, deterministic, no network."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from kb.search.encoder import EncoderIdentity, Identified
from kb.search.index import Vector


class ToyEncoder(Identified):
    """An encoder that hashes words into a few dimensions: texts that share words are near each other.

    Words are split at white space; a Han text counts character by character. Instant, and always the same.
    """

    def __init__(self, dimension: int = 32, languages: Iterable[str] = (), name: str = "toy") -> None:
        digest = hashlib.sha256(f"{name}/{dimension}".encode()).hexdigest()
        self.identity = EncoderIdentity(name, digest, dimension, max_tokens=256, languages=frozenset(languages))

    def encode_queries(self, texts: Sequence[str]) -> Vector:
        """Vectors of length 1, shape (n, dimension); the same as for passages."""
        return self.encode_passages(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vector:
        """Vectors of length 1, shape (n, dimension)."""
        return np.array([self._vector(text) for text in texts], np.float32).reshape(len(texts), self.dimension)

    def _vector(self, text: str) -> Vector:
        rows = [_direction(word, self.dimension) for word in _words(text)] or [_direction("", self.dimension)]
        total = np.sum(rows, axis=0)
        return np.asarray(total / np.linalg.norm(total), np.float32)


def _words(text: str) -> list[str]:
    spaced = "".join(f" {char} " if "\u3400" <= char <= "\u9fff" else char for char in text.lower())
    return spaced.split()


def _direction(word: str, dimension: int) -> Vector:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "little")
    return np.asarray(np.random.default_rng(seed).standard_normal(dimension), np.float32)
