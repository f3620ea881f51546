"""What flags lead to beside the queue: warnings, gaps, recall, what people hear; over HTTP."""

import pytest

from kb.person import SYSTEM, Scope
from kb.solve.access import issue_key
from tests.api.conftest import House
from tests.api.test_cases import TEN, centre, fixed, flagged, told
from tests.api.test_errors import problem

__all__ = ["centre"]  # a fixture


def test_while_a_severe_case_is_open_the_article_says_so_to_staff_and_sinks(centre: House) -> None:
    article, other = centre.write("Red light", TEN), centre.write("Red light", f"{TEN} ")
    centre.settle()
    case = flagged(centre, article, severe=True)["case"]
    assert case["severity"] == "severe"
    hits = centre.search("red light reset", "candidate")["hits"]
    assert [hit["number"] for hit in hits] == [other.number, article.number]
    assert [bool(hit["open_case"]) for hit in hits] == [False, True]
    assert {"name": "open_case", "value": -0.1} in hits[1]["why"]
    warning = centre.get(f"articles/{article.number}", "candidate").json()["open_case"]
    assert (warning["id"], warning["cause"]) == (case["id"], "wrong_fact")
    suggested = centre.get("suggest", "candidate", q="red li").json()["suggestions"]
    assert [bool(each["open_case"]) for each in suggested if each["number"] == article.number] == [True]
    for who in ("", "customer", "reader"):
        assert centre.get(f"articles/{article.number}", who).json()["open_case"] is None
        assert {hit["open_case"] for hit in centre.search("red light reset", who)["hits"]} == {None}
    fixed(centre, article, case["id"])
    assert centre.get(f"articles/{article.number}", "candidate").json()["open_case"] is None


@pytest.mark.parametrize("kind", ["inserted", "copied", "linked"])
def test_what_has_a_severe_case_is_passed_on_only_by_who_knows(centre: House, kind: str) -> None:
    article = centre.write("Red light", TEN)
    case = flagged(centre, article, severe=True)["case"]
    interaction = centre.post("interactions", {"channel": "chat"}, "candidate").json()["id"]
    event = {"kind": kind, "number": article.number, "revision": 1, "interaction_id": interaction}
    event |= {"type": "reference"} if kind == "linked" else {}
    refused = centre.post("events", {"events": [event]}, "candidate")
    assert (refused.status_code, problem(refused)["code"]) == (409, "open_case")
    assert case["id"] in problem(refused)["message"]
    known = event | {"acknowledged_case": case["id"]}
    assert centre.post("events", {"events": [known]}, "candidate").status_code == 201
    trail = centre.get(f"interactions/{interaction}", "candidate").json()["trail"]
    assert [each["data"]["acknowledged_case"] for each in trail] == [case["id"]]
    assert centre.post("events", {"events": [event | {"kind": "viewed", "type": None}]}, "candidate").status_code == 201
    if kind != "linked":
        copied = {"kind": kind, "number": article.number, "revision": 1}
        assert centre.post("events", {"events": [copied]}, "customer").status_code == 201


def test_not_helpful_makes_a_case_when_many_say_it_and_none_by_one(centre: House) -> None:
    article = centre.write("Red light", TEN)
    event = {"kind": "not_helpful", "number": article.number, "revision": 1}
    for _ in range(5):
        centre.post("events", {"events": [event]}, "customer")
    assert centre.get("cases", "candidate").json()["cases"] == []  # one person, however often
    for who in ("partner", ""):
        centre.post("events", {"events": [event]}, who)
    (case,) = centre.get("cases", "candidate").json()["cases"]
    assert (case["cause"], case["count"], case["road"]) == ("not_helpful", 3, "editor")
    interaction = centre.post("interactions", {"channel": "self_help"}, "customer").json()["id"]
    centre.post("events", {"events": [event | {"interaction_id": interaction}]}, "customer")
    assert centre.get(f"cases/{case['id']}", "candidate").json()["count"] == 4


def test_what_nothing_answers_waits_as_a_gap_until_an_article_does(centre: House) -> None:
    gap = {"cause": "nothing_answers", "query": "Can I keep my number abroad?"}
    case = centre.post("flags", gap, "candidate").json()["case"]
    same = centre.post("flags", gap | {"query": "can i keep my  number abroad?"}, "contributor").json()["case"]
    assert same["id"] == case["id"]
    assert case["owner_id"]
    (listed,) = centre.get("gaps", "candidate").json()["cases"]
    assert (listed["title"], listed["count"], listed["road"]) == ("Can I keep my number abroad?", 2, "gaps")
    article = {"title": "Your number abroad", "body": "You keep your number abroad.", "language": "en",
               "audience": "public", "publish": True, "fixes": [case["id"]]}  # fmt: skip
    written = centre.post("articles", article, "publisher").json()
    assert centre.get("gaps", "candidate").json()["cases"] == []
    centre.settle()
    centre.service.prover.step()
    read = centre.get(f"cases/{case['id']}", "candidate").json()
    assert (read["state"], read["item_id"], read["proof"]) == ("fixed", written["id"], "done")
    assert [(each["before"]["rank"], each["after"]["rank"]) for each in read["proofs"]] == [(None, 1)]
    assert told(centre, "candidate") == [("fixed", case["id"])]
    centre.post(f"cases/{case['id']}/reopen", {"reason": "Not for calls"}, "candidate")
    assert centre.get("gaps", "candidate").json()["cases"][0]["item_id"] is None


def test_a_flag_that_says_too_little_or_too_much_is_refused(centre: House) -> None:
    article = centre.write("Red light", TEN)
    about = {"number": article.number, "revision": 1}
    for sent, field in [
        ({"cause": "wrong_fact"}, "revision"),
        ({"cause": "wrong_fact", "number": article.number}, "revision"),
        ({"cause": "wrong_fact", "number": article.number, "revision": 7}, "revision"),
        ({"cause": "wrong_fact", **about, "ordinal": 9}, "ordinal"),
        ({"cause": "better_way", **about}, "note"),
        ({"cause": "not_helpful", **about}, "cause"),
        ({"cause": "nothing_answers"}, "query"),
        ({"cause": "nothing_answers", "query": "x", **about}, "item_id"),
    ]:
        assert problem(centre.post("flags", sent, "candidate"))["field"] == field, sent


def test_a_post_is_flagged_like_an_article(centre: House) -> None:
    post = centre.write_post("Router trick", "Unplug it.")
    sent = {"cause": "hard_to_use", "item_kind": "post", "item_id": post.id, "revision": 1, "ordinal": 0}
    case = centre.post("flags", sent, "candidate").json()["case"]
    assert (case["kind"], case["title"], case["number"]) == ("post", "Router trick", None)


def test_a_fix_that_changes_the_meaning_lists_who_received_the_wrong_revision(centre: House) -> None:
    article = centre.write("Red light", TEN)
    interaction = centre.post("interactions", {"channel": "chat", "subject": "=cmd()"}, "candidate").json()["id"]
    event = {"kind": "inserted", "number": article.number, "revision": 1, "interaction_id": interaction}
    centre.post("events", {"events": [event, event | {"kind": "not_helpful"}]}, "candidate")
    case = flagged(centre, article)["case"]
    path = f"cases/{case['id']}/recall"
    assert problem(centre.get(path, "publisher"))["field"] == "changes_meaning"
    fixed(centre, article, case["id"], changes_meaning=True)
    centre.post("events", {"events": [event | {"revision": 2}]}, "candidate")
    found = centre.get(path, "publisher").json()
    assert found["revisions"] == [1]
    (received,) = found["received"]
    assert (received["agent_id"], received["how"]) == (centre.ids["candidate"], "inserted")
    assert (received["channel"], received["interaction_id"]) == ("chat", interaction)
    csv = centre.get(f"{path}.csv", "publisher")
    assert "'=cmd()" in csv.text
    assert "attachment" in csv.headers["Content-Disposition"]
    assert centre.get(f"{path}.jsonl", "publisher").json()["subject"] == "=cmd()"
    assert problem(centre.get(path, "contributor"))["code"] == "not_allowed"


def test_a_key_without_the_scope_to_write_flags_and_works_on_no_case(centre: House) -> None:
    case = flagged(centre, centre.write("Red light", TEN))["case"]
    key = issue_key(centre.service.db, SYSTEM, centre.ids["publisher"], "desk", scopes=frozenset({Scope.INTERACT}))
    headers = {"Authorization": f"Bearer {key}"}
    assert centre.ask("GET", f"cases/{case['id']}", headers=headers).status_code == 200
    declined = centre.ask("POST", f"cases/{case['id']}/decline", headers=headers, json={"reason": "no"})
    assert declined.status_code == 403


def test_what_was_said_before_a_case_was_closed_makes_no_new_one(centre: House) -> None:
    article = centre.write("Red light", TEN)
    event = {"kind": "not_helpful", "number": article.number, "revision": 1}
    for who in ("customer", "partner", ""):
        centre.post("events", {"events": [event]}, who)
    (case,) = centre.get("cases", "candidate").json()["cases"]
    centre.post(f"cases/{case['id']}/decline", {"reason": "It is what it is"}, "publisher")
    centre.post("events", {"events": [event]}, "partner")
    assert [each["id"] for each in centre.get("cases", "candidate").json()["cases"]] == [case["id"]]


def test_undoing_a_fix_is_told_to_those_who_were_told_of_it(centre: House) -> None:
    article = centre.write("Red light", TEN)
    case = flagged(centre, article)["case"]
    fixed(centre, article, case["id"])
    centre.post(f"articles/{article.number}/publish", {"revision": 1}, "publisher")
    assert told(centre, "candidate") == [("reopened", case["id"]), ("fixed", case["id"])]


def test_whoever_flagged_hears_a_question_and_whose_case_it_is_the_answer(centre: House) -> None:
    article = centre.write("Red light", TEN, owner_id=centre.ids["publisher"])
    path = f"cases/{flagged(centre, article)['case']['id']}"
    for text in ("Which firmware?", "And which model?"):
        centre.post(f"{path}/comment", {"text": text}, "publisher")
    centre.post(f"{path}/comment", {"text": "Four, hub-6"}, "candidate")
    assert [news for news, _ in told(centre, "candidate")] == ["commented"]
    assert [news for news, _ in told(centre, "publisher")] == ["commented", "opened"]


def test_a_fix_that_was_not_named_can_be_named_later(centre: House) -> None:
    article = centre.write("Red light", TEN)
    case = flagged(centre, article)["case"]
    fixed(centre, article)
    named = {"revision": 2, "fixes": [case["id"]]}
    assert centre.post(f"articles/{article.number}/publish", named, "publisher").status_code == 200
    assert centre.get(f"cases/{case['id']}", "candidate").json()["state"] == "fixed"
