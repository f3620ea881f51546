"""Templates: the fields that articles of a kind have, which writers fill and do not change (KCS ST-01 to ST-06)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from kb.audience import Audience
from kb.errors import Conflict, Invalid
from kb.language import Language

MOST_FIELDS = 30
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NAME = re.compile(r"[^\s#:][^\n#:]{0,79}")  # it becomes a heading, and a heading is read without its colon


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `names` is its heading by language; `audience` the widest circle that may read what stands in it."""

    key: str
    names: Mapping[str, str]
    required: bool = False
    audience: Audience = Audience.PUBLIC


@dataclass(frozen=True, slots=True)
class Template:
    """The fields of a kind of article, in order.

    Who writes may pick one that is `active`; `is_default` is what they are offered first. `version` counts changes,
    0 for what came with kb.
    """

    id: str
    names: Mapping[str, str]
    fields: tuple[Field, ...]
    is_default: bool = False
    active: bool = True
    version: int = 0
    changed_by: str = ""
    changed_at: datetime | None = None

    def check(self) -> "Template":
        """This template, if it is a good one; raises Invalid naming the field."""
        _check_names(self.names, "names")
        if not 1 <= len(self.fields) <= MOST_FIELDS:
            raise Invalid(f"a template has 1 to {MOST_FIELDS} fields", "fields")
        if self.is_default and not self.active:
            raise Invalid("what writers are offered first cannot be switched off", "active")
        for place, each in enumerate(self.fields):
            if not _KEY.fullmatch(each.key):
                raise Invalid("a key is a word of small letters such as issue", f"fields.{place}.key")
            if each.key in {other.key for other in self.fields[:place]}:
                raise Invalid(f"there are two fields {each.key}", f"fields.{place}.key")
            _check_names(each.names, f"fields.{place}.names")
        return self

    def expect(self, version: int) -> "Template":
        """This template, if it still has the version the caller read; raises Conflict otherwise."""
        if version != self.version:
            raise Conflict(f"this template is now at version {self.version}, you changed {version}")
        return self

    def changed(self, by: str, at: datetime) -> "Template":
        """The template after a change by somebody."""
        return replace(self, version=self.version + 1, changed_by=by, changed_at=at)


def _check_names(names: Mapping[str, str], where: str) -> None:
    for language in Language:
        name = names.get(language, "")
        if not _NAME.fullmatch(name) or name != name.strip():
            wanted = "in 1 to 80 characters without # and :"
            raise Invalid(f"say in {language} what it is called, {wanted}", f"{where}.{language.value}")
    if unknown := set(names) - set(Language):
        raise Invalid(f"{sorted(unknown)[0]} is none of our languages", where)


def _named(key: str, english: str, simplified: str, traditional: str, required: bool = False) -> Field:
    names = dict(zip(map(str, Language), (english, simplified, traditional), strict=True))
    return Field(key, names, required)


STANDARD = Template(
    id="standard",
    names={"en": "Standard", "zh-Hans": "标准", "zh-Hant": "標準"},
    fields=(
        _named("issue", "Issue", "问题", "問題", required=True),
        _named("environment", "Environment", "环境", "環境"),
        _named("resolution", "Resolution", "解决方法", "解決方法", required=True),
        _named("cause", "Cause", "原因", "原因"),
        _named("notes", "Notes", "备注", "備註"),
    ),
    is_default=True,
)
"""What KCS suggests, and what there is until an administrator changes it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a text by its template: `kind` is missing, unknown, twice, order or too_wide."""

    kind: str
    field: str
    message: str
