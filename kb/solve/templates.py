"""Templates: who may change them, what a text lacks by its template, and that nothing is published without it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime

from kb import clock
from kb.article import Article, Revision
from kb.errors import Conflict, Invalid, NotFound
from kb.person import Person, Right
from kb.solve.access import require_staff
from kb.store import articles, audit
from kb.store import templates as store
from kb.store.database import Database, Tx
from kb.template import Field, Problem, Template
from kb.text import outline
from kb.text.script import fold
from kb.text.withholding import source_for

SUBJECT = "template"
"""What audit entries call a template."""


def listing(db: Database, by: Person) -> list[Template]:
    """All templates, the default first. For staff."""
    require_staff(by)
    with db.read() as tx:
        return store.every(tx)


def read(db: Database, by: Person, template_id: str) -> Template:
    """One template; raises NotFound, NotAllowed."""
    require_staff(by)
    with db.read() as tx:
        return store.get(tx, template_id)


def create(
    db: Database, by: Person, names: Mapping[str, str], fields: Sequence[Field], is_default: bool = False
) -> Template:
    """A new template. Needs the right to administer; raises Invalid."""
    by.require(Right.ADMINISTER)
    at = clock.now()
    template = _checked(Template(uuid.uuid4().hex, dict(names), tuple(fields), is_default)).changed(by.id, at)
    with db.write() as tx:
        store.lock(tx)
        _make_way(tx, by, template, at)
        store.insert(tx, template)
        audit.write(tx, [_change(by, "create", None, template, at)])
    return template


def change(
    db: Database,
    by: Person,
    template_id: str,
    version: int,
    *,
    names: Mapping[str, str],
    fields: Sequence[Field],
    is_default: bool,
    active: bool,
) -> Template:
    """Give a template other fields; articles in it keep to the new ones from their next save on.

    Raises Conflict when it has another version than the caller read, Invalid, NotFound, NotAllowed.
    """
    by.require(Right.ADMINISTER)
    at = clock.now()
    with db.write() as tx:
        store.lock(tx)
        before = store.get(tx, template_id).expect(version)
        if before.is_default and not is_default:
            raise Invalid("one template is offered first: make another one that", "is_default")
        wanted = replace(before, names=dict(names), fields=tuple(fields), is_default=is_default, active=active)
        after = _checked(wanted).changed(by.id, at)
        _make_way(tx, by, after, at)
        _update(tx, by, before, after, at)
    return after


def pickable(tx: Tx, template_id: str) -> None:
    """Nothing, or Invalid for a template that writers may not pick."""
    try:
        active = store.get(tx, template_id).active
    except NotFound:
        active = False
    if not active:
        raise Invalid(f"there is no template {template_id} to write in", "template")


def problems(db: Database, by: Person, article: Article) -> list[Problem]:
    """What the latest text of an article lacks by its template, as far as `by` may know."""
    with db.read() as tx:
        return _problems(tx, by, article.template, articles.get_revision(tx, article.id, article.latest).body)


def problems_of(db: Database, by: Person, template_id: str, body: str) -> list[Problem]:
    """The same of a draft that is not saved; raises Invalid for a template that is not there."""
    with db.read() as tx:
        pickable(tx, template_id)
        return _problems(tx, by, template_id, body)


def require(tx: Tx, by: Person, article: Article, shown: Revision) -> None:
    """Nothing, or Invalid for a text that may not be published because of its template."""
    if wrong := _problems(tx, by, article.template, shown.body):
        raise Invalid("; ".join(f"{each.field or 'order'}: {each.message}" for each in wrong[:5]), "body")


def _problems(tx: Tx, by: Person, template_id: str, body: str) -> list[Problem]:
    if not template_id:
        return []
    return outline.problems(store.get(tx, template_id), source_for(body, by.tier), by.tier)


def _checked(template: Template) -> Template:
    """The template, unless two of its fields would be recognised by the same heading."""
    keys: dict[str, str] = {}
    for place, each in enumerate(template.check().fields):
        for language, name in each.names.items():
            if keys.setdefault(fold(name), each.key) != each.key:
                raise Invalid(f"{keys[fold(name)]} is called {name} as well", f"fields.{place}.names.{language}")
    return template


def _make_way(tx: Tx, by: Person, new: Template, at: datetime) -> None:
    """Only one template is the default."""
    if new.is_default:
        for other in store.every(tx):
            if other.is_default and other.id != new.id:
                _update(tx, by, other, replace(other, is_default=False).changed(by.id, at), at)


def _update(tx: Tx, by: Person, before: Template, after: Template, at: datetime) -> None:
    if not store.update(tx, before, after):
        raise Conflict("somebody else changed this template; read it again and repeat your change")
    audit.write(tx, [_change(by, "change", before, after, at)])


def _change(by: Person, action: str, before: Template | None, after: Template, at: datetime) -> audit.Change:
    old, new = audit.difference(_facts(before) if before else {}, _facts(after))
    return audit.Change(by.id, action, SUBJECT, after.id, old, new, at)


def _facts(template: Template) -> dict[str, object]:
    fields = [asdict(each) | {"names": dict(each.names)} for each in template.fields]
    return {"names": dict(template.names), "fields": fields, "is_default": template.is_default,
            "active": template.active}  # fmt: skip
