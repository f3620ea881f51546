import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.text.hygiene import tidy, web_address


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("a\0b\x07c\x1b[31m\x7f\x9d", "abc[31m"),
        ("tab\tline\nreturn\r\n", "tab\tline\nreturn\r\n"),
        ("one\x0btwo\x0cthree\u2028four\u2029five\x85six", "one\ntwo\nthree\nfour\nfive\nsix"),
        ("in\u202evoice\u202c \u2066x\u2069", "invoice x"),
        ("ip\u200bconfig /all\ufeff", "ipconfig /all"),
        ("hidden\U000e0041\U000e0042", "hidden"),
        ("flag \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", None),
        ("family 👨\u200d👩\u200d👧, می\u200cخواهم, soft\u00adhyphen, left\u200emark", None),
        ("路由器　“红灯”", None),
    ],
)
def test_characters_that_are_never_meant_go_and_all_others_stay(text: str, tidied: str | None) -> None:
    assert tidy(text) == (text if tidied is None else tidied)


@given(st.text())
def test_tidying_twice_changes_nothing(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


@pytest.mark.parametrize(
    "address",
    ["https://forum.example/t/1?x=y#z", "http://127.0.0.1:8000/", "HTTPS://forum.example", "https://论坛.example/帖",
     "https://[::1]:8080/x"],
)  # fmt: skip
def test_an_address_of_the_web_stays(address: str) -> None:
    assert web_address(address) == address


@pytest.mark.parametrize(
    "address",
    ["", "javascript:alert(1)", "JavaScript:alert(1)", "java\nscript:alert(1)", " https://a.example", "//a.example/x",
     "/x", "x", "https:", "https:a.example", "https:///x", "data:text/html,x", "ftp://a.example", "mailto:a@b.example",
     "https://a.example\\@b.example", "https://good.example@evil.example/", "https://a b.example", "https://[x/",
     "https://a.example:99999", "http://%00a.example", "https://a.example/\x00", "vbscript:x", "\u200bhttps://a.example",
     "file:///etc/passwd"],
)  # fmt: skip
def test_any_other_address_is_not_shown(address: str) -> None:
    assert web_address(address) == ""
