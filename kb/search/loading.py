"""Loading the encoder while the rest of the program already serves."""

import logging
import threading
from collections.abc import Callable

from kb.search.encoder import (
    CachingEncoder,
    Encoder,
    EncoderIdentity,
    HastyEncoder,
    SentenceTransformerEncoder,
    packaged_identity,
)

log = logging.getLogger(__name__)

ENCODE_S = 0.3
"""How long a search waits for its vector: ten to twenty times what MiniLM takes. Then it goes by words only."""

RETRY_S = 60.0
"""How long a service waits before it tries again to load what could not be loaded: a hub or a folder may be back."""


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


def background_encoder(model: str = "") -> BackgroundEncoder:
    """The encoder of that name or folder ("" for the packaged one) with cached queries, not started yet."""
    return BackgroundEncoder(lambda: CachingEncoder(_warm(model)), None if model else packaged_identity())


def serving_encoder(model: str = "") -> BackgroundEncoder:
    """The same for answering people: a query that takes too long is given up, a failed load is tried again."""
    return BackgroundEncoder(
        lambda: CachingEncoder(HastyEncoder(_warm(model), ENCODE_S)), None if model else packaged_identity(), RETRY_S
    )


def _warm(model: str) -> Encoder:
    """The encoder after its first query, which takes some 50 ms longer than the others."""
    encoder = SentenceTransformerEncoder(model)
    encoder.encode_queries(["warm up"])
    return encoder
