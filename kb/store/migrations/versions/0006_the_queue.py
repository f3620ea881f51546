"""The editors' queue: lines that are no cases, searches folded, how far the work on them has come"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TO_DO = sa.text("state IN ('open', 'in_progress')")


def upgrade() -> None:
    op.create_table(
        "queue_line",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tier", sa.String(length=16), nullable=False),
        sa.Column("demand", sa.Integer(), nullable=False),
        sa.Column("item_kind", sa.String(length=16), nullable=True),
        sa.Column("item_id", sa.String(length=40), nullable=True),
        sa.Column("other_id", sa.String(length=40), nullable=True),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("basis", sa.String(length=40), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("dismissed_at", sa.DateTime(), nullable=True),
        sa.Column("dismissed_by", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("kind", "id", "tier", name=op.f("pk_queue_line")),
    )
    op.create_index("ix_queue_line_demand", "queue_line", ["kind", "tier", "demand", "id"])
    op.create_index("ix_queue_line_item", "queue_line", ["item_id", "kind"])
    op.create_index("ix_queue_line_other_id", "queue_line", ["other_id"])
    op.create_table(
        "asked",
        sa.Column("fold", sa.String(length=40), nullable=False),
        sa.Column("tier", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("contact", sa.String(length=40), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("fold", "tier", "person_id", "contact", name=op.f("pk_asked")),
    )
    op.create_index(op.f("ix_asked_at"), "asked", ["at"])
    op.create_index(op.f("ix_asked_contact"), "asked", ["contact"])
    op.create_table(
        "queue_mark",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_queue_mark")),
    )
    for name, columns in (("to_do", ["demand", "id"]), ("to_do_owner", ["owner_id", "demand", "id"])):
        op.create_index(
            f"ix_revision_case_{name}", "revision_case", columns, sqlite_where=_TO_DO, postgresql_where=_TO_DO
        )
    op.create_index(op.f("ix_article_owner_id"), "article", ["owner_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_article_owner_id"), table_name="article")
    op.drop_index("ix_revision_case_to_do_owner", table_name="revision_case")
    op.drop_index("ix_revision_case_to_do", table_name="revision_case")
    for table in ("queue_mark", "asked", "queue_line"):
        op.drop_table(table)
