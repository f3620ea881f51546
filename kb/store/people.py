"""People and their keys in SQL."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kb.audience import Audience
from kb.errors import NotFound
from kb.person import RIGHTS, ApiKey, Person, Right, Role, Scope
from kb.store import licences
from kb.store.database import Tx, batches
from kb.store.schema import api_key, person

# Made once: to put a statement together costs as much as to run it, and every request asks these.
_WITH_ID = sa.select(person).where(person.c.id == sa.bindparam("id"))
_WITH_HASH = sa.select(api_key).where(api_key.c.secret_hash == sa.bindparam("hash"))


def insert(tx: Tx, new: Person, at: datetime) -> None:
    """Add a person."""
    tx.execute(sa.insert(person).values(**_row(new), created_at=at))


def update(tx: Tx, changed: Person) -> None:
    """Overwrite a person; raises NotFound."""
    if tx.execute(sa.update(person).where(person.c.id == changed.id).values(**_row(changed))).rowcount != 1:
        raise NotFound(f"no person {changed.id}")


def get(tx: Tx, person_id: str) -> Person:
    """The person with that id; raises NotFound."""
    row = tx.execute(_WITH_ID, {"id": person_id}).first()
    if row is None:
        raise NotFound(f"no person {person_id}")
    return _person(row, licences.configured(tx))


def everyone(tx: Tx) -> list[Person]:
    """All people, by name."""
    set_here = licences.configured(tx)
    return [_person(row, set_here) for row in tx.execute(sa.select(person).order_by(person.c.name, person.c.id))]


def by_ids(tx: Tx, ids: Collection[str]) -> dict[str, Person]:
    """The people with these ids, as far as they are there, with what KCS suggests for their roles."""
    found: dict[str, Person] = {}
    for batch in batches(sorted(ids)):
        found |= {row.id: _person(row, {}) for row in tx.execute(sa.select(person).where(person.c.id.in_(batch)))}
    return found


def add_key(tx: Tx, key: ApiKey) -> None:
    """Add an API key."""
    tx.execute(
        sa.insert(api_key).values(
            id=key.id,
            person_id=key.person_id,
            label=key.label,
            secret_hash=key.secret_hash,
            scopes=sorted(key.scopes),
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
        )
    )


def revoke_keys(tx: Tx, person_id: str, at: datetime) -> int:
    """Revoke every key of a person. Returns how many were still open."""
    open_keys = (api_key.c.person_id == person_id) & api_key.c.revoked_at.is_(None)
    return tx.execute(sa.update(api_key).where(open_keys).values(revoked_at=at)).rowcount


def revoke_key(tx: Tx, key_id: str, at: datetime) -> str:
    """Revoke one key. Returns whose it is; raises NotFound."""
    holder: str | None = tx.execute(sa.select(api_key.c.person_id).where(api_key.c.id == key_id)).scalar()
    if holder is None:
        raise NotFound(f"no key {key_id}")
    tx.execute(sa.update(api_key).where(api_key.c.id == key_id, api_key.c.revoked_at.is_(None)).values(revoked_at=at))
    return holder


def keys(tx: Tx) -> list[ApiKey]:
    """Everybody's keys, oldest first."""
    return [_key(row) for row in tx.execute(sa.select(api_key).order_by(api_key.c.created_at, api_key.c.id))]


def key_holder(tx: Tx, secret_hash: str) -> tuple[ApiKey, Person] | None:
    """The key with that hash and the person it stands for, with no more scopes than the key has."""
    row = tx.execute(_WITH_HASH, {"hash": secret_hash}).first()
    if row is None:
        return None
    key = _key(row)
    return key, replace(get(tx, key.person_id), scopes=key.scopes)


def _key(row: Any) -> ApiKey:
    return ApiKey(**{**row._mapping, "scopes": frozenset(Scope(scope) for scope in row.scopes)})


def _row(each: Person) -> dict[str, Any]:
    return {
        "id": each.id,
        "name": each.name,
        "tier": each.tier.value,
        "roles": sorted(each.roles),
        "groups": sorted(each.groups),
        "disabled": each.disabled,
    }


def _person(row: Any, set_here: Mapping[Role, frozenset[Right]]) -> Person:
    """A person with what their roles allow, as far as anybody has set something else than KCS suggests."""
    roles = frozenset(Role(role) for role in row.roles)
    allowed = frozenset(right for role in roles for right in set_here.get(role, RIGHTS[role])) if set_here else None
    return Person(
        id=row.id,
        name=row.name,
        tier=Audience(row.tier),
        roles=roles,
        groups=frozenset(row.groups),
        disabled=row.disabled,
        allowed=allowed,
    )
