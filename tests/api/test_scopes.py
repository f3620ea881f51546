"""A key opens no more than its scopes, on every route there is."""

from typing import Any

import pytest
from fastapi import APIRouter

from kb.api.application import EVERYTHING as MODULES
from kb.api.people import NEEDS_NO_SCOPE, Me, opens, require_scopes
from kb.person import SYSTEM, Scope
from kb.solve.access import issue_key
from tests.api.conftest import House

# What to ask of a route to learn whether it lets a key in: whether it then finds anything does not matter here.
ASKED: dict[str, tuple[str, str, Scope]] = {
    "search": ("POST", "search", Scope.READ),
    "suggest": ("GET", "suggest?q=red", Scope.READ),
    "topics": ("GET", "topics", Scope.READ),
    "list": ("GET", "articles", Scope.READ),
    "history": ("GET", "articles/482-9175/revisions", Scope.READ),
    "create": ("POST", "articles", Scope.WRITE),
    "publish": ("POST", "articles/482-9175/publish", Scope.WRITE),
    "interaction": ("POST", "interactions", Scope.INTERACT),
    "trail": ("GET", "interactions/x", Scope.INTERACT),
    "events": ("POST", "events", Scope.INTERACT),
    "flag": ("POST", "flags", Scope.INTERACT),
    "cases": ("GET", "cases", Scope.INTERACT),
    "notifications": ("GET", "notifications", Scope.INTERACT),
    "metrics": ("GET", "/metrics", Scope.OBSERVE),
}


@pytest.fixture(scope="module")
def keys(shared: House) -> dict[Scope, str]:
    """A key of an administrator for each scope alone."""
    db, admin = shared.service.db, shared.ids["admin"]
    return {scope: issue_key(db, SYSTEM, admin, scope, scopes=frozenset({scope})) for scope in Scope}


def refused(response: Any) -> bool:
    return bool(response.status_code == 403 and "scope" in response.json()["error"]["message"])


@pytest.mark.parametrize("name", ASKED)
def test_a_route_takes_its_scope_and_no_other(shared: House, keys: dict[Scope, str], name: str) -> None:
    method, path, needed = ASKED[name]
    for scope, key in keys.items():
        response = shared.ask(method, path, headers={"Authorization": f"Bearer {key}"})
        assert refused(response) is (scope is not needed), f"{scope}: {response.text}"


def test_who_one_is_takes_no_scope(shared: House, keys: dict[Scope, str]) -> None:
    for key in keys.values():
        assert shared.ask("GET", "me", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_the_public_reads_and_interacts_only(shared: House) -> None:
    assert {name for name, (method, path, _) in ASKED.items() if refused(shared.ask(method, path))} == {
        "create", "publish", "metrics",
    }  # fmt: skip


def test_every_route_says_what_it_takes_and_one_that_forgets_cannot_be_served() -> None:
    routes = [route for module in MODULES for route in module.router.routes]
    assert len(routes) > 25
    assert {route.name for route in routes} >= NEEDS_NO_SCOPE, "the list names routes that are there"
    forgetful = APIRouter()

    @forgetful.get("/secrets")
    def secrets(me: Me) -> str:
        return me.id

    with pytest.raises(RuntimeError, match="says no scope"):
        require_scopes(forgetful)
    careful = APIRouter(dependencies=[opens(Scope.READ)])
    careful.get("/secrets")(secrets)
    require_scopes(careful)
