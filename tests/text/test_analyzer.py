import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.analyzer import ANALYZER, analyze


def meet(one: str, other: str) -> bool:
    return bool(set(analyze(one)) & set(analyze(other)))


def test_the_analyzer_has_a_name_and_a_version() -> None:
    name, version = ANALYZER.rsplit("-", 1)
    assert name
    assert version.isdigit()


@pytest.mark.parametrize(
    "written",
    ["E-1234", "X5-200", "192.168.1.1", "ERR_CONNECTION_RESET", "DNS_PROBE_FINISHED_NXDOMAIN", "BW-H620", "TV-104",
     "v8.0.0", "tidb_enable_fast_create_table", "Get-Service"],
)  # fmt: skip
def test_an_identifier_is_kept_whole(written: str) -> None:
    assert written.lower() in analyze(f"I see {written}, what now?")
    assert written.lower() in analyze(f"出现{written}错误")


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("E-1234", {"1234", "e1234"}),
        ("X5-200", {"x5", "200", "x5200"}),
        ("192.168.1.1", {"192", "168", "1"}),
        ("ERR_CONNECTION_RESET", {"err", "connect", "reset"}),
        ("v8.0.0", {"8.0.0", "8.0"}),
        ("Get-Service", {"get", "servic"}),
    ],
)
def test_an_identifier_is_found_by_its_parts(written: str, parts: set[str]) -> None:
    assert parts <= set(analyze(written))


@pytest.mark.parametrize("query", ["E1234", "e1234", "e 1234", "E-1234", "Ｅ－１２３４", "E‑1234", "error E_1234"])
def test_every_spelling_of_an_error_code_meets_it(query: str) -> None:
    assert meet(query, "The box shows E-1234 and restarts")
    assert meet(query, "机顶盒显示 E-1234 后重启")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("wifi", "Wi-Fi is slow"),
        ("email", "Set up e-mail on your phone"),
        ("login", "The log-in page"),
        ("example.com", "Open https://www.example.com/help/reset.html"),
        ("reset.html", "Open https://www.example.com/help/reset.html"),
        ("192.168.1.1", "http://192.168.1.1:8080/admin"),
        ("cafe", "the café around the corner"),
        ("customers", "a customer’s line"),
        ("restarting", "Restart the router"),
    ],
)
def test_spellings_and_forms_of_a_word_meet(query: str, text: str) -> None:
    assert meet(query, text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("寬頻連線中斷", "宽带连线中断"),
        ("滑鼠", "鼠标没有反应"),
        ("鼠标", "滑鼠沒有反應"),
        ("軟體更新", "软件"),
        ("網路", "网络"),
        ("数据机", "數據機"),
        ("簡訊", "收不到短信"),
        ("ＷＩＦＩ密碼", "wifi密码"),
    ],
)
def test_both_scripts_of_chinese_meet(one: str, other: str) -> None:
    assert meet(one, other)


def test_text_in_both_languages_is_cut_in_both() -> None:
    assert {"router", "重启", "blink"} <= set(analyze("Router 一直 blinking，重启了也没用"))


def test_stop_words_of_both_languages_go_at_once() -> None:
    assert analyze("how do I reset the router 怎么重置") == analyze("reset router 重置")


@pytest.mark.parametrize("text", ["who is it", "the", "怎么办", "是什么", "你好吗 how are you"])
def test_a_text_of_stop_words_alone_keeps_its_words(text: str) -> None:
    assert analyze(text)


@pytest.mark.parametrize("text", ["", "   ", "?!", "…", "👍"])
def test_a_text_without_words_has_no_tokens(text: str) -> None:
    assert analyze(text) == []


@given(st.text())
def test_any_text_gives_tokens_without_white_space(text: str) -> None:
    assert all(token and not token.isspace() for token in analyze(text))


@given(st.text(alphabet="aE1-._'_ 網网路x"))
def test_upper_case_never_matters(text: str) -> None:
    assert sorted(analyze(text)) == sorted(analyze(text.upper()))


def test_threads_get_the_tokens_that_one_thread_gets() -> None:
    texts = [f"restarting router {n} 滑鼠壞了 網路斷線 E-{n} connections" for n in range(400)]
    alone = [analyze(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(analyze, texts)) == alone


def test_a_megabyte_takes_about_a_second_at_most() -> None:
    text = "The hub restarts by itself, see E-1234. 光猫自己重启，网络连接不上，请问怎么处理？ " * 9000
    started = time.perf_counter()
    analyze(text)
    assert time.perf_counter() - started < 1.5 * len(text.encode()) / 1e6


def test_a_pasted_blob_takes_no_time() -> None:
    started = time.perf_counter()
    for blob in ("x" * 200_000, "a-" * 100_000, "a_" * 100_000 + "!", "1." * 100_000, "-_." * 50_000):
        analyze(blob)
    assert time.perf_counter() - started < 2


def test_a_question_in_both_scripts_has_the_same_tokens() -> None:
    assert sorted(analyze("這樣可以麼")) == sorted(analyze("这样可以么"))
    assert "幺" not in analyze("这样可以么，路由器么")
