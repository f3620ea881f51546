"""Templates and roles, as they go over the wire."""

from dataclasses import asdict
from typing import Annotated

from pydantic import Field, StrictBool, StringConstraints

from kb.api.shapes import MANY, NoNul, Shape, example
from kb.audience import Audience
from kb.language import Language
from kb.person import Licence, Right, Role
from kb.template import MOST_FIELDS, Template
from kb.template import Field as TemplateField

Word = Annotated[str, StringConstraints(min_length=1, max_length=80), NoNul]
Names = Annotated[dict[Language, Word], Field(description="What it is called, in each of our languages.")]
_FIELD = {
    "key": "issue", "names": {"en": "Issue", "zh-Hans": "问题", "zh-Hant": "問題"}, "required": True,
    "audience": "public",
}  # fmt: skip
_TEMPLATE = {
    "id": "standard", "names": {"en": "Standard", "zh-Hans": "标准", "zh-Hant": "標準"}, "fields": [_FIELD],
    "is_default": True, "active": True, "version": 1,
}  # fmt: skip
_ROLE = {"role": "candidate", "rights": ["draft", "trail"], "names": {"en": "Learner"}, "version": 1}


class FieldShape(Shape):
    """A field: its key, its heading by language, and the widest circle that may read what stands in it."""

    key: Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,39}$")]
    names: Names
    required: Annotated[StrictBool, Field(description="Nothing is published in which it says nothing.")] = False
    audience: Audience = Audience.PUBLIC

    @property
    def noun(self) -> TemplateField:
        """The same as a noun."""
        return TemplateField(
            self.key, {str(key): name for key, name in self.names.items()}, self.required, self.audience
        )


class TemplateIn(Shape):
    """A new template."""

    model_config = example({"names": {"en": "Fault", "zh-Hans": "故障", "zh-Hant": "故障"}, "fields": [_FIELD]})

    names: Names
    fields: Annotated[tuple[FieldShape, ...], Field(min_length=1, max_length=MOST_FIELDS)]
    is_default: Annotated[StrictBool, Field(description="Offer it first, instead of the one that is now.")] = False


class TemplateChangeIn(TemplateIn):
    """What a template is to be. Say which version you read."""

    model_config = example({name: value for name, value in _TEMPLATE.items() if name != "id"})

    active: Annotated[StrictBool, Field(description="Whether new articles may be written in it.")] = True
    version: Annotated[int, Field(ge=0, le=MANY)]


class TemplateOut(Shape):
    """A template. Version 0 came with kb."""

    model_config = example(_TEMPLATE)

    id: str
    names: dict[str, str]
    fields: list[FieldShape]
    is_default: bool
    active: bool
    version: int

    @classmethod
    def of(cls, template: Template) -> "TemplateOut":
        """The same, ready to be sent."""
        return cls(
            id=template.id,
            names=dict(template.names),
            fields=[FieldShape(**asdict(each)) for each in template.fields],
            is_default=template.is_default,
            active=template.active,
            version=template.version,
        )


class TemplatesOut(Shape):
    """All templates, the default first."""

    model_config = example({"templates": [_TEMPLATE]})

    templates: list[TemplateOut]


class OutlineIn(Shape):
    """In which language."""

    language: Annotated[Language, Field(examples=["en"])]


class OutlineOut(Shape):
    """The text to begin an article with: every field, and nothing in it."""

    model_config = example({"template": "standard", "language": "en", "body": "## Issue\n\n\n## Resolution\n\n"})

    template: str
    language: Language
    body: str


class RoleIn(Shape):
    """What a role may do, and what people call it here. Say which version you read."""

    model_config = example({name: value for name, value in _ROLE.items() if name != "role"} | {"version": 0})

    rights: Annotated[tuple[Right, ...], Field(max_length=50)]
    names: Annotated[
        dict[Language, Word],
        Field(default_factory=dict, description="By language; without one its KCS name is used."),
    ]
    version: Annotated[int, Field(ge=0, le=MANY)]


class RoleOut(Shape):
    """A role. Version 0 is what KCS suggests."""

    model_config = example(_ROLE)

    role: Role
    rights: list[Right]
    names: dict[str, str]
    version: int

    @classmethod
    def of(cls, licence: Licence) -> "RoleOut":
        """The same, ready to be sent."""
        return cls(role=licence.role, rights=sorted(licence.rights), names=dict(licence.names), version=licence.version)


class RolesOut(Shape):
    """All roles, from the one that may least."""

    model_config = example({"roles": [_ROLE]})

    roles: list[RoleOut]
