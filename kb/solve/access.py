"""Who is asking: from a key to a person, and how people get their keys."""

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from kb import clock
from kb.audience import Audience
from kb.errors import Invalid, NotAllowed, NotFound, NotSignedIn
from kb.person import EVERYDAY, ApiKey, Person, Right, Role, Scope, hash_secret, new_secret
from kb.store import audit, people, sessions
from kb.store.database import Database, Tx


def person_for(db: Database, secret: str) -> Person:
    """The person a key stands for; raises NotSignedIn, without saying why, for a key that opens nothing."""
    with db.read() as tx:
        return key_and_person(tx, secret)[1]


def key_and_person(tx: Tx, secret: str) -> tuple[ApiKey, Person]:
    """A good key and the person it stands for; raises NotSignedIn."""
    found = people.key_holder(tx, hash_secret(secret))
    if found is None or not found[0].is_good(clock.now()) or found[1].disabled:
        raise NotSignedIn("this key is unknown, expired or revoked")
    return found


def require_staff(by: Person) -> None:
    """Nothing, or NotAllowed for somebody without any role."""
    if not by.roles:
        raise NotAllowed("this is for staff: people with a role")


def colleagues(db: Database, by: Person) -> list[Person]:
    """Everybody with a role, by name: to give them work and to know who did what. For staff; those who are not of the
    internal tier, such as a partner's authors, see those of their own tier only."""
    require_staff(by)
    with db.read() as tx:
        return [each for each in people.everyone(tx) if each.is_staff and by.tier in (Audience.INTERNAL, each.tier)]


def add_person(
    db: Database,
    by: Person,
    name: str,
    tier: Audience,
    *,
    roles: Iterable[Role] = (),
    groups: Iterable[str] = (),
    label: str = "first key",
    expires_at: datetime | None = None,
    scopes: frozenset[Scope] = EVERYDAY,
) -> tuple[Person, str]:
    """A new person with a first key; the secret is returned here and never again. Needs the right to administer."""
    by.require(Right.ADMINISTER)
    name, groups = " ".join(name.split()), frozenset(groups)
    if not name:
        raise Invalid("a person needs a name", "name")
    if any(not group or group != group.strip() or ":" in group for group in groups):
        raise Invalid("a group is a name without colons or outer spaces, such as fraud-team", "groups")
    at = clock.now()
    person = Person(uuid.uuid4().hex, name, tier, frozenset(roles), groups)
    with db.write() as tx:
        people.insert(tx, person, at)
        audit.write(tx, [audit.Change(by.id, "create", "person", person.id, {}, _facts(person), at)])
        return person, _add_key(tx, by, person, label, expires_at, at, scopes)


def issue_key(
    db: Database,
    by: Person,
    person_id: str,
    label: str,
    expires_at: datetime | None = None,
    scopes: frozenset[Scope] = EVERYDAY,
) -> str:
    """One more key for somebody; the secret is returned here and never again. Raises NotFound."""
    by.require(Right.ADMINISTER)
    with db.write() as tx:
        return _add_key(tx, by, people.get(tx, person_id), label, expires_at, clock.now(), scopes)


def revoke_keys(db: Database, by: Person, person_id: str) -> int:
    """Close every key and end every session of a person. Returns how many keys were still open; raises NotFound."""
    by.require(Right.ADMINISTER)
    at = clock.now()
    with db.write() as tx:
        count = people.revoke_keys(tx, people.get(tx, person_id).id, at)
        ended = sessions.end_all(tx, person_id)
        facts = {"revoked": count, "sessions_ended": ended}
        audit.write(tx, [audit.Change(by.id, "revoke_keys", "person", person_id, {}, facts, at)])
    return count


def revoke_key(db: Database, by: Person, key_id: str) -> str:
    """Close one key, and end every session of its holder: one of them may have begun with it. Returns whose it is."""
    by.require(Right.ADMINISTER)
    at = clock.now()
    with db.write() as tx:
        person_id = people.revoke_key(tx, key_id, at)
        facts = {"key": key_id, "sessions_ended": sessions.end_all(tx, person_id)}
        audit.write(tx, [audit.Change(by.id, "revoke_key", "person", person_id, {}, facts, at)])
    return person_id


def disable(db: Database, by: Person, person_id: str, disabled: bool = True) -> Person:
    """Let somebody in no more, or again: keys, password and tokens stay and open nothing meanwhile. Raises NotFound."""
    by.require(Right.ADMINISTER)
    at = clock.now()
    with db.write() as tx:
        before = people.get(tx, person_id)
        people.update(tx, after := replace(before, disabled=disabled))
        if disabled:
            sessions.end_all(tx, person_id)
        action = "disable" if disabled else "enable"
        audit.write(tx, [audit.Change(by.id, action, "person", person_id, {"disabled": before.disabled},
                                      {"disabled": disabled}, at)])  # fmt: skip
    return after


def known_person(db: Database, person_id: str, field: str) -> str:
    """The id, if somebody has it; raises Invalid for that field otherwise."""
    try:
        with db.read() as tx:
            return people.get(tx, person_id).id
    except NotFound:
        raise Invalid(f"there is no person {person_id}", field) from None


def _add_key(
    tx: Tx,
    by: Person,
    holder: Person,
    label: str,
    expires_at: datetime | None,
    at: datetime,
    scopes: frozenset[Scope],
) -> str:
    if not scopes:
        raise Invalid("a key without a scope opens nothing", "scopes")
    secret = new_secret()
    key = ApiKey(uuid.uuid4().hex, holder.id, label, hash_secret(secret), scopes, at, expires_at)
    people.add_key(tx, key)
    facts = {
        "key": key.id,
        "label": label,
        "scopes": sorted(scopes),
        "expires_at": expires_at.isoformat() if expires_at else None,
    }
    audit.write(tx, [audit.Change(by.id, "issue_key", "person", holder.id, {}, facts, at)])
    return secret


def _facts(person: Person) -> dict[str, object]:
    return {"name": person.name, "tier": person.tier, "roles": sorted(person.roles), "groups": sorted(person.groups)}
