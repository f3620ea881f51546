import random

import pytest

from kb.number import new_number, parse_number


def test_a_number_is_three_digits_and_four() -> None:
    numbers = [new_number() for _ in range(200)]
    assert all(len(each) == 8 and each[3] == "-" and each.replace("-", "").isdecimal() for each in numbers)
    assert all(parse_number(each) == each for each in numbers)
    assert len(set(numbers)) > 190  # random, not counted


def test_every_single_wrong_digit_is_refused() -> None:
    for number in (new_number() for _ in range(100)):
        digits = number.replace("-", "")
        for place, digit in enumerate(digits):
            for wrong in set("0123456789") - {digit}:
                assert parse_number(digits[:place] + wrong + digits[place + 1 :]) is None


def test_every_swap_of_neighbours_is_refused() -> None:
    rng = random.Random(1)
    for number in (new_number() for _ in range(500)):
        digits = number.replace("-", "")
        place = rng.randrange(6)
        swapped = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
        assert swapped == digits or parse_number(swapped) is None


@pytest.mark.parametrize(
    "written",
    [
        "{0}-{1}",
        "{0}{1}",
        "{0} {1}",
        " {0}-{1} ",
        "KB {0}{1}",
        "kb-{0}-{1}",
        "#{0}-{1}",
        "編號{0}-{1}",
        "{0}.{1}",
        "({0}-{1})",
    ],
)
def test_a_number_is_known_however_it_is_written(written: str) -> None:
    number = new_number()
    assert parse_number(written.format(*number.split("-"))) == number


def test_digits_of_another_script_are_the_same_number() -> None:
    number = new_number()
    full_width = number.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    assert parse_number(full_width) == number


@pytest.mark.parametrize("text", ["", "hello", "123", "12345678", "482-91755", "1 2 3 4 5 6 7", "X5-200", "9" * 100])
def test_what_is_no_number_is_none(text: str) -> None:
    assert parse_number(text) is None
