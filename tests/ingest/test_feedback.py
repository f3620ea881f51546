"""`python -m ingest feedback`: what agents said elsewhere becomes flags by the road of everybody."""

import csv
import json
from pathlib import Path

import pytest

from ingest.feedback import FeedbackFile
from ingest.into_flags import Flags
from ingest.rejects import Rejects
from ingest.run import Report, run
from ingest.times import Calendar
from kb import clock
from kb.article import Article, Draft
from kb.audience import Audience
from kb.case import RevisionCase, Rules
from kb.errors import Invalid, NotAllowed
from kb.flag import Cause, Flag
from kb.interaction import Channel
from kb.language import Language
from kb.person import SYSTEM, Person, Role
from kb.solve import casework, erasing, improve, passwords, trail
from kb.solve.access import add_person
from kb.solve.fixing import Fixes
from kb.store.cases import Wanted
from kb.store.database import Database
from tests.ingest.runs import Heard, Ran, a_line, everything, ingest_posts, write_posts
from tests.ingest.test_cli import call, data, events

__all__ = ["data"]

TEN = "Hold reset for ten seconds. Then wait until the light is green."
ZH = "長按重置鍵十秒鐘。接著等候指示燈變成綠色。"


def written(db: Database, title: str = "Red light", body: str = TEN, **state: object) -> Article:
    fields: dict[str, object] = {"language": Language.ENGLISH, "audience": Audience.PUBLIC} | state
    return improve.create(db, SYSTEM, Draft(title, body, **fields))  # type: ignore[arg-type]


def agent(db: Database, name: str = "Kim Lee", **fields: object) -> Person:
    return add_person(db, SYSTEM, name, Audience.INTERNAL, roles=(Role.CANDIDATE,), **fields)[0]  # type: ignore[arg-type]


def table(path: Path, *rows: dict[str, object], name: str = "feedback.csv") -> Path:
    file = path / name
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, columns)
        writer.writeheader()
        writer.writerows(rows)
    return file


def fed(
    db: Database, file: Path, *, by: Person = SYSTEM, rejects: Path | None = None, dry_run: bool = False,
    source: str = "survey", calendar: Calendar | None = None, mapping: dict[str, str] | None = None,
) -> Ran:  # fmt: skip
    """One run, as the command line does it."""
    rows = FeedbackFile(file, source, calendar or Calendar(), mapping)
    heard, report = Heard(), Report(source)
    flags = Flags(db, by, source, Rules(), dry_run=dry_run)
    if rejects is None:
        run(rows, flags, heard, report)
    else:
        with Rejects(rejects, rows.table.columns, heard, is_json=rows.table.is_json) as watch:
            run(rows, flags, watch, report)
    return Ran(report, heard)


def every_case(db: Database) -> list[RevisionCase]:
    return casework.listing(db, SYSTEM, Wanted(), "", 100)


def only(db: Database) -> tuple[RevisionCase, Flag]:
    """The one case with its one flag."""
    (case,) = every_case(db)
    (flag,) = casework.read(db, SYSTEM, case.id).flags
    return case, flag


def test_a_row_becomes_a_flag_as_if_the_agent_had_said_it_here(db: Database, tmp_path: Path) -> None:
    article, kim = written(db), agent(db)
    opened = trail.open_interaction(db, kim, Channel.PHONE, external_id="T-1009")
    at = clock.now().replace(microsecond=0)
    row = {"article": article.number, "quote": "ten seconds", "cause": "outdated", "comment": "It takes fifteen now",
           "agent": "kim lee", "time": at.isoformat(), "ticket": "T-1009", "search term": "red light",
           "urgent": "yes"}  # fmt: skip
    assert fed(db, table(tmp_path, row)).counts == {"created": 1}
    case, flag = only(db)
    assert (case.cause, case.count, case.quote, case.label) == (
        Cause.WRONG_FACT, 1, "Hold reset for ten seconds.", article.number,
    )  # fmt: skip
    assert (flag.person_id, flag.note, flag.query, flag.revision) == (kim.id, "It takes fifteen now", "red light", 1)
    assert (flag.created_at, flag.interaction_id, flag.said_by, flag.said_in) == (at, opened.id, "", "")
    assert flag.severe
    assert case.opened_at >= at, "a case begins when kb hears of it, a flag when it was said"


def test_the_same_file_twice_writes_nothing_and_a_grown_one_only_what_is_new(db: Database, tmp_path: Path) -> None:
    article = written(db)
    one = {"article": article.number, "quote": "ten seconds", "cause": "wrong", "agent": "Ada", "comment": "fifteen"}
    file = table(tmp_path, one)
    fed(db, file)
    before = everything(db)
    assert fed(db, file).counts == {"unchanged": 1}
    assert everything(db) == before
    grown = table(tmp_path, one | {"agent": "Ben"}, one, one, name="grown.csv")
    assert fed(db, grown).counts == {"created": 1, "unchanged": 1}
    (case,) = every_case(db)
    assert case.count == 2


def test_a_row_with_an_id_is_known_by_it_whatever_it_says_now(db: Database, tmp_path: Path) -> None:
    article = written(db)
    row = {"id": "17", "article": article.number, "cause": "wrong", "quote": "ten seconds"}
    fed(db, table(tmp_path, row))
    assert fed(db, table(tmp_path, row | {"cause": "unclear"})).counts == {"unchanged": 1}
    assert fed(db, table(tmp_path, row), source="other").counts == {"updated": 1}
    twice = fed(db, table(tmp_path, row | {"id": "18"}, row | {"id": "18"}))
    assert twice.heard.said == ["feedback.csv:3: its id is there twice; the first one counts"]


def test_an_agent_whom_kb_does_not_know_is_kept_as_text_and_is_nobody(db: Database, tmp_path: Path) -> None:
    article = written(db)
    people = everything(db)["person"]
    row = {"article": article.number, "quote": "ten seconds", "cause": "wrong", "ticket": "4711"}
    fed(db, table(tmp_path, row | {"agent": "Zoe Q."}, row | {"agent": "Yan"}))
    (case,) = every_case(db)
    assert case.count == 2
    said = {(each.said_by, each.said_in, each.interaction_id) for each in casework.read(db, SYSTEM, case.id).flags}
    assert said == {("Zoe Q.", "4711", None), ("Yan", "4711", None)}
    assert everything(db)["person"] == people
    improve.revise(db, SYSTEM, article.id, "Red light", "Fifteen.", version=1, publish=True, fixes=Fixes([case.id]))
    told = everything(db)["notification"]
    assert not any("said-" in str(row) for row in told), "nobody is told who is not there"


def test_two_people_of_one_name_are_nobody_and_logins_and_ids_are_somebody(db: Database, tmp_path: Path) -> None:
    article = written(db)
    agent(db, "Kim"), agent(db, "kim")
    lin = agent(db, "Lin")
    passwords.set_password(db, SYSTEM, lin.id, "lin@corp.example", "correct horse battery staple")
    row = {"article": article.number, "cause": "wrong"}
    quotes = ("ten seconds", "Then wait", "light is green")
    agents = ("Kim", "LIN@corp.example", lin.id)
    fed(
        db,
        table(tmp_path, *(row | {"quote": quote, "agent": each} for quote, each in zip(quotes, agents, strict=True))),
    )
    flags = [flag for case in every_case(db) for flag in casework.read(db, SYSTEM, case.id).flags]
    assert {flag.person_id for flag in flags if not flag.said_by} == {lin.id}
    assert [flag.said_by for flag in flags if flag.said_by] == ["Kim"]


@pytest.mark.parametrize(
    ("named", "how"),
    [
        ("KB {digits}", "number"),
        ("{id}", "id"),
        ("https://help.example/?article={number}", "address"),
        ("https://help.example/#article={number}", "address"),
        ("https://help.example/en/{number}-red-light", "address"),
        ("/{number}", "address"),
        ("red  LIGHT on the hub", "title"),
        ("Red light on teh hub", "near_title"),
    ],
)
def test_an_article_is_found_by_whatever_it_is_called(
    sqlite_db: Database, tmp_path: Path, named: str, how: str
) -> None:
    article = written(sqlite_db, "Red light on the hub")
    written(sqlite_db, "Invoices by post", "Choose paper.")
    called = named.format(number=article.number, id=article.id, digits=article.number.replace("-", ""))
    assert fed(sqlite_db, table(tmp_path, {"article": called, "cause": "wrong"})).counts == {"created": 1}
    assert only(sqlite_db)[0].label == article.number
    assert [row[2] for row in everything(sqlite_db)["feedback_row"]] == [how]


def test_an_article_is_found_by_what_it_says_in_either_script(db: Database, tmp_path: Path) -> None:
    chinese = written(db, "紅燈", ZH, language=Language.TRADITIONAL)
    english = written(db)
    rows = [{"原文": "长按重置键十秒钟。", "原因": "過時"}, {"原文": "hold  RESET for **ten** seconds", "原因": "过时"},
            {"原文": "Hold reset for tenn seconds, then wait until the light is green", "原因": "錯誤"}]  # fmt: skip
    ran = fed(db, table(tmp_path, *rows))
    assert ran.counts == {"created": 3}
    assert {case.label for case in every_case(db)} == {chinese.number, english.number}
    assert {case.cause for case in every_case(db)} == {Cause.WRONG_FACT}
    assert sorted(row[2] for row in everything(db)["feedback_row"]) == ["near_quote", "quote", "quote"]


def test_what_may_be_two_articles_is_neither(db: Database, tmp_path: Path) -> None:
    one, two = written(db), written(db, body=TEN + " Call us.")
    rows = [{"title": "Red light", "cause": "wrong", "quote": ""}, {"title": "", "cause": "wrong",
            "quote": "ten seconds"}, {"title": "Red light", "cause": "wrong", "quote": "Call us"}]  # fmt: skip
    ran = fed(db, table(tmp_path, *rows))
    assert ran.counts == {"created": 1, "failed": 2}
    assert only(db)[0].label == two.number
    assert all("give the number" in said for said in ran.heard.said)
    improve.archive(db, SYSTEM, one.id, version=1)
    assert fed(db, table(tmp_path, rows[1])).counts == {"created": 1}, "one of them is not shown any more"


def test_a_post_is_found_by_where_it_stands(db: Database, tmp_path: Path) -> None:
    ingest_posts(db, write_posts(tmp_path / "posts.jsonl", [a_line(1, url="https://forum.example/t/17")]))
    fed(db, table(tmp_path, {"link": "https://forum.example/t/17/", "cause": "wrong"}))
    case, _ = only(db)
    assert str(case.item.kind if case.item else "") == "post"


def test_rows_that_fit_nothing_are_written_beside_corrected_and_fed_again(db: Database, tmp_path: Path) -> None:
    article = written(db)
    good = {"article": article.number, "cause": "wrong", "agent": "Ada", "time": "2026-03-14 12:00", "extra": "x"}
    bad = {"article": "no such thing", "cause": "wrong", "agent": "Ben", "time": "2026-03-14 12:00", "extra": "y"}
    file = table(tmp_path, good, bad, good | {"time": "soon"})
    beside = tmp_path / "rejects.csv"
    ran = fed(db, file, rejects=beside)
    assert ran.counts == {"created": 1, "failed": 2}
    with beside.open(encoding="utf-8-sig", newline="") as source:
        rows = sorted(csv.DictReader(source), key=lambda row: row["kb_line"])
    assert list(rows[0]) == ["article", "cause", "agent", "time", "extra", "kb_key", "kb_line", "kb_reason"]
    assert [(row["kb_line"], row["extra"]) for row in rows] == [("3", "y"), ("4", "x")]
    assert "no article has that number" in rows[0]["kb_reason"]
    assert "no time such as" in rows[1]["kb_reason"]
    corrected = table(
        tmp_path, rows[0] | {"article": article.number}, rows[1] | {"agent": "Cy", "time": ""}, name="c.csv"
    )
    again = tmp_path / "again.csv"
    assert fed(db, corrected, rejects=again).counts == {"created": 2}
    assert not again.exists(), "a file of rejects is there only if there are any"
    assert fed(db, file).counts == {"unchanged": 3}, "what was corrected is known by the key that it kept"


def test_a_bad_line_stops_nothing(db: Database, tmp_path: Path) -> None:
    number = written(db).number
    file = tmp_path / "feedback.csv"
    lines = ["article,quote,cause,agent", f'{number},"Then wait,wrong,Ada', f"{number},ten seconds,wrong,Ben",
             f"{number},a,b,c,d,e", f'{number},"two\nlines",wrong,Cy', "", f"{number},\xff,wrong,Dan"]  # fmt: skip
    file.write_bytes("\n".join(lines).encode("latin-1"))
    ran = fed(db, file)
    assert ran.counts == {"created": 2, "failed": 3}
    assert sorted((each.line, each.reason.split(";")[0]) for each in ran.heard.problems) == [
        (2, "a quote is not closed"), (4, "there are 6 cells for 4 columns"), (8, "not UTF-8"),
    ]  # fmt: skip
    jsonl = tmp_path / "feedback.jsonl"
    jsonl.write_text(
        "\n".join(["{", json.dumps({"article": number, "cause": "unclear"}), "[]", '{"article": {"a": 1}}', ""])
    )
    ran = fed(db, jsonl, rejects=tmp_path / "rejects.jsonl")
    assert ran.counts == {"created": 1, "failed": 3}
    assert len((tmp_path / "rejects.jsonl").read_text().splitlines()) == 3


def test_headers_may_be_chinese_or_anything_that_is_mapped(db: Database, tmp_path: Path) -> None:
    article = written(db)
    rows = [{"文章編號": article.number, "原文": "ten seconds", "問題類型": "過時", "客服": "王小明", "工單號": "88"},
            {"Doc #": article.number, "what": "Then wait", "why": "看不懂"}]  # fmt: skip
    assert fed(db, table(tmp_path, rows[0])).counts == {"created": 1}
    assert only(db)[1].said_by == "王小明"
    file = table(tmp_path, rows[1])
    with pytest.raises(Invalid, match="--map"):
        FeedbackFile(file, "survey", Calendar())
    assert fed(db, file, mapping={"Doc #": "article", "what": "quote", "why": "cause"}).counts == {"created": 1}
    assert {case.cause for case in every_case(db)} == {Cause.WRONG_FACT, Cause.HARD_TO_USE}


@pytest.mark.parametrize(("encoding", "says_so"), [("gb18030", False), ("utf-16", True), ("utf-8-sig", True)])
def test_a_spreadsheets_encoding_is_known_or_said(
    sqlite_db: Database, tmp_path: Path, encoding: str, says_so: bool
) -> None:
    written(sqlite_db, "红灯", "长按重置键十秒钟。", language=Language.SIMPLIFIED)
    file = tmp_path / "反馈.csv"
    file.write_text("文章标题;原因;坐席\r\n红灯;过时;小王\r\n", encoding=encoding, newline="")
    if not says_so:
        with pytest.raises(Invalid, match="--encoding"):
            FeedbackFile(file, "survey", Calendar())
    rows = FeedbackFile(file, "survey", Calendar(), encoding="" if says_so else encoding)
    heard, report = Heard(), Report("survey")
    run(rows, Flags(sqlite_db, SYSTEM, "survey", Rules()), heard, report)
    assert (report.created, heard.said) == (1, [])


def test_the_revision_is_the_one_that_was_shown_when_they_said_it(db: Database, tmp_path: Path) -> None:
    article = written(db)
    said_at = clock.now()
    improve.revise(db, SYSTEM, article.id, "Red light", "Hold reset for twelve seconds.", version=1, publish=True)
    fed(db, table(tmp_path, {"article": article.number, "cause": "wrong", "time": said_at.isoformat()}))
    assert only(db)[1].revision == 1
    fed(db, table(tmp_path, {"article": article.number, "cause": "unclear"}))
    assert {flag.revision for case in every_case(db) for flag in casework.read(db, SYSTEM, case.id).flags} == {1, 2}


def test_what_somebody_says_twice_is_one_voice_and_none_of_it_is_lost(db: Database, tmp_path: Path) -> None:
    article, kim = written(db), agent(db)
    row = {"article": article.number, "quote": "ten seconds", "cause": "wrong", "agent": kim.name}
    fed(
        db,
        table(tmp_path, row | {"note": "later", "time": "2026-03-02"}, row | {"note": "first", "time": "2026-03-01"}),
    )
    case, flag = only(db)
    assert (case.count, flag.note) == (1, "first\nlater")


def test_nothing_answers_goes_to_the_gaps_with_what_was_asked(db: Database, tmp_path: Path) -> None:
    fed(db, table(tmp_path, {"article": "", "cause": "missing", "question": "How do I port my number?"}))
    case, flag = only(db)
    assert (case.cause, case.title, flag.query) == (
        Cause.NOTHING_ANSWERS, "How do I port my number?", "How do I port my number?",
    )  # fmt: skip


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(db: Database, tmp_path: Path) -> None:
    article = written(db)
    before = everything(db)
    file = table(tmp_path, {"article": article.number, "cause": "wrong"}, {"article": "elsewhere", "cause": "wrong"})
    assert fed(db, file, dry_run=True).counts == {"created": 1, "failed": 1}
    assert everything(db) == before
    assert fed(db, file).counts == {"created": 1, "failed": 1}


def test_who_may_not_see_an_article_cannot_tell_it_from_none(db: Database, tmp_path: Path) -> None:
    hidden = written(db, groups=frozenset({"vault"}), audience=Audience.INTERNAL)
    kim = agent(db)
    file = table(tmp_path, {"article": hidden.number, "cause": "wrong"}, {"article": "482-9175", "cause": "wrong"})
    ran = fed(db, file, by=kim)
    assert ran.counts == {"failed": 2}
    assert len({each.reason for each in ran.heard.problems}) == 1
    assert fed(db, file).counts == {"created": 1, "failed": 1}, "kb itself brings it in, for that group alone"
    (case,) = casework.listing(db, agent(db, "in", groups=("vault",)), Wanted(), "", 9)
    assert (case.label, casework.listing(db, kim, Wanted(), "", 9)) == (hidden.number, [])
    reader = add_person(db, SYSTEM, "reader", Audience.CUSTOMER)[0]
    with pytest.raises(NotAllowed):
        fed(db, file, by=reader)


def test_a_stranger_can_be_erased_and_does_not_come_back(db: Database, tmp_path: Path) -> None:
    article = written(db)
    row = {
        "article": article.number,
        "quote": "ten seconds",
        "cause": "wrong",
        "agent": "Zoe Quill",
        "time": "2026-03-01",
    }
    fed(db, table(tmp_path, row))
    erasing.erase(db, erasing.find(db, "Zoe Quill"))
    fed(db, table(tmp_path, row | {"quote": "Then wait", "time": "2026-03-02"}))
    assert "Zoe" not in str(everything(db))
    assert len(every_case(db)) == 2


def test_the_command_tells_what_it_found_and_where_the_rest_is(
    data: Path, sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = written(sqlite_db, "Red light on the hub")
    rows = [{"title": "Red light on teh hub", "cause": "wrong", "agent": "Zoe"}, {"title": "Nothing", "cause": "wrong"}]
    file = table(tmp_path, *rows)
    result = call("feedback", file, "--rejects", tmp_path / "rejects.csv", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) | {"source": ""} == {
        "source": "", "seen": 2, "created": 1, "updated": 0, "unchanged": 0, "removed": 0, "failed": 1,
    }  # fmt: skip
    notes = [str(event["text"]) for event in events(result) if event["event"] == "note"]
    assert any(f"taken for {article.number} by its title" in note for note in notes)
    assert any("Zoe" in note for note in notes)
    assert (tmp_path / "rejects.csv").exists()
    for wrong in (["--map", "title"], ["--zone", "Mars/North"], ["--source", ""], ["--by", "nobody"]):
        assert call("feedback", file, *wrong).exit_code == 2
    assert call("feedback", tmp_path / "none.csv").exit_code == 2


def test_a_big_file_streams(sqlite_db: Database, tmp_path: Path) -> None:
    article = written(sqlite_db)
    file = tmp_path / "feedback.csv"
    with file.open("w") as target:
        target.write("article,cause,agent,quote\n")
        target.writelines(f"{article.number},wrong,agent {number},ten seconds\n" for number in range(300))
    ran = fed(sqlite_db, file)
    assert ran.counts == {"created": 300}
    done = [step[0] for step in ran.heard.steps]
    assert len(done) > 4
    assert done == sorted(done)
    assert every_case(sqlite_db)[0].count == 300
