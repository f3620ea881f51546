from datetime import timedelta

import pytest

from kb.errors import Invalid
from kb.login import ADDRESS, LOGIN, Failures, check_password, normal_login, normal_password, one_less, one_more
from tests.examples import NOON

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.mark.parametrize("typed", ["ada", " Ada ", "ADA", "Ａｄａ", "ada\u3000"])
def test_a_login_is_the_same_however_it_is_typed(typed: str) -> None:
    assert normal_login(typed) == "ada"


@pytest.mark.parametrize("login", ["", "  ", "a" * 201, "a\nb", "a\0b", "\ud800"])
def test_what_nobody_can_type_is_no_login(login: str) -> None:
    with pytest.raises(Invalid):
        normal_login(login)


@pytest.mark.parametrize(
    "password",
    ["three unrelated words", "xxxxxxx abcde", "密码由十二个不同的汉字组成吧", "qN7!fw2#Lz9$", "a" * 100 + " long cat"],
)
def test_length_is_what_counts(password: str) -> None:
    check_password(password, "ada")


@pytest.mark.parametrize(
    "password",
    [
        "", "elevenchars", "x" * 201, "aaaaaaaaaaaa", "abababababab", "123456789012", "739182640183", "qwertyuiopas",
        "password1234", "Password!2026", "12345password", "changeme!!!!", "............", "1q2w3e4r5t6y",
        "contactcentre2026", "woaini520520", "winter2026!!!",
    ],
)  # fmt: skip
def test_what_is_short_or_common_is_no_password(password: str) -> None:
    with pytest.raises(Invalid):
        check_password(password, "ada")


@pytest.mark.parametrize("password", ["ada.lovelace", "ADA.LOVELACE1", "ada.lovelace@example.com", "2026ada.lovelace!"])
def test_the_login_is_no_password(password: str) -> None:
    with pytest.raises(Invalid, match="the login"):
        check_password(password, "ada.lovelace@example.com")


def test_keyboards_that_compose_letters_differently_type_the_same_password() -> None:
    assert normal_password("cafe\u0301 au lait") == normal_password("caf\u00e9 au lait")
    assert normal_password("Ａ b ") == "Ａ b ", "nothing else is changed"


def test_after_five_failures_each_one_doubles_the_wait_up_to_a_quarter_of_an_hour() -> None:
    known, waits = Failures(0, NOON), []
    for _ in range(20):
        known = one_more(known, NOON, LOGIN)
        waits.append(known.wait(NOON) / SECOND)
    assert waits[:8] == [0, 0, 0, 0, 1, 2, 4, 8]
    assert waits[-1] == 900
    assert known.wait(NOON + 16 * MINUTE) == timedelta()


def test_failures_are_forgotten_with_time_and_one_that_was_none_is_taken_back() -> None:
    assert one_more(Failures(20, NOON), NOON + 300 * MINUTE, LOGIN).count == 1
    assert one_more(Failures(20, NOON), NOON + 31 * MINUTE, LOGIN).count == 19
    assert one_more(Failures(20, NOON), NOON - MINUTE, LOGIN).count == 21, "clocks jump"
    assert one_less(Failures(1, NOON, NOON)) == Failures(0, NOON)
    assert one_less(Failures(0, NOON)).count == 0


def test_a_whole_contact_centre_may_mistype_from_one_address() -> None:
    known = Failures(0, NOON)
    for _ in range(49):
        known = one_more(known, NOON, ADDRESS)
    assert known.wait(NOON) == timedelta()
    assert one_more(known, NOON, ADDRESS).wait(NOON) == SECOND
