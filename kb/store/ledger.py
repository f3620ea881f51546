"""What has been erased, so that a restored backup forgets it again: keyed hashes, and the key.

The key stands in `keyring` and so in every backup: an older backup can be told what was erased after it was made.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from kb.erasure import Ledger, Subject, SubjectKind, key_id
from kb.errors import Invalid
from kb.interaction import Event
from kb.store.database import Tx, batches, insert_into
from kb.store.schema import erasure, interaction, keyring

KEY = "erasure"
"""The name of the key in `keyring`."""


def known_key(tx: Tx) -> bytes | None:
    """The key of this record's ledger, if it was ever needed."""
    found: bytes | None = tx.scalar(sa.select(keyring.c.key).where(keyring.c.name == KEY))
    return found


def read(tx: Tx) -> Ledger | None:
    """The whole ledger; None where there was never a need for a key."""
    found = known_key(tx)
    if found is None:
        return None
    return Ledger(key_id(found), {row.subject_hash: row.at for row in tx.execute(sa.select(erasure))}, found)


def add(tx: Tx, erased: Mapping[str, datetime]) -> None:
    """Remember erasures; of two of the same subject the later one counts."""
    if erased:
        new = insert_into(tx, erasure)
        tx.execute(
            new.on_conflict_do_update(
                index_elements=list(erasure.primary_key),
                set_={"at": new.excluded.at},
                where=new.excluded.at > erasure.c.at,
            ),
            [{"subject_hash": digest, "at": at} for digest, at in erased.items()],
        )


def erased(tx: Tx, subjects: Iterable[Subject]) -> dict[Subject, datetime]:
    """When each of these was erased, those who were."""
    key = known_key(tx)
    if key is None:
        return {}
    hashes = {each.hashed(key): each for each in subjects}
    found: dict[Subject, datetime] = {}
    for batch in batches(list(hashes)):
        rows = tx.execute(sa.select(erasure).where(erasure.c.subject_hash.in_(batch)))
        found.update({hashes[row.subject_hash]: row.at for row in rows})
    return found


def without_erased(tx: Tx, events: Iterable[Event]) -> list[Event]:
    """Events without those of people and interactions that were erased while they waited to be written."""
    events = list(events)
    gone = erased(tx, {Subject(SubjectKind.PERSON, each.person_id) for each in events})
    over = {subject.key: at for subject, at in gone.items()}
    there: set[str | None] = {None}
    for batch in batches(sorted({each.interaction_id for each in events if each.interaction_id is not None})):
        # Held until the events are written: whoever erases it now waits for them.
        held = sa.select(interaction.c.id).where(interaction.c.id.in_(batch)).with_for_update(read=True, key_share=True)
        there.update(tx.scalars(held))
    # Later than the erasure is somebody who came back: a host's customer has the same id then.
    return [
        each
        for each in events
        if each.interaction_id in there and (each.person_id not in over or each.at > over[each.person_id])
    ]


def save(ledger: Ledger, path: Path) -> None:
    """Write a ledger to a file, to be kept apart from the backups. It holds hashes only, not the key."""
    entries = {digest: at.isoformat() for digest, at in sorted(ledger.erased.items())}
    path.write_text(json.dumps({"key_id": ledger.key_id, "erased": entries}, indent=1) + "\n")


def load(path: Path) -> Ledger:
    """Read a file that `save` wrote; raises Invalid."""
    try:
        found = json.loads(path.read_text())
        return Ledger(found["key_id"], {digest: datetime.fromisoformat(at) for digest, at in found["erased"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(f"{path} is no ledger of erasures: {error}") from error
