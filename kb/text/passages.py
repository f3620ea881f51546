"""Passages: content cut into pieces small enough to answer with, each with who may read it.

Every element of the text (paragraph, list, table, code block, quote, heading) goes whole into exactly one passage;
a heading that the passage carries in its path, or as its field, is not repeated in its text. Sections that the same
readers may see are packed together up to a target, so that a short article is one passage for each audience.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from kb.article import Article, Revision
from kb.audience import Access, Audience
from kb.passage import Kind, Passage, PassageRef
from kb.post import Post
from kb.text import template
from kb.text.markdown import Definition, elements, narrow
from kb.text.narrowing import Block, blocks
from kb.text.sections import TARGET, Unit, units

CUTTER = "cut-2"
"""The way of cutting, recorded with the index: bump it with any change of what passages hold."""

_SLACK = 1.25  # a passage may be longer by a quarter, if otherwise only a scrap would be left for the next
_ENVIRONMENT_LENGTH = 200
_STATEMENT_LENGTH = 300
_LEAD_IN = re.compile(r"[:：]\W{0,3}$")  # "Do the following:" belongs to the list below it


def cut_article(article: Article, revision: Revision) -> list[Passage]:
    """The passages of a revision, at least one for all its readers, though it be the title alone.

    Ordinals count from 0, first what is for the widest circle, each circle in document order: no number that somebody
    sees depends on what stands there for others.
    """
    whole = Passage(
        ref=PassageRef(Kind.ARTICLE, article.id, revision.number, 0),
        title=revision.title,
        heading=(),
        text="",
        language=article.language,
        access=article.access,
        topic=article.topic,
        products=article.products,
        tags=article.tags,
        confidence=article.confidence,
        source=article.source or "kb",
    )
    return _cut(whole, revision.body)


def cut_post(post: Post) -> list[Passage]:
    """The passages of a community post, titled with the question it answers."""
    whole = Passage(
        ref=PassageRef(Kind.POST, post.id, post.revision, 0),
        title=post.title,
        heading=(),
        text="",
        language=post.language,
        access=post.access,
        topic=post.topic,
        products=post.products,
        tags=post.tags,
        source=post.source,
    )
    return _cut(whole, post.body)


class Fields(NamedTuple):
    """What is analysed of a passage, by where it stands."""

    title: str
    heading: str
    text: str


def indexed_fields(passage: Passage) -> Fields:
    """What is analysed lexically: title, headings, environment and text, without the names of template fields."""
    text, environment = _plain_parts(passage)
    return Fields(passage.title, "\n".join(passage.heading), "\n".join(part for part in (environment, text) if part))


def indexed_text(passage: Passage) -> str:
    """The same in one."""
    return "\n".join(part for part in indexed_fields(passage) if part)


def encoded_text(passage: Passage) -> str:
    """What the encoder sees: as `indexed_text`, with the environment last, where a full encoder cuts off."""
    text, environment = _plain_parts(passage)
    return "\n".join(part for part in (passage.title, " > ".join(passage.heading), text, environment) if part)


def statement(article_body: str, tier: Audience) -> str:
    """The issue as far as that tier may read it: one line, at most 300 characters.

    Without an issue section it is the opening paragraph, and "" if there is none.
    """
    found, _ = units([Block(Audience.PUBLIC, narrow(article_body, tier), 1)], "", Audience.PUBLIC)
    content = [unit for unit in found if not unit.is_heading]
    issue = [unit.plain for unit in content if unit.field == "issue"]
    opening = [unit.plain for unit in content if unit.kind == "paragraph" and not unit.field][:1]
    return _one_line(" ".join(issue or opening), _STATEMENT_LENGTH)


def _cut(whole: Passage, body: str) -> list[Passage]:
    found, definitions = units(blocks(body)[0], whole.title, whole.access.audience)
    packs = [pack for audience in Audience for pack in _packs([unit for unit in found if unit.audience is audience])]
    passages = [_passage(whole, pack, found, definitions) for pack in packs]
    if not any(each.access == whole.access for each in passages):
        # All of the text is for others. The title is not, and is found whether or not they have a text.
        passages.insert(0, whole)
    return [replace(each, ref=whole.ref._replace(ordinal=ordinal)) for ordinal, each in enumerate(passages)]


def _packs(sequence: Sequence[Unit]) -> Iterator[list[Unit]]:
    """Units of one audience in runs up to the target: whole sections where they fit, else cut between elements."""
    clumps = [
        clump
        for section in _sections(sequence)
        for clump in ([section] if _size(section) <= TARGET else _clumps(section))
    ]
    rest = _size(sequence)
    pack: list[Unit] = []
    for clump in clumps:
        if pack and _size(pack) + _size(clump) > TARGET and _size(pack) + rest > TARGET * _SLACK:
            yield pack
            pack = []
        pack = pack + clump
        rest -= _size(clump)
    if pack:
        yield pack


def _sections(sequence: Sequence[Unit]) -> Iterator[list[Unit]]:
    """The units by section; a heading with nothing below it goes with the section that follows."""
    waiting: list[Unit] = []
    for _, group in groupby(sequence, key=lambda unit: unit.section):
        section = list(group)
        waiting += section
        if not all(unit.is_heading for unit in section):
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _clumps(section: Sequence[Unit]) -> Iterator[list[Unit]]:
    """Units that stay together: a heading with what it heads, a lead-in with its list, table or code."""
    clump: list[Unit] = []
    for unit in section:
        if clump and not _leads_to(clump, unit):
            yield clump
            clump = []
        clump = [*clump, unit]
    if clump:
        yield clump


def _leads_to(clump: Sequence[Unit], unit: Unit) -> bool:
    before = clump[-1]
    if before.is_heading:
        return True
    follows = unit.kind in ("list", "table", "code") and before.kind == "paragraph" and _LEAD_IN.search(before.plain)
    return bool(follows) and _size(clump) + unit.size <= TARGET


def _size(pack: Sequence[Unit]) -> float:
    return sum(unit.size for unit in pack)


def _passage(
    whole: Passage, pack: Sequence[Unit], all_units: Sequence[Unit], definitions: Sequence[tuple[Definition, Audience]]
) -> Passage:
    audience = pack[0].audience
    content = [unit for unit in pack if not unit.is_heading]
    heading = _common_path([unit.path for unit in content or pack])
    fields = {unit.field for unit in content or pack}
    field = fields.pop() if len(fields) == 1 else ""
    readable = [unit for unit in all_units if unit.audience.rank <= audience.rank]
    environment = " ".join(unit.plain for unit in readable if unit.field == "environment" and not unit.is_heading)
    text = "\n\n".join(unit.source for unit in _without_carried(pack, heading, field))
    usable = [definition for definition, whose in definitions if whose.rank <= audience.rank]
    return replace(
        whole,
        heading=heading,
        text=text + _used(usable, text),
        access=Access(audience, whole.access.groups),
        field=field,
        environment=_one_line(environment, _ENVIRONMENT_LENGTH),
    )


def _without_carried(pack: Sequence[Unit], heading: tuple[str, ...], field: str) -> Sequence[Unit]:
    """The units less the headings at the top that the passage carries: in its path, or as its field."""
    for number, unit in enumerate(pack):
        names_field = template.field_of(unit.plain)
        carried = bool(field) and template.is_standard(unit.plain) if names_field else True
        if not unit.is_heading or not carried or unit.path != heading[: len(unit.path)]:
            return pack[number:]
    return pack  # headings alone: they are the text


def _used(definitions: Sequence[Definition], text: str) -> str:
    """The link definitions a text needs, so that its links work wherever the definitions stood."""
    if not definitions:
        return ""
    labels = " ".join(text.upper().split())
    needed = dict.fromkeys(each.source for each in definitions if f"[{each.label}]" in labels)
    return "\n\n" + "\n".join(needed) if needed else ""


def _common_path(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    common = paths[0]
    for path in paths:
        length = next((n for n, (a, b) in enumerate(zip(common, path, strict=False)) if a != b), len(path))
        common = common[:length]
    return common


def _plain_parts(passage: Passage) -> tuple[str, str]:
    """Text and environment, each to be said once."""
    found = elements(passage.text)[0]
    kept = [each.plain for each in found if each.kind != "heading" or not template.field_of(each.plain)]
    text = "\n\n".join(part for part in kept if part)
    said = passage.environment.rstrip("…") in _one_line(text)
    return text, "" if said else passage.environment


def _one_line(text: str, limit: int | None = None) -> str:
    line = " ".join(text.split())
    if limit is None or len(line) <= limit:
        return line
    cut = line[: limit - 1]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > limit * 2 // 3 else cut) + "…"
