"""What the first passages say word for word."""

from kb.passage import Kind, PassageRef
from kb.query import Candidate
from kb.search.rescoring import IDENTIFIER, PHRASE, READ, rescored


def candidate(number: int, score: float) -> Candidate:
    return Candidate(PassageRef(Kind.ARTICLE, f"{number:03}", 1, 0), score)


def ids(candidates: list[Candidate]) -> list[str]:
    return [each.ref.item_id for each in candidates]


def test_a_phrase_lifts_a_passage_by_a_bounded_and_named_part() -> None:
    first, second = candidate(1, 0.6), candidate(2, 0.55)
    texts = {first.ref: "The light is red, restart.", second.ref: "What a red light means."}
    found = rescored("red light", [first, second], texts)
    assert ids(found) == ["002", "001"]
    assert [(each.name, each.value) for each in found[0].bonus] == [("phrase", PHRASE)]
    assert found[1].bonus == ()
    far = rescored("red light", [first, candidate(2, 0.6 - PHRASE - 0.01)], texts)
    assert ids(far) == ["001", "002"]


def test_an_error_code_letter_by_letter_comes_before_its_parts() -> None:
    first, second = candidate(1, 0.6), candidate(2, 0.58)
    texts = {first.ref: "Error E-1243 and E 12", second.ref: "E-1234 means no signal"}
    found = rescored("E-1234", [first, second], texts)
    assert ids(found) == ["002", "001"]
    assert ("identifier", IDENTIFIER) in found[0].bonus


def test_a_longer_code_is_another_one() -> None:
    only = candidate(1, 0.6)
    assert rescored("E-1234", [only], {only.ref: "E-12345"})[0].bonus == ()


def test_what_was_not_read_keeps_its_place_below_nothing_it_beat() -> None:
    many = [candidate(n, 0.9 - n / 1000) for n in range(READ + 10)]
    found = rescored("red light", many, {each.ref: "red light" for each in many})
    assert ids(found) == ids(many)
    assert [bool(each.bonus) for each in found] == [True] * READ + [False] * 10


def test_a_passage_whose_text_is_gone_stays_as_it_is() -> None:
    only = candidate(1, 0.6)
    assert rescored("red light", [only], {}) == [only]
    assert rescored("", [only], {only.ref: "red light"}) == [only]
