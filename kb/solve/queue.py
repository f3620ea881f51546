"""The editors' one queue: what waits for somebody, of every kind, ordered by demand.

Cases come from where they are kept, all else from lines that `kb.solve.queueing` works out in the background. Both are
filtered in SQL by what the reader may see, and what they are about is asked of `seeing` once more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import islice

from kb import clock
from kb.article import Article
from kb.case import MOST_DEMAND, TO_DO, RevisionCase, Severity
from kb.errors import Invalid, KbError, NotFound
from kb.flag import Cause
from kb.passage import Kind
from kb.person import Person, Right
from kb.queue import OF_ARTICLES, OF_CASES, TO_DISMISS, Entry, Line, LineKind
from kb.solve import seeing
from kb.solve.folding import words
from kb.solve.upkeep import Terms
from kb.store import articles, audit, cases, posts, queue
from kb.store.cases import Wanted
from kb.store.database import Database, Tx
from kb.store.queue import Sought
from kb.text.hygiene import tidy

COUNTED = 1_000
"""Lines of a kind that are counted: more is "1,000 or more" to anybody, and counting costs as much as reading."""

SUBJECT = "queue"
"""What audit entries call a line."""

_ORDER = {kind: place for place, kind in enumerate(LineKind)}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines; what is empty asks nothing. What a kind does not have, no line of it meets.

    `unassigned` asks for what nobody works on, which is every line that is no case; `whose` for what somebody owns or
    works on.
    """

    kinds: tuple[LineKind, ...] = ()
    owner_id: str = ""
    assignee_id: str = ""
    unassigned: bool = False
    whose: str = ""
    topic: str = ""
    severities: tuple[Severity, ...] = ()
    causes: tuple[Cause, ...] = ()
    overdue: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, the most pressing first; how many there are of each kind (COUNTED at most), whatever kinds were asked
    for; and where to go on."""

    entries: list[Entry]
    counts: dict[LineKind, int]
    next: str | None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one line of many."""

    key: str
    error: KbError | None = None


def listing(db: Database, by: Person, terms: Terms, asked: Asked, after: str, limit: int) -> Page:
    """The queue as it is for `by`. Needs the right to flag; raises Invalid for an `after` that was never given out."""
    by.require(Right.FLAG)
    place, at = _place(after), clock.now()
    with db.read() as tx:
        kinds = [kind for kind in LineKind if _has(kind, asked) and (not asked.kinds or kind in asked.kinds)]
        found = [_read(tx, by, terms, kind, asked, at, _behind(place, kind), limit + 1) for kind in kinds]
        ordered = list(islice(merge(*found, key=_rank), limit + 1))
        entries = _told(tx, by, terms, ordered[:limit], at)
        counts = count(tx, by, terms, asked, at)
    last = ordered[limit - 1] if len(ordered) > limit else None
    return Page(entries, counts, _cursor(last) if last else None)


def count(tx: Tx, by: Person, terms: Terms, asked: Asked, at: datetime) -> dict[LineKind, int]:
    """How many lines there are of each kind for `by`, COUNTED at most, whatever kinds are asked for."""

    def counted(kind: LineKind) -> int:
        if not _has(kind, asked):
            return 0
        if kind in OF_CASES:
            return cases.count(tx, by.reader, _wanted(kind, asked, at), COUNTED)
        return queue.count(tx, by.reader, kind, _sought(terms, asked, at), COUNTED)

    return {kind: counted(kind) for kind in LineKind}


def _read(
    tx: Tx,
    by: Person,
    terms: Terms,
    kind: LineKind,
    asked: Asked,
    at: datetime,
    behind: tuple[int, str] | None,
    limit: int,
) -> list[Entry]:
    """The lines of one kind, in order, not yet told what they are about."""
    if kind in OF_CASES:
        return list(map(_of_case, cases.listing(tx, by.reader, _wanted(kind, asked, at), behind, limit)))
    lines = queue.page(tx, by.reader, kind, _sought(terms, asked, at), behind, limit)
    return [Entry(each.key, kind, each.demand, line=each) for each in lines]


def dismiss(db: Database, by: Person, terms: Terms, keys: Sequence[str], reason: str) -> list[Done]:
    """Put lines aside, each for itself. A search comes back when enough people search for it again, a pair when one
    of the two is revised, a post when it is changed. Needs the right to fix."""
    said = tidy(reason).strip()

    def step(tx: Tx, line: Line, at: datetime) -> None:
        queue.set_dismissed(tx, line, by.id, said, at)
        after: dict[str, object] = {"kind": line.kind.value, "reason": said}
        audit.write(tx, [audit.Change(by.id, "dismiss", SUBJECT, line.id, {}, after, at)])

    return _each(db, by, terms, keys, step, dismissed=False)


def restore(db: Database, by: Person, terms: Terms, keys: Sequence[str]) -> list[Done]:
    """Take lines back that were put aside, each for itself. Needs the right to fix."""

    def step(tx: Tx, line: Line, at: datetime) -> None:
        queue.set_dismissed(tx, line, None, "", None)
        audit.write(tx, [audit.Change(by.id, "restore", SUBJECT, line.id, {}, {"kind": line.kind.value}, at)])

    return _each(db, by, terms, keys, step, dismissed=True)


def _each(
    db: Database,
    by: Person,
    terms: Terms,
    keys: Sequence[str],
    step: Callable[[Tx, Line, datetime], None],
    dismissed: bool,
) -> list[Done]:
    """One step for each of these lines; one that it has been done to already is left as it is."""
    by.require(Right.FLAG)
    by.require(Right.FIX)
    done: list[Done] = []
    for key in dict.fromkeys(keys):
        at = clock.now()
        try:
            kind, line_id = _named(key)
            sought = _sought(terms, Asked(), at)
            with db.write() as tx:
                line = queue.for_reader(tx, by.reader, kind, line_id, sought, dismissed)
                if line is None:
                    if queue.for_reader(tx, by.reader, kind, line_id, sought, not dismissed) is None:
                        raise NotFound(f"no line {key}")
                else:
                    step(tx, line, at)
            done.append(Done(key))
        except KbError as error:
            done.append(Done(key, error))
    return done


def _named(key: str) -> tuple[LineKind, str]:
    name, _, line_id = key.partition(":")
    if name not in set(LineKind) or not line_id:
        raise NotFound(f"no line {key}")
    if name not in TO_DISMISS:
        raise Invalid("a case is declined, an article confirmed or archived: only other lines are dismissed", "keys")
    return LineKind(name), line_id


def _has(kind: LineKind, asked: Asked) -> bool:
    """Whether lines of a kind can meet what is asked for at all."""
    if kind in OF_CASES:
        return not asked.causes or any(
            (each is Cause.NOTHING_ANSWERS) is (kind is LineKind.GAP) for each in asked.causes
        )
    if asked.severities or asked.causes or asked.assignee_id:
        return False
    if asked.whose and asked.owner_id not in ("", asked.whose):
        return False  # nobody works on it, and another owns it
    if (asked.owner_id or asked.whose) and kind in (LineKind.SEARCH, LineKind.COMMUNITY):
        return False
    if asked.topic and kind is LineKind.SEARCH:
        return False
    return not asked.overdue or kind not in TO_DISMISS


def _wanted(kind: LineKind, asked: Asked, at: datetime) -> Wanted:
    of_kind = [each for each in Cause if (each is Cause.NOTHING_ANSWERS) is (kind is LineKind.GAP)]
    return Wanted(
        states=TO_DO,
        causes=tuple(each for each in of_kind if not asked.causes or each in asked.causes),
        severities=asked.severities,
        owner_id=asked.owner_id,
        assignee_id=asked.assignee_id,
        unassigned=asked.unassigned,
        whose=asked.whose,
        topic=asked.topic,
        text=words(asked.text.strip()),
        due_before=at if asked.overdue else None,
    )


def _sought(terms: Terms, asked: Asked, at: datetime) -> Sought:
    text, owner_id = words(asked.text.strip()), asked.owner_id or asked.whose
    return Sought(at, at - terms.stale_after, at + terms.before, owner_id, asked.topic, text, asked.overdue)


def _of_case(case: RevisionCase) -> Entry:
    kind = LineKind.GAP if case.cause is Cause.NOTHING_ANSWERS else LineKind.CASE
    return Entry(f"{kind}:{case.id}", kind, case.demand, case=case, title=case.title)


def _told(tx: Tx, by: Person, terms: Terms, entries: Sequence[Entry], at: datetime) -> list[Entry]:
    """Entries with what they are about, less those whose items are not there for `by` after all."""
    lines = [each.line for each in entries if each.line is not None]
    items = {item for line in lines for item in (line.item, line.other) if item is not None}
    known = seeing.standings(tx, by, sorted(items), at)
    found = articles.by_ids(tx, {item.id for item in known if item.kind is Kind.ARTICLE})
    written = posts.by_ids(tx, {item.id for item in known if item.kind is Kind.POST})

    def told(entry: Entry) -> Entry | None:
        line = entry.line
        if line is None:
            return entry
        if line.item is None:
            return replace(entry, title=line.searched.query if line.searched else "")
        if line.item not in known or (line.other is not None and line.other not in known):
            return None
        article = found.get(line.item.id)
        return replace(
            entry,
            line=replace(line, due_at=_due(line.kind, article, terms)),
            title=known[line.item].title,
            article=article,
            post=written.get(line.item.id),
            other=known[line.other] if line.other else None,
        )

    return [each for entry in entries if (each := told(entry)) is not None]


def _due(kind: LineKind, article: Article | None, terms: Terms) -> datetime | None:
    """When an article ends, or since when it is stale, as it stands now."""
    if article is None or kind not in OF_ARTICLES:
        return None
    last = article.confirmed_at or article.published_at
    return article.valid_until if kind is LineKind.EXPIRING else last + terms.stale_after if last else None


def _rank(entry: Entry) -> tuple[int, int]:
    """Where an entry stands among those of other kinds; within a kind they are in order already."""
    return -entry.demand, _ORDER[entry.kind]


def _cursor(entry: Entry) -> str:
    return f"{entry.demand}-{entry.key}"


def _place(after: str) -> tuple[int, LineKind, str] | None:
    if not after:
        return None
    demand, _, key = after.partition("-")
    name, _, line_id = key.partition(":")
    known = demand.isascii() and demand.isdigit() and len(demand) <= len(str(MOST_DEMAND))
    if not known or int(demand) > MOST_DEMAND or name not in set(LineKind) or not line_id:
        raise Invalid("that is no `next` of this list: begin again", "after")
    return int(demand), LineKind(name), line_id


def _behind(place: tuple[int, LineKind, str] | None, kind: LineKind) -> tuple[int, str] | None:
    """Where the lines of a kind go on, as (demand, id): nothing is before the empty id."""
    if place is None:
        return None
    demand, of_kind, line_id = place
    if kind is of_kind:
        return demand, line_id
    return (demand + 1, "") if _ORDER[kind] > _ORDER[of_kind] else (demand, "")
