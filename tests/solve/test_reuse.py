import time
from collections.abc import Callable, Iterator

import pytest

from kb import clock
from kb.article import Article, Confidence
from kb.audience import Audience
from kb.errors import IndexUnavailable, NotFound
from kb.interaction import Channel, EventKind
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.person import ANONYMOUS, SYSTEM, Person, Role
from kb.query import Context, Filters, Query
from kb.search.catalogue import Catalogue
from kb.solve import cataloguing, improve, trail
from kb.solve.publishing import cut_posts, save_posts
from kb.solve.reuse import Finder
from kb.solve.trail import SearchLog
from kb.store import interactions
from tests.examples import a_post
from tests.solve.conftest import Works

Write = Callable[..., Article]
AGENT = Person("agent", "Ann", Audience.INTERNAL, frozenset({Role.CANDIDATE}))
FRAUD = Person("fraud", "Fay", Audience.INTERNAL, frozenset({Role.CANDIDATE}), frozenset({"fraud"}))


@pytest.fixture
def finder(works: Works) -> Iterator[Finder]:
    made = Finder(works.db, works.searcher, Catalogue(), SearchLog(works.db))
    yield made
    made.log.close()


def titles(finder: Finder, by: Person, text: str, **fields: object) -> list[str]:
    return [hit.passage.title for hit in finder.search(by, Query(text, **fields)).hits]  # type: ignore[arg-type]


def test_an_answer_holds_the_passage_the_reasons_and_the_times(works: Works, finder: Finder, write: Write) -> None:
    write("Red light on the hub", "Restart it.")
    works.settle()
    answer = finder.search(AGENT, Query("red light"))
    [hit] = answer.hits
    assert hit.passage.text == "Restart it."
    assert hit.why[0].name == "relevance"
    assert {"analyze", "encode", "retrieve", "fuse", "confirm", "total"} <= answer.took_ms.keys()
    assert answer.degraded == ()


def test_everyone_finds_only_what_is_theirs(works: Works, finder: Finder, write: Write) -> None:
    write("Light: public")
    write("Light: customers", audience=Audience.CUSTOMER)
    write("Light: staff", audience=Audience.INTERNAL)
    improve.create(
        works.db,
        Person("f", "F", Audience.INTERNAL, frozenset({Role.ADMIN}), frozenset({"fraud"})),
        improve.Draft("Light: fraud", "Check.", Language.ENGLISH, Audience.INTERNAL, groups=frozenset({"fraud"})),
    )
    works.settle()
    customer = Person("c", "C", Audience.CUSTOMER)
    assert sorted(titles(finder, ANONYMOUS, "light")) == ["Light: public"]
    assert sorted(titles(finder, customer, "light")) == ["Light: customers", "Light: public"]
    assert "Light: staff" in titles(finder, AGENT, "light")
    assert "Light: fraud" not in titles(finder, AGENT, "light")
    assert "Light: fraud" in titles(finder, FRAUD, "light")


def test_a_narrowed_section_is_found_by_staff_alone(works: Works, finder: Finder, write: Write) -> None:
    write("Red light", "Restart the hub.\n\n::: internal\nBeacon code zanzibar.\n:::\n")
    works.settle()
    assert titles(finder, AGENT, "zanzibar") == ["Red light"]
    assert all("zanzibar" not in hit.passage.text for hit in finder.search(ANONYMOUS, Query("zanzibar light")).hits)


def test_what_the_record_no_longer_shows_does_not_leave_although_the_index_still_has_it(
    works: Works, finder: Finder, write: Write
) -> None:
    gone, stays = write("Red light one"), write("Red light two")
    works.settle()
    improve.archive(works.db, SYSTEM, gone.id)
    assert [hit.item.id for hit in finder.search(ANONYMOUS, Query("red light")).hits] == [stays.id]


def test_a_late_index_answers_with_the_current_text(works: Works, finder: Finder, write: Write) -> None:
    article = write("Reset", "Hold for fifteen seconds.")
    works.settle()
    improve.revise(works.db, SYSTEM, article.id, "Reset", "Hold for ten seconds.", publish=True)
    [hit] = finder.search(ANONYMOUS, Query("reset fifteen")).hits
    assert (hit.passage.text, hit.passage.ref.revision) == ("Hold for ten seconds.", 2)


def test_dropped_hits_are_refilled(works: Works, finder: Finder, write: Write) -> None:
    written = [write(f"Red light {n}") for n in range(60)]
    works.settle()
    for article in written[:50]:
        improve.set_state(works.db, SYSTEM, article.id, {"audience": Audience.INTERNAL})
    assert len(finder.search(ANONYMOUS, Query("red light", limit=10)).hits) == 10


def test_an_article_number_opens_its_article_whatever_the_text_says(works: Works, finder: Finder, write: Write) -> None:
    article, secret = write("Red light"), write("Secret", audience=Audience.INTERNAL)
    works.settle()
    spoken = article.number.replace("-", " ")
    [hit, *_] = finder.search(ANONYMOUS, Query(spoken)).hits
    assert hit.item.id == article.id
    assert all(hit.item.id != secret.id for hit in finder.search(ANONYMOUS, Query(secret.number)).hits)


def test_filters_are_hard_and_context_only_steers(works: Works, finder: Finder, write: Write) -> None:
    five = write("Red light", products=("hub-5",), topic="broadband/faults").id
    six = write("Red light", products=("hub-6",), topic="broadband/wifi").id
    works.settle()

    def found(**fields: object) -> list[str]:
        query = Query("red light", **fields)  # type: ignore[arg-type]
        return [hit.item.id for hit in finder.search(ANONYMOUS, query).hits]

    assert found(filters=Filters(products=("hub-6",))) == [six]
    assert found(filters=Filters(topics=("broadband/faults",))) == [five]
    assert sorted(found(filters=Filters(topics=("broadband",)))) == sorted([five, six])
    assert found(context=Context(product="hub-6")) == [six, five]
    assert found(context=Context(product="hub-5")) == [five, six]


def test_traditional_questions_find_simplified_articles_and_the_reverse(
    works: Works, finder: Finder, write: Write
) -> None:
    write("路由器红灯", "请重启路由器。", language=Language.SIMPLIFIED)
    write("漫遊收費", "每日收費六元。", language=Language.TRADITIONAL)
    works.settle()
    assert titles(finder, ANONYMOUS, "路由器紅燈")[0] == "路由器红灯"
    assert titles(finder, ANONYMOUS, "漫游收费")[0] == "漫遊收費"


def test_posts_are_found_and_stand_below_an_equal_article(works: Works, finder: Finder, write: Write) -> None:
    article = write("Red light on the hub", "Restart the hub and wait.")
    post = a_post(title="Red light on the hub", body="Restart the hub and wait.")
    cuts = cut_posts([post])
    with works.db.write() as tx:
        save_posts(tx, [post], [], cuts, clock.now())
    works.settle()
    assert [hit.item for hit in finder.search(AGENT, Query("red light hub")).hits] == [
        ItemRef(Kind.ARTICLE, article.id),
        ItemRef(Kind.POST, post.id),
    ]
    assert [hit.item.kind for hit in finder.search(ANONYMOUS, Query("red light hub")).hits] == [Kind.ARTICLE]


def test_without_an_index_titles_and_issue_statements_answer_and_say_so(
    works: Works, finder: Finder, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("Red light on the hub", "## Issue\nNo internet\n\n## Resolution\nRestart.")
    write("Light for staff", audience=Audience.INTERNAL)
    works.settle()
    cataloguing.load(works.db, finder.catalogue)

    def away(request: object) -> None:
        raise IndexUnavailable("gone")

    monkeypatch.setattr(works.live.get()[0], "retrieve", away)
    answer = finder.search(ANONYMOUS, Query("light"))
    assert answer.degraded == ("index",)
    assert [hit.passage.title for hit in answer.hits] == ["Red light on the hub"]
    assert titles(finder, ANONYMOUS, "no internet") == ["Red light on the hub"]


def test_suggestions_are_trimmed_like_search(works: Works, finder: Finder, write: Write) -> None:
    public = write("Red light")
    write("Red alert", audience=Audience.INTERNAL)
    cataloguing.load(works.db, finder.catalogue)
    assert [each.title for each in finder.suggest(ANONYMOUS, "red", Filters(), 10)] == ["Red light"]
    assert {each.title for each in finder.suggest(AGENT, "red", Filters(), 10)} == {"Red light", "Red alert"}
    improve.set_state(works.db, SYSTEM, public.id, {"audience": Audience.INTERNAL})
    assert finder.suggest(ANONYMOUS, "red", Filters(), 10) == [], "confirmed, though the catalogue is late"


def test_a_search_is_logged_with_exactly_what_was_shown(works: Works, finder: Finder, write: Write) -> None:
    article = write("Red light")
    works.settle()
    contact = trail.open_interaction(works.db, AGENT, Channel.PHONE)
    answer = finder.search(AGENT, Query("red light", context=Context(interaction_id=contact.id)))
    finder.log.flush()
    _, [event], _ = trail.read_trail(works.db, AGENT, contact.id)
    assert event.kind is EventKind.SEARCHED
    assert event.search_id == answer.search_id
    assert event.data["query"] == "red light"
    assert event.data["shown"] == [["article", article.id, 1, 0]]


def test_nobody_searches_in_an_interaction_that_is_not_theirs(works: Works, finder: Finder, write: Write) -> None:
    works.settle()
    contact = trail.open_interaction(works.db, AGENT, Channel.PHONE)
    with pytest.raises(NotFound):
        finder.search(ANONYMOUS, Query("red light", context=Context(interaction_id=contact.id)))


def test_searches_are_logged_in_the_background(works: Works, finder: Finder, write: Write) -> None:
    works.settle()
    finder.log.start()
    finder.search(AGENT, Query("anything"))
    end = time.monotonic() + 5
    while time.monotonic() < end:
        with works.db.read() as tx:
            if interactions.recent(tx, EventKind.SEARCHED):
                return
        time.sleep(0.05)
    pytest.fail("the search was not logged")


def test_an_article_not_yet_validated_is_found_by_its_audience_and_marked(
    works: Works, finder: Finder, write: Write
) -> None:
    write("Red light", confidence=Confidence.WORK_IN_PROGRESS)
    works.settle()
    [hit] = finder.search(ANONYMOUS, Query("red light")).hits
    assert hit.passage.confidence == "work_in_progress"
    assert "confidence" in {reason.name for reason in hit.why}
