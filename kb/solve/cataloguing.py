"""Keeps the catalogue of titles in step with the record."""

from collections.abc import Sequence
from datetime import datetime

from kb import clock
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.search.catalogue import Catalogue, Entry
from kb.standing import Standing
from kb.store import articles, content, passages
from kb.store.database import Database, Tx
from kb.text.passages import statement

_PAGE = 1_000


def load(db: Database, catalogue: Catalogue) -> None:
    """Fill the catalogue with everything that is shown now."""
    after: ItemRef | None = None
    while True:
        with db.read() as tx:
            items = content.page(tx, after, _PAGE)
            found = entries(tx, items, clock.now())
        if not items:
            break
        catalogue.update(found)
        after = items[-1]
    catalogue.prepare_fallback()  # now, not at the moment when the index has just gone away
    catalogue.complete = True


def refresh(db: Database, catalogue: Catalogue, items: Sequence[ItemRef]) -> None:
    """Take over the present state of these items."""
    with db.read() as tx:
        found = entries(tx, items, clock.now())
    catalogue.update(found)


def entries(tx: Tx, items: Sequence[ItemRef], at: datetime) -> dict[ItemRef, Entry | None]:
    """The catalogue entries of items; None for one that is not shown."""
    standings = content.standings(tx, items, at)
    shown = {item: standing for item, standing in standings.items() if standing.live}
    statements = _statements(tx, shown)
    topics = {item: found[0].topic for item, found in passages.of_items(tx, list(shown)).items() if found}
    return {
        item: _entry(shown[item], statements.get(item, ""), topics.get(item, "")) if item in shown else None
        for item in items
    }


def _statements(tx: Tx, shown: dict[ItemRef, Standing]) -> dict[ItemRef, str]:
    """What the item is about, in the customer's words, as far as all its readers may see it."""
    found = {}
    for item, standing in shown.items():
        if item.kind is Kind.ARTICLE:
            body = articles.get_revision(tx, item.id, standing.revision).body
            found[item] = statement(body, standing.access.audience)
    return found


def _entry(standing: Standing, issue: str, topic: str) -> Entry:
    return Entry(
        item=standing.item,
        title=standing.title,
        statement=issue,
        language=Language(standing.language),
        access=standing.access,
        statement_access=standing.access,
        topic=topic,
        products=standing.products,
        tags=standing.tags,
        confidence=standing.confidence,
        source=standing.source,
    )
