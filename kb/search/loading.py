"""Loading the encoder while the rest of the program already serves."""

import threading
from collections.abc import Callable

from kb.search.encoder import CachingEncoder, Encoder, EncoderIdentity, SentenceTransformerEncoder, packaged_identity


class BackgroundEncoder:
    """An encoder on its way.

    `load` builds it in a thread of its own; until it is there search answers lexically, and where it fails `state`
    says why. `identity` is what is known of it beforehand: all of it for the packaged model, nothing for others.
    """

    def __init__(self, load: Callable[[], Encoder], identity: EncoderIdentity | None = None) -> None:
        self._load = load
        self._identity = identity
        self._encoder: Encoder | None = None
        self._failure = ""
        self._thread: threading.Thread | None = None
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
            if self._encoder is None and (self._thread is None or not self._thread.is_alive()):
                self._failure = ""
                self._thread = threading.Thread(target=self._run, name="encoder", daemon=True)
                self._thread.start()
        return self

    def ready(self) -> Encoder | None:
        """The encoder, or None while it is not there."""
        return self._encoder

    def wait(self, timeout: float | None = None) -> Encoder | None:
        """The encoder once loading has ended, or None if it failed or `timeout` seconds have passed."""
        if self._thread is not None:
            self._thread.join(timeout)
        return self._encoder

    def _run(self) -> None:
        try:
            self._encoder = self._load()
        except Exception as error:  # a model that cannot be loaded must not take the service down
            self._failure = str(error) or type(error).__name__


def background_encoder(model: str = "") -> BackgroundEncoder:
    """The encoder of that name or folder ("" for the packaged one) with cached queries, not started yet."""
    return BackgroundEncoder(lambda: _warm(model), None if model else packaged_identity())


def _warm(model: str) -> Encoder:
    """The encoder after its first query, which takes some 50 ms longer than the others."""
    encoder = CachingEncoder(SentenceTransformerEncoder(model))
    encoder.encode_queries(["warm up"])
    return encoder
