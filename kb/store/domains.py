"""Who looks after which domain, in SQL. A domain is a topic with all topics below it."""

import sqlalchemy as sa

from kb.store.case_tables import domain_owner
from kb.store.database import Tx


def every(tx: Tx) -> dict[str, str]:
    """The owner of each domain that has one, by topic."""
    rows = tx.execute(sa.select(domain_owner).order_by(domain_owner.c.topic))
    return {row.topic: row.person_id for row in rows}


def owners(tx: Tx, topic: str) -> list[str]:
    """The owners of a topic and of all topics above it, the nearest first."""
    parts = topic.split("/") if topic else []
    paths = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    rows = tx.execute(sa.select(domain_owner).where(domain_owner.c.topic.in_(paths)))
    return [row.person_id for row in sorted(rows, key=lambda row: -len(row.topic))]


def put(tx: Tx, topic: str, person_id: str | None) -> None:
    """Give a domain an owner, or none."""
    tx.execute(sa.delete(domain_owner).where(domain_owner.c.topic == topic))
    if person_id:
        tx.execute(sa.insert(domain_owner).values(topic=topic, person_id=person_id))
