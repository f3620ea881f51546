"""What somebody is typing, read as tokens: the same way for titles and for the text in the search box.

Letters and digits part at every seam and every sign, so `E-1234`, `E1234` and `e 1234` are one thing; each Han
character is a token, so a run of them is found as a substring. Where a text can be written in more than one way
(`wi-fi` and `wifi`, 滑鼠 and 鼠标) it has a reading for each.
"""

import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from kb.language import Language, family_of
from kb.search.postings import Postings, Ranges
from kb.text.analyzer import analyze
from kb.text.homophones import alike
from kb.text.identifiers import is_identifier
from kb.text.script import HAN_RUN, han_count, mainland, normalise, simplified

_COMPOUND = re.compile(r"[^\W_]+(?:[-_./][^\W_]+)*")
_LETTERS_OR_DIGITS = re.compile(r"[^\W\d_]+|\d+")
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")
_TYPO_FROM = 4  # letters; below, one typo makes any word of any other


@dataclass(frozen=True, slots=True)
class Word:
    """Tokens that stand together: a word, an identifier, a run of Han characters."""

    tokens: tuple[str, ...]
    han: bool = False


@dataclass(frozen=True, slots=True)
class Typed:
    """One reading of what is being typed: the last token is still open, unless it is Han.

    `tolerant` allows for one typo in each word of four letters or more, `by_sound` for other characters that sound or
    look like those of a run of two or more.
    """

    words: tuple[Word, ...]
    tolerant: bool = False
    by_sound: bool = False

    def slots(self, postings: Postings) -> list[list[Ranges]]:
        """The token alternatives in that index, for each token of each word."""
        last = len(self.words) - 1
        return [
            [
                self._similar(postings, token)
                if self.by_sound and word.han and len(word.tokens) > 1
                else self._ranges(postings, token, not word.han and at == last and place == len(word.tokens) - 1)
                for place, token in enumerate(word.tokens)
            ]
            for at, word in enumerate(self.words)
        ]

    def _similar(self, postings: Postings, char: str) -> Ranges:
        return tuple(found for each in char + alike(char) for found in postings.token(each))

    def _ranges(self, postings: Postings, token: str, open_end: bool) -> Ranges:
        if self.tolerant and len(token) >= _TYPO_FROM and token.isascii() and token.isalpha():
            return postings.near(token, open_end)
        return postings.prefix(token) if open_end else postings.token(token)


def readings(text: str) -> list[tuple[Word, ...]]:
    """The ways to read a text, one at least."""
    if text.isascii() and "-" not in text:
        return [_words(text.lower())]
    normal = normalise(text)
    spellings = dict.fromkeys((simplified(normal), mainland(normal)))
    both = [written for each in spellings for written in (each, _HYPHEN.sub("", each))]
    return list(dict.fromkeys(_words(_without_accents(each)) for each in both))


def rows(text: str) -> list[list[str]]:
    """The tokens of a title or statement, a row for each reading."""
    # Interned, since the same words come in many titles: a quarter of the memory while a catalogue is built.
    return [[sys.intern(token) for word in reading for token in word.tokens] for reading in readings(text)]


def typed(text: str) -> list[Typed]:
    """What is being typed, taken at its word."""
    return [Typed(reading) for reading in readings(text) if reading]


def typed_tolerantly(text: str) -> list[Typed]:
    """The same with allowance: for typos, and for the words of a Han run standing apart or in another order."""
    return [Typed(words, tolerant=True) for words in map(_loosened, readings(text)) if words]


def typed_by_sound(text: str) -> list[Typed]:
    """The same once more, with characters of the same sound or a similar shape: 帐户 for 账户."""
    if not han_count(text):
        return []
    both = ((words, _loosened(words)) for words in readings(text) if words)
    return [Typed(words, tolerant=True, by_sound=True) for pair in both for words in dict.fromkeys(pair)]


def preference(text: str) -> Mapping[Language, int]:
    """How near each language is to that of the text; 0 is nearest. An identifier has none, so all are equal.

    Characters that only Traditional Chinese has tell the script; without any, both scripts are equal.
    """
    if is_identifier(text) or not any(map(str.isalpha, text)):
        return dict.fromkeys(Language, 0)
    if family_of(text) == "en":
        return {language: int(language.family != "en") for language in Language}
    normal = normalise(text)
    traditional = simplified(normal) != normal
    return {Language.TRADITIONAL: 0, Language.SIMPLIFIED: int(traditional), Language.ENGLISH: 2}


def _words(normal: str) -> tuple[Word, ...]:
    normal = normal.replace("'", "")
    if normal.isascii():
        return tuple(Word(tuple(_LETTERS_OR_DIGITS.findall(each))) for each in _COMPOUND.findall(normal))
    apart = HAN_RUN.sub(lambda run: f" {run[0]} ", normal)
    return tuple(
        Word(tuple(each), han=True) if HAN_RUN.match(each) else Word(tuple(_LETTERS_OR_DIGITS.findall(each)))
        for each in _COMPOUND.findall(apart)
    )


def _loosened(words: tuple[Word, ...]) -> tuple[Word, ...]:
    return tuple(
        part
        for word in words
        for part in ([Word(tuple(each), han=True) for each in analyze("".join(word.tokens))] if word.han else [word])
    )


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))
