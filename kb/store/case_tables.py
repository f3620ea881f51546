"""The tables of flags and revision cases, beside those of `kb.store.schema`.

Items, persons, searches and interactions are named without foreign keys: a case stays readable when they are gone.
"""

import sqlalchemy as sa

from kb.store.database import UtcDateTime
from kb.store.schema import BigId, metadata

_UNFINISHED = sa.text("state IN ('open', 'in_progress', 'fixed')")
_TO_DO = sa.text("state IN ('open', 'in_progress')")

revision_case = sa.Table(
    "revision_case",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("fold", sa.String(64), nullable=False),
    sa.Column("cause", sa.String(20), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Column("audience", sa.String(16), nullable=False),
    sa.Column("groups", sa.Text, nullable=False),  # ":desk:vault:", or empty for all of that audience
    sa.Column("item_kind", sa.String(16)),
    sa.Column("item_id", sa.String(40)),
    sa.Column("label", sa.String(8), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("topic", sa.String(200), nullable=False),
    sa.Column("revision", sa.Integer),
    sa.Column("ordinal", sa.Integer),
    sa.Column("heading", sa.JSON, nullable=False),
    sa.Column("quote", sa.Text, nullable=False),
    sa.Column("words", sa.Text, nullable=False),  # what can be searched: number, title, quote, notes, folded
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("reuse", sa.Integer, nullable=False),
    sa.Column("demand", sa.Integer, nullable=False),
    sa.Column("owner_id", sa.String(40)),
    sa.Column("assignee_id", sa.String(40)),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("fixed_at", UtcDateTime),
    sa.Column("fixed_revision", sa.Integer),
    sa.Column("replaced_revision", sa.Integer),
    sa.Column("changes_meaning", sa.Boolean, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("proof", sa.String(16), nullable=False),
    sa.Column("closed_at", UtcDateTime),
    sa.Column("turn_around_s", sa.Float),
    sa.Column("version", sa.Integer, nullable=False),
    # Two flags with one key are one case, whoever comes first; beside finished cases a new one can open.
    sa.Index("ix_revision_case_fold", "fold", unique=True, sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
    sa.Index("ix_revision_case_item", "item_id", "severity", "state"),  # every search asks it for what is severe
    sa.Index("ix_revision_case_demand", "demand", "id"),
    sa.Index("ix_revision_case_state_demand", "state", "demand", "id"),
    sa.Index("ix_revision_case_owner_id", "owner_id", "demand", "id"),
    sa.Index("ix_revision_case_proof", "proof"),
    # The editors' queue: what is finished, most of all cases after a while, is not in its way.
    sa.Index("ix_revision_case_to_do", "demand", "id", sqlite_where=_TO_DO, postgresql_where=_TO_DO),
    sa.Index("ix_revision_case_to_do_owner", "owner_id", "demand", "id", sqlite_where=_TO_DO, postgresql_where=_TO_DO),
)

flag = sa.Table(
    "flag",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("case_id", sa.ForeignKey("revision_case.id"), nullable=False),
    sa.Column("cause", sa.String(20), nullable=False),
    sa.Column("person_id", sa.String(40), nullable=False, index=True),
    sa.Column("item_kind", sa.String(16)),
    sa.Column("item_id", sa.String(40)),
    sa.Column("revision", sa.Integer),
    sa.Column("ordinal", sa.Integer),
    sa.Column("quote", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("search_id", sa.String(40)),
    sa.Column("interaction_id", sa.String(40), index=True),
    sa.Column("severe", sa.Boolean, nullable=False),
    sa.Column("said_by", sa.String(200), nullable=False, server_default=""),  # somebody kb does not know
    sa.Column("said_in", sa.String(200), nullable=False, server_default=""),  # a contact kb does not know
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("case_id", "person_id"),  # who flags again says it anew, and counts once
)

# Rows of feedback that were brought in, by a hash of what names them: fed again, they are known.
feedback_row = sa.Table(
    "feedback_row",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("flag_id", sa.ForeignKey("flag.id"), nullable=False, index=True),
    sa.Column("matched", sa.String(16), nullable=False),  # by what the article was found
    sa.Column("likeness", sa.Float, nullable=False),  # 1: no doubt
    sa.Column("at", UtcDateTime, nullable=False),
)

# The history of a case with its comments. Append-only.
case_step = sa.Table(
    "case_step",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("case_id", sa.ForeignKey("revision_case.id"), nullable=False, index=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("person_id", sa.String(40), nullable=False),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("whom_id", sa.String(40)),  # who was given the case
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sqlite_autoincrement=True,  # a number is never given twice
)

# Flagged queries asked again after a fix. The query itself stands in the flag, and goes with it.
case_proof = sa.Table(
    "case_proof",
    metadata,
    sa.Column("case_id", sa.ForeignKey("revision_case.id"), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("flag_id", sa.ForeignKey("flag.id"), primary_key=True),
    sa.Column("before", sa.JSON, nullable=False),
    sa.Column("after", sa.JSON, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

notification = sa.Table(
    "notification",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("person_id", sa.String(40), nullable=False),
    sa.Column("news", sa.String(16), nullable=False),
    sa.Column("case_id", sa.ForeignKey("revision_case.id"), index=True),  # or an article, with its end
    sa.Column("article_id", sa.ForeignKey("article.id"), index=True),
    sa.Column("due", UtcDateTime),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("read_at", UtcDateTime),
    sa.UniqueConstraint("person_id", "case_id", "news", "round"),  # nobody is told twice
    sa.UniqueConstraint("person_id", "article_id", "news", "due"),
    sqlite_autoincrement=True,  # a number is never given twice
)

# Who looks after a domain: a topic with all topics below it that have no owner of their own.
domain_owner = sa.Table(
    "domain_owner",
    metadata,
    sa.Column("topic", sa.String(200), primary_key=True),
    sa.Column("person_id", sa.String(40), nullable=False, index=True),
)
