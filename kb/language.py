"""The languages kb serves as equals."""

import re
from enum import StrEnum


class Language(StrEnum):
    """A written language, as a BCP 47 tag."""

    ENGLISH = "en"
    SIMPLIFIED = "zh-Hans"
    TRADITIONAL = "zh-Hant"

    @property
    def family(self) -> str:
        """ "en" or "zh": the two scripts of Chinese share one lexicon after folding."""
        return self.value.split("-")[0]


_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")


def family_of(text: str) -> str:
    """ "zh" when Han characters carry the text, else "en".

    A Han character is a word's worth of content, so one Han character weighs as much as one Latin word.
    """
    han = len(_HAN.findall(text))
    return "zh" if han and han >= len(_LATIN_WORD.findall(text)) / 2 else "en"
