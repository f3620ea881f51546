import pytest

from kb.audience import Access, Audience
from kb.language import Language
from kb.passage import ItemRef, Kind, Passage, PassageRef
from kb.search import vocabulary
from kb.search.vocabulary import Vocabulary, counted

TIERS = list(Audience)


def passage(text: str, audience: Audience = Audience.PUBLIC, groups: str = "", title: str = "") -> Passage:
    access = Access(audience, frozenset(groups.split()))
    return Passage(PassageRef(Kind.ARTICLE, "a", 1, 0), title, (), text, Language.ENGLISH, access)


def item(name: str) -> ItemRef:
    return ItemRef(Kind.ARTICLE, name)


def test_a_word_counts_once_for_an_item_and_for_every_tier_that_may_read_it() -> None:
    found = Vocabulary()
    parts = [passage("Restart the router", title="Router"), passage("zanzibar router", Audience.PARTNER)]
    found.update({item("a"): counted(parts), item("b"): counted([passage("router")])})
    assert [found.df("router", tier) for tier in TIERS] == [2, 2, 2, 2]
    assert [found.df("zanzibar", tier) for tier in TIERS] == [0, 0, 1, 1]
    assert [found.items(tier) for tier in TIERS] == [2, 2, 2, 2]


def test_text_for_groups_counts_for_nobody() -> None:
    found = Vocabulary()
    found.update({item("a"): counted([passage("quokka", Audience.PUBLIC, groups="vault")])})
    assert found.df("quokka", Audience.INTERNAL) == found.items(Audience.INTERNAL) == 0


def test_what_an_item_no_longer_says_no_longer_counts() -> None:
    found = Vocabulary()
    found.update({item("a"): counted([passage("router light")])})
    found.update({item("a"): counted([passage("router", Audience.INTERNAL)])})
    assert [found.df("router", tier) for tier in TIERS] == [0, 0, 0, 1]
    assert found.df("light", Audience.INTERNAL) == 0
    found.update({item("a"): counted([]), item("never seen"): {}})
    assert found.df("router", Audience.INTERNAL) == found.items(Audience.INTERNAL) == 0


def test_it_grows_with_its_words_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "MOST", 3_000)
    found = Vocabulary()
    for n in range(40):
        found.update({item(str(n)): dict.fromkeys((f"word{n}x{m}" for m in range(100)), 0)})
    assert len(found) == 3_000
    assert found.df("word29x99", Audience.PUBLIC) == 1
    assert found.df("word30x0", Audience.PUBLIC) == 0
