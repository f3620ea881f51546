"""Community posts into kb's record, a batch in one transaction.

Passages are cut before the transaction is opened, so that people's writes never wait for it. A post of which only
the votes or the like have changed keeps its passages.
"""

import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ingest.contract import Item, Outcome, Problem
from kb import clock
from kb.erasure import Subject, SubjectKind
from kb.errors import Conflict
from kb.passage import ItemRef
from kb.person import Person
from kb.post import Post
from kb.solve import publishing
from kb.store import audit, ledger, posts
from kb.store.database import Database, Tx

log = logging.getLogger(__name__)

_IDS = uuid.UUID("0d2f7a52-6d5e-5a0e-8f0b-7c1f64d6b3a9")
_SEARCHED = ("title", "body", "language", "audience", "topic", "products", "tags")  # what passages are made of
_PAGE = 1_000


class Posts:
    """Takes in posts. Their ids are computed from source and key, so that one that comes back is the same one."""

    batch = 100

    def __init__(self, db: Database, by: Person, source: str, *, dry_run: bool = False) -> None:
        self._db = db
        self._by = by
        self._source = source
        self._dry_run = dry_run

    def keep(self, items: Sequence[Item[Post]]) -> Sequence[tuple[str, Outcome] | Problem]:
        """Write the posts that are new or changed; unchanged ones cost one look."""
        try:
            return self._keep(items)
        except Conflict:  # another run brings in the same: now they are known
            return self._keep(items)

    def unsettled(self) -> Collection[str]:
        """None: posts name nothing."""
        return ()

    def is_unsettled(self, key: str) -> bool:
        """Never."""
        return False

    def last_problems(self, is_present: Callable[[str], bool]) -> Iterable[Problem]:
        """None."""
        return ()

    def stored(self) -> Iterator[str]:
        """The keys of all posts of this source, a page at a time."""
        after = ""
        while True:
            with self._db.read() as tx:
                found = posts.keys_after(tx, self._source, after, _PAGE)
            if not found:
                return
            yield from found
            after = found[-1]

    def remove(self, keys: Sequence[str]) -> int:
        """Take posts out of the record."""
        at = clock.now()
        with self._db.write() as tx:
            ids = [post_id for post_id, _, _ in posts.known(tx, self._source, keys).values()]
            publishing.remove_posts(tx, ids, at)
            self._log(tx, {"removed": len(ids)})
        return len(ids)

    def _keep(self, items: Sequence[Item[Post]]) -> list[tuple[str, Outcome] | Problem]:
        with self._db.read() as tx:
            known = posts.known(tx, self._source, [item.key for item in items])
            same = {item.key for item in items if item.key in known and known[item.key][2] == item.hash}
            same |= self._erased(tx, items)
            before = posts.by_ids(tx, [known[item.key][0] for item in items if item.key in known.keys() - same])
        writing = [self._numbered(item, before) for item in items if item.key not in same]
        cuts, broken = _cut([post for post in writing if _is_searched_anew(post, before)])
        new = [post for post in writing if post.id not in before and post.id not in broken]
        changed = [post for post in writing if post.id in before and post.id not in broken]
        if (new or changed) and not self._dry_run:
            with self._db.write() as tx:
                publishing.save_posts(tx, new, changed, cuts, clock.now())
                self._log(tx, {"created": len(new), "updated": len(changed)})
        return [self._answer(item, same, before, broken) for item in items]

    def _erased(self, tx: Tx, items: Sequence[Item[Post]]) -> set[str]:
        """Keys of posts older than the erasure of their author. A source that has not forgotten does not bring them
        back; what the author wrote later is taken in."""
        authors = {item.key: Subject(SubjectKind.AUTHOR, item.content.author, self._source) for item in items}
        gone = ledger.erased(tx, authors.values())
        return {
            item.key
            for item in items
            if authors[item.key] in gone and item.content.created_at <= gone[authors[item.key]]
        }

    def _numbered(self, item: Item[Post], before: Mapping[str, Post]) -> Post:
        """The post with its id and the revision it will have."""
        post = replace(item.content, id=self._id(item.key))
        old = before.get(post.id)
        if old is None:
            return post
        return replace(post, revision=old.revision + _is_searched_anew(post, before))

    def _answer(
        self, item: Item[Post], same: set[str], before: Mapping[str, Post], broken: Mapping[str, str]
    ) -> tuple[str, Outcome] | Problem:
        post_id = self._id(item.key)
        if post_id in broken:
            return Problem(item.file, broken[post_id], item.line, item.key)
        if item.key in same:
            return item.key, Outcome.UNCHANGED
        return item.key, Outcome.UPDATED if post_id in before else Outcome.CREATED

    def _id(self, key: str) -> str:
        return uuid.uuid5(_IDS, f"{self._source}\x1f{key}").hex

    def _log(self, tx: Tx, counts: Mapping[str, object]) -> None:
        """One audit entry a batch: an entry for each of a million posts would tell nobody anything."""
        audit.write(tx, [audit.Change(self._by.id, "ingest", "posts", self._source, {}, counts, clock.now())])


def _is_searched_anew(post: Post, before: Mapping[str, Post]) -> bool:
    old = before.get(post.id)
    return old is None or any(getattr(old, name) != getattr(post, name) for name in _SEARCHED)


def _cut(batch: Sequence[Post]) -> tuple[dict[ItemRef, publishing.Cut], dict[str, str]]:
    """Passages, and by id of the post why there are none."""
    cuts: dict[ItemRef, publishing.Cut] = {}
    broken: dict[str, str] = {}
    for post in batch:
        try:
            cuts |= publishing.cut_posts([post])
        except Exception as error:
            # A text nobody thought of must not stop the million behind it, at the same place in every run.
            log.debug("cutting %s of %s", post.source_key, post.source, exc_info=True)
            broken[post.id] = f"the text cannot be cut into passages: {type(error).__name__}: {error}"
    return cuts, broken
