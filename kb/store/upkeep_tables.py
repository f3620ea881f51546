"""Tables for what editors keep articles in order with: templates, licences of roles, checklists."""

import sqlalchemy as sa

from kb.store.database import UtcDateTime
from kb.store.schema import metadata

# What administrators made of the templates; what came with kb and was never changed has no row.
template = sa.Table(
    "template",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("names", sa.JSON, nullable=False),
    sa.Column("fields", sa.JSON, nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changed_by", sa.String(40), nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
)

# What a role may do, once somebody has changed it.
licence = sa.Table(
    "licence",
    metadata,
    sa.Column("role", sa.String(16), primary_key=True),
    sa.Column("rights", sa.JSON, nullable=False),
    sa.Column("names", sa.JSON, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changed_by", sa.String(40), nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
)

# How a revision keeps to the content standard. Its author stands in the revision.
checklist = sa.Table(
    "checklist",
    metadata,
    sa.Column("article_id", sa.String(40), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("computed", sa.JSON, nullable=False),
    sa.Column("ticked", sa.JSON, nullable=False),
    sa.Column("remark", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("checked_by", sa.String(40)),
    sa.Column("checked_at", UtcDateTime),
    sa.ForeignKeyConstraint(["article_id", "revision"], ["revision.article_id", "revision.number"]),
)
