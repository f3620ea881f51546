import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.difference import Change, difference

TEXTS = st.text(alphabet="ab 。，按住\n.-", max_size=60)


def shown(old: str, new: str) -> str:
    marks = {Change.EQUAL: "{}", Change.DELETE: "[-{}-]", Change.INSERT: "[+{}+]"}
    return "".join(marks[step.change].format(step.text) for step in difference(old, new))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", ""),
        ("same", "same", "same"),
        ("", "new", "[+new+]"),
        ("old", "", "[-old-]"),
        ("hold for ten seconds", "hold for two seconds", "hold for [-ten-][+two+] seconds"),
        ("按住十秒钟。", "按住五秒钟。", "按住[-十-][+五+]秒钟。"),
        ("One. Two. Three.", "One. Three.", "One. [-Two. -]Three."),
        ("a\nb\nc\n", "a\nx\nc\n", "a\n[-b\n-][+x\n+]c\n"),
        ("E-1234 fails", "E-1235 fails", "E-[-1234-][+1235+] fails"),
    ],
)
def test_a_difference_is_in_words_and_in_characters_of_chinese(old: str, new: str, expected: str) -> None:
    assert shown(old, new) == expected


@given(TEXTS, TEXTS)
def test_both_texts_can_be_put_together_again(old: str, new: str) -> None:
    steps = difference(old, new)
    assert "".join(step.text for step in steps if step.change is not Change.INSERT) == old
    assert "".join(step.text for step in steps if step.change is not Change.DELETE) == new
    assert all(step.text for step in steps)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *((piece * 100_000 + "x", "y" + piece * 90_000) for piece in ("a\n", "a. ", "a ", "按", "\n")),
        *(("".join(f"a{end}x{n}{end}" for n in range(1000)), "".join(f"a{end}y{n}{end}" for n in range(1000)))
          for end in ("\n", ". ", " ")),
        (("a b " * 50 + "\n=\n") * 1000, ("b a " * 50 + "\n=\n") * 1000),
    ],
    ids=str.__len__,
)  # fmt: skip
def test_large_and_monotonous_texts_do_not_hold_up_the_process(old: str, new: str) -> None:
    start = time.perf_counter()
    steps = difference(old, new)
    assert "".join(step.text for step in steps if step.change is not Change.INSERT) == old
    assert time.perf_counter() - start < 10
