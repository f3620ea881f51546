"""Feedback that was brought in, and webhooks"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # As it is, not by a copy of the table: others refer to its rows.
    for column in ("said_by", "said_in"):
        op.add_column("flag", sa.Column(column, sa.String(length=200), nullable=False, server_default=""))
    op.create_table(
        "feedback_row",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("flag_id", sa.String(length=40), nullable=False),
        sa.Column("matched", sa.String(length=16), nullable=False),
        sa.Column("likeness", sa.Float(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["flag_id"], ["flag.id"], name=op.f("fk_feedback_row_flag_id_flag")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_feedback_row")),
    )
    op.create_index(op.f("ix_feedback_row_flag_id"), "feedback_row", ["flag_id"])
    op.create_index("ix_post_url", "post", ["url"], postgresql_using="hash")


def downgrade() -> None:
    op.drop_index("ix_post_url", "post")
    op.drop_table("feedback_row")
    for column in ("said_in", "said_by"):
        op.drop_column("flag", column)
