"""The addresses in a text, and the text with others in their place."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from markdown_it.common.utils import unescapeAll

from kb.audience import Audience
from kb.text.markdown import narrow, parse
from kb.text.narrowing import block_tokens, lines_of

# What may stand where CommonMark takes an address: behind "](", or at a definition behind "]:".
_ADDRESS = re.compile(
    r"(?:\]\(|^ {0,3}\[[^\[\]\n]+\]:)\s*(?P<address><[^<>\n]*>|[^\s<>()]+(?:\([^\s()]*\)[^\s()]*)*)", re.MULTILINE
)


def addresses(markdown: str) -> dict[str, bool]:
    """Every address of a link or a picture, without escapes, and whether it is a picture's."""
    found: dict[str, bool] = {}
    for text in {narrow(markdown, tier) for tier in Audience}:  # each reader may be shown another definition
        for token in parse(text):
            for each in token.children or ():
                if each.type == "image":
                    found[unquote(str(each.attrs["src"]))] = True
                elif each.type == "link_open":
                    found.setdefault(unquote(str(each.attrs["href"])), False)
    return found


def places(markdown: str) -> Iterator[tuple[str, int, int]]:
    """Each address where it is written, code left out: without escapes, with its beginning and its end."""
    code = {line for token in block_tokens(lines_of(markdown)) if token.type in ("fence", "code_block")
            for line in range(*(token.map or (0, 0)))}  # fmt: skip
    for found in _ADDRESS.finditer(markdown):
        start, end = found.span("address")
        if not code or markdown.count("\n", 0, start) not in code:
            yield unquote(unescapeAll(found["address"].removeprefix("<").removesuffix(">"))), start, end


def readdressed(markdown: str, new: Mapping[str, str]) -> str:
    """The text with new addresses in place of those that are given."""
    parts, done = [], 0
    for address, start, end in places(markdown):
        if address in new:
            parts += [markdown[done:start], new[address]]
            done = end
    return "".join([*parts, markdown[done:]])
