"""Taking a person out of the record: what is deleted, what gets a pseudonym, and what still mentions them.

Every column that can name a person stands in one of the lists below; a test fails for a new one that does not.
Nothing here commits, and everything may be done twice.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kb.erasure import PSEUDONYM, Subject, SubjectKind
from kb.flag import Cause
from kb.interaction import RATINGS, EventKind
from kb.passage import Kind
from kb.person import ANONYMOUS, SYSTEM
from kb.queue import LineKind
from kb.store import queue_tables, schema, upkeep_tables, webhook_tables
from kb.store.case_tables import case_proof, case_step, domain_owner, flag, notification, revision_case
from kb.store.database import Tx, batches
from kb.store.schema import article, article_file, audit, event, failure, interaction, link, metadata, person, post
from kb.store.schema import revision as revision_table

PSEUDONYMISED = {
    audit.c.person_id: audit.c.at,
    event.c.person_id: event.c.at,
    interaction.c.opened_by: interaction.c.opened_at,
    revision_table.c.author_id: revision_table.c.created_at,
    article_file.c.added_by: article_file.c.added_at,
    schema.synonym.c.created_by: schema.synonym.c.created_at,
    schema.synonym.c.changed_by: schema.synonym.c.changed_at,
    schema.judged_set.c.created_by: schema.judged_set.c.created_at,
    schema.judged_query.c.created_by: schema.judged_query.c.created_at,
    schema.judgement.c.judged_by: schema.judgement.c.judged_at,
    flag.c.person_id: flag.c.created_at,
    case_step.c.person_id: case_step.c.at,
    case_step.c.whom_id: case_step.c.at,
    upkeep_tables.template.c.changed_by: upkeep_tables.template.c.changed_at,
    upkeep_tables.licence.c.changed_by: upkeep_tables.licence.c.changed_at,
    webhook_tables.webhook.c.created_by: webhook_tables.webhook.c.created_at,
    webhook_tables.webhook.c.changed_by: webhook_tables.webhook.c.changed_at,
    upkeep_tables.checklist.c.checked_by: upkeep_tables.checklist.c.checked_at,
    queue_tables.queue_line.c.dismissed_by: queue_tables.queue_line.c.dismissed_at,
}
"""Columns in which a pseudonym takes the place of a person's id, so that history stays readable; with the time of
the row."""

EMPTIED = (article.c.owner_id, revision_case.c.owner_id, revision_case.c.assignee_id)
DELETED = (
    schema.api_key.c.person_id, schema.password.c.person_id, schema.identity.c.person_id, schema.session.c.person_id,
    notification.c.person_id, domain_owner.c.person_id, queue_tables.asked.c.person_id, person.c.id,
)  # fmt: skip
"""Columns by which rows are deleted, in this order."""

_SHORTEST = 3  # bytes of a text that is looked for: anything shorter is everywhere


@dataclass(frozen=True, slots=True)
class Known:
    """A subject as the record knows it.

    `called` is all that it is called: what is looked for in texts. `named` says for a human who that is.
    `is_staff` decides whether the interactions that a person opened are theirs or a customer's.
    """

    subject: Subject
    called: frozenset[str]
    named: str
    is_staff: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where a text still names somebody: a table, the key of the row, and the columns."""

    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]


def everybody(tx: Tx) -> Iterator[Known]:
    """Every subject there is in the record."""
    for reference in tx.scalars(sa.select(interaction.c.subject).distinct().where(interaction.c.subject != "")):
        yield Known(Subject(SubjectKind.CUSTOMER, reference), frozenset({reference}), f"customer {reference}")
    yield from _people(tx)
    for source, author in tx.execute(sa.select(post.c.source, post.c.author).distinct().where(post.c.author != "")):
        named = f"{author}, author of posts in {source}"
        yield Known(Subject(SubjectKind.AUTHOR, author, source), frozenset({author}), named)


def customer(tx: Tx, reference: str, until: datetime | None = None) -> dict[str, int]:
    """Delete the interactions with a customer (opened until then). Returns rows changed, by what they are."""
    return _delete_interactions(tx, (interaction.c.subject == reference) & _until(interaction.c.opened_at, until))


def somebody(tx: Tx, known: Known, pseudonym: str, until: datetime | None = None) -> dict[str, int]:
    """Take out a person (as far as until then): account, keys, searches and comments go, a pseudonym stays in history.

    The interactions that somebody without a role opened are their own and go as well.
    """
    mine = known.subject.key
    own = (interaction.c.opened_by == mine) & _until(interaction.c.opened_at, until)
    done = {} if known.is_staff else _delete_interactions(tx, own)
    searched = (event.c.person_id == mine) & (event.c.kind == EventKind.SEARCHED) & _until(event.c.at, until)
    done["searches"] = tx.execute(sa.delete(event).where(searched)).rowcount
    done["queries of their flags"] = _forget_queries(tx, (flag.c.person_id == mine) & _until(flag.c.created_at, until))
    done["comments"] = _forget_comments(tx, (event.c.person_id == mine) & _until(event.c.at, until))
    about = (audit.c.subject_id == mine) & _until(audit.c.at, until)
    cleared = sa.update(audit).where(about).values(subject_id=pseudonym, before={}, after={})
    done["audit entries about them"] = tx.execute(cleared).rowcount
    tx.execute(sa.update(flag).where(flag.c.person_id == mine, _until(flag.c.created_at, until)).values(said_by=""))
    for column, at in PSEUDONYMISED.items():
        changed = sa.update(column.table).where(column == mine, _until(at, until)).values({column.name: pseudonym})
        done[f"{column.table.name}.{column.name} under a pseudonym"] = tx.execute(changed).rowcount
    for column in EMPTIED:
        emptied = sa.update(column.table).where(column == mine).values({column.name: None})
        done[f"{column.table.name}.{column.name} emptied"] = tx.execute(emptied).rowcount
    for column in DELETED:
        done[column.table.name] = tx.execute(sa.delete(column.table).where(column == mine)).rowcount
    _hide_searches(tx)
    tx.execute(sa.delete(failure))  # by a hash of the login: forgotten for all, rather than computed here
    return done


def posts_by(tx: Tx, source: str, author: str, until: datetime | None = None) -> list[str]:
    """Ids of the posts of an author (written until then)."""
    mine = (post.c.source == source) & (post.c.author == author) & _until(post.c.created_at, until)
    return list(tx.scalars(sa.select(post.c.id).where(mine)))


def texts_of_posts(tx: Tx, ids: Sequence[str]) -> None:
    """Drop what cases quote of posts, and their lines in the queue; the cases stay."""
    line = queue_tables.queue_line
    for batch in batches(ids):
        tx.execute(sa.delete(line).where(line.c.kind == LineKind.COMMUNITY.value, line.c.item_id.in_(batch)))
        about = (revision_case.c.item_kind == Kind.POST.value) & revision_case.c.item_id.in_(batch)
        of_them = sa.select(revision_case.c.id).where(about)
        tx.execute(sa.delete(case_proof).where(case_proof.c.case_id.in_(of_them)))
        tx.execute(sa.update(flag).where(flag.c.case_id.in_(of_them)).values(quote=""))
        tx.execute(sa.update(revision_case).where(about).values(title="", quote="", words="", heading=[]))


def cut_from_audit(tx: Tx, called: Iterable[str], replacement: str) -> int:
    """Put `replacement` where an audit entry's values name somebody. Returns how many entries that changed."""
    texts = _worth_looking_for(called)
    if not texts:
        return 0
    named = re.compile("|".join(map(_whole, sorted(texts, key=len, reverse=True))))
    found = tx.execute(sa.select(audit).where(_holds([audit.c.before, audit.c.after], texts))).all()
    changed = [
        {"is_id": row.id, "new_before": _cut(row.before, named, replacement), "new_after": cut}
        for row in found
        if (cut := _cut(row.after, named, replacement)) != row.after
        or _cut(row.before, named, replacement) != row.before
    ]
    if changed:
        values = {
            "before": sa.bindparam("new_before", type_=sa.JSON),
            "after": sa.bindparam("new_after", type_=sa.JSON),
        }
        tx.execute(sa.update(audit).where(audit.c.id == sa.bindparam("is_id")).values(values), changed)
    return len(changed)


def forget_errors(tx: Tx, called: Iterable[str]) -> int:
    """Drop the error texts of the outbox that name somebody. Returns how many."""
    texts = _worth_looking_for(called)
    if not texts:
        return 0
    return tx.execute(sa.update(schema.outbox).where(_holds([schema.outbox.c.error], texts)).values(error="")).rowcount


def mentions(tx: Tx, called: Iterable[str]) -> list[Mention]:
    """Where any text of the record still names somebody, letter case aside. Passages are left out: they are cut from
    the others. What is in files is not read."""
    texts = _worth_looking_for(called)
    if not texts:
        return []
    found: list[Mention] = []
    for table in metadata.sorted_tables:
        columns = [each for each in table.columns if isinstance(each.type, sa.String | sa.JSON)]
        if table is schema.passage or not columns:
            continue
        flags = [_holds([column], texts).label(f"in_{column.name}") for column in columns]
        keys = list(table.primary_key)
        for row in tx.execute(sa.select(*keys, *flags).where(sa.or_(*flags))):
            hits = tuple(c.name for c, hit in zip(columns, row[len(keys) :], strict=True) if hit)
            found.append(Mention(table.name, tuple(str(each) for each in row[: len(keys)]), hits))
    return found


def numbers_of_articles(tx: Tx, ids: Iterable[str]) -> dict[str, str]:
    """The numbers that articles are called by, by id."""
    found: dict[str, str] = {}
    for batch in batches(sorted(set(ids))):
        rows = tx.execute(sa.select(article.c.id, article.c.number).where(article.c.id.in_(batch)))
        found.update({article_id: number for article_id, number in rows})
    return found


def _until(at: sa.Column[datetime], until: datetime | None) -> sa.ColumnElement[bool]:
    return sa.true() if until is None else at <= until


def _people(tx: Tx) -> Iterator[Known]:
    logins = {row.person_id: row.login for row in tx.execute(sa.select(schema.password))}
    elsewhere: dict[str, set[str]] = {}
    for row in tx.execute(sa.select(schema.identity)):
        elsewhere.setdefault(row.person_id, set()).add(row.subject)
    known = {SYSTEM.id, ANONYMOUS.id}
    for row in tx.execute(sa.select(person)):
        known.add(row.id)
        names = {row.id, row.name, *elsewhere.get(row.id, ()), *filter(None, [logins.get(row.id)])}
        named = f"{row.name}, {', '.join(row.roles) or f'no role, reads as {row.tier}'}"
        yield Known(Subject(SubjectKind.PERSON, row.id), frozenset(names), named, is_staff=bool(row.roles))
    # A host's customers have no row: their ids stand in what they did.
    ids = sa.union(*(sa.select(column.label("id")).where(column.is_not(None)).distinct() for column in PSEUDONYMISED))
    strangers = sa.select(flag.c.person_id, flag.c.said_by).distinct().where(flag.c.said_by != "")
    said_by: dict[str, str] = {row.person_id: row.said_by for row in tx.execute(strangers)}
    for person_id in tx.scalars(ids):
        if person_id not in known and not person_id.startswith(PSEUDONYM):
            name = said_by.get(person_id)
            named = f"{name}, known by feedback" if name else f"somebody with id {person_id}"
            called = frozenset({person_id, *filter(None, [name])})
            yield Known(Subject(SubjectKind.PERSON, person_id), called, named)


def _delete_interactions(tx: Tx, condition: sa.ColumnElement[bool]) -> dict[str, int]:
    ids = sorted(_with_continuations(tx, condition))
    done = {"interactions": 0, "their events": 0, "their links": 0}
    for batch in batches(ids):
        # Locked first: an event that is being added now waits, and then finds its interaction gone.
        tx.execute(sa.select(interaction.c.id).where(interaction.c.id.in_(batch)).with_for_update())
        _forget_queries(tx, flag.c.interaction_id.in_(batch))
        tx.execute(sa.update(flag).where(flag.c.interaction_id.in_(batch)).values(interaction_id=None))
        tx.execute(sa.delete(queue_tables.asked).where(queue_tables.asked.c.contact.in_(batch)))
        done["their events"] += tx.execute(sa.delete(event).where(event.c.interaction_id.in_(batch))).rowcount
        done["their links"] += tx.execute(sa.delete(link).where(link.c.interaction_id.in_(batch))).rowcount
        later = sa.update(interaction).where(interaction.c.continues.in_(batch))
        tx.execute(later.values(continues=None, continuation=None))
    for batch in batches(ids):
        done["interactions"] += tx.execute(sa.delete(interaction).where(interaction.c.id.in_(batch))).rowcount
    _hide_searches(tx)
    return done


def _hide_searches(tx: Tx) -> None:
    """Show no failing search until it has been counted again, without whom was erased."""
    line = queue_tables.queue_line
    emptied = {"shown": False, "words": "", "data": {}}
    tx.execute(sa.update(line).where(line.c.kind == LineKind.SEARCH.value).values(emptied))


def _forget_queries(tx: Tx, condition: sa.ColumnElement[bool]) -> int:
    """Drop what was searched from flags, and with it the title of a gap, which is nothing else."""
    gaps = sa.select(flag.c.case_id).where(condition, flag.c.cause == Cause.NOTHING_ANSWERS.value)
    tx.execute(sa.update(revision_case).where(revision_case.c.id.in_(gaps)).values(title="", words=""))
    return tx.execute(sa.update(flag).where(condition, flag.c.query != "").values(query="", search_id=None)).rowcount


def _forget_comments(tx: Tx, condition: sa.ColumnElement[bool]) -> int:
    """Drop what was said with ratings, which are otherwise counted as they were."""
    rated = condition & event.c.kind.in_([each.value for each in RATINGS])
    commented = rated & event.c.data["comment"].as_string().is_not(None)
    return tx.execute(sa.update(event).where(commented).values(data={})).rowcount


def _with_continuations(tx: Tx, condition: sa.ColumnElement[bool]) -> set[str]:
    """These interactions and all they continue or are continued by, which are the same customer's, unless they name
    another one."""
    rows = tx.execute(sa.select(interaction.c.id, interaction.c.subject).where(condition)).all()
    found, references = {row.id for row in rows}, sorted({"", *(row.subject for row in rows)})
    new = found
    while new:
        near: set[str] = set()
        for batch in batches(sorted(new)):
            before = sa.select(interaction.c.continues).where(interaction.c.id.in_(batch))
            joined = interaction.c.continues.in_(batch) | interaction.c.id.in_(before)
            near.update(tx.scalars(sa.select(interaction.c.id).where(joined, interaction.c.subject.in_(references))))
        new = near - found
        found = found | new
    return found


def _worth_looking_for(called: Iterable[str]) -> list[str]:
    return sorted({text for text in called if len(text.encode()) >= _SHORTEST})


def _holds(columns: Sequence[sa.Column[Any]], texts: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether any column holds any of the texts; JSON is stored with what is not ASCII as escapes."""
    conditions = []
    for column in columns:
        as_text = sa.cast(column, sa.Text) if isinstance(column.type, sa.JSON) else column
        for text in texts:
            stored = json.dumps(text)[1:-1] if isinstance(column.type, sa.JSON) else text
            conditions.append(as_text.icontains(stored, autoescape=True))
    return sa.or_(*conditions)


def _whole(text: str) -> str:
    """A pattern for a text that is no part of a longer word or number. Chinese has no such borders."""
    before = r"(?<![A-Za-z0-9])" if re.match("[A-Za-z0-9]", text) else ""
    after = r"(?![A-Za-z0-9])" if re.search("[A-Za-z0-9]$", text) else ""
    return f"{before}{re.escape(text)}{after}"


def _cut(value: Any, named: re.Pattern[str], replacement: str) -> Any:
    if isinstance(value, str):
        return named.sub(replacement, value)
    if isinstance(value, list):
        return [_cut(each, named, replacement) for each in value]
    if isinstance(value, dict):
        return {key: _cut(each, named, replacement) for key, each in value.items()}
    return value
