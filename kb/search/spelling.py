"""Spelling: what somebody may have meant by a word that nothing holds.

The noisy channel (Kernighan, Church and Gale, COLING 1990): among the words that one slip turns into what was typed,
the one for which `how often it is meant * how likely the slip is` is greatest. How often is counted over the text that
the reader's tier may read (`kb.search.vocabulary`), so a correction never tells of a word that stands elsewhere.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log

import rjieba
from rapidfuzz import process
from rapidfuzz.distance import OSA

from kb.audience import Audience
from kb.errors import EncoderUnavailable
from kb.language import Language
from kb.search.encoder import packaged_folder
from kb.search.postings import typos
from kb.search.vocabulary import Vocabulary
from kb.text.homophones import alike
from kb.text.script import language_of, simplified, traditional
from kb.text.stopwords import STOP_WORDS
from kb.text.words import han_runs, plain_word, prose_words

TYPO_FROM = 4
"""Letters; below, one typo makes any word of any other."""

_TWO_FROM = 8  # letters of a word that may hold two slips, its first letter right
_LONGEST_QUERY = 300  # characters; more is pasted, not typed
_MOST_WORDS = 3  # corrected in one query; more unknown words are another language, or names

APPLIED, OFFERED = 0.6, 0.3
"""How sure a change has to be. Both, like the constants below, from the dev splits of four English and four Chinese
sets (`kb eval --noise`): queries without a slip keep their nDCG."""

NEW = 0.5
"""What weighs against all corrections of an English word: it may be a name that nothing holds yet. In items."""

SLIP = 3.0
"""How unlikely a wrong character is, in nats."""

UNUSED = 1.5
"""How much more unlikely a word of the language is that no text uses, in nats, than one that nobody knows."""

_FEW = 1_000  # items; what fewer hold says little about how likely words are
_LONGEST_STRETCH = 4  # characters

_NEIGHBOURS = {
    "q": "wa", "w": "qeas", "e": "wrsd", "r": "etdf", "t": "ryfg", "y": "tugh", "u": "yihj", "i": "uojk", "o": "ipkl",
    "p": "ol", "a": "qwsz", "s": "awedzx", "d": "serfxc", "f": "drtgcv", "g": "ftyhvb", "h": "gyujbn", "j": "huiknm",
    "k": "jiolm", "l": "kop", "z": "asx", "x": "zsdc", "c": "xdfv", "v": "cfgb", "b": "vghn", "n": "bhjm", "m": "njk",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of a query, from character `start`, and what may have been meant. `sure` is in [0, 1]."""

    start: int
    typed: str
    meant: str
    sure: float


@dataclass(frozen=True, slots=True)
class Correction:
    """A query as it was asked and as it may have been meant; `applied` if that is what was searched."""

    asked: str
    meant: str
    applied: bool

    @property
    def searched(self) -> str:
        """What is searched."""
        return self.meant if self.applied else self.asked

    @classmethod
    def of(cls, text: str, changes: Sequence[Change]) -> "Correction | None":
        """What is sure enough to be searched, else what is likely enough to be offered, if anything is."""
        if sure := [each for each in changes if each.sure >= APPLIED]:
            return cls(text, _changed(text, sure), True)
        if likely := [each for each in changes if each.sure >= OFFERED]:
            return cls(text, _changed(text, likely), False)
        return None


class Speller:
    """Corrects queries with the words of a vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def changes(self, text: str, tier: Audience, finds: Callable[[str], bool] = lambda word: False) -> list[Change]:
        """What may have been meant otherwise in a query, in order of their places; not overlapping.

        `finds` says whether a word finds anything at all: then it is left alone, whatever the vocabulary knows.
        """
        if len(text) > _LONGEST_QUERY or not self.vocabulary.items(tier):
            return []
        found = [*self._english(text, tier), *self._chinese(text, tier)]
        found = [each for each in found if not finds(each.typed)]
        return sorted(found, key=lambda each: each.start) if len(found) <= _MOST_WORDS else []

    def _english(self, text: str, tier: Audience) -> Iterator[Change]:
        for start, typed in prose_words(text, TYPO_FROM):
            word = plain_word(typed)
            if self.vocabulary.df(word, tier) or word in usual_words() or not _evenly(typed):
                continue
            if best := self._meant(word, tier):
                meant, sure = best
                yield Change(start, typed, _cased(meant, typed), sure)

    def _meant(self, word: str, tier: Audience) -> tuple[str, float] | None:
        """The likeliest word, and its share of the likelihood of all of them and of a word that nothing holds."""
        weights = {each: slip(word, each) * self.vocabulary.df(each, tier) for each in sorted(self._near(word, tier))}
        if not weights:
            return None
        best = max(weights, key=lambda each: (weights[each], each))
        return best, weights[best] / (sum(weights.values()) + NEW)

    def _near(self, word: str, tier: Audience) -> set[str]:
        one = {each for spellings in typos(word) for each in spellings if self.vocabulary.df(each, tier)}
        one = {each for each in one if len(each) >= TYPO_FROM - 1}
        if one or len(word) < _TWO_FROM:
            return one
        shaped = [each for n in range(-2, 3) for each in self.vocabulary.shaped(word[0], len(word) + n)]
        near = process.extract(word, shaped, scorer=OSA.distance, score_cutoff=2, limit=None)
        return {each for each, _, _ in near if self.vocabulary.df(each, tier)}

    def _chinese(self, text: str, tier: Audience) -> Iterator[Change]:
        in_traditional = language_of(text) is Language.TRADITIONAL
        for start, run in han_runs(text):
            flat = simplified(run)
            if len(flat) != len(run) or len(run) < 2:
                continue
            windows = sorted(self._windows(flat, tier), key=lambda each: -each[0])
            taken: set[int] = set()
            for gain, at, meant in windows:
                places = set(range(at, at + len(meant)))
                if not taken & places:
                    taken |= places
                    typed = run[at : at + len(meant)]
                    meant = _as_typed(meant, typed, flat[at : at + len(meant)], in_traditional)
                    yield Change(start + at, typed, meant, 1 - 2**-gain)

    def _windows(self, run: str, tier: Audience) -> Iterator[tuple[float, int, str]]:
        """Gain in nats, place and correction of each stretch of two to four characters that no word covers."""
        pieces = self._pieces(run, tier)
        for first in range(len(pieces)):
            for last in range(first + 1, len(pieces)):
                window = pieces[first : last + 1]
                start, end = window[0].start, window[-1].end
                if end - start > _LONGEST_STRETCH:
                    break
                typed = run[start:end]
                loose = [each.start - start for each in window if each.loose]
                if loose and not self.vocabulary.df(typed, tier):
                    cost = sum(each.cost for each in window)
                    for gain, meant in self._gains(typed, loose, cost, tier):
                        yield gain, start, meant

    def _gains(self, typed: str, loose: Sequence[int], cost: float, tier: Audience) -> Iterator[tuple[float, str]]:
        """What each correction of a stretch gains, if it gains anything; `cost` is the stretch as single pieces."""
        is_word = rjieba.has_word(typed)
        if is_word:
            cost = min(cost, self._cost("", tier) + UNUSED)
        for meant, slips in _alternatives(typed, loose, is_word):
            if self.vocabulary.df(meant, tier) and not (is_word and meant in STOP_WORDS):  # 甚么 is no slip for 什么
                gain = cost - self._cost(meant, tier) - SLIP * slips
                if gain > 0:
                    yield gain, meant

    def _cost(self, piece: str, tier: Audience) -> float:
        """How unlikely a piece is, in nats. A question word is usual wherever people ask, if no answer holds it."""
        items = max(self.vocabulary.items(tier), _FEW)
        df = self.vocabulary.df(piece, tier)
        return log(items) - log(max(df, items // 2 if piece in STOP_WORDS else 0) + 0.5)

    def _pieces(self, run: str, tier: Audience) -> list["_Piece"]:
        """The run cut into known words and single characters."""
        pieces: list[_Piece] = []
        at = 0
        for token in rjieba.cut(run):
            end = at + len(token)
            while at < end:
                left = run[at:end]
                size = next((n for n in range(len(left), 1, -1) if self.vocabulary.df(left[:n], tier)), 1)
                pieces.append(_Piece(at, at + size, size == 1, self._cost(left[:size], tier)))
                at += size
        return pieces


@dataclass(frozen=True, slots=True)
class _Piece:
    """A known word, or a single character: that one is loose, a slip may have made it. `cost` is in nats."""

    start: int
    end: int
    loose: bool
    cost: float


def _changed(text: str, changes: Iterable[Change]) -> str:
    for each in sorted(changes, key=lambda each: -each.start):
        text = text[: each.start] + each.meant + text[each.start + len(each.typed) :]
    return text


def _alternatives(typed: str, loose: Sequence[int], is_word: bool) -> Iterator[tuple[str, int]]:
    """What may have been meant, with the number of characters that are wrong: one, or both of a whole other word."""
    for place in loose:
        for char in alike(typed[place]):
            yield typed[:place] + char + typed[place + 1 :], 1
    if is_word and len(typed) == len(loose) == 2:
        for first in alike(typed[0]):
            for second in alike(typed[1]):
                yield first + second, 2


def slip(typed: str, meant: str) -> float:
    """How likely a finger makes `typed` of `meant`, against the likeliest slip (1)."""
    start = next((n for n, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b), min(len(typed), len(meant)))
    end = 0
    while end < min(len(typed), len(meant)) - start and typed[-1 - end] == meant[-1 - end]:
        end += 1
    was, is_ = meant[start : len(meant) - end], typed[start : len(typed) - end]
    likely = _kind(was, is_, typed[max(0, start - 1) : start] + typed[len(typed) - end :][:1])
    return likely * (0.2 if start == 0 and len(was) != 2 else 1.0)


def _kind(was: str, is_: str, beside: str) -> float:
    match len(was), len(is_):
        case 1, 1:
            return 1.0 if is_ in _NEIGHBOURS.get(was, "") else 0.3 if {was, is_} <= set("aeiouy") else 0.05
        case 1, 0:
            return 0.7
        case 0, 1:
            near = any(is_ in _NEIGHBOURS.get(letter, "") for letter in beside)
            return 1.0 if is_ in beside else 0.3 if near else 0.05
        case 2, 2 if was == is_[::-1]:
            return 1.0
    return 0.25  # two slips, looked for where one explains nothing


def warm() -> None:
    """Read what is read once (a fifth of a second), so that no search has to."""
    usual_words()
    alike("一")


@functools.cache
def usual_words() -> frozenset[str]:
    """English words that are right although no text holds them: those that the packaged encoder knows whole.

    20,000 of four letters or more (BERT's vocabulary), 2 MB. Without them "west" became "went" where no text has it.
    """
    try:
        pieces = (packaged_folder() / "vocab.txt").read_text(encoding="utf-8").split()
    except (EncoderUnavailable, OSError):
        return frozenset()
    return frozenset(piece for piece in pieces if len(piece) >= TYPO_FROM and piece.isascii() and piece.isalpha())


def _evenly(word: str) -> bool:
    """Whether its capitals are those of prose, or of a slip at the first letters: not WiFi, not ItemRenderer."""
    return word.isupper() or word[2:].islower()


def _cased(meant: str, typed: str) -> str:
    return meant.upper() if typed.isupper() else meant.capitalize() if typed[0].isupper() else meant


def _as_typed(meant: str, typed: str, flat: str, in_traditional: bool) -> str:
    """The correction in the script of the query; characters that stay are left as they were typed."""
    written = traditional(meant) if in_traditional else meant
    written = written if len(written) == len(meant) else meant
    return "".join(old if a == b else new for old, a, b, new in zip(typed, flat, meant, written, strict=True))
