"""The feed of changes: valid Atom, each reader's own, and gone from it at once what is not shown any more."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from kb import clock
from kb.audience import Audience
from kb.language import Language
from kb.person import SYSTEM
from kb.solve import improve
from tests.api.conftest import House, opened

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def house(sqlite_template: Path) -> Iterator[House]:
    with opened(sqlite_template, public_url="https://kb.example") as each:
        yield each


def feed(house: House, who: str = "", **query: Any) -> ElementTree.Element:
    response = house.get("/feed.atom", who, **query)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/atom+xml; charset=utf-8"
    return ElementTree.fromstring(response.content)


def entries(house: House, who: str = "", **query: Any) -> list[dict[str, str]]:
    return [
        {name: each.findtext(f"{ATOM}{name}") or "" for name in ("id", "title", "updated", "summary")}
        for each in feed(house, who, **query).findall(f"{ATOM}entry")
    ]


def titles(house: House, who: str = "", **query: Any) -> list[str]:
    return [each["title"] for each in entries(house, who, **query)]


def link(root: ElementTree.Element, rel: str) -> str:
    found = root.find(f"{ATOM}link[@rel='{rel}']")
    return "" if found is None else found.attrib["href"]


def revise(house: House, article_id: str, body: str) -> None:
    improve.revise(house.service.db, SYSTEM, article_id, "Red light", body, publish=True)


def test_a_feed_is_valid_atom_with_ids_that_stay(house: House) -> None:
    article = house.write("Red <light> & more", "Restart the hub.", topic="broadband/faults")
    root = feed(house)
    for name in ("id", "title", "updated"):
        assert root.findtext(f"{ATOM}{name}"), name
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "kb"
    assert link(root, "self") == "https://kb.example/feed.atom"
    (entry,) = root.findall(f"{ATOM}entry")
    identity = entry.findtext(f"{ATOM}id") or ""
    assert uuid.UUID(identity.removeprefix("urn:uuid:"))
    assert entry.findtext(f"{ATOM}title") == "Red <light> & more"
    assert datetime.fromisoformat(entry.findtext(f"{ATOM}updated") or "") == article.published_at
    assert entry.findtext(f"{ATOM}summary") == "New: Restart the hub."
    assert link(entry, "alternate") == f"https://kb.example/#article={article.number}"
    revise(house, article.id, "Restart the hub.")
    assert [each["id"] for each in entries(house)] == [identity]


def test_a_change_is_told_by_what_is_new_and_never_by_what_was_there(house: House) -> None:
    article = house.write(body="Hold reset for ten seconds. Then wait.")
    revise(house, article.id, "Hold reset for fifteen seconds. Then wait.")
    assert entries(house)[0]["summary"] == "Now says: Hold reset for fifteen seconds."
    assert "ten seconds" not in house.get("/feed.atom", "admin").text
    revise(house, article.id, "Hold reset for fifteen seconds.")
    assert entries(house)[0]["summary"] == "Something was taken out."
    chinese = house.write("紅燈", "請長按重置鍵。", language=Language.TRADITIONAL)
    assert entries(house, lang="zh-Hant")[0]["summary"] == "新增：請長按重置鍵。"
    assert titles(house, lang="zh-Hans") == []
    assert chinese.number in house.get("/feed.atom").text


def test_each_reader_has_a_feed_of_their_own(house: House) -> None:
    house.write("Public", "For all.\n\n::: internal\nQuokka code.\n:::")
    house.write("Staff", audience=Audience.INTERNAL)
    house.write("Vault", audience=Audience.INTERNAL, groups=frozenset({"fraud-team"}))
    house.write("Draft", publish=False)
    assert titles(house) == ["Public"]
    assert "Quokka" not in house.get("/feed.atom").text
    assert titles(house, "reader") == ["Staff", "Public"]
    assert titles(house, "publisher") == ["Vault", "Staff", "Public"]
    assert "Quokka" in house.get("/feed.atom", "reader").text
    assert house.get("/feed.atom").headers["cache-control"] == "no-cache"
    assert house.get("/feed.atom", "reader").headers["cache-control"] == "private, no-cache"
    assert house.client.get("/feed.atom", headers={"Authorization": "Bearer kb_wrong"}).status_code == 401


def test_what_became_public_is_new_to_the_public_whatever_it_said_to_staff(house: House) -> None:
    article = house.write(body="Tell nobody. Wait.", audience=Audience.INTERNAL)
    improve.revise(house.service.db, SYSTEM, article.id, "Red light", "Wait. Then call us.")
    improve.set_state(house.service.db, SYSTEM, article.id, {"audience": Audience.PUBLIC})
    improve.publish(house.service.db, SYSTEM, article.id, 2)
    assert entries(house)[0]["summary"] == "New: Wait. Then call us."
    assert entries(house, "reader")[0]["summary"] == "Now says: Then call us."


def test_what_is_not_shown_any_more_leaves_the_feed_at_once(house: House) -> None:
    archived, hidden, replaced, ended = (house.write(name) for name in ("Archived", "Hidden", "Replaced", "Ended"))
    tag = house.get("/feed.atom").headers["etag"]
    db = house.service.db
    improve.archive(db, SYSTEM, archived.id)
    improve.set_state(db, SYSTEM, hidden.id, {"audience": Audience.INTERNAL})
    improve.set_state(db, SYSTEM, ended.id, {"valid_until": clock.now() - timedelta(minutes=1)})
    newer = house.write("Newer")
    improve.set_state(db, SYSTEM, replaced.id, {"superseded_by": newer.id})
    again = house.client.get("/feed.atom", headers={"If-None-Match": tag})
    assert again.status_code == 200
    assert titles(house) == ["Newer"]


def test_nothing_is_sent_again_to_who_has_it(house: House) -> None:
    article = house.write()
    first = house.get("/feed.atom")
    known = {"If-None-Match": first.headers["etag"]}
    again = house.client.get("/feed.atom", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["last-modified"].endswith("GMT")
    other = house.client.get("/feed.atom", headers=known | {"Authorization": f"Bearer {house.keys['reader']}"})
    assert other.status_code == 200
    revise(house, article.id, "Something else.")
    assert house.client.get("/feed.atom", headers=known).status_code == 200


def test_a_feed_is_of_a_topic_with_all_below_it_and_comes_in_pages(house: House) -> None:
    for number in range(53):
        house.write(f"Fault {number}", topic="broadband/faults")
    house.write("Bill", topic="billing")
    root = feed(house, topic="broadband")
    assert len(root.findall(f"{ATOM}entry")) == 50
    following = urlsplit(link(root, "next"))
    rest = ElementTree.fromstring(house.client.get(f"/feed.atom?{following.query}").content)
    found = [each.findtext(f"{ATOM}title") for page in (root, rest) for each in page.findall(f"{ATOM}entry")]
    assert found == [f"Fault {number}" for number in reversed(range(53))]
    assert link(rest, "next") == ""
    assert titles(house, topic="billing") == ["Bill"]
    assert titles(house, topic="bill") == []
    assert house.get("/feed.atom", after="nonsense").status_code == 422
    assert house.get("/feed.atom", topics="billing").status_code == 422


def test_an_article_that_gave_way_to_a_hidden_one_stays_for_those_who_see_no_other(house: House) -> None:
    old, new = house.write("Old"), house.write("New", audience=Audience.INTERNAL)
    improve.set_state(house.service.db, SYSTEM, old.id, {"superseded_by": new.id})
    assert titles(house) == ["Old"]
    assert titles(house, "reader") == ["New"]


def test_the_pages_name_the_feed(house: House) -> None:
    assert '<link rel="alternate" href="/feed.atom" type="application/atom+xml"' in house.get("/").text
