import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from kb.errors import Invalid
from kb.language import Language
from kb.measure.collection import read_collection, split_of
from kb.measure.evaluation import Evaluation, evaluate, measure
from kb.search.index import Vector
from kb.search.loading import BackgroundEncoder
from kb.settings import Settings
from tests.toys import ToyEncoder

DOCUMENTS = {
    "d1": ("Red light on the hub", "Hold reset for ten seconds, then wait.", "en"),
    "d2": ("Invoice", "Your invoice is due on the first of the month.", "en"),
    "d3": ("Roaming abroad", "Switch data roaming on before you travel.", "en"),
    "d4": ("路由器红灯", "按住复位键十秒钟，然后等待。", "zh-Hans"),
}
QUERIES = {"q1": "red light", "q2": "when is my invoice due", "q3": "路由器红灯", "q4": "nobody judged this"}
QRELS = {("q1", "d1"): 2, ("q1", "d4"): 1, ("q2", "d2"): 1, ("q3", "d4"): 1, ("q3", "d1"): 0}


class Counting(ToyEncoder):
    """Counts what it is asked to encode."""

    def __init__(self) -> None:
        super().__init__(languages={"en"})
        self.passages: list[str] = []
        self.queries: list[str] = []

    def encode_passages(self, texts: Sequence[str]) -> Vector:
        self.passages += texts
        return super().encode_passages(texts)

    def encode_queries(self, texts: Sequence[str]) -> Vector:
        self.queries += texts
        return super().encode_passages(texts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection of four documents in BEIR's layout."""
    folder = tmp_path / "toy-set"
    folder.mkdir()
    lines = [{"_id": id, "title": title, "text": text, "lang": lang} for id, (title, text, lang) in DOCUMENTS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (folder / "queries.jsonl").write_text("\n".join(json.dumps({"_id": i, "text": t}) for i, t in QUERIES.items()))
    rows = [f"{query}\t{document}\t{grade}" for (query, document), grade in QRELS.items()]
    (folder / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]))
    return folder


def run(folder: Path, tmp_path: Path, encoder: ToyEncoder | None = None, **options: object) -> Evaluation:
    encoder = encoder or Counting()
    background = BackgroundEncoder(lambda: encoder, encoder.identity)
    return evaluate(Settings(data_dir=tmp_path / "data"), folder, encoder=background, **options)  # type: ignore[arg-type]


def test_it_reports_every_measure_for_every_leg(folder: Path, tmp_path: Path) -> None:
    found = run(folder, tmp_path).as_json()
    assert found["dataset"] == "toy-set"
    assert found["encoder"] == "toy"
    assert list(found) == ["dataset", "encoder", "legs"]
    assert list(found["legs"]) == ["lexical", "dense", "hybrid"]
    for leg in found["legs"].values():
        assert list(leg) == [
            "ndcg@10", "mrr@10", "p@1", "recall@10", "recall@100", "queries", "p50_ms", "p95_ms",
        ]  # fmt: skip
        assert leg["queries"] == 3
    assert found["legs"]["lexical"]["mrr@10"] == 1.0
    assert found["legs"]["hybrid"]["p@1"] == 1.0


def test_an_english_encoder_finds_nothing_for_a_chinese_question(folder: Path, tmp_path: Path) -> None:
    encoder = Counting()
    legs = run(folder, tmp_path, encoder).legs
    assert legs["dense"].run["q3"] == []
    assert legs["dense"].run["q1"][0] == "d1"
    assert legs["hybrid"].run["q3"][0] == "d4"
    assert len(encoder.passages) == 3
    assert "路由器红灯" not in encoder.queries


def test_a_second_run_encodes_nothing_and_finds_the_same(folder: Path, tmp_path: Path) -> None:
    first = run(folder, tmp_path)
    encoder = Counting()
    second = run(folder, tmp_path, encoder)
    assert (encoder.passages, encoder.queries) == ([], [])
    assert {name: leg.run for name, leg in second.legs.items()} == {name: leg.run for name, leg in first.legs.items()}


def test_only_a_changed_document_is_encoded_again(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path)
    corpus = folder / "corpus.jsonl"
    corpus.write_text(corpus.read_text().replace("first of the month", "last of the month"))
    encoder = Counting()
    run(folder, tmp_path, encoder)
    assert len(encoder.passages) == 1
    assert "last of the month" in encoder.passages[0]


def test_nothing_is_left_behind_but_the_vectors(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path)
    assert {path.name.split("-")[0] for path in (tmp_path / "data").iterdir()} == {"eval.db"}


def test_the_two_splits_make_the_whole(folder: Path) -> None:
    whole = read_collection(folder)
    dev, test = whole.part("dev"), whole.part("test")
    assert {*dev.queries, *test.queries} == set(whole.queries)
    assert not set(dev.queries) & set(test.queries)
    assert split_of("q3") == "dev"  # sha1 begins with 7, the last of dev
    assert split_of("a") == "test"  # with 8, the first of test
    assert set(dev.qrels) == set(dev.queries)


def test_a_part_without_queries_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    with pytest.raises(Invalid, match="no judged query"):
        run(folder, tmp_path, split="dev")


def test_a_limit_takes_the_same_sample_each_time(folder: Path) -> None:
    whole = read_collection(folder)
    assert len(whole.part(limit=2).queries) == 2
    assert whole.part(limit=2) == whole.part(limit=2)
    assert whole.part(limit=99) == whole


def test_exponential_gain_weighs_grades_as_two_to_the_power_less_one() -> None:
    qrels = {"q": {"a": 1, "b": 2}}
    run = {"q": ["a", "b"]}
    linear = (1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3))
    exponential = (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3))
    assert measure(qrels, run)["ndcg@10"] == pytest.approx(linear)
    assert measure(qrels, run, "exp")["ndcg@10"] == pytest.approx(exponential)


def test_a_query_that_finds_nothing_counts_as_zero() -> None:
    found = measure({"q": {"a": 1}, "r": {"b": 1}}, {"q": ["a"], "r": []})
    assert found == pytest.approx({"ndcg@10": 0.5, "mrr@10": 0.5, "p@1": 0.5, "recall@10": 0.5, "recall@100": 0.5})


def test_the_order_of_a_run_is_kept_among_equals() -> None:
    assert measure({"q": {"b": 1}}, {"q": ["b", "z"]})["p@1"] == 1.0
    assert measure({"q": {"z": 1}}, {"q": ["b", "z"]})["p@1"] == 0.0


def test_a_bad_line_is_named(folder: Path) -> None:
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "red light"}\n{"text": "no id"}\n')
    with pytest.raises(Invalid, match=r"queries.jsonl:2: an object"):
        read_collection(folder)


def test_a_folder_that_is_no_collection_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="neither corpus"):
        read_collection(tmp_path)


def test_a_document_without_a_language_is_taken_for_what_it_is_written_in(folder: Path) -> None:
    lines = [json.dumps({"_id": id, "text": text}) for id, text in (("a", "the hub"), ("b", "路由器"))]
    (folder / "corpus.jsonl").write_text("\n".join(lines))
    languages = {each.id: each.language for each in read_collection(folder).documents()}
    assert languages == {"a": Language.ENGLISH, "b": Language.SIMPLIFIED}


ARTICLE = """---
id: {id}
title: {title}
language: en
audience: {audience}
confidence: validated
topic: faults
groups: [{groups}]
---
## Issue

{text}
"""


def test_our_own_layout_is_read_by_the_importer_and_searched_as_staff_of_every_group(tmp_path: Path) -> None:
    folder = tmp_path / "content"
    (folder / "articles").mkdir(parents=True)
    for id, title, audience, groups, text in (
        ("red-light", "Red light", "public", "", "The ring is red."),
        ("sim-swap", "SIM swap", "internal", "fraud", "Somebody took over the number."),
    ):
        body = ARTICLE.format(id=id, title=title, audience=audience, groups=groups, text=text)
        (folder / "articles" / f"{id}.md").write_text(body)
    (folder / "queries.tsv").write_text("q1\ten\tring is red\n")
    (folder / "queries.staff.tsv").write_text("q2\ten\ttook over number\n")
    (folder / "qrels.txt").write_text("q1 0 red-light 2\n")
    (folder / "qrels.staff.txt").write_text("q2 0 sim-swap 2\n")
    legs = run(folder, tmp_path).legs
    assert legs["lexical"].run["q1"][0] == "red-light"
    assert legs["lexical"].run["q2"] == ["sim-swap"]
    assert legs["hybrid"].measures["p@1"] == 1.0
