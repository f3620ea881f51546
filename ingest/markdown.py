"""Articles from a folder of Markdown files. The format of a file is in content/README.md.

A file's key is its `id`, or else its path inside the folder. `owner` is the handle of whoever answers for the article;
it is kept as it stands, whether such a person has been added or not. A date in `valid_until` includes that day.
Pictures and files that a text names by relative paths come along (`ingest.pictures`).

Files of another system may be taken in too, when the command line says who may read them: a file without any field
of ours (`audience`, `id`, ...) gets the defaults, and its other fields are passed over and counted in `ignored`.
"""

import hashlib
import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

from ingest.contract import Item, Problem
from ingest.front_matter import E, FrontMatter, split
from ingest.pictures import Pictures
from kb.article import Confidence, Draft, Governance
from kb.audience import Audience
from kb.errors import Invalid
from kb.language import Language
from kb.text import template
from kb.text.markdown import check, elements, narrow
from kb.topic import check_topic_path

LARGEST = 10 * 1024 * 1024
"""Bytes. Far above any article by hand (the longest seen, a reference of all settings, has 600 KB)."""

_OF_OURS = {
    "id", "audience", "confidence", "governance", "groups", "superseded_by", "translation_of", "valid_from",
    "valid_until",
}  # fmt: skip
_HIDING = {"audience", "groups", "confidence", "governance", "valid_from", "valid_until"}
_KNOWN = _OF_OURS | {"title", "language", "topic", "products", "tags", "owner"}
_ID = re.compile(r"[\w.@/-]{1,200}")
_ID_LINE = re.compile(r"^id:[ \t]*([\w.@/-]+)[ \t]*(?:#.*)?$", re.MULTILINE)
_TEXT_LENGTHS = {"owner": 40, "topic": 200, "title": 1000}  # the first two are the columns' widths
_GROUP_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for files that do not say it themselves. Without an audience such a file is a problem."""

    audience: Audience | None = None
    language: Language | None = None
    topic: str = ""
    confidence: Confidence = Confidence.NOT_VALIDATED
    governance: Governance = Governance.EXPERIENCE


class MarkdownFolder:
    """The Markdown files below a folder. Hidden ones and symbolic links are passed over."""

    def __init__(self, folder: Path, name: str, defaults: Defaults | None = None, file_limit: int = 5_000_000) -> None:
        self.name = name
        self.done = 0
        self.ignored: Counter[str] = Counter()
        self._folder = folder
        self._pictures = Pictures(folder, file_limit)
        self._defaults = defaults or Defaults()
        self._files = {_key_of(path): path for path in _markdown_files(folder)}
        self._file_of: dict[str, str] = {}
        self.total = len(self._files)

    def has_file(self, key: str) -> bool:
        """Whether a file stands at that path."""
        return key in self._files

    def items(self) -> Iterator[Item[Draft] | Problem]:
        """Every file, in order of path, as an article or as a problem."""
        for file in sorted(self._files):
            self.done += 1
            found = self._read(file)
            if isinstance(found, Item) and (first := self._file_of.setdefault(found.key, file)) != file:
                line = found.lines.get("id", 1)
                found = Problem(file, f"the id '{found.key}' belongs to {first} already", line, found.key)
            if found is not None:
                yield found

    def again(self, keys: Collection[str]) -> Iterator[Item[Draft] | Problem]:
        """The files of these keys once more, as they are now."""
        for key in sorted(keys):
            found = self._read(self._file_of[key])
            if found is not None:
                yield found

    def _read(self, file: str) -> Item[Draft] | Problem | None:
        """One file; None for a README at the top that is no article."""
        text = ""
        try:
            _check_name(file)
            text = _text_of(self._folder / self._files[file])
            matter = split(text)
            if file.lower() == "readme.md" and not matter.present:
                return None
            return self._item(file, matter)
        except Invalid as error:
            return Problem(file, str(error), error.line, _key_of_broken(file, text))
        except OSError as error:
            return Problem(file, f"cannot be read: {error.strerror}", key=_key_of_broken(file, text))

    def _item(self, file: str, matter: FrontMatter) -> Item[Draft]:
        ours = not _OF_OURS.isdisjoint(matter.lines)
        if ours or self._defaults.audience is None:
            matter.only(_KNOWN)
        else:
            _check_not_hidden(matter)
            self.ignored.update(set(matter.lines) - _KNOWN)
        own_id = matter.text("id")
        if own_id and not _ID.fullmatch(own_id):
            raise matter.wrong("id", f"id '{own_id[:50]}' has more than letters, digits and . _ - / @")
        draft = self._draft(file, matter)
        key = own_id or file
        body, files, problems = self._pictures.taken_along(file, key, draft.body, matter.body_line)
        draft = replace(draft, body=body, files=files)
        for name in ("superseded_by", "translation_of"):
            if getattr(draft, name) == key:
                raise matter.wrong(name, f"{name} names the article itself")
        former = file if own_id else ""
        return Item(key, _hash_of(own_id, draft), draft, file, 1, former, matter.lines, problems)

    def _draft(self, file: str, matter: FrontMatter) -> Draft:
        audience = self._choice(matter, "audience", Audience, self._defaults.audience)
        _check_body(matter)
        groups = matter.texts("groups")
        if wrong := [group for group in groups if len(group) > _GROUP_LENGTH]:
            raise matter.wrong("groups", f"a group's name has at most {_GROUP_LENGTH} characters, not {len(wrong[0])}")
        begins, ends = matter.moment("valid_from"), matter.moment("valid_until", through_the_day=True)
        if begins and ends and begins >= ends:
            raise matter.wrong("valid_until", "valid_until comes before valid_from")
        return Draft(
            title=_limited(matter, "title") or _title(file, narrow(matter.body, audience)),
            body=matter.body,
            language=self._choice(matter, "language", Language, self._defaults.language),
            audience=audience,
            confidence=self._choice(matter, "confidence", Confidence, self._defaults.confidence),
            governance=self._choice(matter, "governance", Governance, self._defaults.governance),
            groups=frozenset(groups),
            topic=self._topic(matter),
            products=matter.texts("products"),
            tags=matter.texts("tags"),
            owner_id=_limited(matter, "owner") or None,
            valid_from=begins,
            valid_until=ends,
            superseded_by=matter.text("superseded_by") or None,
            translation_of=matter.text("translation_of") or None,
        )

    def _topic(self, matter: FrontMatter) -> str:
        topic = _limited(matter, "topic") or self._defaults.topic
        try:
            return check_topic_path(topic)
        except Invalid as error:
            raise matter.wrong("topic", str(error)) from None

    def _choice(self, matter: FrontMatter, name: str, kind: type[E], default: E | None) -> E:
        value = matter.choice(name, kind) or default
        if value is None:
            raise matter.wrong(name, f"{name} is missing; one of {', '.join(kind)}")
        return value


def _markdown_files(folder: Path) -> Iterator[Path]:
    """Regular files named *.md, relative to the folder."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(parent, name)
            if name.lower().endswith(".md") and not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path.relative_to(folder)


def _key_of(path: Path) -> str:
    """The path as a key: with slashes, and composed, because macOS hands file names out decomposed."""
    return unicodedata.normalize("NFC", path.as_posix())


def _check_name(file: str) -> None:
    try:
        file.encode()
    except UnicodeEncodeError:
        raise Invalid("the name of the file is not UTF-8; rename it") from None


def _text_of(path: Path) -> str:
    """The text of a file; raises Invalid if it is too large or no UTF-8."""
    size = path.stat().st_size
    if size > LARGEST:
        raise Invalid(f"the file has {size / 1024**2:.1f} MB; at most {LARGEST // 1024**2} MB are possible")
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Invalid("the file is UTF-16; save it as UTF-8", line=1)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Invalid(f"not UTF-8 (byte 0x{data[error.start]:02x}); save the file as UTF-8", line=line) from None


def _key_of_broken(file: str, text: str) -> str | None:
    """The key of a file that cannot be taken in, as far as it can be told; a file with a broken id may be anybody."""
    try:
        matter = split(text)
        own_id = matter.text("id")
    except Invalid:
        found = _ID_LINE.search(text[:20_000])
        return found[1] if found else None
    return (own_id or file) if text else None


def _check_not_hidden(matter: FrontMatter) -> None:
    """Raises Invalid where a file of another system says, or seems to say, that it is not for everybody."""
    matter.no_slip_of(_HIDING)
    for name, hiding in (("draft", "true"), ("published", "false")):
        if matter.text(name).lower() == hiding:
            raise matter.wrong(name, f"'{name}: {hiding}' says that nobody should read it yet; give it an audience")


def _check_body(matter: FrontMatter) -> None:
    """Raises Invalid, with the line in the file, for text that cannot be an article's."""
    if not matter.body:
        raise Invalid("there is no text below the front matter", "body", matter.body_line)
    if "\0" in matter.body:
        line = matter.body.count("\n", 0, matter.body.index("\0"))
        raise Invalid("a NUL character stands in the text", "body", matter.body_line + line)
    try:
        check(matter.body)
    except Invalid as error:
        raise Invalid(str(error), error.field, matter.body_line + (error.line or 1) - 1) from None


def _limited(matter: FrontMatter, name: str) -> str:
    return matter.text(name, _TEXT_LENGTHS[name])


def _title(file: str, readable: str) -> str:
    """The first heading that everybody may read and that is no field of the template, or else the file's name."""
    for element in elements(readable)[0]:
        if element.kind == "heading" and element.plain.strip() and not template.field_of(element.plain):
            return " ".join(element.plain.split())[: _TEXT_LENGTHS["title"]]
    return Path(file).stem


def _hash_of(own_id: str, draft: Draft) -> str:
    """Hex SHA-256 over everything a file says, however it is laid out, with the defaults that hold for it.

    The text names its pictures and files by what is in them.
    """
    values = [getattr(draft, field.name) for field in fields(draft) if field.name != "files"]
    said = json.dumps([own_id, *values], default=_plain_value, ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def _plain_value(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else str(value)
