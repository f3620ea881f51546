"""The tables of webhooks, beside those of `kb.store.schema`."""

import sqlalchemy as sa

from kb.store.database import UtcDateTime
from kb.store.schema import BigId, metadata

webhook = sa.Table(
    "webhook",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("audience", sa.String(16), nullable=False),
    sa.Column("events", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("secret", sa.Text, nullable=False),  # kept as it is: it signs
    sa.Column("old_secret", sa.Text, nullable=False),
    sa.Column("old_until", UtcDateTime),
    sa.Column("created_by", sa.String(40), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("changed_by", sa.String(40), nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

# The outbox of webhooks: a row for each message to each, written in the transaction of what it tells.
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("webhook_id", sa.ForeignKey("webhook.id"), nullable=False),
    sa.Column("message_id", sa.String(40), nullable=False),
    sa.Column("key", sa.String(60), nullable=False),  # messages of one key come in order
    sa.Column("event", sa.String(40), nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("leased_until", UtcDateTime),  # a process has it until then
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("done_at", UtcDateTime),
    sa.Index("ix_delivery_due", "outcome", "due_at", "id"),
    sa.Index("ix_delivery_order", "webhook_id", "outcome", "key", "id"),
    sqlite_autoincrement=True,  # a number is never given twice
)
