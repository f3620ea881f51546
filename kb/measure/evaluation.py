"""How well we find: the literature's measures on judged queries, for each leg and for both.

The index is built and searched by the code that serves people; only the encoder's vectors are kept between runs.
Measures come from ir-measures (MacAvaney, Macdonald and Ounis, ECIR 2022).
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from kb import clock
from kb.audience import Reader
from kb.bootstrap import Service, wanted_encoder
from kb.errors import Invalid
from kb.measure.collection import Collection, read_collection
from kb.measure.kept import KeptEncoder, VectorFile
from kb.measure.progress import Progress
from kb.measure.workshop import Loaded, build, index, load, temporary_service
from kb.passage import ItemRef
from kb.person import Person
from kb.query import Candidate, Context, Query
from kb.search.fusion import Weights
from kb.search.loading import BackgroundEncoder, background_encoder
from kb.search.ranking import group, rank
from kb.search.searcher import BOTH, Searcher
from kb.search.subjects import question
from kb.settings import Settings
from kb.solve import calibrating, seeing
from kb.solve.reuse import read
from kb.standing import Standing

LEGS: Mapping[str, frozenset[str]] = {
    "lexical": frozenset({"lexical"}),
    "dense": frozenset({"dense"}),
    "hybrid": BOTH,
}
DEPTH = 100
"""Items taken of each ranking; the deepest measure is Recall@100."""

Gain = Literal["linear", "exp"]
Run = dict[str, list[str]]
"""The ranking of each query: document ids, best first."""


@dataclass(frozen=True, slots=True)
class LegResult:
    """What one leg found: the measures by name, the rankings, milliseconds per query (without encoding it)."""

    measures: Mapping[str, float]
    run: Run
    took_ms: Sequence[float]

    def as_json(self) -> dict[str, float | int]:
        """The figures as reported: measures, number of queries, p50 and p95 in milliseconds."""
        times = {f"p{share}_ms": round(float(np.percentile(self.took_ms, share)), 2) for share in (50, 95)}
        return {name: round(value, 4) for name, value in self.measures.items()} | {"queries": len(self.run)} | times


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result on one collection."""

    dataset: str
    encoder: str
    legs: Mapping[str, LegResult]
    documents: int
    per_query: Mapping[str, float]

    def as_json(self, per_query: bool = False) -> dict[str, Any]:
        """`{"dataset": ..., "encoder": ..., "legs": {"lexical": {"ndcg@10": ..., ...}, ...}}`.

        With `per_query` also nDCG@10 of both legs together, by query.
        """
        legs = {name: leg.as_json() for name, leg in self.legs.items()}
        found = {"dataset": self.dataset, "encoder": self.encoder, "legs": legs}
        return found | ({"per_query": dict(self.per_query)} if per_query else {})


def evaluate(
    settings: Settings,
    folder: Path,
    *,
    limit: int | None = None,
    split: str | None = None,
    gain: Gain = "linear",
    weights: Weights | None = None,
    calibrated: bool = False,
    encoder: BackgroundEncoder | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure the collection in that folder.

    `calibrated` has search calibrated first, on made-up questions: none of the labels is looked at. `limit` takes a
    fixed sample of the queries, `split` those of "dev" or "test", `gain` what a grade g is worth in nDCG: g or
    2^g - 1. Raises Invalid for a folder that cannot be read, EncoderUnavailable without an encoder.
    """
    progress = progress or Progress()
    with prepared(settings, folder, limit, split, encoder, progress) as bench:
        if calibrated:
            calibrate(bench, progress)
        bench.learn(bench.collection.queries.values())
        legs = _search_all(bench, weights, progress)
    results = {
        name: LegResult(measure(bench.collection.qrels, run, gain), run, took_ms)
        for name, (run, took_ms) in legs.items()
    }
    by_query = ndcg_by_query(bench.collection.qrels, legs["hybrid"][0], gain)
    return Evaluation(bench.collection.name, bench.encoder.name, results, len(bench.loaded.ids), by_query)


def calibrate(bench: "Bench", progress: Progress) -> calibrating.Calibration:
    """Calibrate the service of a bench, as `kb calibrate` does."""
    service = bench.service
    progress.begin("calibrating")
    found = calibrating.calibrate(service.patient_db, bench.encoder, service.settings.data_dir / "calibration")
    if calibrating.publish(service.patient_db, found):
        build(service)
    service.generations.follow()
    return found


@dataclass(frozen=True, slots=True)
class Bench:
    """A collection, loaded and indexed in a service of its own, with the encoder that keeps its vectors."""

    service: Service
    collection: Collection
    loaded: Loaded
    encoder: KeptEncoder

    def learn(self, queries: Iterable[str]) -> None:
        """Have the vectors of these queries, and of what they ask, at hand, as far as the encoder can read them."""
        readable = [text for text in queries if self.encoder.identity.serves(Query(text).family)]
        self.encoder.learn_queries([*readable, *filter(None, map(question, readable))])


@contextmanager
def prepared(
    settings: Settings,
    folder: Path,
    limit: int | None,
    split: str | None,
    encoder: BackgroundEncoder | None,
    progress: Progress,
) -> Iterator[Bench]:
    """The collection in that folder, ready to be searched; raises like `evaluate`."""
    collection = read_collection(folder).part(split, limit)
    if not collection.queries:
        raise Invalid(f"no judged query of {folder} is in the {split} split", "split")
    file = VectorFile(settings.data_dir / "eval.db")
    try:
        kept = KeptEncoder(encoder or background_encoder(wanted_encoder(settings)), file)
        with temporary_service(settings, kept) as service:
            loaded = load(service, collection, progress)
            index(service, kept, file, progress)
            progress.begin("encoding queries")
            yield Bench(service, collection, loaded, kept)
    finally:
        file.close()
        progress.end()


def measure(qrels: Mapping[str, Mapping[str, int]], run: Run, gain: Gain = "linear") -> dict[str, float]:
    """The measures of a run over the judged queries; one that found nothing counts as zero."""
    import ir_measures as ir  # here: only measuring needs it
    from ir_measures import RR, P, R

    wanted = {
        "ndcg@10": _ndcg_at_10(qrels, gain),
        "mrr@10": RR @ 10,
        "p@1": P @ 1,
        "recall@10": R @ 10,
        "recall@100": R @ 100,
    }
    values = ir.calc_aggregate(wanted.values(), {query: dict(judged) for query, judged in qrels.items()}, _scored(run))
    return {name: float(values[each]) for name, each in wanted.items()}


def ndcg_by_query(qrels: Mapping[str, Mapping[str, int]], run: Run, gain: Gain = "linear") -> dict[str, float]:
    """nDCG@10 of each judged query."""
    import ir_measures as ir  # here: only measuring needs it

    wanted = {query: dict(judged) for query, judged in qrels.items()}
    found = ir.iter_calc([_ndcg_at_10(qrels, gain)], wanted, _scored(run))
    return dict.fromkeys(qrels, 0.0) | {each.query_id: round(float(each.value), 4) for each in found}


def _ndcg_at_10(qrels: Mapping[str, Mapping[str, int]], gain: Gain) -> Any:
    from ir_measures import nDCG

    grades = {grade for judged in qrels.values() for grade in judged.values() if grade > 0}
    return (nDCG if gain == "linear" else nDCG(gains={grade: 2**grade - 1 for grade in grades})) @ 10


def _scored(run: Run) -> dict[str, dict[str, float]]:
    """Scores by place: the measures would otherwise break ties in an order of their own."""
    return {query: {each: -float(place) for place, each in enumerate(found)} for query, found in run.items()}


def _search_all(bench: Bench, weights: Weights | None, progress: Progress) -> dict[str, tuple[Run, list[float]]]:
    alone = Searcher(bench.service.live, bench.service.encoder)
    whole = Searcher(bench.service.live, bench.service.encoder, weights, catalogue=bench.service.catalogue)
    ranker, collection, loaded = Ranker(bench.service, bench.loaded.reader), bench.collection, bench.loaded
    progress.begin("searching", len(LEGS) * len(collection.queries))
    found: dict[str, tuple[Run, list[float]]] = {}
    for number, (name, legs) in enumerate(LEGS.items()):
        run: Run = {}
        took_ms = []
        for place, (query_id, text) in enumerate(collection.queries.items()):
            items, milliseconds = ranker.search(whole if legs == BOTH else alone, text, legs)
            run[query_id] = [loaded.ids[item] for item in items]
            took_ms.append(milliseconds)
            progress.update(number * len(collection.queries) + place)
        found[name] = run, took_ms
    return found


class Ranker:
    """Ranks as `kb.solve.reuse` does, only deeper, and with one look at where each item stands.

    Production confirms the ten winners in the record for every search; a hundred would triple the time of a run
    and change nothing, since nobody edits the collection meanwhile.
    """

    def __init__(self, service: Service, reader: Reader) -> None:
        self._db = service.db
        self._reader = reader
        self._by = Person("evaluation", "Evaluation", reader.tier, groups=reader.groups)
        self._at: datetime = clock.now()
        self._standings: dict[ItemRef, Standing] = {}

    def search(self, searcher: Searcher, text: str, legs: frozenset[str]) -> tuple[list[ItemRef], float]:
        """The best items, and how many milliseconds that took without encoding the query.

        One leg alone is shown as it is, both together with all that search does to make them better.
        """
        start = time.perf_counter()
        query = Query(text, reader=self._reader)
        retrieval = searcher.retrieve(query, legs=legs)
        candidates: Sequence[Candidate] = retrieval.candidates
        if legs == BOTH:
            with self._db.read() as tx:
                candidates = read(tx, query, candidates).candidates
        found = group(candidates)
        took_ms = (time.perf_counter() - start) * 1000 - retrieval.took_ms["encode"]
        self._look_up([each.item for each in found])
        start = time.perf_counter()
        shown = [each for each in found if each.item in self._standings and self._standings[each.item].live]
        ranked = rank(shown, self._standings.__getitem__, Context(), self._at)
        took_ms += (time.perf_counter() - start) * 1000
        return [each.found.item for each in ranked[:DEPTH]], took_ms

    def _look_up(self, items: Sequence[ItemRef]) -> None:
        new = [item for item in items if item not in self._standings]
        if new:
            with self._db.read() as tx:
                self._standings |= seeing.standings(tx, self._by, new, self._at)
