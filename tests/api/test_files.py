"""Pictures and files over HTTP: who may add, who gets which, and what a browser is told."""

from datetime import timedelta
from typing import Any

import pytest

from kb import clock
from kb.article import Governance
from kb.audience import Audience
from kb.errors import Invalid
from kb.person import SYSTEM
from kb.solve import improve
from kb.store import files
from tests.api.conftest import House
from tests.pictures import PDF, SECRET, SVG, exif, jpeg, png

EVERYBODY = ["", "customer", "partner", "reader", "candidate", "contributor", "publisher", "partner_author"]


def added(house: House, number: str, content: bytes, who: str = "publisher", name: str = "ring.png") -> dict[str, Any]:
    response = house.ask("POST", f"articles/{number}/files", who, content=content, params={"name": name})
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def revised(house: House, number: str, body: str, publish: bool = True) -> None:
    version = house.get(f"articles/{number}", "publisher").json()["version"]
    text = {"title": "Red light", "body": body, "version": version, "publish": publish}
    response = house.post(f"articles/{number}/revisions", text, "publisher")
    assert response.status_code == 201, response.text


def who_gets(house: House, address: str) -> set[str]:
    return {who for who in EVERYBODY if house.get(address, who).status_code == 200}


def test_a_picture_is_shown_to_who_is_shown_a_text_that_names_it(shared: House) -> None:
    number = shared.write().number
    ring = added(shared, number, png())
    assert who_gets(shared, ring["address"]) == {"publisher"}, "not in any text yet: for who added it"
    revised(shared, number, f"Look: {ring['markdown']}")
    assert who_gets(shared, ring["address"]) == set(EVERYBODY)
    html = shared.get(f"articles/{number}").json()["html"]
    assert f'<img src="{ring["address"]}" alt="ring" width="4" height="2" loading="lazy">' in html
    shared.settle()
    (hit,) = [each for each in shared.search("look")["hits"] if each["number"] == number]
    assert ring["address"] in hit["passage"]["html"]


def test_a_picture_in_an_internal_block_is_for_staff_whatever_hash_others_guess(shared: House) -> None:
    number = shared.write().number
    ring = added(shared, number, png(shade=1))
    revised(shared, number, f"Restart.\n\n::: internal\n{ring['markdown']}\n:::")
    assert who_gets(shared, ring["address"]) == {"reader", "candidate", "contributor", "publisher"}
    hidden = shared.get(ring["address"], "customer")
    nothing = shared.get(f"articles/{number}/files/{'0' * 64}", "customer")
    strip = {"content-type", "cache-control", "content-security-policy", "content-length"}
    assert hidden.status_code == nothing.status_code == 404
    assert {k: v for k, v in hidden.headers.items() if k in strip} == {
        k: v for k, v in nothing.headers.items() if k in strip
    }
    assert hidden.json()["error"] | {"request_id": ""} == nothing.json()["error"] | {"request_id": ""}


def test_an_audience_or_a_group_guards_the_files_as_well(shared: House) -> None:
    for fields, seen in (
        ({"audience": Audience.PARTNER}, set(EVERYBODY) - {"", "customer"}),
        ({"groups": frozenset({"fraud-team"})}, {"publisher"}),
        ({"publish": False}, {"candidate", "contributor", "publisher", "partner_author"}),
        ({"valid_from": clock.now() + timedelta(days=1)}, {"candidate", "contributor", "publisher", "partner_author"}),
    ):
        number = shared.write(**fields).number  # type: ignore[arg-type]
        ring = added(shared, number, png(shade=2))
        revised(shared, number, ring["markdown"], publish=bool(fields.get("publish", True)))
        assert who_gets(shared, ring["address"]) == seen


def test_a_file_is_served_for_the_article_that_has_it_and_for_no_other(shared: House) -> None:
    one, other = shared.write().number, shared.write().number
    ring = added(shared, one, png(shade=3))
    revised(shared, one, ring["markdown"])
    assert shared.get(f"articles/{other}/files/{ring['hash']}").status_code == 404
    text = {"title": "T", "body": f"One\n\n{ring['markdown']}", "version": 1}
    refused = shared.post(f"articles/{other}/revisions", text, "publisher")
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "body")
    assert "(line 3)" in refused.json()["error"]["message"]


def test_a_picture_of_a_draft_or_of_an_old_revision_is_for_staff_who_may_see_that(shared: House) -> None:
    number = shared.write().number
    old, new = added(shared, number, png(shade=4)), added(shared, number, png(shade=5))
    revised(shared, number, old["markdown"])
    revised(shared, number, new["markdown"], publish=False)
    staff = {"candidate", "contributor", "publisher", "partner_author"}
    assert who_gets(shared, old["address"]) == set(EVERYBODY)
    assert who_gets(shared, new["address"]) == staff
    revised(shared, number, "Nothing to see.")
    assert who_gets(shared, old["address"]) == staff, "withdrawn at once"
    assert who_gets(shared, new["address"]) == staff


@pytest.mark.parametrize("who", ["", "customer", "partner", "reader", "candidate", "contributor", "partner_author"])
def test_only_who_may_revise_an_article_gives_it_files(shared: House, who: str) -> None:
    inside = shared.write(audience=Audience.INTERNAL, governance=Governance.COMPLIANCE).number
    assert shared.ask("POST", f"articles/{inside}/files", "publisher", content=png()).status_code == 201
    refused = shared.ask("POST", f"articles/{inside}/files", who, content=png())
    assert refused.status_code == (404 if who in ("customer", "partner", "partner_author") else 403)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "none of them"),
        (b"<html><script>alert(1)</script>", "none of them"),
        (png(65_535, 65_535), "pixels"),
        (png()[:40], "ends in the middle"),
    ],
)
def test_what_is_no_picture_is_refused_whatever_its_sender_calls_it(shared: House, content: bytes, says: str) -> None:
    number = shared.write().number
    response = shared.ask(
        "POST", f"articles/{number}/files", "publisher", content=content, headers={"Content-Type": "image/png"}
    )
    assert (response.status_code, response.json()["error"]["field"]) == (422, "file")
    assert says in response.json()["error"]["message"]


def test_a_file_may_have_five_megabytes_where_other_bodies_have_two(shared: House) -> None:
    number = shared.write().number
    path = f"articles/{number}/files"
    large = b"%PDF-1.4\n" + b"x" * 4_900_000 + b"\n%%EOF\n"
    assert shared.ask("POST", path, "publisher", content=large).status_code == 201
    assert shared.ask("POST", path, "publisher", content=large + large).status_code == 413
    assert shared.ask("POST", "search", content=large).status_code == 413


def test_a_photograph_is_kept_without_its_place(shared: House) -> None:
    number = shared.write().number
    photo = added(shared, number, jpeg((0xE1, exif(1))), name="IMG_0001.JPG")
    assert (photo["name"], photo["media_type"]) == ("IMG_0001.jpg", "image/jpeg")
    content = shared.get(photo["address"], "publisher").content
    assert SECRET not in content
    assert len(content) == photo["size"]


def test_the_same_file_again_is_no_second_one(shared: House) -> None:
    number = shared.write().number
    first, again = added(shared, number, png(shade=6)), added(shared, number, png(shade=6), name="other.png")
    assert first == again | {"markdown": first["markdown"]}
    revised(shared, number, first["markdown"])
    assert len(shared.get(f"articles/{number}/files", "publisher").json()["files"]) == 1


def test_a_browser_shows_pictures_and_saves_all_else(shared: House) -> None:
    number = shared.write().number
    for content, name, media_type, how in (
        (png(shade=7), "路由器.png", "image/png", "inline"),
        (SVG, "ring.svg", "image/svg+xml", "attachment"),
        (PDF, "manual.pdf", "application/pdf", "attachment"),
    ):
        file = added(shared, number, content, name=name)
        headers = shared.get(file["address"], "publisher").headers
        assert (headers["Content-Type"], headers["X-Content-Type-Options"]) == (media_type, "nosniff")
        assert headers["Content-Disposition"].startswith(f"{how}; filename=")
        assert "sandbox" in headers["Content-Security-Policy"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Content-Disposition"] == "attachment; filename=\"manual.pdf\"; filename*=UTF-8''manual.pdf"


def test_a_browser_that_has_a_file_asks_again_whether_it_still_may(shared: House) -> None:
    number = shared.write().number
    ring = added(shared, number, png(shade=8))
    revised(shared, number, ring["markdown"])
    first = shared.get(ring["address"])
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert first.headers["Cross-Origin-Resource-Policy"] == "cross-origin", "what anybody may see, any page may show"
    tag = {"If-None-Match": f'"other", W/{first.headers["ETag"]}'}
    again = shared.ask("GET", ring["address"], headers=tag)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    revised(shared, number, "It is gone.")
    assert shared.ask("GET", ring["address"], headers=tag).status_code == 404


def test_a_file_leaves_an_article_when_neither_readers_nor_the_draft_are_shown_it(house: House) -> None:
    number, other = house.write().number, house.write().number
    ring = added(house, number, png())
    added(house, other, png())
    revised(house, number, ring["markdown"])
    path = f"articles/{number}/files/{ring['hash']}"
    assert house.ask("DELETE", path, "publisher").status_code == 409
    revised(house, number, "Another text.", publish=False)
    assert house.ask("DELETE", path, "publisher").status_code == 409, "readers still see it"
    revised(house, number, "Another text.")
    assert house.ask("DELETE", path, "reader").status_code == 403
    assert house.ask("DELETE", path, "publisher").status_code == 204
    assert house.get(ring["address"], "publisher").status_code == 404
    assert house.ask("DELETE", path, "publisher").status_code == 404
    actions = [each["action"] for each in house.get(f"articles/{number}/audit", "publisher").json()["changes"]]
    assert actions == ["create", "attach", "revise", "revise", "revise", "detach"]
    with house.service.db.read() as tx:
        assert files.content(tx, ring["hash"]) == png(), "another article has it"
    house.ask("DELETE", f"articles/{other}/files/{ring['hash']}", "publisher")
    with house.service.db.read() as tx, pytest.raises(Exception, match="no file"):
        files.content(tx, ring["hash"])


def test_an_upload_that_no_text_ever_named_is_forgotten_after_a_day(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = house.write().number
    used, unused = added(house, number, png(shade=1)), added(house, number, png(shade=2))
    revised(house, number, used["markdown"])
    assert {each["hash"] for each in house.get(f"articles/{number}/files", "publisher").json()["files"]} == {
        used["hash"],
        unused["hash"],
    }
    later = clock.now() + timedelta(days=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    revised(house, number, "None.")
    assert [each["hash"] for each in house.get(f"articles/{number}/files", "publisher").json()["files"]] == [
        used["hash"]
    ], "history names it"


def test_a_new_article_cannot_name_a_file_of_another(house: House) -> None:
    number = house.write().number
    ring = added(house, number, png())
    draft = {"title": "T", "body": ring["markdown"], "language": "en", "audience": "public"}
    assert house.post("articles", draft, "publisher").status_code == 422
    with pytest.raises(Invalid, match="no such file"):
        house.write(body=ring["markdown"])


def test_the_last_file_that_fits_is_taken_and_the_next_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.solve.files.PER_ARTICLE", 2)
    number = house.write().number
    added(house, number, png(shade=1))
    added(house, number, png(shade=2))
    refused = house.ask("POST", f"articles/{number}/files", "publisher", content=png(shade=3))
    assert (refused.status_code, "at most 2 files" in refused.text) == (422, True)
    added(house, number, png(shade=2))


def test_who_does_not_see_a_block_learns_nothing_of_its_files(house: House) -> None:
    number = house.write().number
    ring = added(house, number, png())
    revised(house, number, f"Restart.\n\n::: internal\n{ring['markdown']}\n:::")
    assert house.get(f"articles/{number}/files", "partner_author").json()["files"] == []
    assert ring["hash"] not in house.get(f"articles/{number}/audit", "partner_author").text
    assert ring["hash"] in house.get(f"articles/{number}/audit", "publisher").text
    path = f"articles/{number}/files/{ring['hash']}"
    assert house.ask("DELETE", path, "partner_author").status_code == 404


def test_somebody_else_changes_the_article_while_its_text_is_cut(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    article = house.write()
    cut = improve.cut_shown

    def slow(*given: Any) -> Any:
        monkeypatch.setattr(improve, "cut_shown", cut)  # once, between reading and writing
        improve.set_state(house.service.db, SYSTEM, article.id, {"tags": ("first",)})
        return cut(*given)

    monkeypatch.setattr(improve, "cut_shown", slow)
    after = improve.revise(house.service.db, SYSTEM, article.id, "Red light", "Unplug the hub.", publish=True)
    assert (after.version, after.tags) == (3, ("first",)), "both changes are there"
    house.settle()
    (hit,) = house.search("unplug", filters={"tags": ["first"]})["hits"]
    assert hit["number"] == article.number
