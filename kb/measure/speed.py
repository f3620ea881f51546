"""How fast we find: search over the real code path, among synthetic passages, with the embedded engine.

The index and everything measured on it live in one child process, so that its peak memory is theirs alone; in the
end, when that has been read, the encoder works along. By itself it is timed in another one (`kb.measure.encoding`).
"""

import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kb import clock
from kb.article import Article
from kb.bootstrap import Service, wanted_encoder
from kb.errors import KbError
from kb.measure.encoding import measure_default
from kb.measure.evaluation import LEGS
from kb.measure.progress import Progress
from kb.measure.synthetic import DIMENSION, Asked, MadeItem, Maker, SyntheticEncoder
from kb.measure.workshop import build, temporary_service
from kb.passage import ItemRef
from kb.post import Post
from kb.query import Query, Retrieval
from kb.search.encoder import Encoder
from kb.search.fusion import Weights
from kb.search.hasty import HastyEncoder
from kb.search.index import point_of
from kb.search.loading import load_encoder
from kb.search.searcher import BOTH, PASSAGES, Searcher
from kb.settings import Settings
from kb.solve.reuse import Finder
from kb.store import articles, passages, posts
from kb.text.analyzer import analyze
from kb.text.passages import indexed_text

QUESTIONS = 500
CLIENTS = (1, 8)
UPSERTED = 20_000
"""Passages written again to time the engine alone; fewer where there are fewer."""

_FEWER_COLLECTIONS = (10_000, 20, 20)
_PATIENCE_S = 60.0
_ITEMS_AT_ONCE = 500
_POINTS_AT_ONCE = 1_024
_ASKED_ABOUT = 2_000  # items that questions are made from

Times = dict[str, float]


def bench(settings: Settings, number: int) -> dict[str, Any]:
    """Measure among so many passages; raises KbError where a child process fails.

    Milliseconds per leg for the engine (both legs in one call) and for the whole search without encoding; of `whole`
    English questions with encoding, and queries a second at 1 and 8 clients; passages a second written by the engine;
    bytes on disk; peak memory in MB, without the encoder.
    """
    index = _child("index", str(number))
    return index | {"encoder": measure_default(settings)}


def measure_index(
    settings: Settings, number: int, progress: Progress, load: Callable[[], Encoder], questions: int = QUESTIONS
) -> dict[str, Any]:
    """What the first child does. `load` gives the encoder that works along in the end."""
    maker, encoder = Maker(), SyntheticEncoder({})
    with temporary_service(settings, encoder) as service:
        known = _fill(service, maker, number, encoder.digest, progress)
        progress.begin(f"indexing {number:,} passages")
        start = time.perf_counter()
        build(service)
        indexed_per_s = number / (time.perf_counter() - start)
        asked = maker.questions(known, questions)
        encoder.learn(asked)
        service.search_log.start()
        progress.begin("searching", len(LEGS) + len(CLIENTS))
        with _collecting_less():
            legs = {name: _leg(_finder(service, legs), asked) for name, legs in LEGS.items()}
            hits = np.mean([len(service.finder.search(each.by, each.query).hits) for each in asked[:50]])
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            whole = _whole(service, encoder, load, asked)
        service.live.get()[0].flush()
        result = {
            "passages": number,
            "legs": legs,
            "hits_per_query": round(float(hits), 1),
            "whole": whole,
            "upserts_per_s": round(_upserts(service, encoder.digest, progress)),
            "indexed_per_s": round(indexed_per_s),
            "index_mb": _size(service.settings.data_dir / "index"),
            "record_mb": _size(service.settings.data_dir, "kb.db*"),
            "peak_memory_mb": round(peak / 1024),
        }
    progress.end()
    return result


@contextmanager
def _collecting_less() -> Iterator[None]:
    """Garbage looked for as seldom as `kb serve` does (`kb.cli.serving.collect_less`), and then as before."""
    before = gc.get_threshold()
    gc.set_threshold(*_FEWER_COLLECTIONS)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


class OneLeg(Searcher):
    """The searcher with legs switched off, for measuring the others."""

    def __init__(self, service: Service, legs: frozenset[str]) -> None:
        super().__init__(service.live, service.encoder)
        self._only = legs

    def retrieve(
        self, query: Query, k: int = PASSAGES, legs: frozenset[str] = BOTH, weights: Weights | None = None
    ) -> Retrieval:
        """See `Searcher.retrieve`."""
        return super().retrieve(query, k, legs & self._only, weights)


@dataclass(frozen=True, slots=True)
class _Took:
    """Milliseconds of one search: in the engine, until the hits were confirmed, until the answer was chosen."""

    engine: float
    confirmed: float
    answered: float


def _finder(service: Service, legs: frozenset[str]) -> Finder:
    return replace(service.finder, searcher=OneLeg(service, legs))


def _leg(finder: Finder, asked: Sequence[Asked]) -> dict[str, Times]:
    """Times without encoding, of questions that were asked before."""
    for each in asked:
        _search(finder, each)  # first touches of memory and caches
    took = [_search(finder, each) for each in asked]
    return {
        "engine": _percentiles([each.engine for each in took]),
        "search": _percentiles([each.answered for each in took]),
    }


def _whole(
    service: Service, encoder: SyntheticEncoder, load: Callable[[], Encoder], asked: Sequence[Asked]
) -> dict[str, Any]:
    """English questions from beginning to end, each one encoded: by one person, and by several at once."""
    encoder.beside = HastyEncoder(load(), _PATIENCE_S)
    english = [each for each in asked if each.query.family == "en"]
    took = [_search(service.finder, each, encoded=True) for each in english]
    return {
        "encoded_found_confirmed": _percentiles([each.confirmed for each in took]),
        "answered": _percentiles([each.answered for each in took]),
        "clients": {str(many): _clients(service.finder, english, many) for many in CLIENTS},
    }


def _clients(finder: Finder, asked: Sequence[Asked], many: int) -> Times:
    start = time.perf_counter()
    with ThreadPoolExecutor(many) as pool:
        took = list(pool.map(lambda each: _timed(lambda: _search(finder, each)), asked))
    return {"queries_per_s": round(len(asked) / (time.perf_counter() - start), 1)} | _percentiles(took)


def _search(finder: Finder, asked: Asked, encoded: bool = False) -> _Took:
    took = finder.search(asked.by, asked.query).took_ms
    total = took["total"] if encoded else took["total"] - took["encode"]
    return _Took(took["retrieve"], total - took["answer"], total)


def _fill(service: Service, maker: Maker, number: int, digest: str, progress: Progress) -> list[MadeItem]:
    """Write items with their passages and vectors to the record; returns some to ask about."""
    progress.begin("writing passages", number)
    known: list[MadeItem] = []
    written = 0
    for batch in _batches(maker.items(number)):
        write(service, batch, digest)
        known += batch[: max(1, _ASKED_ABOUT * len(batch) // number)]
        written += sum(len(item.passages) for item in batch)
        progress.update(written)
    return known


def write(service: Service, batch: Sequence[MadeItem], digest: str) -> None:
    """Write made-up items with their passages and vectors to the record."""
    at = clock.now()
    cuts = {made.item: [(passage, len(analyze(indexed_text(passage)))) for passage in made.passages] for made in batch}
    vectors = {p.hash: vector for made in batch for p, vector in zip(made.passages, made.vectors, strict=True)}
    with service.db.write() as tx:
        posts.insert(tx, [made.content for made in batch if isinstance(made.content, Post)], at)
        for made in batch:
            if isinstance(made.content, Article) and made.revision is not None:
                articles.insert(tx, made.content)
                articles.add_revision(tx, made.revision)
        passages.replace(tx, cuts)
        passages.keep_vectors(tx, digest, vectors)


def _upserts(service: Service, digest: str, progress: Progress) -> float:
    """Passages a second that the engine writes, with vectors, to an index of its own, flush included."""
    progress.begin("writing to the engine")
    generation = service.live.get()[1]
    index = service.engine.create("upserts", DIMENSION)
    seconds, written = 0.0, 0
    for items in _items(service):
        with service.db.read() as tx:
            found = [each for of_item in passages.of_items(tx, items).values() for each in of_item]
            vectors = passages.vectors(tx, digest, [each.hash for each in found])
        points = [
            point_of(each, analyze(indexed_text(each)), generation.average_length, vectors[each.hash]) for each in found
        ]
        seconds += _timed(lambda points=points: index.upsert(points)) / 1000
        written += len(points)
        if written >= UPSERTED:
            break
    seconds += _timed(index.flush) / 1000
    service.engine.drop("upserts")
    return written / seconds


def _items(service: Service) -> Iterator[list[ItemRef]]:
    after: ItemRef | None = None
    while True:
        with service.db.read() as tx:
            items = passages.page(tx, after, _POINTS_AT_ONCE // 3)
        if not items:
            return
        yield items
        after = items[-1]


def _batches(items: Iterator[MadeItem]) -> Iterator[list[MadeItem]]:
    batch: list[MadeItem] = []
    for item in items:
        batch.append(item)
        if len(batch) == _ITEMS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _timed(work: Any) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _percentiles(took: Sequence[float]) -> Times:
    return {f"p{share}_ms": round(float(np.percentile(took, share)), 2) for share in (50, 95, 99)}


def _size(folder: Path, pattern: str = "**/*") -> float:
    """Megabytes on disk: blocks taken, since the engine reserves files it has not filled."""
    return round(sum(path.stat().st_blocks * 512 for path in folder.glob(pattern) if path.is_file()) / 2**20, 1)


def _child(*arguments: str) -> dict[str, Any]:
    """Run this module in a process of its own and read its one line of JSON. Its progress is ours."""
    command = [sys.executable, "-m", "kb.measure.speed", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise KbError(f"the measurement {' '.join(arguments)} failed; see above")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main(arguments: Sequence[str]) -> None:
    """The child: "index NUMBER"."""
    _, number = arguments
    settings = Settings()
    wanted = wanted_encoder(settings)
    found = measure_index(settings, int(number), Progress(), lambda: load_encoder(wanted))
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
