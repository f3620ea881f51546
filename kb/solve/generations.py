"""Which index answers: opening it, building a new one beside it, swapping, clearing away.

A generation is built from SQL alone, lexical at once and dense as far as vectors are kept; the missing ones follow
through the outbox. While it grows every change goes to both, the live one and the new one. The swap is one
transaction and one assignment: search never stops.
"""

import logging
import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kb import clock
from kb.audience import Audience
from kb.errors import IndexUnavailable, NotFound
from kb.generation import Generation, GenerationState
from kb.passage import ItemRef
from kb.search.encoder import EncoderIdentity
from kb.search.engines import Engine
from kb.search.index import PassageIndex
from kb.search.live import LiveIndex
from kb.store import content, generations, outbox, passages
from kb.store.database import Database
from kb.text.analyzer import ANALYZER
from kb.text.passages import CUTTER

log = logging.getLogger(__name__)

CHUNK = 200
"""Items copied between two looks at the outbox: some 50 ms, so that people's changes do not wait."""

ABANDONED = timedelta(minutes=2)
"""A build that has not moved for so long belongs to a process that is gone."""

GRACE = timedelta(seconds=30)
"""How long a replaced index stays, for searches of other processes that still use it."""

GRID = 1.25
"""Average lengths are rounded to powers of this. BM25 does not notice 20 % (docs/architecture.md), and a rounded
value makes an index that grew equal to one built afresh."""

TEXT = f"{ANALYZER}/{CUTTER}"
"""How text becomes tokens and passages. Another way means another generation."""

Fill = Callable[[PassageIndex, Generation, Sequence[ItemRef]], None]
"""Writes the present passages of items to one index."""


@dataclass(frozen=True, slots=True)
class Target:
    """An index that has to be kept up to date, with the generation it belongs to."""

    index: PassageIndex
    generation: Generation


@dataclass(slots=True)
class _Build:
    target: Target
    started: datetime
    recut: bool
    after: ItemRef | None = None


class Generations:
    """The life of indexes in one indexing process. Not thread-safe: one thread drives it.

    `alone` says that no other process indexes, as with the embedded engine: what a crash left behind is then ours.
    """

    def __init__(
        self,
        db: Database,
        engine: Engine,
        live: LiveIndex,
        identity: Callable[[], EncoderIdentity | None],
        alone: bool = True,
    ) -> None:
        self._db = db
        self._engine = engine
        self._live = live
        self._identity = identity
        self._alone = alone
        self._build: _Build | None = None

    def start(self) -> None:
        """Open the live index, if there is a usable one; forget builds that a crash interrupted."""
        with self._db.write() as tx:
            outbox_rows = outbox.release(tx) if self._alone else 0
            if self._alone:
                lost = generations.every(tx, GenerationState.BUILDING)
                generations.delete(tx, [each.name for each in lost])
            current = generations.live(tx)
        if outbox_rows:
            log.info("taking up %d changes that were under way when the last process ended", outbox_rows)
        if current is not None:
            self._open(current)
        self._sweep()

    def targets(self) -> list[Target]:
        """Every index that a change has to reach: the live one and, beside it, the one being built."""
        found = []
        if self._live.generation is not None:
            found.append(Target(*self._live.get()))
        if self._build is not None:
            found.append(self._build.target)
        elif not self._alone:
            found += self._foreign_builds()
        return found

    @property
    def building(self) -> bool:
        """Whether a new generation is being built here."""
        return self._build is not None

    def follow(self) -> None:
        """Open the generation that another process made live."""
        if self._alone:
            return
        with self._db.read() as tx:
            current = generations.live(tx)
        ours = self._live.generation
        if current is not None and (ours is None or ours.name != current.name):
            self._open(current)
        elif current is not None and ours != current:
            self._live.swap(self._live.get()[0], current)

    def wanted(self, idle: bool) -> str:
        """Why a new generation is needed now, or "" if none is. Average lengths are looked at only when idle."""
        if self._build is not None:
            return ""
        with self._db.read() as tx:
            current = generations.live(tx)
            if current is None:
                return "there is none"
            if generations.every(tx, GenerationState.WANTED):
                return "somebody asked for it"
            if current.analyzer != TEXT:
                return f"text is now analysed by {TEXT}"
            identity = self._identity()
            if identity is not None and current.encoder != identity.digest:
                return f"the encoder is now {identity.name}"
            if self._live.generation is None:
                return "the live one cannot be opened"
            if idle and on_grid(passages.average_lengths(tx)) != current.average_length:
                return "average passage lengths have moved"
        return ""

    def begin(self, why: str) -> None:
        """Start to build a new generation, unless another process is at it."""
        at = clock.now()
        identity = self._identity()
        with self._db.write() as tx:
            if any(each.touched_at > at - ABANDONED for each in generations.every(tx, GenerationState.BUILDING)):
                return
            before = generations.live(tx)
            asked_for = generations.every(tx, GenerationState.WANTED, GenerationState.BUILDING)
            generations.delete(tx, [each.name for each in asked_for])
            new = Generation(
                name=f"g{at:%Y%m%d%H%M%S}{uuid.uuid4().hex[:6]}",
                state=GenerationState.BUILDING,
                created_at=at,
                touched_at=at,
                encoder=identity.digest if identity else "",
                encoder_name=identity.name if identity else "",
                dimension=identity.dimension if identity else 1,
                analyzer=TEXT,
                average_length=on_grid(passages.average_lengths(tx)),
            )
            generations.save(tx, new)
        log.info("building index %s: %s", new.name, why)
        recut = before is not None and before.analyzer != TEXT
        self._build = _Build(Target(self._engine.create(new.name, new.dimension), new), at, recut)

    def advance(self, fill: Fill, recut: Callable[[Sequence[ItemRef]], None]) -> None:
        """Copy one more chunk; after the last one make the new generation live."""
        build = self._build
        if build is None:
            return None
        with self._db.read() as tx:
            page = content.page if build.recut else passages.page
            items = page(tx, build.after, CHUNK)
        if not items:
            return self._finish(build, fill)
        if build.recut:
            recut(items)
        fill(build.target.index, build.target.generation, items)
        build.after = items[-1]
        with self._db.write() as tx:
            generations.save(tx, replace(build.target.generation, touched_at=clock.now()))
        return None

    def give_up(self, error: Exception) -> None:
        """Drop the build that failed; it is begun again later."""
        if self._build is not None:
            log.error("building index %s failed: %s", self._build.target.generation.name, error)
            name, self._build = self._build.target.generation.name, None
            with self._db.write() as tx:
                generations.delete(tx, [name])
            self._drop(name)

    def _finish(self, build: _Build, fill: Fill) -> None:
        """Catch up with what changed since the build began, then swap."""
        with self._db.read() as tx:
            late = content.changed_since(tx, build.started)
        for start in range(0, len(late), CHUNK):
            fill(build.target.index, build.target.generation, late[start : start + CHUNK])
        build.target.index.flush()
        at = clock.now()
        now_live = replace(build.target.generation, state=GenerationState.LIVE, live_at=at, touched_at=at)
        with self._db.write() as tx:
            for old in generations.every(tx, GenerationState.LIVE):
                generations.save(tx, replace(old, state=GenerationState.RETIRED, touched_at=at))
            generations.save(tx, now_live)
        self._engine.make_live(now_live.name)
        self._live.swap(build.target.index, now_live)
        self._build = None
        log.info("index %s is live with %d passages", now_live.name, build.target.index.count())
        self._sweep()

    def _open(self, generation: Generation) -> None:
        try:
            self._live.swap(self._engine.open(generation.name), generation)
        except IndexUnavailable as error:
            log.error("the index %s cannot be opened: %s", generation.name, error)
            if "another process" in str(error):
                raise

    def _foreign_builds(self) -> list[Target]:
        with self._db.read() as tx:
            building = generations.every(tx, GenerationState.BUILDING)
        found = []
        for each in building:
            try:
                found.append(Target(self._engine.open(each.name), each))
            except (IndexUnavailable, NotFound):
                continue  # not created yet, or given up: its builder reads SQL after us
        return found

    def _sweep(self) -> None:
        """Delete indexes that nobody needs: retired ones after a while and, when alone, any that SQL does not know."""
        before = clock.now() - (timedelta(0) if self._alone else GRACE)
        with self._db.write() as tx:
            known = generations.every(tx)
            old = [each.name for each in known if each.state is GenerationState.RETIRED and each.touched_at <= before]
            generations.delete(tx, old)
        unknown = set(self._engine.generations()) - {each.name for each in known} if self._alone else set()
        for name in (*old, *unknown):
            self._drop(name)

    def _drop(self, name: str) -> None:
        try:
            self._engine.drop(name)
        except IndexUnavailable as error:
            log.warning("index %s could not be deleted: %s", name, error)


def ask_for_rebuild(db: Database) -> None:
    """Ask the indexing process for a new generation (`kb reindex`)."""
    at = clock.now()
    with db.write() as tx:
        generations.save(
            tx, Generation(f"wanted-{uuid.uuid4().hex[:6]}", GenerationState.WANTED, created_at=at, touched_at=at)
        )


def on_grid(averages: Mapping[str, float]) -> float:
    """The average length of what the widest circle with any text may read, rounded to a power of `GRID`.

    One length serves all tiers, as the weights are stored once; taken from the widest circle, it can be moved by no
    text that somebody with a score to see may not read. 1 where there is no text at all.
    """
    widest = next((averages[tier.value] for tier in Audience if tier.value in averages), 1.0)
    return float(GRID ** round(math.log(max(widest, 1.0), GRID)))
