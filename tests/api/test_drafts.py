"""While somebody writes, over HTTP: previews, differences, state and text in one step, and taking a publish back."""

from typing import Any

from kb.article import Confidence
from kb.audience import Audience
from kb.number import new_number
from tests.api.conftest import House

BODY = "Hold **reset**.\n\n::: internal\nTwice, says the desk.\n:::\n\n<script>alert(1)</script>"


def preview(house: House, audience: str, who: str = "candidate", **more: Any) -> Any:
    return house.post("drafts/preview", {"body": BODY, "audience": audience} | more, who)


def test_a_preview_is_what_that_audience_would_read(house: House) -> None:
    customer, internal = preview(house, "customer").json(), preview(house, "internal").json()
    assert "Twice" not in customer["html"]
    assert "Twice" in internal["html"]
    assert (customer["hidden"], internal["hidden"]) == (1, 0)
    assert "<strong>reset</strong>" in customer["html"]
    assert "<script" not in internal["html"]
    assert preview(house, "public", "reader").status_code == 403


def test_a_preview_says_which_marker_hides_the_rest(house: House) -> None:
    found = preview(house, "public", body="One.\n\n::: internal\nTwo.").json()
    assert (found["mistake"]["line"], "Two" in found["html"]) == (3, False)


def test_pictures_in_a_preview_are_those_of_its_article(house: House) -> None:
    picture = f"![ring](files/{'0a' * 32}.png)"
    number = house.write().number
    assert f"/api/v1/articles/{number}/files/{'0a' * 32}" in preview(house, "public", body=picture, number=number).text
    assert "<img" not in preview(house, "public", body=picture).json()["html"]
    unknown = preview(house, "public", body=picture, number=new_number())
    assert unknown.status_code == 200, "the same for numbers that are nobody's: it is only an address"
    assert preview(house, "public", body=picture, number="nonsense").status_code == 422


def test_a_text_is_compared_with_a_revision_without_being_saved(house: House) -> None:
    article = house.write(body=BODY)
    sent = {"number": article.number, "revision": 1, "title": "Red light", "body": BODY.replace("Hold", "Press")}
    found = house.post("drafts/compare", sent, "candidate").json()
    changed = [(each["change"], each["text"]) for each in found["body"] if each["change"] != "equal"]
    assert changed == [("delete", "Hold"), ("insert", "Press")]
    theirs = house.post("drafts/compare", sent, "partner_author").json()
    assert "Twice" not in "".join(each["text"] for each in theirs["body"] if each["change"] != "insert")
    assert house.post("drafts/compare", sent | {"revision": 2}, "candidate").status_code == 404
    assert house.post("drafts/compare", sent, "reader").status_code == 403
    hidden = house.write(audience=Audience.INTERNAL)
    assert house.post("drafts/compare", sent | {"number": hidden.number}, "partner_author").status_code == 404


def test_text_and_state_change_in_one_step(house: House) -> None:
    article = house.write(body="The password is secret.", audience=Audience.INTERNAL)
    sent = {"title": "Red light", "body": "Ask the desk.", "version": 1, "publish": True,
            "state": {"audience": "public", "tags": ["lights"]}}  # fmt: skip
    path = f"articles/{article.number}/revisions"
    assert house.post(path, sent, "contributor").status_code == 403, "to publish outside needs the right"
    saved = house.post(path, sent, "publisher").json()
    assert (saved["version"], saved["audience"], saved["tags"]) == (2, "public", ["lights"])
    last = house.get(f"articles/{article.number}/audit", "publisher").json()["changes"][-1]
    assert (last["action"], last["after"]["published"], last["after"]["audience"]) == ("revise", 2, "public")
    assert house.post(path, sent | {"version": 2, "state": {}}, "publisher").status_code == 422
    undo = {"revision": 1, "version": 2, "state": {"audience": "internal"}}
    back = house.post(f"articles/{article.number}/publish", undo, "publisher").json()
    assert (back["version"], back["audience"], back["editing"]["published"]) == (3, "internal", 1)
    lost = house.post(path, sent | {"body": "Mine."}, "publisher")
    assert lost.json()["error"]["conflict"]["version"] == 3


def test_a_first_publish_is_taken_back_and_the_gap_that_it_filled_is_open_again(house: House) -> None:
    gap = {"cause": "nothing_answers", "query": "roaming abroad"}
    case = house.post("flags", gap, "candidate").json()["case"]["id"]
    sent = {"title": "Roaming abroad", "body": "Switch it on.", "language": "en", "audience": "public",
            "publish": True, "fixes": [case]}  # fmt: skip
    made = house.post("articles", sent, "publisher").json()
    house.settle()
    assert house.titles("roaming abroad") == ["Roaming abroad"]
    path = f"articles/{made['number']}/unpublish"
    assert house.post(path, {}, "candidate").status_code == 403, "what readers see is not theirs to take away"
    assert house.post(path, {"version": 9}, "publisher").status_code == 409
    back = house.post(path, {"version": 1}, "publisher").json()
    assert (back["live"], back["editing"]["published"], back["editing"]["latest"]) == (False, None, 1)
    assert house.get(f"articles/{made['number']}").status_code == 404
    house.settle()
    assert house.titles("roaming abroad") == []
    read = house.get(f"cases/{case}", "publisher").json()
    assert (read["state"], read["history"][-1]["action"], read["number"]) == ("open", "undone", None)
    assert house.post(path, {}, "publisher").status_code == 409, "there is nothing to take back"


def test_to_take_back_what_colleagues_read_needs_the_right_to_validate(house: House) -> None:
    article = house.write(audience=Audience.INTERNAL, confidence=Confidence.VALIDATED)
    path = f"articles/{article.number}/unpublish"
    assert house.post(path, {}, "candidate").status_code == 403
    assert house.post(path, {}, "contributor").status_code == 200
