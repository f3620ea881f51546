"""The rest of this folder runs on SQLite; what depends on the database is the store's. This is the road through all."""

from datetime import timedelta
from pathlib import Path

import pytest

from kb import clock
from kb.interaction import Event, EventKind
from kb.store import interactions
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


@pytest.mark.postgres
def test_the_queue_on_postgresql(sqlite_template: Path, postgres_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Hold the reset button for ten seconds, then wait for the light to turn green."
    with opened(sqlite_template, postgres_db.url) as house:
        mine = {"owner_id": house.ids["contributor"], "topic": "a/b"}
        article = house.write("Red light", text, valid_until=clock.now() + timedelta(days=20), **mine)
        house.write("Red light", text, **mine)
        house.write_post("Quiet fan", "Turn it around.", accepted=True)
        for who in ("candidate", "publisher"):
            search = Event(EventKind.SEARCHED, clock.now(), house.ids[who], search_id=who,
                           data={"query": "取消宽带", "tier": "internal", "shown": []})  # fmt: skip
            with house.service.db.write() as tx:
                interactions.append(tx, [search])
        for flag in ({"cause": "wrong_fact", "number": article.number, "revision": 1}, {"cause": "nothing_answers"}):
            assert house.post("flags", flag | {"query": "cancel fibre"}, "candidate").status_code == 201
        house.settle()
        now = clock.now() + timedelta(days=1)
        monkeypatch.setattr(clock, "now", lambda: now)
        house.service.queue_keeper.settle()

        def kinds(**query: object) -> list[str]:
            return [each["kind"] for each in house.get("queue", "contributor", **query).json()["lines"]]

        assert sorted(kinds()) == ["case", "community", "duplicate", "expiring", "gap", "search"]
        assert sorted(kinds(owner="me")) == sorted(kinds(topic="a")) == ["case", "duplicate", "expiring"]
        assert kinds(q="取消寬帶") == ["search"]
        assert len(kinds(after=house.get("queue", "contributor", limit=2).json()["next"])) == 4
        keys = [each["key"] for each in house.get("queue", "contributor").json()["lines"]]
        for step, left in (("dismiss", 3), ("restore", 6)):
            done = house.post(f"queue/{step}", {"keys": keys}, "contributor").json()["results"]
            assert sorted(each["code"] for each in done) == ["", "", "", "invalid", "invalid", "invalid"]
            assert len(kinds()) == left
        now += timedelta(days=200)
        house.service.queue_keeper.settle()
        assert set(kinds()) == {"case", "community", "gap", "stale", "expiring"}, "what is not live is no pair"
