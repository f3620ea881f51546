"""How much Markdown one text may hold, so that none takes much longer than a second to parse.

The parser takes time for every block, cell and mark, and most for brackets that nothing closes: a few hundred KB made
for the purpose would keep it busy for minutes. So the effort is added up before, from what the blocks hold, in units
of about 10 microseconds on a slow core. Real texts stay far below: the largest seen, a reference of 250,000 characters
and 6,350 lines, takes a third of what is allowed.
"""

import re

from markdown_it.token import Token

from kb.errors import Invalid
from kb.text import narrowing

LONGEST = 500_000
"""Characters of a text."""

LINES = 20_000
QUOTES = 10
CELLS = 30_000
EFFORT = 100_000

_TOKEN_COST = 0.5
_MARK_COST = 1.0
_AUTOLINK_COST = 2.0
_AGAIN_COST = 0.1  # of reading a mark once more for a bracket that stands open before it
_OPEN_AT_ONCE = 100  # the parser's limit of nesting
_MARK = re.compile(r"[\[\]!*_~`<>&\\\n]")
_ESCAPED = re.compile(r"\\[\[\]\\]")
_OPEN_BRACKET = re.compile(r"\[(?=[^\[\]]*(?:\[|\Z))")
_QUOTED = re.compile(r"[ \t]*(?:(?:>|[-+*]|\d{1,9}[.)])[ \t]*)*")
_DELIMITERS = re.compile(r"[-:| \t>]*-[-:| \t]*")


def check(markdown: str) -> None:
    """Raises Invalid, with the line and what to do, for a text that would take too long to parse."""
    if len(markdown) > LONGEST:
        raise _too_much(f"the text has {len(markdown):,} characters; at most {LONGEST:,} are possible", 1)
    lines = narrowing.lines_of(markdown)
    if len(lines) > LINES:
        raise _too_much(f"the text has {len(lines):,} lines; at most {LINES:,} are possible", LINES + 1)
    _check_lines(lines)
    efforts = [(_effort(token), token) for token in narrowing.block_tokens(lines)]
    spent = sum(effort for effort, _ in efforts)
    if spent > EFFORT:
        _, worst = max(efforts, key=lambda each: each[0])
        times = f"the text has {spent / EFFORT:.1f} times the markup that is possible, most of it here"
        raise _too_much(f"{times}; put logs and data into a code block, or split the text", (worst.map or [0])[0] + 1)


def _check_lines(lines: list[str]) -> None:
    """What the parser multiplies: a line by the quotes it stands in, a row by the columns of its table."""
    cells = columns = 0
    for number, line in enumerate(lines, 1):
        start = _QUOTED.match(line)
        if start and start[0].count(">") > QUOTES:
            raise _too_much(f"a quote is at most {QUOTES} deep", number)
        if not line.strip():
            columns = 0
        elif "-" in line and "|" in line and _DELIMITERS.fullmatch(line):
            columns = max(columns, line.strip(" \t>").strip("|").count("|") + 1)
        cells += columns
        if cells > CELLS:
            raise _too_much(f"the tables have more than {CELLS:,} cells; split the text, or attach them", number)


def _effort(token: Token) -> float:
    if token.type != "inline":
        return _TOKEN_COST
    marks = len(_MARK.findall(token.content))
    open_brackets = len(_OPEN_BRACKET.findall(_ESCAPED.sub("", token.content)))
    again = _AGAIN_COST * min(open_brackets, _OPEN_AT_ONCE)
    return _TOKEN_COST + marks * (_MARK_COST + again) + _AUTOLINK_COST * token.content.count("<")


def _too_much(message: str, line: int) -> Invalid:
    return Invalid(message, "body", line)
