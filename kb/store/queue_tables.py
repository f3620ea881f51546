"""The tables of the editors' queue: lines worked out from the record and the trail, and what they are made from.

All of it but dismissals can be worked out anew. Items and persons are named without foreign keys: a line whose item is
gone is shown to nobody, and swept away later.
"""

import sqlalchemy as sa

from kb.store.database import UtcDateTime
from kb.store.schema import metadata

# What waits for an editor and is no case. Who may see a line follows from its items, or from its tier.
queue_line = sa.Table(
    "queue_line",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("tier", sa.String(16), primary_key=True),  # empty: of whoever may read its items
    sa.Column("demand", sa.Integer, nullable=False),
    sa.Column("item_kind", sa.String(16)),
    sa.Column("item_id", sa.String(40)),
    sa.Column("other_id", sa.String(40)),  # the other article of a pair
    sa.Column("due_at", UtcDateTime),
    sa.Column("words", sa.Text, nullable=False),  # what can be searched: query, title, number, folded
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("basis", sa.String(40), nullable=False),  # what it was worked out from: what is put aside holds for that
    sa.Column("shown", sa.Boolean, nullable=False),  # false: looked at, and nothing to do
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("dismissed_at", UtcDateTime),
    sa.Column("dismissed_by", sa.String(40)),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Index("ix_queue_line_demand", "kind", "tier", "demand", "id"),
    sa.Index("ix_queue_line_item", "item_id", "kind"),
    sa.Index("ix_queue_line_other_id", "other_id"),
)

# What somebody searched for lately, once for each person and words: the log of searches, folded.
asked = sa.Table(
    "asked",
    metadata,
    sa.Column("fold", sa.String(40), primary_key=True),
    sa.Column("tier", sa.String(16), primary_key=True),
    sa.Column("person_id", sa.String(40), primary_key=True),
    sa.Column("contact", sa.String(40), primary_key=True, index=True),  # the interaction, or empty
    sa.Column("query", sa.Text, nullable=False),  # as typed last
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("outcome", sa.String(16), nullable=False),  # nothing, ignored, opened
    sa.Column("at", UtcDateTime, nullable=False, index=True),
)

# How far the work on the queue has come, by what it works on.
queue_mark = sa.Table(
    "queue_mark",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("place", sa.String(100), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
