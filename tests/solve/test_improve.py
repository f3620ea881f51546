from collections.abc import Callable

import pytest

from kb.article import Article, Confidence, Draft, Governance
from kb.audience import Audience
from kb.errors import Conflict, Invalid, NotAllowed, NotFound
from kb.language import Language
from kb.passage import Kind
from kb.person import SYSTEM, Person, Role
from kb.solve import improve
from kb.store import articles, audit, topics
from kb.store.database import Database
from kb.text.markdown import narrow

Write = Callable[..., Article]


def person(*roles: Role, tier: Audience = Audience.INTERNAL, groups: frozenset[str] = frozenset()) -> Person:
    return Person("-".join(sorted(roles)) or tier, "Somebody", tier, frozenset(roles), groups)


CANDIDATE, CONTRIBUTOR, PUBLISHER = (person(role) for role in (Role.CANDIDATE, Role.CONTRIBUTOR, Role.PUBLISHER))
COACH = person(Role.COACH)


def draft(**fields: object) -> Draft:
    return Draft(**{"title": "Red light", "body": "Restart.", "language": Language.ENGLISH,
                    "audience": Audience.INTERNAL, **fields})  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize(
    ("by", "fields", "allowed"),
    [
        (CANDIDATE, {}, True),
        (CANDIDATE, {"confidence": Confidence.VALIDATED}, False),
        (CANDIDATE, {"audience": Audience.PUBLIC}, False),
        (CONTRIBUTOR, {"confidence": Confidence.VALIDATED}, True),
        (CONTRIBUTOR, {"audience": Audience.PARTNER}, True),
        (CONTRIBUTOR, {"audience": Audience.CUSTOMER}, False),
        (PUBLISHER, {"audience": Audience.PUBLIC, "confidence": Confidence.VALIDATED}, True),
        (COACH, {"governance": Governance.COMPLIANCE}, False),
        (PUBLISHER, {"governance": Governance.COMPLIANCE}, True),
        (person(), {}, False),
        (person(tier=Audience.CUSTOMER), {"audience": Audience.PUBLIC}, False),
        (PUBLISHER, {"groups": frozenset({"fraud"})}, False),
        (person(Role.PUBLISHER, groups=frozenset({"fraud"})), {"groups": frozenset({"fraud"})}, True),
    ],
)
def test_a_role_says_what_may_be_written(
    sqlite_db: Database, by: Person, fields: dict[str, object], allowed: bool
) -> None:
    if allowed:
        assert improve.create(sqlite_db, by, draft(**fields)).published == 1
        return
    with pytest.raises(NotAllowed):
        improve.create(sqlite_db, by, draft(**fields))
    with sqlite_db.read() as tx:
        assert articles.readable(tx, SYSTEM.reader, live_at=None) == []


def test_everybody_with_a_role_may_propose_a_revision_that_readers_do_not_see_yet(
    sqlite_db: Database, write: Write
) -> None:
    article = write(audience=Audience.PUBLIC)
    proposed = improve.revise(sqlite_db, CANDIDATE, article.id, "Red light", "Better text.")
    assert (proposed.latest, proposed.published) == (2, 1)
    with pytest.raises(NotAllowed):
        improve.publish(sqlite_db, CANDIDATE, article.id, 2)
    assert improve.publish(sqlite_db, PUBLISHER, article.id, 2).published == 2


def test_publishing_an_older_revision_undoes_a_publish(sqlite_db: Database, write: Write) -> None:
    article = write("Red light", "First.")
    improve.revise(sqlite_db, SYSTEM, article.id, "Red light", "Second.", publish=True)
    assert improve.publish(sqlite_db, SYSTEM, article.id, 1).published == 1


def test_nobodys_edit_is_lost(sqlite_db: Database, write: Write) -> None:
    article = write()
    improve.revise(sqlite_db, PUBLISHER, article.id, "Red light", "Mine.", version=article.version)
    with pytest.raises(Conflict):
        improve.revise(sqlite_db, COACH, article.id, "Red light", "Yours.", version=article.version)


def test_what_one_may_not_read_one_cannot_change_nor_learn_of(sqlite_db: Database) -> None:
    fraud = person(Role.ADMIN, groups=frozenset({"fraud"}))
    article = improve.create(sqlite_db, fraud, draft(groups=frozenset({"fraud"})))
    with pytest.raises(NotFound) as hidden:
        improve.archive(sqlite_db, person(Role.ADMIN), article.id)
    with pytest.raises(NotFound) as missing:
        improve.archive(sqlite_db, person(Role.ADMIN), "0" * 32)
    assert str(hidden.value).replace(article.id, "") == str(missing.value).replace("0" * 32, "")


def test_a_revision_by_somebody_who_does_not_see_all_of_the_text_keeps_the_rest(
    sqlite_db: Database, write: Write
) -> None:
    article = write("Red light", "Restart.\n\n::: internal\nCheck Beacon.\n:::\n", audience=Audience.PARTNER)
    partner = person(Role.CONTRIBUTOR, tier=Audience.PARTNER)
    improve.revise(sqlite_db, partner, article.id, "Red light", "Restart twice.\n\nCall us.")
    with sqlite_db.read() as tx:
        kept = articles.get_revision(tx, article.id, 2).body
    assert kept == "::: internal\nCheck Beacon.\n:::\n\nRestart twice.\n\nCall us."


def test_no_invisible_character_opens_what_was_withheld(sqlite_db: Database, write: Write) -> None:
    article = write("Red light", "Restart.\n\n::: internal\nCheck Beacon.\n:::\n\nCall.", audience=Audience.PARTNER)
    partner = person(Role.CONTRIBUTOR, tier=Audience.PARTNER)
    improve.revise(sqlite_db, partner, article.id, "Red light", "``\u200b`\nRestart.\n\n```\n\nCall.")
    with sqlite_db.read() as tx:
        kept = articles.get_revision(tx, article.id, 2).body
    assert "Check Beacon" not in narrow(kept, Audience.PARTNER)
    assert "Check Beacon" in narrow(kept, Audience.INTERNAL)


def test_groups_that_somebody_does_not_know_of_stay_when_they_change_the_others(
    sqlite_db: Database, write: Write
) -> None:
    article = write(audience=Audience.INTERNAL, groups=frozenset({"desk", "vault"}))
    clerk = person(Role.CONTRIBUTOR, groups=frozenset({"desk", "night"}))
    changed = improve.set_state(sqlite_db, clerk, article.id, {"groups": frozenset({"night"})})
    assert changed.groups == {"night", "vault"}
    assert improve.set_state(sqlite_db, SYSTEM, article.id, {"groups": frozenset()}).groups == set()


def test_who_may_not_write_learns_no_version(sqlite_db: Database, write: Write) -> None:
    article = write()
    with pytest.raises(Conflict):
        improve.publish(sqlite_db, person(Role.CANDIDATE), article.id, 1, version=7)
    with pytest.raises(NotAllowed):
        improve.publish(sqlite_db, person(), article.id, 1, version=7)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": "  "}, "title"),
        ({"body": "::: intrenal\nx\n:::"}, ""),
        ({"topic": "Not A Path"}, "topic"),
    ],
)
def test_bad_input_is_refused_and_says_where(sqlite_db: Database, fields: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        improve.create(sqlite_db, SYSTEM, draft(**fields))
    assert refused.value.field == field or refused.value.line == 1


def test_an_archived_article_is_not_published_until_it_is_reopened(sqlite_db: Database, write: Write) -> None:
    article = write()
    improve.archive(sqlite_db, SYSTEM, article.id)
    with pytest.raises(Invalid):
        improve.publish(sqlite_db, SYSTEM, article.id, 1)
    improve.set_state(sqlite_db, SYSTEM, article.id, {"confidence": Confidence.NOT_VALIDATED})
    assert improve.publish(sqlite_db, SYSTEM, article.id, 1).published == 1


def test_every_change_is_in_the_audit_log_with_who_and_from_what_to_what(sqlite_db: Database, write: Write) -> None:
    article = write(topic="broadband/faults")
    improve.set_state(sqlite_db, PUBLISHER, article.id, {"audience": Audience.INTERNAL})
    with sqlite_db.read() as tx:
        created, changed = audit.of(tx, Kind.ARTICLE, article.id)
        assert [each.path for each in topics.all_topics(tx)] == ["broadband", "broadband/faults"]
    assert (created.action, created.person_id) == ("create", "system")
    assert (changed.action, changed.person_id) == ("state", "publisher")
    assert (changed.before["audience"], changed.after["audience"]) == ("public", "internal")
    assert "topic" not in changed.after
