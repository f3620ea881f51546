import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import pytest

from ingest.contract import Item, Outcome, Problem
from ingest.run import Keys, Report, run
from kb.errors import Unavailable
from tests.ingest.runs import Heard


class ToySource:
    """Three words."""

    name, total, done = "toy", 3, 0

    def items(self) -> Iterator[Item[str] | Problem]:
        return (Item(word, word, word, "toy.txt") for word in ("one", "two", "three"))

    def again(self, keys: Collection[str]) -> Iterator[Item[str] | Problem]:
        return iter(())


class ToyDestination:
    """A set of words that is away for the first `away` calls."""

    batch = 2

    def __init__(self, away: int = 0) -> None:
        self.words: set[str] = set()
        self.away = away

    def keep(self, items: Sequence[Item[str]]) -> Sequence[tuple[str, Outcome] | Problem]:
        if self.away:
            self.away -= 1
            raise Unavailable("the database is away")
        self.words |= {item.key for item in items}
        return [(item.key, Outcome.CREATED) for item in items]

    def unsettled(self) -> Collection[str]:
        return ()

    def is_unsettled(self, key: str) -> bool:
        return False

    def last_problems(self, is_present: Callable[[str], bool]) -> Iterable[Problem]:
        return ()

    def stored(self) -> Iterator[str]:
        return iter(sorted(self.words))

    def remove(self, keys: Sequence[str]) -> int:
        self.words -= set(keys)
        return len(keys)


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def test_a_database_that_is_away_for_a_moment_costs_a_moment(no_waiting: None) -> None:
    destination, report = ToyDestination(away=3), Report("toy")
    run(ToySource(), destination, Heard(), report)
    assert destination.words == {"one", "two", "three"}
    assert (report.seen, report.created, report.failed) == (3, 3, 0)


def test_a_database_that_stays_away_ends_the_run_with_an_honest_report(no_waiting: None) -> None:
    destination, report = ToyDestination(), Report("toy")

    class GoesAway(ToySource):
        def items(self) -> Iterator[Item[str] | Problem]:
            for number, item in enumerate(super().items()):
                if number == 2:
                    destination.away = 100
                yield item

    with pytest.raises(Unavailable):
        run(GoesAway(), destination, Heard(), report)
    assert (report.seen, report.created) == (3, 2)


def test_a_new_source_needs_nothing_but_to_keep_the_contract() -> None:
    destination, report, heard = ToyDestination(), Report("toy"), Heard()
    destination.words = {"old"}
    run(ToySource(), destination, heard, report, prune=True)
    assert destination.words == {"one", "two", "three"}
    assert report.line() == ('{"source":"toy","seen":3,"created":3,"updated":0,"unchanged":0,"removed":1,"failed":0}')


def test_an_empty_source_takes_nothing_away() -> None:
    class Empty(ToySource):
        def items(self) -> Iterator[Item[str] | Problem]:
            return iter(())

    destination, report, heard = ToyDestination(), Report("toy"), Heard()
    destination.words = {"old"}
    run(Empty(), destination, heard, report, prune=True)
    assert (destination.words, report.removed, report.gone) == ({"old"}, 0, 1)
    assert "looks more like a mistake" in heard.notes[0]


def test_keys_are_told_apart() -> None:
    keys = Keys()
    assert [keys.add(key) for key in ("a", "b", "a", "")] == [True, True, False, True]
    assert ("a" in keys, "c" in keys) == (True, False)
