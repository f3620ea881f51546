"""Calibration: how much fields and legs count in this collection, learned from questions with known answers.

    questions -> an index of a sample -> title weight by the lexical leg -> weight of the legs, by language

Half of the questions choose, the other half is held back: what does not win there as well is not published, and
search stays as it is. Nothing is asked of people; where they have judged queries or resolved interactions, these are
better questions than made-up ones and are taken instead.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from kb import clock
from kb.audience import Audience, Reader
from kb.errors import Conflict
from kb.generation import Generation, GenerationState
from kb.passage import ItemRef, Passage
from kb.search.encoder import Encoder
from kb.search.engines import EdgeEngine
from kb.search.fusion import Weights, fuse
from kb.search.index import Legs, PassageIndex, Request, Vector, point_of
from kb.search.lexical import PAIR, pair_term, query_vector
from kb.search.ranking import group
from kb.search.terms import Terms, terms_of
from kb.search.tuning import FieldWeights, Tuning
from kb.solve import known_items
from kb.solve.generations import want_rebuild
from kb.solve.known_items import ENOUGH, Asked
from kb.solve.significance import paired_bootstrap
from kb.store import generations, outbox, passages
from kb.store.database import Database, Tx
from kb.text.analyzer import analyze
from kb.text.passages import encoded_text
from kb.text.phrases import MOST, han_pairs

SAMPLE = 3_000
"""Items that are searched in: enough to tell settings apart, and a minute's work."""

LARGE = 1_000
"""Passages below which nobody calibrates unasked: there is little to learn from, and little to win."""

GAIN = 0.005
"""Mean reciprocal rank that a choice has to win, on the questions that choose and on those held back."""

SURE = 0.1
"""The p-value (paired bootstrap, on the questions held back) above which a gain counts as luck."""

FIELDS = tuple(FieldWeights(title=each, heading=each) for each in (1.0, 0.5, 2.0, 3.0, 5.0))
"""Title and heading together: what stands above a text says what it is about, whichever of the two it is."""

LEGS = (
    Weights(),
    Weights(base=0.15),
    Weights(base=0.45, most=0.95),
    *(Weights(base=each, slope=0.0, least=0.0, most=1.0, exact=min(each, 0.4)) for each in (0.0, 0.2, 0.6, 0.8, 1.0)),
)
"""The weight that follows the best cosine, lower or higher, and constant ones down to none."""

_DEPTH = 10
_READER = Reader(Audience.INTERNAL)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision: mean reciprocal rank before and after on the questions held back, and whether it was taken."""

    what: str
    questions: int
    chosen: str
    before: float
    after: float
    p: float
    taken: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was found. `source` says where the questions came from: "judged", "resolved" or "made up"."""

    tuning: Tuning
    source: str
    choices: tuple[Choice, ...]


@dataclass(slots=True)
class _Sample:
    """Passages to search in, their vectors by place as far as there are any, and what is asked by language.

    `told` and `titled` are the questions and passages that the weights of fields are chosen with.
    """

    source: str
    asked: Mapping[str, Sequence[Asked]]
    found: Sequence[Passage]
    told: Sequence[Asked]
    titled: Sequence[Passage]
    vectors: dict[int, Vector] = field(default_factory=dict)


def calibrate(db: Database, encoder: Encoder, folder: Path, say: Say = lambda _: None) -> Calibration:
    """Find the tuning for what is in the record now, in an index of its own below `folder`. Changes nothing.

    Takes a minute or two for a collection of any size. Raises Conflict where there are too few questions.
    """
    chance = random.Random(0)
    with db.read() as tx:
        sample = _sample(tx, chance)
    if not sample.asked or len(sample.told) < ENOUGH:
        raise Conflict(f"there are too few questions to learn from: {ENOUGH} in a language are needed")
    say(f"{sum(map(len, sample.asked.values()))} questions ({sample.source}), {len(sample.found):,} passages")
    _encode(db, encoder, sample, say)
    engine = EdgeEngine(folder)
    index = engine.create("calibration", encoder.dimension)
    try:
        return _chosen(index, encoder, sample, say)
    finally:
        engine.close()


def publish(db: Database, found: Calibration) -> bool:
    """Make it the tuning of the live index. Other weights of fields need a new one: True where that was asked for."""
    with db.write() as tx:
        live = generations.live(tx)
        if live is None:
            raise Conflict("there is no index yet: start kb serve, or run kb reindex")
        tuning = replace(found.tuning, note=_note(found, live)).as_json()
        if Tuning.from_json(live.tuning).fields == found.tuning.fields:
            generations.save(tx, replace(live, tuning=tuning))
            return False
        want_rebuild(tx, tuning)
        return True


def due(tx: Tx) -> bool:
    """Whether the live index waits to be calibrated: it is large, complete, and of another making than the last one."""
    live = generations.live(tx)
    if live is None or generations.every(tx, GenerationState.WANTED, GenerationState.BUILDING):
        return False
    if Tuning.from_json(live.tuning).note.get("for") == key_of(live) or passages.count(tx) < LARGE:
        return False
    return not any(each.waiting for each in outbox.backlog(tx, clock.now()) if each.lane.is_dense)


def key_of(generation: Generation) -> str:
    """What a calibration holds for: an encoder, and a way to make words of text."""
    return f"{generation.encoder[:16]}/{generation.analyzer}"


def _note(found: Calibration, live: Generation) -> dict[str, Any]:
    """For people, and for whoever wants to know whether it still holds."""
    choices = [
        {"what": each.what, "chosen": each.chosen if each.taken else "as before", "questions": each.questions,
         "before": round(each.before, 4), "after": round(each.after if each.taken else each.before, 4)}
        for each in found.choices
    ]  # fmt: skip
    at = clock.now().isoformat(timespec="seconds")
    return {"at": at, "for": key_of(live), "source": found.source, "choices": choices}


def _sample(tx: Tx, chance: random.Random) -> _Sample:
    """What is asked, and among what."""
    items: list[ItemRef] = []
    while more := passages.page(tx, items[-1] if items else None, 5_000):
        items += more
    for source, ask in (("judged", known_items.judged), ("resolved", known_items.resolved)):
        known = set(items)
        asked = known_items.by_family([each for each in ask(tx) if each.right & known])
        if asked:
            right = {item for of_family in asked.values() for each in of_family for item in each.right & known}
            rest = [item for item in items if item not in right]
            chosen = [*right, *chance.sample(rest, min(len(rest), max(SAMPLE - len(right), 0)))]
            found = _passages(tx, sorted(chosen))
            return _Sample(source, asked, found, [each for many in asked.values() for each in many], found)
    found = _passages(tx, sorted(chance.sample(items, min(len(items), SAMPLE))))
    made, without = known_items.made_up(found, chance)
    return _Sample("made up", known_items.by_family(made), without, *known_items.sentences_of(found, chance))


def _passages(tx: Tx, items: Sequence[ItemRef]) -> list[Passage]:
    """Their passages, less what is restricted to groups: it counts for nobody's statistics."""
    return [each for of_item in passages.of_items(tx, items).values() for each in of_item if not each.access.groups]


def _encode(db: Database, encoder: Encoder, sample: _Sample, say: Say) -> None:
    """The vectors: kept ones, and new ones for the passages that lost their words."""
    hashes = [each.hash for each in sample.found]
    with db.read() as tx:
        kept = passages.vectors(tx, encoder.digest, hashes)
    sample.vectors = {n: kept[key] for n, key in enumerate(hashes) if key in kept}
    readable = [
        n for n, each in enumerate(sample.found)
        if n not in sample.vectors and encoder.identity.serves(each.language.family)
    ]  # fmt: skip
    readable.sort(key=lambda n: len(sample.found[n].text))
    say(f"encoding {len(readable):,} passages")
    for start in range(0, len(readable), 32):
        batch = readable[start : start + 32]
        rows = encoder.encode_passages([encoded_text(sample.found[n]) for n in batch])
        sample.vectors.update(zip(batch, rows, strict=True))


def _chosen(index: PassageIndex, encoder: Encoder, sample: _Sample, say: Say) -> Calibration:
    by_fields: dict[FieldWeights, list[float]] = {}
    for weights in FIELDS:
        say(f"title weight {weights.title:g}")
        _fill(index, sample.titled, {}, weights)
        by_fields[weights] = [_reciprocal(each, _ranked(_legs(index, None, each))) for each in sample.told]
    fields, choice = _choice("fields", sample.told, by_fields, lambda each: f"title {each.title:g}")
    choices = [choice]
    _fill(index, sample.found, sample.vectors, fields)
    legs: dict[str, Weights] = {}
    for family, asked in sample.asked.items():
        if not encoder.identity.serves(family):
            continue
        say(f"weight of the legs for {family}")
        vectors = encoder.encode_queries([each.text for each in asked])
        found = [_legs(index, vector, each) for each, vector in zip(asked, vectors, strict=True)]
        by_legs = {
            weights: [_reciprocal(each, _ranked(both, weights)) for each, both in zip(asked, found, strict=True)]
            for weights in LEGS
        }
        chosen, choice = _choice(f"legs, {family}", asked, by_legs, _named)
        choices.append(choice)
        if chosen != LEGS[0]:
            legs[family] = chosen
    return Calibration(Tuning(_stretched(fields, sample.found), legs), sample.source, tuple(choices))


def _fill(index: PassageIndex, found: Sequence[Passage], vectors: Mapping[int, Vector], weights: FieldWeights) -> None:
    """The whole sample with these field weights."""
    terms = [terms_of(each, weights) for each in found]
    average = float(np.mean([_length(each) for each in terms]))
    index.upsert(
        [
            point_of(each, its.tokens, average, vectors.get(n), its.pairs)
            for n, (each, its) in enumerate(zip(found, terms, strict=True))
        ]
    )


def _legs(index: PassageIndex, vector: Vector | None, asked: Asked) -> Legs:
    also = dict.fromkeys(map(pair_term, han_pairs(asked.text)[:MOST]), PAIR)
    return index.retrieve(Request(query_vector(analyze(asked.text), also), vector, _READER))


def _ranked(legs: Legs, weights: Weights | None = None) -> Iterator[ItemRef]:
    """Items, best first; by words alone without weights."""
    weight = weights.of("", max((each.score for each in legs.dense), default=0.0)) if weights else 0.0
    return (each.item for each in group(fuse(legs, weight)))


def _reciprocal(asked: Asked, ranked: Iterator[ItemRef]) -> float:
    """1 / rank of the first right item among the first ten, else 0."""
    return next(
        (1 / place for place, item in zip(range(1, _DEPTH + 1), ranked, strict=False) if item in asked.right), 0.0
    )


def _choice(
    what: str, asked: Sequence[Asked], values: Mapping[Any, Sequence[float]], named: Callable[[Any], str]
) -> tuple[Any, Choice]:
    """The best setting by the questions that choose, if it wins on those held back; else the first."""
    default = next(iter(values))

    def part(setting: object, held_back: bool) -> list[float]:
        return [value for each, value in zip(asked, values[setting], strict=True) if each.held_back is held_back]

    best = max(values, key=lambda setting: float(np.mean(part(setting, False) or [0.0])))
    before, after = part(default, True), part(best, True)
    gained = float(np.mean(part(best, False) or [0.0]) - np.mean(part(default, False) or [0.0]))
    proof = paired_bootstrap(before, after) if before and best != default else None
    taken = proof is not None and min(gained, proof.mean) >= GAIN and proof.p <= SURE
    choice = Choice(
        what, len(asked), named(best), float(np.mean(before or [0.0])), float(np.mean(after or [0.0])),
        proof.p if proof else 1.0, taken,
    )  # fmt: skip
    return (best if taken else default), choice


def _stretched(fields: FieldWeights, found: Sequence[Passage]) -> FieldWeights:
    """The weights with how much longer they make an average passage."""
    if fields.plain:
        return fields
    plain, weighted = (sum(_length(terms_of(each, how)) for each in found) for how in (FieldWeights(), fields))
    return replace(fields, stretch=round(weighted / max(plain, 1), 4))


def _length(terms: Terms) -> float:
    """Tokens, each as often as it counts."""
    return sum(terms.tokens.values()) if isinstance(terms.tokens, Mapping) else len(terms.tokens)


def _named(weights: Weights) -> str:
    if weights.slope:
        return f"{weights.base:g} + {weights.slope:g} x best cosine"
    return f"{weights.base:g}"
