"""The indexer: reads the outbox and makes the index agree with the record.

One thread serves the lexical lanes and builds generations, another one encodes. A row is done only after the engine
flushed, so a crash repeats work and loses none; the work is idempotent and its order does not matter.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from kb import clock, logs
from kb.errors import IndexBroken, IndexUnavailable, KbError, NoRoom, RecordUnavailable, Unavailable
from kb.generation import Generation
from kb.outbox import Job, Lane
from kb.passage import ItemRef, Passage
from kb.search.encoder import Encoder
from kb.search.index import PassageIndex, Point, point_of
from kb.search.loading import BackgroundEncoder
from kb.search.terms import terms_of
from kb.search.tuning import Tuning
from kb.solve.draining import Counters, Drain, Work
from kb.solve.drift import DriftChecker
from kb.solve.generations import Generations
from kb.solve.pace import Pace
from kb.solve.publishing import cut_again
from kb.store import content, outbox, passages
from kb.store.database import Database
from kb.text.passages import encoded_text

log = logging.getLogger(__name__)

LEXICAL_BATCH = 64
DENSE_BATCH = 128
"""Claiming and flushing take 1.8 ms of CPU a passage for 16 items, .8 for 64; to encode one takes 25. Encoding in bulk
is 4.7 % slower than the encoder alone with 128, 8 % with 64 (`kb bench --encoder`); what a person publishes meanwhile
has its vectors after 1.2 s instead of 1.0 (`kb bench --freshness`)."""

ENCODED_AT_ONCE = 32
"""Passages per call of the encoder: what an end in the middle loses of each thread, and what a person's article waits
for, a second at most."""

DENSE_THREADS = 2
"""While one writes what it has encoded, the other encodes."""

IDLE_S = 0.1
FAILED_S = 1.0
FOLLOW_S = 1.0
DRIFT_EVERY_S = 600.0

CLOCK_S = 5.0
"""A clock that moves by so much against the monotonic one was set by somebody."""

MEND_S = 30.0


class Indexer:
    """Applies outbox rows to the indexes of `generations`. `start` runs it in threads; tests call the steps."""

    def __init__(
        self,
        db: Database,
        generations: Generations,
        encoder: BackgroundEncoder,
        on_change: Callable[[Sequence[ItemRef]], None] = lambda items: None,
        drift_every_s: float = DRIFT_EVERY_S,
    ) -> None:
        self._db = db
        self._generations = generations
        self._encoder = encoder
        self._on_change = on_change
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._followed = 0.0
        self._mended = 0.0
        self._clock_ahead = _clock_ahead()
        self._moved = True  # whether average lengths may have changed since they were last looked at
        self._complained: dict[str, float] = {}
        self._stuck: dict[int, Exception] = {}  # by thread
        self.drift = DriftChecker(db, generations.live, self.reads, drift_every_s)
        self.counters = Counters()
        self._drain = Drain(db, self.counters)
        self._pace = Pace(db, self.counters)

    def start(self) -> "Indexer":
        """Begin to work in threads of their own."""
        for name, step in (("indexer", self.step), *DENSE_THREADS * [("indexer-dense", self.encode_step)]):
            thread = threading.Thread(target=self._run, args=(step,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def close(self) -> None:
        """Finish the step under way and end. An encoder that hangs is not waited for."""
        self._stop.set()
        end = time.monotonic() + 10
        for thread in self._threads:
            thread.join(timeout=max(0.0, end - time.monotonic()))

    @property
    def failure(self) -> Exception | None:
        """Why indexing does not go on at the moment; None if it does."""
        return next(iter(list(self._stuck.values())), None) or self._drain.failure

    def settle(self, timeout_s: float = 60.0) -> None:
        """Work in the calling thread until nothing is left that can be done now; for tests and measurements."""
        end = time.monotonic() + timeout_s
        with contextlib.suppress(Unavailable):  # what waits for a part that is away, waits
            while self.step() or self.encode_step():
                if time.monotonic() > end:
                    raise TimeoutError("the indexer did not settle")

    def step(self) -> bool:
        """One batch of the most urgent lexical work, or one chunk of a build; False when there was nothing."""
        self._drain.pay()
        if time.monotonic() - self._followed > FOLLOW_S:
            self._followed = time.monotonic()
            self._mind_clock()
            self._generations.follow()
        if self._lane(Lane.PEOPLE_LEXICAL, LEXICAL_BATCH, self._index):
            return True
        if why := self._generations.wanted(idle=False):
            self._generations.begin(why)
        if self._generations.building:
            self._advance()
            return True
        if self._drop_covered() or self._lane(Lane.BULK_LEXICAL, LEXICAL_BATCH, self._index):
            return True
        if self._moved:
            self._moved = False
            if why := self._generations.wanted(idle=True):
                self._generations.begin(why)
                return self._generations.building
        self.drift.step()
        return False

    def encode_step(self) -> bool:
        """One batch of the most urgent dense work; False when there was nothing, or no encoder yet."""
        self._drain.pay()
        encoder = self._encoder.ready()
        if encoder is None or not any(t.generation.encoder == encoder.digest for t in self._generations.targets()):
            return False
        return any(self._dense(lane, encoder) for lane in (Lane.PEOPLE_DENSE, Lane.BULK_DENSE))

    def _dense(self, lane: Lane, encoder: Encoder) -> bool:
        return self._lane(lane, DENSE_BATCH, lambda jobs: self._encode(jobs, encoder))

    def _run(self, step: Callable[[], bool]) -> None:
        while not self._stop.is_set():
            try:
                pause = 0.0 if step() else IDLE_S
                self._stuck.pop(threading.get_ident(), None)
            except BaseException as error:  # whatever comes: without this thread nothing would be indexed any more
                pause = FAILED_S
                with contextlib.suppress(Exception):  # to log takes memory as well
                    self._complain(error)
            self._stop.wait(pause)

    def _complain(self, error: BaseException) -> None:
        """Say that indexing pauses, and the same not again within a minute."""
        if isinstance(error, Exception):
            self._stuck[threading.get_ident()] = error
        known, what = isinstance(error, KbError), logs.told(error)
        if time.monotonic() - self._complained.get(what, -60.0) >= 60.0:
            self._complained = {what: time.monotonic()}
            log.warning("indexing pauses and goes on by itself: %s", what, exc_info=None if known else error)

    def _mind_clock(self) -> None:
        """Notice that the wall clock was set, and rows that wait for a time of its former life."""
        ahead = _clock_ahead()
        moved, self._clock_ahead = ahead - self._clock_ahead, ahead
        jumped = abs(moved) > CLOCK_S
        if jumped:
            log.warning("the clock was set by %+.0f s", moved)
            self.drift.soon()  # dates of articles may have seemed to pass
        if jumped or time.monotonic() - self._mended > MEND_S:
            self._mended, at = time.monotonic(), clock.now()
            with self._db.read() as tx:
                found = outbox.astray(tx, at)
            if found:
                log.warning("%d changes waited for a time far ahead and are served now", len(found))
                with self._db.write() as tx:
                    outbox.make_due(tx, found, at)

    def _drop_covered(self) -> bool:
        """Forget rows whose changes the last build has copied; those who wait to hear of a change still do."""
        ids = self._generations.covered[:LEXICAL_BATCH]
        if ids:
            with self._db.write() as tx:
                items = outbox.drop(tx, ids)
            del self._generations.covered[: len(ids)]
            self._tell(sorted(items))
        return bool(ids)

    def _lane(self, lane: Lane, limit: int, work: Work) -> bool:
        if not self._generations.targets() and not lane.is_dense:
            return False
        try:
            return self._drain.take(lane, limit, work)
        except IndexBroken as error:
            if not lane.is_dense:  # one thread drives the generations
                self._generations.lost(error)
            raise

    def _index(self, jobs: Sequence[Job]) -> None:
        items = sorted({job.item for job in jobs})
        self._mind_dates(items)
        current, lacking = self._read(items), set[ItemRef]()
        while True:
            for target in self._generations.targets():
                lacking |= self._fill(target.index, target.generation, current)
                target.index.flush()
            written, current = current, self._read(items)
            if written == current:
                break  # else another worker was at the same item meanwhile, and may have written before us
        with self._db.write() as tx:
            outbox.done(tx, jobs)
            for lane in {job.lane.dense for job in jobs}:
                outbox.add(
                    tx, sorted(lacking & {job.item for job in jobs if job.lane.dense is lane}), lane, clock.now()
                )
        self.counters.indexed += sum(map(len, current.values()))
        self._moved = True
        self._tell(items)

    def _tell(self, items: Sequence[ItemRef]) -> None:
        try:
            self._on_change(items)
        except Exception:
            # The index has the change and the row is gone: whoever wanted to hear of it must not undo that.
            log.exception("nobody was told of %d changed items", len(items))

    def _mind_dates(self, items: Sequence[ItemRef]) -> None:
        """Passages stand in the record only while their item is shown; a date may have passed since they were cut."""
        at = clock.now()
        with self._db.read() as tx:
            standings = content.standings(tx, items, at)
            current = passages.of_items(tx, items)
        turned = [item for item in items if bool(current[item]) != (item in standings and standings[item].live)]
        if turned:
            with self._db.write() as tx:
                cut_again(tx, turned, at)

    def _read(self, items: Sequence[ItemRef]) -> dict[ItemRef, list[Passage]]:
        with self._db.read() as tx:
            return passages.of_items(tx, items)

    def _points(
        self, generation: Generation, current: Mapping[ItemRef, Sequence[Passage]]
    ) -> dict[ItemRef, list[Point]]:
        """The points of passages, with the vectors that are kept already."""
        hashes = {passage.hash for found in current.values() for passage in found}
        with self._db.read() as tx:
            kept = passages.vectors(tx, generation.encoder, hashes) if generation.encoder else {}
        fields = Tuning.from_json(generation.tuning).fields
        average = generation.average_length * fields.stretch

        def point(passage: Passage) -> Point:
            terms = terms_of(passage, fields)
            return point_of(passage, terms.tokens, average, kept.get(passage.hash), terms.pairs)

        return {item: [point(passage) for passage in found] for item, found in current.items()}

    def _advance(self) -> None:
        try:
            self._generations.advance(self._copy, self._recut)
        except RecordUnavailable:
            raise  # it goes on where it is
        except Exception as error:
            if isinstance(error, IndexUnavailable) and not isinstance(error, NoRoom | IndexBroken):
                self._generations.stumbled(error)
            else:
                self._generations.give_up(error)
            raise

    def _copy(self, index: PassageIndex, generation: Generation, items: Sequence[ItemRef]) -> None:
        """Fill a new index. An item that cannot be indexed is left to the outbox: it would hold up all others."""
        try:
            lacking, bad = self._fill(index, generation, self._read(items)), []
        except Unavailable:
            raise
        except Exception as error:
            lacking, bad = set(), list(items)
            if len(items) > 1:
                for item in items:
                    self._copy(index, generation, [item])
                return
            log.warning("%s %s could not be indexed: %s", items[0].kind, items[0].id, logs.told(error))
        with self._db.write() as tx:
            outbox.add(tx, sorted(lacking), Lane.BULK_DENSE, clock.now())
            outbox.add(tx, bad, Lane.BULK_LEXICAL, clock.now())

    def _fill(
        self, index: PassageIndex, generation: Generation, current: Mapping[ItemRef, Sequence[Passage]]
    ) -> set[ItemRef]:
        """Make an index hold exactly these passages; returns the items that still lack vectors."""
        points = self._points(generation, current)
        index.replace(points)
        if not generation.encoder:
            return set()
        readable = {passage.ref for found in current.values() for passage in found if self.reads(passage, generation)}
        return {
            item
            for item, found in points.items()
            if any(point.dense is None and point.ref in readable for point in found)
        }

    def reads(self, passage: Passage, generation: Generation) -> bool:
        """Whether a vector of this passage would mean anything; one in a language that is not served stays without."""
        identity = self._encoder.identity
        return identity is None or identity.digest != generation.encoder or identity.serves(passage.language.family)

    def _recut(self, items: Sequence[ItemRef]) -> None:
        with self._db.write() as tx:
            cut_again(tx, items, clock.now())

    def _encode(self, jobs: Sequence[Job], encoder: Encoder) -> None:
        """Encode what is not kept yet, keep it, and add the vectors to every index of this encoder."""
        items = sorted({job.item for job in jobs})
        found = [
            passage
            for each in self._read(items).values()
            for passage in each
            if encoder.identity.serves(passage.language.family)
        ]
        vectors = self._vectors(found, encoder, urgent=jobs[0].lane is Lane.PEOPLE_DENSE)
        for target in self._generations.targets():
            if target.generation.encoder == encoder.digest:
                target.index.set_dense([(passage.ref, vectors[passage.hash]) for passage in found])
                target.index.flush()
        with self._db.write() as tx:
            outbox.done(tx, jobs)

    def _vectors(self, found: Sequence[Passage], encoder: Encoder, urgent: bool) -> dict[str, np.ndarray]:
        texts = {passage.hash: encoded_text(passage) for passage in found}
        with self._db.read() as tx:
            vectors = passages.vectors(tx, encoder.digest, texts)
        # Texts of like length together: a batch costs as much as its longest text.
        missing = sorted(texts.keys() - vectors.keys(), key=lambda key: (len(texts[key]), key))
        for start in range(0, len(missing), ENCODED_AT_ONCE):
            if start and not urgent:
                self._dense(Lane.PEOPLE_DENSE, encoder)
            batch = missing[start : start + ENCODED_AT_ONCE]
            fresh = dict(zip(batch, encoder.encode_passages([texts[key] for key in batch]), strict=True))
            with self._db.write() as tx:
                passages.keep_vectors(tx, encoder.digest, fresh)
            vectors |= fresh
            self._pace.encoded(len(batch))
        return vectors


def _clock_ahead() -> float:
    """Seconds by which the wall clock is ahead of the monotonic one, which nobody sets."""
    return clock.now().timestamp() - time.monotonic()
