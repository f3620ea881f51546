"""Community posts from a file of JSON lines, one post each.

    {"id": "t/17#3", "title": "Hub shows red", "body": "Hold reset for ten seconds.", "author": "sam",
     "created_at": "2026-03-14T12:00:00Z", "url": "https://forum.example/t/17#3", "votes": 4, "accepted": true,
     "thread": "t/17", "language": "en", "tags": ["hub-6"], "topic": "broadband/faults", "products": ["hub-6"]}

`id`, `title`, `body` and `created_at` are needed. `title` is the question of the thread, `body` Markdown,
`created_at` a time (UTC unless it says otherwise) or seconds since 1970. Without `language` it is told from the text.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from ingest.contract import Item, Problem
from kb.audience import Audience
from kb.errors import Invalid
from kb.language import Language
from kb.post import Post
from kb.text import bounds
from kb.text.hygiene import tidy
from kb.text.script import language_of
from kb.topic import check_topic_path

LARGEST = 10 * 1024 * 1024
"""Bytes of a line."""

_KNOWN = {
    "id", "title", "body", "author", "created_at", "url", "votes", "accepted", "thread", "language", "tags", "topic",
    "products",
}  # fmt: skip
_LONGEST_TOPIC = 200  # the column's width
_MOST_VOTES = 2**31 - 1  # the column's


class JsonLines:
    """The posts of one file. Every post gets the same audience."""

    def __init__(self, path: Path, name: str, audience: Audience = Audience.INTERNAL) -> None:
        self.name = name
        self.total = path.stat().st_size
        self.done = 0
        self._path = path
        self._audience = audience

    def items(self) -> Iterator[Item[Post] | Problem]:
        """Every line, as a post or as a problem; empty lines are passed over."""
        with self._path.open("rb") as file:
            for number, line in enumerate(self._lines(file), 1):
                if line is None:
                    reason = f"the line is longer than {LARGEST // 1024**2} MB"
                    yield Problem(self._path.name, reason, number)
                elif line.strip():
                    yield self._read(line, number)

    def again(self, keys: Collection[str]) -> Iterator[Item[Post] | Problem]:
        """Nothing: posts name no other posts."""
        return iter(())

    def _lines(self, file: BinaryIO) -> Iterator[bytes | None]:
        """The lines, None for one that is too long to be held."""
        too_long = False
        while line := file.readline(LARGEST):
            self.done += len(line)
            ends = line.endswith(b"\n") or len(line) < LARGEST
            if ends:
                yield None if too_long else line
            too_long = not ends
        if too_long:
            yield None

    def _read(self, line: bytes, number: int) -> Item[Post] | Problem:
        key = None
        try:
            fields = _parsed(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
            key = _key(fields)
            post = self._post(key, fields)
        except Invalid as error:
            return Problem(self._path.name, str(error), number, key)
        return Item(key, post.content_hash, post, self._path.name, number)

    def _post(self, key: str, fields: Mapping[str, Any]) -> Post:
        if unknown := sorted(fields.keys() - _KNOWN):
            raise Invalid(f"unknown key '{unknown[0]}'; known are {', '.join(sorted(_KNOWN))}", unknown[0])
        title = " ".join(_words(fields, "title", needed=True).split())
        body = _words(fields, "body", needed=True).replace("\r\n", "\n").strip("\n")
        bounds.check(body)
        return Post(
            id="",  # given when it is written
            source=self.name,
            source_key=key,
            title=title,
            body=body,
            language=_language(fields, f"{title}\n{body}"),
            author=_words(fields, "author"),
            created_at=_moment(fields),
            audience=self._audience,
            url=_url(fields),
            votes=_votes(fields),
            accepted=_typed(fields, "accepted", bool, False, "true or false"),
            thread=_name(fields.get("thread"), "thread") if fields.get("thread") is not None else "",
            topic=_topic(fields),
            products=_texts(fields, "products"),
            tags=_texts(fields, "tags"),
        )


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise Invalid(f"not UTF-8 (byte 0x{line[error.start]:02x})") from None
    except json.JSONDecodeError as error:
        raise Invalid(f"no JSON: {error.msg} at column {error.colno}") from None
    except (RecursionError, ValueError) as error:  # nested too deeply; a number with thousands of digits
        raise Invalid(f"JSON that cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise Invalid('the line is no object such as {"id": …, "title": …}')
    return found


def _key(fields: Mapping[str, Any]) -> str:
    key = _name(fields.get("id"), "id")
    if not key:
        raise Invalid("id is missing", "id")
    return key


def _name(value: object, field: str) -> str:
    """An identifier of the source, which may be a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text({field: value}, field)


def _text(fields: Mapping[str, Any], name: str, needed: bool = False) -> str:
    value: str = _typed(fields, name, str, "", "a text")
    if needed and not value.strip():
        raise Invalid(f"{name} is missing or empty", name)
    if "\0" in value:
        raise Invalid(f"{name} has a NUL character in it", name)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Invalid(f"{name} has half a character in it (a lone surrogate)", name) from None
    return value


def _words(fields: Mapping[str, Any], name: str, needed: bool = False) -> str:
    """A text for people, without characters that are never meant."""
    return _text({name: tidy(_text(fields, name, needed))}, name, needed)


def _texts(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = _typed(fields, name, list, [], "a list of texts")
    return tuple(dict.fromkeys(_text({name: value}, name, needed=True) for value in values))


def _language(fields: Mapping[str, Any], text: str) -> Language:
    value = _text(fields, "language")
    if not value:
        return language_of(text)
    if value not in set(Language):
        raise Invalid(f"language '{value}' is none of {', '.join(Language)}", "language")
    return Language(value)


def _moment(fields: Mapping[str, Any]) -> datetime:
    value = fields.get("created_at")
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(_text(fields, "created_at", needed=True))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise Invalid(f"created_at {value!r} is no time such as 2026-03-14T12:00:00Z", "created_at") from None


def _topic(fields: Mapping[str, Any]) -> str:
    topic = _text(fields, "topic")
    if len(topic) > _LONGEST_TOPIC:
        raise Invalid(f"topic has {len(topic)} characters; at most {_LONGEST_TOPIC} are possible", "topic")
    return check_topic_path(topic)


def _url(fields: Mapping[str, Any]) -> str:
    """It becomes a link that people click, so nothing but the web is let in."""
    url = _text(fields, "url")
    if url and not url.lower().startswith(("https://", "http://")):
        raise Invalid("url begins with https:// or http://", "url")
    return url


def _votes(fields: Mapping[str, Any]) -> int:
    votes = _typed(fields, "votes", int, 0, "a whole number")
    if isinstance(votes, bool) or abs(votes) > _MOST_VOTES:
        raise Invalid("votes is a whole number", "votes")
    return int(votes)


def _typed(fields: Mapping[str, Any], name: str, kind: type, default: Any, words: str) -> Any:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise Invalid(f"{name} is {words}", name)
    return value
