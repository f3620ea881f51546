import pytest

from kb.language import Language, family_of


def test_both_scripts_of_chinese_are_one_family() -> None:
    assert {each: each.family for each in Language} == {
        Language.ENGLISH: "en",
        Language.SIMPLIFIED: "zh",
        Language.TRADITIONAL: "zh",
    }


@pytest.mark.parametrize(
    "text", ["紅燈閃爍", "红灯", "wifi 連不上", "ERR_CONNECTION_RESET 怎麼辦", "路由器 reset", "𠮷", "㐀"]
)
def test_text_that_han_characters_carry_is_chinese(text: str) -> None:
    assert family_of(text) == "zh"


@pytest.mark.parametrize(
    "text", ["", "router blinks red", "X5-200", "192.168.1.1", "カタカナ", "what does the character 燈 on my box mean"]
)
def test_everything_else_is_searched_as_english(text: str) -> None:
    assert family_of(text) == "en"
