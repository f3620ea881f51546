"""The real application on a free port of this machine, and a real browser in front of it."""

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from kb.app import create_app
from kb.bootstrap import Service
from kb.cli.serving import listen
from kb.search.loading import BackgroundEncoder
from kb.settings import Settings
from kb.store.database import Database
from kb.store.migrate import migrate
from tests.toys import ToyEncoder
from tests.web.library import Library, fill

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_PATIENCE_S = 60.0


@dataclass
class Site:
    """Where the application answers, and what it knows."""

    url: str
    library: Library
    service: Service


@dataclass
class Watch:
    """What a page did that nobody should see: errors in its console, requests to elsewhere."""

    site: Site
    console: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    also: tuple[str, ...] = ()  # where else this test goes on purpose

    def follow(self, page: Page) -> None:
        """Listen to everything that this page says and asks for."""
        page.on("console", lambda said: self.console.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.on("request", lambda request: self._request(request.url))

    def _request(self, url: str) -> None:
        self.asked.append(url)
        if not url.startswith((f"{self.site.url}/", "data:", *self.also)):
            self.elsewhere.append(url)

    def check(self) -> None:
        """Nothing but what the test expects, such as the browser's own note of a status of 503."""
        assert self.elsewhere == []
        assert [each for each in self.console if not any(known in each for known in self.expected)] == []


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The application with a toy encoder, everything in the library indexed."""
    with serving(tmp_path_factory.mktemp("web"), fill, _is_indexed) as site:
        yield site


@contextlib.contextmanager
def serving(
    folder: Path, fill: Callable[[Database], Library], is_ready: Callable[[Site], bool], **set: Any
) -> Iterator[Site]:
    """The application with a toy encoder on a port of its own, once what `fill` wrote is found."""
    settings = Settings(_env_file=None, data_dir=folder, database_url="", qdrant_url="", **set)  # type: ignore[call-arg]
    with contextlib.closing(Database(settings.database)) as db:
        migrate(db)
        library = fill(db)
    service = Service(settings, encoder=BackgroundEncoder(ToyEncoder, ToyEncoder().identity))
    with contextlib.closing(listen("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(create_app(service), log_level="warning", lifespan="on", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="web", daemon=True)
        thread.start()
        site = Site(f"http://127.0.0.1:{listening.getsockname()[1]}", library, service)
        try:
            _until(lambda: server.started, "the server has started")
            _until(lambda: is_ready(site), "everything is indexed")
            yield site
        finally:
            server.should_exit = True
            thread.join(timeout=_PATIENCE_S)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium without a window."""
    if not Path(CHROMIUM).exists() and shutil.which("chromium") is None:
        reason = f"Chromium is not installed ({CHROMIUM})"
        if os.environ.get("CI") or os.environ.get("KB_TEST_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(f"{reason}; KB_TEST_BROWSER=1 makes this a failure")
    path = CHROMIUM if Path(CHROMIUM).exists() else shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


Visit = Callable[..., Page]


@pytest.fixture
def watch(site: Site) -> Iterator[Watch]:
    """Notes what pages do; at the end of the test nothing may be wrong."""
    watch = Watch(site)
    yield watch
    watch.check()


@pytest.fixture
def visit(browser: Browser, site: Site, watch: Watch) -> Iterator[Visit]:
    """Open the page as somebody would: `visit(hash="q=red", locale="zh-TW", width=360, dark=True)`."""
    contexts: list[BrowserContext] = []

    def _visit(
        hash: str = "", *, locale: str = "en-GB", width: int = 1440, dark: bool = False, path: str = "/", **more: Any
    ) -> Page:
        context = browser.new_context(
            locale=locale,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            base_url=site.url,
            **more,
        )
        contexts.append(context)
        context.set_default_timeout(30_000)
        page = context.new_page()
        watch.follow(page)
        page.goto(f"{path}#{hash}" if hash else path)
        return page

    yield _visit
    for context in contexts:
        context.close()


def _until(happened: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {_PATIENCE_S:.0f} s: {what}")
        time.sleep(0.02)


def _is_indexed(site: Site) -> bool:
    """Whether search and suggestions know the article that was written last."""
    key = {"Authorization": f"Bearer {site.library.keys['Ada']}"}
    found = httpx.post(f"{site.url}/api/v1/search", json={"query": "thunderstorm"}, headers=key)
    offered = httpx.get(f"{site.url}/api/v1/suggest", params={"q": "what to check"}, headers=key)
    if found.status_code != 200 or offered.status_code != 200:
        return False
    answer = found.json()
    return bool(answer["hits"]) and not answer["degraded"] and bool(offered.json()["suggestions"])
