"""Front matter: the YAML at the top of a Markdown file, with the line of each field.

Values are taken as they are written, never as YAML guesses them: `owner: no` is "no", a tag 0691 is "0691".
Every mistake is raised as `Invalid` with the line in the file.
"""

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar

import yaml

from kb.errors import Invalid

E = TypeVar("E", bound=StrEnum)

_LONGEST = 400  # lines; nobody writes more, so the closing line is missing
_NULL = "tag:yaml.org,2002:null"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # written as an escape in quotes
_SIMILAR = 0.75  # difflib's ratio: "audiance" and "titel" are caught, "lang" and "type" are words of other systems


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The fields of a file that has front matter, and what follows. `body_line` is the body's first line in the file.

    `present` is False for a file without any.
    """

    fields: dict[str, yaml.Node]
    lines: dict[str, int]
    body: str
    body_line: int
    present: bool

    def text(self, name: str, longest: int | None = None) -> str:
        """A field that is one value; "" where it is missing or empty."""
        node = self.fields.get(name)
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode):
            raise self.wrong(name, f"{name} is one value, not a list or a mapping")
        value = self._words(name, node)
        if longest is not None and len(value) > longest:
            raise self.wrong(name, f"{name} has {len(value)} characters; at most {longest} are possible")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A field that is a list, each value once; empty where it is missing."""
        node = self.fields.get(name)
        if node is None:
            return ()
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node, None]
        words = [self._words(name, each) for each in nodes if isinstance(each, yaml.ScalarNode)]
        if len(words) < len(nodes) or not all(words):
            raise self.wrong(name, f"{name} is a list of words, such as '{name}: [one, two]'")
        return tuple(dict.fromkeys(words))

    def choice(self, name: str, kind: type[E]) -> E | None:
        """A field that takes one of a few values; None where it is missing."""
        value = self.text(name)
        if not value:
            return None
        try:
            return kind(value)
        except ValueError:
            raise self.wrong(name, f"{name} '{value}' is none of {', '.join(kind)}") from None

    def moment(self, name: str, *, through_the_day: bool = False) -> datetime | None:
        """A date or time, in UTC unless it says otherwise; a date means its beginning, or its end if `through_the_day`.

        None where it is missing.
        """
        value = self.text(name)
        if not value:
            return None
        try:
            if len(value) == 10:
                day = date.fromisoformat(value) + timedelta(days=through_the_day)
                return datetime.combine(day, time(), UTC)
            found = datetime.fromisoformat(value)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.wrong(name, f"{name} '{value}' is no date such as 2026-12-31") from None

    def only(self, known: Collection[str]) -> None:
        """Raises Invalid for a field that is not known, and for one that looks like a slip of the pen."""
        for name in self.lines:
            if name not in known:
                similar = difflib.get_close_matches(name.lower(), known, 1, _SIMILAR)
                hint = f"did you mean '{similar[0]}'?" if similar else f"known are {', '.join(sorted(known))}"
                raise self.wrong(name, f"unknown key '{name}'; {hint}")

    def no_slip_of(self, names: Collection[str]) -> None:
        """Raises Invalid for a field that looks like a slip of the pen of one of these."""
        for name in self.lines:
            if name not in names and (similar := difflib.get_close_matches(name.lower(), names, 1, _SIMILAR)):
                raise self.wrong(name, f"unknown key '{name}'; did you mean '{similar[0]}'?")

    def _words(self, name: str, node: yaml.ScalarNode) -> str:
        value = " ".join(node.value.split())
        if _UNSTORABLE.search(value):
            raise self.wrong(name, f"{name} has a NUL or half a character in it")
        return value

    def wrong(self, name: str, message: str) -> Invalid:
        """The error, with the line of that field."""
        return Invalid(message, name, self.lines.get(name, 1))


def split(text: str) -> FrontMatter:
    """Front matter and body of a file. Raises Invalid for YAML that cannot be read."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines[0].rstrip() != "---":
        return _with_body({}, {}, lines, 0, False)
    end = next((n for n, line in enumerate(lines[1 : _LONGEST + 1], 1) if line.rstrip() in ("---", "...")), None)
    if end is None:
        raise Invalid("the front matter opened here is never closed; end it with a line '---'", "", 1)
    fields: dict[str, yaml.Node] = {}
    at: dict[str, int] = {}
    for key, value in _mapping("\n".join(lines[1:end])):
        line = key.start_mark.line + 2
        if not isinstance(key, yaml.ScalarNode):
            raise Invalid("a key of the front matter is one word", "", line)
        if key.value in at:
            raise Invalid(f"'{key.value}' is there twice, first on line {at[key.value]}", key.value, line)
        at[key.value] = line
        if value.tag != _NULL:
            fields[key.value] = value
    return _with_body(fields, at, lines, end + 1, True)


def _with_body(
    fields: dict[str, yaml.Node], at: dict[str, int], lines: list[str], start: int, present: bool
) -> FrontMatter:
    first = next((n for n in range(start, len(lines)) if lines[n].strip()), start)
    return FrontMatter(fields, at, "\n".join(lines[first:]).rstrip(), first + 1, present)


def _mapping(text: str) -> list[tuple[yaml.Node, yaml.Node]]:
    """Keys and values as nodes: nothing is constructed, so nothing is guessed, run or multiplied by aliases."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        endless = "end of stream" in str(error.problem)  # a quote that is never closed: say where it began
        mark = error.context_mark if endless else error.problem_mark or error.context_mark
        reason = error.problem or error.context
        hint = "; a value with ': ' in it needs quotes" if "mapping values" in str(reason) else ""
        raise Invalid(f"the front matter is no YAML: {reason}{hint}", "", mark.line + 2 if mark else 1) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the latter two for an escape that is no character
        raise Invalid(f"the front matter is no YAML: {' '.join(str(error).split())}", "", 1) from None
    except RecursionError:
        raise Invalid("the front matter is nested too deeply", "", 1) from None
    if node is None:
        return []
    if not isinstance(node, yaml.MappingNode):
        raise Invalid("the front matter is a list of 'key: value' lines", "", node.start_mark.line + 2)
    return list(node.value)
