"""The measurement itself, small and with the packaged model: it must see what happens, not how fast."""

import math

import pytest

from kb.measure.freshness import measure
from kb.settings import Settings


@pytest.mark.slow
def test_a_publish_is_found_by_both_legs_while_posts_come_in() -> None:
    found = measure(Settings(), posts=200, articles=2)
    assert len(found.lexical_s) == len(found.dense_s) == 2
    assert all(0 < seconds < math.inf for seconds in (*found.lexical_s, *found.dense_s))
    assert found.as_json()["articles_published"] == 2
