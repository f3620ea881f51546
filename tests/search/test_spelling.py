import pytest

from kb.audience import Audience
from kb.passage import ItemRef, Kind
from kb.search.spelling import Correction, Speller, slip
from kb.search.vocabulary import Vocabulary
from kb.text.words import words

TEXTS = [
    "Restart the router when the light is red.",
    "The router needs an installation by an engineer.",
    "Where to find the invoice of your account",
    "Connect to the hotspot abroad; roaming charges",
    "支付失败时请检查账户余额。",
    "账户余额不足，无法支付。",
    "无线路由器的指示灯亮红灯，请重启路由器。",
    "数据机指示灯，网络连接中断",
]


@pytest.fixture(scope="module")
def speller() -> Speller:
    vocabulary = Vocabulary()
    vocabulary.update(
        {ItemRef(Kind.ARTICLE, str(n)): dict.fromkeys(words(text), 0) for n, text in enumerate(TEXTS * 4)}
    )
    return Speller(vocabulary)


def meant(speller: Speller, text: str) -> str:
    found = Correction.of(text, speller.changes(text, Audience.PUBLIC))
    return found.meant if found else text


ENGLISH = [
    ("restart the rotuer", "restart the router"),  # swapped
    ("restart the routwr", "restart the router"),  # the key beside
    ("restart the ruter", "restart the router"),  # left out
    ("restart the routter", "restart the router"),  # twice
    ("Rotuer restart", "Router restart"),
    ("RESTART ROTUER", "RESTART ROUTER"),
    ("book an instalaton", "book an installation"),  # two in a long word
    ("路由器 rotuer 红灯", "路由器 router 红灯"),
]


@pytest.mark.parametrize(("typed", "right"), ENGLISH)
def test_a_slip_on_the_keyboard_is_put_right(speller: Speller, typed: str, right: str) -> None:
    assert meant(speller, typed) == right


CHINESE = [
    ("支付师败怎么办", "支付失败怎么办"),
    ("帐户余额不足", "账户余额不足"),
    ("无线鹿由器红灯", "无线路由器红灯"),
    ("支付失拜", "支付失败"),
    ("數據機紙示燈", "數據機指示燈"),
    ("支付師敗怎麼辦", "支付失敗怎麼辦"),
    ("帳戶餘額不族", "賬戶餘額不足"),
]


@pytest.mark.parametrize(("typed", "right"), CHINESE)
def test_a_wrong_character_of_the_same_sound_is_put_right_in_the_script_that_was_typed(
    speller: Speller, typed: str, right: str
) -> None:
    assert meant(speller, typed) == right


UNTOUCHED = [
    "restart the router", "west of the hotel", "rest", "rotu", "E-1234 rx5-200", "Get-RotuerLight", '"rotuer"',
    "「师败」", "重启路由器", "我的账户在哪里", "有什么红灯", "WiFI", "xyzzyqwv", "", "的是", "支付",
]  # fmt: skip


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_is_right_or_means_itself_or_is_like_nothing_is_not_touched(speller: Speller, text: str) -> None:
    assert meant(speller, text) == text


def test_a_word_that_finds_something_is_left_alone(speller: Speller) -> None:
    assert speller.changes("rotuer", Audience.PUBLIC, finds=lambda word: word == "rotuer") == []
    assert speller.changes("师败", Audience.PUBLIC, finds=lambda word: word == "师败") == []


def test_only_words_that_the_tier_may_read_are_proposed() -> None:
    vocabulary = Vocabulary()
    vocabulary.update({ItemRef(Kind.ARTICLE, "a"): {"mandrill": Audience.INTERNAL.rank, "失败": Audience.PARTNER.rank}})
    vocabulary.update({ItemRef(Kind.ARTICLE, "b"): {"router": 0}})
    speller = Speller(vocabulary)
    assert meant(speller, "manrdill 师败") == "manrdill 师败"
    assert [each.meant for each in speller.changes("manrdill 师败", Audience.PARTNER)] == ["失败"]
    assert [each.meant for each in speller.changes("manrdill 师败", Audience.INTERNAL)] == ["mandrill", "失败"]


def test_of_two_words_the_likelier_slip_and_the_more_usual_one_is_meant() -> None:
    vocabulary = Vocabulary()
    usual = {ItemRef(Kind.ARTICLE, str(n)): {"charge": 0} for n in range(5)}
    vocabulary.update({**usual, ItemRef(Kind.ARTICLE, "x"): {"chargy": 0, "chargu": 0}})
    [change] = Speller(vocabulary).changes("chargr", Audience.PUBLIC)
    assert change.meant == "charge"


def test_a_text_that_is_wholly_foreign_is_not_corrected_word_by_word(speller: Speller) -> None:
    assert speller.changes("ruter accont invoic hotspt", Audience.PUBLIC) == []


def test_what_is_not_sure_is_offered_and_what_is_unlikely_is_not() -> None:
    vocabulary = Vocabulary()
    vocabulary.update({ItemRef(Kind.ARTICLE, "a"): {"histon": 0, "hinton": 0, "zeppelin": 0}})
    speller = Speller(vocabulary)
    assert Correction.of("hintan", speller.changes("hintan", Audience.PUBLIC)) == Correction("hintan", "hinton", False)
    assert Correction.of("hintxn", speller.changes("hintxn", Audience.PUBLIC)) is None
    both = "hintan zepplein"
    assert Correction.of(both, speller.changes(both, Audience.PUBLIC)) == Correction(both, "hintan zeppelin", True)


@pytest.mark.parametrize(
    ("typed", "meant", "other"),
    [("rotuer", "router", "rotter"), ("routwr", "router", "routpr"), ("routter", "router", "routger")],
)
def test_fingers_slip_in_usual_ways(typed: str, meant: str, other: str) -> None:
    assert slip(typed, meant) > slip(other, meant)


def test_the_first_letter_is_seldom_wrong() -> None:
    assert slip("eouter", "router") < slip("roiter", "router")
