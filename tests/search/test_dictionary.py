"""What the dictionary adds to a search."""

import random
import string

import pytest

from kb.audience import ANYONE, Audience, Reader
from kb.dictionary import Meaning
from kb.search.dictionary import MOST_TERMS, MOST_TOKENS, WEIGHT, Dictionary, Expansion
from kb.search.lexical import query_vector, token_index
from kb.text.analyzer import analyze

PUBLIC = Audience.PUBLIC
NBN = Meaning(("NBN",), ("national broadband network",), PUBLIC)
BOX = Meaning(("set-top box", "STB", "机顶盒"), (), PUBLIC)
LIGHT = Meaning(("光猫", "光纤盒", "ONT"), (), PUBLIC)
MODEM = Meaning(("猫",), ("调制解调器",), PUBLIC)


def expand(text: str, *meanings: Meaning, reader: Reader = ANYONE) -> Expansion:
    return Dictionary(meanings).expand(text, analyze(text), reader)


def also(text: str, *meanings: Meaning, reader: Reader = ANYONE) -> list[str]:
    return [form for each in expand(text, *meanings, reader=reader).expanded for form in each.also]


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("is the nbn down", ["national broadband network"]),
        ("national broadband networks", []),  # one way
        ("Set Top Boxes flicker", ["STB", "机顶盒"]),
        ("my stb", ["set-top box", "机顶盒"]),
        ("機上盒和機頂盒", ["set-top box", "STB"]),
        ("我的光貓壞了", ["光纤盒", "ONT"]),
        ("猫亮红灯", ["调制解调器"]),
        ("熊猫", []),  # a character of another word
        ("nbnx stbs-old", []),
        ('"nbn" is quoted', []),
        ("「光猫」", []),
        ("on the set. Top box", []),  # not across sentences
        ("stb set-top box 机顶盒", []),  # all there already
        ("", []),
    ],
)
def test_a_term_is_found_however_it_is_written_and_nothing_else_is(text: str, forms: list[str]) -> None:
    assert also(text, NBN, BOX, LIGHT, MODEM) == forms


def test_of_overlapping_terms_the_longest_counts() -> None:
    modem = Meaning(("modem", "box"), (), PUBLIC)
    dsl = Meaning(("dsl modem", "VDSL device"), (), PUBLIC)
    assert also("my dsl modem", modem, dsl) == ["VDSL device"]
    assert also("my modem", modem, dsl) == ["box"]


def test_what_was_added_is_not_looked_up_again() -> None:
    assert also("alpha", Meaning(("alpha", "beta"), (), PUBLIC), Meaning(("beta", "gamma"), (), PUBLIC)) == ["beta"]


def test_entries_with_the_same_term_all_count_and_switched_off_ones_do_not() -> None:
    more = Meaning(("nbn",), ("fibre",), PUBLIC)
    off = Meaning(("nbn",), ("cable",), PUBLIC, active=False)
    assert also("nbn", NBN, more, off) == ["national broadband network", "fibre"]


@pytest.mark.parametrize("tier", Audience)
def test_an_entry_holds_for_its_circle_and_those_within(tier: Audience) -> None:
    text = "nbn"
    for audience in Audience:
        meaning = Meaning(NBN.terms, NBN.means, audience)
        plain = Expansion(text, {})
        assert (expand(text, meaning, reader=Reader(tier)) == plain) is (tier.rank < audience.rank)


def test_an_entry_that_is_not_for_somebody_hides_none_that_is() -> None:
    secret = Meaning(("nbn outage",), ("quokka",), Audience.INTERNAL)
    assert also("nbn outage", NBN, secret) == ["national broadband network"]
    assert also("nbn outage", NBN, secret, reader=Reader(Audience.INTERNAL)) == ["quokka"]


def test_added_words_weigh_less_and_typed_ones_keep_their_weight() -> None:
    made = expand("nbn broadband", NBN)
    assert dict(made.tokens) == {"nation": WEIGHT, "network": WEIGHT}
    vector = query_vector(analyze("nbn broadband"), made.tokens)
    weights = dict(zip(vector.indices, vector.values, strict=True))
    assert weights[token_index("nbn")] == weights[token_index("broadband")] == 1.0
    assert weights[token_index("network")] == WEIGHT


@pytest.mark.parametrize(
    ("text", "meanings", "read"),
    [
        ("is the nbn down", [NBN], "is the national broadband network down"),
        ("Wi-Fi slow", [Meaning(("Wi-Fi", "wireless"), (), PUBLIC)], "Wi-Fi slow"),
        ("VoIP phone", [Meaning(("VoIP", "internet telephony"), (), PUBLIC)], "internet telephony phone"),
        ("internet telephony", [Meaning(("VoIP", "internet telephony"), (), PUBLIC)], "internet telephony"),
        ("ONT light", [LIGHT], "ONT light"),  # an English encoder reads no Chinese
        ("straße nbn", [NBN], "straße nbn"),  # where it stands is not known
    ],
)
def test_the_encoder_reads_what_an_acronym_means(text: str, meanings: list[Meaning], read: str) -> None:
    assert expand(text, *meanings).text == read


def test_variants_say_the_same_in_other_words() -> None:
    assert expand("My stb, please", BOX).variants == ("My set-top box, please", "My 机顶盒, please")


def test_however_much_is_pasted_the_search_stays_small() -> None:
    many = [Meaning((f"term{n}x", *(f"form{n}y{m}" for m in range(19))), (), PUBLIC) for n in range(50)]
    made = expand(" ".join(f"term{n}x" for n in range(50)), *many)
    assert len(made.expanded) == MOST_TERMS
    assert len(made.tokens) == MOST_TOKENS


def test_any_text_can_be_expanded() -> None:
    rng = random.Random(4)
    letters = string.printable + "光猫机顶盒滑鼠ßﬁ①\u3000“”「」…’"
    dictionary = Dictionary([NBN, BOX, LIGHT, MODEM, Meaning(("滑鼠", "mouse"), (), PUBLIC)])
    for _ in range(300):
        words = rng.choices([*letters, "nbn", "set-top box", "光貓", "滑鼠"], k=rng.randint(0, 30))
        text = "".join(words)
        made = dictionary.expand(text, analyze(text), ANYONE)
        assert not made.tokens.keys() & set(analyze(text))
