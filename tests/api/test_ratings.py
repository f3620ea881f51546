"""What readers say of an article: whether it helped, and what was missing (KCS IM-03)."""

from typing import Any

import pytest

from kb.article import Article
from kb.audience import Audience
from kb.interaction import LONGEST_COMMENT
from kb.solve import erasing
from tests.api.conftest import House
from tests.api.test_cases import TEN, centre
from tests.api.test_errors import problem

__all__ = ["centre"]  # a fixture


def rate(house: House, article: Article, who: str, kind: str = "not_helpful", **more: Any) -> Any:
    event = {"kind": kind, "number": article.number, "revision": 1} | more
    return house.post("events", {"events": [event]}, who)


def contact(house: House, who: str) -> str:
    opened = house.post("interactions", {"channel": "self_help"}, who)
    assert opened.status_code == 200, opened.text
    interaction_id: str = opened.json()["id"]
    return interaction_id


def ratings(house: House, who: str = "candidate") -> dict[str, Any]:
    (case,) = house.get("cases", who).json()["cases"]
    found: dict[str, Any] = house.get(f"cases/{case['id']}", who).json()["ratings"]
    return found


def test_what_readers_missed_is_read_in_the_case_that_their_voices_make(centre: House) -> None:
    article = centre.write("Red light", TEN)
    rate(centre, article, "customer", "helpful", comment="The ten seconds did it")
    for n in range(3):
        said = {"comment": f"  Which button?\u200b {n} "} if n < 2 else {}
        assert rate(centre, article, "", interaction_id=contact(centre, ""), **said).status_code == 201
    found = ratings(centre)
    assert (found["helpful"], found["not_helpful"]) == (1, 3)
    assert [(each["helped"], each["text"]) for each in found["comments"]] == [
        (False, "Which button? 1"), (False, "Which button? 0"), (True, "The ten seconds did it"),
    ]  # fmt: skip
    assert {each["revision"] for each in found["comments"]} == {1}


def test_a_case_of_another_cause_has_no_ratings(centre: House) -> None:
    article = centre.write("Red light", TEN)
    flag = {"cause": "wrong_fact", "number": article.number, "revision": 1, "quote": "ten seconds"}
    case = centre.post("flags", flag, "candidate").json()["case"]
    assert centre.get(f"cases/{case['id']}", "candidate").json()["ratings"] is None


@pytest.mark.parametrize(
    "again", [{}, {"comment": " \u200b"}, {"kind": "helpful"}, {"kind": "helpful", "comment": "Oh, it did"}]
)
def test_an_article_is_rated_once_in_an_interaction(centre: House, again: dict[str, str]) -> None:
    article, other = centre.write("Red light", TEN), centre.write("Blue light", TEN)
    here = {"interaction_id": contact(centre, "")}
    assert rate(centre, article, "", **here).status_code == 201
    refused = rate(centre, article, "", **here, **again)
    assert (refused.status_code, problem(refused)["code"]) == (409, "conflict")
    assert rate(centre, other, "", **here).status_code == 201
    assert rate(centre, article, "", interaction_id=contact(centre, "")).status_code == 201
    twice = [{"kind": "helpful", "number": article.number, "revision": 1, "interaction_id": contact(centre, "")}] * 2
    assert centre.post("events", {"events": twice}, "").status_code == 409


def test_what_was_missing_may_be_said_after_the_rating_and_once(centre: House) -> None:
    article = centre.write("Red light", TEN)
    here = {"interaction_id": contact(centre, "")}
    assert rate(centre, article, "", **here).status_code == 201
    assert rate(centre, article, "", **here, comment="Which button?").status_code == 201
    assert rate(centre, article, "", **here, comment="And where?").status_code == 409
    for who in ("customer", "partner"):
        rate(centre, article, who)
    found = ratings(centre)
    assert (found["not_helpful"], [each["text"] for each in found["comments"]]) == (3, ["Which button?"])


@pytest.mark.parametrize(
    "sent", [{"kind": "viewed", "comment": "Which?"}, {"comment": "x" * (LONGEST_COMMENT + 1)}, {"comment": 7}]
)
def test_a_comment_is_short_and_belongs_to_a_rating(shared: House, sent: dict[str, Any]) -> None:
    article = shared.write("Red light", TEN)
    assert rate(shared, article, "", comment="x" * LONGEST_COMMENT).status_code == 201
    response = rate(shared, article, "", **sent)
    assert (response.status_code, problem(response)["field"]) == (422, "events.0.comment"), response.text


def test_what_somebody_said_is_for_those_who_read_what_they_read(centre: House) -> None:
    article = centre.write("Red light", TEN, audience=Audience.PUBLIC)
    rate(centre, article, "reader", comment="Beacon says otherwise")
    rate(centre, article, "partner", comment="Which button?")
    rate(centre, article, "", comment="Where is it?")
    read = {who: [each["text"] for each in ratings(centre, who)["comments"]] for who in ("candidate", "partner_author")}
    assert read["candidate"] == ["Where is it?", "Which button?", "Beacon says otherwise"]
    assert read["partner_author"] == ["Where is it?", "Which button?"]


def test_what_was_said_inside_a_group_stays_there_when_the_article_is_opened(centre: House) -> None:
    article = centre.write("Red light", TEN, groups=frozenset({"fraud-team"}))
    here = {"interaction_id": contact(centre, "candidate")}
    rate(centre, article, "publisher", **here, comment="The code word is Vault")
    version = centre.get(f"articles/{article.number}", "publisher").json()["version"]
    opened = centre.ask("PATCH", f"articles/{article.number}", "publisher", json={"groups": [], "version": version})
    assert opened.status_code == 200, opened.text
    for who in ("customer", "partner", ""):
        rate(centre, article, who, comment=f"said by {who}")
    assert "Vault" not in centre.get(f"interactions/{here['interaction_id']}", "candidate").text
    assert "Vault" in centre.get(f"interactions/{here['interaction_id']}", "publisher").text
    assert len(ratings(centre, "candidate")["comments"]) == 3
    assert len(ratings(centre, "publisher")["comments"]) == 4


def test_a_comment_of_a_closed_case_is_not_read_again_in_the_next(centre: House) -> None:
    article = centre.write("Red light", TEN)
    for who in ("customer", "partner", ""):
        rate(centre, article, who, comment="old")
    (case,) = centre.get("cases", "candidate").json()["cases"]
    centre.post(f"cases/{case['id']}/decline", {"reason": "It is what it is"}, "publisher")
    for who in ("customer", "partner", ""):
        rate(centre, article, who, comment="new")
    cases = {each["state"]: each["id"] for each in centre.get("cases", "candidate").json()["cases"]}
    read = {state: centre.get(f"cases/{id_}", "candidate").json()["ratings"] for state, id_ in cases.items()}
    assert {each["text"] for each in read["declined"]["comments"]} == {"old"}
    assert {each["text"] for each in read["open"]["comments"]} == {"new"}


def test_what_somebody_said_goes_with_them_and_their_voice_stays_counted(centre: House) -> None:
    article = centre.write("Red light", TEN)
    for who in ("customer", "partner", ""):
        rate(centre, article, who, comment=f"said by {who}")
    erasing.erase(centre.service.db, erasing.find(centre.service.db, centre.ids["customer"]))
    found = ratings(centre)
    assert found["not_helpful"] == 3
    assert {each["text"] for each in found["comments"]} == {"said by partner", "said by"}
