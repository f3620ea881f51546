"""Narrowed blocks: `::: internal` to `:::`, and the one way they are found.

A marker stands at the first column, outside lists, quotes and other blocks; inside a closed code fence it is code.
What is malformed counts as internal to the end of the text: a mistake hides text, it never shows any.
"""

import functools
import re
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from kb.audience import Audience

_MARKER = "narrowing_marker"
_WELL_FORMED = re.compile(r":::[ \t]*([^:：\s]\S*(?:[ \t]+\S+)*)?[ \t]*")
# Whatever somebody may have meant as a marker: indented, in a list or a quote, after an odd line break, full width.
_SUSPECT = re.compile(r"[\s>*+\-.)\d\u00ad\u200b-\u200f\u2060\ufeff]*[:：﹕︓∶]{3}")
ODD_BREAK = re.compile(r"[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""Breaks a line for many programs, and not for Markdown."""


@dataclass(frozen=True, slots=True)
class Block:
    """A run of lines that one audience may read, without its markers. `line` is that of its first line, from 1."""

    audience: Audience
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with the markers, and on which line (from 1)."""

    message: str
    line: int


def lines_of(markdown: str) -> list[str]:
    """The lines as CommonMark counts them, without a byte order mark."""
    return markdown.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def blocks(markdown: str) -> tuple[list[Block], Mistake | None]:
    """The text in runs of one audience each (PUBLIC outside narrowed blocks), in order, and the first mistake.

    From the mistake on, or from the opening of the block it stands in, all is one internal run, markers included.
    """
    lines = lines_of(markdown)
    closed, readable, mistake = spans(lines)
    found, at = [], 0
    for audience, opening, closing in closed:
        found += [_block(Audience.PUBLIC, lines, at, opening), _block(audience, lines, opening + 1, closing)]
        at = closing + 1
    found += [_block(Audience.PUBLIC, lines, at, readable), _block(Audience.INTERNAL, lines, readable, len(lines))]
    return [block for block in found if block.text], mistake


def _block(audience: Audience, lines: list[str], start: int, end: int) -> Block:
    return Block(audience, "\n".join(lines[start:end]).strip("\n"), start + 1)


def spans(lines: list[str]) -> tuple[list[tuple[Audience, int, int]], int, Mistake | None]:
    """Closed blocks as (audience, line of the opening, line of the closing), how many lines are good, the mistake."""
    closed: list[tuple[Audience, int, int]] = []
    opened: tuple[Audience, int] | None = None
    for number, word in _markers(lines):
        if wrong := _wrong(word, opened):
            return closed, opened[1] if opened else number, Mistake(wrong, number + 1)
        if opened is None:
            opened = (Audience(str(word).lower()), number)
        else:
            closed.append((*opened, number))
            opened = None
    if opened is not None:
        message = f"the block opened by '::: {opened[0]}' is never closed; end it with a line ':::'"
        return closed, opened[1], Mistake(message, opened[1] + 1)
    return closed, len(lines), None


def _wrong(word: str | None, opened: tuple[Audience, int] | None) -> str:
    if word is None:
        return "a line of ':::' stands at the first column, outside lists, quotes and unclosed code, in plain colons"
    if word and opened:
        return f"'::: {word}' inside the block opened on line {opened[1] + 1}; blocks do not nest, close that one first"
    if word and word.lower() not in set(Audience):
        return f"'{word}' is no audience; after ':::' write internal, partner, customer or public"
    if not word and not opened:
        return "':::' closes a block that was never opened"
    return ""


def _markers(lines: list[str]) -> list[tuple[int, str | None]]:
    """Lines that are, or may be meant as, markers: (line, word), "" for a closing one, None for a misplaced one."""
    suspects = [number for number, line in enumerate(lines) if any(map(_SUSPECT.match, ODD_BREAK.split(line)))]
    if not suspects:
        return []
    tops: set[int] = set()
    code: set[int] = set()
    for token in block_tokens(lines):
        if token.map is None:
            continue
        first, end = token.map
        if token.type == _MARKER and token.level == 0:
            tops.add(first)
        elif token.type == "fence" and end - first == token.content.count("\n") + 2:  # it has a closing line
            code.update(range(first, end))
    return [(number, _word(lines[number]) if number in tops else None) for number in suspects if number not in code]


def block_tokens(lines: list[str]) -> list[Token]:
    """The blocks of a text, markers among them, with inline text as it was written."""
    return _parser().parse("\n".join(lines) + "\n")


def _word(line: str) -> str | None:
    match = _WELL_FORMED.fullmatch(line)
    return None if match is None else match[1] or ""


@functools.cache
def _parser() -> MarkdownIt:
    """CommonMark's blocks, with each marker line a block of its own: what stands where, no inline text."""
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 100}).enable("table")
    ends: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list", "table"]}
    parser.block.ruler.before("table", _MARKER, _marker_rule, ends)
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def _marker_rule(state: StateBlock, line: int, end: int, silent: bool) -> bool:
    start = state.bMarks[line] + state.tShift[line]
    at_first_column = start == 0 or state.src[start - 1] == "\n"
    if not at_first_column or not state.src.startswith(":::", start):
        return False
    if not silent:
        token = state.push(_MARKER, "", 0)
        token.map = [line, line + 1]
        state.line = line + 1
    return True
