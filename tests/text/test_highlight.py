from itertools import pairwise

import pytest

from kb.text.analyzer import analyze
from kb.text.highlight import highlights, places


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("router", "Two Routers and a ROUTER.", ["Routers", "ROUTER"]),
        ("how do I reset it", "How to reset: resetting helps.", ["resetting", "reset"]),
        ("e1234", "The code E-1234 means …", ["E-1234"]),
        ("路由器红灯", "重启路由器，看红灯。", ["路由器", "红灯", "路由"]),
        ("路由器紅燈", "重启路由器，看红灯。", ["路由器", "红灯", "路由"]),
        ("路由器红灯", "重啟路由器，看紅燈。", ["路由器", "紅燈", "路由"]),
        ("鼠标", "把滑鼠接上。", ["滑鼠"]),
        ("wifi 红灯", "Ｗｉ－Ｆｉ 亮红灯", ["红灯"]),
        ("banana", "Nothing here.", []),
        ("the", "", []),
    ],
)
def test_the_words_that_answer_are_named_as_they_are_written(query: str, text: str, expected: list[str]) -> None:
    assert highlights(query, text) == expected


def test_every_highlight_stands_in_the_text_longest_first() -> None:
    text = "Restart the router. 重启路由器。 " * 50 + "x" * 5000
    found = highlights("restart router 路由器 重启", text)
    assert found == sorted(found, key=lambda word: (-len(word), word))
    assert found
    assert all(word in text for word in found)


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("reset routers", "Reset the router, then reset again.", ["Reset", "router", "reset"]),
        ("路由器紅燈", "重启路由器，看红灯。", ["路由器", "红灯"]),
        ("鼠标", "把滑鼠接上。", ["滑鼠"]),
        ("banana", "Nothing here.", []),
    ],
)
def test_the_places_of_words_are_in_order_and_apart(query: str, text: str, expected: list[str]) -> None:
    found = places(analyze(query), text)
    assert [text[start:end] for start, end in found] == expected
    assert all(before[1] < after[0] for before, after in pairwise(found))
