from datetime import UTC, datetime, timedelta

import pytest

from kb.audience import Audience
from kb.dictionary import Entry, Meaning, written
from kb.errors import Conflict, Invalid

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def test_all_terms_mean_each_other_unless_it_says_what_they_mean() -> None:
    same = Meaning(("hub", "router", "modem"))
    assert same.both_ways
    assert same.also("router") == ("hub", "modem")
    one_way = Meaning(("NBN",), ("national broadband network",))
    assert not one_way.both_ways
    assert one_way.also("NBN") == ("national broadband network",)


def test_who_is_not_told_otherwise_keeps_an_entry_to_staff() -> None:
    assert Meaning(("a1", "b1")).access.audience is Audience.INTERNAL


@pytest.mark.parametrize(
    ("terms", "means", "field"),
    [
        ((), ("x",), "terms"),
        (("x",), (), "terms"),
        (("x", "X"), (), "terms.1"),
        (("x",), ("X",), "means"),
        (("x", " y"), (), "terms.1"),
        (("x", "a  b"), (), "terms.1"),
        (("x", ""), (), "terms.1"),
        (("x",), ("a|b",), "means.0"),
        (("x",), ("a\u202eb",), "means.0"),
        (("x",), ("y" * 101,), "means.0"),
        (tuple(f"x{n}" for n in range(21)), (), "terms"),
    ],
)
def test_what_cannot_be_an_entry_is_refused(terms: tuple[str, ...], means: tuple[str, ...], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        Meaning(terms, means)
    assert refused.value.field == field


def test_terms_are_kept_without_double_spaces() -> None:
    assert written(["  set-top \u3000 box ", "机顶盒"]) == ("set-top box", "机顶盒")


def test_two_entries_are_the_same_whatever_their_order_and_case() -> None:
    assert Meaning(("Hub", "router")).sides == Meaning(("ROUTER", "hub"), note="x").sides
    assert Meaning(("hub", "router")).sides != Meaning(("hub", "router"), audience=Audience.PUBLIC).sides


def test_a_change_is_always_later_and_whoever_read_the_entry_before_learns_of_it() -> None:
    entry = Entry("e", Meaning(("hub", "router")), "ada", NOON, "ada", NOON)
    changed = entry.change(Meaning(("hub", "router", "box")), "bob", NOON - timedelta(hours=1))
    assert changed.changed_at > entry.changed_at
    assert (changed.created_by, changed.changed_by) == ("ada", "bob")
    assert entry.expect(NOON) is entry
    with pytest.raises(Conflict):
        changed.expect(NOON)
