"""Judged queries: what people say should be found, in sets that search is measured with."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from kb.audience import Audience
from kb.passage import ItemRef

GRADES = range(4)
"""0 is not relevant, 1 helps, 2 answers, 3 answers best."""


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """Queries that belong together, under a name that no other set has."""

    id: str
    name: str
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query of a set. `audience` is the tier as which it is asked."""

    id: str
    set_id: str
    text: str
    audience: Audience
    created_by: str
    created_at: datetime

    @property
    def key(self) -> str:
        """What makes it the same query: case, width and spaces do not."""
        return " ".join(unicodedata.normalize("NFKC", self.text).casefold().split())


@dataclass(frozen=True, slots=True)
class Judgement:
    """How well an item answers a query: a grade out of `GRADES`."""

    query_id: str
    item: ItemRef
    grade: int
    judged_by: str
    judged_at: datetime
