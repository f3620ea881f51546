import pytest

from kb.text.homophones import alike


@pytest.mark.parametrize(("typed", "meant"), [("帐", "账"), ("石", "失"), ("行", "航"), ("行", "形"), ("绿", "律")])
def test_characters_of_one_syllable_are_taken_for_one_another(typed: str, meant: str) -> None:
    assert meant in alike(typed)
    assert typed in alike(meant)


@pytest.mark.parametrize(("typed", "meant"), [("己", "已"), ("未", "末"), ("拔", "拨"), ("析", "折")])
def test_characters_that_look_alike_too(typed: str, meant: str) -> None:
    assert meant in alike(typed)


def test_no_character_is_like_itself_and_rare_ones_are_like_none() -> None:
    assert "账" not in alike("账")
    assert alike("龘") == alike("a") == ""
