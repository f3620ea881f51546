import pytest

from kb.checklist import Check, Checklist, Tick
from kb.errors import Conflict
from tests.examples import NOON


def test_of_two_coaches_the_second_is_told_of_the_first() -> None:
    before = Checklist("a1", 1, {Check.ISSUE: True})
    after = before.tick({Tick.CORRECT: False}, "Which hub?", 0, "eve", NOON)
    assert (after.version, after.ticked, after.checked_by) == (1, {Tick.CORRECT: False}, "eve")
    with pytest.raises(Conflict):
        after.tick({}, "", 0, "bob", NOON)
