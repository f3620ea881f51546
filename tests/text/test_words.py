import pytest

from kb.text.words import han_runs, plain_word, prose_words, words


def test_the_words_of_a_text_are_those_people_write() -> None:
    found = words("The café's router (see https://kb.example/reset_page): restart it, then log-in. 重启路由器")
    assert {"cafe", "router", "see", "restart", "then", "log", "重启", "路由", "路由器"} <= found
    assert not found & {"https", "example", "page", "it", "s"}


def test_words_of_taiwan_count_in_both_forms() -> None:
    assert {"滑鼠", "鼠标"} <= words("滑鼠沒有反應")


def test_a_word_that_nobody_would_type_is_not_kept() -> None:
    assert words("a" * 40 + " router") == {"router"}


SPARED = [
    "E-1234", "x5", "Get-ADUser", "DNS_PROBE", "a/b/rotuer", "rotuer@example.com", '"rotuer light"', "「rotuer」",
    "https://rotuer", "C:\\rotuer", "VPNS", "rotuer.txt", "hbu",
]  # fmt: skip


@pytest.mark.parametrize("text", SPARED)
def test_what_means_itself_to_the_letter_is_spared(text: str) -> None:
    assert [word for _, word in prose_words(f"reset {text} now", 4)] == ["reset"]


def test_words_come_with_their_places_next_to_chinese_and_in_capitals_too() -> None:
    assert list(prose_words("重启rotuer, please", 4)) == [(2, "rotuer"), (10, "please")]
    assert list(prose_words("RESTART ROTUER", 4)) == [(0, "RESTART"), (8, "ROTUER")]


def test_runs_of_characters_come_with_their_places_unless_quoted() -> None:
    assert list(han_runs("hub 红灯 “重启” 怎么办")) == [(4, "红灯"), (12, "怎么办")]


def test_a_plain_word_has_no_capitals_and_no_accents() -> None:
    assert plain_word("Décor") == "decor"
