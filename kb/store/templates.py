"""Templates in SQL. The one that comes with kb is there without a row."""

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from kb.audience import Audience
from kb.errors import NotFound
from kb.store.database import Tx
from kb.store.schema import columns
from kb.store.upkeep_tables import template
from kb.template import STANDARD, Field, Template


def every(tx: Tx) -> list[Template]:
    """All templates: what writers are offered first, then those they may pick, then the others."""
    found = [_template(row) for row in tx.execute(sa.select(template))]
    if all(each.id != STANDARD.id for each in found):
        found.append(STANDARD)
    return sorted(found, key=lambda each: (not each.is_default, not each.active, each.names["en"], each.id))


def get(tx: Tx, template_id: str) -> Template:
    """The template with that id; raises NotFound."""
    row = tx.execute(sa.select(template).where(template.c.id == template_id)).first()
    if row is None and template_id != STANDARD.id:
        raise NotFound(f"no template {template_id}")
    return STANDARD if row is None else _template(row)


def insert(tx: Tx, new: Template) -> None:
    """Add a template."""
    tx.execute(sa.insert(template).values(_row(new)))


def update(tx: Tx, before: Template, after: Template) -> bool:
    """Write a changed template; False, and nothing, if somebody else wrote it since `before` was read."""
    if before is STANDARD:
        insert(tx, after)
        return True
    same = (template.c.id == before.id) & (template.c.version == before.version)
    return tx.execute(sa.update(template).where(same).values(_row(after))).rowcount == 1


def lock(tx: Tx) -> None:
    """Let others who change templates wait: which is the default is said in several rows."""
    tx.execute(sa.select(template.c.id).order_by(template.c.id).with_for_update()).all()


def _row(each: Template) -> dict[str, Any]:
    row = {name: getattr(each, name) for name in columns(template)}
    fields = [asdict(field) | {"names": dict(field.names), "audience": field.audience.value} for field in each.fields]
    return row | {"names": dict(each.names), "fields": fields}


def _template(row: Any) -> Template:
    fields = tuple(Field(**each | {"audience": Audience(each["audience"])}) for each in row.fields)
    return Template(**{**row._mapping, "fields": fields})
