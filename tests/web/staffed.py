"""A site for the editor's pages: the library with a coach and a candidate, and short ways to ask its API."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from kb.audience import Audience
from kb.person import SYSTEM, Role
from kb.solve.access import add_person
from kb.store.database import Database
from tests.web.conftest import Site, serving
from tests.web.conftest import _is_indexed as is_indexed
from tests.web.library import Library, fill

OLD = "## Issue\n\nThe ring stays amber.\n\n## Resolution\n\n1. Wait ten seconds.\n2. Press the pin.\n"
NEW = "## Issue\n\nThe ring stays amber.\n\n## Resolution\n\n1. Wait thirty seconds.\n2. Press the pin.\n"


def staffed(db: Database) -> Library:
    """The library, with more people."""
    library = fill(db)
    for name, role in (("Cora", Role.COACH), ("Cat", Role.CANDIDATE)):
        _, library.keys[name] = add_person(db, SYSTEM, name, Audience.INTERNAL, roles={role})
    return library


def desk(folder: Path) -> Iterator[Site]:
    """The application, for a module: what its tests write is found by nobody else's."""
    with serving(folder, staffed, is_indexed, rate_per_key=1e6, rate_per_address=1e6) as site:
        yield site


def ask(site: Site, method: str, path: str, body: Any = None, who: str = "Ada", **query: Any) -> Any:
    """The answer of the API to somebody, which is no refusal."""
    headers = {"Authorization": f"Bearer {site.library.keys[who]}"}
    url = f"{site.url}/api/v1/{path}"
    found = httpx.request(method, url, json=body, headers=headers, params=query or None, timeout=60)
    assert found.status_code < 300, found.text
    return found.json()


def written(site: Site, title: str = "Amber ring", body: str = OLD, who: str = "Ada", **state: Any) -> str:
    """The number of a new article, published."""
    sent = {"title": title, "body": body, "language": "en", "audience": "public", "publish": True} | state
    return str(ask(site, "POST", "articles", sent, who)["number"])


def revised(site: Site, number: str, body: str = NEW, who: str = "Ada", **more: Any) -> Any:
    """One more revision of it, published."""
    now = ask(site, "GET", f"articles/{number}", who=who)
    sent = {"title": now["title"], "body": body, "version": now["version"], "publish": True} | more
    return ask(site, "POST", f"articles/{number}/revisions", sent, who)
