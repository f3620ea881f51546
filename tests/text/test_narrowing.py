"""Whatever the document, what is narrowed stays narrowed: in trimmed text, in passages, in statements."""

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kb.article import Article, Revision
from kb.audience import Audience
from kb.language import Language
from kb.text.markdown import narrow
from kb.text.passages import cut_article, encoded_text, indexed_text, statement

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CANARY = "canary7f3"

_INSIDE = st.sampled_from(
    [CANARY, f"# {CANARY}", f"- {CANARY}", f"> {CANARY}", f"| a |\n|---|\n| {CANARY} |", f"```\n{CANARY}\n```",
     f"[x]: https://{CANARY}.example", f"## Environment\n{CANARY}", f"## Issue\n{CANARY}", f"1. a\n\n   {CANARY}",
     f"    {CANARY}", f"**{CANARY}", f"{CANARY}\n===", f"- ```\n  {CANARY}\n  ```"]
)  # fmt: skip
_OUTSIDE = st.one_of(
    st.text(alphabet="-*+>#|:[]()! \t1.ab\\<&;\u3000：\n\r\f_=", max_size=30),
    st.sampled_from(
        ["# Head", "## Environment\nhub", "## Issue\nslow", "- a\n  - b", "> quote", "| a |\n|---|\n| b |",
         "```\n::: internal\ncode\n```", "- ```\n  code\n  ```", "~~~~~~~~~ never closed", "[x]", "[x]: /y",
         "::: nonsense", "1. a\n\n\n", "<div>", "text", "    indented", "> ~~~~~~~~~"]
    ),
)  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, Audience]:
    """A document with the canary in one narrowed block, and the audience of that block."""
    audience = draw(st.sampled_from([Audience.CUSTOMER, Audience.PARTNER, Audience.INTERNAL]))
    inside = draw(st.lists(_INSIDE, min_size=1, max_size=3))
    before, after = draw(st.lists(_OUTSIDE, max_size=4)), draw(st.lists(_OUTSIDE, max_size=4))
    block = [f"::: {audience}", *inside, ":::"]
    return draw(st.sampled_from(["\n", "\n\n", "\r\n"])).join([*before, *block, *after]), audience


@given(documents())
def test_narrowed_text_never_reaches_a_wider_circle(document: tuple[str, Audience]) -> None:
    text, audience = document
    for tier in Audience:
        if tier.rank < audience.rank:
            assert CANARY not in narrow(text, tier)
    assert CANARY in narrow(text, Audience.INTERNAL)


@given(documents())
def test_a_wider_circle_never_sees_more(document: tuple[str, Audience]) -> None:
    seen = [set(narrow(document[0], tier).split("\n")) for tier in Audience]
    for wider, narrower in pairwise(seen):
        assert wider <= narrower | {""}


@given(documents())
def test_no_passage_for_a_wider_circle_carries_narrowed_text(document: tuple[str, Audience]) -> None:
    text, audience = document
    article = Article("a1", "482-9175", Language.ENGLISH, Audience.PUBLIC, NOON, NOON)
    for passage in cut_article(article, Revision("a1", 1, "title", text, "p1", NOON)):
        if passage.access.audience.rank < audience.rank:
            assert CANARY not in f"{passage} {indexed_text(passage)} {encoded_text(passage)}"


@given(documents())
def test_no_statement_for_a_wider_circle_quotes_narrowed_text(document: tuple[str, Audience]) -> None:
    text, audience = document
    for tier in Audience:
        if tier.rank < audience.rank:
            assert CANARY not in statement(text, tier)
