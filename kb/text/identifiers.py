"""Identifiers: error codes, model numbers, versions, addresses, names in programs.

People copy them letter by letter, read them aloud, or leave a hyphen out. So one is kept whole, in parts and,
where it mixes letters and digits, joined: `E-1234`, `E1234` and `e 1234` meet.
"""

import re
import unicodedata

_SEPARATOR = re.compile(r"[-_.]")
_LETTERS_OR_DIGITS = re.compile(r"[^\W\d_]+|\d+")
_LETTER_DIGIT_SEAM = re.compile(r"[^\W\d_]+\d{2,}|\d{2,}[^\W\d_]+")
_VERSION = re.compile(r"v?(\d+(?:\.\d+)+)")
_MODEL_LIMIT = 24  # longer ones are names in programs, which nobody writes without their separators
_SPELLING_LIMIT = 8  # "prepaid", but not "selfinstall": joining every compound cost .004 nDCG on pwsh-help-en

_IN_TEXT = re.compile(r"[^\W_](?:[\w.-]*[^\W_])?", re.ASCII)
_CODE = re.compile(
    r"(?:error|err|code|errno|status|错误|错误码|代码|故障码?|報錯|报错|錯誤碼?|代碼)\s*[:#：]?\s*(\d{2,6})(?!\d)",
    re.IGNORECASE,
)
_SPOKEN_CODE = re.compile(r"[A-Za-z]{1,3} \d{2,}")
_MEASURE = re.compile(r"\d+(?:[.,:-]\d+)?[a-z]{0,4}", re.IGNORECASE)  # 100, 1.5, 10-12, 30kg, 5GHz, 24h, 2nd
_MODEL = re.compile(r"[A-Z][A-Z0-9]*(?:[-.][A-Z0-9]+)*", re.IGNORECASE | re.ASCII)
_SNAKE = re.compile(r"[A-Z0-9]+(?:_+[A-Z0-9]+)+", re.IGNORECASE | re.ASCII)
_DOTTED_NUMBER = re.compile(r"v\d+(?:\.\d+)+\S*|\d+(?:\.\d+){2,}\S*", re.IGNORECASE)
_CAMEL = re.compile(r"(?=.*(?:[a-z][A-Z]|[A-Z]{2}[a-z]))[A-Za-z]+(?:[-.][A-Za-z]+)+")  # not iPhone
_LONGEST = 64


def parts(word: str) -> list[str]:
    """What a compound word is indexed as besides itself: its parts, once each, and its joined form.

    `word` is normalised and has separators (`- _ .`) or mixes letters and digits:
    "e-1234" gives ["1234", "e1234"]; "v8.0.0" gives ["v8", "0", "8.0.0", "8.0"]; "wi-fi" gives ["wi", "fi", "wifi"].
    A single letter is no part worth finding.
    """
    pieces = _SEPARATOR.split(word)
    found = pieces if len(pieces) > 1 else []
    for piece in pieces:
        if _LETTER_DIGIT_SEAM.search(piece):
            found = [*found, *_LETTERS_OR_DIGITS.findall(piece)]
    if version := _VERSION.fullmatch(word):
        found = [*found, version[1], ".".join(version[1].split(".")[:2])]
    elif joined := _joined(pieces):
        found = [*found, joined]
    return [part for part in dict.fromkeys(found) if part != word and (len(part) > 1 or part.isdigit())]


def is_spelling(word: str) -> bool:
    """Whether the hyphen is a matter of spelling (wi-fi, e-mail, log-in), so that the joined form says it all."""
    return "-" in word and word.replace("-", "").isalpha() and len(word) <= _SPELLING_LIMIT + 1


def _joined(pieces: list[str]) -> str:
    """The form without separators, of model numbers and short words; "" where nobody would write it so."""
    joined = "".join(pieces)
    limit = _SPELLING_LIMIT if joined.isalpha() else _MODEL_LIMIT
    return joined if len(pieces) > 1 and len(joined) <= limit and not joined.isdigit() else ""


def identifiers(text: str) -> list[str]:
    """The identifiers a text names, as written, once each: codes, models, versions, addresses, program names."""
    text = unicodedata.normalize("NFKC", text)
    words = (match[0] for match in _IN_TEXT.finditer(text))
    codes = (match[1] for match in _CODE.finditer(text))
    return list(dict.fromkeys([*(word for word in words if _names_something(word)), *codes]))


def is_identifier(text: str) -> bool:
    """Whether a token, or a whole query, is one identifier: "E-1234", "e 1234", "ERR_CONNECTION_RESET"."""
    text = unicodedata.normalize("NFKC", text).strip()
    return _names_something(text) or bool(_SPOKEN_CODE.fullmatch(text))


def _names_something(word: str) -> bool:
    """Letters with two digits or more ("X5-200"), snake_case, Get-ADUser, dotted numbers; no measures or words."""
    if len(word) > _LONGEST:
        return False
    if _SNAKE.fullmatch(word) or _DOTTED_NUMBER.fullmatch(word):
        return True
    if _MEASURE.fullmatch(word):
        return False
    if sum(map(str.isdigit, word)) >= 2 and _MODEL.fullmatch(word):
        return len(_LETTERS_OR_DIGITS.findall(word)[0]) <= 4  # "COVID-19" and "Windows-10" are words
    return bool(_CAMEL.fullmatch(word))
