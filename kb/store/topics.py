"""The topic tree and the list of products in SQL."""

from collections.abc import Iterable

import sqlalchemy as sa

from kb.product import Product
from kb.store.database import Tx, insert_missing
from kb.store.schema import product, topic
from kb.topic import Topic


def all_topics(tx: Tx) -> list[Topic]:
    """The whole tree, parents before children."""
    rows = tx.execute(sa.select(topic).order_by(topic.c.path))
    return sorted(
        (Topic(row.path, row.names, row.position) for row in rows),
        key=lambda each: (each.path.count("/"), each.position, each.path),
    )


def save_topic(tx: Tx, each: Topic) -> None:
    """Add a topic or overwrite it."""
    tx.execute(sa.delete(topic).where(topic.c.path == each.path))
    tx.execute(sa.insert(topic).values(path=each.path, names=each.names, position=each.position))


def ensure_topics(tx: Tx, paths: Iterable[str]) -> None:
    """Add topics that are missing, with all topics above them."""
    wanted: set[str] = set()
    for path in paths:
        parts = path.split("/") if path else []
        wanted.update("/".join(parts[: n + 1]) for n in range(len(parts)))
    rows = [{"path": path, "names": {}, "position": 0} for path in sorted(wanted)]
    insert_missing(tx, topic, rows)


def all_products(tx: Tx) -> list[Product]:
    """All products, by key."""
    rows = tx.execute(sa.select(product).order_by(product.c.key))
    return [Product(row.key, row.name, tuple(row.models), row.description) for row in rows]


def save_product(tx: Tx, each: Product) -> None:
    """Add a product or overwrite it."""
    tx.execute(sa.delete(product).where(product.c.key == each.key))
    tx.execute(
        sa.insert(product).values(key=each.key, name=each.name, models=list(each.models), description=each.description)
    )
