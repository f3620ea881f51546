"""What the queue's lines are worked out from: searches that failed, articles that age, pairs, posts."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kb import clock
from kb.article import Article
from kb.audience import Audience
from kb.interaction import Channel, Event, EventKind, Interaction, LinkType
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM
from kb.queue import BACK_AFTER, LineKind, community_demand, duplicate_demand, expiring_demand, stale_demand
from kb.solve import erasing, failing, improve, queue
from kb.solve.queue import Asked, Page
from kb.store import interactions, people
from tests.api.conftest import House, opened

TEXT = "Hold the reset button for ten seconds, wait for the light to turn green, and call us if it stays red."
Keep = Callable[[], None]


@pytest.fixture
def centre(sqlite_template: Path) -> Iterator[House]:
    with opened(sqlite_template) as each:
        yield each


@pytest.fixture
def keep(centre: House, monkeypatch: pytest.MonkeyPatch) -> Keep:
    """Index what has been written, and keep the queue as of ten minutes later each time."""
    now = clock.now
    passed = [timedelta()]

    def later() -> None:
        centre.settle()
        passed[0] += timedelta(minutes=10)
        monkeypatch.setattr(clock, "now", lambda: now() + passed[0])
        centre.service.queue_keeper.settle()

    return later


def shown(house: House, who: str = "contributor", **asked: object) -> Page:
    with house.service.db.read() as tx:
        person = people.get(tx, house.ids[who])
    return queue.listing(house.service.db, person, house.service.terms, Asked(**asked), "", 50)  # type: ignore[arg-type]


def lines(house: House, who: str = "contributor", **asked: object) -> list[tuple[str, str, int]]:
    return [(each.kind.value, each.title, each.demand) for each in shown(house, who, **asked).entries]


def search(house: House, query: str, *who: str, **more: object) -> None:
    """Searches that found nothing, unless told what they found."""
    shown = more.get("shown", [])
    with house.service.db.write() as tx:
        events = [
            Event(
                EventKind.SEARCHED, clock.now(), house.ids.get(each, each), search_id=f"{query}/{each}"[:40],
                data={"query": query, "tier": more.get("tier", "internal"), "shown": shown, "degraded": []},
            )
            for each in who
        ]  # fmt: skip
        interactions.append(tx, events)


def use(
    house: House, item: ItemRef, times: int, kind: EventKind = EventKind.LINKED, at: datetime | None = None
) -> None:
    at = at or clock.now()
    with house.service.db.write() as tx:
        for n in range(times):
            contact = Interaction(f"{item.id[:20]}-{kind}-{n}", Channel.PHONE, at, "agent")
            interactions.insert(tx, contact)
            data: dict[str, object] = {"type": LinkType.RESOLUTION.value}
            interactions.append(
                tx, [Event(kind, at, "agent", contact.id, item_kind=item.kind, item_id=item.id, revision=1, data=data)]
            )


def ref(article: Article) -> ItemRef:
    return ItemRef(Kind.ARTICLE, article.id)


def test_one_scale_measures_all_kinds() -> None:
    at = datetime(2027, 3, 14, tzinfo=clock.now().tzinfo)
    assert stale_demand(0, at, at) == 1
    assert stale_demand(9, at - timedelta(days=95), at) == 20
    assert stale_demand(9, at - timedelta(days=999), at) == 40, "as much as what somebody flags"
    assert (expiring_demand(9, at + timedelta(1), at), expiring_demand(9, at, at)) == (10, 40)
    assert duplicate_demand(3, 4) == 8
    assert (community_demand(0, 0), community_demand(1_000, 0), community_demand(-5, 2)) == (1, 10, 9)


def test_what_two_people_search_for_in_vain_is_a_line_and_what_one_types_is_nobodys_business(
    centre: House, keep: Keep
) -> None:
    search(centre, "cancel fibre", "candidate", "candidate", "publisher")
    search(centre, "the fibre cancelling", "admin")
    search(centre, "my secret", "candidate", "candidate")
    keep()
    assert lines(centre) == [("search", "cancel fibre", 12)]
    [entry] = shown(centre).entries
    assert entry.line is not None
    assert entry.line.searched is not None
    assert (entry.line.searched.count, entry.line.searched.people) == (4, 3)


def test_either_script_is_the_same_search(centre: House, keep: Keep) -> None:
    search(centre, "取消宽带", "candidate", "admin")
    search(centre, "取消寬帶", "publisher")
    keep()
    assert lines(centre) == [("search", "取消宽带", 12)]
    assert lines(centre, text="寬帶") == lines(centre)


def test_searches_of_agents_are_not_for_a_partners_author(centre: House, keep: Keep) -> None:
    search(centre, "merger", "candidate", "publisher")
    search(centre, "tariff", "partner", "partner_author", tier="partner")
    search(centre, "tariff", "candidate")
    search(centre, "roaming", "partner", tier="partner")
    search(centre, "roaming", "candidate")
    keep()
    assert lines(centre, "partner_author") == [("search", "tariff", 8)]
    assert sorted(lines(centre)) == [("search", "merger", 8), ("search", "roaming", 8), ("search", "tariff", 12)]


def test_who_has_no_name_is_somebody_by_the_contact_only(centre: House, keep: Keep) -> None:
    search(centre, "lost", "anonymous", "anonymous", tier="public")
    for n in range(2):
        with centre.service.db.write() as tx:
            interactions.insert(tx, Interaction(f"visit-{n}", Channel.SELF_HELP, clock.now(), "anonymous"))
            data: dict[str, object] = {"query": "delivery", "tier": "public", "shown": []}
            event = Event(EventKind.SEARCHED, clock.now(), "anonymous", f"visit-{n}", search_id=f"v{n}", data=data)
            interactions.append(tx, [event])
    keep()
    assert lines(centre) == [("search", "delivery", 8)]


def test_numbers_addresses_and_pasted_texts_are_never_shown(centre: House, keep: Keep) -> None:
    for query in ("0171 555 12 34", "ada@example.org bill", "long " * 60):
        search(centre, query, "candidate", "publisher")
    keep()
    assert lines(centre) == []


def test_what_was_opened_has_helped_and_what_was_left_counts_less(centre: House, keep: Keep) -> None:
    article = centre.write("Red light", TEXT)
    found = [["article", article.id, 1, 0]]
    people = [f"agent-{n}" for n in range(BACK_AFTER)]
    search(centre, "green light", *people, shown=found)
    search(centre, "red light", *people, shown=found)
    with centre.service.db.write() as tx:
        seen = [
            Event(EventKind.VIEWED, clock.now(), each, search_id=f"red light/{each}", item_kind=Kind.ARTICLE,
                  item_id=article.id, revision=1)
            for each in people[:3]
        ]  # fmt: skip
        interactions.append(tx, seen)
    keep()
    assert lines(centre) == [("search", "green light", 5)]


def test_what_only_members_of_a_group_find_nobody_finds(centre: House, keep: Keep) -> None:
    vault = centre.write("Merger", TEXT, audience=Audience.INTERNAL, groups=frozenset({"fraud-team"}))
    search(centre, "merger", "publisher", "admin", shown=[["article", vault.id, 1, 0]])
    keep()
    assert lines(centre) == [("search", "merger", 8)]


def test_what_somebody_went_on_typing_was_no_search(centre: House, keep: Keep) -> None:
    for who in ("candidate", "publisher"):
        for query in ("can", "cancel", "cancel fibre"):
            search(centre, query, who)
    keep()
    assert lines(centre) == [("search", "cancel fibre", 8)]


def test_a_dismissed_search_comes_back_when_enough_people_ask_again(centre: House, keep: Keep) -> None:
    search(centre, "weather", "candidate", "publisher")
    keep()
    key = shown(centre).entries[0].key
    done = centre.post("queue/dismiss", {"keys": [key], "reason": "not ours"}, "contributor").json()["results"]
    assert done == [{"key": key, "code": "", "message": ""}]
    search(centre, "weather", *(f"agent-{n}" for n in range(BACK_AFTER - 1)))
    keep()
    assert lines(centre) == []
    search(centre, "weather", "one more")
    keep()
    assert [title for _, title, _ in lines(centre)] == ["weather"]


def test_after_a_month_a_search_is_forgotten(centre: House, keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    search(centre, "weather", "candidate", "publisher")
    keep()
    assert len(lines(centre)) == 1
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=31))
    centre.service.queue_keeper.count()
    assert lines(centre) == []


def test_an_erased_persons_searches_are_gone_at_once(centre: House, keep: Keep) -> None:
    search(centre, "weather", "candidate", "reader")
    search(centre, "roaming", "candidate", "admin")
    keep()
    assert len(lines(centre)) == 2
    erasing.erase(centre.service.db, erasing.find(centre.service.db, centre.ids["reader"]))
    assert lines(centre) == []
    keep()
    assert lines(centre) == [("search", "roaming", 8)]


def test_articles_age_until_somebody_confirms_them(centre: House, keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = centre.write("Red light", TEXT, owner_id=centre.ids["contributor"])
    hidden = centre.write("Secret", "Other words entirely.", audience=Audience.INTERNAL)
    ending = centre.write("Prices in spring", "They end.", valid_until=clock.now() + timedelta(days=190))
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=181))
    use(centre, ref(stale), 3)
    centre.service.queue_keeper.settle()
    assert lines(centre, kinds=(LineKind.STALE,))[0] == ("stale", "Red light", 4)
    assert lines(centre, kinds=(LineKind.EXPIRING,)) == [("expiring", "Prices in spring", 1)]
    assert shown(centre).counts[LineKind.STALE] == 3
    assert shown(centre, "partner_author").counts[LineKind.STALE] == 2, "hidden ones are not counted"
    assert [title for _, title, _ in lines(centre, owner_id=centre.ids["contributor"])] == ["Red light"]
    assert len(lines(centre, overdue=True)) == 3, "what ends later is not overdue"
    improve.confirm(centre.service.db, SYSTEM, stale.id)
    improve.archive(centre.service.db, SYSTEM, hidden.id)
    improve.archive(centre.service.db, SYSTEM, ending.id)
    assert lines(centre) == [], "at once, whenever it is counted next"


def test_two_articles_that_say_nearly_the_same_are_a_pair_until_one_is_archived(centre: House, keep: Keep) -> None:
    first = centre.write("Red light", TEXT)
    second = centre.write("The light is red", TEXT + " Done.")
    centre.write("Paying a bill", "Use the app, or pay at the post office on Monday.")
    keep()
    [entry] = shown(centre, kinds=(LineKind.DUPLICATE,)).entries
    assert entry.article is not None
    assert entry.other is not None
    assert entry.line is not None
    assert (entry.article.number, entry.other.label) == (first.number, second.number)
    assert entry.line.likeness is not None
    assert entry.line.likeness > 0.9
    improve.archive(centre.service.db, SYSTEM, second.id)
    assert lines(centre) == []
    keep()
    assert shown(centre).counts[LineKind.DUPLICATE] == 0


def test_a_pair_is_there_for_those_who_may_read_both(centre: House, keep: Keep) -> None:
    centre.write("Red light", TEXT)
    centre.write("Red light", TEXT, audience=Audience.INTERNAL)
    centre.write("Red light", TEXT, audience=Audience.INTERNAL, groups=frozenset({"fraud-team"}))
    keep()
    seen = {
        who: shown(centre, who).counts[LineKind.DUPLICATE] for who in ("partner_author", "contributor", "publisher")
    }
    assert seen == {"partner_author": 0, "contributor": 1, "publisher": 3}


def test_a_dismissed_pair_comes_back_when_one_of_them_is_revised(centre: House, keep: Keep) -> None:
    first = centre.write("Red light", TEXT)
    centre.write("Red light", TEXT)
    keep()
    key = shown(centre).entries[0].key
    centre.post("queue/dismiss", {"keys": [key]}, "contributor")
    keep()
    assert lines(centre) == []
    improve.revise(centre.service.db, SYSTEM, first.id, title="Red light", body=TEXT + " Thanks.", publish=True)
    keep()
    assert [each.key for each in shown(centre).entries] == [key]


def test_texts_in_two_languages_are_no_pair(centre: House, keep: Keep) -> None:
    centre.write("Red light", TEXT)
    centre.write("Red light", TEXT, language=Language.SIMPLIFIED)
    keep()
    assert lines(centre) == []


def test_a_post_that_is_accepted_or_used_waits_until_an_article_says_it(centre: House, keep: Keep) -> None:
    centre.write_post("How do I split the bill", TEXT, accepted=True, votes=7)
    centre.write_post("Quiet fan", "Turn it around.", id="p2", source_key="t/2")
    centre.write_post("Nobody cares", "No.", id="p3", source_key="t/3", votes=99)
    use(centre, ItemRef(Kind.POST, "p2"), 2)
    keep()
    assert lines(centre) == [("community", "Quiet fan", 9), ("community", "How do I split the bill", 4)]
    assert lines(centre, "partner_author") == [], "what nobody here has checked is for agents"
    centre.write("How do I split a bill", "In the app.")
    keep()
    keep_tomorrow(centre)
    assert lines(centre) == [("community", "Quiet fan", 9)]


def keep_tomorrow(house: House) -> None:
    now = clock.now
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: now() + timedelta(days=2))
        house.service.queue_keeper.settle()


def test_two_processes_follow_the_trail_once(centre: House, keep: Keep) -> None:
    search(centre, "weather", "candidate", "publisher")
    keep()
    assert not failing.follow(centre.service.db, clock.now())
    keep()
    [entry] = shown(centre).entries
    assert entry.line is not None
    assert entry.line.searched is not None
    assert entry.line.searched.count == 2
