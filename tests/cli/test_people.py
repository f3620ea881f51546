import pytest

from kb.audience import Audience
from kb.errors import Invalid, NotFound, NotSignedIn
from kb.person import Person, Role
from kb.settings import Settings
from kb.solve import access
from kb.store.database import Database
from tests.cli.conftest import Kb


def signed_in(secret: str) -> Person:
    db = Database(Settings().database)
    try:
        return access.person_for(db, secret)
    finally:
        db.close()


def test_a_new_person_can_sign_in_with_the_key_that_is_shown(kb: Kb) -> None:
    shown = kb(
        "person", "add", "Ada", "--tier", "internal", "--role", "publisher", "--role", "coach", "--group", "fraud"
    )
    person = signed_in(shown.stdout.strip())
    assert (person.name, person.tier, person.groups) == ("Ada", Audience.INTERNAL, {"fraud"})
    assert person.roles == {Role.PUBLISHER, Role.COACH}


def test_who_is_not_told_more_reads_as_the_public(kb: Kb) -> None:
    assert signed_in(kb("person", "add", "Somebody").stdout.strip()).tier is Audience.PUBLIC


def test_a_key_is_never_shown_again(kb: Kb) -> None:
    secret = kb("person", "add", "Ada").stdout.strip()
    listed = kb("person", "list").stdout
    assert "Ada" in listed
    assert secret not in listed


def test_another_key_opens_too_and_revoking_closes_all(kb: Kb) -> None:
    first = kb("person", "add", "Ada").stdout.strip()
    second = kb("person", "key", "Ada").stdout.strip()
    assert signed_in(first) == signed_in(second)
    assert "2 keys of Ada" in kb("person", "revoke", "Ada").stdout
    for secret in (first, second):
        with pytest.raises(NotSignedIn):
            signed_in(secret)


def test_a_name_that_two_people_have_is_no_name(kb: Kb) -> None:
    kb("person", "add", "Ada")
    kb("person", "add", "Ada")
    with pytest.raises(Invalid, match="by id"):
        kb("person", "key", "Ada")
    with pytest.raises(NotFound, match="kb person list"):
        kb("person", "key", "Bob")
