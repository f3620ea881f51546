"""A backup back into a record, without what was erased after the backup was made."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kb.erasure import Ledger
from kb.errors import Conflict, Invalid
from kb.solve.erasing import erase_again
from kb.store import backup, ledger, migrate, restoring
from kb.store.backup import Backup
from kb.store.database import Database
from kb.store.scrubbing import scrub


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and how many subjects were erased from it again."""

    backup: Backup
    erased_again: int


def restore(
    folder: Path, db: Database, data_dir: Path, *, replace: bool = False, erasures: Sequence[Ledger] = ()
) -> Restored:
    """Make the record what the backup in that folder holds, in one step; the index is then to be dropped.

    The caller holds the index (`kb.search.holding`). What the record that is replaced says was erased is erased again,
    and what `erasures` say. Raises Invalid for a backup that is damaged, or of a newer kb, Conflict for a record that
    somebody uses or that is not empty, unless it is to be replaced.
    """
    found = backup.verified(folder)
    restoring.check_unused(db)
    with db.read() as tx:
        present = migrate.current(tx)
    if present is not None and not migrate.is_known(present):
        raise Invalid("the record that is there belongs to a newer kb; use that version")
    migrate.migrate(db)
    if not replace and not restoring.is_empty(db):
        raise Conflict("the record is not empty; to put the backup in its place and lose what it holds, say --replace")
    with db.read() as tx:
        replaced = ledger.read(tx)
    with restoring.working_copy(found, data_dir) as copy:
        with copy.read() as tx:
            own = ledger.read(tx)
        again = erase_again(copy, [each for each in (own, replaced, *erasures) if each is not None])
        if again:
            scrub(copy)
        backup.check_file(restoring.closed_file(copy))
        restoring.put(copy, db)
    return Restored(found, again)
