from typing import Any

from kb.audience import Audience
from kb.person import SYSTEM
from kb.solve import improve
from tests.api.conftest import House
from tests.pictures import png


def test_the_history_tells_who_wrote_what_and_why(house: House) -> None:
    article = house.write("Red light", "Hold for fifteen seconds.")
    sent = {"title": "Red light", "body": "Hold for ten seconds.", "note": "too long", "version": 1, "publish": True}
    house.post(f"articles/{article.number}/revisions", sent, "publisher")
    first, second = house.get(f"articles/{article.number}/revisions", "candidate").json()["revisions"]
    assert (first["author_id"], first["published"]) == ("system", False)
    assert (second["author_id"], second["note"], second["published"]) == (house.ids["publisher"], "too long", True)


def test_a_difference_is_told_word_by_word(house: House) -> None:
    article = house.write("Red light", "Hold for fifteen seconds.")
    improve.revise(house.service.db, SYSTEM, article.id, "Blue light", "Hold for ten seconds.")
    found = house.get(f"articles/{article.number}/diff?from=1&to=2", "candidate").json()
    assert found["title"] == steps("-Red", "+Blue", "= light")
    assert found["body"] == steps("=Hold for ", "-fifteen", "+ten", "= seconds.")
    back = house.get(f"articles/{article.number}/diff?from=2&to=1", "candidate").json()
    assert back["body"] == steps("=Hold for ", "-ten", "+fifteen", "= seconds.")


def steps(*marked: str) -> list[dict[str, Any]]:
    names = {"=": "equal", "-": "delete", "+": "insert"}
    return [{"change": names[each[0]], "text": each[1:]} for each in marked]


def test_making_an_article_public_does_not_open_what_it_said_before(house: House) -> None:
    article = house.write("Red light", "The password is 4711.", audience=Audience.INTERNAL)
    db = house.service.db
    improve.revise(db, SYSTEM, article.id, "Red light", "Restart it.", publish=True)
    improve.set_state(db, SYSTEM, article.id, {"audience": Audience.PUBLIC})
    improve.revise(db, SYSTEM, article.id, "Red light", "Restart it twice.")
    path = f"articles/{article.number}"

    def seen(who: str) -> list[int]:
        return [each["number"] for each in house.get(f"{path}/revisions", who).json()["revisions"]]

    assert seen("candidate") == [1, 2, 3]
    assert seen("partner_author") == [2, 3], "the one shown now, and the one written since"
    assert house.get(f"{path}/revisions/1", "candidate").status_code == 200
    assert house.get(f"{path}/revisions/1", "partner_author").status_code == 404
    assert house.get(f"{path}/diff?from=1&to=2", "candidate").status_code == 200
    assert house.get(f"{path}/diff?from=1&to=2", "partner_author").status_code == 404


def test_a_change_of_markers_shows_as_a_difference_to_who_may_read_all(house: House) -> None:
    article = house.write("Red light", "::: internal\nCode 4711.\n:::")
    improve.revise(house.service.db, SYSTEM, article.id, "Red light", "Code 4711.")
    body = house.get(f"articles/{article.number}/diff?from=1&to=2", "candidate").json()["body"]
    assert any(step["change"] == "delete" and "internal" in step["text"] for step in body)


def test_the_audit_log_says_who_changed_what_from_what_to_what(house: House) -> None:
    article = house.write("Red light", "Restart.")
    house.ask("PATCH", f"articles/{article.number}", "publisher", json={"tags": ["lights"]})
    created, changed = house.get(f"articles/{article.number}/audit", "candidate").json()["changes"]
    assert (created["action"], changed["action"]) == ("create", "state")
    assert changed["person_id"] == house.ids["publisher"]
    assert (changed["before"], changed["after"]) == ({"tags": [], "version": 1}, {"tags": ["lights"], "version": 2})


def test_a_revision_that_does_not_exist_is_not_found(house: House) -> None:
    article = house.write("Red light", "Restart.")
    assert house.get(f"articles/{article.number}/revisions/1", "candidate").status_code == 200
    assert house.get(f"articles/{article.number}/revisions/2", "candidate").status_code == 404


def test_the_audit_log_leaves_out_groups_links_and_files_that_are_not_for_the_reader(house: House) -> None:
    fraud = house.write("Fraud", "Text.", groups=frozenset({"fraud-team"}))
    article = house.write("Red light", "Restart.", superseded_by=fraud.id)
    improve.set_state(house.service.db, SYSTEM, article.id, {"translation_of": fraud.id})
    assert house.ask("POST", f"articles/{article.number}/files", "publisher", content=png()).status_code == 201
    path = f"articles/{article.number}/audit"
    whole, part = (house.get(path, who).json()["changes"] for who in ("publisher", "partner_author"))
    assert [each["action"] for each in whole] == ["create", "state", "attach"]
    assert [each["action"] for each in part] == ["create", "state"]
    assert (whole[0]["after"]["superseded_by"], whole[1]["after"]["translation_of"]) == (fraud.id, fraud.id)
    assert fraud.id not in str(part)
