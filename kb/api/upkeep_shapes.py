"""What editors keep articles in order with, as it goes over the wire."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StrictBool

from kb.api.article_shapes import ARTICLE, ArticleOut, StepOut, WarningOut
from kb.api.shapes import MANY, Id, Line, Moment, Number, Shape, Short, Text, example
from kb.api.state_shapes import Version
from kb.article import Confidence
from kb.audience import Audience
from kb.checklist import Check, Tick
from kb.interaction import Channel, EventKind, LinkType
from kb.language import Language
from kb.passage import Kind
from kb.person import Role
from kb.solve.upkeep import Reason

_CHECKS = {
    "title_length": True, "issue": True, "environment": False, "one_question": True, "steps": True, "links": True,
    "readable": True,
}  # fmt: skip
_PERSON = "5b1e6a0c9d2f4f7b8c3d4e5f6a7b8c9d"


class DraftIn(Shape):
    """A text that is being written, and the template it is in; empty for none."""

    model_config = example({"title": "The hub's light is red", "body": "## Issue\nIt is red.", "template": "standard"})

    title: Line
    body: Text
    template: Short = ""


class DraftOut(Shape):
    """What a text lacks by its template, and which checks of the content standard it passes."""

    model_config = example(
        {
            "warnings": [{"kind": "missing", "field": "resolution", "message": "Resolution is required"}],
            "checks": _CHECKS,
        }
    )

    warnings: list[WarningOut]
    checks: dict[Check, bool]


class PreviewIn(Shape):
    """A text that is being written, whose eyes to see it with, and the number of its article, if it has one: its
    pictures are there."""

    model_config = example({"body": "Hold **reset**.\n\n::: internal\nTwice.\n:::", "audience": "customer"})

    body: Text
    audience: Audience
    number: Number | None = None


class MistakeOut(Shape):
    """What is wrong with the markers of narrowed blocks, and in which line, from 1. From there on nothing is shown."""

    message: str
    line: int


class PreviewOut(Shape):
    """What that audience would read."""

    model_config = example({"html": "<p>Hold <strong>reset</strong>.</p>\n", "hidden": 1, "mistake": None})

    html: Annotated[str, Field(description="Safe on any page.")]
    hidden: Annotated[int, Field(description="Blocks that are kept from it.")]
    mistake: MistakeOut | None


class CompareIn(Shape):
    """A text that is being written, and the revision to hold it against."""

    model_config = example(
        {"number": "482-9175", "revision": 1, "title": "The hub's light is red", "body": "Hold reset for ten seconds."}
    )

    number: Number
    revision: Annotated[int, Field(ge=1, le=MANY)]
    title: Line
    body: Text


class ComparedOut(Shape):
    """How a revision became the text, word by word (Chinese by character)."""

    model_config = example(
        {"title": [{"change": "equal", "text": "The hub's light is red"}],
         "body": [{"change": "equal", "text": "Hold reset for "}, {"change": "delete", "text": "fifteen"},
                  {"change": "insert", "text": "ten"}, {"change": "equal", "text": " seconds."}]}
    )  # fmt: skip

    title: list[StepOut]
    body: list[StepOut]


class SimilarIn(Shape):
    """A text that is being written; `number` if the article has one already."""

    model_config = example({"title": "The hub's light is red", "body": "## Issue\nIt is red.", "limit": 5})

    title: Line
    body: Text = ""
    number: Number | None = None
    limit: Annotated[int, Field(ge=1, le=20)] = 5


class NearOut(Shape):
    """Something that may say the same."""

    kind: Kind
    id: str
    number: Annotated[str, Field(description="The number of an article; empty for a post.")]
    title: str
    reason: Annotated[
        str,
        Field(description="same_title, near_text (most of it is equal), near_title, or same_question: what a customer "
              "with this issue would find."),
    ]  # fmt: skip
    likeness: Annotated[float, Field(description="Of the texts, from 0 to 1.")]
    score: Annotated[float, Field(description="Of the search that found it.")]


class SimilarOut(Shape):
    """What is nearest, the likeliest duplicate first."""

    model_config = example(
        {
            "found": [
                {"kind": "article", "id": "9f3c2b7a1d5e4c6f8a0b1c2d3e4f5a6b", "number": "482-9175",
                 "title": "The hub's light is red", "reason": "same_title", "likeness": 0.91, "score": 0.88},
            ],
            "degraded": [],
        }
    )  # fmt: skip

    found: list[NearOut]
    degraded: Annotated[list[str], Field(description="What the search had to do without.")]


class RemindersIn(Shape):
    """Whose articles, and why."""

    owner: Annotated[Literal["me", "all"], Field(description="Yours, or everybody's that you may read.")] = "me"
    reason: Annotated[tuple[Reason, ...], Field(max_length=2)] = (Reason.EXPIRING, Reason.STALE)
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class ReminderOut(Shape):
    """An article to look at."""

    number: str
    title: str
    reason: Reason
    due: Annotated[datetime, Field(description="When it ends, or since when it counts as stale.")]
    owner_id: str | None
    version: int


class RemindersOut(Shape):
    """What to look at, the most urgent first."""

    model_config = example(
        {
            "reminders": [
                {"number": "482-9175", "title": "Prices in spring", "reason": "expiring",
                 "due": "2026-04-01T00:00:00Z", "owner_id": _PERSON, "version": 7},
            ]
        }
    )  # fmt: skip

    reminders: list[ReminderOut]


class ConfirmIn(Shape):
    """That an article is still right."""

    model_config = example({"version": 7})

    valid_until: Annotated[
        Moment | None, Field(description="Its new end; without one an end moves by as long as the article held before.")
    ] = None
    translates: Annotated[
        int | None, Field(ge=1, le=MANY, description="Of a translation: the revision of its original that it says.")
    ] = None
    version: Version = None


class TranslationOut(Shape):
    """The article in a language."""

    number: str
    title: str
    language: Language
    audience: Audience
    confidence: Confidence
    is_original: bool
    behind: Annotated[int | None, Field(description="Edits of the original, typos aside, that it lacks; for staff.")]
    translates: Annotated[int | None, Field(description="The revision of the original that it says; for staff.")]


class TranslationsOut(Shape):
    """An article in all languages in which you may read it, the original first."""

    model_config = example(
        {
            "translations": [
                {"number": "482-9175", "title": "红灯", "language": "zh-Hans", "audience": "public",
                 "confidence": "validated", "is_original": False, "behind": 2, "translates": 3},
            ]
        }
    )  # fmt: skip

    translations: list[TranslationOut]


class UsersIn(Shape):
    """Since when."""

    days: Annotated[int, Field(ge=1, le=3_650)] = 30


class UserOut(Shape):
    """Somebody who sent an article or solved a contact with it."""

    person_id: str
    kind: EventKind
    revision: int | None
    interaction_id: str | None
    channel: Annotated[Channel | None, Field(description="Of the contact, if it was used in one.")]
    at: datetime


class UsersOut(Shape):
    """Who used an article, newest first."""

    model_config = example(
        {
            "users": [
                {"person_id": _PERSON, "kind": "inserted", "revision": 3,
                 "interaction_id": "7c1e0a5b9d2f4f7b8c3d4e5f6a7b8c9d", "channel": "chat", "at": "2026-03-14T12:00:00Z"},
            ]
        }
    )  # fmt: skip

    users: list[UserOut]


class TimesOut(Shape):
    """How often an article was used on a day in one way, by people of one tier and role."""

    day: Annotated[date, Field(description="In UTC.")]
    kind: EventKind
    type: Annotated[LinkType | None, Field(description="Of a link: did it resolve the contact?")]
    audience: Annotated[Audience | None, Field(description="Their tier as it is now; null for who has been erased.")]
    role: Annotated[Role | None, Field(description="The one of theirs that allows most; null for who has none.")]
    count: int


class UseOut(Shape):
    """How an article was used, the oldest day first, and how many contacts it is linked to now."""

    model_config = example(
        {
            "times": [
                {"day": "2026-03-14", "kind": "linked", "type": "resolution", "audience": "internal",
                 "role": "contributor", "count": 4},
            ],
            "resolution": 12,
            "reference": 3,
        }
    )  # fmt: skip

    times: list[TimesOut]
    resolution: Annotated[int, Field(description="Contacts that it resolved.")]
    reference: Annotated[int, Field(description="Contacts in which it was read along the way.")]


class MergeIn(Shape):
    """Which article says the same. The older of the two is kept, with the newer's text or the one you send."""

    model_config = example({"other": "117-0342", "title": "The hub's light is red"})

    other: Number
    title: Annotated[Line, Field(description="Empty for the newer's.")] = ""
    body: Annotated[Text, Field(description="Empty for the newer's.")] = ""
    note: Line = ""
    version: Version = None
    other_version: Version = None


class WithIn(Shape):
    """Which other article."""

    other: Annotated[Number, Field(examples=["117-0342"])]


class ProspectOut(Shape):
    """What a merge would do."""

    model_config = example(
        {"kept": ARTICLE, "merged": ARTICLE, "links": 12, "translations": 1, "cases": 2, "shown": True,
         "needs_text": False}
    )  # fmt: skip

    kept: Annotated[ArticleOut, Field(description="The older of the two.")]
    merged: Annotated[ArticleOut, Field(description="The newer: archived, and leading to the older from then on.")]
    links: Annotated[int, Field(description="Contacts that are linked to the newer one.")]
    translations: Annotated[int, Field(description="Of the newer one, as far as you may read them.")]
    cases: Annotated[int, Field(description="To do, about the newer one, as far as you may see them.")]
    shown: Annotated[bool, Field(description="Whether readers see the text at once.")]
    needs_text: Annotated[bool, Field(description="The newer text is for fewer readers: send one that all may read.")]


class UndoIn(Shape):
    """The version that you read of the article that was archived."""

    model_config = example({"version": 3})

    version: Version = None


class MergeOut(Shape):
    """The article that is kept (or has been given back) and the other, and what moved."""

    model_config = example({"kept": ARTICLE, "merged": ARTICLE, "links": 12, "text": True})

    kept: ArticleOut
    merged: ArticleOut
    links: Annotated[int, Field(description="Contacts that were linked to the newer one.")]
    text: Annotated[bool, Field(description="False when the older one was revised after the merge: its text stays.")]


class TickIn(Shape):
    """What a coach says of a revision. Say which version of the checklist you read."""

    model_config = example({"ticked": {"customers_words": True, "correct": True}, "remark": "Clear", "version": 0})

    ticked: Annotated[
        dict[Tick, StrictBool], Field(description="True for passed, false for not; leave out what is open.")
    ]
    remark: Line = ""
    version: Annotated[int, Field(ge=0, le=MANY)]


_CHECKLIST = {
    "number": "482-9175", "title": "The hub's light is red", "revision": 3, "author_id": _PERSON,
    "created_at": "2026-03-14T12:00:00Z", "computed": _CHECKS, "ticked": {"correct": True}, "remark": "Clear",
    "checked_at": "2026-03-15T12:00:00Z", "version": 1,
}  # fmt: skip


class ChecklistOut(Shape):
    """How a revision keeps to the content standard."""

    model_config = example(_CHECKLIST)

    number: str
    title: str
    revision: int
    author_id: str
    created_at: datetime
    computed: dict[Check, bool]
    ticked: dict[Tick, bool]
    remark: str
    checked_at: datetime | None
    version: int


class ChecklistsIn(Shape):
    """Whose revisions."""

    author: Annotated[Id | None, Field(description="The id of a person; without one, yours.")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ChecklistsOut(Shape):
    """The checklists of what somebody wrote, newest first."""

    model_config = example({"checklists": [_CHECKLIST]})

    checklists: list[ChecklistOut]
