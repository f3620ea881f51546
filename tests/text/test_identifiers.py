import time

import pytest

from kb.text.identifiers import identifiers, is_identifier


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("My box says E-1234 and E1301", ["E-1234", "E1301"]),
        ("路由器 BW-H620 报 ERR_CONNECTION_RESET", ["BW-H620", "ERR_CONNECTION_RESET"]),
        ("宽带错误678怎么办", ["678"]),
        ("error code 691", ["691"]),
        ("upgrade to v8.0.0 from 7.5.1", ["v8.0.0", "7.5.1"]),
        ("http://192.168.1.1:8080", ["192.168.1.1"]),
        ("set tidb_enable_fast_create_table", ["tidb_enable_fast_create_table"]),
        ("Get-ADUser fails", ["Get-ADUser"]),
        ("Ｅ－１２３４", ["E-1234"]),
    ],
)
def test_identifiers_are_found_as_written(text: str, found: list[str]) -> None:
    assert identifiers(text) == found


@pytest.mark.parametrize(
    "text",
    ["my internet is slow since 2019", "I paid 30.50 for 100GB at 5GHz", "COVID-19 vaccine", "Wi-Fi on Windows 10",
     "well-known self-install", "24/7 on 4G", "怎么退货", "the 2nd of May", "half-price for 12 months"],
)  # fmt: skip
def test_measures_and_words_are_no_identifiers(text: str) -> None:
    assert identifiers(text) == []


@pytest.mark.parametrize("text", ["E-1234", " e1234 ", "e 1234", "ERR_CONNECTION_RESET", "10.0.0.138", "v8.0"])
def test_a_query_can_be_an_identifier(text: str) -> None:
    assert is_identifier(text)


@pytest.mark.parametrize("text", ["", "router", "router restart E-1234", "100", "路由器"])
def test_a_query_can_be_anything_else(text: str) -> None:
    assert not is_identifier(text)


def test_hostile_text_takes_no_time() -> None:
    started = time.perf_counter()
    for text in ("a" * 50_000 + "..!", "ab" * 20_000 + "12..x", "a_" * 20_000 + "!", "aB-" * 20_000, "1." * 20_000):
        identifiers(text)
        is_identifier(text)
    assert time.perf_counter() - started < 2
