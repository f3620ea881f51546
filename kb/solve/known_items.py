"""Questions with known answers, for calibration: judged ones, those that interactions resolved, or ones made up.

Made-up ones are known-item questions: a heading, a title, an issue statement or a sentence is taken out of a passage
and asked; the passage, without those words, is what should be found. They need no labels, and on six collections with
labels the weight of titles that they choose is the one that the labels would (docs/relevance.md).
"""

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kb.passage import ItemRef, Passage
from kb.query import Query
from kb.store import interactions, judgements
from kb.store.database import Tx
from kb.text.analyzer import analyze
from kb.text.markdown import plain
from kb.text.sentences import sentences

ENOUGH = 60
"""Questions in a language, below which nothing can be told."""

MOST = 400
"""Questions in a language that are asked."""

MOST_SENTENCES = 1_000

_SEARCHES = 5_000
_WORDS = range(4, 26)  # of a sentence that is asked


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and what should be found."""

    text: str
    right: frozenset[ItemRef]

    @property
    def family(self) -> str:
        """The language family of the question."""
        return Query(self.text).family

    @property
    def held_back(self) -> bool:
        """Whether it takes no part in choosing: half of all, by the hash of the text."""
        return hashlib.sha1(self.text.encode()).digest()[0] % 2 == 1


def judged(tx: Tx) -> list[Asked]:
    """The queries of all judged sets, with what helps."""
    found: list[Asked] = []
    for each in judgements.sets(tx):
        queries = judgements.queries(tx, each.id)
        graded = judgements.of_queries(tx, [query.id for query in queries])
        for query in queries:
            right = frozenset(judgement.item for judgement in graded.get(query.id, ()) if judgement.grade > 0)
            if right:
                found.append(Asked(query.text, right))
    return found


def resolved(tx: Tx) -> list[Asked]:
    """What agents searched in interactions that an item resolved."""
    by_text: dict[str, set[ItemRef]] = {}
    for text, item in interactions.resolved_searches(tx, _SEARCHES):
        by_text.setdefault(" ".join(text.split()), set()).add(item)
    return [Asked(text, frozenset(items)) for text, items in by_text.items() if text]


def made_up(passages: Sequence[Passage], chance: random.Random) -> tuple[list[Asked], list[Passage]]:
    """Known-item questions, half of them titles and headings, and the passages without the words that are asked."""
    return _made_up(passages, chance, {True: MOST // 2, False: MOST // 2})


def sentences_of(passages: Sequence[Passage], chance: random.Random) -> tuple[list[Asked], list[Passage]]:
    """Sentences alone, many of them, with the passages without them.

    These tell how titles should count, which titles taken out of their passages cannot.
    """
    return _made_up(passages, chance, {True: 0, False: MOST_SENTENCES})


def _made_up(
    passages: Sequence[Passage], chance: random.Random, most: Mapping[bool, int]
) -> tuple[list[Asked], list[Passage]]:
    """At most so many of each kind (of a title or not) in each language, one of a passage."""
    asked: list[Asked] = []
    without = list(passages)
    counts: dict[tuple[str, bool], int] = {}
    for place in chance.sample(range(len(passages)), len(passages)):
        of_title = bool(most[True]) and chance.random() < 0.5
        found = (_of_title if of_title else _of_text)(passages[place], chance)
        if found is None:
            continue
        question = Asked(found[0], frozenset({passages[place].ref.item}))
        kind = question.family, of_title
        if counts.get(kind, 0) < most[of_title]:
            counts[kind] = counts.get(kind, 0) + 1
            asked.append(question)
            without[place] = found[1]
    return asked, without


def by_family(asked: Sequence[Asked]) -> Mapping[str, list[Asked]]:
    """Those in languages that have enough, the most that are asked of each."""
    found: dict[str, list[Asked]] = {}
    for each in asked:
        found.setdefault(each.family, []).append(each)
    return {family: each[:MOST] for family, each in sorted(found.items()) if len(each) >= ENOUGH}


def _of_title(passage: Passage, chance: random.Random) -> tuple[str, Passage] | None:
    if passage.heading:
        text, rest = passage.heading[-1], replace(passage, heading=passage.heading[:-1])
    else:
        text, rest = passage.title, replace(passage, title="")
    return (text, rest) if len(analyze(text)) >= 2 and passage.text else None


def _of_text(passage: Passage, chance: random.Random) -> tuple[str, Passage] | None:
    text = plain(passage.text)
    places = sentences(text)
    if len(places) < 2:
        return None
    start, end = places[0] if passage.field == "issue" else chance.choice(places)
    question = text[start:end]
    if len(analyze(question)) not in _WORDS:
        return None
    return question, replace(passage, text=f"{text[:start]} {text[end:]}")
