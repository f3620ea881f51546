"""The tables. Alembic migrations in `migrations/` bring a database to exactly this (a test compares the two)."""

import sqlalchemy as sa

from kb.store.database import UtcDateTime

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# 64-bit on PostgreSQL; SQLite gives a growing key only to a plain INTEGER.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _id() -> sa.Column[str]:
    return sa.Column("id", sa.String(40), primary_key=True)


def _strings(name: str) -> "sa.Column[list[str]]":
    return sa.Column(name, sa.JSON, nullable=False)


person = sa.Table(
    "person",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("tier", sa.String(16), nullable=False),
    _strings("roles"),
    _strings("groups"),
    sa.Column("disabled", sa.Boolean, nullable=False, default=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

api_key = sa.Table(
    "api_key",
    metadata,
    _id(),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False, index=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
    _strings("scopes"),  # what it opens; a key without any opens nothing
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
)

password = sa.Table(
    "password",
    metadata,
    sa.Column("person_id", sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("login", sa.String(200), nullable=False, unique=True),
    sa.Column("hash", sa.Text, nullable=False),  # argon2id, with its parameters and salt
    sa.Column("changed_at", UtcDateTime, nullable=False),
)

# Who somebody is elsewhere: with an OpenID provider, or on the page of a host that signs for them.
identity = sa.Table(
    "identity",
    metadata,
    sa.Column("issuer", sa.String(200), primary_key=True),
    sa.Column("subject", sa.String(200), primary_key=True),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False, index=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

# Somebody signed in to our pages. Tokens are kept as hashes: who reads this table can be nobody.
session = sa.Table(
    "session",
    metadata,
    _id(),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False, index=True),
    _strings("scopes"),
    sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("previous_hash", sa.String(64), unique=True),  # the token before, good for a moment after a change
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("rotated_at", UtcDateTime, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False, index=True),
)

# Failed attempts to sign in, by a hash of the login or of the address.
failure = sa.Table(
    "failure",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("last_at", UtcDateTime, nullable=False),
    sa.Column("blocked_until", UtcDateTime),
)

# A foreign page that signs tokens for its agents or customers.
host = sa.Table(
    "host",
    metadata,
    _id(),
    sa.Column("name", sa.String(100), nullable=False, unique=True),
    sa.Column("algorithm", sa.String(16), nullable=False),
    sa.Column("key", sa.Text, nullable=False),  # a public key, or a secret that both know
    sa.Column("tier", sa.String(16), nullable=False),  # the most it may vouch for
    _strings("origins"),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("revoked_at", UtcDateTime),
)

topic = sa.Table(
    "topic",
    metadata,
    sa.Column("path", sa.String(200), primary_key=True),
    sa.Column("names", sa.JSON, nullable=False),
    sa.Column("position", sa.Integer, nullable=False, default=0),
)

product = sa.Table(
    "product",
    metadata,
    sa.Column("key", sa.String(100), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    _strings("models"),
    sa.Column("description", sa.Text, nullable=False, default=""),
)

article = sa.Table(
    "article",
    metadata,
    _id(),
    sa.Column("number", sa.String(8), nullable=False, unique=True),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("audience", sa.String(16), nullable=False),
    sa.Column("confidence", sa.String(20), nullable=False),
    sa.Column("governance", sa.String(16), nullable=False),
    sa.Column("topic", sa.String(200), nullable=False, index=True),
    _strings("products"),
    _strings("tags"),
    sa.Column("owner_id", sa.String(40), index=True),
    sa.Column("latest", sa.Integer, nullable=False),
    sa.Column("published", sa.Integer),
    sa.Column("published_at", UtcDateTime),
    sa.Column("valid_from", UtcDateTime),
    sa.Column("valid_until", UtcDateTime),
    sa.Column("superseded_by", sa.String(40)),
    sa.Column("translation_of", sa.String(40), index=True),
    sa.Column("source", sa.String(100), nullable=False),
    sa.Column("source_key", sa.Text, nullable=False),
    sa.Column("source_hash", sa.String(64), nullable=False),
    sa.Column("template", sa.String(40), nullable=False, server_default=""),
    sa.Column("translates", sa.Integer),  # the revision of its original
    sa.Column("confirmed_at", UtcDateTime),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("modified_at", UtcDateTime, nullable=False, index=True),
    # Written here has no source; two ingests of one source at once must not make one article twice.
    sa.Index(
        "ix_article_source",
        "source",
        "source_key",
        unique=True,
        sqlite_where=sa.text("source_key <> ''"),
        postgresql_where=sa.text("source_key <> ''"),
    ),
)

# A row for each group that may read a restricted article; an article without rows is not restricted.
article_group = sa.Table(
    "article_group",
    metadata,
    sa.Column("article_id", sa.ForeignKey("article.id"), primary_key=True),
    sa.Column("group", sa.String(100), primary_key=True),
)

revision = sa.Table(
    "revision",
    metadata,
    sa.Column("article_id", sa.ForeignKey("article.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("size", sa.String(16), nullable=False, server_default="content"),
    sa.Column("author_id", sa.String(40), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

# Pictures and files, each kept once, by the SHA-256 of what is in it.
file = sa.Table(
    "file",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("media_type", sa.String(100), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),  # bytes
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

# Who may read an article may read its files, as far as what they are shown refers to them.
article_file = sa.Table(
    "article_file",
    metadata,
    sa.Column("article_id", sa.ForeignKey("article.id"), primary_key=True),
    sa.Column("hash", sa.ForeignKey("file.hash"), primary_key=True, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("added_by", sa.String(40), nullable=False),
    sa.Column("added_at", UtcDateTime, nullable=False),
)

post = sa.Table(
    "post",
    metadata,
    _id(),
    sa.Column("source", sa.String(100), nullable=False),
    sa.Column("source_key", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("audience", sa.String(16), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("votes", sa.Integer, nullable=False),
    sa.Column("accepted", sa.Boolean, nullable=False),
    sa.Column("thread", sa.Text, nullable=False),
    sa.Column("topic", sa.String(200), nullable=False),
    _strings("products"),
    _strings("tags"),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("modified_at", UtcDateTime, nullable=False, index=True),
    sa.UniqueConstraint("source", "source_key"),
    sa.Index("ix_post_url", "url", postgresql_using="hash"),  # a tree takes no long ones
)

# The passages of what readers see now: of the published revision of each article, of each post.
# Derived from the tables above in the same transaction, so that an answer never has to cut Markdown.
passage = sa.Table(
    "passage",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("item_id", sa.String(40), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True),
    sa.Column("hash", sa.String(64), nullable=False, index=True),
    sa.Column("title", sa.Text, nullable=False),
    _strings("heading"),
    sa.Column("field", sa.String(40), nullable=False),
    sa.Column("environment", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("audience", sa.String(16), nullable=False),
    _strings("groups"),
    sa.Column("restricted", sa.Boolean, nullable=False),  # whether groups are named
    sa.Column("topic", sa.String(200), nullable=False),
    _strings("products"),
    _strings("tags"),
    sa.Column("confidence", sa.String(20), nullable=False),
    sa.Column("source", sa.String(100), nullable=False),
    sa.Column("length", sa.Integer, nullable=False),  # tokens, for BM25's average length
    sa.Index("ix_passage_length", "restricted", "audience", "length"),
)

# Kept by what was encoded and with what, so that nothing is encoded twice.
vector = sa.Table(
    "vector",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),  # first in the key: erased by it, whatever the encoder
    sa.Column("encoder", sa.String(64), primary_key=True),
    sa.Column("vector", sa.LargeBinary, nullable=False),  # float32, little-endian
)

interaction = sa.Table(
    "interaction",
    metadata,
    _id(),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("external_id", sa.String(200), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False, index=True),
    sa.Column("product", sa.String(100), nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("continues", sa.ForeignKey("interaction.id"), index=True),
    sa.Column("continuation", sa.String(16)),
    sa.Column("opened_by", sa.String(40), nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    # The host desktop's id, where there is one: two of its windows open the same interaction.
    sa.Index(
        "ix_interaction_external_id",
        "external_id",
        unique=True,
        sqlite_where=sa.text("external_id <> ''"),
        postgresql_where=sa.text("external_id <> ''"),
    ),
)

# Append-only. A search outside any interaction has none; everything else belongs to one.
event = sa.Table(
    "event",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("interaction_id", sa.ForeignKey("interaction.id"), index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("person_id", sa.String(40), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("search_id", sa.String(40), index=True),
    sa.Column("position", sa.Integer),
    sa.Column("item_kind", sa.String(16)),
    sa.Column("item_id", sa.String(40)),
    sa.Column("revision", sa.Integer),
    sa.Column("ordinal", sa.Integer),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Index("ix_event_item", "item_kind", "item_id", "kind"),
    sa.Index("ix_event_kind_at", "kind", "at"),
    sqlite_autoincrement=True,  # a number is never given twice
)

# What the trail says last about an interaction and an item. Derived from it in the same transaction: counting the
# links of a popular article from 30,000 events would take longer than the search that asks.
link = sa.Table(
    "link",
    metadata,
    sa.Column("interaction_id", sa.ForeignKey("interaction.id"), primary_key=True),
    sa.Column("item_kind", sa.String(16), primary_key=True),
    sa.Column("item_id", sa.String(40), primary_key=True),
    sa.Column("type", sa.String(16), nullable=False),  # empty when it was unlinked
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index("ix_link_item", "item_kind", "item_id", "type"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("item_id", sa.String(40), nullable=False),
    sa.Column("lane", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),  # later than created_at after a failure, or for a date to come
    sa.Column("leased_until", UtcDateTime),  # an indexer has it until then
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Index("ix_outbox_lane_due", "lane", "due_at", "id"),
    sa.Index("ix_outbox_item", "kind", "item_id"),
    sqlite_autoincrement=True,  # a number is never given twice
)

# The managed dictionary: words that mean the same (`means` empty), or `terms` that also ask for `means`.
synonym = sa.Table(
    "synonym",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("terms", sa.JSON, nullable=False),
    sa.Column("means", sa.JSON, nullable=False),
    sa.Column("audience", sa.String(16), nullable=False),  # for whom it holds: that circle and those within
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created_by", sa.String(40), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("changed_by", sa.String(40), nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
)

# Sets of judged queries, collected at the workbench; `kb eval` reads them as it reads a folder.
judged_set = sa.Table(
    "judged_set",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False, unique=True),
    sa.Column("created_by", sa.String(40), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

judged_query = sa.Table(
    "judged_query",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("set_id", sa.ForeignKey("judged_set.id"), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("text_hash", sa.String(64), nullable=False),  # of the text, normalised: one query stands once in a set
    sa.Column("audience", sa.String(16), nullable=False),  # as whom it is asked
    sa.Column("created_by", sa.String(40), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("set_id", "text_hash", "audience", name="uq_judged_query_text"),
)

judgement = sa.Table(
    "judgement",
    metadata,
    sa.Column("query_id", sa.ForeignKey("judged_query.id"), primary_key=True),
    sa.Column("item_kind", sa.String(16), primary_key=True),
    sa.Column("item_id", sa.String(40), primary_key=True),
    sa.Column("grade", sa.Integer, nullable=False),  # 0 not relevant, 1 helps, 2 answers, 3 answers best
    sa.Column("judged_by", sa.String(40), nullable=False),
    sa.Column("judged_at", UtcDateTime, nullable=False),
)

# The indexes that exist or are being built. At most one is live.
generation = sa.Table(
    "generation",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),  # wanted, building, live, retired
    sa.Column("encoder", sa.String(64), nullable=False),
    sa.Column("encoder_name", sa.Text, nullable=False),
    sa.Column("dimension", sa.Integer, nullable=False),
    sa.Column("analyzer", sa.String(40), nullable=False),
    sa.Column("average_length", sa.Float, nullable=False),  # tokens a passage
    sa.Column("tuning", sa.JSON, nullable=False, default=dict),  # what calibration chose for it (kb.tuning)
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("touched_at", UtcDateTime, nullable=False),
    sa.Column("live_at", UtcDateTime),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("person_id", sa.String(40), nullable=False, index=True),
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("subject_kind", sa.String(16), nullable=False),
    sa.Column("subject_id", sa.String(40), nullable=False),
    sa.Column("before", sa.JSON, nullable=False),
    sa.Column("after", sa.JSON, nullable=False),
    sa.Index("ix_audit_subject", "subject_kind", "subject_id"),
    sqlite_autoincrement=True,  # a number is never given twice
)

# What was erased, as keyed hashes, so that a restored backup forgets it again. The key stands in `keyring`.
erasure = sa.Table(
    "erasure",
    metadata,
    sa.Column("subject_hash", sa.String(64), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
)

# Random keys of this installation, by purpose.
keyring = sa.Table(
    "keyring",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("key", sa.LargeBinary, nullable=False),
)


def columns(table: sa.Table) -> list[str]:
    """The names of a table's columns."""
    return [column.name for column in table.columns]
