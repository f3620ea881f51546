import time

import pytest

from kb.errors import Invalid
from kb.text import bounds
from kb.text.bounds import check
from kb.text.markdown import render

LONG = 250_000
"""Characters, where nothing else is said."""


def repeated(text: str, length: int = LONG) -> str:
    return (text * (length // len(text) + 1))[:length]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a" * (bounds.LONGEST + 1), 1, "at most 500,000"),
        ("a\n" * (bounds.LINES + 1), bounds.LINES + 1, "at most 20,000"),
        ("a\n\n" + ">" * 11 + " a", 3, "a quote is at most 10 deep"),
        ("- > > >\n\n  - > - > - > - > - > - > - > - > - > - > - > a", 3, "a quote is at most 10 deep"),
        ("text\n\n" + repeated("["), 3, "markup"),
        ("text\n\n" + repeated("!["), 3, "markup"),
        ("text\n\n" + repeated("[a]["), 3, "markup"),
        ("text\n\n" + repeated("[[a]]("), 3, "markup"),
        ("text\n\n" + repeated("[a\\]"), 3, "markup"),
        ("text\n\n" + repeated("[" + "*word* " * 20), 3, "markup"),
        ("text\n\n" + repeated("*a _b_ "), 3, "code block"),
        (("|a" * 99 + "\n" + "|-" * 99 + "\n" + "a\n" * 99 + "\n") * 4, 311, "more than 30,000 cells"),
        ("- " + "|a" * 9 + "\n  " + "|-" * 9 + "\n" + "  a\n" * 9_000, 3335, "more than 30,000 cells"),
    ],
)
def test_what_would_take_long_to_parse_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(Invalid, match=says) as raised:
        check(text)
    assert (raised.value.line, raised.value.field) == (line, "body")


@pytest.mark.parametrize(
    "text",
    [
        "请重启光猫，然后等待四分钟。" * 1_500,
        "请重启光猫" * 50_000,
        "\n".join(f"{n}. Do **this** with [it](https://a.example/{n}) and `x_{n}`." for n in range(5_000)),
        "|" + "a|" * 8 + "\n|" + "-|" * 8 + "\n" + ("|" + " a [b](c) `d` |" * 8 + "\n") * 900,
        "```\n" + "[INFO] [main] <x> | *y* _z_ `q` \\ &amp;\n" * 6_000 + "```",
        "    [INFO] [main] <x> | *y* _z_ `q` \\ &amp;\n" * 5_000,
        "[INFO] [main] started *again*\n" * 2_000,
        "word " * 100_000,
        "- [ ] task\n" * 5_000,
        "".join("  " * depth + f"- level {depth}\n" for depth in range(30)) * 50,
        "> > > said\n> > so\n> yes\n\n" * 1_000,
        "a | b\n---|---\n" * 3_000,
        "----------|\n" * 3_000,
    ],
)
def test_long_real_texts_pass(text: str) -> None:
    check(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    ["[", "![",
     "[a", "[a][", "[[a]](", "[a\\]", "[" + "*word* " * 20, "![" * 100 + "a" + "](b)" * 100 + " ", "*a ", "a*",
     "<http://x> ", "- a\n", "- > a\n", "a\n\n", "# a\n", "|a|b|\n|-|-|\n|c\n\n", ">" * 10 + "a\n" + "a\n" * 20 + "\n",
     "[a]: b\n\n", "![*a*](b) ", "~~a~~ ", "&#x", "`a` ", "\\\n", "::: internal\na\n:::\n"],
)  # fmt: skip
def test_the_worst_that_is_accepted_is_parsed_within_seconds(unit: str) -> None:
    length = LONG
    while length > 10:
        text = repeated(unit, length)
        try:
            check(text)
        except Invalid:
            length = length * 4 // 5
            continue
        break
    start = time.process_time()
    render(text)
    # Measured: at most 1.1 s for the parser where nothing else runs. Without bounds it would be minutes.
    assert time.process_time() - start < 6
