"""The search page in a real browser, against the real application."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.web.acting import offered, searched, sign_in, suggestions_asked
from tests.web.conftest import Site, Watch

pytestmark = pytest.mark.browser

Visit = Callable[..., Page]

SETTLE_MS = 120


def test_everything_works_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit()
    query = page.locator("#query")
    expect(query).to_be_focused()
    page.keyboard.type("hub 6 sho")
    expect(offered(page)).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(query).to_have_attribute("aria-activedescendant", "suggestion-0")
    page.keyboard.press("Enter")
    expect(query).to_have_value("Hub 6 shows a steady red light")
    link = page.locator(".hit a[data-number]").first
    expect(link).to_have_text("Hub 6 shows a steady red light")

    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#article-title")).to_be_focused()
    expect(page.locator("#article")).to_contain_text("Unplug the hub")
    page.keyboard.press("Escape")
    expect(link).to_be_focused()

    page.keyboard.press("/")
    expect(query).to_be_focused()
    page.keyboard.press("Escape")
    expect(query).to_have_value("")
    expect(page.locator(".examples")).to_be_visible()


def test_escape_closes_the_suggestions_before_it_clears(visit: Visit) -> None:
    page = visit()
    expect(page.locator("#query")).to_be_focused()  # the browser does so in its own time
    page.keyboard.type("red")
    expect(page.get_by_role("listbox")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(page.locator("#query")).to_have_value("red")
    expect(page.locator("#query")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Escape")
    expect(page.locator("#query")).to_have_value("")


def test_what_is_typed_quickly_is_asked_once(visit: Visit, watch: Watch) -> None:
    page = visit()
    page.click("#query")
    # In one go: between two keys of a real keyboard a busy machine may take longer than anybody who types.
    page.locator("#query").evaluate(
        """(box, text) => {
            for (const letter of text) {
                box.value += letter;
                box.dispatchEvent(new InputEvent("input", { bubbles: true, data: letter, inputType: "insertText" }));
            }
        }""",
        "red light",
    )
    expect(page.get_by_role("listbox")).to_be_visible()
    assert [each.rpartition("=")[2] for each in suggestions_asked(watch)] == ["red%20light"]


def test_nothing_happens_while_an_input_method_composes(visit: Visit, watch: Watch) -> None:
    page = visit(locale="zh-CN")
    page.click("#query")  # a browser that has just begun may not have come to autofocus yet
    keyboard = page.context.new_cdp_session(page)
    for text in ("l", "lu", "luy", "lu'you"):
        keyboard.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
    # The Enter that ends a composition belongs to the input method.
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    page.wait_for_timeout(2 * SETTLE_MS)
    assert suggestions_asked(watch) == []
    assert page.locator(".hit").count() == 0

    keyboard.send("Input.insertText", {"text": "路由"})
    expect(offered(page).first).to_contain_text("路由器", timeout=20_000)
    assert len(suggestions_asked(watch)) == 1


def test_a_late_answer_to_an_old_question_is_dropped(visit: Visit) -> None:
    page = visit()
    held: list[Route] = []
    page.route("**/api/v1/search", lambda route: held.append(route) if not held else route.continue_())
    page.fill("#query", "pin hole")
    page.keyboard.press("Enter")
    searched(page, "planned thunderstorm")
    first = page.locator(".hit h3").first.text_content()
    assert first is not None
    assert first.startswith("What to check")
    held[0].abort()
    page.wait_for_timeout(SETTLE_MS)
    expect(page.locator(".hit h3").first).to_have_text(first)


def test_suggestions_show_only_what_the_reader_may_read(visit: Visit, site: Site) -> None:
    page = visit()
    expect(page.locator("#query")).to_be_focused()  # the browser does so in its own time
    page.keyboard.type("red light")
    expect(offered(page).first).to_be_visible()
    assert "credit without asking" not in page.content()
    sign_in(page, site.library.keys["Ada"])
    page.fill("#query", "")
    page.locator("#query").press_sequentially("red light")
    expect(offered(page).filter(has_text="credit without asking")).to_be_visible()


def test_signing_in_shows_what_is_for_staff_and_signing_out_takes_it_away(visit: Visit, site: Site) -> None:
    page = visit("q=red light")
    expect(page.locator(".hit").first).to_be_visible()
    assert "staffcredit" not in page.content()
    assert page.locator(".why").count() == 0

    sign_in(page, site.library.keys["Ada"])
    expect(page.locator("#person")).to_contain_text("Ada")
    secret = page.locator("li", has_text="staffcredit")
    expect(secret.locator(".badge")).to_have_text("Internal, do not send")
    secret.locator(".why summary").click()
    expect(secret.locator(".why")).to_contain_text("Relevance")

    page.click("#sign-out")
    expect(page.locator("#status")).to_have_text("Signed out")
    expect(page.locator(".hit").first).to_be_visible()
    assert "staffcredit" not in page.content()
    assert page.locator(".why").count() == 0


def test_an_article_that_is_open_is_read_again_when_the_reader_changes(visit: Visit, site: Site) -> None:
    page = visit(f"article={site.library.articles['red'].number}")
    expect(page.locator("#article")).to_contain_text("Unplug the hub")
    expect(page.locator("#article")).not_to_contain_text("run Beacon twice")
    sign_in(page, site.library.keys["Ada"])
    expect(page.locator("#article")).to_contain_text("run Beacon twice")
    page.click("#sign-out")
    expect(page.locator("#open-sign-in")).to_be_visible()
    expect(page.locator("#article")).to_contain_text("Unplug the hub")
    assert "Beacon" not in page.content()


def test_an_article_for_others_looks_like_none(visit: Visit, site: Site, watch: Watch) -> None:
    watch.expected = ("404",)
    page = visit(f"article={site.library.articles['secret'].number}")
    expect(page.locator("#article")).to_contain_text("does not exist, or is not for you")


def test_a_community_post_looks_different_and_credits_its_author(visit: Visit) -> None:
    page = visit("q=red light every evening fridge")
    post = page.locator(".hit.post")
    expect(post).to_contain_text("superuser_sam")
    expect(post).to_contain_text("not checked by us")
    expect(post.locator("h3 a")).to_have_attribute("href", "https://community.example.test/t/1#1")


def test_a_superseded_article_says_so(visit: Visit) -> None:
    page = visit("q=reset the hub old way")
    expect(page.locator("li", has_text="old way").locator(".warning")).to_contain_text("Replaced by a newer article")


def test_a_superseded_article_leads_to_its_successor(visit: Visit, site: Site) -> None:
    page = visit(f"article={site.library.articles['reset-old'].number}")
    page.locator("#article header .warning a").click()
    expect(page.locator("#article-title")).to_have_text("Reset the hub with the pin hole")


def test_matched_words_are_marked_in_the_script_of_the_text(visit: Visit) -> None:
    page = visit("q=红灯", locale="zh-CN")
    traditional = page.locator("li", has_text="數據機").first
    expect(traditional.locator(".passage mark").first).to_have_text("紅燈")


def test_filters_narrow_and_stay_in_the_address(visit: Visit) -> None:
    page = visit("q=red light")
    page.select_option("#filter-language", "zh-Hant")
    expect(page.locator(".hit h3:not([lang=zh-Hant])")).to_have_count(0)
    expect(page.locator(".hit").first).to_be_visible()
    page.reload()
    expect(page.locator("#filter-language")).to_have_value("zh-Hant")
    expect(page.locator(".hit h3:not([lang=zh-Hant])")).to_have_count(0)
    page.select_option("#filter-language", "")
    page.select_option("#filter-product", "tv-box")
    expect(page.locator(".hit")).to_have_count(1)
    page.go_back()
    expect(page.locator("#filter-product")).to_have_value("")


def test_nothing_found_says_what_to_try(visit: Visit) -> None:
    page = visit("q=red light&kind=product")
    expect(page.locator(".state")).to_contain_text("Nothing found for “red light”")
    page.get_by_role("button", name="Search without filters").click()
    expect(page.locator(".hit").first).to_be_visible()


def test_an_error_shows_the_servers_words_and_a_way_on(visit: Visit, watch: Watch) -> None:
    watch.expected = ("503",)
    page = visit()
    problem = {"code": "unavailable", "message": "a part is away", "field": "", "request_id": "5f0c7d1e"}
    page.route("**/api/v1/search", lambda route: route.fulfill(status=503, json={"error": problem}))
    page.fill("#query", "red light")
    page.keyboard.press("Enter")
    expect(page.locator(".state")).to_contain_text("a part is away")
    expect(page.locator(".state")).to_contain_text("5f0c7d1e")
    page.unroute("**/api/v1/search")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".hit").first).to_be_visible()


def test_being_offline_is_explained_and_ends_by_itself(visit: Visit, watch: Watch) -> None:
    watch.expected = ("ERR_INTERNET_DISCONNECTED",)
    page = visit()
    page.context.set_offline(True)
    page.fill("#query", "red light")
    page.keyboard.press("Enter")
    expect(page.locator(".state")).to_contain_text("You are offline")
    page.context.set_offline(False)
    expect(page.locator(".hit").first).to_be_visible()


def test_a_degraded_answer_is_explained_in_words(visit: Visit) -> None:
    page = visit()

    def degrade(route: Route) -> None:
        answer = route.fetch().json()
        route.fulfill(json=answer | {"degraded": ["encoder"]})

    page.route("**/api/v1/search", degrade)
    searched(page, "red light")
    expect(page.locator("#results .note")).to_contain_text("Search by meaning is not available")


def test_waiting_shows_an_outline_without_moving_the_box(visit: Visit) -> None:
    page = visit()
    before = page.locator("#query").bounding_box()
    page.route("**/api/v1/search", lambda route: None)
    page.fill("#query", "red light")
    page.keyboard.press("Enter")
    expect(page.locator(".skeleton").first).to_be_visible()
    assert page.locator("#query").bounding_box() == before


def test_pictures_from_elsewhere_become_links(visit: Visit, site: Site) -> None:
    page = visit(f"article={site.library.articles['red'].number}")
    link = page.get_by_role("link", name="The ring of the hub")
    expect(link).to_have_attribute("href", "https://pictures.example.test/ring.png")
    assert page.locator("#article img").count() == 0


def test_a_link_to_a_file_of_the_writer_becomes_a_search_for_its_words(visit: Visit, site: Site) -> None:
    page = visit(f"article={site.library.articles['reset'].number}")
    page.get_by_role("link", name="steady ring").click()
    expect(page.locator("#query")).to_have_value("steady ring")
    expect(page.locator(".hit h3", has_text="Hub 6 shows a steady red light")).to_be_visible()
    page.go_back()
    expect(page.locator("#article")).to_contain_text("Hold the pin for ten seconds")


def test_a_long_passage_is_folded_until_somebody_asks(visit: Visit) -> None:
    page = visit("q=thunderstorm")
    long = page.locator("li", has_text="What to check").first
    folded = long.locator(".passage").bounding_box()
    long.get_by_role("button", name="Show all").click()
    unfolded = long.locator(".passage").bounding_box()
    assert folded is not None
    assert unfolded is not None
    assert unfolded["height"] > 2 * folded["height"]


def test_hostile_text_stays_text(visit: Visit) -> None:
    page = visit()
    searched(page, "red light <img src=x onerror=alert(1)>")
    page.route(
        "**/api/v1/search", lambda route: route.fulfill(json={"hits": [], "took_ms": {}, "degraded": ["<b>x</b>"]})
    )
    page.fill("#query", "<script>alert(1)</script>")
    page.keyboard.press("Enter")
    expect(page.locator(".state h2")).to_contain_text("<script>alert(1)</script>")
    assert page.locator("#results :is(script, img, b)").count() == 0


def test_the_language_can_be_switched_and_survives_a_reload(visit: Visit) -> None:
    page = visit("q=red light")
    page.select_option("#interface-language", "zh-Hant")
    expect(page.locator("h1")).to_have_text("您想了解什麼？")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hant")
    expect(page.locator(".hit time").first).to_contain_text("年")
    expect(page.locator("#query")).to_have_value("red light")
    page.reload()
    expect(page.locator("h1")).to_have_text("您想了解什麼？")
    expect(page.locator("#query")).to_have_value("red light")


def test_each_text_is_drawn_with_the_font_of_its_script(visit: Visit) -> None:
    page = visit("q=红灯", locale="en-GB")
    family = "element => getComputedStyle(element).fontFamily"
    expect(page.locator(".passage[lang=zh-Hant]").first).to_be_visible()
    assert "CJK TC" in page.locator(".passage[lang=zh-Hant]").first.evaluate(family)
    assert "CJK SC" in page.locator(".passage[lang=zh-Hans]").first.evaluate(family)


def test_the_theme_follows_the_system_until_it_is_chosen(visit: Visit) -> None:
    page = visit(dark=True)
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.click("#theme")
    light = page.evaluate(ground)
    assert light == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="light")
    page.click("#theme")
    assert page.evaluate(ground) == dark
