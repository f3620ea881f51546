"""Alembic's entry: the connection comes from `kb.store.migrate`, never from a file."""

from typing import Any, Literal

from alembic import context

from kb.store.database import UtcDateTime
from kb.store.schema import metadata


def _render_item(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    """Migrations say what the database holds, not which of our classes reads it."""
    return "sa.DateTime()" if kind == "type" and isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most things in place
    render_item=_render_item,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
