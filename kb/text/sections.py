"""Sections: the elements of a text, each with its headings, its template field and who may read it."""

import re
from dataclasses import dataclass
from itertools import pairwise

from kb.audience import Audience
from kb.text import template
from kb.text.markdown import Definition, Element, elements
from kb.text.narrowing import Block
from kb.text.script import fold, han_count

TARGET = 1200
"""Soft limit of a passage in weighted characters: 1,200 of English or 450 Han.

all-MiniLM-L6-v2 reads 256 word pieces: with this target it sees 88 % of those of the English articles in `content/`,
while 9 in 10 of all articles there are one passage for each audience.
"""
_HAN_WEIGHT = TARGET / 450
_SENTENCE_END = re.compile(r"(?<=[.!?])[ \t]+|(?<=[。！？；])|\n")


@dataclass(frozen=True, slots=True)
class Unit:
    """One element where it stands: `path` the headings above it, its own included, without names of template fields.

    `size` is in weighted characters; units of one `section` follow the same heading.
    """

    source: str
    plain: str
    kind: str
    path: tuple[str, ...]
    field: str
    audience: Audience
    section: int
    size: float

    @property
    def is_heading(self) -> bool:
        """Whether it is a heading rather than content."""
        return self.kind == "heading"


@dataclass(frozen=True, slots=True)
class _Heading:
    level: int
    text: str  # "" for what names a field or repeats the title
    field: str


def units(blocks: list[Block], title: str, floor: Audience) -> tuple[list[Unit], list[tuple[Definition, Audience]]]:
    """The elements in document order, and the link definitions with who may read them.

    `floor` is the audience of the whole: nothing inside is wider. Headings inside a narrowed block end with it,
    so that their words never stand above text for others.
    """
    found: list[Unit] = []
    definitions: list[tuple[Definition, Audience]] = []
    outer: list[_Heading] = []
    section = sections = 0
    for block in blocks:
        audience = block.audience.narrowest(floor)
        contents, defined = elements(block.text)
        definitions += [(definition, audience) for definition in defined]
        headings, here = list(outer), section
        for element in contents:
            if element.kind == "heading":
                headings = [above for above in headings if above.level < element.level]
                headings.append(_heading(element, headings, title))
                sections += 1
                here = sections
            path = tuple(heading.text for heading in headings if heading.text)
            field = headings[-1].field if headings else ""
            found += [_unit(piece, path, field, audience, here) for piece in _pieces(element)]
        if block.audience is Audience.PUBLIC:
            outer, section = headings, here
    return found, definitions


def _heading(element: Element, above: list[_Heading], title: str) -> _Heading:
    if field := template.field_of(element.plain):
        return _Heading(element.level, "", field)
    inherited = above[-1].field if above else ""
    repeats_title = not above and fold(element.plain) == fold(title)
    return _Heading(element.level, "" if repeats_title else element.plain, inherited)


def _unit(element: Element, path: tuple[str, ...], field: str, audience: Audience, section: int) -> Unit:
    size = weight(element.plain)
    return Unit(element.source, element.plain, element.kind, path, field, audience, section, size)


def weight(text: str) -> float:
    """Its length in weighted characters, of which a passage should have at most `TARGET`."""
    return len(text) + (_HAN_WEIGHT - 1) * han_count(text)


def _pieces(element: Element) -> list[Element]:
    """A paragraph too long for a passage in pieces that end with a sentence; everything else whole."""
    if element.kind != "paragraph" or weight(element.plain) <= TARGET:
        return [element]
    pieces = [elements(piece)[0] for piece in _runs_of_sentences(element.source)]
    intact = all([part.kind for part in piece] == ["paragraph"] for piece in pieces)
    if intact and _letters("".join(piece[0].plain for piece in pieces)) == _letters(element.plain):
        return [piece[0] for piece in pieces]
    return [element]  # emphasis or a link runs across a seam: better long than broken


def _runs_of_sentences(text: str) -> list[str]:
    runs, start, size = [], 0, 0.0
    seams = [match.end() for match in _SENTENCE_END.finditer(text)]
    for begin, end in pairwise([0, *seams, len(text)]):
        sentence = weight(text[begin:end])
        if size and size + sentence > TARGET:
            runs.append(text[start:begin])
            start, size = begin, 0.0
        size += sentence
    return [*runs, text[start:]]


def _letters(text: str) -> str:
    return "".join(text.split())
