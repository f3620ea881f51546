"""Articles and revisions in SQL."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kb.article import Article, Confidence, Governance, Revision, Size, shown_at
from kb.audience import Access, Audience, Reader
from kb.errors import Conflict, NotFound
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.standing import Standing
from kb.store import interactions
from kb.store.database import Tx, UtcDateTime, batches
from kb.store.schema import article, article_group, columns, revision

# Made once: to put a statement together costs as much as to run it, and every search asks these.
_GROUPS = sa.select(article_group.c.article_id, article_group.c.group).where(
    article_group.c.article_id.in_(sa.bindparam("ids", expanding=True))
)
_STANDING = sa.select(
    article.c.id, article.c.number, article.c.published, article.c.audience, article.c.confidence,
    article.c.governance, article.c.valid_from, article.c.valid_until, article.c.published_at, article.c.modified_at,
    article.c.superseded_by, article.c.source, article.c.products, article.c.tags, article.c.language,
    sa.select(revision.c.title)
    .where(revision.c.article_id == article.c.id)
    .where(revision.c.number == sa.func.coalesce(article.c.published, article.c.latest))
    .scalar_subquery()
    .label("title"),
    sa.exists().where(article_group.c.article_id == article.c.id).label("restricted"),
    interactions.resolved_count(Kind.ARTICLE, article.c.id).label("resolved"),
).where(article.c.id.in_(sa.bindparam("ids", expanding=True)))  # fmt: skip


def insert(tx: Tx, new: Article) -> None:
    """Add an article."""
    tx.execute(sa.insert(article).values(**_row(new)))
    _set_groups(tx, new)


def update(tx: Tx, before: Article, after: Article) -> None:
    """Write a changed article; raises Conflict if somebody else wrote it since `before` was read."""
    changed = tx.execute(
        sa.update(article).where(article.c.id == before.id, article.c.version == before.version).values(**_row(after))
    )
    if changed.rowcount != 1:
        raise Conflict(f"article {before.number} was changed by somebody else; read it again and repeat your change")
    if before.groups != after.groups:
        _set_groups(tx, after)


def add_revision(tx: Tx, new: Revision) -> None:
    """Add a revision."""
    tx.execute(sa.insert(revision).values(**asdict(new) | {"size": new.size.value}))


def get(tx: Tx, article_id: str) -> Article:
    """The article with that id; raises NotFound."""
    return _one(tx, article.c.id == article_id, article_id)


def by_number(tx: Tx, number: str) -> Article:
    """The article with that number; raises NotFound."""
    return _one(tx, article.c.number == number, number)


def by_ids(tx: Tx, ids: Iterable[str]) -> dict[str, Article]:
    """The articles with these ids, as far as they exist."""
    found = {}
    for batch in batches(list(ids)):
        found.update({each.id: each for each in _select(tx, article.c.id.in_(batch))})
    return found


def by_source(tx: Tx, source: str) -> dict[str, Article]:
    """All articles of one source, by their key there."""
    return {each.source_key: each for each in _select(tx, article.c.source == source)}


def known(tx: Tx, source: str, key: str | None = None) -> dict[str, tuple[str, str]]:
    """(id, source hash) of the articles of one source by their key there, all or the one with that key."""
    query = sa.select(article.c.source_key, article.c.id, article.c.source_hash).where(article.c.source == source)
    if key is not None:
        query = query.where(article.c.source_key == key)
    return {source_key: (article_id, content) for source_key, article_id, content in tx.execute(query)}


def ids_of(tx: Tx, numbers: Iterable[str]) -> dict[str, str]:
    """The ids of the articles with these numbers, as far as they exist, by number."""
    found: dict[str, str] = {}
    for batch in batches(sorted(set(numbers))):
        rows = tx.execute(sa.select(article.c.number, article.c.id).where(article.c.number.in_(batch)))
        found.update({number: article_id for number, article_id in rows})
    return found


def of_source_key(tx: Tx, keys: Iterable[str]) -> dict[str, str]:
    """The articles that any source calls by one of these keys: by id, the key."""
    found: dict[str, str] = {}
    for batch in batches(sorted(set(keys) - {""})):
        rows = tx.execute(sa.select(article.c.id, article.c.source_key).where(article.c.source_key.in_(batch)))
        found.update({article_id: key for article_id, key in rows})
    return found


def titles(tx: Tx, reader: Reader | None) -> Iterator[tuple[str, str]]:
    """Id and title of every article that a reader may read (None: of all), as it is shown, or else was last saved."""
    current = revision.c.number == sa.func.coalesce(article.c.published, article.c.latest)
    found = sa.select(article.c.id, revision.c.title).join(revision, (revision.c.article_id == article.c.id) & current)
    for row in tx.execute(found if reader is None else found.where(may_read(reader))):
        yield row.id, row.title


def number_exists(tx: Tx, number: str) -> bool:
    """Whether an article has that number."""
    return tx.execute(sa.select(article.c.id).where(article.c.number == number)).first() is not None


def get_revision(tx: Tx, article_id: str, number: int) -> Revision:
    """One revision; raises NotFound."""
    row = tx.execute(
        sa.select(revision).where(revision.c.article_id == article_id, revision.c.number == number)
    ).first()
    if row is None:
        raise NotFound(f"no revision {number}")
    return _revision(row)


def sizes(tx: Tx, article_ids: Collection[str]) -> dict[str, list[tuple[int, Size]]]:
    """Number and size of every revision of these articles, oldest first."""
    found: dict[str, list[tuple[int, Size]]] = {}
    for batch in batches(sorted(article_ids)):
        wanted = sa.select(revision.c.article_id, revision.c.number, revision.c.size)
        for article_id, number, size in tx.execute(
            wanted.where(revision.c.article_id.in_(batch)).order_by(revision.c.article_id, revision.c.number)
        ):
            found.setdefault(article_id, []).append((number, Size(size)))
    return found


def translations(tx: Tx, article_id: str) -> list[Article]:
    """The articles that are translations of one, in order of number."""
    return list(_select(tx, article.c.translation_of == article_id))


def revisions(tx: Tx, article_id: str) -> list[Revision]:
    """All revisions of an article, oldest first."""
    rows = tx.execute(sa.select(revision).where(revision.c.article_id == article_id).order_by(revision.c.number))
    return [_revision(row) for row in rows]


def readable(
    tx: Tx,
    reader: Reader,
    *,
    live_at: datetime | None,
    having: Mapping[str, Collection[str]] | None = None,
    topic: str = "",
    published: bool | None = None,
    after: str = "",
    limit: int = 50,
) -> list[Article]:
    """Articles that a reader may read, in order of number, starting behind `after`.

    With `live_at`, only what readers are shown at that moment; otherwise drafts and archived ones as well. `having`
    maps columns to the values any of which will do, `topic` counts with all topics below it.
    """
    condition = may_read(reader) & (article.c.number > after)
    if live_at is not None:
        condition &= is_live(live_at)
    for name, values in (having or {}).items():
        condition &= article.c[name].in_(sorted(values))
    if topic:
        condition &= under(article.c.topic, topic)
    if published is not None:
        condition &= article.c.published.is_not(None) if published else article.c.published.is_(None)
    return list(_select(tx, condition, limit=limit))


def latest(
    tx: Tx,
    reader: Reader,
    live_at: datetime,
    *,
    topic: str = "",
    language: Language | None = None,
    behind: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[Article]:
    """Articles that a reader is shown at that moment, the one shown last as it is first, then by number downwards.

    `behind` is when that was, and the number, of the last one read; `topic` counts with all topics below it.
    """
    published = sa.func.coalesce(article.c.published_at, article.c.created_at)
    begins = article.c.valid_from
    since = sa.case((begins > published, begins), else_=published)
    condition = may_read(reader) & is_live(live_at)
    if topic:
        condition &= (article.c.topic == topic) | article.c.topic.startswith(f"{topic}/", autoescape=True)
    if language is not None:
        condition &= article.c.language == language.value
    if behind is not None:
        at = sa.literal(behind[0], UtcDateTime)
        condition &= (since < at) | ((since == at) & (article.c.number < behind[1]))
    rows = tx.execute(sa.select(article).where(condition).order_by(since.desc(), article.c.number.desc()).limit(limit))
    found = rows.all()
    groups = _groups(tx, [row.id for row in found])
    return [_article(row, groups.get(row.id, frozenset())) for row in found]


def placed(tx: Tx, reader: Reader, live_at: datetime) -> list[tuple[str, list[str]]]:
    """Topic and products of every article that a reader is shown at that moment, for counting."""
    rows = tx.execute(sa.select(article.c.topic, article.c.products).where(may_read(reader), is_live(live_at)))
    return [(topic, products) for topic, products in rows]


def expiring(tx: Tx, reader: Reader, until: datetime, owner_id: str | None, limit: int) -> list[Article]:
    """Articles in use that end by then or have ended, the first to end first; of one owner, or of all."""
    ends = article.c.valid_until.is_not(None) & (article.c.valid_until <= until)
    return list(_select(tx, _in_use(reader, owner_id) & ends, limit=limit, order=article.c.valid_until))


def ending(tx: Tx, since: datetime, until: datetime, condition: sa.ColumnElement[bool]) -> list[Article]:
    """Articles in use that end after `since` and by `until` and meet a condition, the first to end first."""
    ends = (article.c.valid_until > since) & (article.c.valid_until <= until)
    in_use = article.c.published.is_not(None) & (article.c.confidence != Confidence.ARCHIVED)
    return list(_select(tx, in_use & ends & condition, limit=None, order=article.c.valid_until))


def unconfirmed(
    tx: Tx, reader: Reader, since: datetime, owner_id: str | None, limit: int
) -> list[tuple[Article, datetime]]:
    """Articles in use that nobody has published or confirmed since then, with when somebody last did, oldest first."""
    last = sa.func.coalesce(article.c.confirmed_at, article.c.published_at)
    found = _select(tx, _in_use(reader, owner_id) & (last < since), limit=limit, order=last)
    return [(each, each.confirmed_at or each.published_at or each.created_at) for each in found]


def _in_use(reader: Reader, owner_id: str | None) -> sa.ColumnElement[bool]:
    owned = sa.true() if owner_id is None else article.c.owner_id == owner_id
    return may_read(reader) & owned & in_use()


def changed_since(tx: Tx, since: datetime) -> list[str]:
    """Ids of articles changed at or after that moment."""
    return list(tx.scalars(sa.select(article.c.id).where(article.c.modified_at >= since)))


def ids(tx: Tx, after: str, limit: int) -> list[str]:
    """The next ids in order, behind `after`."""
    return list(tx.scalars(sa.select(article.c.id).where(article.c.id > after).order_by(article.c.id).limit(limit)))


def standings(tx: Tx, ids: Sequence[str], at: datetime) -> dict[ItemRef, Standing]:
    """Where these articles stand, as far as they exist."""
    found = {}
    for batch in batches(ids):
        rows = tx.execute(_STANDING, {"ids": batch}).all()
        restricted = [row.id for row in rows if row.restricted]
        groups = _groups(tx, restricted)
        found.update({each.item: each for each in (_standing(row, groups, at) for row in rows)})
    return found


def may_read(reader: Reader) -> sa.ColumnElement[bool]:
    """The SQL twin of `Reader.may_read`, for lists."""
    tiers = [tier.value for tier in Audience if tier.rank <= reader.tier.rank]
    groups = sa.select(article_group.c.article_id).where(article_group.c.article_id == article.c.id)
    allowed = ~groups.exists()
    if reader.groups:
        allowed |= groups.where(article_group.c.group.in_(sorted(reader.groups))).exists()
    return article.c.audience.in_(tiers) & allowed


def in_use() -> sa.ColumnElement[bool]:
    """Published and not archived, whatever its dates."""
    return article.c.published.is_not(None) & (article.c.confidence != Confidence.ARCHIVED)


def under(column: sa.ColumnElement[str], topic: str) -> sa.ColumnElement[bool]:
    """That topic, or one below it."""
    return (column == topic) | column.startswith(f"{topic}/", autoescape=True)


def is_live(at: datetime) -> sa.ColumnElement[bool]:
    """The SQL twin of `Article.is_live`."""
    return (
        article.c.published.is_not(None)
        & (article.c.confidence != Confidence.ARCHIVED)
        & (article.c.valid_from.is_(None) | (article.c.valid_from <= at))
        & (article.c.valid_until.is_(None) | (article.c.valid_until > at))
    )


def state(each: Article) -> dict[str, object]:
    """The fields that the audit log compares."""
    row = _row(each) | {"groups": sorted(each.groups)}
    for key in ("id", "number", "created_at", "modified_at", "source_hash"):
        del row[key]
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}


def _one(tx: Tx, condition: sa.ColumnElement[bool], name: str) -> Article:
    for each in _select(tx, condition):
        return each
    raise NotFound(f"no article {name}")


def _select(
    tx: Tx, condition: sa.ColumnElement[bool], limit: int | None = None, order: sa.ColumnElement[Any] | None = None
) -> Iterable[Article]:
    """Those that meet a condition, in that order, then in order of number."""
    ordered = [article.c.number] if order is None else [order, article.c.number]
    rows = tx.execute(sa.select(article).where(condition).order_by(*ordered).limit(limit)).all()
    groups = _groups(tx, [row.id for row in rows])
    return [_article(row, groups.get(row.id, frozenset())) for row in rows]


def _groups(tx: Tx, ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """The groups of these articles; one that is not restricted is absent."""
    found: dict[str, set[str]] = {}
    for batch in batches(ids):
        for article_id, group in tx.execute(_GROUPS, {"ids": batch}):
            found.setdefault(article_id, set()).add(group)
    return {article_id: frozenset(groups) for article_id, groups in found.items()}


def _set_groups(tx: Tx, each: Article) -> None:
    tx.execute(sa.delete(article_group).where(article_group.c.article_id == each.id))
    if each.groups:
        tx.execute(sa.insert(article_group), [{"article_id": each.id, "group": name} for name in sorted(each.groups)])


def _row(each: Article) -> dict[str, Any]:
    row = {name: getattr(each, name) for name in columns(article)}
    enums = ("language", "audience", "confidence", "governance")
    return row | {name: row[name].value for name in enums} | {"products": list(each.products), "tags": list(each.tags)}


def _standing(row: Any, groups: Mapping[str, frozenset[str]], at: datetime) -> Standing:
    """A row of `_STANDING`, by position: by name takes twice as long."""
    (
        key, number, published, audience, confidence, governance, valid_from, valid_until, published_at, modified_at,
        superseded_by, source, products, tags, language, title, _, resolved,
    ) = row  # fmt: skip
    return Standing(
        item=ItemRef(Kind.ARTICLE, key),
        revision=published or 0,
        access=Access(Audience(audience), groups.get(key, frozenset())),
        live=shown_at(at, published, confidence, valid_from, valid_until),
        title=title or "",
        changed_at=published_at or modified_at,
        label=number,
        confidence=confidence,
        governance=governance,
        superseded_by=ItemRef(Kind.ARTICLE, superseded_by) if superseded_by else None,
        source=source or "kb",
        resolved=resolved,
        products=tuple(products),
        tags=tuple(tags),
        language=language,
    )


def _article(row: Any, groups: frozenset[str]) -> Article:
    fields: Mapping[str, Any] = row._mapping
    return Article(
        **{
            **fields,
            "language": Language(row.language),
            "audience": Audience(row.audience),
            "confidence": Confidence(row.confidence),
            "governance": Governance(row.governance),
            "products": tuple(row.products),
            "tags": tuple(row.tags),
            "groups": groups,
        }
    )


def _revision(row: Any) -> Revision:
    return Revision(**{**row._mapping, "size": Size(row.size)})
