"""Articles into kb's record: one article, one transaction.

What was taken in is told by its key and a hash over what the source says, with what its references stand for.
So a reference to an article that comes later is made good by looking at the item once more, a run that was killed in
between is completed by the next one, and a run that changes nothing writes nothing.

Articles that people changed in kb stay as they are until their source changes; then the source counts.
"""

import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.contract import Item, Outcome, Problem
from kb.article import Draft
from kb.errors import Conflict, KbError, Unavailable
from kb.outbox import Lane
from kb.person import Person
from kb.solve import improve
from kb.store import articles
from kb.store.database import Database

log = logging.getLogger(__name__)

_REFERENCES = ("superseded_by", "translation_of")
_WITHDRAWN = ""  # the hash of an article whose file is gone


@dataclass(frozen=True, slots=True)
class _Known:
    """An article of this source that is in kb."""

    id: str
    hash: str


@dataclass(frozen=True, slots=True)
class _Reference:
    """One that names another item by its key."""

    key: str
    field: str
    target: str
    file: str
    line: int | None


class Articles:
    """Takes in drafts whose references are keys of the same source.

    `has_file` tells whether a former key can still be an item of its own; where it cannot, an item with an equal
    hash and an unknown key is that article under a new name.
    """

    batch = 1

    def __init__(
        self,
        db: Database,
        by: Person,
        source: str,
        *,
        dry_run: bool = False,
        has_file: Callable[[str], bool] = lambda key: True,
    ) -> None:
        self._db = db
        self._by = by
        self._source = source
        self._dry_run = dry_run
        self._has_file = has_file
        self._known: dict[str, _Known] = {}
        self._moved: dict[str, str] = {}
        self._references: list[_Reference] = []
        self._unsettled: dict[str, list[str]] = {}
        self._read_known()

    def keep(self, items: Sequence[Item[Draft]]) -> Sequence[tuple[str, Outcome] | Problem]:
        """Write the items that are new or changed, each in its own transaction."""
        return [self._keep(item) for item in items]

    def unsettled(self) -> Collection[str]:
        """Items with a reference that could not be resolved when they were written and can be now."""
        return {key for key, targets in self._unsettled.items() if any(target in self._known for target in targets)}

    def is_unsettled(self, key: str) -> bool:
        """Whether it has a reference that has not been resolved so far."""
        return key in self._unsettled

    def last_problems(self, is_present: Callable[[str], bool]) -> Iterable[Problem]:
        """References to what the source does not have."""
        for each in self._references:
            if not is_present(each.target):
                reason = f"{each.field} names '{each.target}', which is not in this source"
                yield Problem(each.file, reason, each.line, each.key)

    def stored(self) -> Iterator[str]:
        """Keys of the articles that have not been withdrawn."""
        return iter(sorted(key for key, known in self._known.items() if known.hash != _WITHDRAWN))

    def remove(self, keys: Sequence[str]) -> int:
        """Archive articles that the source no longer has."""
        for key in keys:
            improve.withdraw_ingested(self._db, self._by, self._known[key].id, Lane.BULK_LEXICAL)
            self._known[key] = _Known(self._known[key].id, _WITHDRAWN)
        return len(keys)

    def _keep(self, item: Item[Draft]) -> tuple[str, Outcome] | Problem:
        first = item.key not in self._unsettled
        try:
            outcome = self._write(item)
        except Conflict:  # somebody edits it, or brings it in as well, right now
            self._read_known()
            try:
                outcome = self._write(item)
            except Conflict as error:
                return Problem(item.file, str(error), item.line, item.key)
        except Unavailable:
            raise  # the whole run waits, not this item alone
        except KbError as error:
            field = getattr(error, "field", "")
            return Problem(item.file, str(error), item.lines.get(field, item.line), item.key)
        except Exception as error:
            # A text nobody thought of must not stop those behind it, at the same place in every run.
            log.debug("%s of %s", item.key, self._source, exc_info=True)
            return Problem(item.file, f"cannot be taken in: {type(error).__name__}: {error}", item.line, item.key)
        if first:
            self._references += _references(item)
        return item.key, outcome

    def _write(self, item: Item[Draft]) -> Outcome:
        draft, missing = self._resolved(item.content)
        wanted = _hash_of(item.hash, draft)
        stored_as = self._stored_as(item, wanted)
        known = self._known.get(stored_as)
        if missing:
            self._unsettled[item.key] = missing
        if known is not None and (stored_as, known.hash) == (item.key, wanted):
            return Outcome.UNCHANGED
        if self._dry_run:
            article_id = known.id if known else f"new {item.key}"
        else:
            article_id = self._save(known, draft, (self._source, item.key, wanted))
        self._known.pop(stored_as, None)
        self._known[item.key] = _Known(article_id, wanted)
        return Outcome.CREATED if known is None else Outcome.UPDATED

    def _save(self, known: _Known | None, draft: Draft, source: tuple[str, str, str]) -> str:
        if known is None:
            return improve.create(self._db, self._by, draft, source=source, lane=Lane.BULK_LEXICAL).id
        return improve.replace_ingested(self._db, self._by, known.id, draft, source, Lane.BULK_LEXICAL).id

    def _stored_as(self, item: Item[Draft], wanted: str) -> str:
        """The key under which kb has the item: its own, its former one, or that of an equal file that is gone."""
        if item.key in self._known:
            return item.key
        if item.former_key in self._known:
            return item.former_key
        moved_from = self._moved.get(wanted, "")
        return moved_from if moved_from in self._known and not self._has_file(moved_from) else item.key

    def _resolved(self, draft: Draft) -> tuple[Draft, list[str]]:
        """The draft with ids in place of keys, and the keys that stand for nothing (yet)."""
        named = [target for target in (draft.superseded_by, draft.translation_of) if target is not None]
        found = {target: self._known[target].id for target in named if target in self._known}
        resolved = replace(
            draft,
            superseded_by=found.get(draft.superseded_by or ""),
            translation_of=found.get(draft.translation_of or ""),
        )
        return resolved, [target for target in named if target not in found]

    def _read_known(self) -> None:
        with self._db.read() as tx:
            found = articles.known(tx, self._source)
        self._known = {key: _Known(*each) for key, each in found.items()}
        self._moved = {known.hash: key for key, known in self._known.items() if known.hash != _WITHDRAWN}


def _references(item: Item[Draft]) -> list[_Reference]:
    named = {field: getattr(item.content, field) for field in _REFERENCES}
    return [
        _Reference(item.key, field, target, item.file, item.lines.get(field))
        for field, target in named.items()
        if target is not None
    ]


def _hash_of(content_hash: str, draft: Draft) -> str:
    """The hash of an item with what its references stand for; that of the item itself where it has none."""
    ids = [getattr(draft, field) or "" for field in _REFERENCES]
    return hashlib.sha256("/".join([content_hash, *ids]).encode()).hexdigest() if any(ids) else content_hash
