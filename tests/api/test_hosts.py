"""Hosts that vouch for their customers and agents with short-lived tokens."""

import base64
import hmac
import json
import time
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import APIRouter, WebSocket
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from kb.api import application
from kb.api.limits import Bounds
from kb.api.people import Me, opens
from kb.audience import Audience
from kb.host import Algorithm
from kb.person import ANONYMOUS, SYSTEM, Scope
from kb.solve import hosts
from kb.solve.access import disable
from tests.api.conftest import House

ED25519 = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(65537, 2048)
ROWS = "SELECT count(*) FROM person"


def pem(key: Any) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def token(key: Any = ED25519, algorithm: str = "EdDSA", **changes: Any) -> str:
    """A token of the shop for its customer c-1, with changes; a claim that is None is left out."""
    now = int(time.time())
    claims = {"iss": "shop", "aud": "kb", "sub": "c-1", "iat": now, "exp": now + 300} | changes
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm)


@pytest.fixture(scope="module")
def shop(shared: House) -> House:
    """A house with hosts: a shop and a rival for customers, a desk for agents."""
    db = shared.service.db
    hosts.add_host(db, SYSTEM, "shop", Audience.CUSTOMER, public_key=pem(ED25519), origins=["https://Shop.example"])
    hosts.add_host(db, SYSTEM, "rival", Audience.PARTNER, public_key=pem(ED25519))
    hosts.add_host(db, SYSTEM, "desk", Audience.INTERNAL, algorithm=Algorithm.RS256, public_key=pem(RSA))
    hosts.link(db, SYSTEM, "desk", "agent-7", shared.ids["contributor"])
    return shared


def ask(house: House, credential: str, path: str = "me", **headers: str) -> Any:
    return house.get(path) if not credential else house.ask(
        "GET", path, headers={"Authorization": f"Bearer {credential}"} | headers
    )  # fmt: skip


def test_a_host_vouches_for_its_customer(shop: House) -> None:
    me = ask(shop, token(name="Kim  Li")).json()
    assert (me["name"], me["tier"], me["roles"], me["rights"]) == ("Kim Li", "customer", [], [])
    assert ask(shop, token()).json()["id"] == me["id"], "the next token is the same person"


def test_two_customers_are_two_people_and_so_are_two_hosts_with_the_same_customer(shop: House) -> None:
    found = {ask(shop, each).json()["id"] for each in (token(), token(sub="c-2"), token(iss="rival"))}
    assert len(found) == 3
    assert not any("c-1" in each for each in found)


def test_a_host_may_vouch_for_less_but_not_for_more(shop: House) -> None:
    assert ask(shop, token(tier="public")).json()["tier"] == "public"
    assert ask(shop, token(iss="rival")).json()["tier"] == "partner"
    for tier in ("partner", "internal", "boss", 7, ["customer"]):
        assert ask(shop, token(tier=tier)).status_code == 401


def test_roles_groups_and_scopes_that_a_token_claims_are_nobodys(shop: House) -> None:
    me = ask(shop, token(roles=["admin"], groups=["fraud-team"], scopes=["administer"])).json()
    assert (me["roles"], me["groups"], me["rights"]) == ([], [], [])


def test_an_agent_has_to_be_linked_to_one_of_our_people(shop: House) -> None:
    me = ask(shop, token(RSA, "RS256", iss="desk", sub="agent-7")).json()
    assert (me["id"], me["roles"]) == (shop.ids["contributor"], ["contributor"])
    assert ask(shop, token(RSA, "RS256", iss="desk", sub="agent-8")).status_code == 401
    customer = ask(shop, token(RSA, "RS256", iss="desk", sub="agent-7", tier="customer")).json()
    assert (customer["tier"], customer["roles"]) == ("customer", [])


def test_an_agent_who_is_disabled_is_let_in_no_more(house: House) -> None:
    db = house.service.db
    hosts.add_host(db, SYSTEM, "desk", Audience.INTERNAL, public_key=pem(ED25519))
    hosts.link(db, SYSTEM, "desk", "agent-7", house.ids["contributor"])
    assert ask(house, token(iss="desk", sub="agent-7")).status_code == 200
    disable(db, SYSTEM, house.ids["contributor"])
    assert ask(house, token(iss="desk", sub="agent-7")).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "nobody"}, {"iss": None}, {"iss": "sh\0op"}, {"iss": "\ud800"},
        {"aud": "other"}, {"aud": None}, {"sub": None}, {"sub": ""}, {"sub": "x" * 201}, {"sub": "c\0"}, {"sub": 7},
        {"exp": None}, {"iat": None}, {"exp": "soon"}, {"exp": 1e400},
    ],
)  # fmt: skip
def test_a_token_that_lacks_something_or_has_too_much_is_refused(shop: House, changes: dict[str, Any]) -> None:
    response = ask(shop, token(**changes))
    assert (response.status_code, response.json()["error"]["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize(
    "seconds",
    [
        {"exp": -60}, {"iat": 120}, {"nbf": 120}, {"exp": 601, "iat": 0}, {"exp": 10**9}, {"iat": -86_400, "exp": 300},
    ],
)  # fmt: skip
def test_a_token_of_another_hour_is_refused(shop: House, seconds: dict[str, int]) -> None:
    now = int(time.time())  # of the test, which may run long after its parameters were collected
    response = ask(shop, token(**{claim: now + away for claim, away in seconds.items()}))
    assert (response.status_code, response.json()["error"]["code"]) == (401, "not_signed_in")


def test_only_the_hosts_own_key_and_algorithm_count_whatever_the_header_says(shop: House) -> None:
    forged = [
        token(ed25519.Ed25519PrivateKey.generate()),
        token(RSA, "RS256"),  # the desk's key for the shop's customer
        token("", "none"),
        forge("HS256", pem(ED25519).encode()),  # the public key taken for a secret
        token()[:-4] + "AAAA",
        token() + ".",
        "a.b.c", "..", "e30.e30.",
        f"{'a' * 9000}.{'b' * 9000}.c",
    ]  # fmt: skip
    for each in forged:
        assert ask(shop, each).status_code == 401, each[:80]


def forge(algorithm: str, secret: bytes) -> str:
    """What PyJWT itself refuses to make."""

    def part(text: bytes) -> str:
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    header = json.dumps({"alg": algorithm, "typ": "JWT"}).encode()
    signed = f"{part(header)}.{token().split('.')[1]}"
    return f"{signed}.{part(hmac.digest(secret, signed.encode(), 'sha256'))}"


def test_a_page_that_is_not_the_hosts_cannot_use_its_token(shop: House) -> None:
    assert ask(shop, token(), Origin="https://shop.example").status_code == 200
    assert ask(shop, token(), Origin="http://testserver").status_code == 200, "a page of ours"
    assert ask(shop, token(), Origin="https://evil.example").status_code == 401
    assert ask(shop, token(iss="rival"), Origin="https://evil.example").status_code == 200, "it named no pages"


def test_a_host_that_is_revoked_vouches_for_nobody(house: House) -> None:
    hosts.add_host(house.service.db, SYSTEM, "shop", Audience.CUSTOMER, public_key=pem(ED25519))
    assert ask(house, token()).status_code == 200
    hosts.revoke_host(house.service.db, SYSTEM, "shop")
    assert ask(house, token()).status_code == 401


def test_a_shared_secret_works_too(house: House) -> None:
    _, secret = hosts.add_host(house.service.db, SYSTEM, "shop", Audience.CUSTOMER, algorithm=Algorithm.HS256)
    assert ask(house, token(secret, "HS256")).json()["tier"] == "customer"
    assert ask(house, token(secret + "x", "HS256")).status_code == 401


def test_what_a_customer_opens_stays_theirs_with_their_next_token_and_nobody_elses(shop: House) -> None:
    def sent(method: str, path: str, credential: str, **more: Any) -> Any:
        return shop.ask(method, path, headers={"Authorization": f"Bearer {credential}"}, **more)

    opened = sent("POST", "interactions", token(), json={"channel": "chat"}).json()
    path = f"interactions/{opened['id']}"
    event = {"events": [{"kind": "resolved", "interaction_id": opened["id"]}]}
    assert sent("GET", path, token(jti="another")).status_code == 200
    assert sent("POST", "events", token(), json=event).status_code == 201
    for other in (token(sub="c-2"), token(iss="rival"), token(RSA, "RS256", iss="desk", sub="c-1", tier="customer")):
        assert sent("GET", path, other).status_code == 404
        assert sent("POST", "events", other, json=event).status_code == 404
    assert shop.get(path).status_code == 404


def test_nothing_is_written_about_a_customer_who_only_reads_and_erasing_finds_them_by_what_the_host_calls_them(
    house: House,
) -> None:
    db = house.service.db
    hosts.add_host(db, SYSTEM, "shop", Audience.CUSTOMER, public_key=pem(ED25519))
    with db.read() as tx:
        before = tx.exec_driver_sql(ROWS).scalar()
    me = ask(house, token()).json()["id"]
    with db.read() as tx:
        assert tx.exec_driver_sql(ROWS).scalar() == before
    assert hosts.people_called(db, "c-1") == {me}


@pytest.fixture(scope="module")
def socket(shop: House) -> TestClient:
    """The application with a WebSocket that says who it found."""
    router = APIRouter(dependencies=[opens(Scope.READ)])

    @router.websocket("/live")
    async def live(connection: WebSocket, me: Me) -> None:
        await connection.accept()
        await connection.send_json({"id": me.id, "state": connection.state.person_id})
        await connection.close()

    modules = (*application.EVERYTHING, SimpleNamespace(router=router))
    app = application.application(shop.service, lambda app: None, Bounds(), modules)  # type: ignore[arg-type]
    return TestClient(app, base_url="https://kb.example")


def found(socket: TestClient, **headers: str) -> Any:
    """Whom a WebSocket finds, or the status it is refused with."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with socket.websocket_connect("wss://kb.example/live", headers=named) as connection:
            said = connection.receive_json()
            assert said["id"] == said["state"]
            return said["id"]
    except WebSocketDenialResponse as denied:
        return denied.status_code


def test_a_websocket_finds_the_same_people(shop: House, socket: TestClient) -> None:
    assert found(socket) == ANONYMOUS.id
    assert found(socket, Authorization=f"Bearer {shop.keys['candidate']}") == shop.ids["candidate"]
    assert found(socket, Authorization=f"Bearer {token()}") == ask(shop, token()).json()["id"]
    assert found(socket, Authorization="Bearer kb_wrong") == 401


def test_a_websocket_by_cookie_is_opened_by_our_pages_only(shop: House, socket: TestClient) -> None:
    page = TestClient(shop.client.app, base_url="https://kb.example")
    page.post("/api/v1/session", json={"key": shop.keys["candidate"]})
    cookie = f"__Host-kb_session={page.cookies['__Host-kb_session']}"
    assert found(socket, Cookie=cookie, Origin="https://kb.example") == shop.ids["candidate"]
    assert found(socket, Cookie=cookie, Origin="https://evil.example") == 403
    assert found(socket, Cookie=cookie, Origin="https://shop.example") == 403
    assert found(socket, Cookie="__Host-kb_session=gone", Origin="https://kb.example") == 401
