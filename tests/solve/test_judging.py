import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from kb.article import Article
from kb.audience import Audience
from kb.errors import Conflict, Invalid, NotAllowed, NotFound
from kb.interaction import EventKind
from kb.measure.evaluation import measure
from kb.passage import ItemRef, Kind
from kb.person import Person, Role
from kb.query import Query
from kb.search.catalogue import Catalogue
from kb.search.fusion import Weights
from kb.solve import judging
from kb.solve.explaining import AS_IT_IS, Trial
from kb.solve.reuse import Finder
from kb.solve.trail import SearchLog
from kb.store import audit, interactions
from kb.store.database import Database
from tests.solve.conftest import Works

Write = Callable[..., Article]
COACH = Person("coach", "Cleo", Audience.INTERNAL, frozenset({Role.COACH}))
FRAUD = replace(COACH, id="fay", groups=frozenset({"fraud"}))


def ref(article: Article) -> ItemRef:
    return ItemRef(Kind.ARTICLE, article.id)


@pytest.fixture
def finder(works: Works) -> Iterator[Finder]:
    made = Finder(works.db, works.searcher, Catalogue(), SearchLog(works.db))
    yield made
    made.log.close()


def test_a_set_is_made_renamed_filled_and_deleted_and_the_log_says_who(sqlite_db: Database, write: Write) -> None:
    article, other = write("Red light"), write("Blue light")
    made = judging.create(sqlite_db, COACH, "  First   set ")
    with pytest.raises(Conflict):
        judging.create(sqlite_db, COACH, "First set")
    judging.judge(sqlite_db, COACH, made.id, "Red light?", Audience.PUBLIC, ref(article), 3)
    judging.judge(sqlite_db, COACH, made.id, "red light?", Audience.PUBLIC, ref(other), 0)
    judging.judge(sqlite_db, COACH, made.id, "red light?", Audience.CUSTOMER, ref(article), 1)
    assert judging.grades(sqlite_db, COACH, made.id, "ＲＥＤ light?", Audience.PUBLIC) == {
        ref(article): 3,
        ref(other): 0,
    }
    [listed] = judging.listing(sqlite_db, COACH)
    assert (listed.set.name, listed.queries, listed.judgements) == ("First set", 2, 3)
    judging.judge(sqlite_db, COACH, made.id, "RED LIGHT?", Audience.CUSTOMER, ref(article), None)
    _, [query] = judging.read(sqlite_db, COACH, made.id)
    assert query.query.text == "Red light?"
    assert judging.rename(sqlite_db, COACH, made.id, "Lights").name == "Lights"
    judging.delete(sqlite_db, COACH, made.id)
    assert judging.listing(sqlite_db, COACH) == []
    with sqlite_db.read() as tx:
        assert [each.action for each in audit.of(tx, "judged_set", made.id)] == ["create", "rename", "delete"]


def test_what_cannot_be_judged_is_refused(sqlite_db: Database, write: Write) -> None:
    hidden = write(groups=frozenset({"fraud"}))
    made = judging.create(sqlite_db, COACH, "S")
    for item in (ref(hidden), ItemRef(Kind.ARTICLE, "none"), ItemRef(Kind.PRODUCT, "none")):
        with pytest.raises(NotFound):
            judging.judge(sqlite_db, COACH, made.id, "red", Audience.PUBLIC, item, 1)
    with pytest.raises(NotFound):
        judging.judge(sqlite_db, FRAUD, "nothing", "red", Audience.PUBLIC, ref(hidden), 1)
    with pytest.raises(Invalid, match="grade"):
        judging.judge(sqlite_db, FRAUD, made.id, "red", Audience.PUBLIC, ref(hidden), 4)
    for name in (" ", "x" * 101):
        with pytest.raises(Invalid):
            judging.create(sqlite_db, COACH, name)
    for by in (replace(COACH, tier=Audience.PARTNER), replace(COACH, roles=frozenset({Role.CONTRIBUTOR}))):
        with pytest.raises(NotAllowed):
            judging.listing(sqlite_db, by)


def test_a_judgement_of_something_hidden_is_not_there_nor_its_query(sqlite_db: Database, write: Write) -> None:
    hidden, seen = write(groups=frozenset({"fraud"})), write()
    made = judging.create(sqlite_db, FRAUD, "S")
    judging.judge(sqlite_db, FRAUD, made.id, "quokka", Audience.INTERNAL, ref(hidden), 3)
    judging.judge(sqlite_db, FRAUD, made.id, "red", Audience.INTERNAL, ref(hidden), 3)
    judging.judge(sqlite_db, FRAUD, made.id, "red", Audience.INTERNAL, ref(seen), 1)
    _, found = judging.read(sqlite_db, COACH, made.id)
    assert [(each.query.text, each.grades) for each in found] == [("red", {ref(seen): 1})]
    assert [(each.queries, each.judgements) for each in judging.listing(sqlite_db, COACH)] == [(1, 1)]
    assert [(each.queries, each.judgements) for each in judging.listing(sqlite_db, FRAUD)] == [(2, 3)]


def test_a_table_becomes_a_set_in_its_order_or_nothing_of_it(sqlite_db: Database, write: Write) -> None:
    a, b = write(), write()
    tsv = f"zebra\t{a.number}\t3\napple\tKB {b.number.replace('-', '')}\t1\tpublic\n\nZebra\tarticle/{b.id}\t0\n"
    made, count = judging.load(sqlite_db, COACH, "Table", tsv)
    assert count == 3
    _, found = judging.read(sqlite_db, COACH, made.id)
    assert [(each.query.text, each.query.audience, each.grades) for each in found] == [
        ("zebra", Audience.INTERNAL, {ref(a): 3, ref(b): 0}),
        ("apple", Audience.PUBLIC, {ref(b): 1}),
    ]
    again, _ = judging.load(sqlite_db, COACH, "Table", f"zebra\t{a.number}\t2")
    assert again == made
    assert judging.grades(sqlite_db, COACH, made.id, "zebra", Audience.INTERNAL)[ref(a)] == 2
    for line in ("red", f"red\t{a.number}\t4", f"red\t{a.number}\t1\tnobody", "red\t482-9175\t1", f"\t{a.number}\t1"):
        with pytest.raises(Invalid) as refused:
            judging.load(sqlite_db, COACH, "New", f"blue\t{a.number}\t1\n{line}")
        assert (refused.value.field, refused.value.line) == ("tsv", 2)
    assert [each.set.name for each in judging.listing(sqlite_db, COACH)] == ["Table"]


def test_two_settings_are_compared_query_by_query_without_a_trace(
    works: Works, finder: Finder, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "AT_ONCE", 2)
    articles = [write(f"Light {n}", f"{'red ' * n} light of hub {n}") for n in range(6)]
    works.settle()
    made = judging.create(works.db, COACH, "S")
    texts = ["red light", "hub 3", "light 5", "nothing relevant"]
    for n, text in enumerate(texts):
        judging.judge(works.db, COACH, made.id, text, Audience.PUBLIC, ref(articles[n + 1]), 0 if n == 3 else 2)
    words = Trial(Weights(0, 0, 0, 0, 0))
    found, after, total = judging.compare(finder, COACH, made.id, AS_IT_IS, words)
    more, end, _ = judging.compare(finder, COACH, made.id, AS_IT_IS, words, after)
    assert (total, end) == (3, None)
    assert [each.query.text for each in (*found, *more)] == texts[:3]
    for each in (*found, *more):
        graded = {ref(articles[texts.index(each.query.text) + 1]): 2}
        hits = finder.find(judging.asker_of(COACH, Audience.PUBLIC), Query(each.query.text), each.query.created_at).hits
        assert each.a.ndcg == judging.ndcg([hit.item for hit in hits], graded)
        assert each.a.unjudged == len(hits) - (each.a.ndcg > 0)
        assert each.a.degraded == ()
    same, *_ = judging.compare(finder, COACH, made.id, words, words)
    assert all(each.a == each.b for each in same)
    with pytest.raises(NotFound):
        judging.compare(finder, COACH, made.id, words, words, "nothing")
    finder.log.flush()
    with works.db.read() as tx:
        assert interactions.recent(tx, EventKind.SEARCHED) == []


def test_a_judged_query_is_asked_with_ones_own_groups_among_staff_only() -> None:
    assert judging.asker_of(FRAUD, Audience.INTERNAL).groups == {"fraud"}
    assert judging.asker_of(FRAUD, Audience.PUBLIC).groups == frozenset()


def test_ndcg_is_that_of_ir_measures() -> None:
    random = np.random.default_rng(5)
    items = [ItemRef(Kind.ARTICLE, f"{n:02}") for n in range(30)]
    for _ in range(30):
        judged = {item: int(random.integers(0, 4)) for item in random.permutation(len(items))[:9].tolist()}
        grades = {items[n]: grade for n, grade in judged.items()}
        ranking = [items[n] for n in random.permutation(len(items))[: random.integers(0, 25)]]
        expected = measure({"q": {item.id: grade for item, grade in grades.items()}},
                           {"q": [item.id for item in ranking]})["ndcg@10"]  # fmt: skip
        assert math.isclose(judging.ndcg(ranking, grades), expected, abs_tol=1e-6)
    assert judging.ndcg([], {}) == 0
