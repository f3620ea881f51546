"""Who edits a part of a text neither loses nor learns of the rest."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kb.audience import Audience
from kb.text.markdown import narrow
from kb.text.narrowing import blocks
from kb.text.withholding import put_back, source_for

WHOLE = "One.\n\n::: partner\nTwo.\n:::\n\n::: internal\nSecret.\n:::\n\nThree.\n"


def test_the_source_for_a_partner_looks_as_if_the_internal_block_was_never_written() -> None:
    assert source_for(WHOLE, Audience.PARTNER) == "One.\n\n::: partner\nTwo.\n:::\n\nThree."
    assert source_for(WHOLE, Audience.INTERNAL) == WHOLE
    assert source_for("::: internal\nAll.\n:::", Audience.PARTNER) == ""
    assert source_for("One.\n\n::: inter\nAll.", Audience.PARTNER) == "One.", "what is malformed is internal to the end"


def test_what_an_editor_was_not_shown_stays_after_the_line_it_followed() -> None:
    edited = "Zero.\n\nOne.\n\n::: partner\nTwo!\n:::\n\nThree!"
    assert put_back(edited, WHOLE, Audience.PARTNER) == (
        "Zero.\n\nOne.\n\n::: partner\nTwo!\n:::\n\n::: internal\nSecret.\n:::\n\n\nThree!"
    )
    assert put_back(edited, WHOLE, Audience.INTERNAL) == edited, "who saw all of it has changed all of it"


@pytest.mark.parametrize("edited", ["All new.", "", "```\nOne.\n\ncode\n```", "One.\ngoes on", "> One."])
def test_where_the_line_is_gone_or_nothing_fits_there_it_comes_first(edited: str) -> None:
    merged = put_back(edited, "One.\n\n::: internal\nSecret.\n:::", Audience.PUBLIC)
    assert merged.startswith("::: internal\nSecret.\n:::")
    assert narrow(merged, Audience.PUBLIC) == narrow(edited, Audience.PUBLIC)


_LINES = st.lists(
    st.sampled_from(["", "a", "b", "- c", "  d", "> e", "# f", "```", "    g", "| h |", "|---|", "1. i"]), max_size=8
)


@given(_LINES, _LINES, _LINES, st.sampled_from(list(Audience)), st.sampled_from(list(Audience)[:3]))
def test_whatever_is_edited_nobody_sees_more_or_loses_a_block(
    before: list[str], after: list[str], edited: list[str], audience: Audience, tier: Audience
) -> None:
    whole = "\n".join([*before, f"::: {audience}", "CANARY", ":::", *after])
    text = "\n".join(edited)
    assume(blocks(text)[1] is None and any(each.text == "CANARY" for each in blocks(whole)[0]))
    source, merged = source_for(whole, tier), put_back(text, whole, tier)
    assert narrow(source, tier) == narrow(whole, tier)
    assert narrow(merged, tier) == narrow(text, tier)
    if audience.rank > tier.rank:
        assert "CANARY" not in source
        assert "CANARY" in narrow(merged, Audience.INTERNAL)
        assert "CANARY" not in narrow(merged, tier)
