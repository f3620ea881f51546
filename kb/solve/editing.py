"""Two people edit the same article: the second learns what the first made of it, and nothing is lost."""

from dataclasses import dataclass

from kb.article import Article, Revision
from kb.errors import Conflict, NotFound
from kb.passage import Kind
from kb.person import Person
from kb.solve import history
from kb.store import articles, audit
from kb.store.database import Database, Tx
from kb.text.merging import Merged, merge


@dataclass(frozen=True, slots=True)
class Clash:
    """What an editor sent, what it was made from, what somebody else has saved meanwhile, and the three merged.

    `version` is the article's now: what to send with the merged text. `base` and `theirs` are as this editor may see
    them. They are the same when only the article's state has changed.
    """

    version: int
    base: Revision
    theirs: Revision
    title: str
    body: str
    merged_title: Merged
    merged_body: Merged


class EditConflict(Conflict):
    """Somebody else changed the article first; `clash` says how both texts go together."""

    def __init__(self, message: str, clash: Clash) -> None:
        super().__init__(message)
        self.clash = clash


def clash(db: Database, by: Person, article_id: str, version: int | None, title: str, body: str) -> Clash | None:
    """How a text that was made from an older version goes together with the present one.

    None where that version is the present one, never was, or `by` may not see one of the texts.
    """
    with db.read() as tx:
        article = articles.get(tx, article_id)
        number = _revision_at(tx, article, version)
        if number is None:
            return None
        try:
            base, theirs = (history.seen_revision(tx, by, article, each) for each in (number, article.latest))
        except NotFound:
            return None
    titles, bodies = merge(base.title, theirs.title, title), merge(base.body, theirs.body, body)
    return Clash(article.version, base, theirs, title, body, titles, bodies)


def _revision_at(tx: Tx, article: Article, version: int | None) -> int | None:
    """The latest revision when the article had that version, from the audit log."""
    if version is None or version >= article.version:
        return None
    latest: object = None
    for change in audit.of(tx, Kind.ARTICLE, article.id):
        latest = change.after.get("latest", latest)
        if change.after.get("version") == version:
            return int(str(latest)) if latest is not None else None
    return None
