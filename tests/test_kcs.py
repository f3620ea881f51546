"""docs/kcs.md answers each of the 76 criteria, and every test it names exists."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs/kcs.md").read_text()
ROWS = [
    [cell.strip() for cell in row.split("|")[1:-1]] for row in re.findall(r"^\| [A-Z]{2}-\d.*$", PAGE, re.MULTILINE)
]
"""Criterion, answer, how, shown by."""

CRITERIA = {"CA": 3, "ST": 10, "RE": 7, "IM": 6, "CH": 13, "PI": 11, "PA": 26}


def test_every_criterion_is_answered_once_and_in_order() -> None:
    assert [row[0] for row in ROWS] == [
        f"{name}-{number:02}" for name, count in CRITERIA.items() for number in range(1, count + 1)
    ]
    assert len(ROWS) == 76


def test_what_works_names_a_test_and_what_does_not_says_why() -> None:
    for criterion, answer, how, shown in ROWS:
        assert answer in ("works", "configurable", "not yet"), criterion
        assert how, criterion
        assert shown or answer == "not yet", criterion


def test_every_test_that_is_named_exists() -> None:
    named = [name for *_, shown in ROWS for name in re.findall(r"`([^`]+)`", shown)]
    for name in named:
        path, _, test = name.partition("::")
        assert (TESTS / path).exists(), name
        assert not test or f"def {test}(" in (TESTS / path).read_text(), name
