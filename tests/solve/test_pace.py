"""Telling how far encoding is."""

import logging

import pytest

from kb import clock
from kb.outbox import Lane
from kb.passage import ItemRef, Kind
from kb.solve.draining import Counters
from kb.solve.pace import Pace
from kb.store import outbox
from kb.store.database import Database


def test_it_says_how_many_are_encoded_a_second_and_how_many_wait(
    sqlite_db: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    with sqlite_db.write() as tx:
        for lane in (Lane.BULK_LEXICAL, Lane.BULK_DENSE):
            outbox.add(tx, [ItemRef(Kind.POST, "p1"), ItemRef(Kind.POST, "p2")], lane, clock.now())
    counters, now = Counters(), [1000.0]
    monkeypatch.setattr("kb.solve.pace.time.monotonic", lambda: now[0])
    pace = Pace(sqlite_db, counters)
    for seconds in (0, 30, 30, 10, 3000, 20):
        now[0] += seconds
        pace.encoded(32)
    assert counters.encoded == 6 * 32
    assert caplog.messages == ["encoding 1.6 passages a second, 2 articles and posts wait"]
