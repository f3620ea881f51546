from datetime import timedelta

import pytest

from kb.audience import Audience
from kb.errors import NotFound
from kb.person import EVERYTHING, ApiKey, Role, hash_secret, new_secret
from kb.store import people
from kb.store.database import Database
from tests.examples import NOON, a_person

FULL = a_person(
    "mei",
    name="美玲",
    tier=Audience.PARTNER,
    roles=frozenset({Role.COACH, Role.PUBLISHER}),
    groups=frozenset({"fraud", "北區"}),
    disabled=True,
)


def a_key(id: str = "k1", person_id: str = "mei", secret: str = "kb_1", **fields: object) -> ApiKey:
    return ApiKey(id, person_id, "laptop", hash_secret(secret), EVERYTHING, NOON, **fields)


def test_a_person_comes_back_as_they_were(db: Database) -> None:
    with db.write() as tx:
        people.insert(tx, FULL, NOON)
        people.insert(tx, a_person("ada"), NOON)
    with db.read() as tx:
        assert people.get(tx, "mei") == FULL
        assert people.get(tx, "ada") == a_person("ada")
        assert {each.id for each in people.everyone(tx)} == {"ada", "mei"}


def test_a_person_is_changed_and_a_stranger_is_not_found(db: Database) -> None:
    changed = a_person("mei", groups=frozenset({"tier-2"}))
    with db.write() as tx:
        people.insert(tx, FULL, NOON)
        people.update(tx, changed)
        with pytest.raises(NotFound):
            people.update(tx, a_person("nobody"))
        with pytest.raises(NotFound):
            people.get(tx, "nobody")
    with db.read() as tx:
        assert people.get(tx, "mei") == changed


def test_a_key_opens_for_its_holder(db: Database) -> None:
    secret = new_secret()
    key = a_key(secret=secret, expires_at=NOON + timedelta(days=1))
    with db.write() as tx:
        people.insert(tx, FULL, NOON)
        people.add_key(tx, key)
    with db.read() as tx:
        assert people.key_holder(tx, hash_secret(secret)) == (key, FULL)
        assert people.key_holder(tx, hash_secret("guessed")) is None
        assert people.key_holder(tx, secret) is None


def test_revoking_closes_the_keys_of_that_person_once(db: Database) -> None:
    with db.write() as tx:
        for each in (FULL, a_person("ada")):
            people.insert(tx, each, NOON)
        people.add_key(tx, a_key("k1", secret="kb_1"))
        people.add_key(tx, a_key("k2", secret="kb_2"))
        people.add_key(tx, a_key("k3", "ada", secret="kb_3"))
        assert people.revoke_keys(tx, "mei", NOON) == 2
        assert people.revoke_keys(tx, "mei", NOON + timedelta(hours=1)) == 0
    with db.read() as tx:
        found = {secret: people.key_holder(tx, hash_secret(secret)) for secret in ("kb_1", "kb_2", "kb_3")}
    good = {secret: holder is not None and holder[0].is_good(NOON) for secret, holder in found.items()}
    assert good == {"kb_1": False, "kb_2": False, "kb_3": True}
