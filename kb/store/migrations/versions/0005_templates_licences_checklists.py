"""Templates, what roles may do, checklists; the size of an edit, confirmations, what a translation says"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "template",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=40), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template")),
    )
    op.create_table(
        "licence",
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("rights", sa.JSON(), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=40), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("role", name=op.f("pk_licence")),
    )
    op.create_table(
        "checklist",
        sa.Column("article_id", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("computed", sa.JSON(), nullable=False),
        sa.Column("ticked", sa.JSON(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("checked_by", sa.String(length=40), nullable=True),
        sa.Column("checked_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["article_id", "revision"],
            ["revision.article_id", "revision.number"],
            name=op.f("fk_checklist_article_id_revision_revision"),
        ),
        sa.PrimaryKeyConstraint("article_id", "revision", name=op.f("pk_checklist")),
    )
    # As they are, not by a copy of the table: others refer to its rows.
    op.add_column("article", sa.Column("template", sa.String(length=40), nullable=False, server_default=""))
    op.add_column("article", sa.Column("translates", sa.Integer(), nullable=True))
    op.add_column("article", sa.Column("confirmed_at", sa.DateTime(), nullable=True))
    op.add_column("revision", sa.Column("size", sa.String(length=16), nullable=False, server_default="content"))
    # What translations said so far is not known: they count as of today.
    op.execute(
        "UPDATE article SET translates = (SELECT COALESCE(o.published, o.latest) FROM article o"
        " WHERE o.id = article.translation_of) WHERE translation_of IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_table("checklist")
    op.drop_column("revision", "size")
    for column in ("confirmed_at", "translates", "template"):
        op.drop_column("article", column)
    op.drop_table("licence")
    op.drop_table("template")
