from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from kb import clock
from kb.article import Article, Confidence
from kb.audience import Audience
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM, Person, Role
from kb.query import Context, Filters, Query
from kb.search.catalogue import Catalogue
from kb.solve import improve
from kb.solve.explaining import asking_as
from kb.solve.reuse import Finder
from kb.solve.trail import SearchLog
from kb.solve.why_not import Finding, Verdict, missing_words, why_not
from tests.examples import a_passage
from tests.solve.conftest import Works

Write = Callable[..., Article]
COACH = Person("coach", "Cleo", Audience.INTERNAL, frozenset({Role.COACH}))
STOP = Verdict.STOP


@pytest.fixture
def finder(works: Works) -> Iterator[Finder]:
    made = Finder(works.db, works.searcher, Catalogue(), SearchLog(works.db))
    yield made
    made.log.close()


Ask = Callable[..., dict[str, Finding]]


@pytest.fixture
def ask(works: Works, finder: Finder) -> Ask:
    """Findings by name, of a query about an article."""

    def _ask(text: str, article: Article, by: Person = COACH, audience: Audience | None = None,
             **fields: object) -> dict[str, Finding]:  # fmt: skip
        asker = asking_as(by, audience)
        _, found = why_not(finder, by, asker, Query(text, **fields), article.number)  # type: ignore[arg-type]
        assert sum(each.verdict is STOP for each in found) <= 1 or not any("found" in each.name for each in found)
        return {each.name: each for each in found}

    return _ask


def stops(found: dict[str, Finding]) -> set[str]:
    return {name for name, each in found.items() if each.verdict is STOP}


def test_what_does_not_exist_and_what_is_not_for_them_are_told_in_the_same_words(
    finder: Finder, works: Works, write: Write, ask: Ask
) -> None:
    hidden = write(audience=Audience.INTERNAL)
    partner = replace(COACH, tier=Audience.PARTNER)
    _, nothing = why_not(finder, partner, partner, Query("red"), "482-9175")
    assert list(ask("red", hidden, partner).values()) == nothing == [Finding("unknown", STOP)]
    _, post = why_not(finder, COACH, COACH, Query("red"), ItemRef(Kind.POST, "nobody's"))
    _, product = why_not(finder, COACH, COACH, Query("red"), ItemRef(Kind.PRODUCT, "x"))
    assert post == product == nothing


def test_permission_comes_first_and_is_told_for_the_audience_that_asks(works: Works, write: Write, ask: Ask) -> None:
    staff = write("Staff", audience=Audience.INTERNAL)
    partly = write("Partly", "Restart.\n\n::: internal\nBeacon shows a light.\n:::\n")
    fraud = write("Fraud", groups=frozenset({"fraud"}))
    works.settle()
    member = replace(COACH, groups=frozenset({"fraud"}))
    found = ask("restart", staff, audience=Audience.PUBLIC)
    assert found["audience"] == Finding("audience", STOP, {"needs": "internal", "has": "public"})
    assert stops(ask("restart", fraud, member, Audience.PUBLIC)) == {"groups"}
    found = ask("beacon", partly, audience=Audience.CUSTOMER)
    assert found["some_sections"].values == {"hidden": 1, "of": 2, "has": "customer"}
    assert found["words_missing"].values == {"words": "beacon"}
    assert ask("beacon", partly)["may_read"].verdict is Verdict.FINE


def test_state_language_and_filters_are_told(works: Works, write: Write, ask: Ask) -> None:
    tomorrow, yesterday = clock.now() + timedelta(days=1), clock.now() - timedelta(days=1)
    successor = write("New")
    states = {
        "archived": write(confidence=Confidence.ARCHIVED),
        "not_yet": write(valid_from=tomorrow),
        "expired": write(valid_until=yesterday),
        "draft": improve.create(works.db, SYSTEM, improve.Draft("D", "Red.", Language.ENGLISH, Audience.PUBLIC),
                                publish=False),
    }  # fmt: skip
    old = write("Old", superseded_by=successor.id)
    chinese = write("路由器红灯", "请重启路由器。", language=Language.SIMPLIFIED, products=("hub-6",))
    for name, article in states.items():
        assert stops(ask("red light", article)) == {name}
    assert ask("restart", old)["superseded"].values == {"number": successor.number}
    found = ask("red light", chinese, filters=Filters(languages=(Language.ENGLISH,), products=("tv",)))
    assert found["language"].values == {"query": "en", "has": "zh-Hans"}
    assert found["filter"].values == {"field": "products", "wanted": "tv", "has": "hub-6"}


def test_what_the_index_does_not_have_yet_is_told(works: Works, write: Write, ask: Ask) -> None:
    works.settle()
    article = write("Red light")
    assert stops(ask("red light", article)) == {"pending"}
    while works.indexer.step():
        pass
    found = ask("red light", article)
    assert found["no_vector"].values == {"n": 1, "of": 1}
    assert found["dense_none"].verdict is Verdict.NOTE
    works.settle()
    assert "no_vector" not in ask("red light", article)
    works.live.get()[0].replace({ItemRef(Kind.ARTICLE, article.id): []})
    assert stops(ask("red light", article)) == {"not_indexed"}
    works.live.close()
    assert stops(ask("red light", article)) == {"index_away"}


def test_where_it_stands_in_each_leg_and_what_decided(
    works: Works, write: Write, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        write(f"Red light {n}", "A red light on the hub.")
    weak = write("Red light 9", "A red light on the hub.", confidence=Confidence.WORK_IN_PROGRESS,
                 audience=Audience.INTERNAL)  # fmt: skip
    far = write("Invoice", "Pay within ten days.")
    long = write("Tea", "\n\n".join(f"## Step {n}\n\n" + "Pour the green tea and wait. " * 40 for n in range(3)))
    works.settle()
    shown = ask("red light", weak)
    assert shown["shown"].values["place"] == 5
    assert shown["lexical_found"].verdict is Verdict.FINE
    found = ask("red light", weak, limit=3)
    assert found["below"].values.keys() == {"place", "score", "last"}
    assert found["prior_decides"].values == {"prior": "confidence", "value": -0.08}
    found = ask("red light", weak, limit=3, context=Context(already_read=(ItemRef(Kind.ARTICLE, weak.id),)))
    assert {"prior", "prior_decides"} & found.keys()
    found = ask("red light", far, limit=3)
    assert found["lexical_none"].verdict is Verdict.NOTE
    assert found["words_missing"].values == {"words": "red, light"}
    assert found["dense_found"].values["place"] >= 6
    found = ask("green tea", long)
    assert found["collapsed"].values["n"] >= 2
    assert found["shown"].values["heading"].startswith("Step")
    monkeypatch.setattr("kb.solve.why_not.PASSAGES", 0)
    found = ask("red light", weak)
    assert stops(found) == {"not_retrieved"}
    assert found["lexical_far"].values.keys() == {"place", "score", "k"}


def test_missing_words_are_told_as_they_were_typed() -> None:
    text = a_passage(title="Restart", heading=(), text="Restart the router. 重启路由器。")
    assert missing_words("Restarting the Hub-6", [text]) == ["Hub-6"]
    assert missing_words("路由器红灯", [text]) == ["红灯"]
    assert missing_words("restart", []) == ["restart"]
