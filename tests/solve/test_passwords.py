import statistics
import threading
import time

import argon2
import pytest

from kb.errors import Invalid, NotSignedIn, TooSoon
from kb.person import SYSTEM
from kb.solve import passwords
from kb.solve.passwords import checked, matches, set_password
from kb.solve.signing_in import SignIn
from kb.store import logins, people
from kb.store.database import Database
from tests.examples import NOON, a_person


@pytest.fixture
def ada(db: Database) -> str:
    with db.write() as tx:
        people.insert(tx, a_person("ada"), NOON)
    return set_password(db, SYSTEM, "ada", "ada", "three unrelated words")


def test_a_password_is_kept_as_argon2id_with_owasps_figures(db: Database, ada: str) -> None:
    with db.read() as tx:
        _, hashed = logins.password_of(tx, ada) or ("", "")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert matches("three unrelated words", hashed)
    assert not matches("three unrelated word", hashed)
    assert not matches("three unrelated words", "nonsense")


def test_a_password_is_hashed_anew_when_the_parameters_change(db: Database, ada: str) -> None:
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash("three unrelated words")
    with db.write() as tx:
        logins.save_password(tx, "ada", ada, weak, NOON)
    SignIn(db).by_password(ada, "three unrelated words", "here")
    with db.read() as tx:
        _, hashed = logins.password_of(tx, ada) or ("", "")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_attempts_at_the_same_moment_end_as_they_should(db: Database, ada: str) -> None:
    sign_in, ended = SignIn(db), []

    def attempt(password: str) -> None:
        try:
            ended.append(sign_in.by_password(ada, password, "here").person.id)
        except (NotSignedIn, TooSoon) as refused:
            ended.append(type(refused).__name__)

    passwords = ["three unrelated words", "wrong"] * 6
    threads = [threading.Thread(target=attempt, args=(each,)) for each in passwords]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(ended) == len(passwords), "none ended in another way"
    assert set(ended) <= {"ada", "NotSignedIn", "TooSoon"}
    assert ended.count("ada") <= 6


def test_a_login_that_nobody_has_takes_as_long_as_a_wrong_password() -> None:
    hashed = passwords._HASHER.hash("three unrelated words")

    def took(known: str | None) -> float:
        start = time.process_time()
        assert not matches("wrong", known)
        return time.process_time() - start

    wrong, unknown = (statistics.median(took(known) for _ in range(5)) for known in (hashed, None))
    assert unknown > wrong / 3, "it is hashed as well"


@pytest.mark.parametrize(
    "password",
    [
        "qwertyqwerty",
        "correcthorsebatterystaple",
        "manchesterunited",
        "iloveyouforever",
        "123qweasdzxc",
        "IloveYouForever",
    ],
)
def test_a_password_that_leaked_often_is_refused_however_it_is_written(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked(password, "ada", "new")
    assert refused.value.field == "new"


@pytest.mark.parametrize(
    "password", ["three unrelated words", "密码由十二个不同的汉字组成吧", "qN7!fw2#Lz9$", "äöüxy9" * 33]
)
def test_a_password_that_is_on_no_list_is_taken(password: str) -> None:
    assert checked(password, "ada") == password
