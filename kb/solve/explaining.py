"""Explaining a search: both legs, the fused list and every prior, as somebody with less to read would get them.

It is the search itself (`Finder.find`) with its steps written down. Nobody learns more by asking as somebody else:
who asks as an audience reads what they and that audience may read, scored with that audience's statistics, and what
they may not know of is left out of every list.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from kb import clock
from kb.audience import Audience
from kb.errors import Invalid, NotAllowed
from kb.passage import ItemRef, Passage, PassageRef
from kb.person import Person, Right
from kb.query import Candidate, Context, Query, Reason
from kb.search.fusion import Weights
from kb.search.ranking import PRIORS, Found, Ranked, rank
from kb.solve import seeing
from kb.solve.reuse import Answer, Finder
from kb.standing import Standing
from kb.store import passages
from kb.store.database import Tx

DEPTH = 20
"""Passages of each leg, and items, that are told: twice what a search shows."""

_DIGITS = {"lexical": 2, "dense": 3}

LEGS = tuple(_DIGITS)


@dataclass(frozen=True, slots=True)
class Trial:
    """Settings to try: weights of the legs instead of the index's own, and how many times a prior counts, by its name.

    The default changes nothing: it is what people get.
    """

    weights: Weights | None = None
    priors: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.priors.keys() - PRIORS:
            raise Invalid(f"there is no prior {name}; there are {', '.join(sorted(PRIORS))}", "priors")


AS_IT_IS = Trial()


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a leg: from 1, with the leg's own score (BM25 or cosine)."""

    place: int
    score: float


@dataclass(frozen=True, slots=True)
class LegHit:
    """A passage in one leg. `passage` is None where the index still has one that the record no longer shows."""

    at: Place
    ref: PassageRef
    standing: Standing
    passage: Passage | None


@dataclass(frozen=True, slots=True)
class Row:
    """An item of the fused list: its place among what was shown (None below the cut), its score and every reason.

    `legs` says where its best passage stands in each leg that returned one.
    """

    place: int | None
    standing: Standing
    passage: Passage | None
    score: float
    why: tuple[Reason, ...]
    legs: Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class Dropped:
    """An item that the index returned and the record did not confirm: for its "audience", "state" or "text"."""

    standing: Standing
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A search, taken apart: `legs` are passages, best first; `rows` items, first those shown, then those below."""

    answer: Answer
    legs: Mapping[str, Sequence[LegHit]]
    rows: Sequence[Row]
    dropped: Sequence[Dropped]


@dataclass(frozen=True, slots=True)
class Followed:
    """A search and all the items that were put in order on its way, best first within each slice."""

    answer: Answer
    ranked: Sequence[Ranked]
    limit: int

    @property
    def candidates(self) -> Sequence[Candidate]:
        """The fused passages."""
        return self.answer.retrieval.candidates


def asking_as(by: Person, audience: Audience | None, groups: Collection[str] = ()) -> Person:
    """Somebody of that audience, in these groups and without a role; without an audience `by` as they are.

    Raises NotAllowed without the right to tune, and for whoever would read more than `by` does.
    """
    by.require(Right.TUNE)
    if audience is None:
        if groups:
            raise Invalid("groups go with an audience: as yourself you have your own", "groups")
        return by
    if audience.rank > by.tier.rank or not by.groups.issuperset(groups):
        raise NotAllowed("you can ask as somebody who reads no more than you do")
    return replace(by, tier=audience, groups=frozenset(groups), roles=frozenset())


def follow(finder: Finder, asker: Person, query: Query, at: datetime, trial: Trial = AS_IT_IS) -> Followed:
    """Search as `asker` and remember what was ranked. Nothing of it goes to the trail."""
    ranked: list[Ranked] = []

    def order(
        found: list[Found], standing: Callable[[ItemRef], Standing], context: Context, when: datetime
    ) -> list[Ranked]:
        here = rank(found, standing, context, when, trial.priors)
        ranked.extend(here)
        return here

    return Followed(finder.find(asker, query, at, weights=trial.weights, order=order), ranked, query.limit)


def explain(finder: Finder, by: Person, asker: Person, query: Query, trial: Trial = AS_IT_IS) -> Explanation:
    """What a search of `asker` gives and why, told to `by`; `asker` is from `asking_as`."""
    at = clock.now()
    followed = follow(finder, asker, query, at, trial)
    items = {each.ref.item for each in followed.candidates} | {each.item for each in followed.answer.hits}
    with finder.db.read() as tx:
        known = seeing.standings(tx, by, items, at)
        legs = {name: in_leg(followed.candidates, name, known) for name in LEGS}
        without = _without_text(tx, asker, followed)
        rows = _rows(followed, legs, known, without)
        current = _readable(tx, asker, [each.ref for leg in legs.values() for each in leg[:DEPTH]], rows)
    return Explanation(
        followed.answer,
        {name: _leg_hits(leg[:DEPTH], name, known, current) for name, leg in legs.items()},
        [replace(each, passage=each.passage or current.get(ref)) for each, ref in rows],
        _dropped(asker, followed, known, without),
    )


def in_leg(candidates: Iterable[Candidate], name: str, known: Collection[ItemRef]) -> list[Candidate]:
    """The candidates that a leg returned, in its own order; only of items that are known."""
    found = [each for each in candidates if score_in(each, name) is not None and each.ref.item in known]
    return sorted(found, key=lambda each: (-(score_in(each, name) or 0.0), each.ref))


def score_in(candidate: Candidate, leg: str) -> float | None:
    """The raw score that a leg gave, if it returned the passage."""
    return candidate.lexical if leg == "lexical" else candidate.dense


def best_place(leg: Sequence[Candidate], name: str, item: ItemRef) -> Place | None:
    """Where the item's first passage stands in a leg."""
    for place, each in enumerate(leg, 1):
        if each.ref.item == item:
            return place_of(each, name, place)
    return None


def place_of(candidate: Candidate, leg: str, place: int) -> Place:
    """A place with its score, rounded to what means something.

    The engine adds up single-precision numbers in an order of its own: their last digits follow from text that is not
    for everybody.
    """
    return Place(place, round(score_in(candidate, leg) or 0.0, _DIGITS[leg]))


def _without_text(tx: Tx, asker: Person, followed: Followed) -> set[ItemRef]:
    """Items that were ranked above something shown and are not shown, since the record has no text of them."""
    shown = {each.item for each in followed.answer.hits}
    ranked = [each.found.item for each in followed.ranked]
    if len(shown) >= followed.limit:
        ranked = ranked[: max((n for n, item in enumerate(ranked, 1) if item in shown), default=0)]
    missing = [item for item in ranked if item not in shown]
    current = passages.of_items(tx, missing) if missing else {}
    return {item for item in missing if not any(asker.reader.may_read(each.access) for each in current[item])}


def _rows(
    followed: Followed,
    legs: Mapping[str, Sequence[Candidate]],
    known: Mapping[ItemRef, Standing],
    without: Collection[ItemRef],
) -> list[tuple[Row, PassageRef]]:
    """What was shown, as it was shown, then what was ranked below; each with the reference of its passage."""
    shown = [each for each in followed.answer.hits if each.item in known]
    taken = {each.item for each in shown}.union(without)
    below = [each for each in followed.ranked if each.found.item in known and each.found.item not in taken]

    def places(item: ItemRef) -> dict[str, Place]:
        return {name: at for name, leg in legs.items() if (at := best_place(leg, name, item))}

    rows = [
        (Row(n, known[each.item], each.passage, each.score, each.why, places(each.item)), each.passage.ref)
        for n, each in enumerate(shown, 1)
    ]
    for ranked in below[: max(DEPTH - len(rows), 0)]:
        item = ranked.found.item
        rows.append((Row(None, known[item], None, ranked.score, ranked.why, places(item)), ranked.found.best.ref))
    return rows


def _readable(
    tx: Tx, asker: Person, refs: Sequence[PassageRef], rows: Sequence[tuple[Row, PassageRef]]
) -> dict[PassageRef, Passage]:
    found = passages.get(tx, [*refs, *(ref for row, ref in rows if row.passage is None)])
    return {ref: each for ref, each in found.items() if asker.reader.may_read(each.access)}


def _leg_hits(
    leg: Sequence[Candidate], name: str, known: Mapping[ItemRef, Standing], current: Mapping[PassageRef, Passage]
) -> list[LegHit]:
    return [
        LegHit(place_of(each, name, place), each.ref, known[each.ref.item], current.get(each.ref))
        for place, each in enumerate(leg, 1)
    ]


def _dropped(
    asker: Person, followed: Followed, known: Mapping[ItemRef, Standing], without: Collection[ItemRef]
) -> list[Dropped]:
    """What was not confirmed, of what `by` knows of; without them they could not tell why something is missing."""
    found = []
    for item in dict.fromkeys(each.ref.item for each in followed.candidates):
        standing = known.get(item)
        if standing is None:
            continue
        if not asker.reader.may_read(standing.access):
            found.append(Dropped(standing, "audience"))
        elif not standing.live:
            found.append(Dropped(standing, "state"))
        elif item in without:
            found.append(Dropped(standing, "text"))
    return found
