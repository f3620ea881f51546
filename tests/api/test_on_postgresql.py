"""The rest of this folder runs on SQLite; what depends on the database is the store's. This is the road through all."""

from pathlib import Path

import pytest

from kb.store.database import Database
from tests.api.conftest import opened


@pytest.mark.postgres
def test_the_whole_loop_on_postgresql(sqlite_template: Path, postgres_db: Database) -> None:
    with opened(sqlite_template, postgres_db.url) as house:
        draft = {"title": "Red light", "body": "Restart.", "language": "en", "audience": "public", "topic": "a/b"}
        number = house.post("articles", draft | {"publish": True}, "publisher").json()["number"]
        text = {"title": "Red light", "body": "Restart twice.", "version": 1, "publish": True}
        assert house.post(f"articles/{number}/revisions", text, "publisher").status_code == 201
        assert house.post(f"articles/{number}/revisions", text, "publisher").status_code == 409
        house.settle()
        contact = house.post("interactions", {"channel": "phone", "external_id": "c1"}, "candidate").json()["id"]
        found = house.search("red light", "candidate", context={"interaction_id": contact})
        assert found["hits"][0]["revision"] == 2
        link = {"kind": "linked", "type": "resolution", "interaction_id": contact, "number": number, "revision": 2}
        assert house.post("events", {"events": [link]}, "candidate").status_code == 201
        house.settle()
        trail = house.get(f"interactions/{contact}", "candidate").json()["trail"]
        assert [step["kind"] for step in trail] == ["searched", "linked"]
        assert house.search("red light")["hits"][0]["resolved_count"] == 1
        assert house.get(f"articles/{number}/diff?from=1&to=2", "candidate").status_code == 200
        assert house.get("articles", topic="a", confidence="not_validated").json()["articles"][0]["number"] == number
        assert house.get("topics").json()["topics"][0]["articles"] == 1
        assert house.get("/readyz").json()["ready"]
