"""Loading the encoder while the rest of the program already serves."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from kb.errors import EncoderUnavailable
from kb.search import exports
from kb.search.encoder import Encoder, EncoderIdentity, packaged_identity
from kb.search.exports import Export, NotExported
from kb.search.hasty import CachingEncoder, HastyEncoder
from kb.search.onnx import OnnxEncoder
from kb.search.transformer import SentenceTransformerEncoder

log = logging.getLogger(__name__)

ENCODE_S = 0.3
"""How long a search waits for its vector: ten to twenty times what MiniLM takes. Then it goes by words only."""

RETRY_S = 60.0
"""How long a service waits before it tries again to load what could not be loaded: a hub or a folder may be back."""


Backend = Literal["auto", "onnx", "torch"]
Queries = Literal["auto", "exact"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which encoder: a model by name or folder ("" for the packaged one), and by what it is to run.

    `exports` is the folder of exports; without one it is PyTorch. "auto" is ONNX Runtime where the model can be
    exported, else PyTorch. `queries` is "auto" for weights in 8 bits where the export has them, or "exact".
    """

    model: str = ""
    backend: Backend = "auto"
    exports: Path | None = None
    queries: Queries = "auto"

    @property
    def identity(self) -> EncoderIdentity | None:
        """What is known of it before it is loaded: all for the packaged model, nothing for others."""
        return None if self.model else packaged_identity()


class BackgroundEncoder:
    """An encoder on its way.

    `load` builds it in a thread of its own; until it is there search answers lexically, and where it fails `state`
    says why. With `retry_s` it is tried again, until `close`. `identity` is what is known of it beforehand: all of it
    for the packaged model, nothing for others.
    """

    def __init__(
        self, load: Callable[[], Encoder], identity: EncoderIdentity | None = None, retry_s: float | None = None
    ) -> None:
        self._load = load
        self._identity = identity
        self._retry_s = retry_s
        self._encoder: Encoder | None = None
        self._failure = ""
        self._thread: threading.Thread | None = None
        self._tried = threading.Event()
        self._closed = threading.Event()
        self._lock = threading.Lock()

    @property
    def identity(self) -> EncoderIdentity | None:
        """The identity, as soon as it is known."""
        return self._encoder.identity if self._encoder else self._identity

    @property
    def state(self) -> str:
        """ "loading", "ready" or "failed: ..." with the reason; "not started" before `start`."""
        if self._encoder is not None:
            return "ready"
        if self._failure:
            return f"failed: {self._failure}"
        return "loading" if self._thread else "not started"

    def start(self) -> "BackgroundEncoder":
        """Begin to load, unless that is under way or done; after a failure, try again."""
        with self._lock:
            if self._encoder is None and self._thread is None:
                self._failure = ""
                self._tried.clear()
                self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)
                self._thread.start()
        return self

    def ready(self) -> Encoder | None:
        """The encoder, or None while it is not there."""
        return self._encoder

    def wait(self, timeout: float | None = None) -> Encoder | None:
        """The encoder once loading has ended, or None if it failed or `timeout` seconds have passed."""
        if self.state != "not started":
            self._tried.wait(timeout)
        return self._encoder

    def close(self) -> None:
        """Try no more."""
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._encoder, self._failure = self._load(), ""
            except Exception as error:  # a model that cannot be loaded must not take the service down
                self._failure = str(error) or type(error).__name__
                log.error("the encoder cannot be loaded: %s", self._failure)
            if self._encoder is not None or self._retry_s is None:
                break
            self._tried.set()
            self._closed.wait(self._retry_s)
        self._thread = None
        self._tried.set()


def background_encoder(wanted: Wanted = Wanted()) -> BackgroundEncoder:
    """That encoder with cached queries, not started yet."""
    return BackgroundEncoder(lambda: CachingEncoder(load_encoder(wanted)), wanted.identity)


def serving_encoder(wanted: Wanted = Wanted()) -> BackgroundEncoder:
    """The same for answering people: a query that takes too long is given up, a failed load is tried again."""
    return BackgroundEncoder(
        lambda: CachingEncoder(HastyEncoder(load_encoder(wanted), ENCODE_S)), wanted.identity, RETRY_S
    )


def load_encoder(wanted: Wanted, make: bool = True) -> Encoder:
    """Load it; raises EncoderUnavailable where it cannot be had.

    A model that nobody has exported yet is exported first (10 s), unless `make` is off: then it is PyTorch.
    """
    start = time.monotonic()
    encoder = _by_onnx(wanted, make) or SentenceTransformerEncoder(wanted.model)
    encoder.encode_queries(["warm up"])  # the first query takes some 50 ms longer than the others
    log.info("the encoder %s is ready by %s after %.1f s", encoder.name, runs_by(encoder), time.monotonic() - start)
    return encoder


def runs_by(encoder: Encoder) -> str:
    """What runs it, for people."""
    if not isinstance(encoder, OnnxEncoder):
        return "PyTorch"
    if encoder.quantised is None:
        return "ONNX Runtime"
    refused = encoder.quantised.refused
    return "ONNX Runtime, " + (f"queries exact: {refused}" if refused else "queries with weights in 8 bits")


def why_not_exported(wanted: Wanted) -> str:
    """Why this encoder does not run by ONNX Runtime, "" where it does."""
    if wanted.backend == "torch" or wanted.exports is None:
        return "as KB_ENCODER_BACKEND says"
    try:
        known = exports.read(exports.folder_of(wanted.model, wanted.exports))
    except NotExported as error:
        return str(error)
    return "" if known else "not exported yet: kb serve does that when it starts"


def _by_onnx(wanted: Wanted, make: bool) -> OnnxEncoder | None:
    if wanted.backend == "torch" or wanted.exports is None:
        return None
    try:
        return _exported(wanted, wanted.exports, make)
    except (NotExported, OSError) as error:  # OSError: there is no room, or we may not write
        if wanted.backend == "onnx":
            raise EncoderUnavailable(f"the encoder cannot be run by ONNX Runtime: {error}") from error
        log.warning("the encoder runs by PyTorch, since it could not be exported to ONNX: %s", error)
        return None


def _exported(wanted: Wanted, root: Path, make: bool) -> OnnxEncoder | None:
    export = exports.read(exports.folder_of(wanted.model, root))
    if export is not None:
        try:
            return _opened(export, wanted)
        except Exception as error:  # whatever another version of ONNX Runtime does not like about it
            log.warning("the exported encoder cannot be loaded: %s", error)
            if make:
                exports.discard(export)
    return _opened(exports.make(wanted.model, root), wanted) if make else None


def _opened(export: Export, wanted: Wanted) -> OnnxEncoder:
    return OnnxEncoder(replace(export, quantised=None) if wanted.queries == "exact" else export)
