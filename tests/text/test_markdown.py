import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.audience import Audience
from kb.errors import Invalid
from kb.text.markdown import check, elements, narrow, plain, render

WELL_FORMED = "before\n\n::: internal\nsecret\n:::\n\nafter"


@pytest.mark.parametrize("word", ["internal", "partner", "customer", "public", "Internal"])
def test_a_block_narrowed_to_any_audience_is_accepted(word: str) -> None:
    check(f"text\n::: {word}\nmore\n:::\ntext")


def test_colons_elsewhere_are_just_text() -> None:
    check("a ::: b\n\n\\::: internal\n\n```\n::: nonsense\n```\n\n~~~~\n:::\n~~~~\n\n| a |\n|:-:|\n| b |")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a\n\n::: secret\nb\n:::", 3, "'secret' is no audience"),
        ("::: internal only\nb\n:::", 1, "'internal only' is no audience"),
        ("a\n::: internal\nb", 2, "never closed"),
        ("a\n:::\nb", 2, "never opened"),
        ("::: internal\na\n::: partner\nb\n:::\n:::", 3, "do not nest"),
        ("- a\n\n  ::: internal\n  b\n  :::", 3, "first column"),
        ("> a\n> ::: internal\n> b\n> :::", 2, "first column"),
        ("- ::: internal", 1, "first column"),
        ("  ::: internal\nb\n:::", 1, "first column"),
        ("    ::: internal\n    b", 1, "first column"),
        ("：：： internal\nb\n：：：", 1, "plain colons"),
        (":::: internal\nb\n::::", 1, "first column"),
        ("```\na\n\n::: internal\nb\n:::", 4, "unclosed code"),
        ("a\r\n\r\n::: internal\r\nb", 3, "never closed"),
    ],
)
def test_a_mistake_is_reported_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(Invalid, match=says) as raised:
        check(text)
    assert raised.value.line == line
    assert raised.value.field == "body"


@pytest.mark.parametrize("tier", Audience)
@pytest.mark.parametrize("block", Audience)
def test_a_block_is_shown_to_its_audience_and_all_inside_it(tier: Audience, block: Audience) -> None:
    shown = narrow(f"before\n::: {block}\nsecret\n:::\nafter", tier)
    assert ("secret" in shown) == (tier.rank >= block.rank)
    assert "before" in shown
    assert "after" in shown
    assert ":::" not in shown


def test_a_cut_leaves_paragraphs_apart() -> None:
    assert narrow("before\n::: internal\nsecret\n:::\nafter", Audience.PUBLIC) == "before\n\nafter"


def test_a_list_above_a_block_ends_at_it() -> None:
    assert narrow("- a\n::: internal\nsecret\n:::\n- b", Audience.PUBLIC) == "- a\n\n- b"


def test_link_definitions_vanish_with_their_block() -> None:
    text = "See [it][x].\n\n::: internal\n[x]: https://intranet.example\n:::\n"
    assert "intranet" not in narrow(text, Audience.CUSTOMER)
    assert 'href="https://intranet.example"' in render(narrow(text, Audience.INTERNAL))


@pytest.mark.parametrize(
    "malformed",
    [
        "::: internal\nsecret",
        "::: secretive\nsecret\n:::\nsecret",
        "::: internal\nx\n::: public\nsecret\n:::\nsecret",
        "- ::: internal\n  secret\n  :::",
        "> ::: internal\n> secret\n> :::",
        " ::: internal\nsecret\n :::",
        "：：：internal\nsecret\n：：：",
        "\u200b::: internal\nsecret\n:::",
        "\u3000::: internal\nsecret\n:::",
        "text\u2028::: internal\nsecret\n:::",
        "text\f::: internal\nsecret\n:::",
        "```\nnever closed\n\n::: internal\nsecret\n:::",
        "::: internal\n```\n:::\nsecret",
        "::: internal\n```\n:::\nsecret\n```\nsecret",
        ":::\nsecret",
    ],
)
def test_what_is_malformed_is_internal_to_the_end(malformed: str) -> None:
    text = f"before\n\n{malformed}\n\nsecret"
    assert "secret" not in narrow(text, Audience.PARTNER)
    assert narrow(text, Audience.PARTNER).startswith("before")
    assert "secret" in narrow(text, Audience.INTERNAL)


def test_a_byte_order_mark_hides_nothing_and_shows_nothing() -> None:
    assert narrow("\ufeff::: internal\nsecret\n:::\nafter", Audience.PUBLIC) == "after"


@given(st.text(alphabet="-*+>#|[]()! 1.ab\\`~\n"))
def test_a_text_without_markers_is_left_alone(text: str) -> None:
    assert narrow(text, Audience.PUBLIC) == text.strip("\n")


def test_plain_text_keeps_what_people_read() -> None:
    text = (
        "# Reset *now*\n\nGo to the [portal](https://x.example), see ![the back](b.png) and `pin`.\n\n"
        "1. Pull\n   - wait\n2. Plug\n\n| LED | means |\n|---|---|\n| red | fault |\n\n```\ncmd --now\n```\n\n"
        "> ~~old~~ new"
    )
    assert plain(text) == (
        "Reset now\n\nGo to the portal, see the back and pin.\n\n1. Pull\n  - wait\n2. Plug\n\n"
        "LED | means\nred | fault\n\ncmd --now\n\nold new"
    )


def test_a_soft_break_is_a_space_in_english_and_nothing_in_chinese() -> None:
    assert plain("one\ntwo") == "one two"
    assert plain("请重启\n光猫") == "请重启光猫"


def test_deep_lists_lose_nothing() -> None:
    assert "level 30" in plain("\n".join("  " * depth + f"- level {depth}" for depth in range(31)))


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](javascript:alert(1))",
        "![x](data:image/svg+xml;base64,AAAA)",
        '<img src=x onerror="alert(1)">',
        "<javascript:alert(1)>",
        '[x](https://a.example "onclick=alert(1)")',
        "```x onclick=alert(1)\ncode\n```",
    ],
)
def test_nothing_that_runs_is_rendered(text: str) -> None:
    html = render(text)
    for tag in ("<script", "<img src=x", 'href="javascript', 'href="data', 'src="data', 'src="javascript', " onclick="):
        assert tag not in html.lower()


def test_links_carry_no_credit_and_no_opener() -> None:
    assert render("[x](https://a.example)") == (
        '<p><a href="https://a.example" rel="noopener ugc nofollow">x</a></p>\n'
    )


@pytest.mark.parametrize(
    "address", ["//evil.example", "/\\evil.example", "\\\\\\\\evil.example", "/&#x5c;evil.example"]
)
def test_an_address_that_browsers_read_as_another_host_is_no_link(address: str) -> None:
    html = render(f"[x]({address})")
    assert 'href="//' not in html
    assert "\\" not in html


OURS = f"files/{'0123456789abcdef' * 4}"
AT = "/api/v1/articles/482-9175/files/"


def test_a_picture_of_ours_is_shown_with_room_for_it() -> None:
    html = render(f'![a *ring*]({OURS}.png#640x480 "red")', AT)
    assert f'src="{AT}{OURS[6:]}"' in html
    assert 'alt="a ring"' in html
    assert 'title="red" width="640" height="480" loading="lazy"' in html
    assert "width" not in render(f"![a]({OURS}.png)", AT)


@pytest.mark.parametrize("markdown", [f"[manual.pdf (1 MB)]({OURS}.pdf)", f"![manual.pdf (1 MB)]({OURS}.pdf)"])
def test_any_other_file_of_ours_is_a_link_to_save_it(markdown: str) -> None:
    html = f'<p><a href="{AT}{OURS[6:]}" download="" rel="noopener ugc nofollow">manual.pdf (1 MB)</a></p>\n'
    assert render(markdown, AT) == html


def test_a_picture_from_elsewhere_is_a_link_and_within_a_link_its_words() -> None:
    link = '<a href="https://a.example/x.png" rel="noopener ugc nofollow">'
    assert render("![ring](https://a.example/x.png)") == f"<p>{link}ring</a></p>\n"
    assert render("![](https://a.example/x.png)") == f"<p>{link}https://a.example/x.png</a></p>\n"
    inside = render("[![ring](https://a.example/x.png)](https://b.example)")
    assert inside == '<p><a href="https://b.example" rel="noopener ugc nofollow">ring</a></p>\n'


@pytest.mark.parametrize(
    "address",
    ["x.png", "/x.png", "../x.png", f"{OURS}.exe", f"/{OURS}.png", f"{OURS.upper()}.png", f"{AT}{OURS[6:]}",
     "data:image/png;base64,AAAA", "//a.example/x.png"],
)  # fmt: skip
def test_a_picture_that_is_nowhere_is_its_words(address: str) -> None:
    assert render(f"![ring]({address})", AT) == "<p>ring</p>\n"


def test_without_files_a_text_shows_none() -> None:
    assert render(f"![ring]({OURS}.png)") == "<p>ring</p>\n"
    assert "href" in render(f"[ring]({OURS}.pdf)"), "a link as any other"


def test_a_picture_is_its_words_in_plain_text() -> None:
    assert plain(f"See ![the ring]({OURS}.png#640x480).") == "See the ring."


def test_a_class_of_code_is_a_language_and_nothing_else() -> None:
    assert '<code class="language-c++">' in render("```c++\nx\n```")
    assert "<code>" in render("```&quot;x\u00a0evil&quot;\nx\n```")


def test_tables_are_aligned_without_inline_style() -> None:
    html = render("| a |\n|--:|\n| b |")
    assert '<td align="right">b</td>' in html
    assert "style" not in html


def test_elements_are_the_whole_document() -> None:
    text = "# Head\n\npara\n\n- a\n- b\n\n| a |\n|---|\n| b |\n\n```\nx\n```\n\n---\n\n> q\n\n[x]: https://a.example"
    found, definitions = elements(text)
    kinds = [each.kind for each in found]
    assert kinds == ["heading", "paragraph", "list", "table", "code", "rule", "quote"]
    assert "\n\n".join([each.source for each in found] + [each.source for each in definitions]) == text
