import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest import into_posts, jsonl
from ingest.jsonl import JsonLines
from kb import clock
from kb.audience import Audience
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.post import Post
from kb.solve import erasing
from kb.store import outbox, passages, posts
from kb.store.database import Database
from tests.ingest.runs import a_line, everything, ingest_posts, write_posts


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "forum.jsonl"


def by_key(db: Database) -> dict[str, Post]:
    with db.read() as tx:
        known = posts.known(tx, "forum", posts.keys_after(tx, "forum", "", 1_000))
        found = posts.by_ids(tx, [post_id for post_id, _, _ in known.values()])
    return {post.source_key: post for post in found.values()}


def passages_of(db: Database, post: Post) -> list[int]:
    item = ItemRef(Kind.POST, post.id)
    with db.read() as tx:
        return [each.ref.revision for each in passages.of_items(tx, [item])[item]]


def test_a_line_becomes_a_post_with_everything_it_says(db: Database, file: Path) -> None:
    line = a_line(
        7, tags=["hub-6"], products=["hub-6"], topic="broadband/faults", created_at="2026-03-14T20:00:00+08:00"
    )
    ran = ingest_posts(db, write_posts(file, [line]), audience=Audience.CUSTOMER)
    assert ran.counts == {"created": 1}
    post = by_key(db)["t/7"]
    assert (post.title, post.body) == ("Why does my hub blink red?", "Mine did that 7 times until I reset it.")
    assert (post.author, post.votes, post.accepted, post.thread) == ("superuser_sam", 3, True, "t/7")
    assert (post.url, post.tags, post.products) == ("https://forum.example/t/7", ("hub-6",), ("hub-6",))
    assert (post.topic, post.language, post.audience) == ("broadband/faults", Language.ENGLISH, Audience.CUSTOMER)
    assert post.created_at == datetime(2026, 3, 14, 12, tzinfo=UTC)
    assert passages_of(db, post) == [1]
    with db.read() as tx:
        assert sum(each.waiting for each in outbox.backlog(tx, datetime(2100, 1, 1, tzinfo=UTC))) == 1


def test_the_same_file_twice_writes_nothing(db: Database, file: Path) -> None:
    write_posts(file, [a_line(number) for number in range(250)])
    assert ingest_posts(db, file).counts == {"created": 250}
    before = everything(db)
    assert ingest_posts(db, file).counts == {"unchanged": 250}
    assert everything(db) == before


def test_posts_are_internal_unless_the_centre_decides_otherwise(sqlite_db: Database, file: Path) -> None:
    ingest_posts(sqlite_db, write_posts(file, [a_line()]))
    assert by_key(sqlite_db)["t/1"].audience is Audience.INTERNAL
    assert ingest_posts(sqlite_db, file, audience=Audience.PUBLIC).counts == {"updated": 1}
    assert by_key(sqlite_db)["t/1"].audience is Audience.PUBLIC


def test_an_edited_post_is_cut_anew_and_one_with_more_votes_is_not(db: Database, file: Path) -> None:
    ingest_posts(db, write_posts(file, [a_line(1), a_line(2)]))
    write_posts(file, [a_line(1, body="Another answer."), a_line(2, votes=40)])
    assert ingest_posts(db, file).counts == {"updated": 2}
    found = by_key(db)
    assert (found["t/1"].body, found["t/1"].revision, passages_of(db, found["t/1"])) == ("Another answer.", 2, [2])
    assert (found["t/2"].votes, found["t/2"].revision, passages_of(db, found["t/2"])) == (40, 1, [1])
    with db.read() as tx:
        assert sum(each.waiting for each in outbox.backlog(tx, datetime(2100, 1, 1, tzinfo=UTC))) == 3


def test_prune_removes_what_is_gone_and_a_post_that_comes_back_is_the_same(db: Database, file: Path) -> None:
    ingest_posts(db, write_posts(file, [a_line(number) for number in range(5)]))
    gone = by_key(db)["t/3"]
    write_posts(file, [a_line(number) for number in range(3)])
    assert ingest_posts(db, file).report.gone == 2
    assert ingest_posts(db, file, prune=True, dry_run=True).counts == {"unchanged": 3, "removed": 2}
    assert len(by_key(db)) == 5
    assert ingest_posts(db, file, prune=True).counts == {"unchanged": 3, "removed": 2}
    assert sorted(by_key(db)) == ["t/0", "t/1", "t/2"]
    assert passages_of(db, gone) == []
    ingest_posts(db, write_posts(file, [a_line(number) for number in range(5)]))
    assert by_key(db)["t/3"].id == gone.id


def test_a_dry_run_writes_nothing(sqlite_db: Database, file: Path) -> None:
    before = everything(sqlite_db)
    assert ingest_posts(sqlite_db, write_posts(file, [a_line()]), dry_run=True).counts == {"created": 1}
    assert everything(sqlite_db) == before


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{not json", "no JSON: "),
        ("[1, 2]", "the line is no object"),
        ("[" * 100_000, "JSON that cannot be read"),
        (b'{"id": "\xff"}', "not UTF-8 (byte 0xff)"),
        ({"id": None}, "id is missing"),
        ({"id": ""}, "id is missing"),
        ({"id": True}, "id is a text"),
        ({"title": " "}, "title is missing or empty"),
        ({"body": None}, "body is missing or empty"),
        ({"body": 5}, "body is a text"),
        ({"body": "half \ud83d"}, "body has half a character in it"),
        ({"body": "nul \0"}, "body has a NUL character in it"),
        ({"created_at": None}, "created_at is missing or empty"),
        ({"created_at": "yesterday"}, "created_at 'yesterday' is no time"),
        ({"created_at": 1e300}, "created_at 1e+300 is no time"),
        ({"votes": "3"}, "votes is a whole number"),
        ({"votes": True}, "votes is a whole number"),
        ({"votes": 2**31}, "votes is a whole number"),
        ({"accepted": 1}, "accepted is true or false"),
        ({"tags": "hub"}, "tags is a list of texts"),
        ({"tags": [1]}, "tags is a text"),
        ({"language": "english"}, "language 'english' is none of en, zh-Hans, zh-Hant"),
        ({"body": "![" * 200_000}, "the markup that is possible"),
        ({"title": "\u200b\u202e"}, "title is missing or empty"),
        ({"url": "javascript:alert(1)"}, "url begins with https:// or http://"),
        ({"topic": "Not A Path"}, "topic 'Not A Path' is no path"),
        ({"topic": "a" * 201}, "topic has 201 characters; at most 200"),
        ({"score": 3}, "unknown key 'score'; known are accepted"),
    ],
)
def test_a_bad_line_is_reported_with_its_number_and_the_rest_goes_on(
    sqlite_db: Database, file: Path, line: str | bytes | dict[str, object], reason: str
) -> None:
    text = json.dumps(a_line(2, **line)) if isinstance(line, dict) else line
    bad = text if isinstance(text, bytes) else text.encode()
    good = [json.dumps(a_line(number)).encode() for number in (1, 3)]
    file.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join([good[0], b"", bad, good[1]]))
    ran = ingest_posts(sqlite_db, file)
    assert ran.counts == {"created": 2, "failed": 1}
    assert ran.heard.said[0].startswith("forum.jsonl:3: ")
    assert reason in ran.heard.said[0]


def test_a_line_nobody_can_hold_is_reported_and_skipped(
    sqlite_db: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "LARGEST", 1_000)
    write_posts(file, [a_line(1), a_line(2, body="x" * 5_000), a_line(3)])
    ran = ingest_posts(sqlite_db, file)
    assert ran.counts == {"created": 2, "failed": 1}
    assert ran.heard.problems[0].line == 2


def test_an_unreadable_line_keeps_prune_from_taking_its_post_away(sqlite_db: Database, file: Path) -> None:
    ingest_posts(sqlite_db, write_posts(file, [a_line(1), a_line(2)]))
    file.write_text(json.dumps(a_line(1)) + "\n{broken\n")
    ran = ingest_posts(sqlite_db, file, prune=True)
    assert ran.counts == {"unchanged": 1, "failed": 1}
    write_posts(file, [a_line(1), a_line(2, votes="many")])
    assert ingest_posts(sqlite_db, file, prune=True).counts == {"unchanged": 1, "failed": 1}
    assert len(by_key(sqlite_db)) == 2


def test_an_id_that_is_there_twice_counts_once(sqlite_db: Database, file: Path) -> None:
    lines = [a_line(number) for number in range(150)]
    ran = ingest_posts(sqlite_db, write_posts(file, [*lines, a_line(3, body="Another."), a_line(149, body="Another.")]))
    assert ran.counts == {"created": 150, "failed": 2}
    assert ran.heard.said[0] == "forum.jsonl:151: 't/3' is there twice; the first one counts"


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Why does my hub blink red?", Language.ENGLISH),
        ("路由器为什么闪红灯?", Language.SIMPLIFIED),
        ("路由器為什麼閃紅燈?", Language.TRADITIONAL),
        ("Hub 6 的 WiFi 好慢，怎麼辦", Language.TRADITIONAL),
    ],
)
def test_the_language_is_told_from_the_text_where_it_is_missing(
    sqlite_db: Database, file: Path, title: str, language: Language
) -> None:
    ingest_posts(
        sqlite_db, write_posts(file, [a_line(1, title=title, body=title), a_line(2, title=title, language="en")])
    )
    assert (by_key(sqlite_db)["t/1"].language, by_key(sqlite_db)["t/2"].language) == (language, Language.ENGLISH)


def test_what_cannot_be_cut_does_not_stop_the_rest(
    sqlite_db: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = into_posts.publishing.cut_posts

    def breaks(batch):  # type: ignore[no-untyped-def]
        if batch[0].source_key == "t/1":
            raise IndexError("a text nobody thought of")
        return cut(batch)

    monkeypatch.setattr(into_posts.publishing, "cut_posts", breaks)
    ran = ingest_posts(sqlite_db, write_posts(file, [a_line(number) for number in range(3)]))
    assert ran.counts == {"created": 2, "failed": 1}
    assert "IndexError" in ran.heard.said[0]


class _Interrupted(Exception):
    pass


def test_an_interrupted_run_is_completed_by_the_next(sqlite_db: Database, file: Path) -> None:
    write_posts(file, [a_line(number) for number in range(250)])

    class Stops(JsonLines):
        def items(self):  # type: ignore[no-untyped-def]
            for number, item in enumerate(super().items()):
                if number == 230:
                    raise _Interrupted
                yield item

    with pytest.raises(_Interrupted):
        ingest_posts(sqlite_db, file, wrap=lambda _: Stops(file, "forum"))
    assert len(by_key(sqlite_db)) == 200, "two whole batches"
    assert ingest_posts(sqlite_db, file).counts == {"created": 50, "unchanged": 200}


def test_progress_is_measured_in_bytes_and_ends_at_the_end(sqlite_db: Database, file: Path) -> None:
    write_posts(file, [a_line(number) for number in range(250)])
    steps = ingest_posts(sqlite_db, file).heard.steps
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert steps[-1] == (file.stat().st_size, file.stat().st_size)


def test_an_erased_author_does_not_come_back_with_the_next_run_but_may_write_again(db: Database, file: Path) -> None:
    write_posts(file, [a_line(1), a_line(2, author="kim")])
    ingest_posts(db, file)
    erasing.erase(db, erasing.find(db, "superuser_sam"))
    assert ingest_posts(db, file).counts == {"unchanged": 2}
    assert by_key(db).keys() == {"t/2"}
    later = a_line(3, created_at=(clock.now() + timedelta(minutes=1)).isoformat())
    assert ingest_posts(db, write_posts(file, [a_line(1), later])).counts == {"unchanged": 1, "created": 1}


def test_characters_that_are_never_meant_do_not_come_in(sqlite_db: Database, tmp_path: Path) -> None:
    line = a_line(1, title="In\u202evoice", body="ip\u200bconfig\x1b /all", author="sam\u202e")
    file = write_posts(tmp_path / "posts.jsonl", [line])
    ingest_posts(sqlite_db, file)
    assert ingest_posts(sqlite_db, file).counts == {"unchanged": 1}
    with sqlite_db.read() as tx:
        (post,) = posts.by_ids(tx, posts.ids(tx, "", 10)).values()
    assert (post.title, post.body, post.author) == ("Invoice", "ipconfig /all", "sam")
