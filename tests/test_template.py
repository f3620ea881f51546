from dataclasses import replace

import pytest

from kb.errors import Conflict, Invalid
from kb.template import MOST_FIELDS, STANDARD, Field
from tests.examples import NOON

NAMES = {"en": "Cause", "zh-Hans": "原因", "zh-Hant": "原因"}


def test_the_standard_template_is_a_good_one() -> None:
    assert STANDARD.check() is STANDARD
    assert [each.key for each in STANDARD.fields] == ["issue", "environment", "resolution", "cause", "notes"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"names": {"en": "One"}}, "names.zh-Hans"),
        ({"names": NAMES | {"fr": "Une"}}, "names"),
        ({"fields": ()}, "fields"),
        ({"fields": tuple(Field(f"f{n}", NAMES) for n in range(MOST_FIELDS + 1))}, "fields"),
        ({"fields": (Field("Cause", NAMES),)}, "fields.0.key"),
        ({"fields": (Field("cause", NAMES), Field("cause", NAMES))}, "fields.1.key"),
        ({"fields": (Field("cause", NAMES | {"en": "A\nB"}),)}, "fields.0.names.en"),
        ({"active": False}, "active"),
    ],
)
def test_what_is_no_template_says_why(change: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        replace(STANDARD, **change).check()  # type: ignore[arg-type]
    assert refused.value.field == field


def test_a_change_counts_and_one_of_an_older_version_is_refused() -> None:
    changed = STANDARD.changed("ada", NOON)
    assert (changed.version, changed.changed_by) == (1, "ada")
    with pytest.raises(Conflict):
        changed.expect(0)
