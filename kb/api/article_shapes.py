"""Articles, their revisions and their history, as they go over the wire."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from kb.api.shapes import MANY, Id, Line, Number, OpenCaseOut, Shape, Short, Text, example
from kb.api.state_shapes import StateIn, StateSetIn, Version
from kb.article import Confidence, Governance, Size
from kb.audience import Audience
from kb.language import Language
from kb.text.difference import Change

Title = Annotated[Line, StringConstraints(min_length=1)]
Fixed = Annotated[
    tuple[Id, ...],
    Field(max_length=100, description="Cases that it fixes once it is published: their flaggers are told."),
]
Meaning = Annotated[
    bool, Field(strict=True, description="With `fixes`: what was wrong may have to be recalled from who received it.")
]
Together = Annotated[
    StateSetIn | None,
    Field(description="State to change in the same step, so that no reader is shown the one without the other."),
]
_TEXT = (
    "Markdown (CommonMark, tables, strikethrough). Blocks between `::: internal` and `:::` are for that audience. "
    "Pictures and files are named as the answer to adding one says; pictures from elsewhere are shown as links."
)


ARTICLE = {
    "number": "482-9175",
    "id": "9f3c2b7a1d5e4c6f8a0b1c2d3e4f5a6b",
    "title": "The hub's light is red",
    "language": "en",
    "audience": "public",
    "confidence": "validated",
    "governance": "experience",
    "topic": "broadband/faults",
    "products": ["hub-6"],
    "tags": ["lights"],
    "live": True,
    "published_at": "2026-03-14T12:00:00Z",
    "superseded_by": None,
    "translation_of": None,
    "version": 7,
    "editing": {
        "latest": 3, "published": 3, "groups": [], "owner_id": None, "valid_from": None, "valid_until": None,
        "created_at": "2026-01-02T08:00:00Z", "modified_at": "2026-03-14T12:00:00Z", "source": "", "source_key": "",
        "template": "standard", "confirmed_at": None,
    },
    "open_case": None,
}  # fmt: skip


class EditingOut(Shape):
    """What only staff see of an article."""

    latest: Annotated[int, Field(description="The newest revision, which may be a draft.")]
    published: Annotated[int | None, Field(description="The revision readers see.")]
    groups: Annotated[
        list[str],
        Field(description="Only members may read it; empty for everybody of its audience. You see your own groups."),
    ]
    owner_id: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    created_at: datetime
    modified_at: datetime
    source: Annotated[str, Field(description="Where it was ingested from; empty for one written here.")]
    source_key: str
    template: Annotated[str, Field(description="The id of its template; empty for one without.")]
    confirmed_at: Annotated[datetime | None, Field(description="When somebody last said that it is still right.")]


class ArticleOut(Shape):
    """An article without its text. `live` says whether readers are shown it now; `editing` is null for them."""

    model_config = example(ARTICLE)

    number: str
    id: str
    title: str
    language: Language
    audience: Audience
    confidence: Confidence
    governance: Governance
    topic: str
    products: list[str]
    tags: list[str]
    live: bool
    published_at: datetime | None
    superseded_by: Annotated[str | None, Field(description="The number of its successor, if you may read that.")]
    translation_of: Annotated[str | None, Field(description="The number of its original, if you may read that.")]
    version: Annotated[
        int | None, Field(description="Counts every change, also those that readers are not shown; null for them.")
    ]
    editing: EditingOut | None
    open_case: Annotated[OpenCaseOut | None, Field(description="A severe case about it that is open; for staff.")]


class ReadArticleOut(ArticleOut):
    """An article as you may see it: what is narrowed to others is cut from its text."""

    model_config = example(
        ARTICLE | {"revision": 3, "body": "Hold **reset** for ten seconds.",
                    "html": "<p>Hold <strong>reset</strong> for ten seconds.</p>\n", "moved_to": None}
    )  # fmt: skip

    revision: int
    moved_to: Annotated[
        str | None,
        Field(description="The number of the article that took the place of the one you asked for. Readers get that "
              "article, staff the archived one."),
    ]  # fmt: skip
    body: Annotated[str, Field(description="Markdown to read or to insert; what to edit is in the revision.")]
    html: str


class ArticlesOut(Shape):
    """A page of articles in order of number. `next` is the `after` of the following page, null on the last."""

    model_config = example({"articles": [ARTICLE], "next": "482-9175"})

    articles: list[ArticleOut]
    next: str | None


class ListIn(Shape):
    """Which articles, and from where."""

    confidence: Annotated[tuple[Confidence, ...], Field(max_length=10)] = ()
    audience: Annotated[tuple[Audience, ...], Field(max_length=10)] = ()
    governance: Annotated[tuple[Governance, ...], Field(max_length=10)] = ()
    language: Annotated[tuple[Language, ...], Field(max_length=10)] = ()
    topic: Annotated[Short, Field(description="With all topics below it.")] = ""
    published: Annotated[bool | None, Field(description="Whether it has a published revision.")] = None
    after: Annotated[Short, Field(description="`next` of the page before.")] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    @property
    def having(self) -> dict[str, tuple[str, ...]]:
        """The state fields that are asked for, with the values any of which will do."""
        fields = ("confidence", "audience", "governance", "language")
        return {name: tuple(map(str, getattr(self, name))) for name in fields if getattr(self, name)}


class ArticleIn(StateIn):
    """A new article. It has no default audience: who may read it is for its author to say."""

    model_config = example(
        {
            "title": "The hub's light is red",
            "body": "## Issue\nThe light stays red.\n\n## Resolution\nHold **reset** for ten seconds.",
            "language": "en",
            "audience": "public",
            "confidence": "validated",
            "topic": "broadband/faults",
            "products": ["hub-6"],
            "publish": True,
        }
    )

    title: Title
    body: Annotated[Text, Field(description=_TEXT)]
    language: Language
    audience: Audience
    note: Annotated[Line, Field(description="Why, for those who read the history.")] = ""
    publish: Annotated[bool, Field(description="Show it to its audience at once.")] = False
    fixes: Annotated[tuple[Id, ...], Field(max_length=100, description="Gaps that it fills, if it is published.")] = ()


class RevisionIn(Shape):
    """A new text for an article. Say which version you read, here or as `If-Match`."""

    model_config = example(
        {
            "title": "The hub's light is red",
            "body": "## Resolution\nHold **reset** for fifteen seconds.",
            "note": "Ten seconds are too short since firmware 4",
            "version": 7,
            "publish": True,
        }
    )

    title: Title
    body: Annotated[Text, Field(description=_TEXT)]
    note: Line = ""
    size: Annotated[
        Size,
        Field(description="How much it changes: a typo touches nothing else, content leaves translations behind, "
              "meaning also takes away that they are validated."),
    ] = Size.CONTENT  # fmt: skip
    translates: Annotated[
        int | None, Field(ge=1, le=MANY, description="Of a translation: the revision of its original that it now says.")
    ] = None
    state: Together = None
    version: Version = None
    publish: bool = False
    fixes: Fixed = ()
    changes_meaning: Meaning = False


class WarningOut(Shape):
    """What a text lacks by its template. A draft may; it cannot be published."""

    kind: Annotated[str, Field(description="missing, unknown, twice, order or too_wide.")]
    field: Annotated[str, Field(description="The key of the field, or the heading that is none.")]
    message: str


class SavedOut(ArticleOut):
    """An article as it is now, and what its latest text lacks by its template."""

    model_config = example(
        ARTICLE | {"warnings": [{"kind": "missing", "field": "issue", "message": "Issue is required"}]}
    )

    warnings: list[WarningOut]


class PublishIn(Shape):
    """Which revision readers are to see; an older one undoes a publish, the present one may name what it has fixed."""

    model_config = example({"revision": 3, "version": 7})

    revision: Annotated[int, Field(ge=1, le=MANY)]
    state: Together = None
    version: Version = None
    fixes: Fixed = ()
    changes_meaning: Meaning = False


class UnpublishIn(Shape):
    """The version that you read."""

    model_config = example({"version": 7})

    version: Version = None


class ArchiveIn(Shape):
    """Out of use, and what takes its place."""

    model_config = example({"superseded_by": "117-0342"})

    superseded_by: Number | None = None
    version: Version = None


class CreditOut(Shape):
    """Somebody who knew a better way. `said_by`: what a source calls one whom kb does not know."""

    person_id: str
    said_by: str


class RevisionOut(Shape):
    """One revision, without its text."""

    number: int
    title: str
    author_id: str
    created_at: datetime
    note: str
    size: Size
    published: Annotated[bool, Field(description="Whether it is the one that readers see.")]
    credited: Annotated[list[CreditOut], Field(description="Whose better way it took up.")]


_REVISION = {
    "number": 3, "title": "The hub's light is red", "author_id": "5b1e6a0c9d2f4f7b8c3d4e5f6a7b8c9d",
    "created_at": "2026-03-14T12:00:00Z", "note": "Ten seconds are too short", "size": "content", "published": True,
    "credited": [],
}  # fmt: skip


class RevisionsOut(Shape):
    """The revisions that you may see, oldest first."""

    model_config = example({"revisions": [_REVISION], "version": 7})

    revisions: list[RevisionOut]
    version: int


class ReadRevisionOut(RevisionOut):
    """One revision with its text."""

    model_config = example(
        _REVISION | {"body": "Hold **reset** for ten seconds.",
                     "html": "<p>Hold <strong>reset</strong> for ten seconds.</p>\n", "version": 7}
    )  # fmt: skip

    body: Annotated[
        str,
        Field(
            description="As it was written, without the blocks that are not for you. Change it and send it back: what "
            "you were not shown stays."
        ),
    ]
    html: Annotated[str, Field(description="As you would read it, without markers.")]
    version: Annotated[int, Field(description="The article's version, to be sent back with a revision.")]


class StepOut(Shape):
    """A stretch of text that stayed, went or came."""

    change: Change
    text: str


class DiffOut(Shape):
    """How one revision became another, word by word (Chinese by character), cut to what you may read."""

    model_config = example(
        {
            "from": 2,
            "to": 3,
            "title": [{"change": "equal", "text": "The hub's light is red"}],
            "body": [
                {"change": "equal", "text": "Hold **reset** for "},
                {"change": "delete", "text": "fifteen"},
                {"change": "insert", "text": "ten"},
                {"change": "equal", "text": " seconds."},
            ],
        }
    )

    from_: Annotated[int, Field(alias="from")]
    to: int
    title: list[StepOut]
    body: list[StepOut]


class DiffIn(Shape):
    """Which two revisions."""

    from_: Annotated[int, Field(alias="from", ge=1, le=MANY, examples=[2])]
    to: Annotated[int, Field(ge=1, le=MANY, examples=[3])]


class ChangeOut(Shape):
    """Who changed what, when. Only fields that differ; texts stand in the revisions."""

    at: datetime
    person_id: str
    action: str
    before: dict[str, Any]
    after: dict[str, Any]


class AuditOut(Shape):
    """Every change, oldest first."""

    model_config = example(
        {
            "changes": [
                {
                    "at": "2026-03-14T12:00:00Z",
                    "person_id": "5b1e6a0c9d2f4f7b8c3d4e5f6a7b8c9d",
                    "action": "publish",
                    "before": {"published": 2, "version": 6},
                    "after": {"published": 3, "version": 7},
                }
            ]
        }
    )

    changes: list[ChangeOut]
