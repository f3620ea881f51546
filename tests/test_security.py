"""docs/security.md answers every section of ASVS 5.0 that has requirements of level 1 or 2, with tests that exist."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs/security.md").read_text()
ROWS = [[cell.strip() for cell in row.split("|")[1:-1]] for row in re.findall(r"^\| \d.*$", PAGE, re.MULTILINE)]
"""Section, how, shown by."""

# How many sections each chapter of ASVS 5.0 has, and which of them ask nothing below level 3.
SECTIONS = {
    1: 5, 2: 4, 3: 7, 4: 4, 5: 4, 6: 8, 7: 6, 8: 4, 9: 2, 10: 7, 11: 7, 12: 3, 13: 4, 14: 3, 15: 4, 16: 5,
}  # fmt: skip
LEVEL_3 = {"3.1", "3.6", "11.7", "15.4"}


def test_every_section_is_answered_and_every_chapter_is_there() -> None:
    answered = [section.split()[0] for section, _, _ in ROWS]
    asked = {f"{chapter}.{section}" for chapter, count in SECTIONS.items() for section in range(1, count + 1)}
    assert sorted(answered) == sorted(asked - LEVEL_3)
    assert re.findall(r"^## V(\d+) ", PAGE, re.MULTILINE) == [str(chapter) for chapter in range(1, 18)]


def test_what_has_no_test_says_why() -> None:
    for section, how, shown in ROWS:
        assert shown or "not applicable: " in how or "documentation" in section or "inventory" in section, section


def test_every_test_that_is_named_exists() -> None:
    named = [name for _, _, shown in ROWS for name in re.findall(r"`([^`]+)`", shown)]
    assert len(named) > 60
    for name in named:
        path, _, test = name.partition("::")
        assert (TESTS / path).exists(), name
        assert not test or f"def {test}(" in (TESTS / path).read_text(), name
