"""Closed by proof: once the index has a fix, the queries that were flagged are asked again, with what they found then.

Asked as somebody of the tier that flagged, whatever groups the item is for: who sees the case sees the item.
"""

import logging
import time
from collections.abc import Callable, Sequence

from kb import clock, logs
from kb.case import Action, Place, Proof, Replayed, RevisionCase, Step
from kb.errors import KbError, Unavailable
from kb.flag import Flag
from kb.passage import ItemRef, Passage
from kb.person import SYSTEM, Person
from kb.query import Query
from kb.solve.flagging import passages_of
from kb.solve.quoting import flagged
from kb.solve.reuse import Finder
from kb.store import cases, content, flags, interactions
from kb.store.database import Database
from kb.text.script import fold

log = logging.getLogger(__name__)

QUERIES = 20
"""Different queries asked again for a case: a page of proof, and a second of searching."""

LOOKED_AT = 10
"""Hits among which a rank is looked for: what people look at."""

FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 600.0
"""After something unexpected a case is asked for again after 2 s, 4 s, and so on up to ten minutes."""

_AT_ONCE = 20


class Prover:
    """Asks flagged queries again. Any number of processes may: of two who prove the same, one writes.

    `failed` counts what nobody expected, such as a query that something stumbles over. Such a case is put off, for
    longer each time, and keeps none of the others back.
    """

    def __init__(self, db: Database, finder: Finder, now: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._finder = finder
        self._now = now
        self._put_off: dict[str, tuple[float, float]] = {}  # case: not before then, and how long that was
        self.failed = 0

    def step(self) -> int:
        """Prove the cases whose fixes the index has; returns how many. Those it cannot ask for yet wait."""
        with self._db.read() as tx:
            waiting = cases.to_prove(tx, _AT_ONCE + len(self._put_off))
        self._put_off = {each: until for each, until in self._put_off.items() if each in waiting}
        due = [each for each in waiting if self._put_off.get(each, (0.0, 0.0))[0] <= self._now()]
        return sum(self._tried(each) for each in due[:_AT_ONCE])

    def _tried(self, case_id: str) -> bool:
        try:
            return self._prove(case_id)
        except Unavailable as error:  # what is away comes back, and the case waits
            log.debug("a fix cannot be proved yet: %s", error)
        except Exception as error:  # whatever comes: the others can be proved
            again = self._put_off.get(case_id)
            wait = min(2 * again[1], LONGEST_WAIT_S) if again else FIRST_WAIT_S
            self._put_off[case_id] = self._now() + wait, wait
            self.failed += 1
            where = None if again or isinstance(error, KbError) else error  # said once
            log.warning(
                "case %s cannot be proved, next try in %.0f s: %s", case_id, wait, logs.told(error), exc_info=where
            )
        return False

    def _prove(self, case_id: str) -> bool:
        with self._db.read() as tx:
            case = cases.get(tx, case_id)
            asked = _distinct(flags.of_case(tx, case_id))
        found = [self._replayed(case, each) for each in asked]
        if any(each is None for each in found):
            return False
        at = clock.now()
        with self._db.write() as tx:
            now = cases.get(tx, case_id, to_change=True)
            if now.proof is not Proof.WAITING or now.round != case.round:
                return False  # proved by another process, or reopened meanwhile
            after = now.proved(at)
            cases.update(tx, now, after)
            flags.add_proofs(tx, [each for each in found if each is not None])
            cases.add_steps(tx, [Step(case_id, at, SYSTEM.id, Action.PROVED, after.state)])
        return True

    def _replayed(self, case: RevisionCase, flag: Flag) -> Replayed | None:
        """A flagged query then and now; None while there is no index to ask."""
        at = clock.now()
        with self._db.read() as tx:
            standing = content.standings(tx, [case.item], at).get(case.item) if case.item else None
            groups = standing.access.groups if standing else frozenset()
            asks = Person("replay", "replay", case.audience, groups=groups | case.groups)
            shown = interactions.search(tx, flag.search_id) if flag.search_id else None
            old = passages_of(tx, flag.item, flag.revision, asks)[1] if flag.item and flag.revision else ()
        answer = self._finder.find(asks, Query(flag.query, limit=LOOKED_AT), at)
        if "index" in answer.degraded:
            return None
        after = Place(None, None, None, "")
        for rank, hit in enumerate(answer.hits, 1):
            if hit.item == case.item:
                after = Place(rank, hit.passage.ref.revision, hit.passage.ref.ordinal, hit.passage.text)
        before = _before(
            asks, flag, old or (), shown.data.get("shown") if shown and shown.person_id == flag.person_id else None
        )
        return Replayed(case.id, case.round, flag.id, before, after, at)


def _distinct(found: Sequence[Flag]) -> list[Flag]:
    """The flags with a query, one for each that is worded differently."""
    different: dict[str, Flag] = {}
    for each in found:
        if each.query:
            different.setdefault(" ".join(fold(each.query).split()), each)
    return list(different.values())[:QUERIES]


def _before(asks: Person, flag: Flag, old: Sequence[Passage], shown: object) -> Place:
    """Where the search found the item when it was flagged, as its trail says, and what the passage said."""
    rank = None
    if isinstance(shown, list) and flag.item is not None:
        items = [ItemRef(hit[0], hit[1]) for hit in shown]
        rank = items.index(flag.item) + 1 if flag.item in items else None
    readable = [each for each in old if asks.reader.may_read(each.access)]
    passage = flagged(flag.ordinal, flag.quote, readable)
    return Place(rank, flag.revision, passage.ref.ordinal if passage else flag.ordinal, passage.text if passage else "")
