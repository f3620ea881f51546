"""Sets of judged queries from the workbench: measured over a copy of the record, or written out for others to read."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from kb.audience import Audience, Reader
from kb.bootstrap import Service, wanted_encoder
from kb.errors import Conflict, Invalid
from kb.measure.collection import Collection
from kb.measure.evaluation import LEGS, Evaluation, Gain, LegResult, Ranker, Run, measure, ndcg_by_query
from kb.measure.kept import KeptEncoder, VectorFile
from kb.measure.progress import Progress
from kb.measure.workshop import index, temporary_service
from kb.passage import ItemRef
from kb.person import SYSTEM, Person
from kb.query import Query
from kb.search.loading import BackgroundEncoder, background_encoder
from kb.search.searcher import Searcher
from kb.settings import Settings
from kb.store import articles, content, copying, judgements, migrate, passages
from kb.store.database import Database, Tx
from kb.text.markdown import plain

_PAGE = 500


@dataclass(frozen=True, slots=True)
class JudgedCollection:
    """A set as a collection: document ids are "kind/id"; `audiences` says as whom each query is asked."""

    collection: Collection
    audiences: Mapping[str, Audience]


def operator(tx: Tx) -> Person:
    """Whoever runs commands here: a member of every group there is."""
    groups: set[str] = set()
    after = ""
    while found := articles.ids(tx, after, _PAGE):
        for each in articles.by_ids(tx, found).values():
            groups |= each.groups
        after = found[-1]
    return replace(SYSTEM, groups=frozenset(groups))


def read_set(db: Database, name: str) -> JudgedCollection:
    """The set of that name, all its judgements; raises NotFound, and Invalid where nothing is judged as relevant."""
    with db.read() as tx:
        queries = judgements.queries(tx, judgements.set_named(tx, name).id)
        graded = judgements.of_queries(tx, [each.id for each in queries])
    qrels = {query: {_id(each.item): each.grade for each in found} for query, found in graded.items()}
    judged = [each for each in queries if any(qrels[each.id].values())]
    if not judged:
        raise Invalid(f"no query in {name} has a judgement above 0")
    collection = Collection(
        Path(name), {each.id: each.text for each in judged}, {each.id: qrels[each.id] for each in judged}
    )
    return JudgedCollection(collection, {each.id: each.audience for each in judged})


def evaluate_set(
    settings: Settings,
    name: str,
    *,
    limit: int | None = None,
    split: str | None = None,
    gain: Gain = "linear",
    encoder: BackgroundEncoder | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure a set over a copy of the record, each query asked as its audience; see `kb.measure.evaluation.evaluate`.

    The record is only read: whoever serves from it meanwhile notices nothing.
    """
    progress = progress or Progress()
    with closing(Database(settings.database)) as db:
        if migrate.pending(db):
            raise Invalid("the record has another schema than this kb: run `kb migrate`")
        judged = read_set(db, name)
        collection = judged.collection.part(split, limit)
        file = VectorFile(settings.data_dir / "eval.db")
        try:
            kept = KeptEncoder(encoder or background_encoder(wanted_encoder(settings)), file)
            with temporary_service(settings, kept) as service:
                progress.begin("copying the record")
                with db.read() as here, service.patient_db.write() as there:
                    copying.copy(here, there)
                index(service, kept, file, progress)
                readable = [text for text in collection.queries.values() if kept.identity.serves(Query(text).family)]
                kept.learn_queries(readable)
                legs = _search(service, collection, judged.audiences, progress)
                with service.db.read() as tx:
                    documents = sum(1 for _ in _items(tx))
        finally:
            file.close()
            progress.end()
    results = {leg: LegResult(measure(collection.qrels, run, gain), run, took) for leg, (run, took) in legs.items()}
    by_query = ndcg_by_query(collection.qrels, legs["hybrid"][0], gain)
    return Evaluation(name, kept.name, results, documents, by_query)


def export_set(db: Database, name: str, folder: Path) -> int:
    """Write a set and the passages of everything that is shown as a folder in BEIR's layout; returns the queries.

    It holds internal text. Raises NotFound, Invalid, and Conflict for a folder that is there already.
    """
    judged = read_set(db, name).collection
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise Conflict(f"{folder} exists already") from None
    with db.read() as tx:
        _write(folder / "corpus.jsonl", (json.dumps(each, ensure_ascii=False) for each in _documents(tx)))
    queries = ({"_id": key, "text": text} for key, text in judged.queries.items())
    _write(folder / "queries.jsonl", (json.dumps(each, ensure_ascii=False) for each in queries))
    lines = (f"{key}\t{item}\t{grade}" for key, graded in judged.qrels.items() for item, grade in graded.items())
    _write(folder / "qrels.tsv", ("query-id\tcorpus-id\tscore", *lines))
    return len(judged.queries)


def _search(
    service: Service, collection: Collection, audiences: Mapping[str, Audience], progress: Progress
) -> dict[str, tuple[Run, list[float]]]:
    with service.db.read() as tx:
        groups = operator(tx).groups
    rankers = {
        tier: Ranker(service, Reader(tier, groups if tier is Audience.INTERNAL else frozenset())) for tier in Audience
    }
    searcher = Searcher(service.live, service.encoder, catalogue=service.catalogue)
    progress.begin("searching", len(LEGS) * len(collection.queries))
    found: dict[str, tuple[Run, list[float]]] = {}
    for name, legs in LEGS.items():
        run, took = found.setdefault(name, ({}, []))
        for key, text in collection.queries.items():
            items, milliseconds = rankers[audiences[key]].search(searcher, text, legs)
            run[key] = [_id(item) for item in items]
            took.append(milliseconds)
            progress.update(sum(len(done) for done, _ in found.values()))
    return found


def _documents(tx: Tx) -> Iterator[dict[str, str]]:
    for items in _pages(tx):
        for item, texts in passages.of_items(tx, items).items():
            if texts:
                first = texts[0]
                text = "\n\n".join(plain(each.text) for each in texts)
                yield {"_id": _id(item), "title": first.title, "text": text, "lang": first.language.value}


def _items(tx: Tx) -> Iterator[ItemRef]:
    for items in _pages(tx):
        yield from items


def _pages(tx: Tx) -> Iterator[list[ItemRef]]:
    after: ItemRef | None = None
    while found := content.page(tx, after, _PAGE):
        yield found
        after = found[-1]


def _id(item: ItemRef) -> str:
    return f"{item.kind.value}/{item.id}"


def _write(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
