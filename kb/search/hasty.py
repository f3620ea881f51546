"""What stands between a search and its encoder: queries asked before are remembered, slow ones given up."""

import contextlib
import hashlib
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from kb.errors import EncoderUnavailable
from kb.search.encoder import Encoder, Identified
from kb.search.index import Vector

AT_ONCE = 8
"""Queries encoded together at most: the last of them waits for all. Sixteen save no more."""


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

    A thread of its own encodes what waits, a few at a time: a query takes 3.8 ms of CPU among eight, 6.9 alone. While
    it is stuck, the next are refused at once. Several texts in one call are no search and take the time they take.
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
