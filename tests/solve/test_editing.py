"""Two people edit the same article at once, on both databases: no edit that was acknowledged is lost."""

import contextlib
import os
import random
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kb.article import Article, Draft
from kb.audience import Audience
from kb.errors import Conflict
from kb.language import Language
from kb.person import SYSTEM, Person, Role
from kb.solve import history, improve
from kb.solve.editing import EditConflict
from kb.store.database import Database

EDITORS = [Person(name, name, Audience.INTERNAL, frozenset({Role.PUBLISHER})) for name in ("ada", "bob")]
LINES = ["Hold reset.", "红灯亮了。", "Wait a minute.", "拔掉电源。"]


@pytest.fixture
def quick_db(sqlite_template: Path) -> Iterator[Database]:
    """SQLite in memory where the system has a folder there: 1,000 saves would wait for the disk otherwise."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None, prefix="kb-test-") as folder:
        path = shutil.copy(sqlite_template, Path(folder) / "kb.db")
        with contextlib.closing(Database(f"sqlite:///{path}")) as db:
            yield db


def written(db: Database, body: str = "\n\n".join(LINES)) -> Article:
    return improve.create(db, SYSTEM, Draft("Red light", body, Language.ENGLISH, Audience.PUBLIC))


def editor(db: Database, by: Person, article: Article, rng: random.Random, saved: list[str]) -> Iterator[None]:
    """Somebody who reads, edits and saves, and resolves each conflict: one step at a time."""
    for n in range(2):
        read, [*_, latest] = history.revisions(db, by, article.number)
        version = read.version
        yield
        mark = f"<{by.id}{n}>"
        lines = latest.body.split("\n")
        lines[rng.randrange(len(lines))] += f" {mark}"
        body = "\n".join(lines)
        while True:
            try:
                improve.revise(db, by, article.id, latest.title, body, version=version, publish=rng.random() < 0.5)
            except EditConflict as conflict:
                clash = conflict.clash
                assert clash.body == body
                # In doubt both: what a person would decide at leisure.
                pieces = clash.merged_body.pieces
                body = "".join(each.theirs + each.yours if each.text is None else each.text for each in pieces)
                version = clash.version
                yield
                continue
            saved.append(mark)
            break
        yield


@pytest.mark.parametrize("seeds", [range(start, start + 20) for start in range(0, 200, 20)], ids=str)
def test_whatever_the_order_of_two_editors_nothing_is_lost(quick_db: Database, seeds: range) -> None:
    for seed in seeds:
        rng = random.Random(seed)
        article, saved = written(quick_db), list[str]()
        editors = [editor(quick_db, by, article, rng, saved) for by in EDITORS]
        while editors:
            one = rng.choice(editors)
            if next(one, "done") == "done":
                editors.remove(one)
        _, revisions = history.revisions(quick_db, SYSTEM, article.number)
        assert len(saved) == 4
        assert len(revisions) == 5, "every edit that was acknowledged is in the history"
        for place, mark in enumerate(saved):
            for later in revisions[place + 1 :]:
                assert mark in later.body, "and no later one has overwritten it"


def test_of_two_who_save_at_the_same_moment_one_is_told_what_the_other_made_of_it(db: Database) -> None:
    article = written(db)
    start = threading.Barrier(2)
    outcome: dict[str, object] = {}

    def save(by: Person, old: str, new: str) -> None:
        start.wait()
        body = "\n\n".join(LINES).replace(old, new)
        try:
            outcome[by.id] = improve.revise(db, by, article.id, "Red light", body, version=1)
        except Conflict as error:
            outcome[by.id] = error

    changes = (("Hold", "Press"), ("电源", "电源线"))
    threads = [threading.Thread(target=save, args=(by, *each)) for by, each in zip(EDITORS, changes, strict=True)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    [refused] = [each for each in outcome.values() if isinstance(each, Conflict)]
    assert isinstance(refused, EditConflict)
    merged = refused.clash.merged_body.text or ""
    assert "Press reset." in merged
    assert "拔掉电源线。" in merged
    [late] = [by for by in EDITORS if outcome[by.id] is refused]
    improve.revise(db, late, article.id, "Red light", merged, version=refused.clash.version)
    assert history.revisions(db, SYSTEM, article.number)[1][-1].body == merged


def test_a_conflict_shows_what_the_editor_may_see_and_the_rest_stays(sqlite_db: Database) -> None:
    article = improve.create(
        sqlite_db,
        SYSTEM,
        Draft("Red light", "One.\n\n::: internal\nCode 4711.\n:::\n\nTwo.", Language.ENGLISH, Audience.PARTNER),
    )
    partner = Person("pat", "Pat", Audience.PARTNER, frozenset({Role.CONTRIBUTOR}))
    improve.revise(sqlite_db, SYSTEM, article.id, "Red light", "One.\n\n::: internal\nCode 4712.\n:::\n\nTwo!")
    with pytest.raises(EditConflict) as refused:
        improve.revise(sqlite_db, partner, article.id, "Red light", "One!\n\nTwo.", version=1)
    clash = refused.value.clash
    assert clash.merged_body.text == "One!\n\nTwo!"
    assert "Code 47" not in repr(clash)
    improve.revise(sqlite_db, partner, article.id, "Red light", "One!\n\nTwo!", version=clash.version)
    assert "Code 4712." in history.revisions(sqlite_db, SYSTEM, article.number)[1][-1].body


def test_a_change_of_state_is_a_conflict_in_which_the_text_is_yours(sqlite_db: Database) -> None:
    article = written(sqlite_db)
    improve.set_state(sqlite_db, SYSTEM, article.id, {"tags": ("lights",)})
    with pytest.raises(EditConflict) as refused:
        improve.revise(sqlite_db, SYSTEM, article.id, "Red light", "Mine.", version=1)
    assert (refused.value.clash.version, refused.value.clash.merged_body.text) == (2, "Mine.")
    with pytest.raises(Conflict) as unknown:
        improve.revise(sqlite_db, SYSTEM, article.id, "Red light", "Mine.", version=77)
    assert not isinstance(unknown.value, EditConflict)
