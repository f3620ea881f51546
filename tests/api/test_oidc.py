"""Signing in with the company's account, against a small provider on this machine."""

import json
import logging
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient

from kb.bootstrap import openid_provider
from kb.person import SYSTEM
from kb.solve.access import disable
from kb.store import audit, people
from tests import provider as openid
from tests.api.conftest import House, opened
from tests.provider import Provider

ROLES = {
    "kb-editors": {"tier": "internal", "roles": ["publisher"], "groups": ["fraud-team"]},
    "kb-coaches": {"tier": "internal", "roles": ["coach"]},
    "dealers": {"tier": "partner"},
}
HOME = "https://kb.example"


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with openid.running() as each:
        yield each


@pytest.fixture(scope="module")
def staffed(running: Provider, sqlite_template: Path) -> Iterator[House]:
    named = {"issuer": running.url, "client_id": openid.CLIENT, "client_secret": openid.SECRET, "roles": ROLES}
    with opened(sqlite_template, **{f"oidc_{name}": value for name, value in named.items()}) as each:
        yield each


@pytest.fixture
def provider(running: Provider) -> Provider:
    """The provider on its best behaviour, with somebody nobody knows yet."""
    fresh = Provider(claims={"sub": uuid.uuid4().hex, "name": f"Ada {uuid.uuid4().hex}", "groups": ["kb-editors"]})
    vars(running).update(vars(fresh) | {"url": running.url, "keys": running.keys})
    return running


@pytest.fixture
def house(staffed: House, provider: Provider) -> House:
    """A house that has not asked the provider for anything yet."""
    service = staffed.service
    service.provider = openid_provider(service.settings, service.db, service.sign_in)
    return staffed


@pytest.fixture
def browser(house: House) -> TestClient:
    return TestClient(house.client.app, base_url=HOME, follow_redirects=False)


def leave(browser: TestClient, next: str = "/") -> str:
    """To the provider: where it sends the browser back to."""
    sent = browser.get("/sign-in/oidc", params={"next": next})
    assert sent.status_code == 303
    return httpx.get(sent.headers["location"]).headers["location"]


def sign_in(browser: TestClient, next: str = "/") -> str:
    """All the way: where the browser ends."""
    response = browser.get(leave(browser, next))
    assert response.status_code == 303
    return str(response.headers["location"])


def me(browser: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = browser.get("/api/v1/session").json()["person"]
    return found


def test_somebody_signs_in_with_their_account_and_is_back_where_they_were(
    provider: Provider, browser: TestClient
) -> None:
    assert browser.get("/api/v1/session").json()["provider"] == "/sign-in/oidc"
    assert sign_in(browser, "/?lang=zh-Hant") == "/?lang=zh-Hant"
    ada = me(browser)
    assert (ada["name"], ada["tier"], ada["roles"], ada["groups"]) == (
        provider.claims["name"], "internal", ["publisher"], ["fraud-team"],
    )  # fmt: skip
    cookies = [each.name for each in browser.cookies.jar]
    assert cookies == ["__Host-kb_session"], "the attempt is over"


def test_what_is_asked_of_the_provider_cannot_be_finished_by_who_only_sees_it(browser: TestClient) -> None:
    sent = browser.get("/sign-in/oidc")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{HOME}/sign-in/oidc/callback"
    assert len(asked["state"]) == len(asked["nonce"]) == 43
    [cookie] = sent.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-kb_attempt=")
    assert "; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=600" in cookie


@pytest.mark.parametrize(
    "next", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "/\nx", "/é", "javascript:alert(1)"]
)
def test_nobody_is_sent_elsewhere_afterwards(browser: TestClient, next: str) -> None:
    assert sign_in(browser, next) == "/"


def test_roles_follow_the_provider_at_each_sign_in(house: House, provider: Provider, browser: TestClient) -> None:
    sign_in(browser)
    ada = me(browser)["id"]
    provider.claims["groups"] = ["kb-coaches", "dealers", "unknown"]
    sign_in(browser)
    assert (me(browser)["id"], me(browser)["tier"], me(browser)["roles"]) == (ada, "internal", ["coach"])
    provider.claims["groups"] = []
    assert sign_in(browser) == "/?sign_in=nothing"
    browser.cookies.clear()
    with house.service.db.read() as tx:
        assert (people.get(tx, ada).tier, people.get(tx, ada).roles) == ("public", frozenset())
        actions = [each.action for each in audit.of(tx, "person", ada)]
    assert actions == ["create", "sign_in", "follow_provider", "sign_in", "sign_out", "follow_provider"]


def test_whom_the_provider_drops_loses_their_sessions(provider: Provider, browser: TestClient) -> None:
    sign_in(browser)
    elsewhere = TestClient(browser.app, base_url=HOME, follow_redirects=False)
    provider.claims["groups"] = []
    sign_in(elsewhere)
    assert browser.get("/api/v1/session").status_code == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"groups": None}, {"groups": []}, {"groups": ["others"]}, {"groups": "kb"}, {"groups": {"kb-editors": 1}},
        {"groups": [7]},
    ],
)  # fmt: skip
def test_whom_the_mapping_does_not_name_is_not_let_in_and_not_written_down(
    house: House, provider: Provider, browser: TestClient, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    provider.claims = {name: value for name, value in provider.claims.items() if value is not None}
    assert sign_in(browser) == "/?sign_in=nothing"
    assert me(browser)["tier"] == "public"
    with house.service.db.read() as tx:
        assert provider.claims.get("name") not in {each.name for each in people.everyone(tx)}


def test_somebody_who_is_disabled_here_is_not_let_in(house: House, browser: TestClient) -> None:
    sign_in(browser)
    disable(house.service.db, SYSTEM, me(browser)["id"])
    assert sign_in(browser) == "/?sign_in=nothing"


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another"}, {"nonce": None}, {"aud": "another"}, {"aud": None}, {"aud": ["kb", "another"]},
        {"azp": "another"}, {"iss": "https://evil.example"}, {"iss": None}, {"exp": None}, {"sub": None},
    ],
)  # fmt: skip
def test_an_id_token_that_is_not_for_this_attempt_is_refused(
    provider: Provider, browser: TestClient, wrong: dict[str, Any]
) -> None:
    provider.wrong = wrong
    assert sign_in(browser) == "/?sign_in=failed"
    assert me(browser)["tier"] == "public"


@pytest.mark.parametrize("seconds", [{"exp": -60}, {"iat": 600}])
def test_an_id_token_of_another_hour_is_refused(
    provider: Provider, browser: TestClient, seconds: dict[str, int]
) -> None:
    now = int(time.time())  # of the test, which may run long after its parameters were collected
    provider.wrong = {claim: now + away for claim, away in seconds.items()}
    assert sign_in(browser) == "/?sign_in=failed"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_an_id_token_that_no_key_of_the_provider_has_signed_is_refused(
    provider: Provider, browser: TestClient, algorithm: str
) -> None:
    provider.algorithm = algorithm
    assert sign_in(browser) == "/?sign_in=failed"


def test_a_key_of_somebody_else_signs_nobody_in(provider: Provider, browser: TestClient) -> None:
    sign_in(browser)  # the provider's keys are known now
    kid = next(iter(provider.keys))
    provider.rotate()
    provider.keys = {kid: next(iter(provider.keys.values()))}  # under the same name
    assert sign_in(browser) == "/?sign_in=failed"


def test_keys_are_kept_and_asked_for_again_when_they_change(
    provider: Provider, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(browser)
    sign_in(browser)
    assert (provider.asked.count("/keys"), provider.asked.count("/.well-known/openid-configuration")) == (1, 1)
    provider.rotate()
    monkeypatch.setattr("kb.solve.oidc._REFETCH_S", 0.0)
    assert sign_in(browser) == "/"
    assert provider.asked.count("/keys") == 2


def test_an_answer_counts_once_and_for_the_browser_that_asked(provider: Provider, browser: TestClient) -> None:
    back = leave(browser)
    stranger = TestClient(browser.app, base_url=HOME, follow_redirects=False)
    assert stranger.get(back).headers["location"] == "/?sign_in=failed", "somebody sent them this address"
    leave(stranger)
    assert stranger.get(back).headers["location"] == "/?sign_in=failed", "with an attempt of their own"
    held = browser.cookies["__Host-kb_attempt"]
    assert browser.get(back).headers["location"] == "/"
    assert browser.get(back).headers["location"] == "/?sign_in=failed", "the attempt is over"
    browser.cookies.set("__Host-kb_attempt", held, domain="kb.example", path="/")
    assert browser.get(back).headers["location"] == "/?sign_in=failed", "and so is the code"


@pytest.mark.parametrize("change", ["state=x", "iss=https://evil.example", "error=access_denied&code="])
def test_an_answer_that_is_not_the_providers_is_refused(browser: TestClient, change: str) -> None:
    back = leave(browser)
    name = change.partition("=")[0]
    kept = "&".join(each for each in urlsplit(back).query.split("&") if not each.startswith((f"{name}=", "code=")))
    assert browser.get(f"/sign-in/oidc/callback?{kept}&{change}").headers["location"] == "/?sign_in=failed"


def test_an_attempt_that_took_too_long_or_was_made_up_is_refused(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = leave(browser)
    browser.cookies.set("__Host-kb_attempt", "e30.e30.e30", domain="kb.example", path="/")
    assert browser.get(back).headers["location"] == "/?sign_in=failed"
    monkeypatch.setattr("kb.api.oidc._PATIENCE_S", -1)
    assert sign_in(browser) == "/?sign_in=failed"


@pytest.mark.parametrize("how", ["broken", "gone", "silent"])
@pytest.mark.parametrize("when", ["before", "between"])
def test_a_provider_that_is_away_is_said_within_two_seconds(
    house: House, provider: Provider, browser: TestClient, how: str, when: str
) -> None:
    back = leave(browser) if when == "between" else ""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        if how == "broken":
            provider.broken = True
        else:
            port = silent.getsockname()[1]
            if how == "gone":
                silent.close()
            known = house.service.provider._known
            known._issuer = f"http://127.0.0.1:{port}"
            known._metadata = (known._metadata[0], known._metadata[1] | {"token_endpoint": f"{known._issuer}/token"})
        start = time.monotonic()
        response = browser.get(back or "/sign-in/oidc")
        assert time.monotonic() - start < 2
    assert response.headers["location"] == "/?sign_in=away"


def test_calls_that_each_come_in_time_have_one_time_together(
    provider: Provider, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.solve.oidc._BUDGET_S", 0.5)
    back = leave(browser)
    provider.slow = 0.3
    start = time.monotonic()
    assert browser.get(back).headers["location"] == "/?sign_in=away"
    assert 0.3 < time.monotonic() - start < 0.6
    assert provider.asked[-2:] == ["/token", "/keys"]


def test_without_a_provider_there_is_no_such_page(shared: House) -> None:
    assert shared.client.get("/sign-in/oidc").status_code == 404
    assert shared.client.get("/sign-in/oidc/callback").status_code == 404


def test_why_somebody_was_refused_is_logged_without_who_they_are(
    provider: Provider, browser: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    provider.wrong = {"nonce": "another"}
    with caplog.at_level(logging.INFO, "kb"):
        sign_in(browser)
    [refused] = [each for each in caplog.records if each.name == "kb.security"]
    assert refused.__dict__["why"] == "nonce"
    assert provider.claims["sub"] not in json.dumps([str(each.__dict__) for each in caplog.records])
