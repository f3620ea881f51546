"""From a flag to proof, over HTTP: what agents, editors and readers meet."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kb.article import Article
from kb.audience import Audience
from tests.api.conftest import House, opened
from tests.api.test_errors import problem

TEN = "Hold reset for ten seconds. Then wait."
FIFTEEN = "Hold reset for fifteen seconds. Then wait."


@pytest.fixture
def centre(sqlite_template: Path) -> Iterator[House]:
    with opened(sqlite_template, case_not_helpful=3) as each:
        yield each


def flagged(house: House, article: Article, who: str = "candidate", **more: Any) -> dict[str, Any]:
    sent = {"cause": "wrong_fact", "number": article.number, "revision": 1, "ordinal": 0, "quote": "ten seconds"}
    response = house.post("flags", sent | more, who)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def fixed(house: House, article: Article, *cases: str, who: str = "publisher", **more: Any) -> Any:
    version = house.get(f"articles/{article.number}", who).json()["version"]
    sent = {"title": "Red light", "body": FIFTEEN, "publish": True, "fixes": cases, "version": version}
    return house.post(f"articles/{article.number}/revisions", sent | more, who)


def told(house: House, who: str, **query: Any) -> list[tuple[str, str]]:
    found = house.get("notifications", who, **query).json()["notifications"]
    return [(each["news"], each["case"]["id"]) for each in found]


def test_flags_of_the_same_sentence_are_one_case_and_who_flags_again_counts_once(centre: House) -> None:
    article = centre.write("Red light", TEN)
    first = flagged(centre, article, note="It takes fifteen")
    second = flagged(centre, article, "contributor", quote="Hold reset for ten seconds.")
    again = flagged(centre, article, note="Since firmware 4")
    other = flagged(centre, article, "contributor", quote="Then wait.")
    assert first["case"]["id"] == second["case"]["id"] == again["case"]["id"] != other["case"]["id"]
    assert (second["case"]["count"], again["case"]["count"]) == (2, 2)
    assert (first["again"], again["again"], first["id"]) == (False, True, again["id"])
    read = centre.get(f"cases/{first['case']['id']}", "candidate").json()
    assert [each["note"] for each in read["flags"]] == ["Since firmware 4", ""]
    assert read["quote"] == "Hold reset for ten seconds."
    assert [each["action"] for each in read["history"]] == ["opened", "flagged", "flagged"]


def test_the_same_sentence_in_a_later_revision_is_the_same_case(centre: House) -> None:
    article = centre.write("Red light", TEN)
    first = flagged(centre, article)
    fixed(centre, article, body=f"# New\n\nLook first. See below.\n\n# Reset\n\n{TEN}")
    later = flagged(centre, article, "contributor", revision=2, ordinal=None)
    assert later["case"]["id"] == first["case"]["id"]


def test_a_fix_is_proved_on_the_new_index_and_who_flagged_is_told_once_and_accepts(centre: House) -> None:
    article = centre.write("Red light", TEN)
    centre.settle()
    search = centre.search("red light reset", "candidate")
    centre.settle()
    case = flagged(centre, article, query="red light reset", search_id=search["search_id"])["case"]
    assert fixed(centre, article, case["id"]).status_code == 201
    assert [hit["passage"]["text"] for hit in centre.search("red light reset", "candidate")["hits"]] == [FIFTEEN]
    waiting = centre.get(f"cases/{case['id']}", "candidate").json()
    assert (waiting["state"], waiting["proof"], waiting["fixed_revision"]) == ("fixed", "waiting", 2)
    assert centre.service.prover.step() == 0  # the index has not seen it
    centre.settle()
    centre.service.prover.step()
    proved = centre.get(f"cases/{case['id']}", "candidate").json()
    assert proved["proof"] == "done"
    (proof,) = proved["proofs"]
    assert proof["query"] == "red light reset"
    assert proof["before"] == {"rank": 1, "revision": 1, "ordinal": 0, "text": TEN}
    assert proof["after"] == {"rank": 1, "revision": 2, "ordinal": 0, "text": FIFTEEN}
    (note,) = centre.get("notifications", "candidate").json()["notifications"]
    changed = centre.get(f"notifications/{note['id']}", "candidate").json()["changed"]
    assert [each["text"] for each in changed["body"] if each["change"] != "equal"] == ["ten", "fifteen"]
    assert centre.post("notifications/read", {"ids": [note["id"]]}, "candidate").json() == {"read": 1}
    assert told(centre, "candidate", unread=True) == []
    closed = centre.post(f"cases/{case['id']}/accept", None, "candidate").json()
    assert closed["state"] == "closed"
    assert closed["turn_around_s"] > 0
    metrics = centre.get("/metrics", "admin").text
    assert 'kb_cases{state="closed"} 1.0' in metrics
    assert "kb_case_turn_around_seconds_count 1.0" in metrics
    assert centre.post(f"cases/{case['id']}/accept", None, "publisher").json()["version"] == closed["version"]


def test_who_flagged_reopens_with_one_call_and_the_owner_hears_of_it(centre: House) -> None:
    article = centre.write("Red light", TEN, owner_id=centre.ids["publisher"])
    case = flagged(centre, article)["case"]
    assert case["owner_id"] == centre.ids["publisher"]
    fixed(centre, article, case["id"], who="admin")
    again = centre.post(f"cases/{case['id']}/reopen", {"reason": "The table still says ten"}, "candidate").json()
    assert (again["state"], again["fixed_revision"]) == ("open", None)
    assert told(centre, "publisher") == [("reopened", case["id"]), ("opened", case["id"])]
    fixed(centre, article, case["id"], who="admin")
    assert told(centre, "candidate") == [("fixed", case["id"])] * 2  # once for each fix


def test_publishing_the_previous_revision_again_opens_what_the_undone_one_had_fixed(centre: House) -> None:
    article = centre.write("Red light", TEN)
    case = flagged(centre, article)["case"]
    fixed(centre, article, case["id"])
    centre.post(f"cases/{case['id']}/accept", None, "candidate")
    assert centre.post(f"articles/{article.number}/publish", {"revision": 1}, "publisher").status_code == 200
    read = centre.get(f"cases/{case['id']}", "candidate").json()
    assert (read["state"], read["history"][-1]["action"]) == ("open", "undone")
    assert read["turn_around_s"] is None


def test_flagging_the_revision_that_fixed_it_opens_the_case_again(centre: House) -> None:
    article = centre.write("Red light", TEN)
    case = flagged(centre, article)["case"]
    fixed(centre, article, case["id"], body=f"{TEN} Call us.")
    late = flagged(centre, article, "contributor")
    assert (late["case"]["id"], late["case"]["state"]) == (case["id"], "fixed")
    again = flagged(centre, article, "contributor", revision=2)
    assert (again["case"]["id"], again["case"]["state"]) == (case["id"], "open")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"publish": False}, "fixes"),
        ({"fixes": ["nothing"]}, "fixes.0"),
    ],
)
def test_only_a_published_revision_fixes_and_only_cases_that_there_are(
    centre: House, fields: dict[str, Any], field: str
) -> None:
    article = centre.write("Red light", TEN)
    case = flagged(centre, article)["case"]
    assert (
        problem(
            fixed(
                centre,
                article,
                *({"fixes": [case["id"]]} | fields)["fixes"],
                **{name: value for name, value in fields.items() if name != "fixes"},
            )
        )["field"]
        == field
    )
    other = centre.write("Another", TEN)
    assert problem(fixed(centre, other, case["id"]))["field"] == "fixes.0"
    assert centre.get(f"articles/{other.number}", "publisher").json()["revision"] == 1
    assert fixed(centre, article, case["id"]).status_code == 201


def test_a_candidate_flags_and_sees_why_and_how_it_stands_and_does_not_decline(centre: House) -> None:
    article = centre.write("Red light", TEN)
    case = flagged(centre, article)["case"]
    path = f"cases/{case['id']}"
    assert problem(centre.post(f"{path}/decline", {"reason": "no"}, "candidate"))["code"] == "not_allowed"
    assert problem(centre.post(f"{path}/assign", {"person_id": "me"}, "candidate"))["code"] == "not_allowed"
    assert centre.post(f"{path}/comment", {"text": "Seen twice today"}, "candidate").status_code == 200
    assert centre.post(f"{path}/decline", {"reason": "Ten is right"}, "contributor").json()["state"] == "declined"
    read = centre.get(path, "candidate").json()
    assert (read["reason"], read["history"][-1]["text"]) == ("Ten is right", "Ten is right")
    assert told(centre, "candidate") == [("declined", case["id"])]
    fresh = flagged(centre, article)["case"]
    assert fresh["id"] != case["id"]
    assert problem(centre.post(f"{path}/reopen", {"reason": "It is not"}, "candidate"))["code"] == "conflict"


def test_somebody_takes_a_case_and_a_stale_edit_is_refused(centre: House) -> None:
    case = flagged(centre, centre.write("Red light", TEN))["case"]
    path = f"cases/{case['id']}"
    taken = centre.post(f"{path}/assign", {"person_id": "me", "version": case["version"]}, "contributor").json()
    assert (taken["state"], taken["assignee_id"]) == ("in_progress", centre.ids["contributor"])
    stale = {"severity": "severe", "version": case["version"]}
    assert problem(centre.post(f"{path}/weigh", stale, "publisher"))["code"] == "conflict"
    weighed = centre.post(f"{path}/weigh", {"severity": "severe"}, "publisher").json()
    assert weighed["due_at"] < case["due_at"]
    assert weighed["demand"] == 64
    assert problem(centre.post(f"{path}/assign", {"person_id": centre.ids["candidate"]}, "publisher"))["field"]
    given = {"person_id": centre.ids["publisher"], "owner": True}
    assert centre.post(f"{path}/assign", given, "contributor").json()["owner_id"] == centre.ids["publisher"]


def test_what_nobody_owns_goes_to_the_domain_or_to_somebody(centre: House) -> None:
    owned = {"topic": "broadband", "owner_id": centre.ids["contributor"]}
    assert centre.ask("PUT", "domains", "publisher", json=owned).status_code == 200
    assert centre.get("domains", "publisher").json() == {"domains": [owned]}
    near = flagged(centre, centre.write("Red light", TEN, topic="broadband/faults"))
    far = flagged(centre, centre.write("Red light", TEN, topic="billing"))
    assert near["case"]["owner_id"] == centre.ids["contributor"]
    assert far["case"]["owner_id"] in (centre.ids["publisher"], centre.ids["partner_author"])
    assert problem(centre.get("domains", "contributor"))["code"] == "not_allowed"


def test_cases_of_what_is_archived_stay_readable(centre: House) -> None:
    article = centre.write("Red light", TEN)
    case = flagged(centre, article)["case"]
    centre.post(f"articles/{article.number}/archive", {}, "publisher")
    read = centre.get(f"cases/{case['id']}", "candidate").json()
    assert (read["number"], read["title"], read["state"]) == (article.number, "Red light", "open")
    assert [each["id"] for each in centre.get("cases", "candidate").json()["cases"]] == [case["id"]]


def test_readers_meet_no_case_and_staff_only_those_of_their_circle(centre: House) -> None:
    article = centre.write("Red light", TEN)
    secret = centre.write("Fraud desk", TEN, audience=Audience.INTERNAL, groups=frozenset({"fraud-team"}))
    mine = flagged(centre, article, "publisher")["case"]["id"]
    theirs = flagged(centre, secret, "publisher")["case"]["id"]
    for who in ("", "customer", "partner", "reader"):
        for case in (mine, theirs, "none"):
            assert problem(centre.get(f"cases/{case}", who))["code"] == "not_allowed"
        assert problem(centre.get("cases", who))["code"] == "not_allowed"
        sent = {"cause": "wrong_fact", "number": article.number, "revision": 1}
        assert problem(centre.post("flags", sent, who))["code"] == "not_allowed"
    assert [each["id"] for each in centre.get("cases", "contributor").json()["cases"]] == [mine]
    assert centre.get(f"cases/{mine}", "contributor").status_code == 200
    for case, who in ((theirs, "contributor"), (mine, "partner_author"), (theirs, "partner_author")):
        unknown = centre.get("cases/none", who)
        hidden = centre.get(f"cases/{case}", who)
        assert (hidden.status_code, problem(hidden)["message"]) == (404, problem(unknown)["message"])
        assert centre.post(f"cases/{case}/comment", {"text": "x"}, who).status_code == 404
        done = centre.post("cases/bulk", {"ids": [case, "none"], "action": "accept"}, who).json()["results"]
        assert {(each["code"], each["message"]) for each in done} == {
            ("not_found", "there is no such thing, or it is not for you".replace("thing", "case"))
        }
    assert centre.get("cases", "partner_author").json()["cases"] == []
    ours = flagged(centre, article, "partner_author")["case"]
    assert (ours["count"], ours["audience"]) == (1, "partner")


def test_the_list_is_ordered_by_demand_filtered_and_paged(centre: House) -> None:
    articles = [centre.write(f"Light {n}", TEN, topic=f"broadband/t{n}") for n in range(4)]
    for n, article in enumerate(articles):
        for who in ("candidate", "contributor", "publisher", "admin")[: n + 1]:
            flagged(centre, article, who, note=f"zebra {n}")

    def titles(**query: Any) -> list[str]:
        return [each["title"] for each in centre.get("cases", "candidate", **query).json()["cases"]]

    assert titles() == ["Light 3", "Light 2", "Light 1", "Light 0"]
    first = centre.get("cases", "candidate", limit=3).json()
    assert [each["title"] for each in first["cases"]] == ["Light 3", "Light 2", "Light 1"]
    assert titles(limit=3, after=first["next"]) == ["Light 0"]
    assert titles(topic="broadband/t1") == ["Light 1"]
    assert titles(topic="broadband") == titles(state=["open", "fixed"]) == titles(cause="wrong_fact") == titles()
    assert titles(number=articles[2].number) == titles(q="zebra 2") == titles(q="light 2") == ["Light 2"]
    assert titles(overdue=True) == titles(state="closed") == titles(severity="severe") == titles(assignee="me") == []
    assert problem(centre.get("cases", "candidate", after="nonsense"))["field"] == "after"
    ids = [each["id"] for each in first["cases"]]
    bulk = centre.post("cases/bulk", {"ids": [*ids, "none"], "action": "assign", "person_id": "me"}, "contributor")
    assert [each["code"] for each in bulk.json()["results"]] == ["", "", "", "not_found"]
    assert titles(assignee=centre.ids["contributor"]) == ["Light 3", "Light 2", "Light 1"]


def test_many_at_once_and_their_undo_never_overwrite_what_somebody_else_did(centre: House) -> None:
    articles = [centre.write(f"Light {n}", TEN) for n in range(2)]
    mine, theirs = (flagged(centre, article)["case"] for article in articles)

    def step(versions: dict[str, int], **sent: Any) -> dict[str, tuple[str, int | None]]:
        asked = {"ids": [*versions], "versions": versions} | sent
        done = centre.post("cases/bulk", asked, "contributor").json()["results"]
        return {each["id"]: (each["code"], each["case"] and each["case"]["version"]) for each in done}

    centre.post(f"cases/{theirs['id']}/assign", {"person_id": "me"}, "publisher")
    read = mine["version"]
    both = {mine["id"]: read, theirs["id"]: theirs["version"]}
    done = step(both, action="decline", text="Ten is right")
    assert done == {mine["id"]: ("", read + 1), theirs["id"]: ("conflict", None)}
    assert centre.get(f"cases/{theirs['id']}", "candidate").json()["state"] == "in_progress"
    centre.post(f"cases/{mine['id']}/comment", {"text": "Why?"}, "candidate")
    assert step({mine["id"]: read + 1}, action="reopen", text="Undone") == {mine["id"]: ("conflict", None)}
    late = centre.post(f"cases/{mine['id']}/reopen", {"reason": "Undone", "version": read + 1}, "contributor")
    assert problem(late)["code"] == "conflict"
    assert step({mine["id"]: read + 2}, action="reopen", text="Undone") == {mine["id"]: ("", read + 3)}


def test_a_case_shows_its_passage_as_it_was_flagged_and_as_it_is_today(centre: House) -> None:
    other = "# Look\n\n" + "Is it red, or is it orange, or is it out? " * 30
    article = centre.write("Red light", f"{other}\n\n# Reset\n\n{TEN}\n\n{'Then call us. ' * 60}")
    case = flagged(centre, article, ordinal=None)["case"]

    def quoted() -> Any:
        return centre.get(f"cases/{case['id']}", "candidate").json()["quoted"]

    assert quoted()["then"] == quoted()["now"]
    assert "ten seconds" in quoted()["then"]["html"]
    fixed(centre, article, body=f"{other}\n\n# Reset\n\n{FIFTEEN}\n\n{'Then call us. ' * 60}")
    now = quoted()
    assert (now["then"]["revision"], now["now"]["revision"]) == (1, 2)
    assert [each["text"] for each in now["changes"] if each["change"] != "equal"] == ["ten", "fifteen"]
    fixed(centre, article, body="Gone.\n\n::: internal\nHold reset for ten seconds.\n:::")
    assert "Hold reset" in quoted()["now"]["html"], "staff may read it"
    fixed(centre, article, body="Gone.")
    assert (quoted()["then"]["revision"], quoted()["now"], quoted()["changes"]) == (1, None, [])


def test_what_was_read_and_what_was_not_are_listed_apart(centre: House) -> None:
    article = centre.write("Red light", TEN)
    cases = [flagged(centre, article, quote=each)["case"]["id"] for each in ("ten seconds", "Then wait")]
    fixed(centre, article, *cases)
    notes = centre.get("notifications", "candidate").json()["notifications"]
    centre.post("notifications/read", {"ids": [notes[0]["id"]]}, "candidate")
    assert told(centre, "candidate", unread=False) == [("fixed", notes[0]["case"]["id"])]
    assert told(centre, "candidate", unread=True) == [("fixed", notes[1]["case"]["id"])]
    assert len(told(centre, "candidate")) == 2


def test_whoever_knew_a_better_way_is_credited_in_the_revision_that_took_it_up(centre: House) -> None:
    article = centre.write("Red light", TEN)
    known = flagged(centre, article, cause="better_way", note="Hold the pin", quote="", ordinal=None)["case"]
    flagged(centre, article, "contributor")
    fixed(centre, article, known["id"], body="Hold the pin for ten seconds. Then wait.")
    first, second = centre.get(f"articles/{article.number}/revisions", "publisher").json()["revisions"]
    assert first["credited"] == []
    assert second["credited"] == [{"person_id": centre.ids["candidate"], "said_by": ""}]
    alone = centre.get(f"articles/{article.number}/revisions", "partner_author").json()["revisions"]
    assert [each["credited"] for each in alone] == [[], []], "the case is not for them"
