"""A wall clock that is set: an hour or a day, back or forth."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from kb import clock
from kb.outbox import Lane
from kb.settings import Settings
from kb.solve.indexing import Indexer
from kb.store import content, outbox
from tests.faults.conftest import converged, found, publish, running, until

pytestmark = pytest.mark.slow

JUMPS = [timedelta(hours=1), timedelta(hours=-1), timedelta(days=1), timedelta(days=-1)]
_real_now = clock.now


class Clock:
    """The wall clock, with a handle to turn."""

    def __init__(self) -> None:
        self.off = timedelta(0)

    def __call__(self):  # type: ignore[no-untyped-def]
        return _real_now() + self.off


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Clock:
    turned = Clock()
    monkeypatch.setattr(clock, "now", turned)
    return turned


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_clock_that_is_set_between_a_change_and_its_indexing_delays_nothing(
    settings: Callable[..., Settings], folder: Path, wall: Clock, jump: timedelta
) -> None:
    with running(settings()) as house:
        assert publish(house).status_code == 201
        converged(house, folder)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Indexer, "_lane", lambda *args: False)  # its turn has not come yet
            assert publish(house, "Invoice", "It comes by post.").status_code == 201
            wall.off = jump
        until(lambda: found(house, "post")[0][:1] == ["Invoice"], 10)
        converged(house, folder)


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_lease_of_another_time_is_void(
    settings: Callable[..., Settings], folder: Path, wall: Clock, jump: timedelta
) -> None:
    """Somebody claimed a change and died; the clock was set before the lease ended."""
    with running(settings()) as house:
        assert publish(house).status_code == 201
        converged(house, folder)
        wall.off = -jump
        with house.service.patient_db.write() as tx:
            items, at = content.page(tx, None, 10), clock.now()
            outbox.add(tx, items, Lane.PEOPLE_LEXICAL, at)
            assert len(outbox.claim(tx, Lane.PEOPLE_LEXICAL, 10, at)) == 1
        wall.off = timedelta(0)
        converged(house, folder)


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_change_in_back_off_is_not_put_off_by_a_clock(
    settings: Callable[..., Settings], folder: Path, wall: Clock, jump: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(settings()) as house:
        assert publish(house).status_code == 201
        converged(house, folder)
        index, _ = house.service.live.get()
        replace = index.replace

        def failing(items: object) -> None:
            raise ValueError("it cannot be indexed")

        monkeypatch.setattr(index, "replace", failing)
        assert publish(house, "Invoice", "It comes by post.").status_code == 201
        until(lambda: house.service.indexer.counters.failed)
        wall.off = jump
        monkeypatch.setattr(index, "replace", replace)
        converged(house, folder)
        assert found(house, "post")[0][0] == "Invoice"


def test_an_article_whose_end_seemed_to_come_is_there_again_when_the_clock_is_right(
    settings: Callable[..., Settings], folder: Path, wall: Clock
) -> None:
    with running(settings(drift_every_s=1)) as house:
        end = clock.now() + timedelta(hours=3)
        draft = {
            "title": "Winter offer", "body": "Half price.", "language": "en", "audience": "public", "publish": True,
            "valid_until": end.isoformat(),
        }  # fmt: skip
        assert house.post("articles", draft, "publisher").status_code == 201
        until(lambda: found(house, "winter")[0] == ["Winter offer"])
        wall.off = timedelta(days=1)
        until(lambda: house.service.live.get()[0].count() == 0)
        assert found(house, "winter")[0] == []
        wall.off = timedelta(0)
        until(lambda: found(house, "winter")[0] == ["Winter offer"])
        converged(house, folder)
