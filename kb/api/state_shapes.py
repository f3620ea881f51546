"""The state of an article, as it goes over the wire: all of it for a new one, any part of it to change one."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator

from kb.api.shapes import Id, Moment, Name, Number, Shape, Short
from kb.article import Confidence, Governance
from kb.audience import Audience
from kb.language import Language

Version = Annotated[
    int | None,
    Field(ge=1, description="The version that you read; a newer one means 409. `If-Match` says the same."),
]


class StateIn(Shape):
    """State and metadata. Numbers stand for other articles."""

    confidence: Confidence = Confidence.NOT_VALIDATED
    governance: Governance = Governance.EXPERIENCE
    groups: Annotated[tuple[Name, ...], Field(max_length=50, description="Only members may read it.")] = ()
    topic: Short = ""
    products: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    tags: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    owner_id: Id | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    superseded_by: Number | None = None
    translation_of: Number | None = None
    template: Annotated[Short, Field(description="The id of the template it is written in; empty for none.")] = ""


def _partial(schema: dict[str, Any]) -> None:
    """No field has a default where leaving it out means leaving it alone."""
    for field in schema["properties"].values():
        field.pop("default", None)
    schema["examples"] = [{"confidence": "validated", "tags": ["lights", "power cut"]}]


class StateSetIn(StateIn):
    """State and metadata to change; what is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra=_partial)

    language: Language = Language.ENGLISH
    audience: Audience = Audience.INTERNAL

    @model_validator(mode="after")
    def _something(self) -> "StateSetIn":
        if not self.model_fields_set - {"version"}:
            raise ValueError("name at least one field to change")
        return self

    @property
    def changed(self) -> dict[str, Any]:
        """The fields that were sent, and only these."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"version"}}


class StateChangeIn(StateSetIn):
    """State and metadata to change, in an article as somebody read it."""

    version: Version = None
