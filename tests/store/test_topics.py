from kb.product import Product
from kb.store import topics
from kb.store.database import Database
from kb.topic import Topic


def test_the_tree_is_told_parents_first_and_by_position(db: Database) -> None:
    tree = [Topic("tv", {"en": "TV", "zh-Hant": "電視"}, 1), Topic("mobile", {}, 2), Topic("tv/faults")]
    with db.write() as tx:
        for each in reversed(tree):
            topics.save_topic(tx, each)
    with db.read() as tx:
        assert topics.all_topics(tx) == tree


def test_saving_a_topic_again_overwrites_it(db: Database) -> None:
    with db.write() as tx:
        topics.save_topic(tx, Topic("tv"))
        topics.save_topic(tx, Topic("tv", {"en": "Television"}, 3))
        assert topics.all_topics(tx) == [Topic("tv", {"en": "Television"}, 3)]


def test_missing_topics_are_added_with_all_above_and_known_ones_stay(db: Database) -> None:
    named = Topic("tv", {"en": "Television"})
    with db.write() as tx:
        topics.save_topic(tx, named)
        topics.ensure_topics(tx, ["tv/faults/sound", "", "mobile"])
        topics.ensure_topics(tx, ["tv/faults"])
        topics.ensure_topics(tx, [])
        found = {each.path: each for each in topics.all_topics(tx)}
    assert found.keys() == {"tv", "tv/faults", "tv/faults/sound", "mobile"}
    assert found["tv"] == named


def test_products_come_back_by_key_and_are_overwritten(db: Database) -> None:
    hub = Product("hub-6", "Hub 6", ("HG-6012", "六號"), "The white one")
    with db.write() as tx:
        topics.save_product(tx, Product("tv-box", "TV box"))
        topics.save_product(tx, Product("hub-6", "Old"))
        topics.save_product(tx, hub)
    with db.read() as tx:
        assert topics.all_products(tx) == [hub, Product("tv-box", "TV box")]
