from collections.abc import Callable, Iterator

import pytest

from kb.article import Article, Draft
from kb.audience import Audience
from kb.errors import IndexUnavailable
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.person import ANONYMOUS, Person, Role
from kb.query import Query
from kb.search.catalogue import Catalogue
from kb.search.spelling import Speller
from kb.search.vocabulary import Vocabulary
from kb.solve import improve
from kb.solve.reuse import Answer, Finder
from kb.solve.trail import SearchLog
from kb.solve.wording import Corrector, Wording
from tests.solve.conftest import Works

Write = Callable[..., Article]
FRAUD = Person("f", "Fay", Audience.INTERNAL, frozenset({Role.ADMIN}), frozenset({"fraud"}))
AGENT = Person("a", "Ann", Audience.INTERNAL, frozenset({Role.CANDIDATE}))


class Desk:
    """A finder that corrects, with the words it knows."""

    def __init__(self, works: Works) -> None:
        self.works, self.vocabulary = works, Vocabulary()
        self.wording = Wording(works.db, self.vocabulary)
        corrector = Corrector(Speller(self.vocabulary), works.searcher)
        self.finder = Finder(works.db, works.searcher, Catalogue(), SearchLog(works.db), corrector)

    def settle(self) -> None:
        self.works.settle()
        self.wording.settle()

    def search(self, text: str, by: Person = ANONYMOUS, exact: bool = False) -> Answer:
        return self.finder.search(by, Query(text), exact)


@pytest.fixture
def desk(works: Works) -> Iterator[Desk]:
    made = Desk(works)
    yield made
    made.finder.log.close()


def test_a_slip_is_corrected_and_the_answer_says_so(desk: Desk, write: Write) -> None:
    write("Zeppelin landing", "Moor the zeppelin.")
    write("Red light", "Restart it.")
    desk.settle()
    answer = desk.search("zepplein")
    assert answer.correction is not None
    assert (answer.correction.asked, answer.correction.meant, answer.correction.applied) == (
        "zepplein",
        "zeppelin",
        True,
    )
    assert answer.hits[0].passage.title == "Zeppelin landing"
    assert answer.took_ms["total"] >= answer.took_ms["spelling"] > 0


def test_what_is_meant_exactly_is_searched_as_it_is(desk: Desk, write: Write) -> None:
    write("Zeppelin landing")
    desk.settle()
    assert desk.search("zepplein", exact=True).correction is None
    assert desk.search('"zepplein"').correction is None


def test_words_follow_what_is_shown(desk: Desk, write: Write) -> None:
    article = write("Zeppelin landing")
    item = ItemRef(Kind.ARTICLE, article.id)
    desk.settle()
    improve.revise(desk.works.db, FRAUD, article.id, "Airship landing", "Moor it.", publish=True)
    desk.wording.changed([item])
    desk.wording.settle()
    assert [desk.vocabulary.df(word, Audience.PUBLIC) for word in ("zeppelin", "airship")] == [0, 1]
    improve.archive(desk.works.db, FRAUD, article.id)
    desk.wording.changed([item])
    desk.wording.settle()
    assert desk.vocabulary.items(Audience.INTERNAL) == 0


def test_a_word_of_text_for_a_group_is_proposed_to_nobody_and_left_alone_for_its_members(desk: Desk) -> None:
    body = Draft("Kangaroo rules", "Feed the kangaroo.", Language.ENGLISH, Audience.INTERNAL)
    improve.create(desk.works.db, FRAUD, body)
    hidden = Draft("Kangarop", "Kangarop.", Language.ENGLISH, Audience.INTERNAL, groups=frozenset({"fraud"}))
    improve.create(desk.works.db, FRAUD, hidden)
    desk.settle()
    found = desk.search("kangarop", AGENT).correction
    assert found is not None
    assert found.meant == "kangaroo"
    assert desk.search("kangarop", FRAUD).correction is None
    near_both = desk.search("kagnarop", FRAUD).correction
    assert near_both is None or near_both.meant == "kangaroo"


def test_a_narrowed_section_corrects_nobody_who_may_not_read_it(desk: Desk, write: Write) -> None:
    write("Red light", "Restart the hub.\n\n::: internal\nBeacon code zanzibar.\n:::\n")
    desk.settle()
    assert desk.search("zanzibra").correction is None
    found = desk.search("zanzibra", AGENT).correction
    assert found is not None
    assert found.meant == "zanzibar"


def test_without_an_index_nothing_is_corrected(desk: Desk, write: Write) -> None:
    write("Zeppelin landing")
    desk.settle()
    index, _ = desk.works.live.get()
    desk.works.live.failed(index, IndexUnavailable("away"))
    assert desk.search("zepplein").correction is None


def test_what_changes_while_words_are_counted_is_counted_as_it_is_then(
    desk: Desk, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = write("Zeppelin landing")
    item = ItemRef(Kind.ARTICLE, article.id)
    desk.works.settle()
    update = desk.vocabulary.update

    def late(found: dict[ItemRef, dict[str, int]]) -> None:
        monkeypatch.setattr(desk.vocabulary, "update", update)
        update(found)

    monkeypatch.setattr(desk.vocabulary, "update", late)
    desk.wording.changed([item])
    desk.wording.settle()
    assert desk.vocabulary.df("zeppelin", Audience.PUBLIC) == 1
