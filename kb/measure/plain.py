"""Plain text as Markdown that says exactly the same: what is given is what is indexed."""

import re

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")  # all of ASCII's; CommonMark lets each be escaped
# Three colons of any width at the start of a line may be meant as a marker of a narrowed block (kb.text.narrowing).
_WIDE_COLON = re.compile("[\uff1a\ufe55\ufe13\u2236]")
_PARAGRAPH = re.compile(r"\n\s*\n")
_LINE_BREAK = re.compile(r"\r\n|[\r\n]")


def as_markdown(text: str) -> str:
    """Markdown whose plain text is `text`, line for line; only white space at the edges of lines is lost.

    Blank lines part paragraphs, every other line break is a hard one: a soft one would join two Chinese lines.
    """
    text = "\n".join(line.strip() for line in _LINE_BREAK.split(text)).strip()
    return "\n\n".join("  \n".join(map(_escaped, lines.split("\n"))) for lines in _PARAGRAPH.split(text))


def _escaped(line: str) -> str:
    line = _PUNCTUATION.sub(r"\\\1", line)
    return _WIDE_COLON.sub(lambda colon: f"&#{ord(colon[0])};", line)
