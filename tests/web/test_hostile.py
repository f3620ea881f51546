"""Hostile text in every place that holds text, in a real browser: nothing runs, nothing is asked of elsewhere.

What would run calls `pwn()`, what would be asked for goes to evil.test. On our pages the Content-Security-Policy would
stop most of it even if it came through, so its reports count as failures too, and so does any element or attribute
that `render` should not make. On a foreign page there is no policy: there what `render` made stands alone.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from kb.article import Draft
from kb.audience import Audience
from kb.errors import Invalid
from kb.language import Language
from kb.person import SYSTEM, Role
from kb.post import Post
from kb.product import Product
from kb.solve import improve
from kb.solve.access import add_person
from kb.solve.publishing import cut_posts, save_posts
from kb.store import topics
from kb.store.database import Database
from kb.text.markdown import render
from tests.web.acting import sign_in
from tests.web.conftest import Site, serving
from tests.web.hostile import ALL, HASH, VECTORS
from tests.web.library import Library

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BATCH = 25
TEN = 10
FOREIGN = "http://foreign.test/"
FILES = "/api/v1/articles/000-0000/files/"

SEEN = """
window.seen = [];
window.pwn = window.alert = window.confirm = window.prompt = (...given) => { seen.push(["ran", String(given)]); };
document.addEventListener("securitypolicyviolation", (event) =>
  seen.push(["policy", event.violatedDirective, event.blockedURI, event.sample]));
"""

STRANGE = """
window.strange = (root) => {
  const words = (text) => new Set(text.split(/\\s+/));
  const tags = words(`A ABBR ARTICLE BLOCKQUOTE BR BUTTON CODE DD DEL DETAILS DIV DL DT EM H1 H2 H3 H4 H5 H6 HEADER HR
    I IMG INS KBD LI MARK OL P PATH PRE S SECTION SPAN STRONG SUMMARY SVG TABLE TBODY TD TH THEAD TIME TR UL`);
  const attributes = words(`align alt aria-hidden aria-keyshortcuts aria-label aria-selected class d data-number
    datetime download height hidden href id lang loading rel role src start tabindex target title type viewBox width`);
  const file = /^\\/api\\/v1\\/articles\\/[\\d-]+\\/files\\/[0-9a-f]{64}$/;
  const isStrange = (each, name, value) =>
    !attributes.has(name) ||
    (name === "src" && !file.test(value)) ||
    (name === "href" && !["http:", "https:", "mailto:", "tel:"].includes(each.protocol)) ||
    (name === "href" && !/^[a-z][a-z\\d+.-]*:/i.test(value) && each.host !== location.host);
  return [...document.querySelectorAll(`${root} *`)].filter((each) =>
    !tags.has(each.tagName.toUpperCase()) ||
    [...each.attributes].some(({ name, value }) => isStrange(each, name, value))
  ).map((each) => each.outerHTML.slice(0, 200));
};
"""


@dataclass
class Watched:
    """A page, and what it asked for that it should not have."""

    page: Page
    home: str
    elsewhere: list[str] = field(default_factory=list)

    def note(self, request: Request) -> None:
        if not request.url.startswith(self.home):
            self.elsewhere.append(request.url)

    def strange(self, root: str) -> list[str]:
        """Elements below one that our pages have no reason to make."""
        found: list[str] = self.page.evaluate("(root) => strange(root)", root)
        return found

    def check(self, root: str) -> None:
        """Nothing ran, nothing was asked of elsewhere, nothing strange stands in the page."""
        assert self.page.evaluate("seen") == []
        assert self.elsewhere == []
        assert self.strange(root) == []


def one_line(vector: str) -> str:
    return " ".join(vector.split())


def templates(vector: str) -> list[str]:
    """Markdown with the vector in every place that Markdown has for text."""
    line = one_line(vector)
    return [
        vector, line, f"a {vector} b\n{vector}", f"## {line}", f"**{line}** _{line}_ ~~{line}~~", f"`{line}`",
        f"[{line}](https://evil.test/x)", f"[x]({line})", f"[x](<{line}>)", f"<{line}>",
        f"[x](https://evil.test/x \"{line}\")", f"[x](https://evil.test/x '{line}')",
        f"[r]\n\n[r]: {line}", f"[{line}]\n\n[{line}]: https://evil.test/x",
        f"![{line}](https://evil.test/x.png)", f"![x]({line})",
        f"![{line}](files/{HASH}.png \"{line}\")", f"[{line}](files/{HASH}.pdf)",
        f"```{line}\n{line}\n```", f"| {line} | b |\n|---|---|\n| c | {line} |", f"> {line}", f"- {line}\n\n  {line}",
        f"<p>{line}</p>", f"<a title=\"{line}\">x</a>", f"::: public\n{line}\n:::",
    ]  # fmt: skip


def topic_of(number: int) -> str:
    """Groups of vectors whose articles and posts fit into one answer."""
    return f"b{number // BATCH:02d}"


def fill(db: Database) -> Library:
    """An article and a post for each vector, which stands in every field that holds text."""
    library = Library()
    for name, tier, roles in (("Ada", Audience.INTERNAL, {Role.PUBLISHER}), ("Carol", Audience.CUSTOMER, set())):
        _, library.keys[name] = add_person(db, SYSTEM, name, tier, roles=roles)
    posts = []
    for number, vector in enumerate(ALL):
        title = f"s{number // TEN:03d} {one_line(vector)}"
        place: dict[str, object] = {"topic": topic_of(number), "tags": (one_line(vector)[:90],)}
        place["products"] = (f"p-{number}",)
        state = {"language": Language.ENGLISH, "audience": Audience.PUBLIC} | place
        # Every other place: a foreign page is shown them all.
        body = "\n\n".join(each for each in templates(vector)[1 + number % 2 :: 2] if HASH not in each)
        for text in (f"{body}\n\n{vector}", body, "The text was refused."):
            try:
                article = improve.create(db, SYSTEM, Draft(title, text, **state))  # type: ignore[arg-type]
            except Invalid:  # a marker that is not well formed, or a file that it does not have
                continue
            library.articles[str(number)] = article
            break
        posts.append(_post(number, title, vector, place))
    with db.write() as tx:
        for number, vector in enumerate(ALL):
            topics.save_product(tx, Product(f"p-{number}", one_line(vector), description=vector))
        save_posts(tx, posts, [], cut_posts(posts), datetime.now(UTC))
    return library


def _post(number: int, title: str, vector: str, place: dict[str, object]) -> Post:
    url = vector.partition("](")[2].partition(")")[0] or vector
    return Post(
        id=f"post-{number}", source="forum", source_key=str(number), title=title, body=vector, url=url,
        author=one_line(vector), language=Language.ENGLISH, audience=Audience.PUBLIC,
        created_at=datetime(2026, 2, 3, tzinfo=UTC), **place,
    )  # fmt: skip


@pytest.fixture(scope="module")
def hostile_site() -> Iterator[Site]:
    def is_ready(site: Site) -> bool:
        asked = {"query": "x", "limit": 50, "filters": {"kinds": ["post"], "topics": [topic_of(len(ALL) - 1)]}}
        answer = httpx.post(f"{site.url}/api/v1/search", json=asked)
        found = answer.json()["hits"] if answer.status_code == 200 else []
        return len(found) == len(ALL[BATCH * ((len(ALL) - 1) // BATCH) :]) and len(site.service.catalogue) == 2 * len(
            ALL
        )

    memory = Path("/dev/shm")  # three hundred transactions need not wait for a disk
    with (
        TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None, prefix="kb-test-") as folder,
        serving(Path(folder), fill, is_ready, rate_per_key=1e6, rate_per_address=1e6) as site,
    ):
        yield site


Open = Callable[..., Watched]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    contexts = []

    def opened(home: str, html: str = "") -> Watched:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        contexts.append(context)
        context.set_default_timeout(20_000)
        context.add_init_script(SEEN + STRANGE)
        watched = Watched(context.new_page(), home)
        if html:
            context.route("**/*", lambda route: _stand_in(route, home, html))
        watched.page.on("request", watched.note)
        watched.page.goto(home)
        return watched

    yield opened
    for context in contexts:
        context.close()


def _stand_in(route: Route, home: str, html: str) -> None:
    """A foreign page without any policy; whatever else it asks for is not there."""
    if route.request.url == home:
        route.fulfill(body=html, content_type="text/html")
    else:
        route.abort()


def test_there_are_two_hundred_of_our_own_making() -> None:
    assert len(ALL) == len(set(ALL)) >= 200
    assert all(VECTORS.values())


def test_the_watch_sees_a_script_and_a_request_where_there_are_some(open_page: Open, hostile_site: Site) -> None:
    unsafe = "<img src='https://evil.test/x.png' onerror='pwn()'><details open ontoggle='pwn()'>x</details>"
    foreign = open_page(FOREIGN, "<body></body>")
    foreign.page.evaluate("(html) => { document.body.innerHTML = html; }", unsafe)
    foreign.page.wait_for_function("seen.length >= 2")
    assert ["ran", ""] in foreign.page.evaluate("seen")
    assert foreign.elsewhere == ["https://evil.test/x.png"]
    assert len(foreign.strange("body")) == 2
    ours = open_page(f"{hostile_site.url}/")
    # Beside what the page draws, which would take its place.
    ours.page.evaluate(
        """(html) => {
          const place = document.body.appendChild(document.createElement("div"));
          place.id = "unsafe";
          place.innerHTML = html;
        }""",
        unsafe,
    )
    ours.page.wait_for_function("seen.length >= 2")
    assert {each[0] for each in ours.page.evaluate("seen")} == {"policy"}, "our pages are guarded twice"
    assert ours.strange("#unsafe")


def test_rendered_text_is_safe_on_a_foreign_page_without_a_policy(open_page: Open) -> None:
    foreign = open_page(FOREIGN, "<!doctype html><body></body>")
    html = [render(text, FILES) for vector in ALL for text in templates(vector)]
    html += [render(vector) for vector in ALL]
    # Twice: what a browser makes of it and writes down again must not turn into something else.
    foreign.page.evaluate(
        """(all) => {
          for (const html of all) {
            const place = document.body.appendChild(document.createElement("div"));
            place.innerHTML = html;
            place.innerHTML = place.innerHTML;
          }
        }""",
        html,
    )
    foreign.page.wait_for_timeout(500)
    own = f"{FOREIGN.rstrip('/')}{FILES}{HASH}"
    assert foreign.page.locator(f'img[src="{FILES}{HASH}"]').count() >= len(ALL)
    assert set(foreign.elsewhere) <= {own}
    foreign.elsewhere.clear()
    foreign.check("body")


@pytest.mark.parametrize("who", ["Ada", "Carol"])
def test_our_pages_show_hostile_text_as_text(open_page: Open, hostile_site: Site, who: str) -> None:
    watched = open_page(f"{hostile_site.url}/")
    sign_in(watched.page, hostile_site.library.keys[who])
    expect(watched.page.locator("#filters option", has_text="<script>pwn()</script>").first).to_be_attached()
    _see_answers(watched)
    _see_suggestions(watched)
    _see_articles(watched, [each.number for each in hostile_site.library.articles.values()])


def _see_answers(watched: Watched) -> None:
    """Every article and every post among the answers, fifty at once."""
    page = watched.page
    topic = ""

    def all_of_a_topic(route: Route) -> None:
        asked = json.loads(route.request.post_data or "{}")
        route.continue_(post_data=json.dumps(asked | {"limit": 50, "filters": {"topics": [topic]}}))

    page.route("**/api/v1/search", all_of_a_topic)
    for start in range(0, len(ALL), BATCH):
        topic, vectors = topic_of(start), ALL[start : start + BATCH]
        for _ in range(5):  # a busy machine may answer from titles alone: asked again, it answers in full
            page.fill("#query", f"red {topic}")
            page.keyboard.press("Enter")
            page.wait_for_function(
                "(topic) => document.title.includes(topic) && !document.querySelector('#results[aria-busy]')", arg=topic
            )
            if page.locator(".hit").count() == 2 * len(vectors):
                break
        expect(page.locator(".hit")).to_have_count(2 * len(vectors))
        watched.check("#results")


def _see_suggestions(watched: Watched) -> None:
    page = watched.page
    page.route("**/api/v1/suggest*", lambda route: route.continue_(url=f"{route.request.url}&limit=20"))
    for start in range(0, len(ALL), TEN):
        page.fill("#query", f"s{start // TEN:03d}")
        options = page.locator("#suggestions [role=option]", has_text=f"s{start // TEN:03d}")
        expect(options).to_have_count(2 * len(ALL[start : start + TEN]))
        watched.check("#suggestions")
    page.keyboard.press("Escape")


def _see_articles(watched: Watched, numbers: list[str]) -> None:
    """Every article, one after the other, as somebody opens them."""
    strange = watched.page.evaluate(
        """async (numbers) => {
          const found = [];
          for (const article of numbers) {
            location.hash = new URLSearchParams({ article });
            const shown = () => document.querySelector("#article .number")?.textContent === article;
            for (let n = 0; n < 5000 && !shown(); n += 1) await new Promise((resolve) => setTimeout(resolve, 2));
            found.push(...(shown() ? strange("#article") : [`${article} did not come`]));
          }
          return found;
        }""",
        numbers,
    )
    assert strange == []
    watched.check("#article")
