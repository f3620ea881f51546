"""The part of the content standard that can be computed."""

import pytest

from kb.checklist import Check
from kb.text.standard import checked, linked_numbers

GOOD = (
    "## Issue\nMy light stays red after the storm\n\n## Environment\nHub 6\n\n## Resolution\n1. Hold reset.\n2. Wait."
)
CHINESE = "## 問題\n暴風雨後紅燈一直亮著沒有辦法上網\n\n## 環境\n第六代\n\n## 解決方法\n1. 按住重設鍵。\n2. 等待。"


@pytest.mark.parametrize(("title", "text"), [("The hub's light is red", GOOD), ("路由器的紅燈", CHINESE)])
def test_a_good_text_passes_in_every_language(title: str, text: str) -> None:
    assert checked(title, text, True) == dict.fromkeys(Check, True)


@pytest.mark.parametrize(
    ("check", "title", "text"),
    [
        (Check.TITLE_LENGTH, "Red", GOOD),
        (Check.TITLE_LENGTH, "Red light " * 20, GOOD),
        (Check.ISSUE, "The hub's light is red", GOOD.replace("My light stays red after the storm", "Red")),
        (Check.ENVIRONMENT, "The hub's light is red", GOOD.replace("Hub 6", "")),
        (Check.ONE_QUESTION, "Why is it red? And how do I pay?", GOOD),
        (Check.ONE_QUESTION, "The hub's light is red", f"{GOOD}\n\n## Issue\nHow do I pay my bill now"),
        (Check.STEPS, "The hub's light is red", GOOD.replace("1. Hold reset.\n2. Wait.", "Hold it. Wait. Go. Stop.")),
        (Check.READABLE, "The hub's light is red", GOOD.replace("Hold reset", "and then " * 200)),
    ],
)
def test_each_check_finds_what_it_is_there_for_and_nothing_else(check: Check, title: str, text: str) -> None:
    assert [each for each, passed in checked(title, text, True).items() if not passed] == [check]


def test_links_to_articles_of_ours_are_found_by_address_or_number() -> None:
    text = "[a](482-9177) [b](/articles/1170344) [c](/api/v1/articles/482-9177) [d](https://x.example/articles/3)"
    assert linked_numbers(text) <= {"482-9177", "117-0344"}
    assert checked("The hub's light is red", GOOD, False)[Check.LINKS] is False
