"""The editor in a real browser: written, looked at, saved and published; nothing lost, nothing shown that is not theirs."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from kb.article import Draft
from kb.audience import Audience
from kb.language import Language
from kb.person import EVERYTHING, SYSTEM, Role
from kb.solve import improve
from kb.solve.access import add_person
from tests.pictures import png
from tests.web.acting import enter_key, sign_in
from tests.web.conftest import Site, Watch

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]
BODY = """\
## Issue

The ring stays red after the storm.

## Environment

Hub 6, any plan.

## Resolution

1. Hold reset for ten seconds.
2. Wait until it is blue.

::: internal
Desk only: code X5-200.
:::
"""


@dataclass
class Desk:
    """Those who write, and how they ask the service without a page."""

    site: Site
    keys: dict[str, str]
    ids: dict[str, str]

    def ask(self, method: str, path: str, body: object = None, who: str = "Edna") -> Any:
        headers = {"Authorization": f"Bearer {self.keys[who]}"}
        response = httpx.request(method, f"{self.site.url}/api/v1/{path}", json=body, headers=headers)
        assert response.status_code < 300, response.text
        return response.json()

    def article(self, title: str = "The ring stays red", body: str = BODY, **state: Any) -> str:
        known: dict[str, Any] = {"language": Language.ENGLISH, "audience": Audience.PUBLIC, "template": "standard"}
        return improve.create(self.site.service.db, SYSTEM, Draft(title, body, **(known | state))).number

    def flagged(self, number: str) -> str:
        sent = {"cause": "wrong_fact", "number": number, "revision": 1, "quote": "Hold reset for ten seconds.",
                "note": "Since firmware 4 it takes fifteen"}  # fmt: skip
        case: str = self.ask("POST", "flags", sent)["case"]["id"]
        return case

    def read(self, number: str) -> Any:
        return self.ask("GET", f"articles/{number}")

    def revise(self, number: str, body: str, who: str = "Otto", **more: Any) -> Any:
        version = self.read(number)["version"]
        sent = {"title": "The ring stays red", "body": body, "version": version} | more
        return self.ask("POST", f"articles/{number}/revisions", sent, who)


@pytest.fixture(scope="module")
def desk(site: Site) -> Iterator[Desk]:
    made = Desk(site, {}, {})
    for name, roles in (("Edna", {Role.PUBLISHER}), ("Otto", {Role.PUBLISHER}), ("Cleo", {Role.CANDIDATE})):
        person, made.keys[name] = add_person(site.service.db, SYSTEM, name, Audience.INTERNAL, roles=roles, scopes=EVERYTHING)
        made.ids[name] = person.id
    yield made


def opened(visit: Visit, desk: Desk, query: str, who: str = "Edna", **how: Any) -> Page:
    page = visit(path=f"/editor/write?{query}", **how)
    page.click("#open-sign-in")
    enter_key(page, desk.keys[who])
    expect(page.locator("#desk")).to_be_visible()
    expect(page.locator("#shown article")).to_be_visible() if "template" not in query else None
    return page
