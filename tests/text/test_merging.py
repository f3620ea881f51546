"""Three-way merges of what two people made of one text."""

import random

import pytest

from kb.text.merging import Merged, Piece, Side, merge

BASE = "## Issue\nThe light is red.\n\n## Resolution\n1. Hold reset for 10 seconds.\n2. Wait.\n"


def swapped(merged: Merged) -> Merged:
    names = {Side.THEIRS: Side.YOURS, Side.YOURS: Side.THEIRS}
    return Merged(tuple(Piece(names.get(p.side, p.side), p.base, p.yours, p.theirs) for p in merged.pieces))


@pytest.mark.parametrize(
    ("base", "theirs", "yours", "expected"),
    [
        ("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n", "A\nb\nC\n"),
        ("a\nb\n", "a\nx\nb\n", "a\nb\ny\n", "a\nx\nb\ny\n"),
        ("Hold the red button.", "Press the red button.", "Hold the red key.", "Press the red key."),
        ("重启红色路由器。", "重置红色路由器。", "重启红色光猫。", "重置红色光猫。"),
        ("重啟紅色的路由器", "重設紅色的路由器", "重啟紅色的數據機", "重設紅色的數據機"),
        ("one\ntwo\n", "one\n", "one\ntwo\nthree\n", None),
        ("Hold for 10 seconds.", "Hold for 15 seconds.", "Hold for 10 minutes.", None),
        ("a", "b", "c", None),
        ("", "x", "y", None),
        ("a", "same", "same", "same"),
        ("a\n\nb", "", "a\n\nb", ""),
    ],
)
def test_both_changes_are_taken_where_they_do_not_contradict(
    base: str, theirs: str, yours: str, expected: str | None
) -> None:
    assert merge(base, theirs, yours).text == expected
    assert merge(base, yours, theirs).text == expected


def test_a_conflict_holds_what_each_wrote() -> None:
    merged = merge(BASE, BASE.replace("10", "15"), BASE.replace("10 seconds", "10 minutes"))
    [conflict] = [piece for piece in merged.pieces if piece.side is Side.CONFLICT]
    assert (conflict.base, conflict.theirs, conflict.yours) == ("10 seconds", "15 seconds", "10 minutes")
    assert conflict.text is None


def edited(text: str, rng: random.Random, word: str) -> str:
    """The text after one to three edits at random places."""
    for _ in range(rng.randint(1, 3)):
        lines = text.split("\n")
        at = rng.randrange(len(lines))
        match rng.randrange(4):
            case 0:
                lines.insert(at, f"{word} {rng.randrange(9)}")
            case 1 if len(lines) > 1:
                del lines[at]
            case 2:
                lines[at] += f" {word}。"
            case _:
                place = rng.randint(0, len(lines[at]))
                lines[at] = lines[at][:place] + word + lines[at][place:]
        text = "\n".join(lines)
    return text


@pytest.mark.parametrize("seed", range(300))
def test_nothing_is_lost_and_it_does_not_matter_who_is_who(seed: int) -> None:
    rng = random.Random(seed)
    base = "\n".join(
        rng.choice(["hold the button", "红灯亮了 重启", "", "- wait a bit", "a"]) for _ in range(rng.randint(0, 12))
    )
    theirs, yours = edited(base, rng, "theirs"), edited(base, rng, "光猫")
    merged = merge(base, theirs, yours)
    assert "".join(piece.base for piece in merged.pieces) == base
    assert "".join(piece.theirs for piece in merged.pieces) == theirs
    assert "".join(piece.yours for piece in merged.pieces) == yours
    assert merge(base, yours, theirs) == swapped(merged)
    assert merge(base, base, yours).text == yours
    assert merge(base, theirs, base).text == theirs
    assert merge(base, theirs, theirs).text == theirs


def test_long_texts_of_which_little_changed_are_merged_and_hopeless_ones_are_a_conflict() -> None:
    lines = [f"line {n} of the same text\n" for n in range(5_000)]
    theirs, yours = ([*lines[:2_500], f"{who}\n", *lines[2_500:]] for who in ("a", "b"))
    yours = ["first\n", *lines]
    assert merge("".join(lines), "".join(theirs), "".join(yours)).text is None, "too much lies between the two"
    near = [*lines[:20], "b\n", *lines[20:]]
    assert merge("".join(lines), "".join(["a\n", *lines]), "".join(near)).text == "".join(["a\n", *near])
