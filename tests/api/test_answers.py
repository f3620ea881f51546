import pytest

from kb.language import Language
from kb.search.reranking import Reranked
from kb.solve import certainty
from kb.solve.certainty import Model
from tests.api.conftest import House

RED = (
    "红灯常亮时请先拔下路由器电源，等待十秒后重新插上。"
    "重新插上以后等待四分钟，指示灯会变成蓝色。仍然是红灯时请检查光纤盒。"
)
BILL = "账单每月一号发出，可以在网页上查看。付款方式有银行卡和现金。"


@pytest.fixture
def written(house: House) -> House:
    house.write("指示灯", RED, language=Language.SIMPLIFIED)
    house.write("账单", BILL, language=Language.SIMPLIFIED)
    house.write("Opening hours", "The shop opens at nine. It closes at five.")
    house.settle()
    return house


def test_a_certain_answer_stands_above_the_hits_with_its_sentences(
    written: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certainty, "WORDS", Model(5.0, {}))
    found = written.search("紅燈常亮要等待幾秒", "reader")
    answer, first = found["answer"], found["hits"][0]
    assert found["no_answer"] is None
    assert {name: answer[name] for name in ("kind", "id", "number", "title", "revision")} == {
        name: first[name] for name in ("kind", "id", "number", "title", "revision")
    }
    assert answer["ordinal"] == first["passage"]["ordinal"]
    assert answer["sentences"] == first["passage"]["sentences"]
    assert answer["text"] == "\n".join(each["text"] for each in answer["sentences"])
    sentence = answer["sentences"][0]
    assert sentence["text"].startswith("红灯常亮时")
    assert "红灯常亮" in [sentence["text"][start:end] for start, end in sentence["highlights"]]


def test_how_certain_it_is_is_for_staff(written: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certainty, "WORDS", Model(5.0, {}))
    assert written.search("红灯常亮")["answer"]["confidence"] is None
    assert written.search("红灯常亮", "customer")["answer"]["confidence"] is None
    assert written.search("红灯常亮", "contributor")["answer"]["confidence"] == pytest.approx(0.9933)


def test_where_nothing_is_certain_it_says_so_and_still_shows_sentences(
    written: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certainty, "WORDS", Model(-5.0, {}))
    found = written.search("红灯常亮")
    assert (found["answer"], found["no_answer"]) == (None, "nothing_certain")
    assert found["hits"][0]["passage"]["sentences"]
    nothing = written.search("红灯常亮", filters={"products": ["none"]})
    assert (nothing["hits"], nothing["answer"], nothing["no_answer"]) == ([], None, "nothing_certain")


def test_a_number_is_answered_by_its_article(written: House) -> None:
    number = written.search("opening hours")["hits"][0]["number"]
    answer = written.search(number)["answer"]
    assert (answer["title"], answer["text"]) == ("Opening hours", "The shop opens at nine.\nIt closes at five.")


def test_how_many_hits_are_asked_for_moves_no_certainty(written: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(12):
        written.write(f"指示灯 {n}", f"{RED} 第 {n} 种。", language=Language.SIMPLIFIED)
    written.settle()
    monkeypatch.setattr(certainty, "CERTAIN", 0.0)
    asked = [written.search("红灯常亮要等待几秒", "contributor", limit=limit)["answer"] for limit in (1, 3, 10)]
    assert asked[0] == asked[1] == asked[2]


def test_without_a_cross_encoder_nothing_is_said_of_one(written: House) -> None:
    found = written.search("opening hours")
    assert found["reranked"] is None
    assert "rerank" not in found["took_ms"]
    assert 'kb_answers_total{certain="no"}' in written.get("/metrics", "admin").text


def test_a_second_look_is_reported_and_counted(written: House) -> None:
    class Looking:
        def scores(self, question: str, passages: list[str]) -> tuple[list[float], Reranked]:
            return [], Reranked(skipped="budget")

    finder = written.service.finder
    object.__setattr__(finder, "reranker", Looking())
    found = written.search("opening hours")
    assert found["reranked"] == {"used": False, "pairs": 0, "took_ms": 0.0, "skipped": "budget"}
    assert "rerank" in found["took_ms"]
    assert 'kb_reranks_total{outcome="budget"} 1.0' in written.get("/metrics", "admin").text
