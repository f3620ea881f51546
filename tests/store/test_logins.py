import threading
from datetime import timedelta

import pytest

from kb.errors import Conflict
from kb.login import LOGIN, one_more
from kb.store import hosts, keyring, logins, people
from kb.store.database import Database
from tests.examples import NOON, a_person


def test_a_password_is_kept_by_login_and_changed_in_place(db: Database) -> None:
    with db.write() as tx:
        for each in ("ada", "bob"):
            people.insert(tx, a_person(each), NOON)
        logins.save_password(tx, "ada", "ada", "hash 1", NOON)
        logins.save_password(tx, "ada", "ada@example.com", "hash 2", NOON)
        logins.save_password(tx, "bob", "bob", "hash 3", NOON)
    with db.read() as tx:
        assert logins.password_of(tx, "ada") is None
        assert logins.password_of(tx, "ada@example.com") == ("ada", "hash 2")
        assert logins.logins(tx) == {"ada": "ada@example.com", "bob": "bob"}
    with pytest.raises(Conflict), db.write() as tx:
        logins.save_password(tx, "bob", "ada@example.com", "hash 4", NOON)


def test_a_hash_with_new_parameters_does_not_undo_a_change_of_the_password(db: Database) -> None:
    with db.write() as tx:
        people.insert(tx, a_person("ada"), NOON)
        logins.save_password(tx, "ada", "ada", "changed", NOON)
        logins.rehash(tx, "ada", "as it was", "stronger")
        assert logins.password_of(tx, "ada") == ("ada", "changed")
        logins.rehash(tx, "ada", "changed", "stronger")
        assert logins.password_of(tx, "ada") == ("ada", "stronger")


def test_attempts_at_the_same_moment_are_all_counted(db: Database) -> None:
    def attempt() -> None:
        with db.write() as tx:
            before = logins.failures(tx, "key", NOON)
            logins.save_failures(tx, "key", one_more(before, NOON, LOGIN))

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with db.write() as tx:
        known = logins.failures(tx, "key", NOON)
        assert (known.count, known.wait(NOON)) == (8, timedelta(seconds=8))
        logins.forget_failures(tx, "key")
        assert logins.failures(tx, "key", NOON).count == 0
        logins.clear_failures(tx, NOON)
        assert logins.failures(tx, "key", NOON + timedelta(days=1)).last_at == NOON
        logins.clear_failures(tx, NOON + timedelta(days=1))
        assert logins.failures(tx, "key", NOON + timedelta(days=1)).last_at == NOON + timedelta(days=1)


def test_keys_of_the_installation_are_made_once_and_differ_by_purpose(db: Database) -> None:
    first = keyring.key(db, "session")
    assert len(first) == 32
    assert keyring.key(db, "session") == first
    assert keyring.key(db, "host") != first


def test_the_last_word_says_who_a_subject_is(db: Database) -> None:
    with db.write() as tx:
        for each in ("ada", "bob"):
            people.insert(tx, a_person(each), NOON)
        hosts.link(tx, "host:1", "agent-7", "ada", NOON)
        hosts.link(tx, "host:2", "agent-7", "ada", NOON)
        hosts.link(tx, "host:1", "agent-7", "bob", NOON)
    with db.read() as tx:
        assert hosts.linked(tx, "host:1", "agent-7") == a_person("bob")
        assert hosts.linked(tx, "host:3", "agent-7") is None
        assert hosts.people_called(tx, "agent-7") == {"ada", "bob"}
