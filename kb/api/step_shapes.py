"""The steps that people take with cases, and recall, as they go over the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from kb.api.case_shapes import AN_AGENT, AN_ID, CASE, CaseOut
from kb.api.shapes import MANY, Id, NoNul, Shape, example
from kb.case import Severity
from kb.interaction import Channel, EventKind
from kb.solve.casework import LONGEST_TEXT
from kb.solve.recalling import Recall

Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT), NoNul]
Version = Annotated[int | None, Field(ge=1, le=MANY, description="The version that you read; a newer one means 409.")]


class AssignIn(Shape):
    """Who works on it: an id, "me", or null for nobody; `owner` says who answers for it instead."""

    model_config = example({"person_id": "me", "version": 4})

    person_id: Id | None
    owner: Annotated[bool, Field(strict=True, description="Make them the owner.")] = False
    version: Version = None

    @model_validator(mode="after")
    def _somebody(self) -> "AssignIn":
        if self.owner and self.person_id is None:
            raise ValueError("a case has an owner: name one")
        return self


class CommentIn(Shape):
    """What is to be said."""

    model_config = example({"text": "Which firmware?"})

    text: Said


class WeighIn(Shape):
    """How bad it is, whatever the flags said."""

    model_config = example({"severity": "severe", "version": 4})

    severity: Severity
    version: Version = None


class DeclineIn(Shape):
    """Why nothing will be changed; those who flagged it are told."""

    model_config = example({"reason": "Ten seconds are right for this model", "version": 4})

    reason: Said
    version: Version = None


class ReopenIn(Shape):
    """Why it is not done."""

    model_config = example({"reason": "It still says ten seconds in the table", "version": 9})

    reason: Said
    version: Version = None


class BulkIn(Shape):
    """One step for up to 100 cases: assign (`person_id`), comment (`text`), weigh (`severity`), decline or reopen
    (`text` is the reason), accept."""

    model_config = example({"ids": [AN_ID], "versions": {AN_ID: 4}, "action": "assign", "person_id": "me"})

    ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=100)]
    versions: Annotated[
        dict[Id, Annotated[int, Field(ge=1, le=MANY)]],
        Field(
            default_factory=dict,
            max_length=100,
            description="By id, the version that you read: a newer one is a conflict, as with one.",
        ),
    ]
    action: Literal["assign", "comment", "weigh", "decline", "accept", "reopen"]
    person_id: Annotated[Id | None, Field(description='An id, "me", or null for nobody.')] = None
    text: Annotated[Said | None, Field(description="A comment, or why.")] = None
    severity: Severity | None = None

    @model_validator(mode="after")
    def _whole(self) -> "BulkIn":
        if self.action in ("comment", "decline", "reopen") and self.text is None:
            raise ValueError(f"to {self.action} takes a text")
        if self.action == "weigh" and self.severity is None:
            raise ValueError("to weigh takes a severity")
        return self


class ResultOut(Shape):
    """What became of one case: the case, or why not."""

    id: str
    case: CaseOut | None
    code: Annotated[str, Field(description='Empty, or as in an error: "not_found", "conflict", ...')]
    message: str


class ResultsOut(Shape):
    """What became of each case."""

    model_config = example({"results": [{"id": AN_ID, "case": CASE, "code": "", "message": ""}]})

    results: list[ResultOut]


class ReceivedOut(Shape):
    """One time that somebody received it."""

    at: datetime
    how: EventKind
    agent_id: Annotated[str, Field(description="Who viewed it or passed it on.")]
    interaction_id: str | None
    channel: Channel | None
    external_id: Annotated[str, Field(description="What the host desktop calls the contact.")]
    subject: Annotated[str, Field(description="The customer, as the host refers to them.")]
    revision: int
    ordinal: int | None


class RecallIn(Shape):
    """From where, and in which form."""

    before: Annotated[int | None, Field(ge=1, le=2**53, description="`next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class RecallOut(Shape):
    """Who received the revisions that were wrong, the latest first."""

    model_config = example({
        "number": "482-9175", "revisions": [3],
        "received": [{
            "at": "2026-03-14T12:03:10Z", "how": "inserted", "agent_id": AN_AGENT,
            "interaction_id": "3d0e8f6a5b7c4d1e9f2a1b0c3d4e5f60", "channel": "chat",
            "external_id": "chat-20260314-0042", "subject": "customer-7781", "revision": 3, "ordinal": 0,
        }],
        "next": None,
    })  # fmt: skip

    number: str | None
    revisions: list[int]
    received: list[ReceivedOut]
    next: int | None

    @classmethod
    def of(cls, found: Recall) -> "RecallOut":
        """A recall as it is shown."""
        return cls(
            number=found.case.label or None,
            revisions=list(found.revisions),
            received=[
                ReceivedOut(**{name: getattr(each, name) for name in ReceivedOut.model_fields})
                for each in found.received
            ],
            next=found.received[-1].id if found.more else None,
        )
