"""The managed dictionary: who may change it, and how every process comes to know.

Whoever tunes search sees and changes the entries for readers like themselves; all others are not there for them.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kb import clock
from kb.audience import Audience
from kb.dictionary import MOST_ENTRIES, Entry, Meaning
from kb.errors import Conflict, Invalid, NotFound
from kb.person import Person, Right
from kb.search.dictionary import Dictionary
from kb.solve import seeing
from kb.store import audit
from kb.store import dictionary as store
from kb.store.database import Database, Tx
from kb.text.analyzer import says_nothing
from kb.text.forms import forms
from kb.text.hygiene import tidy
from kb.text.script import fold


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, how many there are in all, and whether more follow."""

    entries: tuple[Entry, ...]
    total: int
    more: bool


def listing(
    db: Database,
    by: Person,
    *,
    text: str = "",
    audience: Audience | None = None,
    active: bool | None = None,
    after: str = "",
    limit: int = 50,
) -> Page:
    """Entries, the one changed last first: those with `text` in a term, a meaning or the note.

    `after` is the id of the last entry of the page before; raises Invalid if it is gone, NotAllowed.
    """
    found = [
        each
        for each in visible(db, by)
        if audience in (None, each.meaning.audience)
        and active in (None, each.meaning.active)
        and _mentions(each.meaning, fold(text.strip()))
    ]
    ids = [each.id for each in found]
    if after and after not in ids:
        raise Invalid("that entry is not in this list any more: begin again", "after")
    start = ids.index(after) + 1 if after else 0
    return Page(tuple(found[start : start + limit]), len(found), start + limit < len(found))


def visible(db: Database, by: Person) -> list[Entry]:
    """All entries that are there for somebody, the one changed last first. Needs the right to tune."""
    by.require(Right.TUNE)
    with db.read() as tx:
        return seen(tx, by)


def seen(tx: Tx, by: Person) -> list[Entry]:
    """The same in a transaction."""
    return [each for each in store.every(tx) if seeing.belongs(by, each.meaning.access)]


def read(db: Database, by: Person, entry_id: str) -> Entry:
    """One entry; raises NotFound, NotAllowed."""
    by.require(Right.TUNE)
    with db.read() as tx:
        return _own(by, store.get(tx, entry_id))


def create(db: Database, by: Person, meaning: Meaning) -> Entry:
    """A new entry. Raises Invalid, NotAllowed, and Conflict for one that is there already."""
    check(by, meaning)
    at = clock.now()
    entry = Entry(uuid.uuid4().hex, meaning, by.id, at, by.id, at)
    with db.write() as tx:
        _make_room(seen(tx, by), [entry])
        store.insert(tx, [entry])
        audit.write(tx, [_change(by, "create", entry.id, None, meaning, at)])
    return entry


def change(db: Database, by: Person, entry_id: str, meaning: Meaning, changed_at: datetime | None = None) -> Entry:
    """Give an entry another meaning, or switch it off or on.

    `changed_at` is when the entry that the caller read had been changed. Raises Conflict if it has been since, or
    where another entry says the same; Invalid, NotFound, NotAllowed.
    """
    check(by, meaning)
    at = clock.now()
    with db.write() as tx:
        before = _own(by, store.get(tx, entry_id, to_change=True)).expect(changed_at)
        after = before.change(meaning, by.id, at)
        if meaning == before.meaning:
            return before
        _make_room([each for each in seen(tx, by) if each.id != entry_id], [after])
        store.update(tx, after)
        audit.write(tx, [_change(by, "change", entry_id, before.meaning, meaning, at)])
    return after


def delete(db: Database, by: Person, entry_id: str, changed_at: datetime | None = None) -> None:
    """Take an entry out. Raises Conflict, NotFound, NotAllowed."""
    by.require(Right.TUNE)
    at = clock.now()
    with db.write() as tx:
        before = _own(by, store.get(tx, entry_id, to_change=True)).expect(changed_at)
        store.delete(tx, entry_id)
        audit.write(tx, [_change(by, "delete", entry_id, before.meaning, None, at)])


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of many entries: how many were new, changed (switched, or another note) and there already."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0


def merge(db: Database, by: Person, meanings: Sequence[Meaning], dry_run: bool = False) -> Merged:
    """Add entries; where one is there, take over its note and whether it is active. Nothing is taken out.

    All or none. Raises Invalid, Conflict, NotAllowed; each meaning has been through `check`.
    """
    by.require(Right.TUNE)
    at = clock.now()
    with db.write() as tx:
        known = {each.meaning.sides: each for each in seen(tx, by)}
        new: dict[object, Entry] = {}
        changed: dict[str, tuple[Entry, Entry]] = {}
        for meaning in meanings:
            before = known.get(meaning.sides)
            if before is None:
                new[meaning.sides] = Entry(uuid.uuid4().hex, meaning, by.id, at, by.id, at)
            elif (meaning.active, meaning.note) != (before.meaning.active, before.meaning.note):
                changed[before.id] = before, before.change(meaning, by.id, at)
        _make_room(list(known.values()), list(new.values()))
        if not dry_run:
            store.insert(tx, list(new.values()))
            for _, after in changed.values():
                store.update(tx, after)
            audit.write(tx, [_change(by, "create", each.id, None, each.meaning, at) for each in new.values()])
            audit.write(tx, [_change(by, "change", b.id, b.meaning, a.meaning, at) for b, a in changed.values()])
    return Merged(len(new), len(changed), len(meanings) - len(new) - len(changed))


def check(by: Person, meaning: Meaning) -> None:
    """Nothing, or NotAllowed, or Invalid for what a search could make nothing of."""
    by.require(Right.TUNE)
    if not seeing.belongs(by, meaning.access):
        raise Invalid(f"an entry for {meaning.audience} readers is for one of them to write", "audience")
    known: dict[str, str] = {}
    for field, side in (("terms", meaning.terms), ("means", meaning.means)):
        for place, each in enumerate(side):
            where = f"{field}.{place}"
            if tidy(each) != each:
                raise Invalid("a term is made of characters that can be seen", where)
            if says_nothing(each):
                raise Invalid(f"“{each}” is nothing that a search looks for: write more of it", where)
            for form in forms(each):
                if form in known and known[form] != each:
                    raise Invalid(f"{known[form]} and {each} are the same to a search: one will do", where)
                known[form] = each


def follow(db: Database, dictionary: Dictionary) -> bool:
    """Read the dictionary again if it has changed since it was read last. Returns whether it had."""
    with db.read() as tx:
        marker = store.marker(tx)
        if marker == dictionary.marker:
            return False
        entries = store.every(tx)
    dictionary.replace((each.meaning for each in entries), marker)
    return True


def _make_room(known: Sequence[Entry], new: Sequence[Entry]) -> None:
    """Nothing, or Conflict: for what is there already, and where there would be too many."""
    there = {each.meaning.sides for each in known}
    for each in new:
        if each.meaning.sides in there:
            raise Conflict(f"there is such an entry already: {', '.join(each.meaning.terms)}")
    for audience, count in Counter(each.meaning.audience for each in (*known, *new)).items():
        if count > MOST_ENTRIES:
            raise Conflict(f"there may be {MOST_ENTRIES} entries for {audience} readers: take some out first")


def _own(by: Person, entry: Entry) -> Entry:
    if not seeing.belongs(by, entry.meaning.access):
        raise NotFound(f"no entry {entry.id}")
    return entry


def _mentions(meaning: Meaning, text: str) -> bool:
    return not text or any(text in fold(each) for each in (*meaning.terms, *meaning.means, meaning.note))


def _change(
    by: Person, action: str, entry_id: str, before: Meaning | None, after: Meaning | None, at: datetime
) -> audit.Change:
    old, new = audit.difference(_facts(before), _facts(after)) if after else (_facts(before), {})
    return audit.Change(by.id, action, store.SUBJECT, entry_id, old, new, at)


def _facts(meaning: Meaning | None) -> dict[str, object]:
    if meaning is None:
        return {}
    return {
        "terms": list(meaning.terms),
        "means": list(meaning.means),
        "audience": meaning.audience.value,
        "active": meaning.active,
        "note": meaning.note,
    }
