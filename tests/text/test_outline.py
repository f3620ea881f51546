"""Texts by their templates."""

from dataclasses import replace

import pytest

from kb.audience import Audience
from kb.language import Language
from kb.template import STANDARD, Field
from kb.text.outline import begun, problems

NAMES = {"en": "Notes", "zh-Hans": "备注", "zh-Hant": "備註"}
WITH_INTERNAL = replace(
    STANDARD, fields=(*STANDARD.fields[:-1], Field("notes", NAMES, required=True, audience=Audience.INTERNAL))
)


def kinds(markdown: str, tier: Audience = Audience.INTERNAL) -> list[tuple[str, str]]:
    return [(each.kind, each.field) for each in problems(WITH_INTERNAL, markdown, tier)]


@pytest.mark.parametrize("language", Language)
def test_an_empty_text_has_every_field_in_its_place_and_lacks_what_is_required(language: Language) -> None:
    text = begun(WITH_INTERNAL, language)
    assert kinds(text) == [("missing", "issue"), ("missing", "resolution"), ("missing", "notes")]
    assert text.count("## ") == 5
    assert f"::: internal\n## {NAMES[language]}\n" in text


@pytest.mark.parametrize(
    ("headings", "notes"),
    [(("Issue", "Resolution"), "Notes"), (("问题现象", "解决办法"), "备注"), (("問題", "解決方法"), "備註")],
)
def test_fields_are_recognised_in_all_languages(headings: tuple[str, str], notes: str) -> None:
    issue, resolution = headings
    good = f"# {issue}\nIt is red.\n\n## {resolution}:\nRestart.\n\n::: internal\n## {notes}\nCode.\n:::"
    assert kinds(good) == []


def test_a_field_for_fewer_readers_has_to_stand_in_a_block_for_them() -> None:
    text = "## Issue\nRed.\n\n## Resolution\nRestart.\n\n"
    assert kinds(f"{text}## Notes\nCode.") == [("too_wide", "notes")]
    assert kinds(f"{text}## Notes\n\n::: internal\nCode.\n:::") == []
    assert kinds(f"{text}## Notes\n\n::: internal\nCode.\n:::\n\nAnd more.") == [("too_wide", "notes")]
    assert kinds(text, Audience.PARTNER) == [], "who may not know of a field is not asked for it"


def test_the_structure_of_a_template_is_not_for_writers_to_change() -> None:
    text = "## Resolution\nRestart.\n\n## Issue\nRed.\n\n### More\nFine.\n\n## Warranty\nTwo years.\n\n## Issue\nRed."
    assert kinds(text, Audience.PARTNER) == [("unknown", "Warranty"), ("twice", "issue"), ("order", "")]
