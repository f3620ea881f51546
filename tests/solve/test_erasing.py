import re
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kb import clock
from kb.article import Draft
from kb.audience import Audience
from kb.erasure import PSEUDONYM, Ledger, Subject, SubjectKind, key_id
from kb.errors import Invalid, NotSignedIn, Unavailable
from kb.interaction import Channel, Continuation, EventKind, LinkType
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM, Person, Role
from kb.search.engines import EdgeEngine
from kb.solve import access, erasing, hosts, improve, passwords, trail
from kb.solve.restoring import restore
from kb.store import audit, backup, copying, interactions, keyring, ledger, passages, people
from kb.store import erasing as store_erasing
from kb.store.case_tables import flag
from kb.store.database import Database
from kb.store.schema import metadata, post
from kb.store.scrubbing import scrub
from tests.examples import NOON, an_event, an_interaction
from tests.filling import fill
from tests.solve.conftest import Works, ready
from tests.toys import ToyEncoder, bytes_on_disk
from tests.traces import SECRETS, a_life, assert_none_in, write_post

SECOND = timedelta(seconds=1)


def erase(db: Database, *named: str) -> erasing.Report:
    return erasing.erase(db, [one for each in named for one in erasing.find(db, each)])


def ids(db: Database, table: str) -> list[str]:
    with db.read() as tx:
        return sorted(tx.scalars(sa.select(next(iter(metadata.tables[table].primary_key)))))


# What the lists say of the schema


NOBODY = {
    "set_id", "query_id", "article_id", "item_id", "source_key", "source_hash", "subject_id", "interaction_id",
    "search_id", "flag_id", "case_id", "external_id", "superseded_by", "published", "topic", "webhook_id",
    "message_id", "other_id",
}  # fmt: skip
"""Columns that look as if they named a person and do not."""


def test_every_column_that_can_name_a_person_is_known() -> None:
    looks_like = re.compile(r"(person|author|owner|user|agent|_by|_id)$|(person|author|owner|user|agent)_")
    known = {
        *store_erasing.PSEUDONYMISED,
        *store_erasing.EMPTIED,
        *store_erasing.DELETED,
        post.c.author,
        flag.c.said_by,
    }
    for table in metadata.tables.values():
        for column in table.columns:
            refers = any(key.column.table.name == "person" for key in column.foreign_keys)
            if refers or (looks_like.search(column.name) and column.name not in NOBODY):
                assert column in known, f"{column}: erase it, or say that it names nobody"


def test_no_text_of_any_table_holds_an_erased_persons_id(db: Database) -> None:
    """Whatever tables there will be: their rows all hold the id, and a text that nobody listed is reported."""
    with db.write() as tx:
        fill(tx, "5b1e6a0c")
        tx.execute(sa.update(metadata.tables["person"]).values(roles=["publisher"]))
    [known] = [each for each in erasing.find(db, "person:5b1e6a0c")]
    report = erasing.erase(db, [known])
    reported = {(each.table, column) for each in report.mentions for column in each.columns}
    for column in (*store_erasing.PSEUDONYMISED, *store_erasing.EMPTIED, *store_erasing.DELETED):
        assert (column.table.name, column.name) not in reported
    with db.read() as tx:
        for column in store_erasing.DELETED:
            assert tx.execute(sa.select(column.table)).all() == []


# Who is found


def test_somebody_is_found_by_everything_they_are_called(db: Database, ana: Person) -> None:
    with db.write() as tx:
        tx.execute(
            sa.insert(metadata.tables["identity"]).values(
                issuer="https://id.example", subject="oidc|77", person_id=ana.id, created_at=NOON
            )
        )
    for name in (ana.id, "Ana Ruiz", "ana.ruiz@example.com", "oidc|77", f"person:{ana.id}"):
        assert [each.subject for each in erasing.find(db, name)] == [Subject(SubjectKind.PERSON, ana.id)]
    assert erasing.find(db, "Ana") == []
    assert erasing.find(db, "system") == []


def test_one_name_may_be_several_people_and_each_has_a_name_of_its_own(db: Database, ana: Person) -> None:
    other, _ = access.add_person(db, SYSTEM, "Ana Ruiz", Audience.INTERNAL)
    write_post(db, "Ana Ruiz")
    with db.write() as tx:
        interactions.insert(tx, an_interaction(subject="Ana Ruiz"))
    found = {str(each.subject): each.named for each in erasing.find(db, "Ana Ruiz")}
    assert found == {
        f"person:{ana.id}": "Ana Ruiz, publisher",
        f"person:{other.id}": "Ana Ruiz, no role, reads as internal",
        "customer:Ana Ruiz": "customer Ana Ruiz",
        "author:forum/Ana Ruiz": "Ana Ruiz, author of posts in forum",
    }
    assert [str(each.subject) for each in erasing.find(db, "author:forum/Ana Ruiz")] == ["author:forum/Ana Ruiz"]


def test_a_customer_of_a_host_is_found_by_what_the_host_calls_them(db: Database) -> None:
    host, _ = hosts.add_host(db, SYSTEM, "shop", Audience.CUSTOMER, algorithm=hosts.Algorithm.HS256)
    customer = Person(host.person_id("C-1009", keyring.key(db, "host")), "customer", Audience.CUSTOMER)
    trail.open_interaction(db, customer, Channel.SELF_HELP)
    assert [each.subject.key for each in erasing.find(db, "C-1009")] == [customer.id]
    erase(db, "C-1009")
    assert ids(db, "interaction") == []
    assert erasing.find(db, "C-1009") == []


# A customer


def test_the_contacts_of_a_customer_go_with_everything_that_continues_them(db: Database) -> None:
    with db.write() as tx:
        interactions.insert(tx, an_interaction("chat", subject=""))
        handed = {"continues": "chat", "continuation": Continuation.HANDOFF}
        interactions.insert(tx, an_interaction("call", subject="C-1009", **handed))
        back = {"continues": "call", "continuation": Continuation.CAME_BACK}
        interactions.insert(tx, an_interaction("again", subject="", **back))
        interactions.insert(tx, an_interaction("somebody else", subject="C-7", **(back | {"continues": "again"})))
        interactions.insert(tx, an_interaction("unrelated"))
        for each in ("chat", "call", "again", "somebody else", "unrelated"):
            item = {"item_kind": Kind.ARTICLE, "item_id": "a1", "revision": 1, "data": {"type": LinkType.RESOLUTION}}
            interactions.append(tx, [an_event(EventKind.LINKED, each, **item), an_event(EventKind.VIEWED, each)])
    report = erase(db, "C-1009")
    assert ids(db, "interaction") == ["somebody else", "unrelated"]
    assert report.rows["interactions"] == 3
    with db.read() as tx:
        assert interactions.get(tx, "somebody else").continues is None
        assert {each.interaction_id for each in interactions.recent(tx, EventKind.VIEWED)} == {
            "somebody else", "unrelated",
        }  # fmt: skip
        assert tx.scalar(sa.select(interactions.resolved_count(Kind.ARTICLE, sa.literal("a1")))) == 2


def test_a_reference_is_erased_whole_and_not_what_only_begins_like_it(db: Database) -> None:
    with db.write() as tx:
        interactions.insert(tx, an_interaction("i1", subject="C-1"))
        interactions.insert(tx, an_interaction("i2", subject="C-10"))
    erase(db, "C-1")
    assert ids(db, "interaction") == ["i2"]


# A person


@pytest.fixture
def ana(db: Database) -> Person:
    """A publisher with a login, and something of hers in every place."""
    ana, _ = access.add_person(db, SYSTEM, "Ana Ruiz", Audience.INTERNAL, roles=[Role.PUBLISHER])
    passwords.set_password(db, SYSTEM, ana.id, "ana.ruiz@example.com", "seven unlikely words")
    access.issue_key(db, SYSTEM, ana.id, "Ana Ruiz on her phone")
    return ana


def test_a_persons_account_goes_and_their_work_stays_under_a_pseudonym(db: Database, ana: Person) -> None:
    draft = Draft("Red light", "Restart the hub.", Language.ENGLISH, Audience.PUBLIC)
    article = improve.create(db, ana, draft)
    improve.set_state(db, SYSTEM, article.id, {"owner_id": ana.id})
    with db.write() as tx:
        interactions.insert(tx, an_interaction("hers", opened_by=ana.id, subject="C-1009"))
        searched = an_event(EventKind.SEARCHED, None, person_id=ana.id, data={"query": "my own bill"})
        interactions.append(tx, [searched, an_event(EventKind.RESOLVED, "hers", person_id=ana.id)])
    erase(db, "Ana Ruiz")
    with db.read() as tx:
        [resolved] = interactions.recent(tx, EventKind.RESOLVED)
        pseudonym = resolved.person_id
        assert pseudonym.startswith(PSEUDONYM)
        assert interactions.recent(tx, EventKind.SEARCHED) == []
        assert interactions.get(tx, "hers").opened_by == pseudonym
        assert people.everyone(tx) == []
        changes = audit.of(tx, Kind.ARTICLE, article.id)
        assert [each.person_id for each in changes] == [pseudonym, SYSTEM.id]
        assert changes[1].after["owner_id"] == pseudonym
        [about] = {(each.before, each.after) == ({}, {}) for each in audit.of(tx, "person", pseudonym)}
        assert about
    for table in ("api_key", "password", "identity", "session"):
        assert ids(db, table) == []


def test_an_erased_persons_key_opens_nothing(db: Database) -> None:
    _, secret = access.add_person(db, SYSTEM, "Bob", Audience.INTERNAL, roles=[Role.PUBLISHER])
    access.person_for(db, secret)
    erase(db, "Bob")
    with pytest.raises(NotSignedIn):
        access.person_for(db, secret)


def test_what_somebody_without_a_role_opened_is_their_own_and_goes(db: Database) -> None:
    lee, _ = access.add_person(db, SYSTEM, "Lee", Audience.CUSTOMER)
    own = trail.open_interaction(db, lee, Channel.SELF_HELP, subject="C-1009")
    with db.write() as tx:
        handed = {"continues": own.id, "continuation": Continuation.HANDOFF}
        interactions.insert(tx, an_interaction("handed off", subject="C-1009", **handed))
    erase(db, "Lee")
    assert ids(db, "interaction") == []


def test_a_pseudonym_is_the_same_each_time_and_another_ones_is_another(db: Database, ana: Person) -> None:
    key = keyring.key(db, ledger.KEY)
    bob = Subject(SubjectKind.PERSON, "bob")
    assert bob.pseudonym(key) == bob.pseudonym(key) != Subject(SubjectKind.PERSON, ana.id).pseudonym(key)
    assert len(bob.pseudonym(key)) <= 40


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("asked Ana Ruiz", "asked erased"),
        ("Ana Ruiz-Picasso", "erased-Picasso"),
        ("Ana Ruizzi", "Ana Ruizzi"),
        (["Ana Ruiz", {"who": "Ana Ruiz"}], ["erased", {"who": "erased"}]),
        (7, 7),
    ],
)
def test_a_name_is_cut_from_the_audit_log_where_it_stands_by_itself(db: Database, text: object, left: object) -> None:
    change = audit.Change("p", "state", Kind.ARTICLE, "a1", {"tags": text}, {"tags": "kept"}, NOON)
    with db.write() as tx:
        audit.write(tx, [change])
        store_erasing.cut_from_audit(tx, ["Ana Ruiz"], "erased")
        [found] = audit.of(tx, Kind.ARTICLE, "a1")
    assert (found.before, found.after) == ({"tags": left}, {"tags": "kept"})


def test_a_chinese_name_is_cut_from_the_middle_of_a_sentence(db: Database) -> None:
    with db.write() as tx:
        audit.write(tx, [audit.Change("p", "state", Kind.ARTICLE, "a1", {}, {"note": "问过王小明了"}, NOON)])
        assert store_erasing.cut_from_audit(tx, ["王小明"], "erased") == 1
        assert audit.of(tx, Kind.ARTICLE, "a1")[0].after == {"note": "问过erased了"}


# An author


def test_an_authors_posts_go_with_passages_and_vectors_and_out_of_the_index(db: Database) -> None:
    mine, other = write_post(db, "sam"), write_post(db, "kim", "k2")
    with db.read() as tx:
        [passage] = passages.of_items(tx, [ItemRef(Kind.POST, mine)])[ItemRef(Kind.POST, mine)]
    erase(db, "sam")
    assert ids(db, "post") == [other]
    with db.read() as tx:
        assert passages.of_items(tx, [ItemRef(Kind.POST, mine)]) == {ItemRef(Kind.POST, mine): []}
        assert erasing_wants_an_index(tx)
        assert passage.hash not in tx.scalars(sa.select(metadata.tables["vector"].c.hash)).all()


def erasing_wants_an_index(tx: sa.Connection) -> bool:
    return tx.execute(sa.text("SELECT 1 FROM generation WHERE state = 'wanted'")).first() is not None


def test_without_posts_the_index_stays(db: Database, ana: Person) -> None:
    erase(db, "Ana Ruiz")
    with db.read() as tx:
        assert not erasing_wants_an_index(tx)


# What is left


def test_texts_that_still_name_somebody_are_told_and_left_as_they_are(db: Database, ana: Person) -> None:
    body = "Ask ANA RUIZ, she knows."
    article = improve.create(db, SYSTEM, Draft("Red light", body, Language.ENGLISH, Audience.PUBLIC))
    write_post(db, "kim", body="Thanks to Ana Ruiz!")
    with db.write() as tx:
        interactions.append(tx, [an_event(EventKind.SEARCHED, None, data={"query": "ana ruiz phone"})])
    report = erase(db, "Ana Ruiz")
    assert {(each.table, each.key[0], each.columns) for each in report.mentions} == {
        ("revision", article.id, ("body",)), ("post", "pk1", ("body",)), ("event", "1", ("data",)),
    }  # fmt: skip
    with db.read() as tx:
        assert tx.scalar(sa.text("SELECT body FROM revision")) == body
        assert store_erasing.numbers_of_articles(tx, [article.id]) == {article.id: article.number}


def test_chinese_names_are_found_in_texts_and_in_json(db: Database) -> None:
    write_post(db, "kim", body="谢谢王小明的回答", tags=("王小明",))
    with db.read() as tx:
        [found] = store_erasing.mentions(tx, ["王小明"])
    assert found.columns == ("body", "tags")


def test_error_texts_of_the_outbox_name_nobody(db: Database) -> None:
    with db.write() as tx:
        fill(tx, "sam")
        erasing_report = store_erasing.forget_errors(tx, ["sam"])
        assert erasing_report == 1
        assert tx.scalar(sa.select(metadata.tables["outbox"].c.error)) == ""


# Doing it


def test_a_dry_run_says_the_same_and_changes_nothing(db: Database, ana: Person) -> None:
    write_post(db, "Ana Ruiz")
    improve.create(db, ana, Draft("Red light", "Ask Ana Ruiz.", Language.ENGLISH, Audience.PUBLIC))
    with db.read() as tx:
        before = copying.contents(tx)
    everything = erasing.find(db, "Ana Ruiz")
    would = erasing.erase(db, everything, dry_run=True)
    with db.read() as tx:
        after = copying.contents(tx)
    assert {name for name in after if after[name] != before[name]} <= {"keyring"}
    did = erasing.erase(db, everything)
    assert (would.rows, would.mentions) == (did.rows, did.mentions)


def test_a_second_time_is_harmless(db: Database, ana: Person) -> None:
    write_post(db, "Ana Ruiz")
    everything = erasing.find(db, "Ana Ruiz")
    erasing.erase(db, everything)
    again = erasing.erase(db, everything)
    assert not any(again.rows.values())
    assert erasing.find(db, "Ana Ruiz") == []


def test_a_search_that_waited_to_be_written_does_not_come_back(db: Database, ana: Person) -> None:
    log = trail.SearchLog(db)
    with db.write() as tx:
        interactions.insert(tx, an_interaction("i1", subject="C-1009"))
        interactions.insert(tx, an_interaction("i2"))
    log.add(an_event(EventKind.SEARCHED, None, person_id=ana.id, at=clock.now()))
    log.add(an_event(EventKind.SEARCHED, "i1", at=clock.now()))
    log.add(an_event(EventKind.SEARCHED, "i2", at=clock.now()))
    erase(db, "Ana Ruiz", "C-1009")
    log.flush()
    with db.read() as tx:
        assert [each.interaction_id for each in interactions.recent(tx, EventKind.SEARCHED)] == ["i2"]


def test_a_customer_who_comes_back_leaves_a_trail_again(db: Database) -> None:
    with db.write() as tx:
        interactions.append(tx, [an_event(EventKind.SEARCHED, None, person_id="of-a-host", at=clock.now())])
    erase(db, "of-a-host")
    log = trail.SearchLog(db)
    log.add(an_event(EventKind.SEARCHED, None, person_id="of-a-host", at=clock.now()))
    log.flush()
    with db.read() as tx:
        assert len(interactions.recent(tx, EventKind.SEARCHED)) == 1


# The ledger


def test_the_ledger_tells_nothing_without_its_key() -> None:
    subject = Subject(SubjectKind.CUSTOMER, "C-1009")
    hashes = {subject.hashed(bytes([number]) * 32) for number in range(100)}
    assert len(hashes) == 100
    assert all(re.fullmatch("[0-9a-f]{64}", each) for each in hashes)


def test_subjects_that_read_alike_are_told_apart() -> None:
    key = bytes(32)
    alike = [
        Subject(SubjectKind.AUTHOR, "b/c", "a"), Subject(SubjectKind.AUTHOR, "c", "a/b"),
        Subject(SubjectKind.CUSTOMER, "x"), Subject(SubjectKind.PERSON, "x"),
    ]  # fmt: skip
    assert len({each.hashed(key) for each in alike}) == 4


@pytest.mark.parametrize("way", ["the record that is replaced", "a file"])
def test_who_was_erased_stays_erased_after_an_older_backup_is_restored(
    db: Database, ana: Person, tmp_path: Path, way: str
) -> None:
    write_post(db, "sam", created_at=NOON)
    with db.write() as tx:
        interactions.insert(tx, an_interaction("i1", subject="C-1009"))
        interactions.insert(tx, an_interaction("i2", subject="C-7"))
    made = backup.make(db, tmp_path / "backups", clock.now())
    erase(db, "Ana Ruiz", "sam", "C-1009")
    with db.read() as tx:
        kept = ledger.read(tx)
    assert kept is not None
    ledger.save(kept, tmp_path / "ledger.json")
    if way == "a file":
        with db.write() as tx:
            for table in reversed(metadata.sorted_tables):
                tx.execute(sa.delete(table))
        done = restore(made.folder, db, tmp_path, erasures=[ledger.load(tmp_path / "ledger.json")])
    else:
        done = restore(made.folder, db, tmp_path, replace=True)
    assert done.erased_again == 3
    assert ids(db, "interaction") == ["i2"]
    assert ids(db, "person") == ids(db, "post") == []
    with db.read() as tx:
        after = ledger.read(tx)
    assert after is not None
    assert after.erased.keys() == kept.erased.keys()


def test_a_backup_made_after_an_erasure_forgets_by_itself_what_an_older_one_holds(db: Database, tmp_path: Path) -> None:
    """And what came after the erasure stays: the customer is one again."""
    with db.write() as tx:
        interactions.insert(tx, an_interaction("before", subject="C-1009"))
    erase(db, "C-1009")
    with db.write() as tx:
        interactions.insert(tx, an_interaction("after", subject="C-1009", opened_at=clock.now()))
        interactions.insert(tx, an_interaction("left behind", subject="C-1009"))
    made = backup.make(db, tmp_path / "backups", clock.now())
    assert restore(made.folder, db, tmp_path, replace=True).erased_again == 1
    assert ids(db, "interaction") == ["after"]


def test_erasures_of_the_record_that_is_replaced_count_even_under_another_key(
    db: Database, sqlite_template: Path, tmp_path: Path
) -> None:
    with closing(Database(f"sqlite:///{tmp_path / 'other.db'}")) as other:
        other_record(other)
        made = backup.make(other, tmp_path / "backups", clock.now())
    with db.write() as tx:
        interactions.insert(tx, an_interaction("i1", subject="C-1009"))
    erase(db, "C-1009")
    assert restore(made.folder, db, tmp_path, replace=True).erased_again == 1
    assert ids(db, "interaction") == []


def other_record(other: Database) -> None:
    from kb.store.migrate import migrate

    migrate(other)
    with other.write() as tx:
        interactions.insert(tx, an_interaction("i1", subject="C-1009"))


def test_a_ledger_of_nobodys_is_refused(db: Database, tmp_path: Path) -> None:
    made = backup.make(db, tmp_path / "backups", clock.now())
    foreign = Ledger(key_id(bytes(32)), {"00": clock.now()})
    with pytest.raises(Invalid, match="another installation"):
        restore(made.folder, db, tmp_path, erasures=[foreign])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"key_id": "x", "erased": {"h": "no time"}}'])
def test_a_file_that_is_no_ledger_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "ledger.json").write_text(text)
    with pytest.raises(Invalid, match="no ledger"):
        ledger.load(tmp_path / "ledger.json")


# The files beneath


def test_nothing_stands_in_the_files_of_sqlite_afterwards(sqlite_db: Database, tmp_path: Path) -> None:
    a_life(sqlite_db)
    before = b"".join(each.read_bytes() for each in tmp_path.glob("kb.db*"))
    assert SECRETS[0].encode() in before
    erase(sqlite_db, *SECRETS[:5])
    scrub(sqlite_db)
    assert (tmp_path / "kb.db-wal").stat().st_size == 0
    assert_none_in(tmp_path.iterdir())
    backup.make(sqlite_db, tmp_path / "backups", clock.now())
    assert_none_in(tmp_path.iterdir())


def test_nothing_stands_in_what_a_restore_of_an_older_backup_leaves(sqlite_db: Database, tmp_path: Path) -> None:
    a_life(sqlite_db)
    made = backup.make(sqlite_db, tmp_path / "backups", clock.now())
    erase(sqlite_db, *SECRETS[:5])
    restore(made.folder, sqlite_db, tmp_path, replace=True)
    assert_none_in(each for each in tmp_path.iterdir() if each.name != "backups")


def test_neither_words_nor_vectors_stand_in_the_index_afterwards(sqlite_db: Database, tmp_path: Path) -> None:
    encoder = ToyEncoder()
    works = Works.open(sqlite_db, EdgeEngine(tmp_path / "index"), ready(encoder))
    a_life(sqlite_db)
    works.settle()
    with sqlite_db.read() as tx:
        rows = tx.execute(sa.select(metadata.tables["vector"].c.vector)).all()
    parts = [bytes(row.vector)[:40] for row in rows]
    before = bytes_on_disk(tmp_path / "index")
    assert sum(part in before for part in parts) > 10
    erase(sqlite_db, *SECRETS[:5])
    scrub(sqlite_db)
    works.settle()
    with sqlite_db.read() as tx:
        kept = {bytes(row.vector)[:40] for row in tx.execute(sa.select(metadata.tables["vector"].c.vector))}
    after = bytes_on_disk(tmp_path)
    assert not any(part in after for part in set(parts) - kept)
    assert_none_in(tmp_path.iterdir())
    works.close()


@pytest.mark.postgres
def test_nothing_stands_in_the_files_of_postgresql_afterwards(postgres_db: Database, postgres_url: str) -> None:
    """Its write-ahead log is for its administrator to clear, in the way that docs/operations.md says."""
    data = Path(str(sa.make_url(postgres_url).query["host"])) / "data"
    with postgres_db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as administrator:
        administrator.exec_driver_sql("ALTER SYSTEM SET wal_recycle = off")
        administrator.exec_driver_sql("SELECT pg_reload_conf()")
        a_life(postgres_db)
        administrator.exec_driver_sql("ANALYZE")  # samples of it stand in the statistics
        administrator.exec_driver_sql("CHECKPOINT")
        assert SECRETS[3].encode() in bytes_on_disk(data / "base")
        schema = [str(each) for each in sa.inspect(administrator).get_multi_foreign_keys().items()]
        erase(postgres_db, *SECRETS[:5])
        scrub(postgres_db)
        assert [str(each) for each in sa.inspect(administrator).get_multi_foreign_keys().items()] == schema
        assert_none_in(each for each in data.iterdir() if each.is_dir() and each.name != "pg_wal")
        administrator.exec_driver_sql("SELECT pg_switch_wal()")
        administrator.exec_driver_sql("CHECKPOINT")
        assert_none_in([data / "pg_wal"])
        administrator.exec_driver_sql("ALTER SYSTEM RESET wal_recycle")
        administrator.exec_driver_sql("SELECT pg_reload_conf()")


def test_a_reader_who_does_not_end_keeps_the_log_from_being_emptied_and_that_is_said(sqlite_db: Database) -> None:
    with closing(Database(sqlite_db.url)) as other, other.read() as tx:
        tx.execute(sa.text("SELECT count(*) FROM person")).scalar_one()
        erase_nobody(sqlite_db)
        with pytest.raises(Unavailable, match="busy"):
            scrub(sqlite_db, patience_s=0.2)
    scrub(sqlite_db, patience_s=5)


@pytest.mark.postgres
def test_a_table_of_postgresql_that_somebody_holds_is_said(postgres_db: Database) -> None:
    with closing(Database(postgres_db.url, hasty=True)) as impatient, postgres_db.read() as tx:
        tx.execute(sa.text("SELECT count(*) FROM person")).scalar_one()
        with pytest.raises(Unavailable, match="busy"):
            scrub(impatient)


def erase_nobody(db: Database) -> None:
    access.add_person(db, SYSTEM, "Bob", Audience.INTERNAL)
    erase(db, "Bob")
