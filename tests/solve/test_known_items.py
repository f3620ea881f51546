"""Where calibration has its questions from."""

from pathlib import Path

from kb import clock
from kb.audience import Audience
from kb.interaction import EventKind, LinkType
from kb.judgement import JudgedQuery, JudgedSet, Judgement
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.post import Post
from kb.solve import known_items, publishing
from kb.solve.calibrating import calibrate
from kb.solve.known_items import ENOUGH, Asked
from kb.store import interactions, judgements
from kb.store.database import Database
from tests.examples import NOON, an_event, an_interaction
from tests.toys import ToyEncoder


def test_searches_of_interactions_that_an_item_resolved_are_questions(db: Database) -> None:
    def searched(interaction: str, text: str) -> None:
        interactions.append(tx, [an_event(EventKind.SEARCHED, interaction, data={"query": text})])

    with db.write() as tx:
        for name in ("i1", "i2", "i3"):
            interactions.insert(tx, an_interaction(name, external_id=name))
        searched("i1", "red  light")
        searched("i2", "red light")
        searched("i3", "never resolved")
        for interaction, item, kind in (("i1", "a", LinkType.RESOLUTION), ("i2", "b", LinkType.RESOLUTION),
                                        ("i3", "c", LinkType.REFERENCE)):  # fmt: skip
            linked = an_event(EventKind.LINKED, interaction, item_kind=Kind.ARTICLE, item_id=item, data={"type": kind})
            interactions.append(tx, [linked])
    with db.read() as tx:
        items = frozenset({ItemRef(Kind.ARTICLE, "a"), ItemRef(Kind.ARTICLE, "b")})
        assert known_items.resolved(tx) == [Asked("red light", items)]


def test_judged_queries_are_questions_and_what_does_not_help_answers_none(db: Database) -> None:
    judge(db, {"red light": {"a": 2, "b": 0}, "blue light": {"b": 0}})
    with db.read() as tx:
        assert known_items.judged(tx) == [Asked("red light", frozenset({ItemRef(Kind.POST, "a")}))]


def test_where_there_are_enough_judged_queries_they_are_taken(sqlite_db: Database, tmp_path: Path) -> None:
    posts = [
        Post(id=f"p{n}", source="test", source_key=str(n), title=f"light {n}", body=f"word{n} and more of it.",
             language=Language.ENGLISH, author="", created_at=clock.now())
        for n in range(ENOUGH)
    ]  # fmt: skip
    cuts = publishing.cut_posts(posts)
    with sqlite_db.write() as tx:
        publishing.save_posts(tx, posts, [], cuts, clock.now())
    judge(sqlite_db, {f"what is word{n}": {f"p{n}": 3} for n in range(ENOUGH)})
    found = calibrate(sqlite_db, ToyEncoder(), tmp_path)
    assert found.source == "judged"
    assert {each.questions for each in found.choices} == {ENOUGH}


def judge(db: Database, grades: dict[str, dict[str, int]]) -> None:
    with db.write() as tx:
        judgements.add_set(tx, JudgedSet("s1", "Lights", "ada", NOON))
        for number, (text, of_items) in enumerate(grades.items()):
            query = JudgedQuery(f"q{number}", "s1", text, Audience.INTERNAL, "ada", NOON)
            judgements.ensure_queries(tx, "s1", [query])
            judgements.judge(
                tx,
                [Judgement(query.id, ItemRef(Kind.POST, item), grade, "ada", NOON) for item, grade in of_items.items()],
            )
