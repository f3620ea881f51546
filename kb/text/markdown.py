"""Markdown: checked, trimmed to a reader, and turned into plain text or safe HTML.

CommonMark with tables and strikethrough, raw HTML off, and narrowed blocks (`kb.text.narrowing`).
`narrow` is the one place that trims text: whatever leaves for a reader has gone through it.
What `render` gives back is safe on any page, ours or not: it runs nothing, and loads nothing but pictures of ours.
"""

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from kb.audience import Audience
from kb.errors import Invalid
from kb.file import reference
from kb.text import bounds, narrowing
from kb.text.hygiene import web_address
from kb.text.script import han_count

_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p",
    "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title", "download"}, "img": {"src", "alt", "title", "width", "height"}, "ol": {"start"},
    "code": {"class"}, "td": {"align"}, "th": {"align"},
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto", "tel"}
_OWN_PICTURE = re.compile(r"/[\w-][\w/-]*/[0-9a-f]{64}")
_CODE_CLASS = re.compile(r"language-[\w+#.-]{1,40}")
_ELSEWHERE_IN_DISGUISE = re.compile(r"[\s\x00-\x1f]*[/\\]\s*[/\\]")  # browsers read "//host" and "/\\host" alike


@dataclass(frozen=True, slots=True)
class Element:
    """One block of a document's top level: "heading", "paragraph", "list", "table", "code", "quote" or "rule".

    `source` is its Markdown, `plain` its plain text, `line` its first line (from 0), `level` that of a heading.
    """

    kind: str
    source: str
    plain: str
    line: int
    level: int = 0


@dataclass(frozen=True, slots=True)
class Definition:
    """The target of a reference link: `[label]: https://...`. `label` is upper-cased, as CommonMark compares it."""

    label: str
    source: str


def check(markdown: str) -> None:
    """Raises Invalid, with the line, unless every narrowed block is well formed and nothing takes too long to parse."""
    bounds.check(markdown)
    _, mistake = narrowing.blocks(markdown)
    if mistake is not None:
        raise Invalid(mistake.message, "body", mistake.line)


def narrow(markdown: str, reader_tier: Audience) -> str:
    """The Markdown that a reader of that tier may see: blocks for narrower circles cut, markers gone.

    Never raises; what is malformed counts as internal to the end of the text.
    """
    blocks, _ = narrowing.blocks(markdown)
    return "\n\n".join(block.text for block in blocks if block.audience.rank <= reader_tier.rank)


def plain(markdown: str) -> str:
    """Readable text without markup: a line per list item and table row (cells between bars), links as their text."""
    tokens = parse(markdown)
    return "\n\n".join(text for group in _top_level(tokens) if (text := _plain(group)))


def render(markdown: str, files: str = "") -> str:
    """Safe HTML. Narrowing comes before: what is given here is shown.

    `files` is the address below which the pictures and files of the text are served; without it there are none.
    A picture from elsewhere becomes a link, since to load it would tell its host who reads what.
    """
    parser = _parser()
    tokens = parser.parse(markdown)
    for token in tokens:
        if token.children:
            token.children = list(_fitted(token.children, files))
    return _cleaner().clean(parser.renderer.render(tokens, parser.options, {}))


def _fitted(tokens: Sequence[Token], files: str) -> Iterator[Token]:
    """Inline tokens with our files at their addresses, and without pictures from elsewhere."""
    depth = 0
    for token in tokens:
        if token.type == "image":
            yield from _picture(token, files, inside_link=depth > 0)
            continue
        if token.type == "link_open" and files and (ours := reference(str(token.attrs["href"]))):
            token.attrs |= {"href": files + ours.hash, "download": ""}
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        yield token


def _picture(token: Token, files: str, inside_link: bool) -> Iterator[Token]:
    """A picture of ours, a link to one that is not to be shown here, or where neither can be its words."""
    address = str(token.attrs["src"])
    ours = reference(address) if files else None
    if ours and ours.is_picture:
        token.attrs["src"] = files + ours.hash
        if ours.width and ours.height:
            token.attrs |= {"width": ours.width, "height": ours.height}
        yield token
        return
    words = _inline(token.children or ())
    link: dict[str, str | int | float] = {"href": files + ours.hash, "download": ""} if ours else {}
    if not ours and web_address(address):
        link, words = {"href": address}, words or address
    text = Token("text", "", 0, content=words)
    if link and not inside_link:
        yield from (Token("link_open", "a", 1, attrs=link), text, Token("link_close", "a", -1))
    else:
        yield text


def parse(markdown: str) -> list[Token]:
    """The tokens of a text, as markdown-it has them."""
    return _parser().parse(markdown)


def elements(markdown: str) -> tuple[list[Element], list[Definition]]:
    """The top-level blocks in order, and the link definitions, which are not text. Together: the whole document."""
    lines = narrowing.lines_of(markdown)
    env: dict[str, dict[str, dict[str, list[int]]]] = {}
    found = []
    for group in _top_level(_parser().parse("\n".join(lines), env)):
        first, end = group[0].map or [0, 0]
        kind = _KINDS.get(group[0].type, "paragraph")
        level = int(group[0].tag[1]) if kind == "heading" else 0
        found.append(Element(kind, "\n".join(lines[first:end]).rstrip(), _plain(group), first, level))
    definitions = [
        Definition(label, "\n".join(lines[slice(*reference["map"])]).strip())
        for label, reference in env.get("references", {}).items()
    ]
    return found, definitions


_KINDS = {
    "heading_open": "heading", "bullet_list_open": "list", "ordered_list_open": "list", "table_open": "table",
    "fence": "code", "code_block": "code", "blockquote_open": "quote", "hr": "rule",
}  # fmt: skip


@functools.cache
def _parser() -> MarkdownIt:
    # The preset stops at 20 levels and silently drops what is deeper; a pasted list has been seen with 12 (24 levels).
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 100}).enable(["table", "strikethrough"])
    parser.core.ruler.push("align", lambda state: _align(state.tokens))
    return parser


def _align(tokens: Sequence[Token]) -> None:
    """Table alignment as an attribute: a Content-Security-Policy without unsafe-inline ignores style."""
    for token in tokens:
        if token.type in ("td_open", "th_open") and (style := token.attrs.pop("style", None)):
            token.attrs["align"] = str(style).rpartition(":")[2]


@functools.cache
def _cleaner() -> nh3.Cleaner:
    """Lets through what `render` makes and nothing else, should the parser ever make more."""
    return nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_keep_attribute,
        set_tag_attribute_values={"img": {"loading": "lazy"}},
        url_schemes=_SCHEMES,
        link_rel="noopener ugc nofollow",
    )


def _keep_attribute(tag: str, attribute: str, value: str) -> str | None:
    match tag, attribute:
        case "code", "class":
            kept = _CODE_CLASS.fullmatch(value) is not None
        case "img", "src":
            kept = _OWN_PICTURE.fullmatch(value) is not None
        case "a", "href":
            kept = _ELSEWHERE_IN_DISGUISE.match(value) is None
        case _:
            kept = True
    return value if kept else None


def _top_level(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens, one group for each block of the top level."""
    group: list[Token] = []
    for token in tokens:
        group.append(token)
        if token.level == 0 and token.nesting <= 0 and token.type != "inline":
            yield group
            group = []


def _plain(group: Sequence[Token]) -> str:
    lines: list[str] = []
    row: list[str] | None = None
    marker, depth = "", 0
    for token in group:
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                depth += 1
            case "bullet_list_close" | "ordered_list_close":
                depth -= 1
            case "list_item_open":
                marker = f"{token.info}. " if token.info else "- "
            case "tr_open":
                row = []
            case "tr_close" if row is not None:
                lines.append(" | ".join(row))
                row = None
            case "inline" if row is not None:
                row.append(_inline(token.children or ()).replace("\n", " "))
            case "inline" | "fence" | "code_block":
                text = _inline(token.children or ()) if token.type == "inline" else token.content.rstrip("\n")
                indent = "  " * max(depth - 1, 0)
                lines.append(indent + marker + text)
                marker = ""
    return "\n".join(lines).strip("\n")


def _inline(tokens: Sequence[Token]) -> str:
    text = ""
    for index, token in enumerate(tokens):
        if token.type == "softbreak":
            text += _soft_break(text, tokens[index + 1 :])
        elif token.type == "hardbreak":
            text += "\n"
        else:  # an image's children are its alt text
            text += _inline(token.children) if token.children else token.content
    return text


def _soft_break(before: str, after: Sequence[Token]) -> str:
    """A space, but nothing between two Han characters: Chinese is written without."""
    following = next((token.content for token in after if token.content), "")
    return "" if han_count(before[-1:]) and han_count(following[:1]) else " "
