"""The queue has 20,000 cases one day: what is read often is read by an index."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from kb.audience import Audience, Reader
from kb.case import TO_DO
from kb.passage import ItemRef, Kind
from kb.store import cases
from kb.store.cases import Wanted
from kb.store.database import Database, Tx


@contextmanager
def planned(tx: Tx) -> Iterator[list[str]]:
    """How SQLite will find what is asked meanwhile."""
    plans: list[str] = []

    def look(connection: Tx, cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith("SELECT"):
            raw = connection.connection.cursor()
            plans.extend(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    sa.event.listen(tx, "before_cursor_execute", look)
    yield plans
    sa.event.remove(tx, "before_cursor_execute", look)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted(), "ix_revision_case_demand"),
        (Wanted(states=TO_DO, owner_id="ada"), "ix_revision_case_to_do_owner"),
        (Wanted(item=ItemRef(Kind.ARTICLE, "a")), "ix_revision_case_item"),
    ],
)
def test_a_list_is_read_by_an_index(sqlite_db: Database, wanted: Wanted, index: str) -> None:
    with sqlite_db.read() as tx, planned(tx) as plans:
        cases.listing(tx, Reader(Audience.INTERNAL, frozenset({"desk"})), wanted, (7, "x"), 50)
    assert any(index in each for each in plans), plans
    assert not any("SCAN" in each and index not in each for each in plans), plans


def test_every_search_asks_for_severe_cases_by_the_item(sqlite_db: Database) -> None:
    with sqlite_db.read() as tx, planned(tx) as plans:
        cases.severe(tx, [ItemRef(Kind.ARTICLE, str(n)) for n in range(30)])
    assert "ix_revision_case_item (item_id=? AND severity=? AND state=?)" in plans[0]
