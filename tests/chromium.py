"""A real browser. One for a whole run: Playwright's loop can be started once in a process."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium without a window."""
    if not Path(CHROMIUM).exists() and shutil.which("chromium") is None:
        reason = f"Chromium is not installed ({CHROMIUM})"
        if os.environ.get("CI") or os.environ.get("KB_TEST_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(f"{reason}; KB_TEST_BROWSER=1 makes this a failure")
    path = CHROMIUM if Path(CHROMIUM).exists() else shutil.which("chromium")
    expect.set_options(timeout=20_000)  # ms: nothing is said of speed here, and a machine may be busy
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
