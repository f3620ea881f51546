from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kb import clock
from kb.audience import Audience
from kb.errors import Conflict, Invalid, NotFound, NotSignedIn, TooSoon
from kb.person import Person, Right, Role, Scope
from kb.settings import Settings
from kb.solve import access
from kb.solve.signing_in import SignIn
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


def test_a_key_opens_what_it_is_for_and_ends_when_it_is_said(kb: Kb) -> None:
    everyday = kb("person", "add", "Ada", "--tier", "internal", "--role", "admin").stdout.strip()
    assert signed_in(everyday).scopes == {Scope.READ, Scope.INTERACT, Scope.WRITE}
    assert not signed_in(everyday).may(Right.ADMINISTER)
    watching = kb("person", "key", "Ada", "--label", "prometheus", "--scope", "observe", "--expires", "90d").stdout
    assert signed_in(watching.strip()).scopes == {Scope.OBSERVE}
    listed = kb("person", "list").stdout.splitlines()
    assert [line.split("\t")[2:4] for line in listed[1:]] == [
        ["first key", "interact,read,write"], ["prometheus", "observe"],
    ]  # fmt: skip
    assert f"until {clock.now() + timedelta(days=90):%Y-%m-%d}" in listed[2]
    for wrong in ("90", "x", "-1d", "2001-01-01", "99999999d"):
        with pytest.raises(Invalid, match="time to come"):
            kb("person", "key", "Ada", "--expires", wrong)


def test_one_key_can_be_closed_and_the_others_stay(kb: Kb) -> None:
    first = kb("person", "add", "Ada").stdout.strip()
    second = kb("person", "key", "Ada").stdout.strip()
    key_id = kb("person", "list").stdout.splitlines()[2].split("\t")[1]
    kb("person", "revoke", "--key", key_id)
    assert signed_in(first).name == "Ada"
    with pytest.raises(NotSignedIn):
        signed_in(second)
    with pytest.raises(NotFound):
        kb("person", "revoke", "--key", "nothing")
    for arguments in ([], ["Ada", "--key", key_id]):
        with pytest.raises(Invalid):
            kb("person", "revoke", *arguments)


def test_somebody_who_is_disabled_is_let_in_no_more_until_they_are_again(kb: Kb) -> None:
    secret = kb("person", "add", "Ada").stdout.strip()
    kb("person", "disable", "Ada")
    assert "disabled" in kb("person", "list").stdout
    with pytest.raises(NotSignedIn):
        signed_in(secret)
    kb("person", "disable", "Ada", "--undo")
    assert signed_in(secret).name == "Ada"


def test_a_password_is_read_from_a_pipe_and_the_login_is_kept(kb: Kb) -> None:
    kb("person", "add", "Ada")
    with pytest.raises(Invalid, match="--login"):
        kb("person", "password", "Ada", input="six quiet owls\n")
    shown = kb("person", "password", "Ada", "--login", " Ada@Example.com", input="six quiet owls\n")
    assert "ada@example.com" in shown.output
    assert "owls" not in shown.output
    kb("person", "password", "Ada", input="seven quiet owls\n")
    db = Database(Settings().database)
    try:
        sign_in = SignIn(db)
        assert sign_in.by_password("ada@example.com", "seven quiet owls", "here").person.name == "Ada"
        for _ in range(5):
            with pytest.raises(NotSignedIn):
                sign_in.by_password("ada@example.com", "six quiet owls", "here")
        with pytest.raises(TooSoon):
            sign_in.by_password("ada@example.com", "seven quiet owls", "here")
        kb("person", "unlock", "ADA@example.com")
        assert sign_in.by_password("ada@example.com", "seven quiet owls", "here").person.name == "Ada"
    finally:
        db.close()


def test_a_password_that_many_use_is_refused(kb: Kb) -> None:
    kb("person", "add", "Ada")
    with pytest.raises(Invalid):
        kb("person", "password", "Ada", "--login", "ada", input="password1234\n")


def test_hosts_are_added_listed_linked_and_revoked(kb: Kb, tmp_path: Path) -> None:
    kb("person", "add", "Ada", "--tier", "internal")
    pem = tmp_path / "desk.pem"
    public = Ed25519PrivateKey.generate().public_key()
    pem.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    kb("host", "add", "desk", "--tier", "internal", "--public-key", str(pem))
    shown = kb("host", "add", "shop", "--tier", "customer", "--algorithm", "HS256", "--origin", "https://shop.example")
    secret = shown.stdout.strip()
    assert len(secret) == 43
    assert "agent-7 of desk is Ada" in kb("host", "link", "desk", "agent-7", "Ada").stdout
    with pytest.raises(Invalid, match="customer"):
        kb("host", "link", "shop", "c-1", "Ada")
    kb("host", "revoke", "shop")
    listed = kb("host", "list").stdout
    assert secret not in listed
    assert [line.split("\t")[:4] for line in listed.splitlines()] == [
        ["desk", "internal", "EdDSA", "-"], ["shop", "customer", "HS256", "https://shop.example"],
    ]  # fmt: skip
    assert "revoked" in listed
    with pytest.raises(Conflict):
        kb("host", "add", "shop", "--tier", "customer", "--algorithm", "HS256")
    for arguments in (
        ["x", "--tier", "customer"],
        ["x", "--tier", "customer", "--algorithm", "HS256", "--public-key", str(pem)],
        ["x", "--tier", "customer", "--algorithm", "RS256", "--public-key", str(pem)],
        ["x", "--tier", "customer", "--public-key", str(tmp_path / "none.pem")],
        ["x", "--tier", "customer", "--public-key", __file__],
        ["x", "--tier", "customer", "--algorithm", "HS256", "--origin", "shop.example"],
        ["x", "--tier", "customer", "--algorithm", "HS256", "--origin", "https://shop.example/cart"],
    ):
        with pytest.raises(Invalid):
            kb("host", "add", *arguments)


def test_every_session_of_a_person_is_ended_and_their_key_stays_good(kb: Kb) -> None:
    secret = kb("person", "add", "Ada").stdout.strip()
    db = Database(Settings().database)
    try:
        held = SignIn(db).by_key(secret).token or ""
        assert kb("person", "sign-out", "Ada").stdout.strip() == "1 sessions of Ada have ended"
        with pytest.raises(NotSignedIn):
            SignIn(db).resume(held)
    finally:
        db.close()
    assert signed_in(secret).name == "Ada"
