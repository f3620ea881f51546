import pytest

from kb.text.forms import forms, readings


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Wi-Fi", "wi fi"),
        ("WiFi", "ｗｉｆｉ"),
        ("set-top boxes", "Set Top Box"),
        ("E-1234", "e 1234"),
        ("log-in", "log in"),
        ("St. Mary's", "st. marys"),
        ("光貓", "光猫"),
        ("滑鼠", "鼠标"),
        ("WiFi密碼", "wi-fi 密码"),
        ("C++", "c++"),
        ("inc.", "Inc"),
    ],
)
def test_spellings_of_one_word_have_one_form(one: str, other: str) -> None:
    assert forms(one) & forms(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("log in", "log"), ("E-1234", "1234"), ("C++", "C"), ("光猫", "光"), ("point of sale", "point sale")],
)
def test_other_words_have_other_forms(one: str, other: str) -> None:
    assert not forms(one) & forms(other)


def test_a_reading_knows_where_its_words_stand() -> None:
    text = "My Wi-Fi 密码, again"
    [reading] = readings(text)
    start = reading.form.index("wifi")
    assert text[reading.starts[start] : reading.ends[start + len("wifi密码")]] == "Wi-Fi 密码"
    assert start + 2 not in reading.starts  # a word does not begin in the middle of another


def test_a_reading_whose_folding_changed_its_length_knows_no_places() -> None:
    [reading] = readings("straße nbn")
    assert set(reading.starts.values()) == {None}


@pytest.mark.parametrize("text", ["", "???", "\n\n", "😀"])
def test_what_has_no_words_has_no_form(text: str) -> None:
    assert forms(text) == {""}
