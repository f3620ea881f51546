import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from kb.audience import ANYONE, Access, Audience, Reader
from kb.errors import Invalid
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.query import Filters
from kb.search.catalogue import Catalogue, Entry, Suggestion
from kb.text.analyzer import analyze

PUBLIC = Access(Audience.PUBLIC)
INTERNAL = Access(Audience.INTERNAL)
FRAUD = Access(Audience.INTERNAL, frozenset({"fraud"}))
AGENT = Reader(Audience.INTERNAL)
ALL = Filters()


def ref(name: str, kind: Kind = Kind.ARTICLE) -> ItemRef:
    return ItemRef(kind, name)


def entry(
    title: str,
    statement: str = "",
    *,
    name: str = "",
    language: Language = Language.ENGLISH,
    access: Access = PUBLIC,
    statement_access: Access | None = None,
    kind: Kind = Kind.ARTICLE,
    **fields: object,
) -> Entry:
    item = ref(name or title, kind)
    return Entry(item, title, statement, language, access, statement_access or access, **fields)  # type: ignore[arg-type]


def catalogue(*titles: str | Entry) -> Catalogue:
    return Catalogue(entry(title) if isinstance(title, str) else title for title in titles)


def suggested(
    found: Catalogue, text: str, reader: Reader = ANYONE, filters: Filters = ALL, limit: int = 10
) -> list[str]:
    return [suggestion.title for suggestion in found.suggest(text, reader, filters, limit)]


def scores(found: Catalogue, text: str, reader: Reader = ANYONE, filters: Filters = ALL) -> dict[str, float]:
    return {item.id: score for item, score in found.fallback(text, reader, filters, 100)}


# --- Suggesting -------------------------------------------------------------------------------------------------


def test_the_last_word_is_a_prefix_and_the_words_before_it_are_whole() -> None:
    titles = catalogue("Reset the router", "Resetting a router", "Reset the modem")
    assert suggested(titles, "reset rou") == ["Reset the router"]
    assert suggested(titles, "rese") == ["Reset the modem", "Reset the router", "Resetting a router"]
    assert suggested(titles, "resett rou") == ["Reset the router"]  # "resett" is no word: read as a typo


def test_titles_that_start_with_the_text_come_first_then_words_in_a_row_in_order_and_in_any_order() -> None:
    titles = catalogue(
        "Order a SIM card and a spare",  # any order comes last, however short
        "Card for SIM",
        "SIM in the card slot, for the whole family",
        "Lost your SIM card on holiday: what now",
        "SIM card costs, and how they are billed",
    )
    assert suggested(titles, "sim ca") == [
        "SIM card costs, and how they are billed",
        "Order a SIM card and a spare",
        "Lost your SIM card on holiday: what now",
        "SIM in the card slot, for the whole family",
        "Card for SIM",
    ]


def test_shorter_titles_come_first_and_equal_ones_always_in_the_same_order() -> None:
    same = [entry("Roaming", name=name) for name in "cab"]
    titles = Catalogue([*same, entry("Roaming in the EU"), entry("Roaming costs")])
    found = titles.suggest("roam", ANYONE, ALL, 10)
    assert [suggestion.item.id for suggestion in found] == ["a", "b", "c", "Roaming costs", "Roaming in the EU"]
    assert found[0] == Suggestion(ref("a"), "Roaming")


def test_words_of_the_issue_statement_are_found_after_those_of_titles() -> None:
    titles = catalogue(entry("No light", "The hub stays dark after a restart"), "Restart your hub without losing data")
    assert suggested(titles, "hub rest") == ["Restart your hub without losing data", "No light"]
    assert suggested(titles, "light dark") == ["No light"]


def test_the_language_of_the_text_comes_first() -> None:
    titles = catalogue(
        entry("WiFi 慢", language=Language.SIMPLIFIED),
        entry("WiFi 很慢", language=Language.TRADITIONAL),
        "WiFi is slow upstairs",
    )
    assert suggested(titles, "wifi")[0] == "WiFi is slow upstairs"
    assert suggested(titles, "慢") == ["WiFi 慢", "WiFi 很慢"]


def test_a_text_in_traditional_characters_prefers_traditional_titles() -> None:
    titles = catalogue(
        entry("网络", language=Language.SIMPLIFIED), entry("網路網絡很慢", language=Language.TRADITIONAL)
    )
    assert suggested(titles, "網絡") == ["網路網絡很慢", "网络"]


def test_both_scripts_find_each_other() -> None:
    titles = catalogue(
        entry("重置路由器", language=Language.SIMPLIFIED), entry("路由器紅燈閃爍", language=Language.TRADITIONAL)
    )
    assert set(suggested(titles, "路由器")) == {"重置路由器", "路由器紅燈閃爍"}
    assert suggested(titles, "红灯") == ["路由器紅燈閃爍"]
    assert suggested(titles, "重置路由") == ["重置路由器"]


def test_the_words_of_taiwan_and_of_the_mainland_find_each_other() -> None:
    titles = catalogue(
        entry("无线鼠标没有反应", language=Language.SIMPLIFIED),
        entry("無線滑鼠沒有反應", language=Language.TRADITIONAL),
    )
    assert len(suggested(titles, "滑鼠")) == 2
    assert len(suggested(titles, "鼠标")) == 2


def test_a_han_run_is_found_anywhere_in_a_title() -> None:
    assert suggested(catalogue("如何重置路由器密码"), "由器密") == ["如何重置路由器密码"]


def test_han_words_in_another_order_are_found_when_nothing_else_matches() -> None:
    titles = catalogue("路由器无法重启")
    assert suggested(titles, "重启路由器") == ["路由器无法重启"]
    titles.update({ref("x"): entry("重启路由器", name="x")})
    assert suggested(titles, "重启路由器") == ["重启路由器"]


def test_han_and_latin_meet_without_a_space_between() -> None:
    titles = catalogue("重启 Hub 6 的方法")
    assert suggested(titles, "重启hub6") == ["重启 Hub 6 的方法"]
    assert suggested(titles, "hub6的方法") == ["重启 Hub 6 的方法"]


@pytest.mark.parametrize("text", ["E-1234", "e1234", "e 1234", "E-12", "1234", "Ｅ－１２３４", "e‑1234"])
def test_an_identifier_is_found_with_and_without_its_hyphen(text: str) -> None:
    assert suggested(catalogue("Error E-1234 on the set-top box"), text) == ["Error E-1234 on the set-top box"]
    assert suggested(catalogue("Error E1234 on the set-top box"), text) == ["Error E1234 on the set-top box"]


@pytest.mark.parametrize("text", ["tv 104", "tv-104", "tv104", "TV 10"])
def test_a_model_is_found_however_it_is_spaced(text: str) -> None:
    assert suggested(catalogue("TV-104 shows no picture"), text) == ["TV-104 shows no picture"]


@pytest.mark.parametrize(("title", "text"), [("Wi-Fi is slow", "wifi"), ("WiFi is slow", "wi-fi"), ("Don't", "dont")])
def test_a_hyphen_or_apostrophe_is_a_matter_of_spelling(title: str, text: str) -> None:
    assert suggested(catalogue(title), text) == [title]


def test_accents_do_not_matter() -> None:
    assert suggested(catalogue("Café hotspots"), "cafe") == ["Café hotspots"]
    assert suggested(catalogue("Cafe hotspots"), "café") == ["Cafe hotspots"]


@pytest.mark.parametrize("text", ["rotuer", "ruter", "roouter", "rouder", "orute", "reset rotuer", "reste rotuer"])
def test_one_typo_in_a_long_word_is_forgiven_when_nothing_matches(text: str) -> None:
    assert suggested(catalogue("Reset a router"), text) == ["Reset a router"]


@pytest.mark.parametrize("text", ["帐户", "修改帐户", "帐户密码修改", "帳戶", "修改账户蜜码"])
def test_a_character_that_sounds_or_looks_alike_is_forgiven_when_nothing_matches(text: str) -> None:
    assert suggested(catalogue("如何修改账户密码", "帮助"), text) == ["如何修改账户密码"]


def test_a_single_character_is_not_taken_for_another() -> None:
    assert suggested(catalogue("账户"), "帐") == []


def test_a_typo_is_not_looked_for_when_something_matches() -> None:
    assert suggested(catalogue("Rooter", "Router"), "router") == ["Router"]


@pytest.mark.parametrize("text", ["rtr", "E-1235", "ruoetr"])
def test_short_words_digits_and_two_typos_are_not_corrected(text: str) -> None:
    assert suggested(catalogue("Router", "E-1234 rer"), text) == []


@pytest.mark.parametrize("text", ["", "   ", "?!", "-", "'", "router " * 40])
def test_a_text_without_words_or_far_too_long_suggests_nothing(text: str) -> None:
    assert suggested(catalogue("Router"), text) == []


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_of_none_gives_none(limit: int) -> None:
    assert suggested(catalogue("Router"), "router", limit=limit) == []
    assert catalogue("Router").fallback("router", ANYONE, ALL, limit) == []


def test_an_empty_catalogue_answers() -> None:
    assert suggested(Catalogue(), "router") == []
    assert scores(Catalogue(), "router") == {}
    assert len(Catalogue()) == 0


# --- Filters ----------------------------------------------------------------------------------------------------

_FILTERED = (
    entry("Hub one", topic="broadband/faults", products=("hub-6", "tv"), tags=("a",), confidence="validated"),
    entry("Hub two", topic="broadband", products=("hub-5",), tags=("b",), source="forum", kind=Kind.POST),
    entry("Hub 三", topic="tv", language=Language.SIMPLIFIED),
)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), {"Hub one", "Hub two", "Hub 三"}),
        (Filters(kinds=(Kind.POST,)), {"Hub two"}),
        (Filters(languages=(Language.SIMPLIFIED, Language.TRADITIONAL)), {"Hub 三"}),
        (Filters(products=("hub-6", "hub-5")), {"Hub one", "Hub two"}),
        (Filters(topics=("broadband",)), {"Hub one", "Hub two"}),
        (Filters(topics=("broadband/faults",)), {"Hub one"}),
        (Filters(topics=("broad",)), set()),
        (Filters(tags=("a",), products=("hub-5",)), set()),
        (Filters(confidence=("validated",)), {"Hub one"}),
        (Filters(sources=("forum",), tags=("b", "c")), {"Hub two"}),
    ],
)
def test_any_value_within_a_field_will_do_and_every_field_must(filters: Filters, expected: set[str]) -> None:
    titles = Catalogue(_FILTERED)
    assert set(suggested(titles, "hub", filters=filters)) == expected
    assert set(scores(titles, "hub", filters=filters)) == expected


def test_filters_do_not_change_the_scores_of_what_they_leave() -> None:
    titles = Catalogue(_FILTERED)
    alone = scores(titles, "hub one", filters=Filters(kinds=(Kind.ARTICLE,)))
    assert alone["Hub one"] == scores(titles, "hub one")["Hub one"]


# --- Who may read what ------------------------------------------------------------------------------------------


def test_suggestions_are_trimmed_before_the_limit() -> None:
    hidden = [entry(f"Hub {n}", access=INTERNAL) for n in range(50)]
    titles = Catalogue([*hidden, entry("A hub for everybody, with a long title")])
    assert suggested(titles, "hub", limit=1) == ["A hub for everybody, with a long title"]
    assert suggested(titles, "hub", AGENT, limit=2) == ["Hub 0", "Hub 1"]


def test_a_restricted_title_is_for_members_of_its_groups_only() -> None:
    titles = catalogue(entry("Fraud check", access=FRAUD))
    assert suggested(titles, "fraud", AGENT) == []
    assert suggested(titles, "fraud", Reader(Audience.INTERNAL, frozenset({"fraud", "x"}))) == ["Fraud check"]
    assert suggested(titles, "fraud", Reader(Audience.CUSTOMER, frozenset({"fraud"}))) == []


def test_a_narrowed_issue_statement_finds_the_item_only_for_those_who_may_read_it() -> None:
    titles = catalogue(entry("Slow line", "Congestion at the exchange", statement_access=INTERNAL))
    for text in ("exchange", "slow exchange", "exchnage"):
        assert suggested(titles, text) == []
        assert suggested(titles, text, AGENT) == ["Slow line"]
    assert suggested(titles, "slow") == ["Slow line"]
    assert scores(titles, "exchange") == {}
    assert set(scores(titles, "exchange", AGENT)) == {"Slow line"}


def test_a_hidden_match_does_not_keep_a_typo_from_being_forgiven() -> None:
    titles = catalogue(entry("Rooter", access=INTERNAL), "Router")
    assert suggested(titles, "rooter") == ["Router"]
    assert suggested(titles, "rooter", AGENT) == ["Rooter"]


# --- Changes ----------------------------------------------------------------------------------------------------


def test_an_update_adds_changes_and_removes() -> None:
    titles = catalogue("Hub", "Router")
    titles.update({ref("Hub"): entry("Hub 6", name="Hub"), ref("Router"): None, ref("TV"): entry("TV")})
    assert len(titles) == 2
    assert suggested(titles, "hub") == ["Hub 6"]
    assert suggested(titles, "router") == []
    assert set(scores(titles, "tv hub router")) == {"TV", "Hub"}


def test_removing_what_is_not_there_changes_nothing() -> None:
    titles = catalogue("Hub")
    titles.update({ref("nobody"): None})
    assert suggested(titles, "hub") == ["Hub"]


def test_a_narrowed_item_disappears_for_others_at_once() -> None:
    titles = catalogue("Hub")
    titles.update({ref("Hub"): entry("Hub", access=INTERNAL)})
    assert suggested(titles, "hub") == []
    assert scores(titles, "hub") == {}
    assert suggested(titles, "hub", AGENT) == ["Hub"]


def test_an_entry_under_another_name_is_refused() -> None:
    titles = catalogue("Hub")
    with pytest.raises(Invalid, match="another item"):
        titles.update({ref("Hub"): entry("TV")})
    assert suggested(titles, "hub") == ["Hub"]


def test_replacing_forgets_what_was_there_and_keeps_the_later_of_two() -> None:
    titles = catalogue("Hub")
    titles.replace([entry("TV"), entry("Router", name="r"), entry("Router two", name="r")])
    assert len(titles) == 2
    assert suggested(titles, "hub") == []
    assert suggested(titles, "router") == ["Router two"]


def test_readers_and_writers_may_work_at_the_same_time() -> None:
    titles = Catalogue(entry(f"Hub {n}") for n in range(200))
    failed: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                assert len(suggested(titles, "hub", limit=5)) == 5
                assert len(titles.fallback("hub", ANYONE, ALL, 5)) == 5
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(150):
        titles.update({ref(f"Hub {n}"): None, ref(f"Hub {n + 200}"): entry(f"Hub {n + 200}")})
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(titles) == 200


# --- Answering when the index is away ---------------------------------------------------------------------------


class _LuceneIdf(BM25Okapi):  # type: ignore[misc]
    """The oracle: rank_bm25 itself, counting its own corpus, with Lucene's IDF."""

    def _calc_idf(self, nd: dict[str, int]) -> None:
        self.idf = {term: float(np.log((self.corpus_size - df + 0.5) / (df + 0.5) + 1)) for term, df in nd.items()}


def oracle(entries: Sequence[Entry], text: str, reader: Reader) -> dict[str, float]:
    readable = [each for each in entries if reader.may_read(each.access)]
    if not readable:
        return {}
    corpus = [
        analyze(f"{each.title}\n{each.statement}" if reader.may_read(each.statement_access) else each.title)
        for each in readable
    ]
    if not any(corpus):
        return {}
    found = _LuceneIdf(corpus).get_scores(analyze(text))
    return {each.item.id: score for each, score in zip(readable, found, strict=True) if score > 0}


def test_a_term_in_every_title_still_scores() -> None:
    assert len(scores(catalogue("Hub one", "Hub two"), "hub")) == 2


def test_the_better_match_comes_first_and_ties_in_a_fixed_order() -> None:
    titles = catalogue("Hub light", "Red light", "Hub red light", entry("Red", "light", name="b"))
    found = [item.id for item, _ in titles.fallback("red hub", ANYONE, ALL, 10)]
    assert found[0] == "Hub red light"
    assert [item.id for item, _ in titles.fallback("red hub", ANYONE, ALL, 2)] == found[:2]


def test_an_answer_says_the_same_after_preparing() -> None:
    titles = catalogue(entry("Hub", "red light", statement_access=INTERNAL), "Red hub")
    before = scores(titles, "red hub"), scores(titles, "red hub", AGENT)
    titles.prepare_fallback()
    assert before == (scores(titles, "red hub"), scores(titles, "red hub", AGENT))


# --- For all catalogues, readers and texts ----------------------------------------------------------------------

_WORDS = ["hub", "hubs", "router", "reset", "red", "light", "E-12", "wi-fi", "路由器", "重置", "紅燈", "滑鼠", "的"]
_phrases = st.lists(st.sampled_from(_WORDS), max_size=4).map(" ".join)
_access = st.builds(Access, st.sampled_from(Audience), st.sampled_from([frozenset(), frozenset("a"), frozenset("ab")]))
_readers = st.builds(Reader, st.sampled_from(Audience), st.sampled_from([frozenset(), frozenset("a"), frozenset("b")]))
_entries = st.builds(
    Entry,
    st.builds(ItemRef, st.sampled_from(Kind), st.sampled_from([str(n) for n in range(12)])),
    _phrases,
    _phrases,
    st.sampled_from(Language),
    _access,
    _access,
    topic=st.sampled_from(["", "a", "a/b"]),
)
_collections = st.lists(_entries, max_size=12, unique_by=lambda each: each.item)
_texts = st.one_of(_phrases, _phrases.flatmap(lambda text: st.integers(0, len(text)).map(lambda n: text[:n])))
_filters = st.sampled_from([ALL, Filters(kinds=(Kind.ARTICLE,)), Filters(topics=("a",))])


def _visible(entries: Sequence[Entry], reader: Reader) -> list[Entry]:
    """What a reader may know of: without hidden entries and hidden statements."""
    return [
        each if reader.may_read(each.statement_access) else replace(each, statement="")
        for each in entries
        if reader.may_read(each.access)
    ]


@given(_collections, _readers, _texts, _filters, st.integers(1, 5))
@settings(max_examples=120, deadline=None)
def test_what_a_reader_may_not_read_is_never_suggested_and_changes_nothing(
    entries: list[Entry], reader: Reader, text: str, filters: Filters, limit: int
) -> None:
    everything, visible = Catalogue(entries), Catalogue(_visible(entries, reader))
    found = everything.suggest(text, reader, filters, limit)
    assert found == visible.suggest(text, reader, filters, limit)
    access = {each.item: each.access for each in entries}
    assert all(reader.may_read(access[suggestion.item]) for suggestion in found)
    assert everything.fallback(text, reader, filters, limit) == visible.fallback(text, reader, filters, limit)


@given(_collections, _readers, _phrases)
@settings(max_examples=80, deadline=None)
def test_scores_are_those_of_rank_bm25_over_what_the_reader_may_read(
    entries: list[Entry], reader: Reader, text: str
) -> None:
    entries = list({each.item.id: each for each in entries}.values())
    assert scores(Catalogue(entries), text, reader) == pytest.approx(oracle(entries, text, reader))


@given(
    _collections,
    st.lists(st.lists(st.tuples(_entries, st.booleans()), max_size=4), max_size=8),
    _readers,
    _texts,
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_updates_lead_to_the_same_catalogue_as_replacing(
    entries: list[Entry], updates: list[list[tuple[Entry, bool]]], reader: Reader, text: str, prepared: bool
) -> None:
    changing, expected = Catalogue(entries), {each.item: each for each in entries}
    for update in updates:
        if prepared:
            changing.prepare_fallback()
        changed = {each.item: each if kept else None for each, kept in update}
        changing.update(changed)
        expected = {item: each for item, each in (expected | changed).items() if each is not None}
    fresh = Catalogue(expected.values())
    assert len(changing) == len(fresh) == len(expected)
    assert changing.suggest(text, reader, ALL, 3) == fresh.suggest(text, reader, ALL, 3)
    assert changing.fallback(text, reader, ALL, 3) == fresh.fallback(text, reader, ALL, 3)


@given(_collections, st.lists(st.sampled_from(["hub", "hubs", "router", "red", "re"]), min_size=1, max_size=3))
@settings(max_examples=80, deadline=None)
def test_the_suggested_titles_are_exactly_those_with_all_words(entries: list[Entry], words: list[str]) -> None:
    def matches(each: Entry) -> bool:
        has = f"{each.title} {each.statement}".lower().replace("-", " ").split()
        return all(word in has for word in words[:-1]) and any(word.startswith(words[-1]) for word in has)

    everyone = Access(Audience.PUBLIC)
    entries = [replace(each, access=everyone, statement_access=everyone) for each in entries]
    expected = {each.item for each in entries if matches(each)}
    found = {suggestion.item for suggestion in Catalogue(entries).suggest(" ".join(words), ANYONE, ALL, 100)}
    assert found == expected or not expected  # with nothing expected, a typo is forgiven


def test_typing_is_answered_quickly_among_many_titles() -> None:
    rng = np.random.default_rng(1)
    words = [f"{a}{b}{c}" for a in "abcdefghij" for b in ("ro", "ti", "lan", "mu") for c in ("", "ter", "ne", "s")]
    picks = rng.integers(0, len(words), (20_000, 7))
    titles = Catalogue(
        entry(" ".join(words[n] for n in row), name=str(number)) for number, row in enumerate(picks.tolist())
    )
    took = []
    for text in ("a", "b", "arot", "arote ati", "cti dlan e", "xxxx", "aroetr"):
        start = time.thread_time()
        suggested(titles, text)
        took.append(time.thread_time() - start)
    assert max(took) < 0.1  # milliseconds in truth; a scan over all titles would take longer than this
