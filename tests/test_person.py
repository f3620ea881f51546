from dataclasses import replace
from datetime import timedelta

import pytest

from kb.audience import ANYONE, Audience, Reader
from kb.errors import NotAllowed
from kb.person import ANONYMOUS, EVERYTHING, RIGHTS, SYSTEM, ApiKey, Person, Right, Role, Scope, hash_secret, new_secret
from tests.examples import NOON, a_person


def test_who_is_not_told_more_sees_and_may_least() -> None:
    assert Person("x", "X").reader == ANYONE
    assert not any(ANONYMOUS.may(right) for right in Right)


def test_the_system_may_everything_and_belongs_to_no_group() -> None:
    assert all(SYSTEM.may(right) for right in Right)
    assert SYSTEM.reader == Reader(Audience.INTERNAL)


def test_every_role_says_what_it_allows() -> None:
    assert RIGHTS.keys() == set(Role)


def test_publishing_to_customers_takes_more_than_contributing() -> None:
    assert [role for role in Role if Right.PUBLISH not in RIGHTS[role]] == [Role.CANDIDATE, Role.CONTRIBUTOR]
    assert [role for role in Role if Right.ADMINISTER in RIGHTS[role]] == [Role.ADMIN]


def test_rights_of_several_roles_add_up() -> None:
    both = a_person(roles=frozenset({Role.CANDIDATE, Role.COACH}))
    assert {right for right in Right if both.may(right)} == RIGHTS[Role.CANDIDATE] | RIGHTS[Role.COACH]


def test_a_missing_right_is_named_with_the_roles_that_were_there() -> None:
    person = a_person(roles=frozenset({Role.CANDIDATE}))
    person.require(Right.DRAFT)
    with pytest.raises(NotAllowed, match=r"right to publish; your roles: candidate"):
        person.require(Right.PUBLISH)
    with pytest.raises(NotAllowed, match="none"):
        ANONYMOUS.require(Right.DRAFT)


def test_a_key_is_good_until_it_expires_or_is_revoked() -> None:
    def key(**fields: object) -> ApiKey:
        return ApiKey("k1", "ada", "laptop", "hash", EVERYTHING, NOON, **fields)

    later = NOON + timedelta(seconds=1)
    assert key().is_good(later)
    assert key(expires_at=later).is_good(NOON)
    assert not key(expires_at=later).is_good(later)
    assert not key(revoked_at=NOON).is_good(NOON)


def test_secrets_are_long_different_and_kept_only_as_hashes() -> None:
    secrets = {new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert all(each.startswith("kb_") and len(each) == 43 for each in secrets)
    assert not any(each in hash_secret(each) for each in secrets)
    assert hash_secret("kb_1") == hash_secret("kb_1") != hash_secret("kb_2")


def test_a_key_opens_no_more_than_its_scopes_of_what_its_person_may_do() -> None:
    editor = a_person(roles=frozenset({Role.PUBLISHER}), scopes=frozenset({Scope.READ}))
    assert not editor.may(Right.PUBLISH)
    assert not editor.may(Right.TRAIL)
    assert replace(editor, scopes=frozenset({Scope.WRITE})).may(Right.PUBLISH)
    assert not replace(editor, scopes=EVERYTHING).may(Right.ADMINISTER)
