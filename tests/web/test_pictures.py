"""Pictures and files on the page: shown where they stand, saved where they are not to be shown."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from kb.audience import Audience
from kb.file import markdown_for
from kb.language import Language
from kb.person import SYSTEM
from kb.solve import files, improve
from tests.pictures import PDF, SVG, exif, gif, jpeg, png, webp
from tests.web.acting import sign_in
from tests.web.conftest import Site, Visit

pytestmark = pytest.mark.browser

KINDS = {"ring.png": png(640, 480), "hub.jpg": jpeg((0xE1, exif(6))), "blink.gif": gif(), "box.webp": webp()}


@dataclass
class Illustrated:
    """An article with pictures and files."""

    number: str


@pytest.fixture(scope="module")
def illustrated(site: Site) -> Illustrated:
    db = site.service.db
    article = improve.create(
        db, SYSTEM, improve.Draft("Which ring is which", "Soon.", Language.ENGLISH, Audience.PUBLIC)
    )

    def added(name: str, content: bytes) -> str:
        return markdown_for(files.add(db, SYSTEM, article.number, name, content, 5_000_000)[1])

    shown = "\n\n".join(added(name, content) for name, content in KINDS.items())
    saved = f"{added('plan.svg', SVG)} and {added('manual.pdf', PDF)}"
    hidden = added("desk.png", png(8, 8))
    body = f"## Resolution\n\nLook at the ringpicture:\n\n{shown}\n\nSee {saved}.\n\n::: internal\n{hidden}\n:::"
    improve.revise(db, SYSTEM, article.id, "Which ring is which", body, publish=True)
    return Illustrated(article.number)


def loaded(page: Page, place: str) -> dict[str, list[int]]:
    """The pictures there by their words: natural size, and the size that was kept free for them."""
    pictures = page.locator(f"{place} img")
    pictures.last.scroll_into_view_if_needed()
    page.wait_for_function(
        "(place) => [...document.querySelectorAll(`${place} img`)].every((each) => each.complete)", arg=place
    )
    found: dict[str, list[int]] = pictures.evaluate_all(
        "(all) => Object.fromEntries(all.map((each) => "
        "[each.alt, [each.naturalWidth, each.naturalHeight, each.width > 0, Number(each.getAttribute('width'))]]))"
    )
    return found


def test_pictures_are_shown_where_they_stand_with_room_kept_for_them(visit: Visit, illustrated: Illustrated) -> None:
    page = visit(f"article={illustrated.number}")
    expect(page.locator("#article img")).to_have_count(4)
    assert loaded(page, "#article") == {
        "ring": [640, 480, True, 640],
        "hub": [2, 4, True, 2],
        "blink": [1, 1, True, 1],
        "box": [4, 2, True, 4],
    }
    assert page.locator("#article img:not([loading=lazy])").count() == 0


def test_a_picture_never_makes_a_narrow_page_scroll_sideways(visit: Visit, illustrated: Illustrated) -> None:
    page = visit(f"article={illustrated.number}", width=320)
    ring = page.locator("#article img").first
    ring.scroll_into_view_if_needed()
    box = ring.bounding_box()
    assert box is not None
    assert box["width"] <= 320
    assert abs(box["width"] / box["height"] - 4 / 3) < 0.02
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_picture_of_an_internal_block_is_there_for_who_sees_the_block(
    visit: Visit, site: Site, illustrated: Illustrated
) -> None:
    page = visit(f"article={illustrated.number}")
    sign_in(page, site.library.keys["Ada"])
    expect(page.get_by_role("img", name="desk")).to_have_count(1)
    assert loaded(page, "#article")["desk"] == [8, 8, True, 8], "the browser asks with the session"


def test_an_answer_shows_its_pictures(visit: Visit, illustrated: Illustrated) -> None:
    page = visit("q=ringpicture")
    hit = page.locator(".hit", has_text="Which ring is which").first
    expect(hit).to_be_visible()
    expect(hit.get_by_role("img", name="ring", exact=True)).to_have_count(1)


def test_what_is_not_to_be_shown_is_saved_under_its_name(visit: Visit, illustrated: Illustrated) -> None:
    page = visit(f"article={illustrated.number}")
    for name, content in (("plan.svg (1 KB)", SVG), ("manual.pdf (1 KB)", PDF)):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert download.value.suggested_filename == name.partition(" ")[0]
        assert download.value.path().read_bytes() == content
    expect(page.locator("#article h2")).to_have_text("Which ring is which")


def test_an_svg_opened_by_its_address_runs_nothing(visit: Visit, illustrated: Illustrated) -> None:
    page = visit(f"article={illustrated.number}")
    address = page.get_by_role("link", name="plan.svg (1 KB)").get_attribute("href")
    with page.expect_download():
        page.evaluate("(address) => { location.href = address; }", address)
