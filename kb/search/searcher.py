"""From a query to fused candidates: analyse, encode, ask both legs in one call, combine."""

import copy
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from kb import logs, tracing
from kb.errors import EncoderUnavailable
from kb.generation import Generation
from kb.query import Query, Retrieval
from kb.search.catalogue import Catalogue
from kb.search.dictionary import Dictionary, Expansion
from kb.search.fusion import Weights, effective, fuse
from kb.search.index import Request, Vector
from kb.search.lexical import PAIR, pair_term, query_vector
from kb.search.live import LiveIndex
from kb.search.loading import BackgroundEncoder
from kb.search.subjects import about, question
from kb.text.analyzer import analyze
from kb.text.phrases import MOST, han_pairs

log = logging.getLogger(__name__)

PASSAGES = 100
"""Passages asked of each leg. Fewer cost recall where many passages belong to one article; more cost time."""

BOTH = frozenset({"lexical", "dense"})

_SILENCE_S = 60.0


class Searcher:
    """Finds passages. Knows nothing of articles, states or people beyond what a reader may read."""

    def __init__(
        self,
        live: LiveIndex,
        encoder: BackgroundEncoder,
        weights: Weights | None = None,
        dictionary: Dictionary | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        self._live = live
        self._encoder = encoder
        self._weights = weights
        self._dictionary = dictionary or Dictionary()
        self._catalogue = catalogue or Catalogue()
        self._silent_until = 0.0

    def using(self, dictionary: Dictionary) -> "Searcher":
        """The same searcher with another dictionary, for trials."""
        other = copy.copy(self)
        other._dictionary = dictionary
        return other

    def expand(self, query: Query) -> Expansion:
        """What the dictionary makes of a query."""
        return self._dictionary.expand(query.text, analyze(query.text), query.reader)

    @property
    def live(self) -> LiveIndex:
        """The index that it asks."""
        return self._live

    def retrieve(
        self, query: Query, k: int = PASSAGES, legs: frozenset[str] = BOTH, weights: Weights | None = None
    ) -> Retrieval:
        """Up to `k` passages per leg, fused, best first; raises IndexUnavailable when no index answers.

        Without a usable encoder the lexical leg answers alone and the retrieval is marked degraded ("encoder").
        `legs` switches legs off, for measurements; `weights` stand in for those of the searcher, for trials.
        """
        self._live.check()  # first: nothing need be encoded for an index that does not answer
        watch = Stopwatch()
        with watch.stage("analyze"):
            tokens = analyze(query.text)
            meant = self._dictionary.expand(query.text, tokens, query.reader)
            subject = self._catalogue.subject(query.text, query.reader)
            asked = question(query.text) if subject else ""
            also = dict.fromkeys(map(pair_term, han_pairs(query.text)[:MOST]), PAIR) | dict(meant.tokens)
            lexical = query_vector(tokens + analyze(asked), also) if "lexical" in legs else None
        with watch.stage("encode"):
            dense, degraded = self._encode(query, meant.text, asked) if "dense" in legs else (None, ())
        with watch.stage("retrieve"):
            found = self._live.retrieve(Request(lexical, dense, query.reader, query.filters, k))
        with watch.stage("fuse"):
            best_cosine = max((each.score for each in found.dense), default=0.0)
            chosen = weights or self._weights or self._live.tuning.weights(query.family)
            weight = chosen.of(query.text, best_cosine)
            candidates = about(subject, fuse(found, weight))
        names = tuple(name for name, side in (("lexical", lexical), ("dense", dense)) if side is not None)
        effect = effective(weight, found)
        return Retrieval(tuple(candidates), watch.took_ms, degraded, names, effect, meant.expanded)

    def _encode(self, query: Query, text: str, asked: str) -> tuple[Vector | None, tuple[str, ...]]:
        """The query's vector, or the reason why there is none; none is needed where the encoder cannot read it.

        What is asked in a longer message counts as much as all of it.
        """
        encoder = self._encoder.ready()
        if encoder is None or not self._matches(self._live.generation):
            return None, ("encoder",)
        if not self._serves(query.family):
            return None, ()
        try:
            vector = encoder.encode_queries([text])[0]
            if asked:
                vector = vector + encoder.encode_queries([asked])[0]
                vector = vector / np.linalg.norm(vector)
            return vector, ()
        except Exception as error:  # whatever a model can raise, a search does not fail for it
            self._complain(error)
        return None, ("encoder",)

    def _complain(self, error: Exception) -> None:
        """Once a minute: a search may come every millisecond."""
        if time.monotonic() > self._silent_until:
            self._silent_until = time.monotonic() + _SILENCE_S
            known = isinstance(error, EncoderUnavailable)
            log.warning("searching by words only: %s", logs.told(error), exc_info=None if known else error)

    def _matches(self, generation: Generation | None) -> bool:
        """Whether the index holds vectors of the encoder we have: others cannot be compared."""
        identity = self._encoder.identity
        return generation is not None and identity is not None and generation.encoder == identity.digest

    def _serves(self, family: str) -> bool:
        identity = self._encoder.identity
        return identity is not None and identity.serves(family)


class Stopwatch:
    """Milliseconds by stage."""

    def __init__(self) -> None:
        self.took_ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        start = time.perf_counter()
        try:
            with tracing.part(f"search {name}"):
                yield
        finally:
            self.took_ms[name] = round(self.took_ms.get(name, 0.0) + (time.perf_counter() - start) * 1000, 3)
