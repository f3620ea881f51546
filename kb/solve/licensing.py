"""What each role may do here: KCS's suggestion until an administrator changes it (enabling, not policing).

Rights are read with the person on every request, so keys and sessions follow at once.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from kb import clock
from kb.errors import Conflict, Invalid
from kb.language import Language
from kb.person import Licence, Person, Right, Role
from kb.solve.access import require_staff
from kb.store import audit, licences, people
from kb.store.database import Database, Tx

SUBJECT = "role"
"""What audit entries call a role."""


def listing(db: Database, by: Person) -> list[Licence]:
    """All roles. For staff, who may know what they may."""
    require_staff(by)
    with db.read() as tx:
        return list(licences.every(tx).values())


def change(
    db: Database, by: Person, role: Role, rights: Collection[Right], names: Mapping[str, str], version: int
) -> Licence:
    """Set what a role may do and what it is called here.

    Raises Conflict when it has another version than the caller read, and when nobody could administer any more;
    Invalid for a name in no language of ours; NotAllowed.
    """
    by.require(Right.ADMINISTER)
    if unknown := set(names) - set(Language):
        raise Invalid(f"{sorted(unknown)[0]} is none of our languages", "names")
    at = clock.now()
    with db.write() as tx:
        before = licences.every_to_change(tx, by.id, at)[role]
        if before.version != version:
            raise Conflict(f"the role {role} is now at version {before.version}, you changed {version}")
        after = replace(
            before, rights=frozenset(rights), names=dict(names), version=version + 1, changed_by=by.id, changed_at=at
        )
        licences.update(tx, after)
        licences.forget_unchanged(tx)
        _require_somebody(tx)
        old, new = audit.difference(_facts(before), _facts(after))
        audit.write(tx, [audit.Change(by.id, "change", SUBJECT, role, old, new, at)])
    return after


def _require_somebody(tx: Tx) -> None:
    """Raise unless somebody who is let in may administer: or nobody could ever change it back."""
    if not any(each.may(Right.ADMINISTER) and not each.disabled for each in people.everyone(tx)):
        raise Conflict("then nobody could administer any more: give that right to somebody else first")


def _facts(licence: Licence) -> dict[str, object]:
    return {"rights": sorted(licence.rights), "names": dict(licence.names)}
