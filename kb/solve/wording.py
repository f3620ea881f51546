"""Keeps the vocabulary of spelling in step with the record, and corrects queries with it.

A change is counted in the background, the newest first: within a tenth of a second of the index even while much
else changes, in a quarter of one core at most. 100,000 passages take a minute or two after a start, during which fewer
words are corrected. An item's old words count until its new ones do, so that no correction comes and goes.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from kb import clock, logs
from kb.errors import IndexUnavailable, KbError
from kb.passage import ItemRef
from kb.query import Query
from kb.search.index import Request
from kb.search.lexical import query_vector
from kb.search.searcher import Searcher
from kb.search.spelling import Correction, Speller, warm
from kb.search.vocabulary import Vocabulary, counted
from kb.store import content, passages
from kb.store.database import Database
from kb.text.analyzer import analyze
from kb.text.script import han_count

log = logging.getLogger(__name__)

_AT_ONCE = 32  # items: some milliseconds
_REST = 3.0  # times as long as was worked
_FAILED_S = 5.0


class Wording:
    """Counts the words of what is shown. `start` does it in a thread; tests and measurements call `settle`."""

    def __init__(self, db: Database, vocabulary: Vocabulary) -> None:
        self._db, self._vocabulary = db, vocabulary
        self._changed: dict[ItemRef, None] = {}
        self._changing = threading.Lock()
        self._stepping = threading.Lock()
        self._after: ItemRef | None = None
        self._loaded = False
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> "Wording":
        """Begin to count."""
        self._thread = threading.Thread(target=self._run, name="wording", daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        """End after the step under way."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def changed(self, items: Sequence[ItemRef]) -> None:
        """These items are not what they were: they are counted again soon."""
        with self._changing:
            for item in items:
                self._changed.pop(item, None)  # to the end, where the newest stand
                self._changed[item] = None
        self._wake.set()

    def settle(self) -> None:
        """Count everything in the calling thread."""
        while self.step():
            pass

    def step(self) -> bool:
        """Count a few items, the latest changes first; False when there are none left."""
        with self._stepping:
            return self._step()

    def _step(self) -> bool:
        with self._changing:
            items = [self._changed.popitem()[0] for _ in range(min(_AT_ONCE, len(self._changed)))]
        try:
            if items:
                self._count(items)
            elif not self._loaded:
                self._load()
        except BaseException:
            with self._changing:
                self._changed.update(dict.fromkeys(items))
            raise
        return bool(items) or not self._loaded

    def _load(self) -> None:
        with self._db.read() as tx:
            items = passages.page(tx, self._after, _AT_ONCE)
        if items:
            self._count(items)
            self._after = items[-1]
        else:
            self._loaded = True

    def _count(self, items: Sequence[ItemRef]) -> None:
        with self._db.read() as tx:
            standings = content.standings(tx, items, clock.now())
            shown = passages.of_items(tx, [item for item in items if item in standings and standings[item].live])
        found = {item: counted(shown.get(item, ())) for item in items}
        with self._changing:  # what has changed again meanwhile is read again
            self._vocabulary.update({item: words for item, words in found.items() if item not in self._changed})

    def _run(self) -> None:
        warm()
        failing = False
        while not self._stop.is_set():
            self._wake.clear()  # before looking: a change that comes meanwhile wakes it again
            start = time.monotonic()
            try:
                more, failing = self.step(), False
            except Exception as error:  # whatever comes: without this thread words would stay as they are
                if not failing:  # said once
                    known = isinstance(error, KbError)
                    log.warning("words cannot be counted: %s", logs.told(error), exc_info=None if known else error)
                failing = True
                self._stop.wait(_FAILED_S)
                continue
            if more:
                self._stop.wait(_REST * (time.monotonic() - start))
            elif not self._stop.is_set():
                self._wake.wait()


class Corrector:
    """Corrects queries as far as that cannot hurt: no word is touched that finds anything for who asks."""

    def __init__(self, speller: Speller, searcher: Searcher) -> None:
        self._speller, self._searcher = speller, searcher

    def using(self, searcher: Searcher) -> "Corrector":
        """The same with another searcher, for trials."""
        return Corrector(self._speller, searcher)

    def correct(self, query: Query) -> Correction | None:
        """What may have been meant; None where nothing seems wrong, and while no index answers."""
        changes = self._speller.changes(query.text, query.reader.tier, lambda word: self._finds(word, query))
        return Correction.of(query.text, changes)

    def _finds(self, word: str, query: Query) -> bool:
        """Whether the dictionary or any text this reader may read holds the word, text for their groups included."""
        if self._searcher.expand(replace(query, text=word)).expanded:
            return True
        tokens = [token for token in analyze(word) if not han_count(word) or len(token) == len(word)]
        if not tokens:
            return False  # an unknown stretch of characters, whose parts are words
        with contextlib.suppress(IndexUnavailable):
            return bool(self._searcher.live.retrieve(Request(query_vector(tokens), None, query.reader, k=1)).lexical)
        return True
