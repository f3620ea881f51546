"""The editors' one queue: lines of seven kinds, ordered by one measure, demand.

A case says how many people are in trouble and how badly (`kb.case.demand_of`): WEIGHT[severity] x (voices + uses of
30 days). What no flag has brought up is measured on the same scale, so that "fifteen searched for this in vain" and
"fifteen flagged that" weigh the same. `docs/architecture.md` has the formulas in one table.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kb.article import Article
from kb.audience import Audience
from kb.case import MOST_DEMAND, WEIGHT, RevisionCase, Severity
from kb.passage import ItemRef
from kb.post import Post
from kb.standing import Standing


class LineKind(StrEnum):
    """What a line of the queue is about."""

    CASE = "case"
    GAP = "gap"  # a case of nothing_answers
    SEARCH = "search"  # asked by several, and nothing was found or opened
    STALE = "stale"  # nobody has said for long that it is right
    EXPIRING = "expiring"  # it ends soon, or has ended
    DUPLICATE = "duplicate"  # two articles say nearly the same
    COMMUNITY = "community"  # a post that no article says yet


OF_CASES = (LineKind.CASE, LineKind.GAP)
OF_ARTICLES = (LineKind.STALE, LineKind.EXPIRING)
TO_DISMISS = (LineKind.SEARCH, LineKind.DUPLICATE, LineKind.COMMUNITY)
"""What somebody may say is nothing. A case is declined instead, an article confirmed."""

FEWEST = 2
"""People who have to have searched for something before anybody else is shown it: what one types is their own."""

BACK_AFTER = 5
"""People who search for something after it was dismissed until it comes back; as many as make a case of "not helpful"
unless an operator decides otherwise."""

LOW, NORMAL = WEIGHT[Severity.LOW], WEIGHT[Severity.NORMAL]

_QUARTER = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Searched:
    """A search that failed, in words as most of them typed it. `found_nothing` and `opened_nothing` are people."""

    query: str
    count: int
    found_nothing: int
    opened_nothing: int
    last_at: datetime

    @property
    def people(self) -> int:
        """Who was not helped, each once."""
        return self.found_nothing + self.opened_nothing

    @property
    def demand(self) -> int:
        """Who found nothing is somebody who flags a gap; who opened nothing may have read the answer in the list."""
        return min(NORMAL * self.found_nothing + LOW * self.opened_nothing, MOST_DEMAND)


@dataclass(frozen=True, slots=True)
class Line:
    """One line as kept for those that are no cases. Its key is "kind:id".

    `id` is that of the article or post, else a digest. `tier` is whose line it is where tiers see different ones
    (searches, community), None for anybody who may read its items. `words` is what it can be searched by, folded.
    `basis` is what it was worked out from, such as revisions: who puts it aside does so for that.
    """

    kind: LineKind
    id: str
    demand: int
    tier: Audience | None = None
    item: ItemRef | None = None
    other: ItemRef | None = None
    due_at: datetime | None = None
    words: str = ""
    searched: Searched | None = None
    likeness: float | None = None
    basis: str = ""
    dismissed_at: datetime | None = None

    @property
    def key(self) -> str:
        """What it is called in the queue."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line as somebody is shown it: a case, or a line with what it is about."""

    key: str
    kind: LineKind
    demand: int
    case: RevisionCase | None = None
    line: Line | None = None
    article: Article | None = None
    post: Post | None = None
    title: str = ""
    other: Standing | None = None


def stale_demand(reuse: int, since: datetime, at: datetime) -> int:
    """Of an article that nobody has confirmed since it was due: (1 + reuse) x a weight that grows from low to normal.

    It grows by 1 a quarter: what is used and was overdue for nine months is taken to be as wrong as what one flags.
    """
    weight = min(LOW + int((at - since) / _QUARTER), NORMAL)
    return min((1 + reuse) * max(weight, LOW), MOST_DEMAND)


def expiring_demand(reuse: int, ends: datetime, at: datetime) -> int:
    """Of an article that ends: (1 + reuse) x low until then, normal afterwards, when nobody is shown it any more."""
    return min((1 + reuse) * (NORMAL if ends <= at else LOW), MOST_DEMAND)


def duplicate_demand(reuse: int, other: int) -> int:
    """Of two articles that say the same: (1 + reuse of both) x low."""
    return min(LOW * (1 + reuse + other), MOST_DEMAND)


def community_demand(votes: int, reuse: int) -> int:
    """Of a post that no article says: normal x reuse + low x (1 + log2(1 + votes)).

    Votes are of years and of another place: a thousand of them count as ten voices. Who sends customers what nobody
    here has checked had no article to send.
    """
    return min(NORMAL * reuse + LOW * (1 + int(math.log2(1 + max(votes, 0)))), MOST_DEMAND)
