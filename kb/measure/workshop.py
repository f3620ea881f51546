"""A service of its own in a temporary folder, filled the way production is filled."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

from kb import clock
from kb.audience import Audience, Reader
from kb.bootstrap import Service
from kb.errors import KbError
from kb.measure.collection import Collection, Document
from kb.measure.kept import PASSAGE, KeptEncoder, VectorFile
from kb.measure.plain import as_markdown
from kb.measure.progress import Progress
from kb.outbox import Lane
from kb.passage import ItemRef, Kind
from kb.post import Post
from kb.search.encoder import Encoder
from kb.search.loading import BackgroundEncoder
from kb.settings import Settings
from kb.solve import cataloguing, publishing
from kb.store import articles, outbox, passages
from kb.store.database import Database

SOURCE = "measured"

_AT_ONCE = 500  # documents a transaction
_KEEP_EVERY_S = 20.0  # what an interrupted run loses at most
_PAGE = 1_000


@contextmanager
def temporary_service(settings: Settings, encoder: Encoder) -> Iterator[Service]:
    """A service with an empty record and the embedded engine, in a folder that goes when the block ends."""
    ready = BackgroundEncoder(lambda: encoder, encoder.identity).start()
    ready.wait()
    with tempfile.TemporaryDirectory(prefix="kb-measure-", ignore_cleanup_errors=True) as folder:
        own = settings.model_copy(update={"data_dir": Path(folder), "database_url": "", "qdrant_url": ""})
        service = Service(own, encoder=ready, indexing=False).prepare()
        try:
            yield service
        finally:
            service.close()


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is in the record: the documents' ids by item, and a member of staff in every group there is."""

    ids: Mapping[ItemRef, str]
    reader: Reader


def load(service: Service, collection: Collection, progress: Progress) -> Loaded:
    """Write a collection to the record."""
    if collection.articles is not None:
        progress.begin("reading articles")
        _ingest(service.settings, collection.articles)
        return _loaded_articles(service.db)
    return Loaded(_load_posts(service.db, collection.documents(), progress), Reader(Audience.INTERNAL))


def index(service: Service, encoder: KeptEncoder, file: VectorFile, progress: Progress) -> None:
    """Bring the index up to date with the record, by the real indexer, encoding only what `file` does not keep."""
    missing = _give_kept(service.db, encoder, file)
    try:
        _settle(service, file, missing, progress)
    finally:
        _take_kept(service.db, file, encoder.digest, missing)
    cataloguing.load(service.db, service.catalogue)


def _settle(service: Service, file: VectorFile, missing: set[str], progress: Progress) -> None:
    indexer, digest = service.indexer, service.encoder.identity.digest if service.encoder.identity else ""
    with service.db.read() as tx:
        total = passages.count(tx)
    progress.begin(f"indexing {total:,} passages")
    build(service)
    progress.begin("encoding passages", len(missing))
    total, saved = len(missing), time.monotonic()
    while indexer.step() or indexer.encode_step():
        progress.update(min(indexer.counters.encoded, total))
        if time.monotonic() - saved > _KEEP_EVERY_S:
            _take_kept(service.db, file, digest, missing)
            saved = time.monotonic()
    _all_done(service.db)


def build(service: Service) -> None:
    """Build an index from the record, as a start without one does."""
    while service.indexer.step() and service.generations.building:
        pass
    # The build read the record after its last change: doing these rows too would double the time of a run.
    with service.db.write() as tx:
        while jobs := outbox.claim(tx, Lane.BULK_LEXICAL, _PAGE, clock.now()):
            outbox.done(tx, jobs)


def _all_done(db: Database) -> None:
    """Nothing, or KbError: figures of half an index would mislead."""
    with db.read() as tx:
        left = [each for each in outbox.backlog(tx, clock.now()) if each.waiting or each.failed]
    if left:
        raise KbError(f"{sum(each.waiting for each in left)} documents could not be indexed; see the log")


def _give_kept(db: Database, encoder: KeptEncoder, file: VectorFile) -> set[str]:
    """Put kept vectors into the record, where the indexer finds them; returns the hashes that have none."""
    missing: set[str] = set()
    for found in _pages(db):
        with db.read() as tx:
            texts = [
                each.hash
                for of_item in passages.of_items(tx, found).values()
                for each in of_item
                if encoder.identity.serves(each.language.family)
            ]
        kept = file.get(encoder.digest, PASSAGE, texts)
        missing |= set(texts) - kept.keys()
        with db.write() as tx:
            passages.keep_vectors(tx, encoder.digest, kept)
    return missing


def _take_kept(db: Database, file: VectorFile, digest: str, missing: set[str]) -> None:
    """Keep what has been encoded since the last time; `missing` loses it."""
    with db.read() as tx:
        fresh = passages.vectors(tx, digest, missing)
    file.put(digest, PASSAGE, fresh)
    missing -= fresh.keys()


def _pages(db: Database) -> Iterator[list[ItemRef]]:
    after: ItemRef | None = None
    while True:
        with db.read() as tx:
            items = passages.page(tx, after, _PAGE)
        if not items:
            return
        yield items
        after = items[-1]


def _load_posts(db: Database, documents: Iterable[Document], progress: Progress) -> dict[ItemRef, str]:
    progress.begin("reading documents")
    ids: dict[ItemRef, str] = {}
    batch: list[Post] = []
    for document in documents:
        post = post_of(document)
        ids[ItemRef(Kind.POST, post.id)] = document.id
        batch.append(post)
        if len(batch) == _AT_ONCE:
            _save(db, batch)
            progress.update(len(ids))
            batch = []
    _save(db, batch)
    return ids


def _save(db: Database, batch: Sequence[Post]) -> None:
    cuts = publishing.cut_posts(batch)
    with db.write() as tx:
        publishing.save_posts(tx, batch, [], cuts, clock.now())


def post_of(document: Document) -> Post:
    """The document as a post. Its id says nothing of its place in the file: ties are broken by it."""
    return Post(
        id=sha1(document.id.encode()).hexdigest(),
        source=SOURCE,
        source_key=document.id,
        title=document.title,
        body=as_markdown(document.text),
        language=document.language,
        author="",
        created_at=_WRITTEN,
        audience=Audience.INTERNAL,
    )


# One moment for all, so that no prior tells two documents apart.
_WRITTEN = clock.now()


def _ingest(settings: Settings, folder: Path) -> None:
    """Run the real importer on a folder of articles, in a process of its own: it stands above this package."""
    own = {"KB_DATA_DIR": str(settings.data_dir), "KB_DATABASE_URL": "", "KB_QDRANT_URL": ""}
    command = [sys.executable, "-m", "ingest", "articles", str(folder.resolve()), "--json"]
    done = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=False)
    if done.returncode:
        raise KbError(f"the articles in {folder} could not be read:\n{done.stderr.strip() or done.stdout.strip()}")
    last = json.loads(done.stdout.strip().splitlines()[-1])
    if not last["created"]:
        raise KbError(f"there are no articles in {folder}")


def _loaded_articles(db: Database) -> Loaded:
    ids: dict[ItemRef, str] = {}
    groups: set[str] = set()
    after = ""
    while True:
        with db.read() as tx:
            found = articles.ids(tx, after, _PAGE)
            for each in articles.by_ids(tx, found).values():
                ids[ItemRef(Kind.ARTICLE, each.id)] = each.source_key
                groups |= each.groups
        if not found:
            return Loaded(ids, Reader(Audience.INTERNAL, frozenset(groups)))
        after = found[-1]
