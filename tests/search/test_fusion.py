import pytest

from kb.passage import Kind, PassageRef
from kb.search.fusion import Weights, fuse, means_exactly
from kb.search.index import Legs, Scored


def ref(name: str) -> PassageRef:
    return PassageRef(Kind.ARTICLE, name, 1, 0)


def leg(language: str = "en", **scores: float) -> list[Scored]:
    return [Scored(ref(name), language, score) for name, score in sorted(scores.items(), key=lambda each: -each[1])]


def order(legs: Legs, weight: float) -> list[str]:
    return [each.ref.item_id for each in fuse(legs, weight)]


def test_the_weight_decides_between_the_legs() -> None:
    legs = Legs(lexical=leg(a=9.0, b=1.0, c=0.5), dense=leg(b=0.9, a=0.2, c=0.1))
    assert order(legs, 0.1)[0] == "a"
    assert order(legs, 0.9)[0] == "b"


def test_a_passage_both_legs_like_beats_one_that_only_one_likes() -> None:
    legs = Legs(lexical=leg(a=9.0, both=8.9, z=0.0), dense=leg(b=0.9, both=0.89, z=0.0))
    assert order(legs, 0.5)[0] == "both"


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_an_empty_leg_gives_its_weight_to_the_other(weight: float) -> None:
    assert order(Legs(lexical=leg(a=2.0, b=1.0), dense=[]), weight) == ["a", "b"]
    assert order(Legs(lexical=[], dense=leg(b=0.2, a=0.1)), weight) == ["b", "a"]


def test_two_empty_legs_find_nothing() -> None:
    assert fuse(Legs(), 0.5) == []


def test_a_leg_of_one_passage_still_counts() -> None:
    assert order(Legs(lexical=leg(a=2.0), dense=leg(b=0.5, a=0.4)), 0.3)[0] == "a"


def test_scores_lie_between_zero_and_one_and_raw_scores_are_kept() -> None:
    found = fuse(Legs(lexical=leg(a=9.0, b=1.0), dense=leg(b=0.9, c=-0.2)), 0.4)
    assert all(0.0 <= each.score <= 1.0 for each in found)
    assert {each.ref.item_id: (each.lexical, each.dense) for each in found} == {
        "a": (9.0, None),
        "b": (1.0, 0.9),
        "c": (None, -0.2),
    }


def test_the_nearer_the_best_passage_the_more_the_dense_leg_counts() -> None:
    weights = [Weights().of("why is my internet slow", cosine) for cosine in (0.0, 0.4, 0.6, 0.9, 1.0)]
    assert weights == sorted(weights)
    assert (weights[0], weights[-1]) == (Weights().least, pytest.approx(0.8))


def test_a_word_that_one_passage_alone_has_stands_out() -> None:
    legs = Legs(lexical=leg(rare=7.0), dense=leg(**{f"p{n}": 0.3 + n / 100 for n in range(20)}))
    assert order(legs, 0.5)[0] == "rare"


def test_passages_that_hardly_differ_are_not_driven_apart() -> None:
    [first, second] = fuse(Legs(lexical=leg(a=5.0, b=4.999), dense=leg(a=0.501, b=0.5)), 0.5)
    assert first.score - second.score < 0.01


def test_equal_scores_keep_one_order() -> None:
    legs = Legs(lexical=leg(b=1.0, a=1.0, c=1.0))
    assert order(legs, 0.5) == ["a", "b", "c"]


def test_a_passage_in_a_language_the_encoder_cannot_read_stays_below_an_answer_in_the_askers_own() -> None:
    legs = Legs(
        lexical=[Scored(ref("zh"), "zh-Hans", 9.0), Scored(ref("en"), "en", 7.0)],
        dense=[Scored(ref("en"), "en", 0.6), Scored(ref("other"), "en", 0.2)],
    )
    assert order(legs, Weights().of("the hub 6 has a red light", 0.6))[0] == "en"


def test_a_code_leans_on_the_words_whatever_the_language_of_the_passage() -> None:
    legs = Legs(
        lexical=[Scored(ref("zh"), "zh-Hans", 9.0)],
        dense=[Scored(ref(f"en{n}"), "en", 0.5 - n / 50) for n in range(20)],
    )
    assert order(legs, Weights().of("E-1234", 0.5))[0] == "zh"


@pytest.mark.parametrize(
    "text", ["E-1234", "e 1234", "TV-104 no signal", '"hold the reset button"', "「重新啟動」", "X5-200"]
)
def test_identifiers_and_quotes_mean_what_they_say(text: str) -> None:
    assert means_exactly(text)


@pytest.mark.parametrize(
    "text", ["my router blinks red", "网速太慢", "how do I return the hub", "wifi", "roaming in 3 countries"]
)
def test_plain_questions_do_not(text: str) -> None:
    assert not means_exactly(text)
