from datetime import timedelta

import pytest

from kb import clock
from kb.audience import Audience
from kb.errors import Invalid, NotAllowed, NotFound
from kb.person import SYSTEM, Person, Role
from kb.solve.access import add_person, issue_key, revoke_keys
from kb.store import audit, people
from tests.api.conftest import House


def status(house: House, header: str) -> int:
    found: int = house.ask("GET", "me", headers={"Authorization": header}).status_code
    return found


def test_a_key_names_its_person_and_what_they_may_do(shared: House) -> None:
    me = shared.get("me", "publisher").json()
    assert (me["id"], me["tier"], me["roles"], me["groups"]) == (
        shared.ids["publisher"], "internal", ["publisher"], ["fraud-team"],
    )  # fmt: skip
    assert me["rights"] == ["draft", "validate", "publish", "govern", "tune", "flag", "fix", "lead", "trail"]


def test_without_a_key_you_are_the_public(shared: House) -> None:
    me = shared.get("me").json()
    assert (me["tier"], me["roles"], me["groups"], me["rights"]) == ("public", [], [], [])


@pytest.mark.parametrize("header", ["Bearer {}x", "Basic {}", "{}", "Bearer", "Bearer ", "Bearer kb_", "", "bearer  "])
def test_a_header_that_is_no_good_key_is_refused_never_read_as_the_public(shared: House, header: str) -> None:
    key = shared.keys["customer"]
    assert status(shared, f"Bearer {key}") == 200
    response = shared.ask("GET", "me", headers={"Authorization": header.format(key)})
    assert (response.status_code, response.json()["error"]["code"]) == (401, "not_signed_in")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_two_keys_at_once_are_refused(shared: House) -> None:
    good = f"Bearer {shared.keys['customer']}"
    response = shared.client.get("/api/v1/me", headers=[("Authorization", good), ("Authorization", good)])
    assert response.status_code == 401


def test_expired_revoked_and_disabled_all_look_alike(shared: House) -> None:
    db = shared.service.db
    person, secret = add_person(db, SYSTEM, "Zoe", Audience.INTERNAL)
    old = issue_key(db, SYSTEM, person.id, "old", expires_at=clock.now() - timedelta(seconds=1))
    assert (status(shared, f"Bearer {secret}"), status(shared, f"Bearer {old}")) == (200, 401)
    assert revoke_keys(db, SYSTEM, person.id) == 2
    assert status(shared, f"Bearer {secret}") == 401
    fresh = issue_key(db, SYSTEM, person.id, "fresh")
    assert status(shared, f"Bearer {fresh}") == 200
    with db.write() as tx:
        people.update(tx, Person(person.id, "Zoe", Audience.INTERNAL, disabled=True))
    assert status(shared, f"Bearer {fresh}") == 401


def test_people_and_keys_are_audited_without_their_secrets(shared: House) -> None:
    db = shared.service.db
    person, secret = add_person(db, SYSTEM, "Yan", Audience.INTERNAL, roles=[Role.COACH], groups=["team"])
    issue_key(db, SYSTEM, person.id, "laptop")
    with db.read() as tx:
        changes = audit.of(tx, "person", person.id)
    assert [each.action for each in changes] == ["create", "issue_key", "issue_key"]
    assert changes[0].after == {"name": "Yan", "tier": "internal", "roles": ["coach"], "groups": ["team"]}
    assert changes[2].after["label"] == "laptop"
    assert secret not in str(changes)


def test_only_administrators_add_people_and_keys(shared: House) -> None:
    db = shared.service.db
    admin = Person("boss", "Boss", Audience.INTERNAL, frozenset({Role.ADMIN}))
    coach = Person("coach", "Coach", Audience.INTERNAL, frozenset({Role.COACH}))
    person, _ = add_person(db, admin, "Kim", Audience.CUSTOMER)
    with pytest.raises(NotAllowed):
        add_person(db, coach, "Kim", Audience.CUSTOMER)
    for action in (lambda by: issue_key(db, by, person.id, "more"), lambda by: revoke_keys(db, by, person.id)):
        action(admin)
        with pytest.raises(NotAllowed):
            action(coach)


def test_a_person_needs_a_name_and_groups_that_can_be_told_apart(shared: House) -> None:
    db = shared.service.db
    with pytest.raises(Invalid):
        add_person(db, SYSTEM, "  ", Audience.INTERNAL)
    for group in ("", " fraud", "internal:fraud"):
        with pytest.raises(Invalid):
            add_person(db, SYSTEM, "Kim", Audience.INTERNAL, groups=[group])
    with pytest.raises(NotFound):
        issue_key(db, SYSTEM, "nobody", "key")


def test_staff_see_who_works_here_and_nobody_else_does(shared: House) -> None:
    found = {each["name"]: each for each in shared.get("colleagues", "candidate").json()["colleagues"]}
    assert {"candidate", "contributor", "admin", "partner_author"} <= set(found)
    assert not {"customer", "partner", "reader"} & set(found), "customers and mere readers are nobody's colleagues"
    assert (found["contributor"]["may_fix"], found["candidate"]["may_fix"]) == (True, False)
    [alone] = shared.get("colleagues", "partner_author").json()["colleagues"]
    assert alone["id"] == shared.ids["partner_author"]
    assert [shared.get("colleagues", who).status_code for who in ("customer", "reader", "")] == [403, 403, 403]
