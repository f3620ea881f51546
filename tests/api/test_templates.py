"""Templates and roles over HTTP."""

from typing import Any

from kb.article import Draft
from kb.audience import Audience
from kb.language import Language
from kb.person import RIGHTS, SYSTEM, Role
from kb.solve import access, improve
from tests.api.conftest import House

NAMES = {"en": "Fault", "zh-Hans": "故障", "zh-Hant": "故障"}


def field(key: str, english: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "names": {"en": english, "zh-Hans": english, "zh-Hant": english}, **more}


FIELDS = [field("symptom", "Symptom", required=True), field("check", "Check first", audience="internal")]


def made(house: House, **more: Any) -> dict[str, Any]:
    response = house.post("templates", {"names": NAMES, "fields": FIELDS} | more, "admin")
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def an_article(house: House, template: str, body: str, **more: Any) -> Any:
    sent = {"title": "Red light", "body": body, "language": "en", "audience": "internal", "template": template}
    return house.post("articles", sent | more, "publisher")


def test_the_standard_template_is_there_and_a_new_one_can_be_the_default(house: House) -> None:
    [standard] = house.get("templates", "candidate").json()["templates"]
    assert (standard["id"], standard["is_default"], standard["version"]) == ("standard", True, 0)
    assert [each["key"] for each in standard["fields"]] == ["issue", "environment", "resolution", "cause", "notes"]
    mine = made(house, is_default=True)
    assert [each["id"] for each in house.get("templates", "candidate").json()["templates"]] == [mine["id"], "standard"]
    assert house.get("templates/standard", "candidate").json()["is_default"] is False
    off = mine | {"is_default": False}
    refused = house.ask("PUT", f"templates/{off.pop('id')}", "admin", json=off)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "is_default")


def test_a_text_begins_with_the_fields_and_one_for_staff_in_a_block_of_its_own(house: House) -> None:
    mine = made(house)
    body = house.get(f"templates/{mine['id']}/outline", "candidate", language="en").json()["body"]
    assert body == "## Symptom\n\n\n::: internal\n## Check first\n\n:::\n"


def test_a_draft_is_warned_and_a_publication_refused_while_a_required_field_says_nothing(house: House) -> None:
    mine = made(house)["id"]
    empty, good = "## Symptom\n\n", "## Symptom\nIt is red."
    assert an_article(house, mine, empty, publish=True).status_code == 422
    draft = an_article(house, mine, empty).json()
    assert [(each["kind"], each["field"]) for each in draft["warnings"]] == [("missing", "symptom")]
    assert draft["editing"]["template"] == mine
    address = f"articles/{draft['number']}"
    refused = house.post(f"{address}/publish", {"revision": 1}, "publisher")
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "body")
    revised = {"title": "Red light", "body": good, "version": 1, "publish": True}
    saved = house.post(f"{address}/revisions", revised, "publisher")
    assert (saved.status_code, saved.json()["warnings"]) == (201, [])
    wrong = {"title": "Red light", "body": f"{good}\n\n## Warranty\nTwo years.", "version": 2, "publish": True}
    assert house.post(f"{address}/revisions", wrong, "publisher").status_code == 422


def test_a_field_that_becomes_required_counts_from_the_next_save_on(house: House) -> None:
    mine = made(house)
    number = an_article(house, mine["id"], "## Symptom\nRed.", publish=True).json()["number"]
    stricter = {**mine, "fields": [*FIELDS, field("cause", "Cause", required=True)]}
    del stricter["id"]
    assert house.ask("PUT", f"templates/{mine['id']}", "admin", json=stricter).status_code == 200
    assert house.ask("PUT", f"templates/{mine['id']}", "admin", json=stricter).status_code == 409
    assert house.get(f"articles/{number}", "candidate").json()["live"]
    again = {"title": "Red light", "body": "## Symptom\nRed!", "version": 1}
    saved = house.post(f"articles/{number}/revisions", again, "publisher").json()
    assert [each["field"] for each in saved["warnings"]] == ["cause"]
    assert house.post(f"articles/{number}/publish", {"revision": 2}, "publisher").status_code == 422


def test_a_template_that_is_switched_off_is_for_no_new_article(house: House) -> None:
    mine = made(house)
    off = {**mine, "active": False}
    assert house.ask("PUT", f"templates/{off.pop('id')}", "admin", json=off).status_code == 200
    for name in (mine["id"], "nothing"):
        refused = an_article(house, name, "x")
        assert (refused.status_code, refused.json()["error"]["field"]) == (422, "template")


def test_bad_templates_are_refused_and_say_where(house: House) -> None:
    for fields, where in (
        ([field("a", "One"), field("a", "Two")], "fields.1.key"),
        ([field("a", "One"), field("b", "one")], "fields.1.names.en"),
        ([field("a", "# One")], "fields.0.names.en"),
        ([field("a", "One") | {"names": {"en": "One"}}], "fields.0.names.zh-Hans"),
    ):
        refused = house.post("templates", {"names": NAMES, "fields": fields}, "admin")
        assert (refused.status_code, refused.json()["error"]["field"]) == (422, where)


def test_templates_are_for_staff_and_administrators_change_them(house: House) -> None:
    assert {house.get(path, who).status_code for path in ("templates", "templates/standard", "roles")
            for who in ("", "customer", "reader")} == {403}  # fmt: skip
    assert house.post("templates", {"names": NAMES, "fields": FIELDS}, "publisher").status_code == 403
    sent = {"rights": [], "version": 0}
    assert house.ask("PUT", "roles/candidate", "publisher", json=sent).status_code == 403


# Roles


def change(house: House, role: str, rights: list[str], version: int = 0, **more: Any) -> Any:
    return house.ask("PUT", f"roles/{role}", "admin", json={"rights": rights, "version": version} | more)


def test_roles_begin_as_kcs_suggests_and_a_change_acts_on_keys_at_once(house: House) -> None:
    roles = {each["role"]: each for each in house.get("roles", "candidate").json()["roles"]}
    assert {role: set(each["rights"]) for role, each in roles.items()} == {role: RIGHTS[role] for role in Role}
    number = house.write(audience=Audience.INTERNAL).number
    validated = {"confidence": "validated"}
    assert house.ask("PATCH", f"articles/{number}", "candidate", json=validated).status_code == 403
    changed = change(house, "candidate", ["draft", "validate"], names={"zh-Hans": "学习者"}).json()
    assert (changed["version"], changed["names"]) == (1, {"zh-Hans": "学习者"})
    assert house.ask("PATCH", f"articles/{number}", "candidate", json=validated).status_code == 200
    assert "trail" not in house.get("me", "candidate").json()["rights"]
    assert change(house, "candidate", ["draft"]).status_code == 409, "somebody who read version 0"
    assert change(house, "candidate", ["draft"], 1).json()["version"] == 2
    untouched = [each for each in house.get("roles", "candidate").json()["roles"] if each["role"] == "publisher"]
    assert (untouched[0]["version"], set(untouched[0]["rights"])) == (0, RIGHTS[Role.PUBLISHER])


def test_the_last_who_may_administer_cannot_lock_themselves_out(house: House) -> None:
    refused = change(house, "admin", ["draft"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")
    assert "administer" in house.get("me", "admin").json()["rights"]
    assert change(house, "coach", ["administer"]).status_code == 200
    assert change(house, "admin", ["draft"]).status_code == 409, "there is a role now, and nobody in it"
    db = house.service.db
    other, _ = access.add_person(db, SYSTEM, "Coach", Audience.INTERNAL, roles=[Role.COACH])
    access.disable(db, SYSTEM, other.id)
    assert change(house, "admin", ["draft"]).status_code == 409, "nor anybody who is let in"
    access.disable(db, SYSTEM, other.id, disabled=False)
    assert change(house, "admin", ["draft"]).status_code == 200
    assert house.get("me", "admin").json()["rights"] == ["draft"]
    assert change(house, "admin", ["administer"], 1).status_code == 403


def test_what_is_read_from_a_source_needs_no_template(house: House) -> None:
    draft = Draft("Red light", "Anything.", Language.ENGLISH, Audience.PUBLIC)
    assert improve.create(house.service.db, SYSTEM, draft, source=("faq", "a.md", "1")).published == 1
