"""The editors' queue, as it goes over the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from kb.api.case_shapes import CASE, CaseOut
from kb.api.shapes import Id, NoNul, Shape, Short, example
from kb.case import Severity
from kb.flag import Cause
from kb.language import Language
from kb.queue import Entry, LineKind

Key = Annotated[str, StringConstraints(min_length=1, max_length=80), NoNul]

_KEY = "search:5b1e6a0c9d2f4f7b8c3d4e5f6a7b8c9d"


class QueueIn(Shape):
    """Which lines, and from where; within one field any of the values will do."""

    kind: Annotated[tuple[LineKind, ...], Field(max_length=7)] = ()
    owner: Annotated[
        Id | None, Field(description='An id, or "me": of the case, of the article, of either of a pair.')
    ] = None
    assignee: Annotated[Id | None, Field(description='An id, "me", or "none" for what nobody works on.')] = None
    mine: Annotated[bool, Field(description="Only what you own or work on.")] = False
    topic: Annotated[Short, Field(description="With all topics below it.")] = ""
    severity: Annotated[tuple[Severity, ...], Field(max_length=3, description="Only cases have one.")] = ()
    cause: Annotated[tuple[Cause, ...], Field(max_length=10, description="Only cases have one.")] = ()
    overdue: Annotated[bool, Field(description="Only those whose time is over.")] = False
    q: Annotated[Short, Field(description="In title, number, quote, note or query.")] = ""
    after: Annotated[Short, Field(description="`next` of the page before.")] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class SearchedOut(Shape):
    """A search of 30 days that failed, by two people or more."""

    query: Annotated[str, Field(description="As most of them typed it.")]
    count: Annotated[int, Field(description="How often it was asked.")]
    people: Annotated[int, Field(description="Who found nothing, or opened nothing of it.")]
    found_nothing: Annotated[int, Field(description="Those of them who found nothing.")]
    last_at: datetime


class DueOut(Shape):
    """An article to look at."""

    number: str
    version: int
    due: datetime


class PairOut(Shape):
    """Two articles that say nearly the same."""

    number: str
    other: str
    other_title: str
    likeness: Annotated[float, Field(description="Of the texts, from 0 to 1.")]


class PostOut(Shape):
    """A community post that no article says yet."""

    id: str
    url: str
    author: str
    score: Annotated[int, Field(description="Votes.")]
    accepted: bool
    source: str


class LineOut(Shape):
    """One line; of `case`, `search`, `article`, `pair` and `post` the one that its kind has."""

    kind: LineKind
    key: Annotated[str, Field(description="Stays the same as long as the line is there.")]
    title: str
    number: str | None
    language: Language | None
    topic: str
    demand: Annotated[int, Field(description="What the queue is ordered by: one scale for all kinds.")]
    due_at: datetime | None
    overdue: bool
    owner_id: str | None
    assignee_id: str | None
    case: CaseOut | None
    search: SearchedOut | None
    article: DueOut | None
    pair: PairOut | None
    post: PostOut | None

    @classmethod
    def of(cls, entry: Entry, at: datetime) -> "LineOut":
        """An entry as it is shown."""
        line, case, article = entry.line, entry.case, entry.article
        due_at = case.due_at if case else line.due_at if line else None
        named = article or entry.post
        return cls(
            kind=entry.kind,
            key=entry.key,
            title=entry.title,
            number=(case.label or None) if case else article.number if article else None,
            language=named.language if named else None,
            topic=case.topic if case else named.topic if named else "",
            demand=entry.demand,
            due_at=due_at,
            overdue=due_at is not None and due_at < at,
            owner_id=case.owner_id if case else article.owner_id if article else None,
            assignee_id=case.assignee_id if case else None,
            case=CaseOut.of(case, at) if case else None,
            search=_searched(entry),
            article=DueOut(number=article.number, version=article.version, due=due_at) if article and due_at else None,
            pair=_pair(entry),
            post=_post(entry),
        )


_LINE = {
    "kind": "search", "key": _KEY, "title": "cancel fibre 退订", "number": None, "language": None, "topic": "",
    "demand": 28, "due_at": None, "overdue": False, "owner_id": None, "assignee_id": None, "case": None,
    "search": {"query": "cancel fibre 退订", "count": 11, "people": 7, "found_nothing": 7,
               "last_at": "2026-03-14T12:00:00Z"},
    "article": None, "pair": None, "post": None,
}  # fmt: skip
_OF_CASE = _LINE | {
    "kind": "case", "key": f"case:{CASE['id']}", "title": CASE["title"], "number": CASE["number"],
    "topic": CASE["topic"], "demand": CASE["demand"], "due_at": CASE["due_at"], "owner_id": CASE["owner_id"],
    "case": CASE, "search": None,
}  # fmt: skip


class QueueOut(Shape):
    """What waits, the most pressing first."""

    model_config = example(
        {
            "lines": [_OF_CASE, _LINE],
            "counts": {"case": 214, "gap": 12, "search": 31, "stale": 1000, "expiring": 8, "duplicate": 3,
                       "community": 40},
            "next": None,
        }
    )  # fmt: skip

    lines: list[LineOut]
    counts: Annotated[
        dict[LineKind, int],
        Field(description="Lines of each kind that meet the other filters, whatever `kind` asks for; 1000 is 1,000 or "
              "more."),
    ]  # fmt: skip
    next: Annotated[str | None, Field(description="Send as `after` for the next page; null on the last.")]


class DismissIn(Shape):
    """Which lines are nothing (failing searches, duplicates, community posts), and why."""

    model_config = example({"keys": [_KEY], "reason": "Not ours to answer"})

    keys: Annotated[tuple[Key, ...], Field(min_length=1, max_length=100)]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300), NoNul] = ""


class RestoreIn(Shape):
    """Which lines are something after all."""

    model_config = example({"keys": [_KEY]})

    keys: Annotated[tuple[Key, ...], Field(min_length=1, max_length=100)]


class PutAsideOut(Shape):
    """What became of one line."""

    key: str
    code: Annotated[str, Field(description='Empty, or as in an error: "not_found", "invalid", ...')]
    message: str


class AllPutAsideOut(Shape):
    """What became of each line."""

    model_config = example({"results": [{"key": _KEY, "code": "", "message": ""}]})

    results: list[PutAsideOut]


def _searched(entry: Entry) -> SearchedOut | None:
    found = entry.line.searched if entry.line else None
    if found is None:
        return None
    return SearchedOut(
        query=found.query,
        count=found.count,
        people=found.people,
        found_nothing=found.found_nothing,
        last_at=found.last_at,
    )


def _pair(entry: Entry) -> PairOut | None:
    if entry.article is None or entry.other is None or entry.line is None:
        return None
    return PairOut(
        number=entry.article.number,
        other=entry.other.label,
        other_title=entry.other.title,
        likeness=entry.line.likeness or 0.0,
    )


def _post(entry: Entry) -> PostOut | None:
    post = entry.post
    if post is None:
        return None
    return PostOut(
        id=post.id, url=post.url, author=post.author, score=post.votes, accepted=post.accepted, source=post.source
    )
