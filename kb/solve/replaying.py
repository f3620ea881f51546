"""What a change of the dictionary would do: the last real searches, asked again with it and without it.

Only searches that the change adds something to, or takes it from, need to be asked: all others find what they found.
"""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kb import clock
from kb.audience import Audience
from kb.dictionary import Meaning
from kb.errors import TooSoon
from kb.interaction import EventKind
from kb.passage import ItemRef
from kb.person import Person
from kb.query import Context, Query
from kb.search.dictionary import Dictionary
from kb.solve import dictionary
from kb.solve.reuse import Answer, Finder
from kb.standing import Standing
from kb.store import interactions
from kb.store.database import Database
from kb.text.script import fold

SEARCHES = 200
"""Distinct searches that are looked at: what people ask in an hour or a week, as busy as they are."""

TOP = 5
"""Hits that are compared: what people look at."""

_EVENTS = 4_000  # the latest of these are read to find so many distinct searches
_WAIT_S = 2.0
_REST_S = 0.1


@dataclass(frozen=True, slots=True)
class Past:
    """A search as somebody asked it: the text, as whom, and what else was known."""

    text: str
    tier: Audience
    context: Context


@dataclass(frozen=True, slots=True)
class Difference:
    """A search that finds something else with the change. `before` and `after` are its first hits."""

    past: Past
    before: tuple[Standing, ...]
    after: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do to the last searches.

    Of `searches` that were looked at, `touched` ask for something else with the change; `played` of these were asked
    again before the time was up, and `differences` found something else. `degraded` as in `Retrieval`.
    """

    searches: int
    touched: int
    played: int
    differences: tuple[Difference, ...]
    degraded: tuple[str, ...] = ()


class Replay:
    """Asks past searches again, one preview at a time: half of the time is left to people who wait for an answer."""

    def __init__(self, db: Database, finder: Finder, seconds: float = 10.0) -> None:
        self._db = db
        self._finder = finder
        self._seconds = seconds
        self._one = threading.Lock()

    def preview(self, by: Person, meaning: Meaning, entry_id: str | None = None) -> Preview:
        """What the entry would change: a new one, or that with this id with another meaning.

        Searches are asked as a plain reader of the tier that asked them, those of narrower tiers than that of `by` not
        at all; nothing is logged. Raises as `kb.solve.dictionary.create` does, and TooSoon while others look.
        """
        dictionary.check(by, meaning)
        if entry_id is not None:
            dictionary.read(self._db, by, entry_id)
        with self._db.read() as tx:
            known = dictionary.seen(tx, by)
            events = interactions.recent(tx, EventKind.SEARCHED, _EVENTS)
        past = _distinct((each.data for each in events), by.tier)
        before = self._with(each.meaning for each in known)
        after = self._with([*(each.meaning for each in known if each.id != entry_id), meaning])
        if not self._one.acquire(timeout=_WAIT_S):
            raise TooSoon("somebody else looks at a preview: try again in a moment", timedelta(seconds=5))
        try:
            return self._compared(past, before, after)
        finally:
            self._one.release()

    def _with(self, meanings: Iterable[Meaning]) -> Finder:
        """What finds with such a dictionary."""
        finder = self._finder
        searcher = finder.searcher.using(Dictionary(meanings))
        return replace(finder, searcher=searcher, corrector=finder.corrector and finder.corrector.using(searcher))

    def _compared(self, past: Sequence[Past], before: Finder, after: Finder) -> Preview:
        begun = time.monotonic()
        looked_at: list[Past] = []
        touched: list[Past] = []
        for each in past:
            if time.monotonic() - begun > self._seconds / 2:
                break
            looked_at.append(each)
            touched += [each] if _meant(before, each) != _meant(after, each) else []
        found: list[Difference] = []
        degraded: dict[str, None] = {}
        played, at = 0, clock.now()
        for each in touched:
            start = time.monotonic()
            if start - begun > self._seconds:
                break
            old, new = (_asked(finder, each, at) for finder in (before, after))
            played += 1
            degraded |= dict.fromkeys((*old.degraded, *new.degraded))
            if _items(old) != _items(new):
                found.append(Difference(each, _standings(old), _standings(new)))
            time.sleep(min(time.monotonic() - start, _REST_S))
        return Preview(len(looked_at), len(touched), played, tuple(found), tuple(degraded))


def _distinct(data: Iterable[Mapping[str, object]], tier: Audience) -> list[Past]:
    """The last searches, each once, that somebody of that tier may know of."""
    found: dict[tuple[str, Audience], Past] = {}
    for each in data:
        text, asked_as = str(each.get("query", "")), Audience(str(each.get("tier", Audience.INTERNAL)))
        key = " ".join(fold(text).split()), asked_as
        if asked_as.rank <= tier.rank and key not in found:
            context = Context(product=str(each.get("product", "")), channel=str(each.get("channel", "")))
            found[key] = Past(text, asked_as, context)
            if len(found) == SEARCHES:
                break
    return list(found.values())


def _meant(finder: Finder, past: Past) -> tuple[str, Mapping[str, float]]:
    """What is asked for in the end: spelling corrected, words of the dictionary added."""
    query = Query(past.text, _reader(past).reader)
    correction = finder.corrector.correct(query) if finder.corrector else None
    made = finder.searcher.expand(replace(query, text=correction.searched) if correction else query)
    return made.text, made.tokens


def _reader(past: Past) -> Person:
    """Somebody who reads as that tier and belongs to no group: whoever looks at the preview reads all they find."""
    return Person("replay", "replay", past.tier)


def _asked(finder: Finder, past: Past, at: datetime) -> Answer:
    return finder.find(_reader(past), Query(past.text, context=past.context, limit=TOP), at)


def _items(answer: Answer) -> list[ItemRef]:
    return [hit.item for hit in answer.hits]


def _standings(answer: Answer) -> tuple[Standing, ...]:
    return tuple(answer.standings[hit.item] for hit in answer.hits)
