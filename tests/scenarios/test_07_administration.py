"""KCS demo scenario 7: an administrator sets up templates, roles, audiences, governance and the words of search."""

from typing import Any

from tests.api.conftest import House

NAMES = {"en": "Fault", "zh-Hans": "故障", "zh-Hant": "故障"}
FIELDS = [
    {"key": "issue", "names": {"en": "Issue", "zh-Hans": "问题", "zh-Hant": "問題"}, "required": True},
    {"key": "fix", "names": {"en": "Resolution", "zh-Hans": "解决方法", "zh-Hant": "解決方法"}, "required": True},
    {"key": "safety", "names": {"en": "Safety", "zh-Hans": "安全", "zh-Hant": "安全"}},
    {"key": "check", "names": {"en": "For staff", "zh-Hans": "内部", "zh-Hant": "內部"}, "audience": "internal"},
]  # fmt: skip
TEXT = "## Issue\nIt smells burnt\n\n## Resolution\nUnplug it.\n\n::: internal\n## For staff\nRefund at once.\n:::"


def written(house: House, who: str, **more: Any) -> Any:
    sent = {"title": "Burnt smell", "body": TEXT, "language": "en", "audience": "customer", "publish": True}
    return house.post("articles", sent | more, who)


def test_templates_have_the_fields_that_an_administrator_chooses(house: House) -> None:
    made = house.post("templates", {"names": NAMES, "fields": FIELDS, "is_default": True}, "admin")
    assert made.status_code == 201, made.text
    fault = made.json()
    offered = house.get("templates", "candidate").json()["templates"]
    assert [(each["id"], each["is_default"]) for each in offered] == [(fault["id"], True), ("standard", False)]
    assert house.post("templates", {"names": NAMES, "fields": FIELDS}, "publisher").status_code == 403
    outline = house.get(f"templates/{fault['id']}/outline", "candidate", language="zh-Hant").json()["body"]
    assert [line for line in outline.splitlines() if line.startswith("##")] == [
        "## 問題", "## 解決方法", "## 安全", "## 內部",
    ]  # fmt: skip
    assert written(house, "publisher", template=fault["id"], body="## Issue\nSmell").status_code == 422
    assert written(house, "publisher", template=fault["id"]).status_code == 201


def test_a_field_is_seen_by_those_it_is_for(house: House) -> None:
    number = written(house, "publisher").json()["number"]
    house.settle()
    assert "Refund" in house.get(f"articles/{number}", "candidate").json()["body"]
    assert "Refund" not in house.get(f"articles/{number}", "customer").text
    assert "Refund" not in house.post("search", {"query": "refund at once"}, "customer").text
    assert house.get(f"articles/{number}").status_code == 404, "customers are not the public"


def test_each_level_is_searchable_by_those_entitled_to_it(house: House) -> None:
    for at, (audience, confidence) in enumerate(
        (a, c) for a in ("internal", "partner", "customer", "public") for c in ("not_validated", "validated")
    ):
        made = written(house, "publisher", title=f"Smell {at}", audience=audience, confidence=confidence)
        assert made.status_code == 201, made.text
    house.settle()
    seen = {who: len(house.titles("burnt smell", who)) for who in ("candidate", "partner", "customer", "")}
    assert seen == {"candidate": 8, "partner": 6, "customer": 4, "": 2}
    levels = house.get("articles", "candidate", confidence="validated", audience="internal").json()["articles"]
    assert [each["title"] for each in levels] == ["Smell 1"]


def test_a_governance_level_is_edited_by_those_who_are_licensed(house: House) -> None:
    number = written(house, "publisher", governance="compliance", audience="internal").json()["number"]
    sent = {"title": "Burnt smell", "body": TEXT + "\n\nOpen a window.", "version": 1, "publish": True}
    assert house.post(f"articles/{number}/revisions", sent, "contributor").status_code == 403
    rights = house.get("roles", "admin").json()["roles"]
    [now] = [each for each in rights if each["role"] == "contributor"]
    body = {"rights": sorted({*now["rights"], "govern"}), "version": now["version"]}
    assert house.ask("PUT", "roles/contributor", "publisher", json=body).status_code == 403
    assert house.ask("PUT", "roles/contributor", "admin", json=body).status_code == 200
    assert house.post(f"articles/{number}/revisions", sent, "contributor").status_code == 201
    changes = house.get(f"articles/{number}/audit", "publisher").json()["changes"]
    assert changes[-1]["person_id"] == house.ids["contributor"]


def test_search_is_tuned_with_a_look_at_what_changes(house: House) -> None:
    written(house, "publisher", audience="public")
    house.settle()
    house.search("charred odour", "candidate")
    house.settle()
    entry = {"terms": ["charred odour"], "means": ["burnt smell"], "audience": "public", "note": "asked on the phone"}
    seen = house.post("dictionary/preview", entry, "publisher").json()
    assert (seen["searches"], seen["touched"]) == (1, 1), "of the searches that people made"
    assert house.post("dictionary", entry, "candidate").status_code == 403
    assert house.post("dictionary", entry, "publisher").status_code == 201
    found = house.search("charred odour", "customer")
    assert [each["also"] for each in found["expanded"]] == [["burnt smell"]]
    assert found["hits"][0]["title"] == "Burnt smell"


def test_a_domain_has_somebody_who_looks_after_it(house: House) -> None:
    number = written(house, "publisher", topic="faults/smells").json()["number"]
    owner = {"topic": "faults", "owner_id": house.ids["contributor"]}
    assert house.ask("PUT", "domains", "candidate", json=owner).status_code == 403
    assert house.ask("PUT", "domains", "publisher", json=owner).status_code == 200
    flag = {"cause": "wrong_fact", "number": number, "revision": 1, "note": "Two windows"}
    case = house.post("flags", flag, "candidate").json()["case"]
    assert case["owner_id"] == house.ids["contributor"]
