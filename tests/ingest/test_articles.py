from dataclasses import replace
from pathlib import Path

import pytest

from ingest.markdown import Defaults, MarkdownFolder
from kb.article import Article, Confidence, Governance
from kb.audience import Audience
from kb.language import Language
from kb.outbox import Lane
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM, Role
from kb.solve import improve, publishing
from kb.store import articles, audit, outbox, passages
from kb.store.database import Database
from tests.examples import a_person
from tests.ingest.runs import Folder, everything, ingest_articles

CONTENT = Path(__file__).parents[2] / "content" / "articles"


def by_key(db: Database, source: str = "faq") -> dict[str, Article]:
    with db.read() as tx:
        return articles.by_source(tx, source)


def text_of(db: Database, article: Article) -> str:
    with db.read() as tx:
        return articles.get_revision(tx, article.id, article.latest).body


def test_a_file_becomes_a_published_article_with_everything_it_says(db: Database, folder: Folder) -> None:
    folder.write(
        "faults/red.md",
        "\n## Issue\nThe light is red.\n\n## Resolution\nReset it.\n",
        id="red-light-en",
        title="The hub shows  a red light",
        audience="partner",
        confidence="validated",
        governance="compliance",
        topic="broadband/faults",
        products=["hub-6"],
        tags=["los"],
        groups=["partner-northlink"],
        owner="dana.reyes",
        valid_from="2026-01-01",
        valid_until="2026-12-31",
    )
    assert ingest_articles(db, folder.path).counts == {"created": 1}
    article = by_key(db)["red-light-en"]
    assert (article.audience, article.groups) == (Audience.PARTNER, frozenset({"partner-northlink"}))
    assert (article.confidence, article.governance) == (Confidence.VALIDATED, Governance.COMPLIANCE)
    assert (article.topic, article.products, article.tags) == ("broadband/faults", ("hub-6",), ("los",))
    assert article.owner_id == "dana.reyes"
    assert article.valid_from is not None
    assert article.valid_from.isoformat() == "2026-01-01T00:00:00+00:00"
    assert article.valid_until is not None
    assert article.valid_until.isoformat() == "2027-01-01T00:00:00+00:00", "the last day counts"
    assert (article.latest, article.published) == (1, 1)
    with db.read() as tx:
        revision = articles.get_revision(tx, article.id, 1)
        jobs = outbox.backlog(tx, article.published_at or article.created_at)
    assert revision.title == "The hub shows a red light"
    assert revision.body == "## Issue\nThe light is red.\n\n## Resolution\nReset it."
    assert {each.lane for each in jobs if each.waiting} == {Lane.BULK_LEXICAL}


def test_the_same_folder_twice_writes_nothing(db: Database, folder: Folder) -> None:
    folder.write("a.md", id="a", superseded_by="b")
    folder.write("b.md", id="b", groups=["fraud"])
    folder.write("c.md", translation_of="a")
    ingest_articles(db, folder.path)
    before = everything(db)
    assert ingest_articles(db, folder.path).counts == {"unchanged": 3}
    assert everything(db) == before


def test_another_layout_of_the_same_words_writes_nothing(sqlite_db: Database, folder: Folder) -> None:
    folder.raw("a.md", "---\nid: a\ntitle: A\nlanguage: en\naudience: public\n---\n\nOne\n\nTwo\n")
    ingest_articles(sqlite_db, folder.path)
    before = everything(sqlite_db)
    folder.raw("a.md", "\ufeff---\r\naudience: 'public'\r\nid: a\r\nlanguage: en\r\ntitle:  A\r\n---\r\nOne\r\n\r\nTwo")
    assert ingest_articles(sqlite_db, folder.path).counts == {"unchanged": 1}
    assert everything(sqlite_db) == before


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(db: Database, folder: Folder) -> None:
    for name in "abc":
        folder.write(f"{name}.md", id=name)
    ingest_articles(db, folder.path)
    folder.write("a.md", "Changed.", id="a")
    (folder.path / "b.md").unlink()
    folder.write("d.md", id="d", superseded_by="e")
    folder.write("e.md", id="e")
    before = everything(db)
    ran = ingest_articles(db, folder.path, prune=True, dry_run=True)
    assert ran.counts == {"created": 2, "updated": 1, "unchanged": 1, "removed": 1}
    assert everything(db) == before
    assert ingest_articles(db, folder.path, prune=True).counts == ran.counts


def test_an_edit_is_a_new_revision_and_metadata_alone_is_not(db: Database, folder: Folder) -> None:
    folder.write("a.md", "Old text.", id="a")
    ingest_articles(db, folder.path)
    folder.write("a.md", "New text.", id="a")
    assert ingest_articles(db, folder.path).counts == {"updated": 1}
    revised = by_key(db)["a"]
    assert (revised.latest, revised.published, text_of(db, revised)) == (2, 2, "New text.")
    folder.write("a.md", "New text.", id="a", audience="internal")
    assert ingest_articles(db, folder.path).counts == {"updated": 1}
    moved = by_key(db)["a"]
    assert (moved.latest, moved.published, moved.audience) == (2, 2, Audience.INTERNAL)
    with db.read() as tx:
        found = passages.of_items(tx, [ItemRef(Kind.ARTICLE, moved.id)])
        history = audit.of(tx, "article", moved.id)
    assert {each.access.audience for each in found[ItemRef(Kind.ARTICLE, moved.id)]} == {Audience.INTERNAL}
    assert [change.action for change in history] == ["create", "ingest", "ingest"]
    assert history[-1].after["audience"] == "internal"


def test_what_people_changed_stays_until_the_file_changes(sqlite_db: Database, folder: Folder) -> None:
    folder.write("a.md", "From the file.", id="a")
    ingest_articles(sqlite_db, folder.path)
    article = by_key(sqlite_db)["a"]
    improve.revise(sqlite_db, SYSTEM, article.id, "A red light", "From a person.", publish=True)
    assert ingest_articles(sqlite_db, folder.path).counts == {"unchanged": 1}
    assert text_of(sqlite_db, by_key(sqlite_db)["a"]) == "From a person."
    folder.write("a.md", "From the file, again.", id="a")
    assert ingest_articles(sqlite_db, folder.path).counts == {"updated": 1}
    now = by_key(sqlite_db)["a"]
    assert (now.latest, now.published, text_of(sqlite_db, now)) == (3, 3, "From the file, again.")


@pytest.mark.parametrize("own_id", ["a", None], ids=["by id", "by equal content"])
def test_a_file_that_moved_keeps_its_article(db: Database, folder: Folder, own_id: str | None) -> None:
    folder.write("old/a.md", id=own_id)
    folder.write("b.md", "Something else.")
    ingest_articles(db, folder.path)
    before = {article.number for article in by_key(db).values()}
    folder.rename("old/a.md", "new/b.md")
    ran = ingest_articles(db, folder.path, prune=True)
    assert "created" not in ran.counts
    assert "removed" not in ran.counts
    assert {article.number for article in by_key(db).values()} == before
    assert set(by_key(db)) == {own_id or "new/b.md", "b.md"}
    rows = everything(db)
    assert ingest_articles(db, folder.path).counts == {"unchanged": 2}
    assert everything(db) == rows


def test_a_copy_is_an_article_of_its_own(sqlite_db: Database, folder: Folder) -> None:
    folder.write("a.md")
    ingest_articles(sqlite_db, folder.path)
    folder.write("b.md")
    assert ingest_articles(sqlite_db, folder.path).counts == {"created": 1, "unchanged": 1}


def test_a_file_that_is_given_an_id_keeps_its_article(sqlite_db: Database, folder: Folder) -> None:
    folder.write("a.md")
    ingest_articles(sqlite_db, folder.path)
    number = by_key(sqlite_db)["a.md"].number
    folder.write("a.md", id="red-light")
    assert ingest_articles(sqlite_db, folder.path, prune=True).counts == {"updated": 1}
    assert {key: article.number for key, article in by_key(sqlite_db).items()} == {"red-light": number}


def test_prune_archives_what_is_gone_and_a_file_that_comes_back_is_live_again(db: Database, folder: Folder) -> None:
    folder.write("a.md", id="a")
    folder.write("b.md", id="b")
    ingest_articles(db, folder.path)
    (folder.path / "a.md").unlink()
    ran = ingest_articles(db, folder.path)
    assert ran.counts == {"unchanged": 1}
    assert ran.report.gone == 1
    assert "--prune" in ran.heard.notes[0]
    assert by_key(db)["a"].confidence is not Confidence.ARCHIVED
    assert ingest_articles(db, folder.path, prune=True).counts == {"unchanged": 1, "removed": 1}
    gone = by_key(db)["a"]
    assert gone.confidence is Confidence.ARCHIVED
    with db.read() as tx:
        assert [change.action for change in audit.of(tx, "article", gone.id)] == ["create", "withdraw"]
        assert passages.of_items(tx, [ItemRef(Kind.ARTICLE, gone.id)]) == {ItemRef(Kind.ARTICLE, gone.id): []}
    rows = everything(db)
    assert ingest_articles(db, folder.path, prune=True).counts == {"unchanged": 1}
    assert everything(db) == rows
    folder.write("a.md", id="a")
    assert ingest_articles(db, folder.path, prune=True).counts == {"unchanged": 1, "updated": 1}
    back = by_key(db)["a"]
    assert (back.id, back.confidence, back.latest) == (gone.id, Confidence.NOT_VALIDATED, 1)


def test_prune_never_takes_a_broken_file_for_a_missing_one(sqlite_db: Database, folder: Folder) -> None:
    folder.write("a.md", id="a")
    folder.write("b.md", id="b")
    folder.write("c.md", id="c")
    ingest_articles(sqlite_db, folder.path)
    folder.write("a.md", id="a", audience="everybody")
    (folder.path / "b.md").unlink()
    assert ingest_articles(sqlite_db, folder.path, prune=True, dry_run=True).counts == {
        "unchanged": 1, "removed": 1, "failed": 1,
    }  # fmt: skip
    folder.raw("a.md", b"\xff\xfe\x00")
    ran = ingest_articles(sqlite_db, folder.path, prune=True)
    assert ran.counts == {"unchanged": 1, "failed": 1}
    assert "nothing was pruned" in ran.heard.notes[0]


def test_sources_do_not_touch_each_other(sqlite_db: Database, folder: Folder, tmp_path: Path) -> None:
    folder.write("a.md", id="a")
    ingest_articles(sqlite_db, folder.path)
    other = Folder(tmp_path / "other")
    other.write("a.md", "Another text.", id="a")
    assert ingest_articles(sqlite_db, other.path, source="other", prune=True).counts == {"created": 1}
    assert ingest_articles(sqlite_db, folder.path, prune=True).counts == {"unchanged": 1}


def test_references_forward_backward_and_around_become_article_ids(db: Database, folder: Folder) -> None:
    folder.write("a.md", id="a", superseded_by="z")
    folder.write("b.md", id="b", superseded_by="c")
    folder.write("c.md", id="c", translation_of="b")
    folder.write("y.md", superseded_by="a")
    folder.write("z.md", id="z", superseded_by="y.md")
    assert ingest_articles(db, folder.path).counts == {"created": 5}
    found = by_key(db)
    names = {article.id: key for key, article in found.items()}
    superseded = {key: names[article.superseded_by] for key, article in found.items() if article.superseded_by}
    assert superseded == {"a": "z", "b": "c", "y.md": "a", "z": "y.md"}
    assert found["c"].translation_of == found["b"].id
    assert {article.latest for article in found.values()} == {1}


def test_an_unknown_reference_fails_alone_and_heals_when_its_target_comes(db: Database, folder: Folder) -> None:
    folder.write("a.md", id="a", superseded_by="later")
    ran = ingest_articles(db, folder.path)
    assert ran.counts == {"created": 1, "failed": 1}
    assert ran.heard.said == ["a.md:6: superseded_by names 'later', which is not in this source"]
    rows = everything(db)
    assert ingest_articles(db, folder.path).counts == {"unchanged": 1, "failed": 1}
    assert everything(db) == rows
    folder.write("later.md", id="later")
    assert ingest_articles(db, folder.path).counts == {"created": 1, "updated": 1}
    assert by_key(db)["a"].superseded_by == by_key(db)["later"].id


def test_a_reference_to_a_file_that_is_gone_is_reported(sqlite_db: Database, folder: Folder) -> None:
    folder.write("a.md", id="a", superseded_by="b")
    folder.write("b.md", id="b")
    ingest_articles(sqlite_db, folder.path)
    (folder.path / "b.md").unlink()
    assert ingest_articles(sqlite_db, folder.path, prune=True).counts == {"unchanged": 1, "removed": 1, "failed": 1}
    rows = everything(sqlite_db)
    assert ingest_articles(sqlite_db, folder.path, prune=True).counts == {"unchanged": 1, "failed": 1}
    assert everything(sqlite_db) == rows


class _Interrupted(Exception):
    pass


class _StopsAfter:
    """A folder that is pulled out after some files."""

    def __init__(self, files: MarkdownFolder, after: int) -> None:
        self._files, self._after = files, after
        self.name, self.total, self.done = files.name, files.total, 0

    def items(self):  # type: ignore[no-untyped-def]
        for number, item in enumerate(self._files.items()):
            if number == self._after:
                raise _Interrupted
            yield item

    def again(self, keys):  # type: ignore[no-untyped-def]
        return self._files.again(keys)


@pytest.mark.parametrize("after", [1, 3, 4])
def test_an_interrupted_run_is_completed_by_the_next(sqlite_db: Database, folder: Folder, after: int) -> None:
    for name in "abcde":
        folder.write(f"{name}.md", id=name, superseded_by="e" if name < "d" else None)
    with pytest.raises(_Interrupted):
        ingest_articles(sqlite_db, folder.path, wrap=lambda files: _StopsAfter(files, after))
    assert len(by_key(sqlite_db)) == after
    counts = ingest_articles(sqlite_db, folder.path).counts
    found = by_key(sqlite_db)
    assert counts["created"] == 5 - after
    assert sorted(found) == list("abcde")
    assert {found[key].superseded_by for key in "abc"} == {found["e"].id}
    assert ingest_articles(sqlite_db, folder.path).counts == {"unchanged": 5}


def test_two_runs_at_once_bring_nothing_in_twice(sqlite_db: Database, folder: Folder) -> None:
    folder.write("a.md", id="a")

    class Overtaken(_StopsAfter):
        def items(self):  # type: ignore[no-untyped-def]
            ingest_articles(sqlite_db, folder.path)
            yield from self._files.items()

    ran = ingest_articles(sqlite_db, folder.path, wrap=lambda files: Overtaken(files, 0))
    assert ran.counts == {"unchanged": 1}
    assert len(by_key(sqlite_db)) == 1


def test_what_cannot_be_cut_does_not_stop_the_rest(
    sqlite_db: Database, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = publishing.cut_article

    def breaks(article, revision):  # type: ignore[no-untyped-def]
        if article.source_key == "a":
            raise IndexError("a text nobody thought of")
        return cut(article, revision)

    monkeypatch.setattr(publishing, "cut_article", breaks)
    folder.write("a.md", id="a")
    folder.write("b.md", id="b")
    ran = ingest_articles(sqlite_db, folder.path)
    assert ran.counts == {"created": 1, "failed": 1}
    assert ran.heard.said == ["a.md:1: cannot be taken in: IndexError: a text nobody thought of"]


def test_somebody_with_fewer_rights_brings_in_what_they_may(sqlite_db: Database, folder: Folder) -> None:
    folder.write("a.md", id="a", audience="internal")
    folder.write("b.md", id="b", audience="public")
    folder.write("c.md", id="c", audience="internal", groups=["fraud"])
    writer = a_person("ada", roles=frozenset({Role.CONTRIBUTOR}))
    ran = ingest_articles(sqlite_db, folder.path, by=writer)
    assert ran.counts == {"created": 1, "failed": 2}
    assert [problem.file for problem in ran.heard.problems] == ["b.md", "c.md"]
    inside = replace(writer, groups=frozenset({"fraud"}))
    assert ingest_articles(sqlite_db, folder.path, by=inside).counts == {"created": 1, "unchanged": 1, "failed": 1}


def test_files_of_another_system_come_in_with_what_the_command_line_says(sqlite_db: Database, folder: Folder) -> None:
    folder.raw("plain.md", "# 内存控制\n\nTiDB 的内存限制。\n")
    folder.raw("foreign.md", "---\ntitle: GC 配置\naliases: ['/gc/']\nsummary: 如何设置\n---\n\n# GC\n\n正文\n")
    folder.raw("own.md", "---\naudience: internal\nlanguage: en\ntopic: db/own\n---\nText.\n")
    defaults = Defaults(Audience.PUBLIC, Language.SIMPLIFIED, topic="db")
    files = MarkdownFolder(folder.path, "faq", defaults)
    assert ingest_articles(sqlite_db, folder.path, defaults=defaults, wrap=lambda _: files).counts == {"created": 3}
    found = by_key(sqlite_db)
    assert {key: (each.audience, each.language, each.topic) for key, each in found.items()} == {
        "plain.md": (Audience.PUBLIC, Language.SIMPLIFIED, "db"),
        "foreign.md": (Audience.PUBLIC, Language.SIMPLIFIED, "db"),
        "own.md": (Audience.INTERNAL, Language.ENGLISH, "db/own"),
    }
    with sqlite_db.read() as tx:
        titles = {key: articles.get_revision(tx, each.id, 1).title for key, each in found.items()}
    assert titles == {"plain.md": "内存控制", "foreign.md": "GC 配置", "own.md": "own"}
    assert files.ignored == {"aliases": 1, "summary": 1}


def test_other_defaults_are_a_change(sqlite_db: Database, folder: Folder) -> None:
    folder.raw("plain.md", "# Memory\n\nLimits.\n")
    ingest_articles(sqlite_db, folder.path, defaults=Defaults(Audience.PUBLIC, Language.ENGLISH))
    inside = Defaults(Audience.INTERNAL, Language.ENGLISH)
    assert ingest_articles(sqlite_db, folder.path, defaults=inside).counts == {"updated": 1}
    assert by_key(sqlite_db)["plain.md"].audience is Audience.INTERNAL


def test_all_of_our_own_content_comes_in_without_a_failure(sqlite_db: Database) -> None:
    ran = ingest_articles(sqlite_db, CONTENT, source="articles")
    assert ran.heard.said == []
    assert ran.counts == {"created": len(list(CONTENT.rglob("*.md")))}
    assert ran.heard.steps[-1] == (ran.report.seen, ran.report.seen)
    with sqlite_db.read() as tx:
        assert passages.count(tx) > ran.report.seen
