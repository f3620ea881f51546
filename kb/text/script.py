"""Scripts: one form for full and half width, upper and lower case, Traditional and Simplified."""

import functools
import re
import unicodedata

import opencc

from kb.language import Language, family_of

HAN_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f\u3005\u3007]+")

_TRADITIONAL = 0.05  # share of Han characters
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
# Every dash and apostrophe a phone or a word processor puts in place of the one on the keyboard.
_TYPEWRITER = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-") | dict.fromkeys("\u2018\u2019", "'"))


def normalise(text: str) -> str:
    """NFKC (so full width is half width), plain dashes and apostrophes, nothing invisible, case folded."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).translate(_TYPEWRITER)
    return _INVISIBLE.sub("", folded).casefold()


def simplified(text: str) -> str:
    """Traditional characters to Simplified ones, word by word; the words stay ("滑鼠", "软体")."""
    return text if text.isascii() else str(_converter("t2s").convert(text))


def mainland(text: str) -> str:
    """Like `simplified`, with the words of Taiwan replaced by those of the mainland ("鼠标", "软件")."""
    # In Simplified text the converter takes 么 for the Traditional form of 幺.
    return text if text.isascii() else str(_converter("tw2sp").convert(text.replace("么", "麼")))


def traditional(text: str) -> str:
    """Simplified characters to Traditional ones, word by word, as they are written in Taiwan; the words stay."""
    return text if text.isascii() else str(_converter("s2tw").convert(text))


def fold(text: str) -> str:
    """Normalised and Simplified: two spellings of the same words fold to the same text."""
    return simplified(normalise(text))


def han_count(text: str) -> int:
    """How many Han characters it has."""
    return 0 if text.isascii() else sum(map(len, HAN_RUN.findall(text)))


def language_of(text: str) -> Language:
    """The language a text is written in, Chinese by its script.

    Of 18,800 paragraphs in Simplified 99 % have no character that folding changes, of 3,200 in Traditional 99 % have
    at least 7 in 100.
    """
    if family_of(text) != "zh":
        return Language.ENGLISH
    changed = sum(before != after for before, after in zip(text, simplified(text), strict=False))
    return Language.TRADITIONAL if changed > _TRADITIONAL * han_count(text) else Language.SIMPLIFIED


@functools.cache
def _converter(name: str) -> opencc.OpenCC:
    return opencc.OpenCC(name)
