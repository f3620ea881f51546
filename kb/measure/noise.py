"""Slips of the finger in queries, and copies in the other script: always the same ones for the same query.

English: one slip on the keyboard in one word. Chinese: one character within a word replaced by another common one of
the same syllable, as an input method offers them. Identifiers are spared.
"""

import functools
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import rjieba

from kb.language import Language, family_of
from kb.measure.evaluation import LEGS, Bench, Ranker, measure, prepared
from kb.measure.progress import Progress
from kb.query import Query
from kb.search.loading import BackgroundEncoder
from kb.settings import Settings
from kb.text.identifiers import identifiers
from kb.text.script import HAN_RUN, language_of, simplified, traditional

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_WORD = re.compile(r"(?<![\w-])[A-Za-z]{4,}(?![\w-])")
_COMMON = 3_755  # the first level of GB 2312


@dataclass(frozen=True, slots=True)
class Noise:
    """nDCG@10 of both legs together on a collection: as asked, with a slip in each query, and each corrected.

    `changed` is how many of the queries could hold a slip at all.
    """

    dataset: str
    queries: int
    changed: int
    clean: float
    clean_corrected: float
    noisy: float
    noisy_corrected: float

    def as_json(self) -> dict[str, float | int | str | None]:
        """All figures, with the share of the loss that correction wins back; None where nothing was lost."""
        lost = self.clean - self.noisy
        figures = {
            "clean": self.clean,
            "clean corrected": self.clean_corrected,
            "noisy": self.noisy,
            "noisy corrected": self.noisy_corrected,
            "won back": (self.noisy_corrected - self.noisy) / lost if lost > 0 else None,
        }
        return {
            "dataset": self.dataset,
            "queries": self.queries,
            "changed": self.changed,
            **{name: None if value is None else round(value, 4) for name, value in figures.items()},
        }


@dataclass(frozen=True, slots=True)
class Scripts:
    """Of how many queries the best answer is the same in both scripts."""

    dataset: str
    queries: int
    same: int

    def as_json(self) -> dict[str, float | int | str]:
        """The counts and the share."""
        share = round(self.same / self.queries, 4)
        return {"dataset": self.dataset, "queries": self.queries, "same": self.same, "share": share}


def measure_noise(
    settings: Settings,
    folder: Path,
    limit: int | None = None,
    split: str | None = None,
    encoder: BackgroundEncoder | None = None,
    progress: Progress | None = None,
) -> Noise:
    """What a slip in each query costs, and what correcting wins back; raises like `evaluate`."""
    with prepared(settings, folder, limit, split, encoder, progress or Progress()) as bench:
        asked = dict(bench.collection.queries)
        slips = {key: noisy(text, key) for key, text in asked.items()}
        corrected = _corrector(bench)
        runs = [asked, corrected(asked), slips, corrected(slips)]
        clean, clean_corrected, with_slips, repaired = (_ndcg(bench, queries) for queries in runs)
        changed = sum(slips[key] != text for key, text in asked.items())
        return Noise(bench.collection.name, len(asked), changed, clean, clean_corrected, with_slips, repaired)


def measure_scripts(
    settings: Settings,
    folder: Path,
    limit: int | None = None,
    split: str | None = None,
    encoder: BackgroundEncoder | None = None,
    progress: Progress | None = None,
) -> Scripts:
    """How often a query and its copy in the other script have the same best answer; raises like `evaluate`."""
    with prepared(settings, folder, limit, split, encoder, progress or Progress()) as bench:
        asked = dict(bench.collection.queries)
        copies = {key: other_script(text) for key, text in asked.items()}
        first, second = _run(bench, asked), _run(bench, copies)
        same = sum(first[key][:1] == second[key][:1] for key in asked)
        return Scripts(bench.collection.name, len(asked), same)


def _corrector(bench: Bench) -> Callable[[Mapping[str, str]], dict[str, str]]:
    """What search makes of queries: those that are not corrected stay."""
    bench.service.wording.settle()
    corrector = bench.service.corrector

    def correct(text: str) -> str:
        found = corrector.correct(Query(text, bench.loaded.reader))
        return found.meant if found and found.applied else text

    return lambda queries: {key: correct(text) for key, text in queries.items()}


def _ndcg(bench: Bench, queries: Mapping[str, str]) -> float:
    return measure(bench.collection.qrels, _run(bench, queries))["ndcg@10"]


def _run(bench: Bench, queries: Mapping[str, str]) -> dict[str, list[str]]:
    bench.learn(queries.values())
    ranker, searcher = Ranker(bench.service, bench.loaded.reader), bench.service.finder.searcher
    found = {key: ranker.search(searcher, text, LEGS["hybrid"])[0] for key, text in queries.items()}
    return {key: [bench.loaded.ids[item] for item in items] for key, items in found.items()}


def noisy(query: str, key: str) -> str:
    """The query with one slip, drawn by `key`; itself where no word can hold one."""
    draw = random.Random(f"slip {key}")
    return _chinese(query, draw) if family_of(query) == "zh" else _english(query, draw)


def other_script(query: str) -> str:
    """A Chinese query in the other script; any other as it is."""
    language = language_of(query)
    if language is Language.ENGLISH:
        return query
    return simplified(query) if language is Language.TRADITIONAL else traditional(query)


def _english(query: str, draw: random.Random) -> str:
    spared = set(identifiers(query))
    places = [match for match in _WORD.finditer(query) if match[0] not in spared]
    if not places:
        return query
    match = draw.choice(places)
    slips: list[Callable[[str, random.Random], str]] = [_neighbour, _swapped, _dropped, _doubled]
    wrong = next(made for _ in range(100) if (made := draw.choice(slips)(match[0], draw)) != match[0])
    return query[: match.start()] + wrong + query[match.end() :]


def _neighbour(word: str, draw: random.Random) -> str:
    """A key beside the right one, in its row or above or below."""
    at = draw.randrange(len(word))
    row = next(n for n, keys in enumerate(_ROWS) if word[at].lower() in keys)
    column = _ROWS[row].index(word[at].lower())
    near = [(row, column - 1), (row, column + 1), (row - 1, column), (row - 1, column + 1), (row + 1, column - 1),
            (row + 1, column)]  # fmt: skip
    keys = [_ROWS[r][c] for r, c in near if 0 <= r < len(_ROWS) and 0 <= c < len(_ROWS[r])]
    key = draw.choice(keys)
    return word[:at] + (key.upper() if word[at].isupper() else key) + word[at + 1 :]


def _swapped(word: str, draw: random.Random) -> str:
    at = draw.randrange(len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _dropped(word: str, draw: random.Random) -> str:
    at = draw.randrange(len(word))
    return word[:at] + word[at + 1 :]


def _doubled(word: str, draw: random.Random) -> str:
    at = draw.randrange(len(word))
    return word[: at + 1] + word[at:]


def _chinese(query: str, draw: random.Random) -> str:
    places = []
    for run in HAN_RUN.finditer(query):
        flat, at = simplified(run[0]), run.start()
        if len(flat) == len(run[0]):
            for word in rjieba.cut(flat):
                places += [(at, word)] if len(word) > 1 else []
                at += len(word)
    draw.shuffle(places)
    for at, word in places:
        for n in draw.sample(range(len(word)), len(word)):
            others = [char for char in _same_syllable(_reading(word)[n]) if char != word[n]]
            if others:
                wrong = draw.choice(others)
                wrong = traditional(wrong) if language_of(query) is Language.TRADITIONAL else wrong
                return query[: at + n] + wrong + query[at + n + 1 :]
    return query


def _reading(word: str) -> list[str]:
    from pypinyin import lazy_pinyin  # here: it keeps 55 MB in memory

    return list(lazy_pinyin(word))


@functools.cache
def _same_syllable(syllable: str) -> str:
    """The common characters with that reading as their usual one, without tone."""
    return "".join(char for char in _common() if _usual()[char] == syllable)


@functools.cache
def _usual() -> dict[str, str]:
    return {char: _reading(char)[0] for char in _common()}


@functools.cache
def _common() -> str:
    rows = range(0xB0, 0xD8)
    return b"".join(bytes((r, c)) for r in rows for c in range(0xA1, 0xFF)).decode("gb2312", "ignore")[:_COMMON]
