"""What all requests and replies have in common.

Every shape refuses fields it does not know: what a caller sends is honoured or refused, never ignored.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

from kb.case import OpenCase
from kb.flag import Cause
from kb.passage import ItemRef, Kind

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


class Problem(Shape):
    """What went wrong. `code` is for programs and stays; `message` is for people; `field` says what to change."""

    code: str
    message: str
    field: str
    request_id: str


class ProblemOut(Shape):
    """Every error has this shape, whoever raised it."""

    error: Problem
