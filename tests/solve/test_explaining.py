import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kb.article import Article, Confidence, Draft
from kb.audience import Audience, Reader
from kb.errors import Invalid, NotAllowed
from kb.interaction import EventKind
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM, Person, Role
from kb.query import Context, Query
from kb.search.catalogue import Catalogue
from kb.search.fusion import Weights
from kb.solve import explaining, improve
from kb.solve.explaining import LEGS, Trial, asking_as, explain
from kb.solve.reuse import Finder
from kb.solve.trail import SearchLog
from kb.store import interactions
from kb.store.database import Database
from tests.solve.conftest import Works, ready
from tests.toys import ToyEncoder

COACH = Person("coach", "Cleo", Audience.INTERNAL, frozenset({Role.COACH}), frozenset({"fraud"}))


Write = Callable[..., Article]


@pytest.fixture(scope="module")
def works(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    folder = tmp_path_factory.mktemp("explaining")
    with contextlib.closing(Database(f"sqlite:///{shutil.copy(sqlite_template, folder / 'kb.db')}")) as db:
        made = Works.open(db, folder / "index", ready(ToyEncoder()))
        yield made
        made.close()


@pytest.fixture(scope="module")
def write(works: Works) -> Write:
    def _write(title: str, body: str, **state: object) -> Article:
        fields: dict[str, object] = {"language": Language.ENGLISH, "audience": Audience.PUBLIC} | state
        return improve.create(works.db, SYSTEM, Draft(title, body, **fields))  # type: ignore[arg-type]

    return _write


@pytest.fixture(scope="module")
def finder(works: Works, write: Write) -> Iterator[Finder]:
    """Twenty articles about lights, some of them for few, and a word that only internal sections have."""
    for n in range(12):
        write(f"Light {n}", f"{'Red ' * (n % 4)}light of hub {n}." + "\n\n::: internal\nBeacon shows a light.\n:::\n")
    for n in range(6):
        write(f"Staff light {n}", "A red light, a red hub.", audience=Audience.INTERNAL)
    write("Old red light", "Red light.", confidence=Confidence.NOT_VALIDATED)
    write("Light of fraud", "Red light.", audience=Audience.INTERNAL, groups=frozenset({"fraud"}))
    works.settle()
    made = Finder(works.db, works.searcher, Catalogue(), SearchLog(works.db))
    yield made
    made.log.close()


ASKERS = [(None, ()), (Audience.INTERNAL, ()), (Audience.INTERNAL, ("fraud",)), (Audience.PUBLIC, ())]


def test_what_is_explained_is_what_a_search_gives(finder: Finder, works: Works) -> None:
    for audience, groups in ASKERS:
        asker = asking_as(COACH, audience, groups)
        for text in ("red light", "hub 3", "beacon"):
            for limit in (3, 10):
                query = Query(text, limit=limit, context=Context(product="hub-6"))
                found = explain(finder, COACH, asker, query)
                searched = finder.search(asker, query)
                assert found.answer.hits == searched.hits
                shown = [(each.standing.item, each.score, each.why) for each in found.rows if each.place]
                assert shown == [(hit.item, hit.score, hit.why) for hit in searched.hits]
                assert [each.place for each in found.rows if each.place] == list(range(1, len(shown) + 1))
                below = [each.score for each in found.rows if not each.place]
                assert below == sorted(below, reverse=True)


def test_both_legs_are_told_as_the_index_gave_them(finder: Finder, works: Works) -> None:
    query = Query("red light", reader=COACH.reader)
    found = explain(finder, COACH, COACH, query)
    retrieval = works.searcher.retrieve(query)
    assert found.answer.retrieval.weight == retrieval.weight is not None
    for name in LEGS:
        raw = sorted((score for each in retrieval.candidates if (score := explaining.score_in(each, name)) is not None),
                     reverse=True)  # fmt: skip
        assert [each.at.score for each in found.legs[name]] == pytest.approx(raw[: explaining.DEPTH], abs=0.006)
        assert [each.at.place for each in found.legs[name]] == list(range(1, len(found.legs[name]) + 1))
        assert all(each.passage for each in found.legs[name])
    best = found.rows[0]
    assert best.legs.keys() <= set(LEGS)
    assert best.legs


def test_asking_as_somebody_else_applies_their_filter_and_their_statistics(finder: Finder, works: Works) -> None:
    public = asking_as(COACH, Audience.PUBLIC)
    found = explain(finder, COACH, public, Query("red light"))
    titles = {each.standing.title for leg in found.legs.values() for each in leg} | {
        each.standing.title for each in found.rows
    }
    assert not any("Staff" in title or "fraud" in title for title in titles)
    direct = works.searcher.retrieve(Query("red light", reader=Reader(Audience.PUBLIC)))
    lexical = sorted((each.lexical for each in direct.candidates if each.lexical is not None), reverse=True)
    assert [each.at.score for each in found.legs["lexical"]] == pytest.approx(lexical[: explaining.DEPTH], abs=0.006)
    nothing = explain(finder, COACH, public, Query("beacon"))
    assert nothing.legs["lexical"] == []


def test_nobody_asks_as_somebody_who_reads_more(finder: Finder) -> None:
    partner = replace(COACH, tier=Audience.PARTNER)
    assert asking_as(COACH, None) is COACH
    assert asking_as(partner, Audience.CUSTOMER).reader == Reader(Audience.CUSTOMER)
    assert not asking_as(COACH, Audience.INTERNAL).is_staff
    with pytest.raises(NotAllowed):
        asking_as(partner, Audience.INTERNAL)
    with pytest.raises(NotAllowed):
        asking_as(COACH, Audience.INTERNAL, ["vault"])
    with pytest.raises(Invalid):
        asking_as(COACH, None, ["fraud"])
    with pytest.raises(NotAllowed, match="tune"):
        asking_as(replace(COACH, roles=frozenset({Role.CONTRIBUTOR})), None)


def test_a_trial_changes_weights_and_priors_and_leaves_no_trace(finder: Finder) -> None:
    query = Query("light, red", limit=30)
    before = explain(finder, COACH, COACH, query)
    lexical = Trial(Weights(base=0, slope=0, least=0, most=0, exact=0), {"confidence": 0.0})
    after = explain(finder, COACH, COACH, query, lexical)
    assert after.answer.retrieval.weight == 0.0
    old = next(each for each in before.rows if each.standing.title == "Old red light")
    new = next(each for each in after.rows if each.standing.title == "Old red light")
    assert "confidence" in {each.name for each in old.why}
    assert "confidence" not in {each.name for each in new.why}
    assert [each.at for each in after.legs["dense"]] == [each.at for each in before.legs["dense"]]
    with pytest.raises(Invalid, match="no prior moon"):
        Trial(priors={"moon": 2.0})
    finder.log.flush()
    with finder.db.read() as tx:
        assert query.text not in {each.data["query"] for each in interactions.recent(tx, EventKind.SEARCHED)}


def test_what_the_record_did_not_confirm_is_told_to_whom_may_know_of_it(
    finder: Finder, works: Works, write: Write
) -> None:
    hidden = write("Quokka light", "Quokka light.")
    fraud = write("Quokka fraud light", "Quokka light.")
    works.settle()
    improve.set_state(works.db, SYSTEM, hidden.id, {"audience": Audience.INTERNAL})
    improve.set_state(works.db, SYSTEM, fraud.id, {"groups": frozenset({"fraud"})})
    for by, dropped in (
        (COACH, {hidden.id: "audience", fraud.id: "audience"}),
        (replace(COACH, groups=frozenset()), {hidden.id: "audience"}),
        (replace(COACH, tier=Audience.PARTNER, groups=frozenset()), {}),
    ):
        found = explain(finder, by, asking_as(by, Audience.PUBLIC), Query("quokka"))
        assert {each.standing.item.id: each.reason for each in found.dropped} == dropped
        told = {each.standing.item for leg in found.legs.values() for each in leg} & {
            ItemRef(Kind.ARTICLE, hidden.id), ItemRef(Kind.ARTICLE, fraud.id)
        }  # fmt: skip
        assert {each.id for each in told} == dropped.keys()
        assert not any("Quokka" in (each.passage.text if each.passage else "") for each in found.legs["lexical"])
