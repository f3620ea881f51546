"""The outbox: what the index still has to learn.

A change and its outbox rows are one transaction. A row says only *which* item changed; the indexer reads the
item as it is now and makes the index agree, so rows may be replayed in any order and any number of times.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from kb.passage import ItemRef


class Lane(IntEnum):
    """What is served first: people before bulk, lexical before dense (lower is sooner)."""

    PEOPLE_LEXICAL = 0
    PEOPLE_DENSE = 1
    BULK_LEXICAL = 2
    BULK_DENSE = 3

    @property
    def dense(self) -> "Lane":
        """The lane in which the vectors of a row from this lane follow."""
        return Lane.PEOPLE_DENSE if self < Lane.BULK_LEXICAL else Lane.BULK_DENSE

    @property
    def is_dense(self) -> bool:
        """Whether rows of this lane wait for vectors."""
        return self in (Lane.PEOPLE_DENSE, Lane.BULK_DENSE)


@dataclass(frozen=True, slots=True)
class Job:
    """One outbox row, claimed by an indexer."""

    id: int
    item: ItemRef
    lane: Lane
    created_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far the index is behind one lane: rows waiting, rows that failed, seconds since the oldest."""

    lane: Lane
    waiting: int
    failed: int
    oldest_s: float
