"""The terms of a passage: its words, counted by the field they stand in, and its pairs of Han characters."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kb.passage import Passage
from kb.search.tuning import FieldWeights
from kb.text.analyzer import analyze
from kb.text.passages import indexed_fields, indexed_text
from kb.text.phrases import han_pairs

_ALIKE = FieldWeights()


class Terms(NamedTuple):
    """What `kb.search.lexical.document_vector` takes."""

    tokens: Sequence[str] | Mapping[str, float]
    pairs: Sequence[str]


def terms_of(passage: Passage, weights: FieldWeights = _ALIKE) -> Terms:
    """The terms of a passage, where each field counts so often."""
    text = indexed_text(passage)
    if weights.plain:
        return Terms(analyze(text), han_pairs(text))
    fields = indexed_fields(passage)
    counted: dict[str, float] = {}
    for part, weight in (
        (fields.title, weights.title),
        (fields.heading, weights.heading),
        (fields.text, weights.issue if passage.field == "issue" else 1.0),
    ):
        for token in analyze(part) if part and weight else ():
            counted[token] = counted.get(token, 0.0) + weight
    return Terms(counted, han_pairs(text))
