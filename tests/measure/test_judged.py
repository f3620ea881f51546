"""Sets from the workbench: measured over a copy of the record, and written out so that `kb eval` reads them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kb import clock
from kb.article import Article, Draft
from kb.audience import Audience
from kb.cli.app import app
from kb.errors import Conflict, Invalid, NotFound
from kb.language import Language
from kb.measure.collection import read_collection
from kb.measure.judged import evaluate_set, export_set, operator, read_set
from kb.person import SYSTEM
from kb.search.loading import BackgroundEncoder
from kb.settings import Settings
from kb.solve import improve, judging
from kb.store import articles, judgements, outbox
from kb.store.database import Database
from tests.toys import ToyEncoder


@pytest.fixture
def db(sqlite_db: Database) -> Database:
    def write(title: str, body: str, **state: object) -> Article:
        fields: dict[str, object] = {"language": Language.ENGLISH, "audience": Audience.PUBLIC} | state
        return improve.create(sqlite_db, SYSTEM, Draft(title, body, **fields))  # type: ignore[arg-type]

    red = write("Red light", "Restart the hub.\n\n::: internal\nBeacon.\n:::")
    fraud = write("Fraud light", "Look twice.", groups=frozenset({"fraud"}), audience=Audience.INTERNAL)
    write("Invoice", "Pay within ten days.")
    with sqlite_db.read() as tx:
        by = operator(tx)
    tsv = f"red light\t{red.number}\t3\tpublic\nlook twice\t{fraud.number}\t2\nbeacon\t{red.number}\t1\tpublic\n"
    judging.load(sqlite_db, by, "Lights", f"{tsv}nothing\t{red.number}\t0\n")
    return sqlite_db


def settings(db: Database, folder: Path) -> Settings:
    return Settings(data_dir=folder, database_url=db.url, qdrant_url="", _env_file=None)  # type: ignore[call-arg]


def test_a_set_is_measured_over_a_copy_as_the_audience_of_each_query(db: Database, tmp_path: Path) -> None:
    toy = ToyEncoder()
    with db.read() as tx:
        before = len(outbox.waits(tx, clock.now()))
    encoder = BackgroundEncoder(lambda: toy, toy.identity)
    found = evaluate_set(settings(db, tmp_path / "data"), "Lights", encoder=encoder)
    figures = found.as_json()["legs"]["lexical"]
    assert (found.documents, figures["queries"]) == (3, 3)
    run = found.legs["lexical"].run
    with db.read() as tx:
        by_text = {each.text: each.id for each in judgements.queries(tx, _id(db))}
        assert len(outbox.waits(tx, clock.now())) == before
    assert len(run[by_text["look twice"]]) >= 1
    # The public does not find the internal word: its query finds nothing by words.
    assert run[by_text["beacon"]] == []
    assert 0 < figures["ndcg@10"] < 1


def _id(db: Database) -> str:
    with db.read() as tx:
        return judgements.set_named(tx, "Lights").id


def test_a_set_is_written_in_a_layout_that_kb_eval_reads(db: Database, tmp_path: Path) -> None:
    assert export_set(db, "Lights", tmp_path / "lights") == 3
    collection = read_collection(tmp_path / "lights")
    assert list(collection.queries.values()) == ["red light", "look twice", "beacon"]
    documents = {each.id: each for each in collection.documents()}
    assert {graded for judged in collection.qrels.values() for graded in judged} <= documents.keys()
    assert "Restart the hub." in next(each.text for each in documents.values() if each.title == "Red light")
    with pytest.raises(Conflict):
        export_set(db, "Lights", tmp_path / "lights")


def test_a_set_that_cannot_be_measured_is_refused(db: Database, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_set(db, "Shadows")
    with db.read() as tx:
        by = operator(tx)
    judging.create(db, by, "Empty")
    with pytest.raises(Invalid, match="above 0"):
        read_set(db, "Empty")


def test_sets_come_in_and_are_listed_at_the_command_line(db: Database, tmp_path: Path) -> None:
    with db.read() as tx:
        number = next(iter(articles.by_source(tx, "").values())).number
    table = tmp_path / "more.tsv"
    table.write_text(f"\ufeffmore light\t{number}\t2\n", "utf-8")
    at = ["--data-dir", str(tmp_path), "--database-url", db.url, "judgements"]
    done = CliRunner().invoke(app, [*at, "import", "More", str(table)], catch_exceptions=False)
    assert done.output.strip() == "More: 1 judgements"
    done = CliRunner().invoke(app, [*at, "list"], catch_exceptions=False)
    assert done.output.splitlines() == ["Lights\t4\t4", "More\t1\t1"]
    done = CliRunner().invoke(app, [*at, "export", "More", str(tmp_path / "more")], catch_exceptions=False)
    assert done.output.strip().endswith("more: 1 queries")
    assert json.loads((tmp_path / "more" / "queries.jsonl").read_text("utf-8"))["text"] == "more light"
