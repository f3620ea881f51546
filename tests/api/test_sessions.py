"""Signing in to pages: the cookie, its life, and who cannot use it."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kb import clock
from kb.errors import Conflict, NotAllowed
from kb.person import SYSTEM, Person, Scope
from kb.solve.access import disable, issue_key, revoke_key, revoke_keys
from kb.solve.passwords import set_password
from kb.store import audit, people
from kb.store.schema import session as table
from tests.api.conftest import House, opened

PASSWORD = "seven grey herons wait"
NEW = "eight grey herons wait"
COOKIE = "__Host-kb_session"
Later = Callable[[timedelta], Any]


@pytest.fixture(scope="module", autouse=True)
def login(shared: House) -> str:
    return set_password(shared.service.db, SYSTEM, shared.ids["publisher"], "Ada ", PASSWORD)


@contextmanager
def browser(house: House, url: str = "https://kb.example") -> Iterator[TestClient]:
    """Something that keeps cookies, asks over TLS, and says which page it asks for."""
    client = TestClient(house.client.app, base_url=url, headers={"Sec-Fetch-Site": "same-origin"})
    yield client


@pytest.fixture
def page(shared: House) -> Iterator[TestClient]:
    with browser(shared) as client:
        yield client


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Let time pass for the server."""
    now = clock.now

    def pass_(by: timedelta) -> None:
        monkeypatch.setattr(clock, "now", lambda: now() + by)

    return pass_


def enter(page: TestClient, **how: str) -> dict[str, Any]:
    response = page.post("/api/v1/session", json=how or {"login": "ada", "password": PASSWORD})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    page.headers["X-CSRF-Token"] = found["csrf_token"]
    return found


def me(page: TestClient) -> Any:
    return page.get("/api/v1/me")


def token(page: TestClient) -> str | None:
    return page.cookies.get(COOKIE)


def hold(page: TestClient, value: str | None) -> None:
    """Have the browser hold that cookie and no other."""
    page.cookies.clear()
    page.cookies.set(COOKIE, value or "", domain="kb.example", path="/")


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_without_a_session_one_is_the_public(page: TestClient) -> None:
    found = page.get("/api/v1/session").json()
    assert (found["person"]["tier"], found["csrf_token"], found["provider"]) == ("public", None, None)


@pytest.mark.parametrize("way", ["key", "password"])
def test_signing_in_with_a_key_or_a_password_sets_a_cookie_that_scripts_cannot_read(
    shared: House, page: TestClient, way: str
) -> None:
    how = {"key": shared.keys["publisher"]} if way == "key" else {"login": " ADA", "password": PASSWORD}
    response = page.post("/api/v1/session", json=how)
    assert response.json()["person"]["id"] == shared.ids["publisher"]
    [header] = response.headers.get_list("set-cookie")
    assert header.startswith(f"{COOKIE}=")
    assert header.partition("; ")[2] == "Path=/; HttpOnly; SameSite=Lax; Secure"
    assert me(page).json()["roles"] == ["publisher"]
    assert page.get("/api/v1/session").json()["csrf_token"] == response.json()["csrf_token"]


def test_over_plain_http_only_this_machine_may_sign_in_and_its_cookie_has_the_plain_name(shared: House) -> None:
    with browser(shared, "http://localhost:8000") as page:
        enter(page)
        assert page.cookies.get("kb_session")
        assert me(page).json()["name"] == "publisher"
    with browser(shared, "http://kb.example") as page:
        response = page.post("/api/v1/session", json={"login": "ada", "password": PASSWORD})
        assert code(response) == (403, "not_allowed")
        assert "KB_PUBLIC_URL" in response.json()["error"]["message"]


def test_a_new_sign_in_has_a_new_token_and_ends_the_session_before(page: TestClient) -> None:
    enter(page)
    first = token(page)
    enter(page)
    assert token(page) != first
    hold(page, first)
    assert me(page).status_code == 401


def test_a_token_planted_before_signing_in_is_not_taken_over(page: TestClient) -> None:
    hold(page, "planted")
    response = page.post("/api/v1/session", json={"login": "ada", "password": PASSWORD})
    assert response.status_code == 200
    assert "planted" not in response.headers["set-cookie"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"login": "ada"},
        {"password": PASSWORD},
        {"key": "kb_1", "login": "ada", "password": PASSWORD},
        {"key": ""},
        {"login": "", "password": PASSWORD},
        {"login": "ada", "password": "x" * 1001},
    ],
)
def test_what_is_neither_a_key_nor_a_login_with_its_password_is_refused(page: TestClient, body: dict[str, str]) -> None:
    response = page.post("/api/v1/session", json=body)
    assert response.status_code == 422
    assert PASSWORD not in response.text


def test_wrong_login_wrong_password_and_disabled_all_look_alike(house: House) -> None:
    set_password(house.service.db, SYSTEM, house.ids["reader"], "rea", PASSWORD)
    with browser(house) as page:
        answers = [
            page.post("/api/v1/session", json={"login": login, "password": password}).json()["error"]
            for login, password in (("rea", "wrong password"), ("nobody", PASSWORD))
        ]
        disable(house.service.db, SYSTEM, house.ids["reader"])
        answers.append(page.post("/api/v1/session", json={"login": "rea", "password": PASSWORD}).json()["error"])
    for each in answers:
        each.pop("request_id")
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["code"] == "not_signed_in"


def test_a_session_that_is_over_says_so_once_and_takes_its_cookie_away(page: TestClient, later: Later) -> None:
    enter(page)
    later(timedelta(hours=13))
    response = me(page)
    assert code(response) == (401, "not_signed_in")
    assert response.headers["set-cookie"].startswith(f"{COOKIE}=; ")
    assert "Max-Age=0" in response.headers["set-cookie"]
    del page.headers["X-CSRF-Token"]
    assert me(page).json()["tier"] == "public"


def test_a_page_left_open_learns_that_its_session_has_ended_elsewhere(page: TestClient) -> None:
    enter(page)
    page.cookies.clear()
    assert code(me(page)) == (401, "not_signed_in")
    assert code(page.post("/api/v1/search", json={"query": "red"})) == (401, "not_signed_in")


def test_who_does_nothing_for_long_is_signed_out_and_who_does_something_stays(page: TestClient, later: Later) -> None:
    enter(page)
    later(timedelta(hours=7))
    assert me(page).status_code == 200
    later(timedelta(hours=11, minutes=50))
    assert me(page).status_code == 200
    later(timedelta(hours=12, seconds=1))
    assert me(page).status_code == 401
    enter(page)
    later(timedelta(hours=12, seconds=2) + timedelta(hours=8))
    assert me(page).status_code == 401


def test_the_token_changes_while_it_is_used_and_the_csrf_token_stays(page: TestClient, later: Later) -> None:
    csrf = enter(page)["csrf_token"]
    first = token(page)
    later(timedelta(minutes=14))
    assert me(page).status_code == 200
    assert token(page) == first
    later(timedelta(minutes=16))
    assert me(page).status_code == 200
    second = token(page)
    assert second not in (None, first)
    assert page.get("/api/v1/session").json()["csrf_token"] == csrf
    later(timedelta(minutes=40))
    assert me(page).status_code == 200
    assert token(page) not in (None, first, second)


def test_requests_at_the_same_moment_all_get_the_same_new_token(page: TestClient, later: Later) -> None:
    enter(page)
    first = token(page)
    later(timedelta(minutes=16))
    new = []
    for _ in range(3):
        hold(page, first)
        new.append(me(page).headers["set-cookie"])
    assert len(set(new)) == 1


def test_a_new_token_that_never_arrived_locks_nobody_out(page: TestClient, later: Later) -> None:
    enter(page)
    first = token(page)
    later(timedelta(minutes=16))
    me(page)  # the browser dropped this answer, and its cookie
    later(timedelta(minutes=30))
    hold(page, first)
    assert me(page).status_code == 200
    assert page.cookies.get(COOKIE) != first


def test_the_token_before_is_good_for_a_minute_and_then_ends_the_session_for_both(
    page: TestClient, later: Later, caplog: pytest.LogCaptureFixture
) -> None:
    enter(page)
    copied = token(page) or ""
    later(timedelta(minutes=16))
    me(page)
    me(page)  # the new token is in use
    thief = TestClient(page.app, base_url="https://kb.example", cookies={COOKIE: copied})
    later(timedelta(minutes=16, seconds=50))
    assert thief.get("/api/v1/me").status_code == 200
    later(timedelta(minutes=18))
    with caplog.at_level(logging.WARNING, "kb.security"):
        assert thief.get("/api/v1/me").status_code == 401
    assert "replaced" in caplog.text
    assert me(page).status_code == 401


def test_signing_out_ends_the_session_on_the_server(page: TestClient) -> None:
    enter(page)
    held = token(page)
    response = page.delete("/api/v1/session")
    assert (response.status_code, token(page)) == (204, None)
    hold(page, held)
    assert me(page).status_code == 401


def test_signing_out_everywhere_ends_all_sessions_of_that_person_only(shared: House, page: TestClient) -> None:
    enter(page)
    with browser(shared) as desk, browser(shared) as other:
        enter(desk)
        enter(other, key=shared.keys["candidate"])
        assert page.delete("/api/v1/session?everywhere=true").status_code == 204
        assert me(desk).status_code == 401
        assert me(other).status_code == 200


@pytest.mark.parametrize("happens", ["disabled", "keys revoked", "one key revoked", "password changed", "demoted"])
def test_what_is_taken_away_from_somebody_is_taken_from_their_sessions(house: House, happens: str) -> None:
    db, who = house.service.db, house.ids["publisher"]
    set_password(db, SYSTEM, who, "ada", PASSWORD)
    with browser(house) as page:
        enter(page, key=house.keys["publisher"])
        if happens == "disabled":
            disable(db, SYSTEM, who)
        elif happens == "keys revoked":
            revoke_keys(db, SYSTEM, who)
        elif happens == "one key revoked":
            with db.read() as tx:
                [key] = [each for each in people.keys(tx) if each.person_id == who]
            revoke_key(db, SYSTEM, key.id)
        elif happens == "password changed":
            set_password(db, SYSTEM, who, "ada", "eight grey herons wait")
        else:
            with db.write() as tx:
                people.update(tx, Person(who, "Ada"))
            assert me(page).json()["rights"] == []
            return
        assert me(page).status_code == 401


def test_a_session_opens_no_more_than_the_key_it_began_with_and_ends_with_it(shared: House, later: Later) -> None:
    until = clock.now() + timedelta(hours=1)
    key = issue_key(shared.service.db, SYSTEM, shared.ids["publisher"], "kiosk", until, frozenset({Scope.READ}))
    with browser(shared) as page:
        assert datetime.fromisoformat(enter(page, key=key)["expires_at"]) == until
        assert me(page).json()["rights"] == []
        assert page.post("/api/v1/search", json={"query": "red"}).status_code == 200
        assert code(page.post("/api/v1/interactions", json={"channel": "chat"})) == (403, "not_allowed")
        later(timedelta(hours=1))
        assert me(page).status_code == 401


def test_a_change_by_cookie_needs_the_csrf_token(page: TestClient) -> None:
    enter(page)
    ask = {"url": "/api/v1/search", "json": {"query": "red"}}
    assert page.post(**ask).status_code == 200
    right = page.headers.pop("X-CSRF-Token")
    assert code(page.post(**ask)) == (403, "foreign")
    assert me(page).status_code == 200
    for wrong in ("", right[:-1], right + "x", "é"):
        assert code(page.post(**ask, headers={"X-CSRF-Token": wrong.encode()})) == (403, "foreign")
    assert code(page.get("/api/v1/me", headers={"X-CSRF-Token": "of another"})) == (403, "foreign")


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "https://kb.example"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "https://kb.example.evil.example"}, False),
        ({"Origin": "https://kb.example:444"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "kb.example"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://kb.example"}, False),
        ({}, True),  # no browser
    ],
)
def test_a_page_of_somebody_else_can_neither_use_the_cookie_nor_sign_somebody_in(
    shared: House, headers: dict[str, str], ours: bool
) -> None:
    client = TestClient(shared.client.app, base_url="https://kb.example")
    began = client.post("/api/v1/session", json={"key": shared.keys["publisher"]}, headers=headers)
    assert (began.status_code == 200) is ours
    assert ("set-cookie" in began.headers) is ours
    with browser(shared) as page:
        csrf = enter(page, key=shared.keys["publisher"])["csrf_token"]
        hold(client, token(page))
    response = client.delete("/api/v1/session", headers=headers | {"X-CSRF-Token": csrf})
    assert response.status_code == (204 if ours else 403)


def test_a_form_of_somebody_else_cannot_sign_anybody_in(page: TestClient) -> None:
    body = json.dumps({"login": "ada", "password": PASSWORD})
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        response = page.post("/api/v1/session", content=body, headers={"Content-Type": kind})
        assert response.status_code in (415, 422)
        assert "set-cookie" not in response.headers


def test_a_key_in_the_header_wins_and_the_cookie_is_not_looked_at(shared: House, page: TestClient) -> None:
    enter(page)
    key = {"Authorization": f"Bearer {shared.keys['candidate']}"}
    del page.headers["X-CSRF-Token"]
    assert page.get("/api/v1/me", headers=key).json()["id"] == shared.ids["candidate"]
    assert page.post("/api/v1/search", json={"query": "red"}, headers=key).status_code == 200
    assert page.get("/api/v1/me", headers={"Authorization": "Bearer kb_wrong"}).status_code == 401
    assert token(page), "a wrong key says nothing about the session"


def test_repeated_failures_make_the_next_attempt_wait_whoever_tries(house: House, later: Later) -> None:
    set_password(house.service.db, SYSTEM, house.ids["publisher"], "ada", PASSWORD)

    def attempt(login: str, password: str) -> Any:
        with browser(house) as page:
            return page.post("/api/v1/session", json={"login": login, "password": password})

    for login in ("ada", "nobody"):
        assert [attempt(login, "wrong").status_code for _ in range(5)] == [401] * 5
        waits = attempt(login, PASSWORD)
        assert (code(waits), waits.headers["retry-after"]) == ((429, "too_many"), "1")
    with browser(house) as page:
        enter(page, key=house.keys["publisher"])  # a key still opens
        later(timedelta(seconds=2))
        assert attempt("ada", "wrong").status_code == 401
        assert attempt("ada", PASSWORD).headers["retry-after"] == "2"
        house.service.sign_in.unlock(SYSTEM, "ada")
        assert attempt("ada", PASSWORD).status_code == 200
        assert [attempt("ada", "wrong").status_code for _ in range(4)] == [401] * 4
        assert me(page).status_code == 200


def change(page: TestClient, current: str = PASSWORD, new: str = NEW, **more: Any) -> Any:
    return page.put("/api/v1/session/password", json={"current": current, "new": new}, **more)


@pytest.fixture
def ada(house: House) -> Iterator[TestClient]:
    """Somebody of her own, signed in."""
    set_password(house.service.db, SYSTEM, house.ids["publisher"], "ada", PASSWORD)
    with browser(house) as client:
        enter(client)
        yield client


def test_a_new_password_ends_all_other_sessions_and_gives_this_one_a_new_token(house: House, ada: TestClient) -> None:
    before = token(ada)
    with browser(house) as other, browser(house) as bobs:
        enter(other)
        enter(bobs, key=house.keys["candidate"])
        response = change(ada)
        assert (response.status_code, response.json()["login"]) == (200, "ada")
        assert response.json()["csrf_token"] == ada.headers["X-CSRF-Token"]
        assert len(response.headers.get_list("set-cookie")) == 1
        assert [me(each).status_code for each in (ada, other, bobs)] == [200, 401, 200]
        after = token(ada)
        hold(ada, before)
        assert me(ada).status_code == 401, "the token before is good for nothing, at once"
        hold(ada, after)
        assert me(ada).json()["name"] == "publisher"
        del other.headers["X-CSRF-Token"]
        assert other.post("/api/v1/session", json={"login": "ada", "password": PASSWORD}).status_code == 401
        enter(other, login="ada", password=NEW)
    with house.service.db.read() as tx:
        [changed] = [
            each for each in audit.of(tx, "person", house.ids["publisher"]) if each.action == "change_password"
        ]
    assert changed.after == {"sessions_ended": 1}


def test_a_new_password_when_the_token_is_due_brings_one_token_only(ada: TestClient, later: Later) -> None:
    later(timedelta(minutes=20))
    assert len(change(ada).headers.get_list("set-cookie")) == 1
    assert me(ada).status_code == 200
    later(timedelta(minutes=40))
    assert [me(ada).status_code, me(ada).status_code] == [200, 200], "and it goes on changing"


def test_the_present_password_is_needed_and_guessing_it_counts_like_signing_in(
    house: House, ada: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        refused = change(ada, "a wrong guess here")
        assert (code(refused), refused.json()["error"]["field"]) == ((422, "invalid"), "current")
    assert code(change(ada)) == (429, "too_many")
    assert me(ada).status_code == 200
    with browser(house) as other:
        assert code(other.post("/api/v1/session", json={"login": "ada", "password": PASSWORD})) == (429, "too_many")
    assert "wrong guess" not in caplog.text


@pytest.mark.parametrize("new", ["too short", "passwordpassword", "contactcentre2026", "x" * 201, "ada"])
def test_a_new_password_that_nobody_should_use_is_refused_and_costs_no_attempt(ada: TestClient, new: str) -> None:
    for _ in range(6):
        refused = change(ada, new=new)
        assert (code(refused), refused.json()["error"]["field"]) == ((422, "invalid"), "new")
        assert new not in refused.json()["error"]["message"] or new == "ada"
    assert change(ada).status_code == 200


def test_who_has_no_password_changes_none(house: House) -> None:
    for who in ("", "candidate"):
        headers = {"Authorization": f"Bearer {house.keys[who]}"} if who else {}
        with browser(house) as page:
            assert code(change(page, headers=headers)) == (403, "not_allowed")
    assert code(house.ask("PUT", "session/password", json={"current": PASSWORD, "new": NEW})) == (403, "not_allowed")


def test_a_new_password_by_key_ends_every_session_and_needs_a_page_of_ours_by_cookie(
    house: House, ada: TestClient
) -> None:
    assert code(change(ada, headers={"Sec-Fetch-Site": "cross-site"})) == (403, "foreign")
    assert code(change(ada, headers={"X-CSRF-Token": "x"})) == (403, "foreign")
    with browser(house) as program:
        response = change(program, headers={"Authorization": f"Bearer {house.keys['publisher']}"})
        assert (response.status_code, response.json()["csrf_token"]) == (200, None)
        assert "set-cookie" not in response.headers
    assert me(ada).status_code == 401


def test_people_see_their_own_sessions_and_end_them_one_by_one(house: House, ada: TestClient, later: Later) -> None:
    later(timedelta(minutes=5))
    with browser(house) as other, browser(house) as bobs:
        enter(other)
        enter(bobs, key=house.keys["candidate"])
        theirs, mine = [each.get("/api/v1/sessions").json()["sessions"] for each in (bobs, ada)]
        assert [each["present"] for each in theirs] == [True]
        assert [each["present"] for each in mine] == [True, False], "last used first"
        assert mine[0]["began_at"] < mine[1]["began_at"] < mine[0]["expires_at"] < mine[1]["expires_at"]
        assert (token(ada) or "") not in str(mine)
        for unknown in (theirs[0]["id"], "0" * 32):
            assert code(ada.delete(f"/api/v1/sessions/{unknown}")) == (404, "not_found")
        assert ada.delete(f"/api/v1/sessions/{mine[1]['id']}").status_code == 204
        assert [me(each).status_code for each in (ada, other, bobs)] == [200, 401, 200]
        response = ada.delete(f"/api/v1/sessions/{mine[0]['id']}")
        assert (response.status_code, token(ada)) == (204, None)
        assert me(bobs).status_code == 200


def test_sessions_that_are_over_are_not_shown_and_the_public_has_none(
    house: House, ada: TestClient, later: Later
) -> None:
    later(timedelta(hours=9))
    key = {"Authorization": f"Bearer {house.keys['publisher']}"}
    assert house.client.get("/api/v1/sessions", headers=key).json() == {"sessions": []}
    assert house.get("sessions").json() == {"sessions": []}
    assert code(house.ask("DELETE", "sessions/x")) == (404, "not_found")


def test_an_administrator_ends_every_session_of_a_person(house: House, ada: TestClient) -> None:
    with pytest.raises(NotAllowed):
        house.service.sign_in.leave_everywhere(Person("candidate", "Bob"), house.ids["publisher"])
    assert house.service.sign_in.leave_everywhere(SYSTEM, house.ids["publisher"]) == 1
    assert me(ada).status_code == 401


def test_a_browser_forgets_what_it_keeps_of_ours_when_somebody_leaves(page: TestClient) -> None:
    enter(page)
    response = page.delete("/api/v1/session")
    assert response.headers["clear-site-data"] == '"cache", "storage"'


def test_signing_in_and_out_is_audited_and_failures_are_logged_without_names(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    db, who = house.service.db, house.ids["publisher"]
    set_password(db, SYSTEM, who, "ada", PASSWORD)
    with caplog.at_level(logging.INFO), browser(house) as page:
        page.post("/api/v1/session", json={"login": "ada", "password": "wrong guess of ada"})
        enter(page)
        page.delete("/api/v1/session")
    with db.read() as tx:
        changes = audit.of(tx, "person", who)
    assert [each.action for each in changes][-3:] == ["set_password", "sign_in", "sign_out"]
    assert changes[-2].after == {"how": "password"}
    [refused] = [each for each in caplog.records if each.name == "kb.security"]
    assert refused.getMessage() == "sign-in refused"
    told = " ".join(str(each.__dict__) for each in caplog.records) + str(changes)
    for secret in ("wrong guess", PASSWORD, "'ada'", str(token(page) or "-none-")):
        assert secret not in told


def test_nothing_that_opens_is_in_the_database(house: House) -> None:
    set_password(house.service.db, SYSTEM, house.ids["publisher"], "ada", PASSWORD)
    with browser(house) as page:
        csrf = enter(page)["csrf_token"]
        held = token(page) or ""
    with house.service.db.read() as tx:
        tables = [tx.exec_driver_sql(f"SELECT * FROM {name}").all() for name in ("session", "password", "failure")]
    for secret in (held, csrf, PASSWORD):
        assert secret not in str(tables)


def test_sessions_that_have_ended_are_cleared_away(house: House, later: Later) -> None:
    with browser(house) as page:
        enter(page, key=house.keys["publisher"])
        later(timedelta(hours=13))
        enter(page, key=house.keys["candidate"])
    with house.service.db.read() as tx:
        assert [row.person_id for row in tx.execute(table.select())] == [house.ids["candidate"]]


def test_two_people_cannot_have_one_login(shared: House) -> None:
    with pytest.raises(Conflict):
        set_password(shared.service.db, SYSTEM, shared.ids["candidate"], "ＡDA", PASSWORD)


def test_behind_a_proxy_that_ends_tls_the_public_address_decides(sqlite_template: Path) -> None:
    with opened(sqlite_template, public_url="https://kb.example/") as house:
        inside = TestClient(house.client.app, base_url="http://10.0.0.5:8000")
        key = {"key": house.keys["publisher"]}
        response = inside.post("/api/v1/session", json=key, headers={"Origin": "https://kb.example"})
        assert response.headers["set-cookie"].startswith(f"{COOKIE}=")
        assert "; Secure" in response.headers["set-cookie"]
        cookie = {"Cookie": response.headers["set-cookie"].partition(";")[0]}
        assert inside.get("/api/v1/me", headers=cookie).json()["name"] == "publisher"
        plain = {"Cookie": cookie["Cookie"].replace("__Host-", "")}
        assert inside.get("/api/v1/me", headers=plain).json()["tier"] == "public", "a neighbour may have planted it"
        for foreign in ("https://evil.example", "http://kb.example", ""):
            refused = inside.post("/api/v1/session", json=key, headers={"Origin": foreign})
            assert code(refused) == (403, "foreign"), foreign


def test_a_credential_is_looked_up_once_for_each_request(
    shared: House, page: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(page)
    resume, asked = shared.service.sign_in.resume, []
    monkeypatch.setattr(
        shared.service.sign_in, "resume", lambda *how, **more: asked.append(how) or resume(*how, **more)
    )
    assert page.get("/api/v1/topics").status_code == 200
    assert len(asked) == 1


def test_reading_goes_on_while_nothing_can_be_written(house: House, later: Later) -> None:
    with browser(house) as page:
        enter(page, key=house.keys["publisher"])
        later(timedelta(minutes=20))
        with house.service.patient_db.write():
            assert me(page).json()["name"] == "publisher"
        first = token(page)
        assert me(page).status_code == 200
        assert token(page) != first, "the token changes as soon as it can"
