"""What all requests and replies have in common.

Every shape refuses fields it does not know: what a caller sends is honoured or refused, never ignored.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

from kb.case import OpenCase
from kb.flag import Cause
from kb.passage import ItemRef, Kind
from kb.text.merging import Merged, Side

QUERY_LIMIT = 2_000
"""Characters of a search: a pasted chat, not a book."""

MANY = 1_000_000
"""More than any count of ours, less than a database's integer."""


def _without_nul(text: str) -> str:
    # PostgreSQL cannot store it, and no keyboard types it.
    if "\0" in text:
        raise ValueError("a text cannot hold the character NUL")
    return text


def _in_our_time(moment: datetime) -> datetime:
    # At the ends of the calendar a moment in one zone has no date in another.
    if not 1900 <= moment.year <= 9000:
        raise ValueError("a date lies between the years 1900 and 9000")
    return moment


NoNul = AfterValidator(_without_nul)
Text = Annotated[str, NoNul]
Short = Annotated[str, StringConstraints(max_length=200), NoNul]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300), NoNul]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100), NoNul]
Id = Annotated[str, StringConstraints(min_length=1, max_length=40), NoNul]
Number = Annotated[str, StringConstraints(min_length=1, max_length=40), NoNul]
"""An article number as people write it: "482-9175", "KB 4829175"."""

Moment = Annotated[AwareDatetime, AfterValidator(_in_our_time)]


def files_at(number: str) -> str:
    """The address below which the files of an article are served."""
    return f"/api/v1/articles/{number}/files/"


class Shape(BaseModel):
    """The base of every request and reply."""

    model_config = ConfigDict(extra="forbid")


def example(value: Mapping[str, Any]) -> ConfigDict:
    """The configuration of a shape with its example, which the OpenAPI description shows wherever it is used."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [dict(value)]})


class Item(Shape):
    """One piece of content."""

    kind: Kind
    id: Id

    @property
    def ref(self) -> ItemRef:
        """The same as a noun."""
        return ItemRef(self.kind, self.id)


class OpenCaseOut(Shape):
    """A warning: a severe case about this is open. Whoever copies, inserts or links it meanwhile sends the id along."""

    id: str
    cause: Cause
    opened_at: datetime

    @classmethod
    def of(cls, warning: OpenCase | None, is_staff: bool) -> "OpenCaseOut | None":
        """The warning as it is shown: to staff, nobody else."""
        if warning is None or not is_staff:
            return None
        return cls(id=warning.id, cause=warning.cause, opened_at=warning.opened_at)


class PieceOut(Shape):
    """A stretch of a text that two people changed: as it was, and what each made of it. One with the side `conflict`
    is for somebody to decide; of any other, `theirs` counts where the side says so, else `yours`."""

    side: Side
    base: str
    theirs: str
    yours: str


class MergedOut(Shape):
    """A text merged; `text` is null while there is a conflict in it."""

    text: str | None
    pieces: list[PieceOut]

    @classmethod
    def of(cls, merged: Merged) -> "MergedOut":
        """The same, ready to be sent."""
        return cls(text=merged.text, pieces=[PieceOut(**asdict(each)) for each in merged.pieces])


class ClashOut(Shape):
    """What somebody else saved while you edited, and how both texts go together: send the merged text with `version`.

    `base` and `theirs` are the numbers of the revisions that you began with and that there is now.
    """

    version: int
    base: int
    theirs: int
    their_author_id: str
    title: MergedOut
    body: MergedOut


class Problem(Shape):
    """What went wrong. `code` is for programs and stays; `message` is for people; `field` says what to change.

    `conflict` is there when somebody else has changed the text that you changed.
    """

    code: str
    message: str
    field: str
    request_id: str
    conflict: ClashOut | None = None


class ProblemOut(Shape):
    """Every error has this shape, whoever raised it."""

    error: Problem
