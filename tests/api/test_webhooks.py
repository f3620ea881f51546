"""Webhooks over HTTP, from making one to what arrives; the endpoint is a real one on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.article import Article
from tests.api.conftest import House, opened
from tests.receiver import Endpoint, endpoint


@pytest.fixture
def there() -> Iterator[Endpoint]:
    with endpoint() as made:
        yield made


@pytest.fixture
def house(sqlite_template: Path) -> Iterator[House]:
    with opened(sqlite_template, webhook_allow="127.0.0.1", public_url="https://kb.example") as each:
        yield each


def asked(there: Endpoint, **fields: object) -> dict[str, object]:
    return {"name": "CRM", "url": there.url, "audience": "public", "events": ["article.published"], **fields}


def test_a_webhook_is_made_and_told_by_the_running_service(house: House, there: Endpoint) -> None:
    made = house.post("webhooks", asked(there), "admin")
    assert made.status_code == 201
    secret, hook = made.json()["secret"], made.json()["webhook"]
    assert made.headers["Location"] == f"/api/v1/webhooks/{hook['id']}"
    article: Article = house.write()
    assert there.arrived.wait(60)
    (received,) = there.received
    assert received.is_signed_with(secret)
    assert received.data["url"] == f"https://kb.example/#article={article.number}"
    for shown in (house.get("webhooks", "admin"), house.get(f"webhooks/{hook['id']}", "admin")):
        assert secret not in shown.text
    assert house.get("webhooks", "admin").json()["webhooks"] == [hook]


def test_deliveries_are_listed_in_pages_and_sent_again(house: House, there: Endpoint) -> None:
    paused = asked(there, active=False)
    hook = house.post("webhooks", paused, "admin").json()["webhook"]
    for _ in range(3):
        house.write()
    path = f"webhooks/{hook['id']}"
    page = house.get(f"{path}/deliveries", "admin", limit=2).json()
    assert [each["outcome"] for each in page["deliveries"]] == ["waiting", "waiting"]
    rest = house.get(f"{path}/deliveries", "admin", limit=2, before=page["next"]).json()
    assert (len(rest["deliveries"]), rest["next"]) == (1, None)
    changed = house.ask("PUT", path, "admin", json=paused | {"active": True, "version": 1})
    assert (changed.status_code, changed.json()["state"]) == (200, "active")
    assert house.ask("PUT", path, "admin", json=paused | {"version": 1}).status_code == 409
    service = house.service.messenger
    while house.get(f"{path}/deliveries", "admin", outcome="waiting").json()["deliveries"]:
        service.step()
    assert len(there.received) == 3
    again = house.post(f"{path}/replay", {"since": "2020-01-01T00:00:00Z"}, "admin")
    assert again.json() == {"replayed": 3}
    while house.get(f"{path}/deliveries", "admin", outcome="waiting").json()["deliveries"]:
        service.step()
    ids = [each.headers["webhook-id"] for each in there.received]
    assert sorted(ids[:3]) == sorted(ids[3:])
    for wrong in ({}, {"since": 0}):
        assert house.post(f"{path}/replay", wrong, "admin").status_code == 422
    metrics = house.get("/metrics", "admin").text
    assert 'kb_webhook_attempts_total{outcome="delivered"} 6.0' in metrics
    assert 'kb_webhook_deliveries{outcome="waiting"} 0.0' in metrics


def test_a_secret_is_rotated_and_shown_once(house: House, there: Endpoint) -> None:
    made = house.post("webhooks", asked(there), "admin").json()
    new = house.ask("POST", f"webhooks/{made['webhook']['id']}/secret", "admin").json()
    assert new["secret"] != made["secret"]
    assert new["webhook"]["old_secret_until"] is not None
    with house.service.db.read() as tx:
        audit = str(tx.exec_driver_sql("SELECT * FROM audit").all())
    assert made["secret"] not in audit
    assert new["secret"] not in audit
    assert there.url not in audit, "an address may hold a secret"


def test_only_administrators_know_of_webhooks(house: House, there: Endpoint) -> None:
    hook = house.post("webhooks", asked(there), "admin").json()["webhook"]
    for who, status in (("", 403), ("publisher", 403)):
        assert house.get("webhooks", who).status_code == status
        assert house.get(f"webhooks/{hook['id']}", who).status_code == status
        assert house.post("webhooks", asked(there), who).status_code == status
    assert house.get("webhooks/none", "admin").status_code == 404
    assert house.ask("DELETE", f"webhooks/{hook['id']}?version=2", "admin").status_code == 409
    assert house.ask("DELETE", f"webhooks/{hook['id']}?version=1", "admin").status_code == 204
    assert house.get("webhooks", "admin").json() == {"webhooks": []}


def test_what_cannot_be_is_refused_by_field(house: House, there: Endpoint) -> None:
    for wrong, field in (
        ({"url": "http://crm.example/"}, "url"), ({"url": "ftp://127.0.0.1/"}, "url"), ({"events": []}, "events"),
        ({"events": ["case.opened"]}, "events"), ({"name": " "}, "name"), ({"url": "https://a:b@crm.example/"}, "url"),
    ):  # fmt: skip
        response = house.post("webhooks", asked(there, **wrong), "admin")
        assert response.status_code == 422, wrong
        assert field in response.text
