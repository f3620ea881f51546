"""The indexer: its thread ended by what nobody expected, an item that always fails."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kb.cli.checks import check_backlog
from kb.settings import Settings
from kb.solve.generations import Generations
from kb.solve.indexing import Indexer
from tests.faults.conftest import converged, found, publish, running, until

pytestmark = pytest.mark.slow


class Panic(BaseException):
    """What an extension written in Rust raises: no `Exception`."""


@pytest.mark.parametrize("kind", [MemoryError, Panic])
@pytest.mark.parametrize(("who", "where"), [(Generations, "follow"), (Indexer, "_index"), (Indexer, "_encode")])
def test_whatever_ends_a_turn_the_next_one_comes(
    settings: Callable[..., Settings], folder: Path, monkeypatch: pytest.MonkeyPatch, kind: type, who: type, where: str
) -> None:
    working, left = getattr(who, where), [2]

    def dying(self: object, *args: object) -> object:
        if left[0]:
            left[0] -= 1
            raise kind("no more")
        return working(self, *args)

    with running(settings()) as house:
        converged(house, folder)
        monkeypatch.setattr(who, where, dying)
        assert publish(house).status_code == 201
        until(lambda: not left[0])
        converged(house, folder)
        assert found(house, "restart") == (["Red light"], [])


def test_an_item_that_always_fails_holds_up_nobody_and_is_seen(
    settings: Callable[..., Settings], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(settings()) as house:
        converged(house, folder)
        filling = Indexer._fill

        def picky(self, index, generation, current):  # type: ignore[no-untyped-def]
            if any("Poison" in each.title for found in current.values() for each in found):
                raise ValueError("this cannot be indexed")
            return filling(self, index, generation, current)

        with monkeypatch.context() as patch:
            patch.setattr(Indexer, "_fill", picky)
            assert publish(house, "Poison", "It cannot be digested.").status_code == 201
            for number in range(5):
                assert publish(house, f"Invoice {number}", "It comes by post.").status_code == 201
            until(lambda: len([title for title in found(house, "post")[0] if "Invoice" in title]) == 5)
            assert 'kb_outbox_failed_changes{lane="people_lexical"} 1.0' in house.get("/metrics", "admin").text
            assert check_backlog(house.service.db).state == "problem"
        until(lambda: "Poison" in found(house, "digested")[0])
        converged(house, folder)
