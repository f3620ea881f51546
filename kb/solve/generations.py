"""Which index answers: opening it, building a new one beside it, swapping, clearing away.

A generation is built from SQL alone, lexical at once and dense as far as vectors are kept; the missing ones follow
through the outbox. While it grows every change goes to both, the live one and the new one. The swap is one
transaction and one assignment: search never stops.
"""

import logging
import math
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from kb import clock
from kb.audience import Audience
from kb.errors import IndexBroken, IndexUnavailable, NoRoom
from kb.generation import Generation, GenerationState
from kb.passage import ItemRef
from kb.search.encoder import EncoderIdentity
from kb.search.engines import Engine
from kb.search.index import PassageIndex
from kb.search.live import LiveIndex
from kb.store import content, generations, outbox, passages
from kb.store.database import Database, Tx
from kb.text.analyzer import ANALYZER
from kb.text.passages import CUTTER

log = logging.getLogger(__name__)

CHUNK = 200
"""Items copied between two looks at the outbox: some 50 ms, so that people's changes do not wait."""

ABANDONED = timedelta(minutes=2)
"""A build that has not moved for so long belongs to a process that is gone."""

BROKEN_S = 30.0
"""An embedded index whose searches have failed for so long will not come back by itself. A server may."""

NO_ROOM_S, AWAY_S = 60.0, 15.0
"""How long until the next build after one for which there was no room, or whose engine was away again and again."""

LATE = timedelta(seconds=10)
"""How far before a build began changes are copied once more at its end. The outbox has them all anyway."""

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
    """`answers` are the wishes it fulfils, `covered` the outbox rows whose changes it copies anyway.

    `failing_since` is monotonic, None while it goes on.
    """

    target: Target
    started: datetime
    recut: bool
    answers: Sequence[str] = ()
    covered: Sequence[int] = ()
    after: ItemRef | None = None
    failing_since: float | None = None


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
        self.live = live
        self._db = db
        self._engine = engine
        self._identity = identity
        self._alone = alone
        self._build: _Build | None = None
        self._broken = ""  # the name of a live generation that only a new one can replace
        self._not_before, self._failures = 0.0, 0
        self._unopened = ""
        self.covered: list[int] = []
        """Rows of the outbox that the last build made needless, for the indexer to drop."""

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
        """Every index that a change has to reach: the live one and, beside it, the one being built.

        Not a live one that is broken: it is given up as it is, and the next one is built from all there is.
        """
        found = []
        ours = self.live.generation
        if ours is not None and ours.name != self._broken:
            found.append(Target(*self.live.get()))
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
        """Open the generation that another process made live, or that could not be opened before; delete old ones."""
        with self._db.read() as tx:
            current, retired = generations.live(tx), generations.every(tx, GenerationState.RETIRED)
        if any(self._is_over(each) for each in retired):
            self._sweep()
        ours = self.live.generation
        if current is None or current.name == self._broken:
            return
        if ours is None or ours.name != current.name:
            self._open(current)
        elif ours != current:
            self.live.swap(self.live.get()[0], current)
        failure = self.live.failure
        if isinstance(failure, IndexBroken) or (self._alone and self.live.failing_s > BROKEN_S):
            self.broken(failure)

    def broken(self, error: Exception | None) -> None:
        """Take the live generation for lost: the next one is built, from SQL, also after a restart."""
        ours = self.live.generation
        with self._db.write() as tx:
            current = generations.live(tx)
            if current is None or current.name == self._broken or (ours is not None and ours.name != current.name):
                return
            if not generations.every(tx, GenerationState.WANTED, GenerationState.BUILDING):
                want_rebuild(tx)
        self._broken = current.name
        log.error("index %s is broken and will be replaced: %s", current.name, error)

    def lost(self, error: IndexBroken) -> None:
        """An index that a change had to reach is broken: the live one, or the one being built."""
        if self._alone or self._is_gone():
            self.broken(error)
        self.give_up(error)

    def _is_gone(self) -> bool:
        try:
            self.live.get()[0].count()
        except IndexBroken:
            return True
        except IndexUnavailable:
            return False
        return False

    def wanted(self, idle: bool) -> str:
        """Why a new generation is needed now, or "" if none is. Average lengths are looked at only when idle."""
        if self._build is not None or time.monotonic() < self._not_before:
            return ""
        with self._db.read() as tx:
            current = generations.live(tx)
            if current is None:
                return "there is none"
            if current.name == self._broken:
                return "the live one is broken"
            if generations.every(tx, GenerationState.WANTED):
                return "somebody asked for it"
            if current.analyzer != TEXT:
                return f"text is now analysed by {TEXT}"
            identity = self._identity()
            if identity is not None and current.encoder != identity.digest:
                return f"the encoder is now {identity.name}"
            if idle and on_grid(passages.average_lengths(tx)) != current.average_length:
                return "average passage lengths have moved"
        return ""

    def begin(self, why: str) -> None:
        """Start to build a new generation, unless another process is at it."""
        at = clock.now()
        with self._db.write() as tx:
            building = generations.every(tx, GenerationState.BUILDING)
            # A moment to come was written by a clock that has been set back since: as good as none.
            if any(abs(at - each.touched_at) < ABANDONED for each in building):
                return
            for each in building:
                generations.save(tx, replace(each, state=GenerationState.RETIRED, touched_at=at))
            before = generations.live(tx)
            wishes = generations.every(tx, GenerationState.WANTED)
            # The latest wish that says how is calibration's; any other keeps what was calibrated before.
            tuning = next((each.tuning for each in reversed(wishes) if each.tuning), before.tuning if before else {})
            new = self._new(at, on_grid(passages.average_lengths(tx)), tuning)
            generations.save(tx, new)
            answers = [each.name for each in wishes]
            covered = outbox.replayed(tx)
        log.info("building index %s: %s", new.name, why)
        try:
            if self._alone and self._broken and self.live.generation is None:
                self._drop(self._broken)  # nobody can use it, and the new one may need its room
            index = self._engine.create(new.name, new.dimension)
        except IndexUnavailable as error:
            self._forget(new, error)
            raise
        recut = before is not None and before.analyzer != TEXT
        self._build = _Build(Target(index, new), at, recut, answers, covered)

    def _new(self, at: datetime, average_length: float, tuning: Mapping[str, Any]) -> Generation:
        identity = self._identity()
        return Generation(
            name=f"g{at:%Y%m%d%H%M%S}{uuid.uuid4().hex[:6]}",
            state=GenerationState.BUILDING,
            created_at=at,
            touched_at=at,
            encoder=identity.digest if identity else "",
            encoder_name=identity.name if identity else "",
            dimension=identity.dimension if identity else 1,
            analyzer=TEXT,
            average_length=average_length,
            tuning=tuning,
        )

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
        build.after, build.failing_since = items[-1], None
        with self._db.write() as tx:
            generations.save(tx, replace(build.target.generation, touched_at=clock.now()))
        return None

    def give_up(self, error: Exception) -> None:
        """Drop the build that failed; it is begun again later."""
        if self._build is not None:
            generation, self._build = self._build.target.generation, None
            self._forget(generation, error)

    def stumbled(self, error: Exception) -> None:
        """The build cannot go on at the moment. It will from where it is, unless that is for long and nobody else's
        doing: a server may come back, an embedded index that fails is broken."""
        build = self._build
        if build is None:
            return
        build.failing_since = build.failing_since or time.monotonic()
        if self._alone and time.monotonic() - build.failing_since > BROKEN_S:
            self.give_up(error)
            return
        with self._db.write() as tx:  # or another process takes it for abandoned
            generations.save(tx, replace(build.target.generation, touched_at=clock.now()))

    def _forget(self, generation: Generation, error: Exception) -> None:
        log.error("building index %s failed: %s", generation.name, error)
        self._failures += 1
        self._not_before = time.monotonic() + (
            NO_ROOM_S if isinstance(error, NoRoom) else min(2.0**self._failures, AWAY_S)
        )
        with self._db.write() as tx:  # retired, not deleted: where it cannot be dropped now, a later sweep does
            generations.save(tx, replace(generation, state=GenerationState.RETIRED, touched_at=clock.now()))
        self._sweep()

    def _finish(self, build: _Build, fill: Fill) -> None:
        """Catch up with what changed since the build began, then swap."""
        with self._db.read() as tx:
            late = content.changed_since(tx, build.started, LATE)
        for start in range(0, len(late), CHUNK):
            fill(build.target.index, build.target.generation, late[start : start + CHUNK])
        build.target.index.flush()
        at = clock.now()
        now_live = replace(build.target.generation, state=GenerationState.LIVE, live_at=at, touched_at=at)
        with self._db.write() as tx:
            for old in generations.every(tx, GenerationState.LIVE):
                generations.save(tx, replace(old, state=GenerationState.RETIRED, touched_at=at))
            generations.delete(tx, build.answers)
            generations.save(tx, now_live)
        # From here on it is live, whatever else may fail.
        self.live.swap(build.target.index, now_live)
        self._build, self._broken, self._failures = None, "", 0
        self.covered += build.covered
        log.info("index %s is live", now_live.name)
        try:
            self._engine.make_live(now_live.name)
        except IndexUnavailable as error:
            log.warning("the engine was not told that %s is live, which only people look at: %s", now_live.name, error)
        self._sweep()

    def _open(self, generation: Generation) -> None:
        try:
            self.live.swap(self._engine.open(generation.name), generation)
        except IndexBroken as error:
            self.broken(error)
        except IndexUnavailable as error:
            if "another process" in str(error):
                raise
            if generation.name != self._unopened:  # it is tried again every second
                log.error("the index %s cannot be opened now: %s", generation.name, error)
            self._unopened = generation.name

    def _foreign_builds(self) -> list[Target]:
        with self._db.read() as tx:
            building = generations.every(tx, GenerationState.BUILDING)
        found = []
        for each in building:
            try:
                found.append(Target(self._engine.open(each.name), each))
            except IndexBroken:
                continue  # not created yet, or given up: its builder reads SQL after us
        return found

    def _is_over(self, each: Generation) -> bool:
        """Whether a retired generation has been so for long enough (or since a time that is yet to come)."""
        grace = timedelta(0) if self._alone else GRACE
        return not timedelta(0) <= clock.now() - each.touched_at < grace

    def _sweep(self) -> None:
        """Delete indexes that nobody needs: retired ones after a while and, when alone, any that SQL does not know."""
        with self._db.read() as tx:
            known = generations.every(tx)
        over = [each.name for each in known if each.state is GenerationState.RETIRED and self._is_over(each)]
        gone = [name for name in over if self._drop(name)]
        if gone:
            with self._db.write() as tx:
                generations.delete(tx, gone)
        if self._alone:
            for name in set(self._engine.generations()) - {each.name for each in known}:
                self._drop(name)

    def _drop(self, name: str) -> bool:
        try:
            self._engine.drop(name)
        except IndexUnavailable as error:
            log.warning("index %s could not be deleted and will be later: %s", name, error)
            return False
        return True


def ask_for_rebuild(db: Database) -> None:
    """Ask the indexing process for a new generation (`kb reindex`)."""
    with db.write() as tx:
        want_rebuild(tx)


def want_rebuild(tx: Tx, tuning: Mapping[str, Any] = MappingProxyType({})) -> None:
    """The same as part of a change that makes the present generations unfit; with what calibration chose, if any."""
    at, name = clock.now(), f"wanted-{uuid.uuid4().hex[:6]}"
    generations.save(tx, Generation(name, GenerationState.WANTED, created_at=at, touched_at=at, tuning=dict(tuning)))


def on_grid(averages: Mapping[str, float]) -> float:
    """The average length of what the widest circle with any text may read, rounded to a power of `GRID`.

    One length serves all tiers, as the weights are stored once; taken from the widest circle, it can be moved by no
    text that somebody with a score to see may not read. 1 where there is no text at all.
    """
    widest = next((averages[tier.value] for tier in Audience if tier.value in averages), 1.0)
    return float(GRID ** round(math.log(max(widest, 1.0), GRID)))
