from datetime import timedelta

import pytest

from kb import clock
from kb.article import Confidence
from kb.audience import Audience
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM
from kb.solve import improve
from kb.store import interactions
from tests.api.conftest import House


def test_a_hit_carries_the_passage_that_answers_safe_to_show_and_its_state(house: House) -> None:
    article = house.write(
        "Red light",
        "## Resolution\n### After a power cut\nHold **reset** <script>alert(1)</script> for ten seconds.",
        topic="broadband/faults",
        products=("hub-6",),
    )
    house.settle()
    found = house.search("what to do after a power cut")
    hit = found["hits"][0]
    assert (hit["number"], hit["title"], hit["revision"]) == (article.number, "Red light", 1)
    assert hit["passage"]["heading"] == ["After a power cut"]
    assert hit["passage"]["field"] == "resolution"
    assert hit["passage"]["text"].startswith("Hold **reset**")
    assert "<strong>reset</strong>" in hit["passage"]["html"]
    assert "<script" not in hit["passage"]["html"]
    assert (hit["audience"], hit["passage"]["audience"], hit["passage"]["restricted"]) == ("public", "public", False)
    assert (hit["confidence"], hit["governance"], hit["source"]) == ("not_validated", "experience", "kb")
    assert {"analyze", "encode", "retrieve", "fuse", "confirm", "total"} <= found["took_ms"].keys()
    assert found["degraded"] == []


def test_highlights_are_spelt_as_in_the_passage_whatever_the_script_of_the_query(house: House) -> None:
    house.write("路由器红灯", "请重启路由器，再看红灯。", language=Language.SIMPLIFIED)
    house.settle()
    highlights = house.search("路由器紅燈")["hits"][0]["passage"]["highlights"]
    assert {"路由器", "红灯"} <= set(highlights)


def test_a_slip_is_corrected_shown_and_not_made_again_when_the_words_are_meant_exactly(house: House) -> None:
    house.write("Zeppelin landing", "Moor the zeppelin.")
    house.settle()
    house.service.wording.settle()
    found = house.search("landing zepplein")
    assert found["corrected"] == {"from": "landing zepplein", "to": "landing zeppelin", "applied": True}
    assert "zeppelin" in found["hits"][0]["passage"]["highlights"]
    assert house.search("landing zeppelin")["corrected"] is None
    for asked in ({"query": "landing zepplein", "exact": True}, {"query": 'landing "zepplein"'}):
        assert house.post("search", asked).json()["corrected"] is None


def test_what_was_published_is_found_and_what_was_withdrawn_is_not(house: House) -> None:
    body = {"title": "Purple light", "body": "Call us.", "language": "en", "audience": "public", "publish": True}
    number = house.post("articles", body, "publisher").json()["number"]
    house.settle()
    assert house.titles("purple light") == ["Purple light"]
    assert house.post(f"articles/{number}/archive", {}, "publisher").status_code == 200
    assert house.titles("purple light") == [], "at once, whatever the index still holds"


def test_a_superseded_revision_in_the_index_shows_the_current_text(house: House) -> None:
    article = house.write("Red light", "Hold reset for fifteen seconds.")
    house.settle()
    improve.revise(house.service.db, SYSTEM, article.id, "Red light", "Hold reset for ten seconds.", publish=True)
    hit = house.search("fifteen seconds")["hits"][0]
    assert (hit["revision"], "ten" in hit["passage"]["text"]) == (2, True)


def test_an_article_out_of_its_dates_is_not_shown(house: House) -> None:
    soon = house.write("Summer offer", "Half the price.", valid_until=clock.now() + timedelta(seconds=0.2))
    house.settle()
    while clock.now() < (soon.valid_until or clock.now()):
        pass
    assert house.titles("summer offer") == []
    assert house.get("suggest", q="summer").json() == {"suggestions": []}
    assert house.get(f"articles/{soon.number}").status_code == 404


FILTERED: list[tuple[dict[str, object], set[str]]] = [
    ({}, {"Red hub", "Red box", "红灯", "Red post"}),
    ({"kinds": ["post"]}, {"Red post"}),
    ({"languages": ["zh-Hans"]}, {"红灯"}),
    ({"languages": ["zh-Hans", "en"], "kinds": ["article"]}, {"Red hub", "Red box", "红灯"}),
    ({"products": ["hub-6"]}, {"Red hub"}),
    ({"topics": ["broadband"]}, {"Red hub"}),
    ({"topics": ["broadband/faults", "tv"]}, {"Red hub", "Red box"}),
    ({"tags": ["lights"]}, {"Red box"}),
    ({"confidence": ["validated"]}, {"Red box"}),
    ({"sources": ["forum"]}, {"Red post"}),
    ({"sources": ["kb"]}, {"Red hub", "Red box", "红灯"}),
    ({"products": ["hub-6"], "tags": ["lights"]}, set()),
]


def test_filters_are_honoured_with_and_without_an_index(house: House) -> None:
    house.write("Red hub", "light", topic="broadband/faults", products=("hub-6",))
    house.write("Red box", "light", topic="tv", tags=("lights",), confidence=Confidence.VALIDATED)
    house.write("红灯", "red light", language=Language.SIMPLIFIED)
    house.write_post("Red post", "light")
    house.settle()
    for filters, titles in FILTERED:
        assert set(house.titles("red light", "reader", filters=filters)) == titles, filters
    house.service.live.close()
    for filters, titles in FILTERED:
        fallback = house.search("red 红灯", "reader", filters=filters)
        assert {hit["title"] for hit in fallback["hits"]} == titles, filters
        assert fallback["degraded"] == ["index"]


def test_context_moves_the_order_and_staff_see_why(house: House) -> None:
    first = house.write("Red light", "Same words.", products=("hub-6",))
    second = house.write("Red light", "Same words.", products=("box-2",))
    house.settle()

    def order(**context: object) -> list[str]:
        return [hit["id"] for hit in house.search("red light", context=context)["hits"]]

    assert order(product="box-2") == [second.id, first.id]
    assert order(product="hub-6") == [first.id, second.id]
    tried = [{"kind": "article", "id": second.id}]
    assert order(product="box-2", already_read=tried) == [first.id, second.id]
    hit = house.search("red light", "candidate", context={"product": "box-2"})["hits"][0]
    assert {"name": "product", "value": 0.05} in hit["why"]
    assert sum(part["value"] for part in hit["why"]) == pytest.approx(hit["score"], abs=1e-3)


def test_a_post_is_credited_and_stands_below_an_article(house: House) -> None:
    house.write("Red light", "Restart it.", audience=Audience.INTERNAL)
    house.write_post("Red light", "Restart it.")
    house.settle()
    article, post = house.search("red light restart", "reader")["hits"]
    assert (article["kind"], post["kind"], post["author"], post["url"]) == (
        "article", "post", "sam", "https://forum.example/t/1",
    )  # fmt: skip
    assert (post["number"], post["confidence"], post["governance"]) == (None, None, None)


def test_a_number_said_aloud_finds_its_article(house: House) -> None:
    article = house.write("Red light", "Restart.")
    house.settle()
    spoken = f"KB {article.number.replace('-', '')}"
    assert house.titles(spoken) == ["Red light"]


def test_without_an_encoder_search_answers_by_words_and_says_so(house: House) -> None:
    house.write("Red light", "Restart.")
    house.settle()
    house.service.encoder._encoder = None
    found = house.search("red light")
    assert ([hit["title"] for hit in found["hits"]], found["degraded"]) == (["Red light"], ["encoder"])


def test_without_an_index_titles_answer_with_the_text_of_the_record(house: House) -> None:
    house.write("Red light", "Restart the hub.")
    house.settle()
    house.service.live.close()
    found = house.search("red light")
    assert found["degraded"] == ["index"]
    assert found["hits"][0]["passage"]["text"] == "Restart the hub."


def test_a_search_is_kept_in_the_trail_with_what_was_shown(house: House) -> None:
    article = house.write("Red light", "Restart.")
    house.settle()
    found = house.search("red light", "candidate")
    house.service.search_log.flush()
    with house.service.db.read() as tx:
        [event] = interactions.recent(tx, interactions.EventKind.SEARCHED)
    assert event.search_id == found["search_id"]
    assert event.person_id == house.ids["candidate"]
    assert event.data["query"] == "red light"
    assert event.data["shown"] == [["article", article.id, 1, 0]]


def test_resolved_interactions_are_counted(house: House) -> None:
    article = house.write("Red light", "Restart.")
    house.settle()
    opened = house.post("interactions", {"channel": "phone"}, "candidate").json()["id"]
    link = {"kind": "linked", "interaction_id": opened, "number": article.number, "revision": 1, "type": "resolution"}
    assert house.post("events", {"events": [link]}, "candidate").status_code == 201
    assert house.search("red light")["hits"][0]["resolved_count"] == 1


def test_suggestions_are_narrowed_and_limited_as_asked(house: House) -> None:
    house.write("Red hub", "One.", products=("hub-6",), topic="broadband")
    house.write("Red box", "Two.")
    house.write("红灯亮", "三。", language=Language.SIMPLIFIED)
    house.write_post("Red post", "Four.")
    house.settle()

    def titles(who: str = "reader", **query: object) -> list[str]:
        response = house.get("suggest", who, **query)
        return [each["title"] for each in response.json()["suggestions"]]

    assert set(titles(q="re")) == {"Red hub", "Red box", "Red post"}
    assert titles(q="re", product="hub-6") == titles(q="re", topic="broadband") == ["Red hub"]
    assert titles(q="re", kind="post") == ["Red post"]
    assert titles(q="红", language="zh-Hans") == ["红灯亮"]
    assert titles(q="红", language="en") == []
    assert len(titles(q="re", limit=2)) == 2
    assert set(titles("", q="re")) == {"Red hub", "Red box"}, "posts are internal unless decided otherwise"


def test_a_suggestion_says_where_to_go(house: House) -> None:
    article = house.write("Red hub", "One.")
    house.settle()
    [suggestion] = house.get("suggest", q="red h").json()["suggestions"]
    assert suggestion == {
        "kind": "article", "id": article.id, "number": article.number, "title": "Red hub", "language": "en",
        "open_case": None,
    }  # fmt: skip


def test_a_post_that_was_read_sinks_too(house: House) -> None:
    house.write_post("Red light", "Restart it.", id="p1", source_key="t/1")
    house.write_post("Red light", "Restart it.", id="p2", source_key="t/2")
    house.settle()
    first = house.search("red light", "reader")["hits"][0]
    item = ItemRef(Kind(first["kind"]), first["id"])
    tried = {"already_read": [{"kind": item.kind.value, "id": item.id}]}
    assert house.search("red light", "reader", context=tried)["hits"][0]["id"] != item.id
