import time
from collections.abc import Sequence

import pytest

from kb.language import Language
from kb.query import Candidate, Hit, Query, Reason
from kb.search.encoder import packaged_identity
from kb.solve import certainty
from kb.solve.answering import COMPARED, Answered, answer, read
from kb.solve.certainty import Evidence, Model, evidence, judge
from tests.examples import a_passage

HUB = """\
The hub is a white box with a ring on its front. It stands beside the phone socket.

Does the ring stay red? Unplug the hub and wait ten seconds. Plug it in again.

To change the password:

- Open the page of the hub
- Choose Wi-Fi

Call us between 8 a.m. and 6 p.m. every day."""

HUB_HANS = "路由器是白色的盒子。红灯常亮时请拔下电源，等待十秒。客服电话每天早上八点开通。"


def hits(*texts: str, title: str = "", language: Language = Language.ENGLISH, why: str = "relevance") -> list[Hit]:
    found = []
    for number, text in enumerate(texts):
        passage = a_passage(f"p{number}", title=title, heading=(), text=text, language=language)
        found.append(Hit(passage.ref.item, passage, 1 - number / 10, (Reason(why, 1.0),)))
    return found


def chosen(query: str, *texts: str, **more: object) -> list[str]:
    answered = answer(Query(query), hits(*texts, **more), (), None)  # type: ignore[arg-type]
    return [sentence.text for sentence in answered.excerpts[0]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("how long must I wait after I unplug the hub", ["Unplug the hub and wait ten seconds."]),
        ("when can I call", ["Call us between 8 a.m. and 6 p.m. every day."]),
        ("where does the box with the phone socket stand", ["It stands beside the phone socket."]),
    ],
)
def test_the_sentences_that_answer_are_chosen(query: str, expected: list[str]) -> None:
    assert set(expected) <= set(chosen(query, HUB))
    assert len(chosen(query, HUB)) <= 3


def test_a_question_or_a_colon_comes_with_what_follows_it() -> None:
    assert chosen("ring stays red", HUB)[:2] == ["Does the ring stay red?", "Unplug the hub and wait ten seconds."]
    assert chosen("change password", HUB)[:2] == ["To change the password:", "Open the page of the hub"]


def test_where_the_title_is_the_question_the_text_begins_to_answer_it() -> None:
    text = "Do you see it? Hold reset for ten seconds. Then wait. A red light is a fault."
    assert chosen("red light", text, title="Red light") == ["Hold reset for ten seconds.", "Then wait."]
    assert chosen("red light", text)[-1] == "A red light is a fault."


TEMPLATE = """\
## Issue

The ring stays red and nothing loads.

## Environment

Hub 6 on a red socket.

## Resolution

### By hand

1. Unplug the hub and wait.
2. Is the ring red? Check the fibre box.

## Notes

Red rings are rare."""


@pytest.mark.parametrize("query", ["ring stays red", "nothing loads", "red ring fibre", "banana"])
def test_a_resolution_answers_and_not_the_issue(query: str) -> None:
    said = chosen(query, TEMPLATE)
    assert set(said) <= {"Unplug the hub and wait.", "Is the ring red?", "Check the fibre box."}
    assert said != ["Is the ring red?"]
    assert chosen("why rings", TEMPLATE.replace("Resolution", "Cause"))[0] != "The ring stays red and nothing loads."


def test_a_passage_that_is_all_issue_still_has_sentences() -> None:
    assert chosen("red ring", "## 问题\n\nThe ring is red.") == ["The ring is red."]
    assert chosen("red ring", "# The ring is red") == ["The ring is red"]


def test_nothing_that_is_asked_in_a_text_gives_its_beginning() -> None:
    assert chosen("banana", HUB) == [
        "The hub is a white box with a ring on its front.",
        "It stands beside the phone socket.",
    ]
    assert chosen("banana", "") == []


@pytest.mark.parametrize("query", ["红灯常亮怎么办", "紅燈常亮怎麼辦"])
def test_chinese_is_answered_and_marked_whatever_the_script(query: str) -> None:
    answered = answer(Query(query), hits(HUB_HANS, language=Language.SIMPLIFIED), (), None)
    (sentence,) = answered.excerpts[0]
    assert sentence.text == "红灯常亮时请拔下电源，等待十秒。"
    assert [sentence.text[start:end] for start, end in sentence.highlights] == ["红灯常亮"]


def test_words_of_the_dictionary_count_and_are_marked() -> None:
    (sentence, *_) = answer(Query("router"), hits("Pay on Monday. The hub is white."), (), None, ["hub"]).excerpts[0]
    assert (sentence.text, sentence.highlights) == ("The hub is white.", ((4, 7),))


def test_marks_lie_within_their_sentences_in_order() -> None:
    answered = answer(Query("ring red hub wait 红灯"), hits(HUB, HUB_HANS), (), None)
    for sentence in (each for excerpt in answered.excerpts for each in excerpt):
        ends = [end for span in sentence.highlights for end in span]
        assert ends == sorted(set(ends))
        assert all(0 <= end <= len(sentence.text) for end in ends)


@pytest.mark.parametrize("text", ["- red light\n" * 1_000, "red light " * 20_000, "红灯" * 50_000])
def test_a_long_passage_is_answered_in_no_time(text: str) -> None:
    found = hits(text)
    read(text)  # parsing it is bounded elsewhere (kb.text.bounds)
    start = time.process_time()
    answered = answer(Query("red light 红灯"), found, (), None)
    assert time.process_time() - start < 2
    assert 1 <= len(answered.excerpts[0]) <= 3


def candidates(lexical: Sequence[float], dense: Sequence[float] = ()) -> list[Candidate]:
    found = [Candidate(a_passage(f"p{n}").ref, 0.5, "en", score, None) for n, score in enumerate(lexical)]
    return found + [Candidate(a_passage(f"p{n}").ref, 0.5, "en", None, score) for n, score in enumerate(dense)]


def judged(query: str, found: list[Hit], *legs: Sequence[float]) -> Answered:
    return answer(Query(query), found, candidates(*legs), None)


def test_evidence_tells_a_hit_that_stands_out_from_one_that_does_not() -> None:
    alone = judged("red ring", hits(HUB, "Pay on Monday.", "Nothing."), [9, 1, 1], [0.8, 0.2]).evidence
    among = judged("red ring", hits(HUB, HUB + " ", HUB + "  "), [9, 9, 9], [0.8, 0.8]).evidence
    assert alone is not None
    assert among is not None
    assert (alone.dense, alone.near, among.near) == (True, 0.8, 0.8)
    assert alone.ahead == pytest.approx(8 / 9)
    assert alone.above > among.above == 0
    assert (alone.covers_more, among.covers_more, among.ahead) == (1.0, 0.0, 0.0)


def test_nothing_is_certain_by_titles_alone_or_without_hits() -> None:
    titles = answer(Query("red ring"), hits(HUB), [Candidate(a_passage("p0").ref, 1.0)], None)
    assert (titles.certain, titles.evidence, titles.confidence) == (False, None, 0.0)
    assert not answer(Query("red ring"), [], (), None).certain


def test_an_item_whose_number_was_typed_is_certain() -> None:
    answered = answer(Query("482-9175"), hits(HUB, why="article_number"), (), None)
    assert (answered.certain, answered.confidence) == (True, 1.0)


def test_hits_beyond_those_compared_move_no_certainty() -> None:
    texts = [f"Sentence {n} about the red ring." for n in range(COMPARED + 5)]
    scores = [9.0 - n / 2 for n in range(len(texts))]
    few, many = (judged("red ring 0", hits(*texts[:size]), scores) for size in (COMPARED, COMPARED + 5))
    assert few.confidence == many.confidence
    assert len(many.excerpts) == COMPARED + 5


def test_cosines_of_another_encoder_are_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certainty, "BOTH", Model(9.0, {}))
    monkeypatch.setattr(certainty, "WORDS", Model(-9.0, {}))
    found = evidence(["red"], [a_passage("p0").ref.item], [frozenset({"red"})], 9, candidates([5], [0.9]))
    ours = packaged_identity().digest
    assert judge(found, "en", ours)[1]
    assert judge(found, "zh", ours)[1], "whatever language it can read"
    assert not judge(found, "en", "another")[1]
    assert not judge(found, "zh", "another")[1]
    assert not judge(None, "en", ours)[1]


def test_words_alone_are_certain_in_chinese_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certainty, "WORDS", Model(9.0, {}))
    found = evidence(["red"], [a_passage("p0").ref.item], [frozenset({"red"})], 9, candidates([5]))
    assert judge(found, "zh")[1]
    assert not judge(found, "en")[1]


def test_more_evidence_is_never_less_certain() -> None:
    weak = Evidence(dense=True, near=0.3, ahead=0.0, above=0.1, covers_more=-0.5, asked=1.5, said=3.0)
    strong = Evidence(dense=True, near=0.9, ahead=0.6, above=0.9, covers_more=0.8, asked=1.5, said=5.0)
    for model in (certainty.BOTH, certainty.WORDS):
        assert model.probability(weak) < model.probability(strong)
        assert model.probability(weak) < certainty.CERTAIN
