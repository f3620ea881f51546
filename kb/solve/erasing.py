"""Forgetting a person: what may be demanded of us, done once and for all.

The record first, in one transaction with the ledger and, where passages go, with the wish for a new index: a crash
leaves all of it to be done or the files to be scrubbed, and the same command does the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kb import clock
from kb.erasure import Ledger, SubjectKind, key_id
from kb.errors import Invalid
from kb.solve import hosts, publishing
from kb.solve.generations import want_rebuild
from kb.store import erasing, keyring, ledger
from kb.store.database import Database, Tx
from kb.store.erasing import Known, Mention

_REPLACEMENT = "erased"


@dataclass(slots=True)
class Report:
    """What was erased, by what it is; where texts still mention somebody; whether the index has to be built anew."""

    known: list[Known]
    rows: dict[str, int] = field(default_factory=dict)
    mentions: list[Mention] = field(default_factory=list)
    posts: int = 0

    def add(self, rows: dict[str, int]) -> None:
        """Count more rows."""
        for name, count in rows.items():
            self.rows[name] = self.rows.get(name, 0) + count


def find(db: Database, named: str) -> list[Known]:
    """Everybody in the record who is called that: by a precise name ("person:5b1e..."), by an id, login, name or
    reference, here or with an OpenID provider or a host."""
    with db.read() as tx:
        everybody = list(erasing.everybody(tx))
    precise = [each for each in everybody if str(each.subject) == named]
    if precise:
        return precise
    ids = hosts.people_called(db, named)
    return [each for each in everybody if named in each.called or each.subject.key in ids]


def erase(db: Database, known: Sequence[Known], *, dry_run: bool = False) -> Report:
    """Erase these subjects and remember that in the ledger; `dry_run` only says what would happen."""
    key, at = keyring.key(db, ledger.KEY), clock.now()
    report = Report(list(known))
    with db.write() as tx:
        attempt = tx.begin_nested()
        for each in known:
            _erase(tx, each, key, at, report)
        ledger.add(tx, {each.subject.hashed(key): at for each in known})
        if report.posts:
            want_rebuild(tx)
        if dry_run:
            report.mentions = _mentions(tx, known)
            attempt.rollback()
    if not dry_run:
        with db.read() as tx:
            report.mentions = _mentions(tx, known)
    return report


def erase_again(db: Database, ledgers: Sequence[Ledger]) -> int:
    """Erase from a restored record what any of these ledgers says was erased; returns how many subjects it held.

    What is newer than its erasure stays: the same customer may have come back. Raises Invalid for a ledger whose key
    is neither in this record nor with another of the ledgers.
    """
    own = keyring.key(db, ledger.KEY)
    keys = {key_id(own): own} | {each.key_id: each.key for each in ledgers if each.key}
    if any(each.key_id not in keys for each in ledgers):
        raise Invalid("these erasures were recorded by another installation: the key for them is not in this backup")
    report, again = Report([]), dict[str, datetime]()
    with db.write() as tx:
        for known in list(erasing.everybody(tx)):
            found = [each.erased.get(known.subject.hashed(keys[each.key_id])) for each in ledgers]
            if until := max(filter(None, found), default=None):
                _erase(tx, known, own, clock.now(), report, until)
                again[known.subject.hashed(own)] = until
        for each in ledgers:
            if each.key_id == key_id(own):
                ledger.add(tx, each.erased)
        ledger.add(tx, again)
    return len(again)


def _erase(tx: Tx, known: Known, key: bytes, at: datetime, report: Report, until: datetime | None = None) -> None:
    subject, replacement = known.subject, _REPLACEMENT
    if subject.kind is SubjectKind.CUSTOMER:
        report.add(erasing.customer(tx, subject.key, until))
    elif subject.kind is SubjectKind.AUTHOR:
        posts = erasing.posts_by(tx, subject.source, subject.key, until)
        publishing.remove_posts(tx, posts, at)
        erasing.texts_of_posts(tx, posts)
        report.posts += len(posts)
        report.add({"posts, their passages and vectors": len(posts)})
    else:
        replacement = subject.pseudonym(key)
        report.add(erasing.somebody(tx, known, replacement, until))
    report.add({
        "audit entries that named them": erasing.cut_from_audit(tx, known.called, replacement),
        "error messages": erasing.forget_errors(tx, known.called),
    })  # fmt: skip


def _mentions(tx: Tx, known: Sequence[Known]) -> list[Mention]:
    return list(dict.fromkeys(found for each in known for found in erasing.mentions(tx, each.called)))
