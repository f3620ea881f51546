"""Article numbers: seven digits to be read aloud on a telephone, in any language.

Six random digits, so that a number tells nothing about how many articles there are, and a check digit
after Damm (H. M. Damm, *Total anti-symmetrische Quasigruppen*, 2004), which catches every single wrong
digit and every swap of neighbours: a misheard number is refused instead of opening another article.
"""

import re
import secrets

# Damm's totally anti-symmetric quasigroup of order 10.
_DAMM = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip
_SPOKEN = re.compile(r"\D*(\d{3})\D?(\d{4})\D*")


def new_number() -> str:
    """A fresh random number such as "482-9175"."""
    digits = f"{secrets.randbelow(10**6):06d}"
    return _written(digits + str(_check_digit(digits)))


def parse_number(text: str) -> str | None:
    """The canonical form of a number as people write or say it ("KB 4829175"), or None if it is none."""
    match = _SPOKEN.fullmatch(text.strip()) if len(text) <= 20 else None
    if match is None:
        return None
    digits = "".join(str(int(digit)) for digit in match[1] + match[2])  # full-width digits are digits too
    return _written(digits) if _check_digit(digits) == 0 else None


def _written(digits: str) -> str:
    return f"{digits[:3]}-{digits[3:]}"


def _check_digit(digits: str) -> int:
    interim = 0
    for digit in digits:
        interim = int(_DAMM[interim][int(digit)])
    return interim
