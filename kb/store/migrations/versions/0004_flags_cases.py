"""Flags, revision cases with their history and proofs, notifications, owners of domains"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "domain_owner",
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_domain_owner")),
    )
    with op.batch_alter_table("domain_owner", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_domain_owner_person_id"), ["person_id"], unique=False)
    op.create_table(
        "revision_case",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("fold", sa.String(length=64), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("groups", sa.Text(), nullable=False),
        sa.Column("item_kind", sa.String(length=16), nullable=True),
        sa.Column("item_id", sa.String(length=40), nullable=True),
        sa.Column("label", sa.String(length=8), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("ordinal", sa.Integer(), nullable=True),
        sa.Column("heading", sa.JSON(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("reuse", sa.Integer(), nullable=False),
        sa.Column("demand", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.String(length=40), nullable=True),
        sa.Column("assignee_id", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("fixed_at", sa.DateTime(), nullable=True),
        sa.Column("fixed_revision", sa.Integer(), nullable=True),
        sa.Column("replaced_revision", sa.Integer(), nullable=True),
        sa.Column("changes_meaning", sa.Boolean(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("proof", sa.String(length=16), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("turn_around_s", sa.Float(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision_case")),
    )
    with op.batch_alter_table("revision_case", schema=None) as batch_op:
        batch_op.create_index("ix_revision_case_demand", ["demand", "id"], unique=False)
        batch_op.create_index(
            "ix_revision_case_fold",
            ["fold"],
            unique=True,
            sqlite_where=sa.text("state IN ('open', 'in_progress', 'fixed')"),
            postgresql_where=sa.text("state IN ('open', 'in_progress', 'fixed')"),
        )
        batch_op.create_index("ix_revision_case_item", ["item_id", "severity", "state"], unique=False)
        batch_op.create_index("ix_revision_case_owner_id", ["owner_id", "demand", "id"], unique=False)
        batch_op.create_index("ix_revision_case_proof", ["proof"], unique=False)
        batch_op.create_index("ix_revision_case_state_demand", ["state", "demand", "id"], unique=False)
    op.create_table(
        "case_step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("whom_id", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["revision_case.id"], name=op.f("fk_case_step_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_step")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("case_step", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_step_case_id"), ["case_id"], unique=False)
    op.create_table(
        "flag",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("item_kind", sa.String(length=16), nullable=True),
        sa.Column("item_id", sa.String(length=40), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("ordinal", sa.Integer(), nullable=True),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("search_id", sa.String(length=40), nullable=True),
        sa.Column("interaction_id", sa.String(length=40), nullable=True),
        sa.Column("severe", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["revision_case.id"], name=op.f("fk_flag_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag")),
        sa.UniqueConstraint("case_id", "person_id", name=op.f("uq_flag_case_id_person_id")),
    )
    with op.batch_alter_table("flag", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flag_interaction_id"), ["interaction_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_flag_person_id"), ["person_id"], unique=False)
    op.create_table(
        "notification",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("news", sa.String(length=16), nullable=False),
        sa.Column("case_id", sa.String(length=40), nullable=True),
        sa.Column("article_id", sa.String(length=40), nullable=True),
        sa.Column("due", sa.DateTime(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("read_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_notification_article_id")),
        sa.ForeignKeyConstraint(["case_id"], ["revision_case.id"], name=op.f("fk_notification_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        sa.UniqueConstraint(
            "person_id", "case_id", "news", "round", name=op.f("uq_notification_person_id_case_id_news_round")
        ),
        sa.UniqueConstraint(
            "person_id", "article_id", "news", "due", name=op.f("uq_notification_person_id_article_id_news_due")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notification_article_id"), ["article_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_notification_case_id"), ["case_id"], unique=False)
    op.create_table(
        "case_proof",
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("flag_id", sa.String(length=40), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["revision_case.id"], name=op.f("fk_case_proof_case_id")),
        sa.ForeignKeyConstraint(["flag_id"], ["flag.id"], name=op.f("fk_case_proof_flag_id")),
        sa.PrimaryKeyConstraint("case_id", "round", "flag_id", name=op.f("pk_case_proof")),
    )


def downgrade() -> None:
    op.drop_table("case_proof")
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notification_case_id"))
        batch_op.drop_index(batch_op.f("ix_notification_article_id"))
    op.drop_table("notification")
    with op.batch_alter_table("flag", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flag_person_id"))
        batch_op.drop_index(batch_op.f("ix_flag_interaction_id"))
    op.drop_table("flag")
    with op.batch_alter_table("case_step", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_case_step_case_id"))
    op.drop_table("case_step")
    with op.batch_alter_table("revision_case", schema=None) as batch_op:
        batch_op.drop_index("ix_revision_case_state_demand")
        batch_op.drop_index("ix_revision_case_proof")
        batch_op.drop_index("ix_revision_case_owner_id")
        batch_op.drop_index("ix_revision_case_item")
        batch_op.drop_index(
            "ix_revision_case_fold",
            sqlite_where=sa.text("state IN ('open', 'in_progress', 'fixed')"),
            postgresql_where=sa.text("state IN ('open', 'in_progress', 'fixed')"),
        )
        batch_op.drop_index("ix_revision_case_demand")
    op.drop_table("revision_case")
    with op.batch_alter_table("domain_owner", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_domain_owner_person_id"))
    op.drop_table("domain_owner")
