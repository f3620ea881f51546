"""What calibration chose."""

from dataclasses import replace

from kb.audience import Access, Audience
from kb.language import Language
from kb.passage import Kind, Passage, PassageRef
from kb.search.fusion import Weights
from kb.search.lexical import document_vector, token_index
from kb.search.terms import terms_of
from kb.search.tuning import FieldWeights, Tuning

PASSAGE = Passage(
    PassageRef(Kind.ARTICLE, "a", 1, 0), "Red light", ("Router",), "The light is red.", Language.ENGLISH,
    Access(Audience.PUBLIC),
)  # fmt: skip


def test_it_survives_storing() -> None:
    tuning = Tuning(FieldWeights(title=3, stretch=1.2), {"zh": Weights(base=0, slope=0, least=0, most=0)}, {"by": "x"})
    assert Tuning.from_json(tuning.as_json()) == tuning
    assert Tuning.from_json({}) == Tuning()
    assert Tuning().as_json() == {}


def test_what_means_nothing_is_the_default() -> None:
    stored = {"fields": {"title": "much", "heading": -1, "colour": 2}, "legs": {"en": {"base": 1e9}}, "note": 7}
    assert Tuning.from_json(stored) == Tuning(legs={"en": Weights()})
    assert Tuning.from_json({"fields": 7, "legs": []}) == Tuning()


def test_a_language_without_a_choice_has_the_default() -> None:
    assert Tuning(legs={"zh": Weights(base=0)}).weights("en") == Weights()


def test_words_count_by_the_field_they_stand_in() -> None:
    terms = terms_of(PASSAGE, FieldWeights(title=3, heading=2))
    assert terms.tokens == {"red": 4.0, "light": 4.0, "router": 2.0}
    assert sorted(terms_of(PASSAGE).tokens) == ["light", "light", "red", "red", "router"]


def test_the_issue_statement_is_a_field_of_its_own() -> None:
    tokens = terms_of(replace(PASSAGE, field="issue"), FieldWeights(issue=2)).tokens
    assert isinstance(tokens, dict)
    assert tokens["red"] == 3.0


def test_weighted_frequencies_saturate_together() -> None:
    assert document_vector({"a": 2.0, "b": 1.0}, 3) == document_vector(["a", "b", "a"], 3)


def test_pairs_of_han_characters_are_terms_of_their_own_and_no_length() -> None:
    alone, paired = document_vector(["重设", "密码"], 2), document_vector(["重设", "密码"], 2, pairs=["重设", "设密"])
    assert set(alone.indices) < set(paired.indices)
    assert len(paired) == 4
    values = dict(zip(paired.indices, paired.values, strict=True))
    assert values[token_index("重设")] == alone.values[alone.indices.index(token_index("重设"))]
