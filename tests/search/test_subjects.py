"""What somebody talks about."""

from kb.audience import Access, Audience, Reader
from kb.language import Language
from kb.passage import ItemRef, Kind, PassageRef
from kb.query import Candidate
from kb.search.catalogue import Catalogue, Entry
from kb.search.subjects import NAMED, about, question

PUBLIC, INTERNAL = Access(Audience.PUBLIC), Access(Audience.INTERNAL)
CUSTOMER, AGENT = Reader(Audience.CUSTOMER), Reader(Audience.INTERNAL)


def entries(title: str, start: int, count: int, access: Access = PUBLIC) -> list[Entry]:
    items = [ItemRef(Kind.ARTICLE, str(number)) for number in range(start, start + count)]
    return [Entry(item, title, "", Language.ENGLISH, access, access) for item in items]


def catalogue(*named: list[Entry]) -> Catalogue:
    return Catalogue([*entries("Something else about cables", 1000, 60), *(each for group in named for each in group)])


HAMILTON, ASHLEY = entries("Hamilton Lodge", 0, 4), entries("Ashley Hotel", 10, 4)


def items(found: list[Entry]) -> frozenset[ItemRef]:
    return frozenset(each.item for each in found)


def test_the_name_mentioned_last_is_the_subject() -> None:
    known = catalogue(HAMILTON, ASHLEY)
    assert known.subject("Not the Ashley Hotel, the HAMILTON lodge. Can I park?", AGENT) == items(HAMILTON)
    assert known.subject("Hamilton Lodge was full. So the Ashley Hotel?", AGENT) == items(ASHLEY)
    assert known.subject("Is there a hotel with parking?", AGENT) == frozenset()
    assert known.subject("", AGENT) == frozenset()


def test_the_longer_of_two_names_is_meant() -> None:
    known = catalogue(HAMILTON, entries("Lodge", 20, 3))
    assert known.subject("I like the Hamilton Lodge", AGENT) == items(HAMILTON)


def test_what_one_article_is_called_or_nearly_all_is_no_name() -> None:
    assert catalogue(entries("Hub 6", 0, 2)).subject("My Hub 6 is broken", AGENT) == frozenset()
    assert catalogue(entries("FAQ", 0, 30)).subject("Where is the FAQ", AGENT) == frozenset()


def test_a_name_of_hidden_items_is_none() -> None:
    known = catalogue(entries("Project Falcon", 0, 5, INTERNAL))
    assert known.subject("What is Project Falcon?", CUSTOMER) == frozenset()
    assert len(known.subject("What is Project Falcon?", AGENT)) == 5


def test_chinese_names_are_found_in_either_script() -> None:
    known = catalogue(entries("云端备份服务", 0, 4))
    assert len(known.subject("我買了雲端備份服務，怎麼取消？", AGENT)) == 4


def test_an_entry_that_went_is_named_no_more() -> None:
    known = catalogue(HAMILTON)
    known.update({each.item: None for each in HAMILTON[:2]})
    assert known.subject("the Hamilton Lodge", AGENT) == frozenset()


def test_items_of_the_subject_gain_a_named_part() -> None:
    other = Candidate(PassageRef(Kind.ARTICLE, "99", 1, 0), 0.7)
    meant = Candidate(PassageRef(Kind.ARTICLE, "0", 1, 0), 0.5)
    found = about(items(HAMILTON), [other, meant])
    assert [each.ref.item_id for each in found] == ["0", "99"]
    assert found[0].bonus == (("subject", NAMED),)
    assert about(frozenset(), [other, meant]) == [other, meant]


def test_what_a_longer_message_asks_is_its_last_question() -> None:
    assert question("I booked a room. Is breakfast included? Thanks!") == "Is breakfast included?"
    assert question("我订了房间。早餐包括吗？谢谢！") == "早餐包括吗？"
    assert question("I booked. It was nice. Tell me about parking.") == "Tell me about parking."
    assert question("Is breakfast included?") == ""
