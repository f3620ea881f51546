"""What the server sends: headers, caching, languages. No browser needed."""

import json
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from kb.language import Language
from kb.web.negotiation import closest, preferred
from kb.web.pages import PAGES, mount

STATIC = Path(__file__).parents[2] / "kb" / "web" / "static"


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI()
    mount(app)
    return TestClient(app)


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(client: TestClient) -> None:
    for path in ("/", "/dictionary", "/static/search.js", "/static/nothing"):
        policy = client.get(path).headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert "*" not in policy
        assert {"base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))


def test_the_page_is_asked_for_again_and_its_files_are_kept_for_ever(client: TestClient) -> None:
    page = client.get("/")
    script = next(part for part in page.text.split('"') if part.startswith("/static/") and part.endswith("/search.js"))
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["vary"] == "Accept-Language"
    assert "immutable" in client.get(script).headers["cache-control"]


def test_a_page_fetches_its_own_modules_at_once_and_no_others(client: TestClient) -> None:
    search, dictionary = client.get("/").text, client.get("/dictionary").text
    assert "/combobox.js" in search
    assert "/entry.js" not in search
    assert dictionary.count("modulepreload") > 5
    assert "/differences.js" in dictionary


def test_what_only_staff_or_an_answer_needs_is_not_fetched_with_the_search_page(client: TestClient) -> None:
    page = client.get("/").text
    assert "/helped.js" in page
    assert not [name for name in ("rating", "desk", "flagging") if f"/{name}." in page]


def test_a_file_of_another_release_is_served_but_not_kept(client: TestClient) -> None:
    old = client.get("/static/000000000000/search.js")
    assert old.status_code == 200
    assert old.headers["cache-control"] == "no-cache"


def test_a_file_that_is_known_is_not_sent_again(client: TestClient) -> None:
    tag = client.get("/static/search.js").headers["etag"]
    again = client.get("/static/search.js", headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)


@pytest.mark.parametrize("path", ["../pages.py", "%2e%2e/pages.py", "x/../../pages.py", "templates/search.html", ""])
def test_nothing_but_static_files_can_be_asked_for(client: TestClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404


def test_modules_have_the_type_that_browsers_insist_on(client: TestClient) -> None:
    assert client.get("/static/search.js").headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", Language.ENGLISH),
        ("fr-FR, de;q=0.8", Language.ENGLISH),
        ("zh-CN,zh;q=0.9,en;q=0.8", Language.SIMPLIFIED),
        ("zh", Language.SIMPLIFIED),
        ("zh-TW", Language.TRADITIONAL),
        ("fr, zh-HK;q=0.9, en;q=0.8", Language.TRADITIONAL),
        ("zh-Hans-HK", Language.SIMPLIFIED),
        ("en;q=0.5, zh-Hant;q=0.7", Language.TRADITIONAL),
        ("zh;q=0, en;q=0.1", Language.ENGLISH),
        ("zh;q=nonsense;;,", Language.ENGLISH),
    ],
)
def test_the_page_speaks_the_language_of_the_browser(client: TestClient, header: str, language: Language) -> None:
    assert preferred(header) is language
    page = client.get("/", headers={"Accept-Language": header})
    assert f'<html lang="{language}">' in page.text
    assert page.headers["content-language"] == language


def test_a_language_in_the_address_wins(client: TestClient) -> None:
    assert '<html lang="zh-Hant">' in client.get("/?lang=zh-Hant", headers={"Accept-Language": "en"}).text
    assert closest("tlh") is None


def test_every_language_has_every_message_with_the_same_places() -> None:
    catalogues = {each: json.loads((STATIC / "messages" / f"{each}.json").read_text("utf-8")) for each in Language}
    english = catalogues[Language.ENGLISH]
    for language, messages in catalogues.items():
        missing = {key for key in english.keys() ^ messages.keys() if not key.endswith(".one")}  # Chinese has no plural
        assert not missing, language
        for key, text in messages.items():
            assert text.strip(), key
            assert text.count("{") == english[key].count("{"), key


@pytest.mark.parametrize("path", PAGES)
def test_a_page_carries_the_messages_that_its_modules_say_and_not_those_of_all_others(
    client: TestClient, path: str
) -> None:
    name, _, beginnings = PAGES[path]
    waiting, source = [f"{name}.js"], [(STATIC.parent / "templates" / f"{name}.html").read_text()]
    seen: set[str] = set()
    while waiting:
        if (module := waiting.pop()) not in seen:
            seen.add(module)
            source.append((STATIC / module).read_text())
            waiting += re.findall(r'(?:from|import)\s*\(?"\./([\w-]+\.js)"', source[-1])
    some = {beginning for *_, each in PAGES.values() for beginning in each}
    said = {beginning for beginning in some if re.search(rf"[\"'`]{beginning}\.", "\n".join(source))}
    assert said <= set(beginnings)
    carried = json.loads(re.findall(r'id="messages">(.*?)</script>', client.get(path).text)[0])
    assert {key.split(".")[0] for key in carried} & some == set(beginnings)
    assert "signin.title" in carried


def test_no_script_puts_text_into_the_page_as_html() -> None:
    for path in STATIC.rglob("*.js"):
        text = path.read_text("utf-8")
        for way in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "localStorage",
            "cookie",
        ):
            allowed = (path.name, way) == ("unsaved.js", "localStorage")  # what nobody has saved yet
            assert allowed or way not in text, f"{path.name} uses {way}"
