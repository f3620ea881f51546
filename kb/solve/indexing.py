"""The indexer: reads the outbox and makes the index agree with the record.

One thread serves the lexical lanes and builds generations, another one encodes. A row is done only after the engine
flushed, so a crash repeats work and loses none; the work is idempotent and its order does not matter.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kb import clock, tracing
from kb.errors import KbError
from kb.generation import Generation
from kb.outbox import Job, Lane
from kb.passage import ItemRef, Passage
from kb.search.encoder import Encoder
from kb.search.index import PassageIndex, Point, point_of
from kb.search.loading import BackgroundEncoder
from kb.solve.generations import Generations
from kb.solve.publishing import cut_again
from kb.store import content, outbox, passages
from kb.store.database import Database
from kb.text.analyzer import analyze
from kb.text.passages import encoded_text, indexed_text

log = logging.getLogger(__name__)

LEXICAL_BATCH = 64
DENSE_BATCH = 16
ENCODED_AT_ONCE = 16
"""Passages per call of the encoder: full speed on two cores, and a person's article waits half a second at most."""

IDLE_S = 0.1
FAILED_S = 1.0
FOLLOW_S = 1.0


@dataclass(slots=True)
class Counters:
    """What an indexer has done, for metrics."""

    indexed: int = 0
    encoded: int = 0
    failed: int = 0


class Indexer:
    """Applies outbox rows to the indexes of `generations`. `start` runs it in threads; tests call the steps."""

    def __init__(
        self,
        db: Database,
        generations: Generations,
        encoder: BackgroundEncoder,
        on_change: Callable[[Sequence[ItemRef]], None] = lambda items: None,
    ) -> None:
        self._db = db
        self._generations = generations
        self._encoder = encoder
        self._on_change = on_change
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._followed = 0.0
        self._moved = True  # whether average lengths may have changed since they were last looked at
        self.counters = Counters()

    def start(self) -> "Indexer":
        """Begin to work in two threads."""
        for name, step in (("indexer", self.step), ("indexer-dense", self.encode_step)):
            thread = threading.Thread(target=self._run, args=(step,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def close(self) -> None:
        """Finish the step under way and end."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def settle(self, timeout_s: float = 60.0) -> None:
        """Work in the calling thread until nothing is left to do; for tests, measurements and one-off commands."""
        end = time.monotonic() + timeout_s
        while self.step() or self.encode_step():
            if time.monotonic() > end:
                raise TimeoutError("the indexer did not settle")

    def step(self) -> bool:
        """One batch of the most urgent lexical work, or one chunk of a build; False when there was nothing."""
        if time.monotonic() - self._followed > FOLLOW_S:
            self._generations.follow()
            self._followed = time.monotonic()
        if self._lane(Lane.PEOPLE_LEXICAL, LEXICAL_BATCH, self._index):
            return True
        if why := self._generations.wanted(idle=False):
            self._generations.begin(why)
        if self._generations.building:
            self._advance()
            return True
        if self._lane(Lane.BULK_LEXICAL, LEXICAL_BATCH, self._index):
            return True
        if self._moved:
            self._moved = False
            if why := self._generations.wanted(idle=True):
                self._generations.begin(why)
                return self._generations.building
        return False

    def encode_step(self) -> bool:
        """One batch of the most urgent dense work; False when there was nothing, or no encoder yet."""
        encoder = self._encoder.ready()
        if encoder is None or not any(t.generation.encoder == encoder.digest for t in self._generations.targets()):
            return False
        return any(
            self._lane(lane, DENSE_BATCH, lambda jobs: self._encode(jobs, encoder))
            for lane in (Lane.PEOPLE_DENSE, Lane.BULK_DENSE)
        )

    def _run(self, step: Callable[[], bool]) -> None:
        while not self._stop.is_set():
            try:
                pause = 0.0 if step() else IDLE_S
            except KbError as error:
                log.warning("indexing pauses: %s", error)
                pause = FAILED_S
            except Exception:
                log.exception("indexing failed and will be tried again")
                pause = FAILED_S
            self._stop.wait(pause)

    def _lane(self, lane: Lane, limit: int, work: Callable[[Sequence[Job]], None]) -> bool:
        if not self._generations.targets() and not lane.is_dense:
            return False
        with self._db.read() as tx:
            if lane not in outbox.waits(tx, clock.now()):
                return False
        with self._db.write() as tx:
            jobs = outbox.claim(tx, lane, limit, clock.now())
        if jobs:
            with tracing.work(f"index {lane.name.lower()}", {"kb.items": len(jobs)}):
                self._attempt(jobs, work)
        return bool(jobs)

    def _attempt(self, jobs: Sequence[Job], work: Callable[[Sequence[Job]], None]) -> None:
        """Do the work; if a batch fails, one by one, so that a bad item holds up nobody else."""
        try:
            work(jobs)
        except Exception as error:
            if len(jobs) > 1 and isinstance(error, (KbError, ValueError)):
                for job in jobs:
                    self._attempt([job], work)
                return
            self.counters.failed += len(jobs)
            log.warning("%d items could not be indexed: %s", len(jobs), error)
            with self._db.write() as tx:
                outbox.fail(tx, jobs, f"{type(error).__name__}: {error}", clock.now())

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
        return {
            item: [
                point_of(passage, analyze(indexed_text(passage)), generation.average_length, kept.get(passage.hash))
                for passage in found
            ]
            for item, found in current.items()
        }

    def _advance(self) -> None:
        try:
            self._generations.advance(self._copy, self._recut)
        except KbError as error:
            self._generations.give_up(error)
            raise

    def _copy(self, index: PassageIndex, generation: Generation, items: Sequence[ItemRef]) -> None:
        lacking = self._fill(index, generation, self._read(items))
        with self._db.write() as tx:
            outbox.add(tx, sorted(lacking), Lane.BULK_DENSE, clock.now())

    def _fill(
        self, index: PassageIndex, generation: Generation, current: Mapping[ItemRef, Sequence[Passage]]
    ) -> set[ItemRef]:
        """Make an index hold exactly these passages; returns the items that still lack vectors."""
        points = self._points(generation, current)
        index.replace(points)
        if not generation.encoder:
            return set()
        readable = {passage.ref for found in current.values() for passage in found if self._reads(passage, generation)}
        return {
            item
            for item, found in points.items()
            if any(point.dense is None and point.ref in readable for point in found)
        }

    def _reads(self, passage: Passage, generation: Generation) -> bool:
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
        vectors = self._vectors(found, encoder)
        for target in self._generations.targets():
            if target.generation.encoder == encoder.digest:
                target.index.set_dense([(passage.ref, vectors[passage.hash]) for passage in found])
                target.index.flush()
        with self._db.write() as tx:
            outbox.done(tx, jobs)

    def _vectors(self, found: Sequence[Passage], encoder: Encoder) -> dict[str, np.ndarray]:
        texts = {passage.hash: encoded_text(passage) for passage in found}
        with self._db.read() as tx:
            vectors = passages.vectors(tx, encoder.digest, texts)
        # Texts of like length together: a batch costs as much as its longest text.
        missing = sorted(texts.keys() - vectors.keys(), key=lambda key: (len(texts[key]), key))
        for start in range(0, len(missing), ENCODED_AT_ONCE):
            batch = missing[start : start + ENCODED_AT_ONCE]
            fresh = dict(zip(batch, encoder.encode_passages([texts[key] for key in batch]), strict=True))
            with self._db.write() as tx:
                passages.keep_vectors(tx, encoder.digest, fresh)
            vectors |= fresh
            self.counters.encoded += len(batch)
        return vectors
