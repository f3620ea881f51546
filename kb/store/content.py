"""All kinds of content through one door: where an item stands, whatever it is.

A new kind of content is added here with its store module, and nowhere else in the store.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from kb.passage import ItemRef, Kind
from kb.standing import Standing
from kb.store import articles, cases, posts
from kb.store.database import Tx


class _ContentStore(Protocol):
    def standings(self, tx: Tx, ids: Sequence[str], at: datetime) -> dict[ItemRef, Standing]: ...
    def changed_since(self, tx: Tx, since: datetime) -> list[str]: ...
    def ids(self, tx: Tx, after: str, limit: int) -> list[str]: ...


_STORES: dict[Kind, _ContentStore] = {Kind.ARTICLE: articles, Kind.POST: posts}


def standings(tx: Tx, items: Iterable[ItemRef], at: datetime) -> dict[ItemRef, Standing]:
    """Where these items stand at that moment, as far as they exist."""
    by_kind: dict[Kind, list[str]] = {}
    for item in items:
        by_kind.setdefault(item.kind, []).append(item.id)
    found: dict[ItemRef, Standing] = {}
    for kind, ids in by_kind.items():
        if kind in _STORES:
            found |= _STORES[kind].standings(tx, ids, at)
    for item, warning in cases.severe(tx, found).items():
        found[item] = replace(found[item], open_case=warning)
    return found


def changed_since(tx: Tx, since: datetime, overlap: timedelta = timedelta(minutes=1)) -> list[ItemRef]:
    """Items changed after that moment.

    `overlap` looks further back: transactions commit in another order than their clocks were read, and clocks differ.
    """
    return [
        ItemRef(kind, item_id)
        for kind, store in _STORES.items()
        for item_id in store.changed_since(tx, since - overlap)
    ]


def page(tx: Tx, after: ItemRef | None, limit: int) -> list[ItemRef]:
    """The next items of all kinds, in order, for walking through everything."""
    found: list[ItemRef] = []
    for kind in sorted(_STORES):
        if after is not None and kind < after.kind:
            continue
        start = after.id if after is not None and after.kind == kind else ""
        found += [ItemRef(kind, item_id) for item_id in _STORES[kind].ids(tx, start, limit - len(found))]
        if len(found) >= limit:
            break
    return found
