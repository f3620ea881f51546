"""Hosts that sign for their people, and who somebody is elsewhere, in SQL."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kb.audience import Audience
from kb.errors import NotFound
from kb.host import Algorithm, Host
from kb.person import Person
from kb.store import people
from kb.store.database import Tx, insert_into
from kb.store.schema import columns, host, identity


def insert(tx: Tx, new: Host) -> None:
    """Add a host."""
    row: dict[str, Any] = {name: getattr(new, name) for name in columns(host)}
    tx.execute(sa.insert(host).values(row | {"origins": sorted(new.origins)}))


def get(tx: Tx, name: str) -> Host:
    """The host of that name; raises NotFound."""
    row = tx.execute(sa.select(host).where(host.c.name == name)).first()
    if row is None:
        raise NotFound(f"no host {name}")
    return _host(row)


def every(tx: Tx) -> list[Host]:
    """All hosts by name, revoked ones as well."""
    return [_host(row) for row in tx.execute(sa.select(host).order_by(host.c.name))]


def revoke(tx: Tx, host_id: str, at: datetime) -> None:
    """Believe nothing it signs any more."""
    tx.execute(sa.update(host).where(host.c.id == host_id, host.c.revoked_at.is_(None)).values(revoked_at=at))


def link(tx: Tx, issuer: str, subject: str, person_id: str, at: datetime) -> None:
    """Say who a subject is; the last word counts."""
    row = {"issuer": issuer, "subject": subject, "person_id": person_id, "created_at": at}
    new = insert_into(tx, identity).values(row)
    tx.execute(new.on_conflict_do_update(index_elements=["issuer", "subject"], set_={"person_id": person_id}))


def linked(tx: Tx, issuer: str, subject: str) -> Person | None:
    """Who that subject is, if anybody said."""
    person_id = tx.execute(
        sa.select(identity.c.person_id).where(identity.c.issuer == issuer, identity.c.subject == subject)
    ).scalar()
    return None if person_id is None else people.get(tx, person_id)


def people_called(tx: Tx, subject: str) -> set[str]:
    """The ids of all people whom anybody calls by that subject."""
    return set(tx.execute(sa.select(identity.c.person_id).where(identity.c.subject == subject)).scalars())


def subjects(tx: Tx) -> list[tuple[str, str]]:
    """Everybody's id with what a host or provider calls them."""
    return [
        (person_id, subject) for person_id, subject in tx.execute(sa.select(identity.c.person_id, identity.c.subject))
    ]


def _host(row: Any) -> Host:
    fields: dict[str, Any] = dict(row._mapping)
    fields |= {"algorithm": Algorithm(row.algorithm), "tier": Audience(row.tier), "origins": frozenset(row.origins)}
    return Host(**fields)
