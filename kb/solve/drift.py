"""Whether the index holds what the record says, looked at in small slices while there is nothing else to do.

The outbox keeps the two equal; this finds what no outbox can know of: a damaged file, a restored backup, somebody at
the index with other tools, a date that passed while a clock was wrong. What differs is asked of the outbox again.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kb import clock
from kb.generation import Generation
from kb.outbox import Lane
from kb.passage import ItemRef, Passage
from kb.search.index import PassageIndex, Payload, Stored, item_key, payload_of, ref_of
from kb.search.live import LiveIndex
from kb.store import content, outbox, passages
from kb.store.database import Database

log = logging.getLogger(__name__)

SLICE = 32
"""Items looked at between two looks at the outbox: some milliseconds, a tenth of the time of an idle indexer."""

KINDS = ("missing", "extra", "stale")
"""Passages that should be in the index and are not; that are and should not be; that say other things of themselves."""

Reads = Callable[[Passage, Generation], bool]
"""Whether the encoder of a generation gives that passage a vector."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a whole look found: passages by `KINDS`, of how many items, and when it ended (None: there was none)."""

    passages: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    items: int = 0
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Difference:
    """One item's: the points it should have by id, and how many differ in which way."""

    wanted: Mapping[str, Payload]
    counts: Counter[str]


class DriftChecker:
    """Looks every `every_s` seconds, sooner when something was found. `step` is one slice."""

    def __init__(self, db: Database, live: LiveIndex, reads: Reads, every_s: float, heal: bool = True) -> None:
        self._db = db
        self._live = live
        self._reads = reads
        self._every_s = every_s
        self._heal = heal
        self._next = time.monotonic() + every_s
        self._under_way: Iterator[None] | None = None
        self._looked_at: Generation | None = None
        self.report = Report()

    def soon(self) -> None:
        """Look as soon as there is time, from the beginning: something may have let the two drift apart."""
        self._next, self._under_way = time.monotonic(), None

    def step(self) -> None:
        """One slice, if it is time. Raises what an index or the record raises; the look is then begun anew later."""
        if self._under_way is None:
            if time.monotonic() < self._next or self._live.generation is None:
                return
            self._under_way = self._look()
        try:
            next(self._under_way)
        except StopIteration:
            self._under_way = None
        except Exception:
            self._under_way = None
            if self._live.generation is self._looked_at:
                self._next = time.monotonic() + min(self._every_s, 60.0)
                raise
            # else the index was closed, since another one answers now: that is looked at next

    def run(self) -> Report:
        """A whole look, at once."""
        for _ in self._look():
            pass
        return self.report

    def _look(self) -> Iterator[None]:
        index, generation = self._live.get()
        self._looked_at = generation
        found: dict[ItemRef, Counter[str]] = {}
        seen = 0
        for items in self._all_items():
            seen += self._compared(index, generation, items, found)
            yield
            if self._live.generation is not generation:
                return  # another index answers now: begin anew when it is time again
        broken = 0
        if index.count() != seen:
            for page in _pages(index):
                broken += self._strangers(index, generation, page, found)
                yield
        total = sum(found.values(), Counter({"extra": broken}))
        self.report = Report({kind: total[kind] for kind in KINDS}, len(found), clock.now())
        self._next = time.monotonic() + self._every_s
        if total.total():
            log.warning("the index differs from the record in %d passages: %s", total.total(), self.report.passages)
            self._next = time.monotonic() + min(self._every_s, 5.0)  # to see it healed

    def _all_items(self) -> Iterator[list[ItemRef]]:
        after: ItemRef | None = None
        while True:
            with self._db.read() as tx:
                items = content.page(tx, after, SLICE)
            if not items:
                return
            yield items
            after = items[-1]

    def _compared(
        self, index: PassageIndex, generation: Generation, items: Sequence[ItemRef], found: dict[ItemRef, Counter[str]]
    ) -> int:
        """Note the items that differ and ask for them again; returns how many points the index has of all these."""
        stored, suspects = self._differences(index, generation, items)
        if suspects:
            # A change may have been made and indexed between the two looks of a moment ago. Who differs again from
            # a record that has not moved really does.
            _, again = self._differences(index, generation, list(suspects))
            real = {item: each.counts for item, each in again.items() if each.wanted == suspects[item].wanted}
            found |= real
            if self._heal and real:
                with self._db.write() as tx:
                    outbox.add(tx, sorted(real), Lane.BULK_LEXICAL, clock.now())
        return stored

    def _differences(
        self, index: PassageIndex, generation: Generation, items: Sequence[ItemRef]
    ) -> tuple[int, dict[ItemRef, _Difference]]:
        at = clock.now()
        with self._db.read() as tx:
            expected = passages.of_items(tx, items)
            standings = content.standings(tx, items, at)
            in_flight = outbox.in_flight(tx, items, at)
        stored = index.stored(items)
        without = {ref.point_id for ref in index.without_dense(items)} if generation.encoder else set()
        by_item: dict[str, dict[str, Stored]] = {}
        for each in stored:
            by_item.setdefault(str(each.payload["item"]), {})[each.id] = each
        different = {}
        for item in items:
            shown = item in standings and standings[item].live
            lacking = without & {p.ref.point_id for p in expected[item] if self._reads(p, generation)}
            wanted = {each.ref.point_id: payload_of(each) for each in expected[item]}
            counts = _counts(wanted, by_item.get(item_key(item), {}), lacking, shown)
            if counts.total() and item not in in_flight:
                different[item] = _Difference(wanted, counts)
        return len(stored), different

    def _strangers(
        self, index: PassageIndex, generation: Generation, page: Sequence[Stored], found: dict[ItemRef, Counter[str]]
    ) -> int:
        """Note passages of items that the record does not know; delete what is no passage, and return how many."""
        items, broken = set(), []
        for each in page:
            try:
                items.add(ref_of(each.payload).item)
            except ValueError:
                broken.append(each.id)
        with self._db.read() as tx:
            known = content.standings(tx, items, clock.now())
        if strange := sorted(items - known.keys()):
            self._compared(index, generation, strange, found)
        if broken and self._heal:
            index.remove(broken)
            index.flush()
        return len(broken)


def _counts(
    wanted: Mapping[str, Payload], stored: Mapping[str, Stored], lacking: set[str], shown: bool
) -> "Counter[str]":
    """How an item's passages differ. An item whose dates have made it appear or vanish since counts as stale."""
    both = wanted.keys() & stored.keys()
    stale = {id for id in both if dict(stored[id].payload) != wanted[id]} | (lacking & both)
    turned = bool(wanted) != shown
    return Counter(
        missing=len(wanted.keys() - both),
        extra=len(stored.keys() - both),
        stale=len(stale) or int(turned),
    )


def _pages(index: PassageIndex) -> Iterator[list[Stored]]:
    after: str | None = None
    while True:
        page, after = index.page(after, SLICE)
        yield page
        if after is None:
            return
