"""The editors' one queue over HTTP: what waits, for whom it is there, in which order, and what is put aside."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kb import clock
from kb.audience import Audience
from kb.person import SYSTEM
from kb.solve import improve
from kb.store import audit
from tests.api.conftest import House, opened
from tests.api.test_cases import TEN, fixed, flagged
from tests.api.test_errors import problem


@pytest.fixture
def centre(sqlite_template: Path) -> Iterator[House]:
    with opened(sqlite_template) as each:
        yield each


def queue(house: House, who: str = "contributor", **query: Any) -> dict[str, Any]:
    response = house.get("queue", who, **query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def keys(house: House, who: str = "contributor", **query: Any) -> list[str]:
    return [each["key"] for each in queue(house, who, **query)["lines"]]


def gap(house: House, query: str, who: str = "candidate") -> str:
    response = house.post("flags", {"cause": "nothing_answers", "query": query}, who)
    assert response.status_code == 201, response.text
    return f"gap:{response.json()['case']['id']}"


def test_cases_to_do_and_gaps_stand_in_one_order_and_what_is_fixed_is_gone(centre: House) -> None:
    article = centre.write("Red light", TEN)
    low = flagged(centre, article, cause="hard_to_use")["case"]["id"]
    normal = flagged(centre, article, quote="Then wait.")["case"]["id"]
    flagged(centre, article, "contributor", quote="Then wait.")
    missing = gap(centre, "cancel fibre")
    assert keys(centre) == [f"case:{normal}", missing, f"case:{low}"]
    [first, second, _] = queue(centre)["lines"]
    assert (first["kind"], first["demand"], first["case"]["id"], first["number"]) == (
        "case", 8, normal, article.number,
    )  # fmt: skip
    assert (second["kind"], second["title"], second["demand"]) == ("gap", "cancel fibre", 4)
    assert fixed(centre, article, normal).status_code == 201
    assert keys(centre) == [missing, f"case:{low}"]
    counts = queue(centre, kind=["gap"])["counts"]
    assert (counts["case"], counts["gap"], counts["search"]) == (1, 1, 0), "whatever kinds are shown"


def test_pages_go_on_where_the_last_one_ended_across_kinds(centre: House) -> None:
    article = centre.write("Red light", TEN)
    flagged(centre, article)
    flagged(centre, article, quote="Then wait.")
    missing = [gap(centre, f"query {n}") for n in range(3)]
    whole, after, read = keys(centre), None, []
    while True:
        page = queue(centre, limit=2, **({"after": after} if after else {}))
        read += [each["key"] for each in page["lines"]]
        after = page["next"]
        if after is None:
            break
    assert (read, len(set(read))) == (whole, 5)
    assert set(missing) < set(read)


def test_filters_leave_only_what_meets_them(centre: House) -> None:
    article = centre.write("Red light", TEN, topic="broadband/faults", owner_id=centre.ids["contributor"])
    case = flagged(centre, article)["case"]["id"]
    missing = gap(centre, "cancel fibre 退訂")
    assert keys(centre, owner="me") == [f"case:{case}"]
    assert keys(centre, topic="broadband") == [f"case:{case}"]
    assert keys(centre, cause="nothing_answers") == [missing]
    assert keys(centre, q="退订") == [missing], "either script"
    assert keys(centre, severity="severe") == []
    assert keys(centre, overdue="true") == []
    assert set(keys(centre, assignee="none")) == {f"case:{case}", missing}
    assert centre.post(f"cases/{case}/assign", {"person_id": "me"}, "contributor").status_code == 200
    assert keys(centre, assignee="me") == [f"case:{case}"]
    assert keys(centre, assignee="none") == [missing]
    assert keys(centre, mine="true") == [f"case:{case}"]
    assert centre.post(f"cases/{case}/assign", {"person_id": None}, "contributor").status_code == 200
    assert (
        centre.post(f"{missing.replace('gap:', 'cases/')}/assign", {"person_id": "me"}, "contributor").status_code
        == 200
    )
    assert set(keys(centre, mine="true")) == {f"case:{case}", missing}, "owned and worked on"
    assert keys(centre, "candidate", mine="true") == []


def test_the_queue_is_for_staff_and_shows_them_what_is_theirs(centre: House) -> None:
    inside = centre.write("Red light", TEN, audience=Audience.INTERNAL)
    flagged(centre, inside)
    own = flagged(centre, centre.write("Blue light", TEN), "partner_author")["case"]["id"]
    assert keys(centre, "partner_author") == [f"case:{own}"]
    assert queue(centre, "partner_author")["counts"]["case"] == 1
    for who in ("", "customer", "reader"):
        assert centre.get("queue", who).status_code == 403


def test_an_after_that_was_never_given_out_is_refused(centre: House) -> None:
    for after in ("x", "1", "1-case", "1-case:", "1-nothing:1", "99999999999-case:1"):
        found = problem(centre.get("queue", "candidate", after=after))
        assert (found["code"], found["field"]) == ("invalid", "after")


def test_lines_are_put_aside_and_taken_back_each_for_itself(centre: House) -> None:
    case = f"case:{flagged(centre, centre.write('Red light', TEN))['case']['id']}"
    centre.write_post("Quiet fan", "Turn it around.", accepted=True)
    centre.settle()
    centre.service.queue_keeper.settle()
    post, sent = "community:p1", {"keys": ["community:p1", case, "search:none", "nonsense"], "reason": "Not ours"}
    line = next(each for each in queue(centre)["lines"] if each["key"] == post)
    assert (line["title"], line["post"]["url"], line["post"]["accepted"]) == (
        "Quiet fan", "https://forum.example/t/1", True,
    )  # fmt: skip
    assert centre.post("queue/dismiss", sent, "candidate").status_code == 403
    assert centre.post("queue/dismiss", sent, "partner_author").json()["results"][0]["code"] == "not_found"
    for _ in range(2):  # once more changes nothing
        done = centre.post("queue/dismiss", sent, "contributor").json()["results"]
        assert [each["code"] for each in done] == ["", "invalid", "not_found", "not_found"]
    assert keys(centre) == [case]
    assert queue(centre)["counts"]["community"] == 0
    with centre.service.db.read() as tx:
        [change] = audit.of(tx, "queue", "p1")
    assert (change.action, change.person_id, change.after["reason"]) == (
        "dismiss", centre.ids["contributor"], "Not ours",
    )  # fmt: skip
    assert centre.post("queue/restore", {"keys": [post]}, "contributor").json()["results"][0]["code"] == ""
    assert set(keys(centre)) == {case, post}


def test_a_line_is_due_as_its_article_is_now(centre: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = clock.now() + timedelta(days=9)
    article = centre.write("Prices in spring", TEN, valid_until=ends)
    centre.service.queue_keeper.settle()
    [line] = queue(centre)["lines"]
    assert (line["kind"], line["number"], line["overdue"], line["article"]["version"]) == (
        "expiring", article.number, False, article.version,
    )  # fmt: skip
    later = ends + timedelta(days=5)
    improve.confirm(centre.service.db, SYSTEM, article.id, until=later)
    [line] = queue(centre)["lines"]
    assert line["due_at"] == line["article"]["due"] == later.isoformat().replace("+00:00", "Z")
    monkeypatch.setattr(clock, "now", lambda: later + timedelta(days=1))
    assert [each["overdue"] for each in queue(centre, overdue="true")["lines"]] == [True]
