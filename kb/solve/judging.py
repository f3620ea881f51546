"""Judging: sets of queries with what should be found for them, and how two settings of search compare over a set.

For staff of the innermost tier: queries are the words of colleagues. Whoever may not know of an item does not see its
judgement, and a query without any that they see only if it is their own; figures are of what they see.
"""

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from kb import clock
from kb.audience import Audience
from kb.errors import Conflict, Invalid, NotAllowed, NotFound
from kb.judgement import GRADES, JudgedQuery, JudgedSet, Judgement
from kb.number import parse_number
from kb.passage import ItemRef, Kind
from kb.person import Person, Right
from kb.query import Query
from kb.solve import seeing
from kb.solve.explaining import Trial, follow
from kb.solve.reuse import Finder
from kb.standing import Standing
from kb.store import articles, audit, judgements
from kb.store.database import Database, Tx

MOST_QUERIES = 2_000
"""Queries of one set."""

MOST_LINES = 5_000
"""Lines of a table that is read at once."""

MOST_CHARACTERS = 2_000
"""Characters of a query, as many as of a search."""

COMPARED = 500
"""Queries of a set that are compared, the first ones: two searches each, some 20 s where one takes 20 ms."""

AT_ONCE = 25
"""Queries compared in one call, so that a page can show how far it is and stop."""

CUT = 10
"""Hits that are measured: nDCG@10."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A set, with how many queries and judgements of it somebody sees."""

    set: JudgedSet
    queries: int
    judgements: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A query with its judgements, best grade first, and where their items stand."""

    query: JudgedQuery
    judgements: Sequence[Judgement]
    standings: Mapping[ItemRef, Standing]

    @property
    def grades(self) -> dict[ItemRef, int]:
        """Grade by item."""
        return {each.item: each.grade for each in self.judgements}


@dataclass(frozen=True, slots=True)
class Side:
    """One setting on one query: nDCG@10, how many of its hits nobody judged, the parts that were missing."""

    ndcg: float
    unjudged: int
    degraded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """One query under two settings."""

    query: JudgedQuery
    a: Side
    b: Side


def require(by: Person) -> None:
    """Nothing, or NotAllowed for whom the sets are not."""
    by.require(Right.TUNE)
    if by.tier is not Audience.INTERNAL:
        raise NotAllowed("sets of judged queries are for internal staff")


def listing(db: Database, by: Person) -> list[Listed]:
    """All sets, by name."""
    require(by)
    at = clock.now()
    with db.read() as tx:
        found = []
        for each in judgements.sets(tx):
            seen = _seen(tx, by, each.id, at)
            found.append(Listed(each, len(seen), sum(len(judged.judgements) for judged in seen)))
        return found


def create(db: Database, by: Person, name: str) -> JudgedSet:
    """A new, empty set; raises Invalid, and Conflict for a name that is taken."""
    require(by)
    at = clock.now()
    with db.write() as tx:
        return _create(tx, by, name, at)


def rename(db: Database, by: Person, set_id: str, name: str) -> JudgedSet:
    """The set under another name; raises NotFound, Invalid, Conflict."""
    require(by)
    with db.write() as tx:
        before = judgements.get_set(tx, set_id)
        after = replace(before, name=_free(tx, name, set_id))
        judgements.rename_set(tx, set_id, after.name)
        _log(tx, by, "rename", before, {"name": before.name}, {"name": after.name}, clock.now())
    return after


def delete(db: Database, by: Person, set_id: str) -> None:
    """Delete a set with all that is in it; raises NotFound."""
    require(by)
    with db.write() as tx:
        before = judgements.get_set(tx, set_id)
        judgements.delete_set(tx, set_id)
        _log(tx, by, "delete", before, {"name": before.name}, {}, clock.now())


def read(db: Database, by: Person, set_id: str) -> tuple[JudgedSet, list[Judged]]:
    """A set and its queries, oldest first; raises NotFound."""
    require(by)
    with db.read() as tx:
        return judgements.get_set(tx, set_id), _seen(tx, by, set_id, clock.now())


def grades(db: Database, by: Person, set_id: str, text: str, audience: Audience) -> dict[ItemRef, int]:
    """The grades that a set has for a query of that audience; raises NotFound."""
    _, seen = read(db, by, set_id)
    asked = JudgedQuery("", set_id, text, audience, by.id, clock.now()).key, audience
    same = [each for each in seen if (each.query.key, each.query.audience) == asked]
    return same[0].grades if same else {}


def judge(
    db: Database, by: Person, set_id: str, text: str, audience: Audience, item: ItemRef, grade: int | None
) -> None:
    """Say how well an item answers a query of that audience; None takes it back. Raises NotFound, Invalid."""
    require(by)
    at = clock.now()
    new = JudgedQuery(uuid.uuid4().hex, set_id, text, audience, by.id, at)
    with db.write() as tx:
        judgements.get_set(tx, set_id)
        if not seeing.standings(tx, by, [item], at):
            raise NotFound(f"no {item.kind} {item.id}")
        if grade is not None:
            _judge(tx, by, set_id, {new: {item: grade}}, at)
            return
        for each in judgements.queries(tx, set_id):
            if (each.key, each.audience) == (new.key, audience):
                judgements.take_back(tx, each.id, item)


def load(db: Database, by: Person, name: str, tsv: str) -> tuple[JudgedSet, int]:
    """A set of that name, new or added to, with the judgements of a table; returns it and how many there were.

    A line is: query, article number (or post/id), grade, and the audience as which it is asked (internal without).
    Fields are separated by tabs. Raises Invalid with the line of a bad one; then nothing is kept.
    """
    require(by)
    at = clock.now()
    lines = [(number, line) for number, line in enumerate(tsv.splitlines(), 1) if line.strip()]
    if not 1 <= len(lines) <= MOST_LINES:
        raise Invalid(f"a table has 1 to {MOST_LINES:,} lines", "tsv")
    rows = [_row(line, number) for number, line in lines]
    with db.read() as tx:
        items = _items(tx, by, {row.named: row.line for row in rows}, at)
    with db.write() as tx:
        try:
            into = judgements.set_named(tx, _name(name))
        except NotFound:
            into = _create(tx, by, name, at)
        queries: dict[tuple[str, Audience], JudgedQuery] = {}
        graded: dict[JudgedQuery, dict[ItemRef, int]] = {}
        for row in rows:
            # Each a moment later, so that they keep their order.
            moment = at + timedelta(microseconds=row.line)
            new = JudgedQuery(uuid.uuid4().hex, into.id, row.text, row.audience, by.id, moment)
            graded.setdefault(queries.setdefault((new.key, new.audience), new), {})[items[row.named]] = row.grade
        _judge(tx, by, into.id, graded, at)
    return into, sum(map(len, graded.values()))


def compare(
    finder: Finder, by: Person, set_id: str, a: Trial, b: Trial, after: str | None = None
) -> tuple[list[Compared], str | None, int]:
    """The next `AT_ONCE` queries of a set under two settings: the results, where to go on (None at the end), and how
    many are compared in all.

    Each is asked as its audience, by the code that answers people, and leaves no trace in the trail. What nobody
    judged counts as not relevant. Raises NotFound.
    """
    _, seen = read(finder.db, by, set_id)
    chosen = [each for each in seen if any(each.grades.values())][:COMPARED]
    ids = [each.query.id for each in chosen]
    if after is not None and after not in ids:
        raise NotFound(f"no query {after}")
    start = ids.index(after) + 1 if after is not None else 0
    part = chosen[start : start + AT_ONCE]
    found = [Compared(each.query, _side(finder, by, each, a), _side(finder, by, each, b)) for each in part]
    more = start + AT_ONCE < len(chosen)
    return found, part[-1].query.id if more else None, len(chosen)


def ndcg(ranking: Sequence[ItemRef], grades: Mapping[ItemRef, int], cut: int = CUT) -> float:
    """nDCG@cut with the grade as gain and log2(place + 1) as discount (Järvelin and Kekäläinen 2002), in [0, 1].

    0 where nothing is relevant, as ir-measures has it.
    """
    best = _dcg(sorted(grades.values(), reverse=True)[:cut])
    return _dcg([grades.get(item, 0) for item in ranking[:cut]]) / best if best else 0.0


def asker_of(by: Person, audience: Audience) -> Person:
    """Who asks a judged query: a reader of its audience; of the innermost one, with the groups of `by`."""
    groups = by.groups if audience is by.tier else frozenset[str]()
    return replace(by, tier=audience, groups=groups, roles=frozenset())


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1))


def _side(finder: Finder, by: Person, each: Judged, trial: Trial) -> Side:
    query = Query(each.query.text, limit=CUT)
    answer = follow(finder, asker_of(by, each.query.audience), query, clock.now(), trial).answer
    found = [hit.item for hit in answer.hits]
    unjudged = sum(item not in each.grades for item in found)
    return Side(ndcg(found, each.grades), unjudged, answer.degraded)


def _seen(tx: Tx, by: Person, set_id: str, at: datetime) -> list[Judged]:
    queries = judgements.queries(tx, set_id)
    of = judgements.of_queries(tx, [each.id for each in queries])
    items = {judgement.item for found in of.values() for judgement in found}
    standings = seeing.standings(tx, by, items, at)
    seen = []
    for query in queries:
        mine = [each for each in of[query.id] if each.item in standings]
        if mine or query.created_by == by.id:
            seen.append(Judged(query, mine, {each.item: standings[each.item] for each in mine}))
    return seen


def _judge(tx: Tx, by: Person, set_id: str, graded: Mapping[JudgedQuery, Mapping[ItemRef, int]], at: datetime) -> None:
    if any(grade not in GRADES for found in graded.values() for grade in found.values()):
        raise Invalid("a grade is 0, 1, 2 or 3", "grade")
    kept = judgements.ensure_queries(tx, set_id, list(graded))
    if len(judgements.queries(tx, set_id)) > MOST_QUERIES:
        raise Invalid(f"a set has at most {MOST_QUERIES:,} queries")
    new = [
        Judgement(query.id, item, grade, by.id, at)
        for query, found in zip(kept, graded.values(), strict=True)
        for item, grade in found.items()
    ]
    judgements.judge(tx, new)


def _create(tx: Tx, by: Person, name: str, at: datetime) -> JudgedSet:
    new = JudgedSet(uuid.uuid4().hex, _free(tx, name), by.id, at)
    judgements.add_set(tx, new)
    _log(tx, by, "create", new, {}, {"name": new.name}, at)
    return new


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100:
        raise Invalid("a set has a name of 1 to 100 characters", "name")
    return name


def _free(tx: Tx, name: str, but: str = "") -> str:
    name = _name(name)
    if any(each.name == name and each.id != but for each in judgements.sets(tx)):
        raise Conflict(f"there is a set called {name} already")
    return name


def _log(
    tx: Tx,
    by: Person,
    action: str,
    about: JudgedSet,
    before: Mapping[str, object],
    after: Mapping[str, object],
    at: datetime,
) -> None:
    audit.write(tx, [audit.Change(by.id, action, "judged_set", about.id, before, after, at)])


class _Row(NamedTuple):
    """A line of a table of judgements."""

    text: str
    named: str
    grade: int
    audience: Audience
    line: int


def _row(text: str, line: int) -> _Row:
    fields = [each.strip() for each in text.split("\t")]
    try:
        query, named, grade = fields[:3]
        audience = Audience(fields[3]) if len(fields) > 3 else Audience.INTERNAL
        if not query or len(query) > MOST_CHARACTERS or len(fields) > 4 or int(grade) not in GRADES:
            raise ValueError
    except ValueError:
        raise Invalid(
            "a line is: query, article number or post/id, grade from 0 to 3, and an audience or nothing, "
            "with tabs between them",
            "tsv",
            line,
        ) from None
    return _Row(query, named, int(grade), audience, line)


def _items(tx: Tx, by: Person, named: Mapping[str, int], at: datetime) -> dict[str, ItemRef]:
    """The item for each name, an article's number or kind/id; raises Invalid with its line."""
    numbers = {name: number for name in named if (number := parse_number(name))}
    ids = articles.ids_of(tx, numbers.values())
    found = {name: ItemRef(Kind.ARTICLE, ids[number]) for name, number in numbers.items() if number in ids}
    for name in named.keys() - numbers.keys():
        kind, _, item_id = name.partition("/")
        if item_id and kind in set(Kind):
            found[name] = ItemRef(Kind(kind), item_id)
    known = seeing.standings(tx, by, found.values(), at)
    for name, line in named.items():
        if found.get(name) not in known:
            raise Invalid(f"there is nothing called {name}, or it is not for you", "tsv", line)
    return found
