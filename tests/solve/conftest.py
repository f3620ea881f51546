"""The parts that index and find, wired by hand around toys: no threads, the tests turn the handle."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kb.article import Article, Draft
from kb.audience import Audience, Reader
from kb.language import Language
from kb.person import SYSTEM
from kb.query import Query
from kb.search.engines import EdgeEngine, Engine, ServerEngine
from kb.search.index import Request
from kb.search.lexical import query_vector
from kb.search.live import LiveIndex
from kb.search.loading import BackgroundEncoder
from kb.search.searcher import Searcher
from kb.solve import improve
from kb.solve.generations import Generations
from kb.solve.indexing import Indexer
from kb.store.database import Database
from kb.text.analyzer import analyze
from tests.toys import ToyEncoder

INTERNAL = Reader(Audience.INTERNAL)


def ready(encoder: ToyEncoder) -> BackgroundEncoder:
    """An encoder that has been loaded."""
    background = BackgroundEncoder(lambda: encoder, encoder.identity).start()
    background.wait()
    return background


@dataclass
class Works:
    """An indexer with everything around it, on one folder."""

    db: Database
    encoder: BackgroundEncoder
    live: LiveIndex
    engine: Engine
    generations: Generations
    indexer: Indexer
    searcher: Searcher

    @classmethod
    def open(cls, db: Database, engine: Engine | Path, encoder: BackgroundEncoder, alone: bool = True) -> "Works":
        live = LiveIndex()
        if isinstance(engine, Path):
            engine = EdgeEngine(engine)
        generations = Generations(db, engine, live, lambda: encoder.identity, alone=alone)
        generations.start()
        return cls(db, encoder, live, engine, generations, Indexer(db, generations, encoder), Searcher(live, encoder))

    def reopened(self, encoder: BackgroundEncoder | None = None) -> "Works":
        """The same after the process has ended and begun again."""
        self.live.close()
        return Works.open(self.db, self.engine, encoder or self.encoder)

    def close(self) -> None:
        """Let go of the index, and of the server if there is one."""
        self.live.close()
        if isinstance(self.engine, ServerEngine):
            self.engine.close()

    def settle(self) -> "Works":
        """Everything indexed."""
        self.indexer.settle()
        return self

    def found(self, text: str, reader: Reader = INTERNAL, legs: str = "lexical") -> list[str]:
        """Ids of the items found, best first, each once."""
        retrieval = self.searcher.retrieve(Query(text, reader=reader), legs=frozenset(legs.split()))
        return list(dict.fromkeys(each.ref.item_id for each in retrieval.candidates))

    def contents(self) -> dict[str, object]:
        """Every point by id, with the scores that a few queries give it: what must equal a clean rebuild."""
        index, generation = self.live.get()
        scores = {}
        for text in ("red light", "restart the hub", "invoice"):
            lexical, dense = query_vector(analyze(text)), self.encoder.ready().encode_queries([text])[0]
            for tier in Audience:
                # All of them: where the ranking is cut off, equal scores may fall to either side.
                legs = index.retrieve(Request(lexical, dense, Reader(tier), k=100_000, exact=True))
                scores[text, tier, "lexical"] = {each.ref: round(each.score, 5) for each in legs.lexical}
                scores[text, tier, "dense"] = {each.ref: round(each.score, 5) for each in legs.dense}
        return {
            "points": sorted(index.refs()),
            "waiting": sorted(index.without_dense()),
            "average": generation.average_length,
            "scores": scores,
        }


@pytest.fixture
def works(sqlite_db: Database, tmp_path: Path) -> Iterator[Works]:
    """Works on SQLite and Edge with a toy encoder."""
    made = Works.open(sqlite_db, tmp_path / "index", ready(ToyEncoder()))
    yield made
    made.live.close()


@pytest.fixture
def write(sqlite_db: Database) -> Callable[..., Article]:
    """Write and publish an article; say only what matters."""

    def _write(title: str = "Red light", body: str = "Restart the hub.", **state: object) -> Article:
        fields: dict[str, object] = {"language": Language.ENGLISH, "audience": Audience.PUBLIC} | state
        return improve.create(sqlite_db, SYSTEM, Draft(title, body, **fields))  # type: ignore[arg-type]

    return _write
