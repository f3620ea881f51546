"""Pictures and files that come along with the Markdown files of a folder."""

import os
from pathlib import Path

import pytest

from kb.audience import Audience
from kb.file import references
from kb.store import articles, files
from kb.store.database import Database
from kb.text.markdown import render
from tests.ingest.runs import Folder, everything, ingest_articles
from tests.pictures import PDF, SECRET, exif, jpeg, png


def the_text(db: Database, key: str) -> tuple[str, str]:
    """The id of an article and the text that readers see."""
    with db.read() as tx:
        article = articles.by_source(tx, "faq")[key]
        return article.id, articles.get_revision(tx, article.id, article.published or 0).body


def test_pictures_and_files_come_along_and_are_named_by_what_is_in_them(db: Database, folder: Folder) -> None:
    folder.raw("img/ring one.png", png(4, 2))
    folder.raw("docs/manual.pdf", PDF)
    body = "![The ring](../img/ring%20one.png)\n\nSee the [manual](<../docs/manual.pdf>) or [others](other.md)."
    folder.write("faults/red.md", body, id="red")
    assert ingest_articles(db, folder.path).counts == {"created": 1}
    article_id, text = the_text(db, "red")
    with db.read() as tx:
        attached = files.attached(tx, article_id)
        assert [files.content(tx, each.hash) for each in attached] == [png(4, 2), PDF]
    assert {each.name for each in attached} == {"ring one.png", "manual.pdf"}
    assert references(text) == {each.hash for each in attached}
    html = render(text, "/files/")
    assert 'alt="The ring" width="4" height="2"' in html
    assert 'download="">manual</a>' in html.replace(' rel="noopener ugc nofollow"', "")
    assert "[others](other.md)" in text


def test_the_same_folder_twice_writes_nothing_and_a_new_picture_is_a_new_revision(db: Database, folder: Folder) -> None:
    folder.raw("ring.png", png(shade=1))
    folder.write("a.md", "![ring](ring.png)")
    ingest_articles(db, folder.path)
    before = everything(db)
    assert ingest_articles(db, folder.path).counts == {"unchanged": 1}
    assert everything(db) == before
    folder.raw("ring.png", png(shade=2))
    assert ingest_articles(db, folder.path).counts == {"updated": 1}
    article_id, text = the_text(db, "a.md")
    with db.read() as tx:
        assert len(files.attached(tx, article_id)) == 2, "history shows the old one"
        assert articles.get(tx, article_id).latest == 2
        (shown,) = references(text)
        assert files.content(tx, shown) == png(shade=2)


def test_what_cannot_be_taken_is_reported_with_its_line_and_the_rest_is_taken_in(
    sqlite_db: Database, folder: Folder
) -> None:
    folder.raw("page.png", b"<html>")
    folder.raw("large.png", png(shade=3) + b"x" * 5_000_001)
    body = "![a](gone.png)\n\n![b](page.png)\n\n![c](large.png) ![a](gone.png)\n\n[d](gone.pdf) [e](x.md) ![f](y.bmp)"
    folder.write("a.md", body)
    ran = ingest_articles(sqlite_db, folder.path)
    assert ran.counts == {"created": 1, "failed": 5}
    assert ran.heard.said == [
        "a.md:6: 'gone.png' is not there",
        "a.md:8: 'page.png' pictures are PNG, JPEG, GIF, WebP or SVG, other files PDF; this is none of them",
        "a.md:10: 'large.png' has 5.0 MB; at most 5 MB are possible",
        "a.md:12: 'gone.pdf' is not there",
        "a.md:12: 'y.bmp' is not there",
    ]
    assert the_text(sqlite_db, "a.md")[1] == body
    folder.raw("gone.png", png())
    assert ingest_articles(sqlite_db, folder.path).counts == {"updated": 1, "failed": 4}
    assert ingest_articles(sqlite_db, folder.path, dry_run=True).counts == {"unchanged": 1, "failed": 4}


@pytest.mark.parametrize("address", ["../secret.png", "x/../../secret.png", "%2e%2e/secret.png", "link.png",
                                     "linked/secret.png", ".hidden/x.png", "a/.x.png", "x%00.png"])  # fmt: skip
def test_nothing_outside_the_folder_or_hidden_is_read(
    sqlite_db: Database, folder: Folder, tmp_path: Path, address: str
) -> None:
    (tmp_path / "secret.png").write_bytes(png())
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.png").write_bytes(png())
    os.symlink(tmp_path / "secret.png", folder.path / "link.png")
    os.symlink(tmp_path / "elsewhere", folder.path / "linked")
    folder.raw(".hidden/x.png", png())
    folder.write("a.md", f"![x]({address})")
    ran = ingest_articles(sqlite_db, folder.path)
    assert ran.counts == {"created": 1, "failed": 1}
    assert "leads out of the folder, or to something hidden" in ran.heard.said[0]


@pytest.mark.parametrize(
    "address",
    ["https://a.example/x.png", "/x.png", "//a.example/x.png", "data:image/png;base64,AA", "#x", "mailto:x@a.example",
     "C:\\x.png"],
)  # fmt: skip
def test_addresses_of_anything_else_stay(sqlite_db: Database, folder: Folder, address: str) -> None:
    folder.write("a.md", f"![x]({address})")
    assert ingest_articles(sqlite_db, folder.path).counts == {"created": 1}
    assert address in the_text(sqlite_db, "a.md")[1]


def test_a_photograph_comes_in_without_its_place_and_a_block_keeps_its_picture(
    sqlite_db: Database, folder: Folder
) -> None:
    folder.raw("IMG 1.jpg", jpeg((0xE1, exif(1))))
    folder.write("a.md", "Text.\n\n::: internal\n![x](<IMG 1.jpg>)\n:::")
    ingest_articles(sqlite_db, folder.path)
    article_id, text = the_text(sqlite_db, "a.md")
    with sqlite_db.read() as tx:
        (photo,) = files.attached(tx, article_id)
        assert SECRET not in files.content(tx, photo.hash)
    assert text.startswith("Text.\n\n::: internal\n![x](files/")


def test_a_file_that_takes_too_long_to_parse_is_a_problem_and_the_rest_goes_on(
    sqlite_db: Database, folder: Folder
) -> None:
    folder.write("a.md", "Text.\n\n" + "![" * 200_000)
    folder.write("b.md", "Fine.", audience=str(Audience.PUBLIC))
    ran = ingest_articles(sqlite_db, folder.path)
    assert ran.counts == {"created": 1, "failed": 1}
    assert ran.heard.said[0].startswith("a.md:8: the text has ")
