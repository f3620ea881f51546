"""Pictures and files of articles: added, fetched, taken away.

Somebody may have a file if they are shown a text of its article that names it. So a picture in an internal block is
for staff, whatever hash a customer guesses, and one that a new revision no longer shows is gone at once; one that is
not in any text yet is for whoever added it. What is not for somebody looks like what does not exist.
"""

from collections.abc import Iterator

from kb import clock
from kb.article import Article, Revision
from kb.errors import Conflict, Invalid, NotFound
from kb.file import Attachment, File, Named, clean_name, references
from kb.media import read_file
from kb.passage import Kind
from kb.person import Person
from kb.solve import history, improve, seeing
from kb.solve.access import require_staff
from kb.store import articles, audit, files
from kb.store.database import Database, Tx
from kb.text.markdown import narrow

PER_ARTICLE = 100
"""Files that one article may have, those of its history included."""


def add(db: Database, by: Person, number: str, name: str, content: bytes, limit: int) -> tuple[Attachment, Named]:
    """Give a file to an article that `by` may revise. The same file again is no second one.

    Raises Invalid for more than `limit` bytes and for what `kb.media` does not take, NotFound, NotAllowed.
    """
    file = checked(content, limit)
    named = Named(clean_name(name, file.media_type), file)
    at = clock.now()
    with db.write() as tx:
        article = improve.revisable(tx, by, seeing.article(tx, by, number, at).id, at)
        had = {each.hash for each in files.attached(tx, article.id)}
        if file.hash not in had:
            if len(had) >= PER_ARTICLE:
                raise Invalid(f"an article has at most {PER_ARTICLE} files", "file")
            files.keep(tx, file, at)
            files.attach(tx, article.id, file.hash, named.name, by.id, at)
            audit.write(tx, [audit.Change(by.id, "attach", Kind.ARTICLE, article.id, {}, {"file": file.hash}, at)])
        return files.get(tx, article.id, file.hash), named


def checked(content: bytes, limit: int) -> File:
    """The file in these bytes; raises Invalid for more than `limit` of them and for what `kb.media` does not take."""
    if len(content) > limit:
        raise Invalid(f"the file has {len(content) / 1e6:.1f} MB; at most {limit / 1e6:g} MB are possible", "file")
    return read_file(content)


def listing(db: Database, by: Person, number: str) -> list[Attachment]:
    """The files of an article that `by` may have, in the order in which they were added. For staff."""
    with db.read() as tx:
        article = seeing.article(tx, by, number, clock.now())
        require_staff(by)
        texts = [*_texts(tx, by, article)]
        return [each for each in files.attached(tx, article.id) if _may_have(by, each, iter(texts))]


def fetch(db: Database, by: Person, number: str, digest: str, known: bool = False) -> tuple[Attachment, bytes]:
    """A file that `by` may have, without its bytes if they are `known` already; raises NotFound."""
    with db.read() as tx:
        article = seeing.article(tx, by, number, clock.now())
        found = files.get(tx, article.id, digest)
        if not _may_have(by, found, _texts(tx, by, article)):
            raise NotFound(f"no file {digest}")
        return found, b"" if known else files.content(tx, digest)


def remove(db: Database, by: Person, number: str, digest: str) -> None:
    """Take a file from an article, its history included. Raises Conflict while readers or the latest draft need it."""
    at = clock.now()
    with db.write() as tx:
        article = improve.revisable(tx, by, seeing.article(tx, by, number, at).id, at)
        if not _may_have(by, files.get(tx, article.id, digest), _texts(tx, by, article)):
            raise NotFound(f"no file {digest}")
        for needed in {article.published or article.latest, article.latest}:
            if digest in references(articles.get_revision(tx, article.id, needed).body):
                raise Conflict(f"revision {needed} shows this file; revise the article without it first")
        files.detach(tx, article.id, [digest])
        audit.write(tx, [audit.Change(by.id, "detach", Kind.ARTICLE, article.id, {"file": digest}, {}, at)])


def _may_have(by: Person, each: Attachment, texts: Iterator[str]) -> bool:
    own = by.is_staff and each.added_by == by.id
    return own or any(each.hash in references(text) for text in texts)


def _texts(tx: Tx, by: Person, article: Article) -> Iterator[str]:
    """The texts of an article that `by` is shown: the one for readers, and for staff those of the history."""
    shown: Revision = articles.get_revision(tx, article.id, article.published or article.latest)
    yield narrow(shown.body, by.tier)
    if by.is_staff:
        for each in history.visible(tx, by, article):
            yield each.body
