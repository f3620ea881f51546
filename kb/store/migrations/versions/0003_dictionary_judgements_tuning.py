"""A dictionary, judged queries, what calibration chose"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "synonym",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("means", sa.JSON(), nullable=False),
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("changed_by", sa.String(length=40), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_synonym")),
    )
    op.create_table(
        "judged_set",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judged_set")),
        sa.UniqueConstraint("name", name=op.f("uq_judged_set_name")),
    )
    op.create_table(
        "judged_query",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("set_id", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.String(length=64), nullable=False),
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["set_id"], ["judged_set.id"], name=op.f("fk_judged_query_set_id_judged_set")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judged_query")),
        sa.UniqueConstraint("set_id", "text_hash", "audience", name="uq_judged_query_text"),
    )
    op.create_table(
        "judgement",
        sa.Column("query_id", sa.String(length=40), nullable=False),
        sa.Column("item_kind", sa.String(length=16), nullable=False),
        sa.Column("item_id", sa.String(length=40), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("judged_by", sa.String(length=40), nullable=False),
        sa.Column("judged_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["query_id"], ["judged_query.id"], name=op.f("fk_judgement_query_id_judged_query")),
        sa.PrimaryKeyConstraint("query_id", "item_kind", "item_id", name=op.f("pk_judgement")),
    )
    with op.batch_alter_table("generation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tuning", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("generation", schema=None) as batch_op:
        batch_op.alter_column("tuning", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("generation", schema=None) as batch_op:
        batch_op.drop_column("tuning")
    op.drop_table("judgement")
    op.drop_table("judged_query")
    op.drop_table("judged_set")
    op.drop_table("synonym")
