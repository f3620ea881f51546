"""Keeping articles in order over HTTP: conflicts, drafts, duplicates, reminders, translations, merges, checklists."""

from datetime import timedelta
from typing import Any

import pytest

from kb import clock
from kb.article import Confidence, Size
from kb.audience import Audience
from kb.language import Language
from kb.person import SYSTEM
from kb.solve import improve
from tests.api.conftest import House

TEXT = "## Issue\nMy light stays red after the storm\n\n## Resolution\n1. Hold reset.\n2. Wait."


def revise(house: House, number: str, body: str, who: str = "publisher", version: int = 1, **more: Any) -> Any:
    sent = {"title": "Red light", "body": body, "version": version} | more
    return house.post(f"articles/{number}/revisions", sent, who)


def test_a_conflict_is_answered_with_a_merge_that_can_be_saved(house: House) -> None:
    number = house.write(body="Hold reset.\n\nWait.", audience=Audience.INTERNAL).number
    assert revise(house, number, "Press reset.\n\nWait.", "contributor").status_code == 201
    refused = revise(house, number, "Hold reset.\n\nWait a minute.")
    assert refused.status_code == 409
    conflict = refused.json()["error"]["conflict"]
    assert (conflict["version"], conflict["base"], conflict["theirs"]) == (2, 1, 2)
    assert conflict["their_author_id"] == house.ids["contributor"]
    assert conflict["body"]["text"] == "Press reset.\n\nWait a minute."
    assert {each["side"] for each in conflict["body"]["pieces"]} == {"same", "theirs", "yours"}
    assert revise(house, number, conflict["body"]["text"], version=conflict["version"]).status_code == 201
    clash = revise(house, number, "Push reset.\n\nWait.").json()["error"]["conflict"]
    assert clash["body"]["text"] is None
    [marked] = [each for each in clash["body"]["pieces"] if each["side"] == "conflict"]
    assert [marked[side].strip() for side in ("base", "theirs", "yours")] == ["Hold", "Press", "Push"]


def test_a_draft_is_checked_without_being_saved(house: House) -> None:
    sent = {"title": "Red light", "body": TEXT.replace("1. Hold reset.\n2. Wait.", ""), "template": "standard"}
    found = house.post("drafts/check", sent, "candidate").json()
    assert [(each["kind"], each["field"]) for each in found["warnings"]] == [("missing", "resolution")]
    assert (found["checks"]["issue"], found["checks"]["steps"]) == (True, False)
    linked = {"title": "Red light", "body": f"{TEXT}\n\n[x]({house.write(audience=Audience.INTERNAL).number})"}
    assert house.post("drafts/check", linked, "candidate").json()["checks"]["links"]
    assert not house.post("drafts/check", linked, "partner_author").json()["checks"]["links"], "not there for them"
    assert house.post("drafts/check", sent, "reader").status_code == 403


def test_what_is_nearest_to_a_draft_is_found_with_the_reason(house: House) -> None:
    same = house.write("Red light", TEXT)
    other = house.write("A lamp that glows", TEXT + "\n3. Done.")
    house.write("Paying a bill", "Use the app.")
    hidden = house.write("Red light", TEXT, audience=Audience.INTERNAL)
    post = house.write_post("Red light after the storm", "Hold reset, it says.", audience=Audience.PUBLIC)
    house.settle()

    def found(who: str, **more: Any) -> dict[str, str]:
        response = house.post("drafts/similar", {"title": "Red Light", "body": TEXT} | more, who)
        assert response.status_code == 200, response.text
        return {each["id"]: each["reason"] for each in response.json()["found"]}

    assert found("publisher")[hidden.id] == "same_title"
    theirs = found("partner_author")
    assert (theirs[same.id], theirs[other.id]) == ("same_title", "near_text")
    assert theirs[post.id] == "same_question"
    assert len(theirs) == 3, "neither what is hidden nor what is about something else"
    assert same.id not in found("publisher", number=same.number)
    assert house.post("drafts/similar", {"title": "Red light"}, "reader").status_code == 403


def reminded(house: House, who: str = "publisher", **query: Any) -> list[tuple[str, str]]:
    found = house.get("reminders", who, **query).json()["reminders"]
    return [(each["title"], each["reason"]) for each in found]


def test_owners_are_reminded_of_what_ends_and_of_what_nobody_confirmed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, at = {"owner_id": house.ids["publisher"]}, clock.now()
    ending = house.write("Prices in spring", valid_until=at + timedelta(days=20), **mine)
    house.write("Prices in summer", valid_until=at + timedelta(days=99), **mine)
    house.write("Of somebody else", valid_until=at + timedelta(days=9))
    house.write("A draft", valid_until=at + timedelta(days=9), publish=False, **mine)
    assert reminded(house) == [("Prices in spring", "expiring")]
    assert len(reminded(house, owner="all")) == 2
    monkeypatch.setattr(clock, "now", lambda: at + timedelta(days=200))
    assert ("Prices in spring", "stale") in reminded(house)
    assert reminded(house, reason="expiring") == [("Prices in spring", "expiring"), ("Prices in summer", "expiring")]
    confirmed = house.post(f"articles/{ending.number}/confirm", {"version": 1}, "publisher").json()
    assert confirmed["editing"]["valid_until"][:10] == f"{at + timedelta(days=220):%Y-%m-%d}", "as long as before"
    assert confirmed["live"]
    assert ("Prices in spring", "stale") not in reminded(house)
    assert house.get("reminders", "reader").status_code == 403


def test_an_owner_confirms_without_the_right_to_publish_and_others_need_one(house: House) -> None:
    number = house.write(owner_id=house.ids["candidate"]).number
    soon = (clock.now() + timedelta(days=9)).isoformat()
    path = f"articles/{number}/confirm"
    assert house.post(path, {"valid_until": soon}, "candidate").status_code == 200
    assert house.post(path, {"version": 1}, "contributor").status_code == 409
    assert house.post(path, {}, "contributor").status_code == 200
    assert house.post(f"articles/{house.write().number}/confirm", {}, "candidate").status_code == 403
    past = (clock.now() - timedelta(days=9)).isoformat()
    assert house.post(path, {"valid_until": past}, "candidate").status_code == 422
    ended = house.write(owner_id=house.ids["candidate"], valid_until=clock.now() - timedelta(days=1))
    assert house.post(f"articles/{ended.number}/confirm", {}, "candidate").status_code == 403, "that publishes"


def test_translations_say_how_far_they_are_behind(house: House) -> None:
    original = house.write()
    chinese = house.write("红灯", "重启。", language=Language.SIMPLIFIED, translation_of=original.id,
                          confidence=Confidence.VALIDATED)  # fmt: skip
    for version, size in enumerate(Size, 1):
        assert revise(house, original.number, f"{size}", version=version, publish=True, size=size).status_code == 201
    history = house.get(f"articles/{original.number}/revisions", "candidate").json()["revisions"]
    assert [each["size"] for each in history] == ["content", "typo", "content", "meaning"]

    def seen(who: str, number: str = chinese.number) -> list[tuple[str, bool, int | None, str]]:
        found = house.get(f"articles/{number}/translations", who).json()["translations"]
        return [(each["language"], each["is_original"], each["behind"], each["confidence"]) for each in found]

    assert seen("candidate") == [("en", True, 0, "not_validated"), ("zh-Hans", False, 2, "not_validated")]
    assert seen("") == [("en", True, None, "not_validated"), ("zh-Hans", False, None, "not_validated")]
    assert revise(house, chinese.number, "重置。", version=2, translates=9).status_code == 422
    assert revise(house, original.number, "x", version=4, translates=1).status_code == 422
    assert revise(house, chinese.number, "重置。", version=2, translates=4).status_code == 201
    assert seen("candidate")[1][2] == 0


def test_without_an_original_that_one_may_read_a_translation_stands_alone(house: House) -> None:
    original = house.write(audience=Audience.INTERNAL)
    chinese = house.write("红灯", "重启。", language=Language.SIMPLIFIED, translation_of=original.id)
    house.write("紅燈", "重啟。", language=Language.TRADITIONAL, translation_of=original.id)
    found = house.get(f"articles/{chinese.number}/translations", "partner_author").json()["translations"]
    alone = [(each["number"], each["is_original"], each["behind"], each["translates"]) for each in found]
    assert alone == [(chinese.number, True, 0, None)], "as one that is the translation of nothing"
    assert "translates" not in house.get(f"articles/{chinese.number}/audit", "partner_author").text
    assert "translates" in house.get(f"articles/{chinese.number}/audit", "candidate").text


def test_recent_users_are_those_who_sent_it(house: House) -> None:
    number = house.write().number
    interaction = house.post("interactions", {"channel": "phone"}, "contributor").json()["id"]
    events = [{"kind": kind, "number": number, "revision": 1, "interaction_id": interaction}
              for kind in ("viewed", "inserted", "copied")]  # fmt: skip
    assert house.post("events", {"events": events}, "contributor").status_code < 300
    found = house.get(f"articles/{number}/users", "publisher").json()["users"]
    assert {(each["person_id"], each["kind"], each["revision"]) for each in found} == {
        (house.ids["contributor"], "inserted", 1), (house.ids["contributor"], "copied", 1),
    }  # fmt: skip
    assert house.get(f"articles/{number}/users", "reader").status_code == 403


def test_use_is_counted_by_day_way_tier_and_role(house: House) -> None:
    number = house.write().number
    interaction = house.post("interactions", {"channel": "chat"}, "contributor").json()["id"]
    about = {"number": number, "revision": 1}
    inside = [{"kind": "linked", "type": "resolution"}, {"kind": "inserted"}, {"kind": "viewed"}, {"kind": "viewed"}]
    sent = [each | about | {"interaction_id": interaction} for each in inside]
    assert house.post("events", {"events": sent}, "contributor").status_code < 300
    for who in ("customer", ""):
        assert house.post("events", {"events": [{"kind": "viewed"} | about]}, who).status_code < 300
    found = house.get(f"articles/{number}/use", "candidate", days=90).json()
    counted = {(each["kind"], each["type"], each["audience"], each["role"], each["count"]) for each in found["times"]}
    assert counted == {
        ("linked", "resolution", "internal", "contributor", 1), ("inserted", None, "internal", "contributor", 1),
        ("viewed", None, "internal", "contributor", 2), ("viewed", None, "customer", None, 1),
        ("viewed", None, "public", None, 1),
    }  # fmt: skip
    assert all(len(each["day"]) == len("2026-03-14") for each in found["times"])
    assert (found["resolution"], found["reference"]) == (1, 0)
    users = house.get(f"articles/{number}/users", "candidate").json()["users"]
    assert {(each["kind"], each["channel"]) for each in users} == {("linked", "chat"), ("inserted", "chat")}
    assert house.get(f"articles/{number}/use", "reader").status_code == 403
    hidden = house.write(audience=Audience.INTERNAL).number
    assert house.get(f"articles/{hidden}/use", "partner_author").status_code == 404


def test_a_merge_is_previewed_with_all_that_moves(house: House) -> None:
    older, newer = house.write(), house.write(audience=Audience.INTERNAL)
    house.write("红灯", "重启。", language=Language.SIMPLIFIED, translation_of=newer.id)
    flag = {"cause": "wrong_fact", "number": newer.number, "revision": 1, "quote": "Restart the hub."}
    assert house.post("flags", flag, "candidate").status_code < 300
    path = f"articles/{newer.number}/merge"
    found = house.get(path, "candidate", other=older.number).json()
    assert (found["kept"]["number"], found["merged"]["number"]) == (older.number, newer.number)
    assert [found[each] for each in ("links", "translations", "cases", "shown", "needs_text")] == [0, 1, 1, True, True]
    assert house.get(path, "candidate", other="000-0000").status_code == 422
    assert house.get(path, "candidate", other=newer.number).status_code == 422
    assert house.get(path, "reader", other=older.number).status_code == 403
    assert house.get(path, "partner_author", other=older.number).status_code == 404
    assert house.get(f"articles/{older.number}/merge", "partner_author", other=newer.number).status_code == 422


def test_after_a_merge_the_old_number_leads_to_the_article_that_is_kept(house: House) -> None:
    older, newer = house.write(body="Restart."), house.write(body="Hold reset.")
    done = house.post(f"articles/{newer.number}/merge", {"other": older.number, "version": 1}, "publisher").json()
    assert (done["kept"]["number"], done["merged"]["number"], done["text"]) == (older.number, newer.number, True)
    found = house.get(f"articles/{newer.number}").json()
    assert (found["number"], found["moved_to"], found["body"]) == (older.number, older.number, "Hold reset.")
    found = house.get(f"articles/{newer.number}", "candidate").json()
    assert (found["number"], found["moved_to"], found["confidence"]) == (newer.number, older.number, "archived")
    assert len(house.get(f"articles/{newer.number}/revisions", "candidate").json()["revisions"]) == 1
    house.settle()
    assert [hit["number"] for hit in house.search("hold reset")["hits"]] == [older.number]
    undone = house.post(f"articles/{newer.number}/merge/undo", {"version": 2}, "publisher").json()
    assert (undone["merged"]["live"], undone["text"]) == (True, True)
    assert house.get(f"articles/{older.number}").json()["body"] == "Restart."
    assert house.get(f"articles/{newer.number}").json()["moved_to"] is None


def test_an_old_number_tells_nobody_of_what_was_not_theirs(house: House) -> None:
    kept, secret = house.write(), house.write(audience=Audience.INTERNAL)
    internal, draft = house.write(audience=Audience.INTERNAL), house.write(publish=False)
    for old, new in ((internal, kept), (draft, kept), (kept, secret)):
        assert house.get(f"articles/{old.number}").status_code == (200 if old is kept else 404)
        improve.archive(house.service.db, SYSTEM, old.id, superseded_by=new.id)
        assert house.get(f"articles/{old.number}").status_code == 404


def test_checklists_are_for_author_coach_and_administrator(house: House) -> None:
    sent = {"title": "The hub's light is red", "body": TEXT, "language": "en", "audience": "internal"}
    number = house.post("articles", sent, "candidate").json()["number"]
    path = f"articles/{number}/revisions/1/checklist"
    found = house.get(path, "candidate").json()
    assert (found["author_id"], found["computed"]["issue"], found["computed"]["environment"]) == (
        house.ids["candidate"], True, False,
    )  # fmt: skip
    assert house.get(path, "publisher").status_code == 403
    tick = {"ticked": {"customers_words": True, "correct": False}, "remark": "Which hub?", "version": 0}
    assert house.ask("PUT", path, "candidate", json=tick).status_code == 403
    assert house.ask("PUT", path, "admin", json=tick).json()["version"] == 1
    assert house.ask("PUT", path, "admin", json=tick).status_code == 409
    assert house.get(path, "candidate").json()["ticked"] == tick["ticked"]
    [mine] = house.get("checklists", "candidate").json()["checklists"]
    assert (mine["number"], mine["remark"]) == (number, "Which hub?")
    author = {"author": house.ids["candidate"]}
    assert len(house.get("checklists", "admin", **author).json()["checklists"]) == 1
    assert house.get("checklists", "publisher", **author).status_code == 403
    assert house.get("checklists", "reader").status_code == 403
