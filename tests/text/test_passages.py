import glob
import re
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.article import Article, Confidence, Revision
from kb.audience import Access, Audience
from kb.language import Language
from kb.passage import Kind, Passage, PassageRef
from kb.post import Post
from kb.text.markdown import narrow, plain
from kb.text.passages import cut_article, cut_post, encoded_text, indexed_text, statement
from kb.text.sections import TARGET, weight

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "markdown"

ARTICLE = Article(
    id="a1",
    number="482-9175",
    language=Language.ENGLISH,
    audience=Audience.PUBLIC,
    created_at=NOON,
    modified_at=NOON,
    confidence=Confidence.VALIDATED,
    topic="broadband/faults",
    products=("hub-6",),
    tags=("reset",),
    source="markdown",
)

TEMPLATE = """## Issue
The internet is down and the ring is red.

## Environment
Hub 6 on fibre

## Resolution
Do this:

1. Pull the plug.
2. Wait a minute.

## Cause
A power surge.
"""

SENTENCE = "Restart the hub and wait until the ring is blue again. "


def cut(body: str, title: str = "No internet", audience: Audience = Audience.PUBLIC) -> list[Passage]:
    article = replace(ARTICLE, audience=audience)
    return cut_article(article, Revision("a1", 3, title, body, "p1", NOON))


def by_audience(passages: list[Passage]) -> dict[Audience, list[Passage]]:
    return {tier: [each for each in passages if each.access.audience is tier] for tier in Audience}


def test_a_short_article_is_one_passage() -> None:
    (passage,) = cut(TEMPLATE)
    assert passage.ref == PassageRef(Kind.ARTICLE, "a1", 3, 0)
    for part in ("ring is red", "Hub 6", "Pull the plug", "power surge"):
        assert part in passage.text
    assert passage.heading == ()
    assert passage.field == ""


def test_a_passage_carries_what_the_article_says_of_itself() -> None:
    (passage,) = cut(TEMPLATE)
    assert passage.title == "No internet"
    assert passage.topics == ("broadband", "broadband/faults")
    assert (passage.products, passage.tags, passage.source) == (("hub-6",), ("reset",), "markdown")
    assert passage.confidence == "validated"
    assert passage.language is Language.ENGLISH


def test_an_empty_article_is_found_by_its_title() -> None:
    (passage,) = cut("")
    assert indexed_text(passage) == "No internet"
    assert encoded_text(passage) == "No internet"


def test_restricted_groups_are_carried_by_every_passage() -> None:
    article = replace(ARTICLE, audience=Audience.PARTNER, groups=frozenset({"fraud"}))
    passages = cut_article(article, Revision("a1", 1, "t", "a\n\n::: internal\nb\n:::", "p1", NOON))
    assert [each.access for each in passages] == [
        Access(Audience.PARTNER, frozenset({"fraud"})),
        Access(Audience.INTERNAL, frozenset({"fraud"})),
    ]


def test_a_narrowed_block_is_a_passage_of_its_own_and_what_surrounds_it_stays_together() -> None:
    passages = cut("before\n\n::: internal\nsecret\n:::\n\nafter")
    assert [(each.access.audience, each.text, each.ref.ordinal) for each in passages] == [
        (Audience.PUBLIC, "before\n\nafter", 0),
        (Audience.INTERNAL, "secret", 1),
    ]


def test_a_title_is_for_all_its_readers_also_when_all_of_the_text_is_for_others() -> None:
    passages = cut("::: internal\nsecret\n:::")
    assert [(each.access.audience, each.text, each.ref.ordinal) for each in passages] == [
        (Audience.PUBLIC, "", 0),
        (Audience.INTERNAL, "secret", 1),
    ]
    assert [each.text for each in cut("::: internal\nsecret\n:::", audience=Audience.INTERNAL)] == ["secret"]


def test_a_block_never_widens_its_article() -> None:
    passages = cut("a\n\n::: public\nb\n:::", audience=Audience.INTERNAL)
    assert {each.access.audience for each in passages} == {Audience.INTERNAL}


def test_headings_inside_a_block_end_with_it() -> None:
    passages = cut("# Setup\na\n\n::: internal\n## Fraud team\nsecret\n:::\n\nafter\n\n## Cables\nb")
    public, internal = (by_audience(passages)[tier] for tier in (Audience.PUBLIC, Audience.INTERNAL))
    assert internal[0].heading == ("Setup", "Fraud team")
    assert "Fraud" not in repr(public)


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Resolution", "resolution"), ("RESOLUTION:", "resolution"), ("2. Solution", "resolution"),
        ("解决方法", "resolution"), ("解決方法", "resolution"), ("Issue", "issue"), ("問題", "issue"),
        ("问题描述", "issue"), ("环境", "environment"), ("環境", "environment"), ("Cause", "cause"), ("原因", "cause"),
        ("备注", "notes"), ("備註", "notes"), ("**Notes**", "notes"), ("Router lights", ""),
    ],
)  # fmt: skip
def test_template_headings_name_a_field(heading: str, field: str) -> None:
    (passage,) = cut(f"## {heading}\n\ntext")
    assert passage.field == field
    assert passage.heading == (() if field else (heading,))


def test_names_of_fields_are_not_indexed() -> None:
    (passage,) = cut(TEMPLATE)
    for text in (indexed_text(passage), encoded_text(passage)):
        assert not re.search(r"Issue|Environment|Resolution|Cause", text)
        assert text.count("Hub 6 on fibre") == 1
        assert text.count("No internet") == 1


def test_a_heading_is_in_the_path_or_in_the_text_and_indexed_once() -> None:
    (passage,) = cut("# Setup\n\n## Windows\n\ntext")
    assert passage.heading == ("Setup", "Windows")
    assert passage.text == "text"
    assert indexed_text(passage) == "No internet\nSetup\nWindows\ntext"
    (packed,) = cut("# Setup\n\n## Windows\n\ntext\n\n## Mac\n\nmore")
    assert packed.heading == ("Setup",)
    assert packed.text == "## Windows\n\ntext\n\n## Mac\n\nmore"


def test_a_heading_that_repeats_the_title_is_not_repeated() -> None:
    (passage,) = cut("# No Internet\n\ntext")
    assert (passage.heading, passage.text) == ((), "text")


def test_a_long_article_keeps_environment_and_path_with_every_passage() -> None:
    body = f"{TEMPLATE}\n## Resolution\n\n### Fibre\n\n" + "\n\n".join([SENTENCE * 8] * 6)
    passages = cut(body)
    assert len(passages) > 2
    assert {each.environment for each in passages} == {"Hub 6 on fibre"}
    assert passages[-1].heading == ("Fibre",)
    assert passages[-1].field == "resolution"
    assert [each.ref.ordinal for each in passages] == list(range(len(passages)))
    assert all("Hub 6 on fibre" in indexed_text(each) for each in passages)


def test_a_narrowed_environment_stays_with_its_readers() -> None:
    body = "## Environment\nHub 6\n\n::: internal\nbatch 77\n:::\n\n## Resolution\nx\n\n::: partner\ny\n:::"
    environments = {each.access.audience: each.environment for each in cut(body)}
    assert environments[Audience.PUBLIC] == "Hub 6"
    assert environments[Audience.PARTNER] == "Hub 6"
    assert environments[Audience.INTERNAL] == "Hub 6 batch 77"


def test_a_long_environment_is_cut_short() -> None:
    passage = cut("## Environment\n\n" + "Hub 6 and Hub 5 " * 40)[0]
    assert len(passage.environment) <= 200
    assert passage.environment.endswith("…")


@pytest.mark.parametrize(
    "whole",
    [
        "\n".join(f"{n}. {SENTENCE}" for n in range(1, 60)),
        "| a | b |\n|---|---|\n" + "\n".join(f"| {n} | {SENTENCE}|" for n in range(60)),
        "```\n" + "\n\n".join(f"line {n} {SENTENCE}" for n in range(60)) + "\n```",
    ],
    ids=["list", "table", "code"],
)
def test_lists_tables_and_code_are_never_cut(whole: str) -> None:
    passages = cut(f"{SENTENCE * 12}\n\n{whole}\n\n{SENTENCE * 12}")
    assert len(passages) == 3
    assert passages[1].text == whole.rstrip()


def test_a_long_section_is_cut_between_its_elements() -> None:
    body = "## Long\n\n" + "\n\n".join(f"{n}. paragraph. {SENTENCE * 5}".replace(".", "", 1) for n in range(20))
    passages = cut(body)
    assert len(passages) > 3
    assert all(weight(plain(each.text)) <= TARGET * 1.25 + 50 for each in passages)
    assert all(each.heading == ("Long",) for each in passages)


@pytest.mark.parametrize("sentence", [SENTENCE, "重启光猫，等待指示灯变蓝。"])
def test_an_endless_paragraph_is_cut_between_sentences(sentence: str) -> None:
    passages = cut(sentence * 100)
    assert len(passages) > 2
    assert all(weight(plain(each.text)) <= TARGET * 1.25 for each in passages)
    assert all(each.text.rstrip().endswith((".", "。")) for each in passages)


def test_emphasis_is_not_torn_apart() -> None:
    (passage,) = cut(f"**{SENTENCE * 60}end**")
    assert passage.text.startswith("**")
    assert passage.text.endswith("**")


def test_a_lead_in_stays_with_its_list() -> None:
    steps = "\n".join(f"{n}. {SENTENCE}" for n in range(1, 11))
    passages = cut(f"## Steps\n\n{SENTENCE * 20}\n\nDo the following:\n\n{steps}")
    (with_list,) = [each for each in passages if "1. Restart" in each.text]
    assert with_list.text.startswith("Do the following:")


def test_links_work_wherever_their_definition_stood() -> None:
    body = f"See [the guide][g].\n\n{SENTENCE * 30}\n\n::: internal\nSee [the tool][t].\n:::\n\n"
    body += "[g]: https://guide.example\n\n::: internal\n[t]: https://tool.example\n:::"
    passages = cut(body)
    assert "[g]: https://guide.example" in passages[0].text
    assert [("tool.example" in each.text) for each in passages] == [
        each.access.audience is Audience.INTERNAL for each in passages
    ]


def test_a_post_is_cut_like_an_article_and_titled_with_its_question() -> None:
    post = Post("p9", "forum", "77", "Why is the ring red?", "Because of X.", Language.ENGLISH, "ann", NOON, revision=4)
    (passage,) = cut_post(post)
    assert passage.ref == PassageRef(Kind.POST, "p9", 4, 0)
    assert passage.title == "Why is the ring red?"
    assert passage.access == Access(Audience.INTERNAL)
    assert passage.source == "forum"


def test_the_statement_is_the_issue_on_one_line() -> None:
    assert statement(TEMPLATE, Audience.PUBLIC) == "The internet is down and the ring is red."
    assert statement("## 問題\n網路\n斷線\n\n## 原因\nx", Audience.PUBLIC) == "網路斷線"
    long = statement("## Issue\n" + SENTENCE * 30, Audience.PUBLIC)
    assert len(long) <= 300
    assert "\n" not in long


def test_the_statement_is_trimmed_to_its_reader() -> None:
    body = "## Issue\nNo dial tone\n\n::: internal\non batch 77\n:::"
    assert statement(body, Audience.CUSTOMER) == "No dial tone"
    assert statement(body, Audience.INTERNAL) == "No dial tone on batch 77"


def test_without_an_issue_the_opening_paragraph_is_the_statement() -> None:
    assert statement("# Head\n\nOpening words.\n\nMore.", Audience.PUBLIC) == "Opening words."
    assert statement("", Audience.PUBLIC) == ""
    assert statement("## Resolution\n\nx", Audience.PUBLIC) == ""


_PIECES = st.sampled_from(
    ["# Head", "## Issue", "## 环境", "### Deep", "word " * 90, "中文" * 200, "- a\n- b\n  - c", "1. one\n\n   two",
     "| a | b |\n|---|---|\n| c | d |", "```\ncode\n\nmore\n```", "> quote", "[x]: /y", "see [x]", "---",
     "    indented", "::: internal", "::: partner", ":::", "  ::: x", "- ::: internal", "<b>bold</b>", "Do:",
     SENTENCE * 40]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=14), st.sampled_from(list(Audience)))
def test_every_word_goes_to_exactly_one_passage(pieces: list[str], audience: Audience) -> None:
    body = "\n\n".join(pieces)
    passages = cut(body, audience=audience)
    assert [each.ref.ordinal for each in passages] == list(range(len(passages)))
    heads = {"head", "deep", "issue", "环境"}  # carried by path or field, perhaps more than once
    for tier in Audience:
        if tier.rank < audience.rank:
            assert by_audience(passages)[tier] == []
            continue
        seen = Counter(
            word
            for each in passages
            if each.access.audience.rank <= tier.rank
            for word in re.findall(r"\w+", plain(each.text).lower())
        )
        written = Counter(re.findall(r"\w+", plain(narrow(body, tier)).lower()))
        assert {w: n for w, n in seen.items() if w not in heads} == {w: n for w, n in written.items() if w not in heads}


@pytest.mark.skipif(not SAMPLES.exists(), reason="needs the sample documents in ../shared")
def test_real_documents_lose_nothing_and_take_no_time() -> None:
    paths = sorted(glob.glob(f"{SAMPLES}/**/*.md", recursive=True), key=lambda path: Path(path).stat().st_size)
    for path in paths[-5:] + paths[:: len(paths) // 20]:
        body = Path(path).read_text(encoding="utf-8")
        started = time.perf_counter()
        passages = cut(body)
        took = time.perf_counter() - started
        assert took < 0.5 + 1e-5 * len(body.encode()), path
        carried = Counter("".join(f"{each.heading}{each.text}{each.field}" for each in passages))
        missing = Counter(re.findall(r"\w", plain(narrow(body, Audience.INTERNAL)))) - carried
        assert not missing, path
