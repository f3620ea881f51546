import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.audience import Audience
from kb.language import Language
from kb.measure.collection import Document
from kb.measure.plain import as_markdown
from kb.measure.workshop import post_of
from kb.text.analyzer import analyze
from kb.text.markdown import check, plain
from kb.text.passages import cut_post, indexed_text

TRICKY = [
    "1. one\n2) two\n- three\n* four\n+ five\n# six",
    "A | B\n--|--\n1 | 2",
    "<b>bold</b> &amp; &lt;br&gt; <script>alert(1)</script>",
    "`code` ```fence``` ~~~ **strong** _em_ [link](http://x.y/z?a=b&c=d) ![img](i.png)",
    "```\nunclosed fence\n    indented",
    "    indented as code\n\ttab",
    "[label]: https://example.org/definition\n[label]",
    "::: internal\nsecret\n:::",
    "：：： internal\n∶∶∶ 内部",
    "第一行\n第二行",
    "ends with a backslash \\\nnext",
    "two\n\n\n\nparagraphs\r\nand\rlines",
    "---\ntitle: x\n---\n===\nSetext\n======",
    "> quote\n>> nested",
    "http://example.org/a_b_c?x=1#y ERR_CONNECTION_RESET X5-200 a*b*c 5 < 6 > 4 C:\\dir\\file",
]


def letters(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("text", TRICKY)
def test_plain_text_survives_markdown(text: str) -> None:
    markdown = as_markdown(text)
    check(markdown)
    assert letters(plain(markdown)) == letters(text)
    assert analyze(plain(markdown)) == analyze(text)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cc",))))
def test_any_plain_text_survives_markdown(text: str) -> None:
    markdown = as_markdown(text)
    check(markdown)
    assert letters(plain(markdown)) == letters(text)


@pytest.mark.parametrize(
    "text", [*TRICKY, "A long sentence that goes on, and on. " * 80, "很长的一句话，说个不停。" * 120]
)
def test_what_is_indexed_of_a_document_is_its_text_and_nothing_else(text: str) -> None:
    document = Document("d1", "", text, Language.ENGLISH)
    passages = cut_post(post_of(document))
    assert letters("".join(map(indexed_text, passages))) == letters(text)
    assert Counter(token for each in passages for token in analyze(indexed_text(each))) == Counter(analyze(text))
    assert {each.access.audience for each in passages} == {Audience.INTERNAL}
