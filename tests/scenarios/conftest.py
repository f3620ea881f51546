"""KCS's demo scenarios, each played from end to end in a house of its own; some in a real browser.

Every state that a browser comes to is looked at by axe and kept as a picture in `build/scenarios` (KB_TEST_ARTEFACTS).
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from kb.audience import Audience
from kb.person import SYSTEM, Role
from kb.solve.access import add_person
from tests.api.conftest import house
from tests.web.conftest import Site, _is_indexed, serving, visit, watch
from tests.web.library import fill

__all__ = ["house", "visit", "watch"]

_PICTURES = Path(os.environ.get("KB_TEST_ARTEFACTS") or Path(__file__).parents[2] / "build" / "scenarios")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A contact centre of its own, where two customers who are not helped make a case."""
    with serving(tmp_path_factory.mktemp("scenario"), fill, _is_indexed, case_not_helpful=2) as site:
        for name, role in (("Cindy", Role.CANDIDATE), ("Connor", Role.CONTRIBUTOR), ("Pia", Role.PUBLISHER)):
            _, key = add_person(site.service.db, SYSTEM, name, Audience.INTERNAL, roles={role})
            site.library.keys[name] = key
        yield site


@pytest.fixture
def state(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Look at a state of a page: `state(page, "flag dialog")`."""
    axe, story = Axe(), Path(request.path).stem

    def look(page: Page, name: str) -> None:
        found = axe.run(page).response["violations"]
        told = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
        assert not found, f"{name}: {json.dumps(told, ensure_ascii=False, indent=1)}"
        _PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=_PICTURES / f"{story}-{name.replace(' ', '-')}.png", full_page=True)

    return look


def asked(site: Site, who: str, method: str, path: str, body: object = None, **query: Any) -> Any:
    """The answer of the API to somebody, which is no refusal."""
    headers = {"Authorization": f"Bearer {site.library.keys[who]}"} if who else {}
    found = httpx.request(method, f"{site.url}/api/v1/{path}", json=body, headers=headers, params=query or None)
    assert found.status_code < 300, found.text
    return found.json()
