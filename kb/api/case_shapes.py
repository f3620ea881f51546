"""Flags, cases and notifications, as they go over the wire."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from pydantic import Field

from kb.api.article_shapes import StepOut
from kb.api.shapes import Id, Number, Shape, Short, example, files_at
from kb.audience import Audience
from kb.case import Action, Place, Proof, RevisionCase, Severity, State
from kb.flag import Cause, Flag, Road
from kb.passage import Kind, Passage
from kb.solve.casework import Told
from kb.solve.history import Comparison
from kb.solve.quoting import Quoted
from kb.solve.rating import Ratings
from kb.text.difference import Step as Stretch
from kb.text.markdown import plain, render

AN_ID, AN_AGENT, AN_EDITOR = (
    "7c1d5e9a2b3f4a6c8d0e1f2a3b4c5d6e",
    "5b1e6a0c9d2f4f7b8c3d4e5f6a7b8c9d",
    "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
)
CASE = {
    "id": AN_ID, "cause": "wrong_fact", "road": "owner", "state": "open", "severity": "normal", "audience": "internal",
    "kind": "article", "item_id": "9f3c2b7a1d5e4c6f8a0b1c2d3e4f5a6b", "number": "482-9175",
    "title": "The hub's light is red", "topic": "broadband/faults", "revision": 3, "ordinal": 0, "heading": [],
    "quote": "Hold reset for ten seconds.", "count": 3, "reuse": 12, "demand": 60, "owner_id": AN_EDITOR,
    "assignee_id": None, "reason": "", "opened_at": "2026-03-14T12:00:00Z", "changed_at": "2026-03-14T12:05:00Z",
    "due_at": "2026-03-16T18:00:00Z", "overdue": False, "fixed_at": None, "fixed_revision": None,
    "changes_meaning": False, "proof": "", "closed_at": None, "turn_around_s": None, "version": 4,
}  # fmt: skip


class CaseOut(Shape):
    """A revision case: flags of one cause about one sentence, or without one about one passage, in any revision."""

    model_config = example(CASE)

    id: str
    cause: Cause
    road: Annotated[Road, Field(description="Whose work it is.")]
    state: State
    severity: Severity
    audience: Annotated[Audience, Field(description="The tier of those who flagged; no tier below sees it.")]
    kind: Kind | None
    item_id: str | None
    number: Annotated[str | None, Field(description="Of the article, as it was.")]
    title: Annotated[str, Field(description="As it was; of a gap, what was asked.")]
    topic: str
    revision: int | None
    ordinal: int | None
    heading: list[str]
    quote: str
    count: Annotated[int, Field(description="Who flagged it, each once.")]
    reuse: Annotated[int, Field(description="Interactions of 30 days in which the item was linked, inserted, copied.")]
    demand: Annotated[int, Field(description="What the list is ordered by: severity (1, 4, 64) x (count + reuse).")]
    owner_id: str | None
    assignee_id: str | None
    reason: Annotated[str, Field(description="Why it was declined.")]
    opened_at: datetime
    changed_at: datetime
    due_at: datetime
    overdue: bool
    fixed_at: datetime | None
    fixed_revision: int | None
    changes_meaning: bool
    proof: Annotated[Proof, Field(description="waiting: for the index to have the fix.")]
    closed_at: datetime | None
    turn_around_s: Annotated[float | None, Field(description="Seconds from the first flag to acceptance.")]
    version: int

    @classmethod
    def of(cls, case: RevisionCase, at: datetime) -> "CaseOut":
        """A case as it is shown."""
        return cls(**case_fields(case, at))


def case_fields(case: RevisionCase, at: datetime) -> dict[str, object]:
    """The fields of a case, for shapes that show more."""
    hidden = {"road", "kind", "item_id", "number", "heading", "overdue"}
    same = {name: getattr(case, name) for name in CaseOut.model_fields if name not in hidden}
    return same | {
        "road": case.road,
        "kind": case.item.kind if case.item else None,
        "item_id": case.item.id if case.item else None,
        "number": case.label or None,
        "heading": list(case.heading),
        "overdue": case.to_do and case.due_at < at,
    }


class FlagOut(Shape):
    """What one person said. `said_by` and `said_in`: of feedback that was brought in, somebody and a contact that are
    not known here, as their source calls them."""

    id: str
    person_id: str
    created_at: datetime
    changed_at: datetime
    item_id: Annotated[
        str | None, Field(description="Another than the case's: of an article that was merged into that one since.")
    ]
    revision: int | None
    ordinal: int | None
    quote: str
    note: str
    query: str
    search_id: str | None
    interaction_id: str | None
    severe: bool
    said_by: str
    said_in: str

    @classmethod
    def of(cls, flag: Flag) -> "FlagOut":
        """A flag as it is shown."""
        fields = {name: getattr(flag, name) for name in cls.model_fields if name != "item_id"}
        return cls(**fields, item_id=flag.item.id if flag.item else None)


class HistoryOut(Shape):
    """A step of a case; `text` is a comment or a reason, `whom_id` who was given the case."""

    at: datetime
    person_id: str
    action: Action
    state: State
    text: str
    whom_id: str | None


class PlaceOut(Shape):
    """Where a query finds the item among its first ten hits, and what the passage says."""

    rank: int | None
    revision: int | None
    ordinal: int | None
    text: str

    @classmethod
    def of(cls, place: Place) -> "PlaceOut":
        """A place as it is shown."""
        return cls(rank=place.rank, revision=place.revision, ordinal=place.ordinal, text=plain(place.text))


class ProofOut(Shape):
    """A flagged query, when it was flagged and after the fix; `round` counts fixes."""

    round: int
    query: str
    at: datetime
    before: PlaceOut
    after: PlaceOut


class PassageOut(Shape):
    """A passage of one revision, as you may read it."""

    revision: int
    heading: list[str]
    html: str

    @classmethod
    def of(cls, found: Passage | None, number: str) -> "PassageOut | None":
        """A passage of the article with that number (or "" of a post) as it is shown."""
        if found is None:
            return None
        html = render(found.text, files_at(number) if number else "")
        return cls(revision=found.ref.revision, heading=list(found.heading), html=html)


class QuotedOut(Shape):
    """The flagged passage as it was, and what stands in its place today; each null where there is none for you."""

    then: PassageOut | None
    now: PassageOut | None
    changes: Annotated[list[StepOut], Field(description="Between both, without markup.")]

    @classmethod
    def of(cls, found: Quoted, number: str) -> "QuotedOut":
        """What a case quotes as it is shown."""
        then, now = (PassageOut.of(each, number) for each in (found.then, found.now))
        return cls(then=then, now=now, changes=_steps(found.changes))


class ChangedOut(Shape):
    """What a fix changed, word by word (Chinese by character), cut to what you may read, without markup."""

    from_: Annotated[int, Field(alias="from")]
    to: int
    title: list[StepOut]
    body: list[StepOut]

    @classmethod
    def of(cls, found: Comparison | None) -> "ChangedOut | None":
        """A comparison as it is shown."""
        if found is None:
            return None
        title, body = _steps(found.title), _steps(found.body)
        return cls(**{"from": found.old.number}, to=found.new.number, title=title, body=body)


_FLAG = {
    "id": "2b3c4d5e6f708192a3b4c5d6e7f80912", "person_id": AN_AGENT, "created_at": "2026-03-14T12:00:00Z",
    "changed_at": "2026-03-14T12:00:00Z", "item_id": "9f3c2b7a1d5e4c6f8a0b1c2d3e4f5a6b",
    "revision": 3, "ordinal": 0, "quote": "Hold reset for ten seconds",
    "note": "Since firmware 4 it takes fifteen", "query": "red light on the hub", "search_id": None,
    "interaction_id": None, "severe": False, "said_by": "", "said_in": "",
}  # fmt: skip
_QUOTED = {
    "then": {"revision": 3, "heading": ["Resolution"], "html": "<p>Hold reset for ten seconds.</p>\n"},
    "now": {"revision": 4, "heading": ["Resolution"], "html": "<p>Hold reset for fifteen seconds.</p>\n"},
    "changes": [{"change": "equal", "text": "Hold reset for "}, {"change": "delete", "text": "ten"},
                {"change": "insert", "text": "fifteen"}, {"change": "equal", "text": " seconds."}],
}  # fmt: skip
CHANGED = {
    "from": 3, "to": 4, "title": [{"change": "equal", "text": "The hub's light is red"}],
    "body": [{"change": "equal", "text": "Hold reset for "}, {"change": "delete", "text": "ten"},
             {"change": "insert", "text": "fifteen"}, {"change": "equal", "text": " seconds."}],
}  # fmt: skip
FIXED = CASE | {
    "state": "fixed", "fixed_at": "2026-03-15T09:00:00Z", "fixed_revision": 4, "proof": "done", "version": 9,
}  # fmt: skip


class RatedOut(Shape):
    """What a reader said of a revision."""

    at: datetime
    helped: bool
    revision: int
    text: str


class RatingsOut(Shape):
    """How many readers rated it either way, each once, and the latest of what they said as far as it is for you."""

    helpful: int
    not_helpful: int
    comments: list[RatedOut]

    @classmethod
    def of(cls, found: Ratings | None) -> "RatingsOut | None":
        """Ratings as they are shown."""
        if found is None:
            return None
        comments = [RatedOut(**asdict(each)) for each in found.comments]
        return cls(helpful=found.helpful, not_helpful=found.not_helpful, comments=comments)


class ReadCaseOut(CaseOut):
    """A case with its flags, its history and, once it is fixed, the proof."""

    model_config = example(
        FIXED | {
            "flags": [_FLAG],
            "history": [
                {"at": "2026-03-14T12:00:00Z", "person_id": AN_AGENT, "action": "opened", "state": "open", "text": "",
                 "whom_id": None}
            ],
            "proofs": [{
                "round": 1, "query": "red light on the hub", "at": "2026-03-15T09:00:02Z",
                "before": {"rank": 1, "revision": 3, "ordinal": 0, "text": "Hold reset for ten seconds."},
                "after": {"rank": 1, "revision": 4, "ordinal": 0, "text": "Hold reset for fifteen seconds."},
            }],
            "changed": CHANGED,
            "ratings": None,
            "quoted": _QUOTED,
        }
    )  # fmt: skip

    flags: list[FlagOut]
    history: list[HistoryOut]
    proofs: list[ProofOut]
    changed: Annotated[ChangedOut | None, Field(description="What the fix changed; null where there is none.")]
    ratings: Annotated[RatingsOut | None, Field(description="What readers said; null for any cause but `not_helpful`.")]
    quoted: QuotedOut

    @classmethod
    def told(cls, told: Told, changed: Comparison | None, quoted: Quoted, at: datetime) -> "ReadCaseOut":
        """A case with all of it as it is shown."""
        queries = {each.id: each.query for each in told.flags}
        return cls(
            **case_fields(told.case, at),
            flags=[FlagOut.of(each) for each in told.flags],
            history=[
                HistoryOut(**{name: getattr(each, name) for name in HistoryOut.model_fields}) for each in told.steps
            ],
            proofs=[
                ProofOut(
                    round=each.round,
                    query=queries.get(each.flag_id, ""),
                    at=each.at,
                    before=PlaceOut.of(each.before),
                    after=PlaceOut.of(each.after),
                )
                for each in told.proofs
            ],
            changed=ChangedOut.of(changed),
            ratings=RatingsOut.of(told.ratings),
            quoted=QuotedOut.of(quoted, told.case.label),
        )


class GapsIn(Shape):
    """Which gaps, and from where."""

    state: Annotated[tuple[State, ...], Field(max_length=5, description="Those to do, if none is named.")] = ()
    owner: Annotated[Id | None, Field(description='An id, or "me".')] = None
    q: Annotated[Short, Field(description="In what was asked, or in a note.")] = ""
    after: Annotated[Short, Field(description="`next` of the page before.")] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class CasesIn(GapsIn):
    """Which cases, and from where; within one field any of the values will do."""

    state: Annotated[tuple[State, ...], Field(max_length=5)] = ()
    cause: Annotated[tuple[Cause, ...], Field(max_length=10)] = ()
    severity: Annotated[tuple[Severity, ...], Field(max_length=3)] = ()
    assignee: Annotated[Id | None, Field(description='An id, or "me".')] = None
    topic: Annotated[Short, Field(description="With all topics below it.")] = ""
    number: Annotated[Number | None, Field(description="About that article.")] = None
    overdue: Annotated[bool, Field(description="Only those to do whose time is over.")] = False
    q: Annotated[Short, Field(description="In title, number, quote or a note.")] = ""


class CasesOut(Shape):
    """Cases, the most pressing first."""

    model_config = example({"cases": [CASE], "next": None})

    cases: list[CaseOut]
    next: Annotated[str | None, Field(description="Send as `after` for the next page; null on the last.")]


def _steps(found: Sequence[Stretch]) -> list[StepOut]:
    return [StepOut(change=each.change, text=each.text) for each in found]
