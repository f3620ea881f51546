"""Hosts that vouch for their people: from a token that a host has signed to a person."""

import contextlib
import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from kb import clock
from kb.audience import Audience
from kb.errors import Conflict, Invalid, NotFound, NotSignedIn
from kb.host import AUDIENCE, LEEWAY, LONGEST, Algorithm, Host
from kb.person import EVERYDAY, Person, Right, Scope
from kb.store import audit, hosts, keyring, people
from kb.store.database import Database, Tx

_CLAIMS = ["iss", "aud", "sub", "iat", "exp"]
_LONGEST_TOKEN = 8_000  # characters; a longer one is cut and thereby no token
_LONGEST_SUBJECT = 200
_LEAST_RSA_BITS = 2048
_READS = frozenset({Scope.READ, Scope.INTERACT})


def looks_signed(credential: str) -> bool:
    """Whether it is a token of a host rather than a key."""
    return credential.count(".") == 2


def person_for_token(db: Database, token: str, origin: str | None = None) -> Person:
    """Whom a host vouches for; raises NotSignedIn, with the reason: it is the host's programmer who reads it.

    A subject of the tier internal must be linked to one of our people. Any other is a customer (or partner) of the
    host, with an id that follows from the host and the subject: whatever they open is theirs with their next token
    too, and nothing about them is kept before they do something.
    """
    with db.read() as tx:
        host = _host(tx, _issuer(token))
        claims = _verified(token, host)
        if origin is not None and host.origins and origin not in host.origins:
            raise NotSignedIn(f"{host.name} has no pages on {origin}")
        subject, tier = claims["sub"], _tier(claims, host)
        if not _is_subject(subject):
            raise NotSignedIn(f"sub has 1 to {_LONGEST_SUBJECT} characters")
        if tier is Audience.INTERNAL:
            return _linked(tx, host, subject)
    shown = " ".join(str(claims.get("name", "")).split())[:100]
    return Person(host.person_id(subject, keyring.key(db, "host")), shown or tier.value, tier, scopes=_READS)


def people_called(db: Database, subject: str) -> set[str]:
    """The ids of everybody whom a host or provider calls by that subject; also of those who were never here."""
    key = keyring.key(db, "host")
    with db.read() as tx:
        return {each.person_id(subject, key) for each in hosts.every(tx)} | hosts.people_called(tx, subject)


def add_host(
    db: Database,
    by: Person,
    name: str,
    tier: Audience,
    *,
    algorithm: Algorithm = Algorithm.EDDSA,
    public_key: str = "",
    origins: Iterable[str] = (),
) -> tuple[Host, str]:
    """A new host. Returns it and, for HS256, the secret to give to it, which is never shown again.

    Raises Invalid for a key that is none of that kind, Conflict for a name that was given before.
    """
    by.require(Right.ADMINISTER)
    name, secret = " ".join(name.split()), ""
    if not 0 < len(name) <= 100:
        raise Invalid("a host has a name of 1 to 100 characters: what its tokens say as iss", "name")
    if (algorithm is Algorithm.HS256) == bool(public_key):
        raise Invalid("EdDSA and RS256 take the host's public key, HS256 none: it shows a secret", "public_key")
    if algorithm is Algorithm.HS256:
        public_key = secret = secrets.token_urlsafe(32)
    else:
        _check_key(public_key, algorithm)
    pages = frozenset(_origin(each) for each in origins)
    host = Host(uuid4().hex, name, algorithm, public_key, tier, clock.now(), pages)
    with db.write() as tx:
        if any(each.name == name for each in hosts.every(tx)):
            raise Conflict(f"there is or was a host {name}: take another name")
        hosts.insert(tx, host)
        facts = {"name": name, "tier": tier, "algorithm": algorithm, "origins": sorted(pages)}
        audit.write(tx, [audit.Change(by.id, "create", "host", host.id, {}, facts, host.created_at)])
    return host, secret


def revoke_host(db: Database, by: Person, name: str) -> None:
    """Believe nothing that a host signs any more; raises NotFound."""
    by.require(Right.ADMINISTER)
    at = clock.now()
    with db.write() as tx:
        host = hosts.get(tx, name)
        hosts.revoke(tx, host.id, at)
        audit.write(tx, [audit.Change(by.id, "revoke", "host", host.id, {}, {}, at)])


def link(db: Database, by: Person, name: str, subject: str, person_id: str) -> None:
    """Say which of our people a host's subject is. Raises NotFound, Invalid for a host that may not vouch for staff."""
    by.require(Right.ADMINISTER)
    at = clock.now()
    with db.write() as tx:
        host = hosts.get(tx, name)
        if host.tier is not Audience.INTERNAL:
            raise Invalid(f"{name} vouches for {host.tier} readers only; they need no link", "name")
        if not _is_subject(subject):
            raise Invalid(f"a subject has 1 to {_LONGEST_SUBJECT} characters", "subject")
        person = people.get(tx, person_id)
        hosts.link(tx, host.issuer, subject, person.id, at)
        audit.write(tx, [audit.Change(by.id, "link", "person", person.id, {}, {"host": name}, at)])


def _issuer(token: str) -> str:
    """Who claims to have signed it, not believed before `_verified`."""
    try:
        name = jwt.decode(token[:_LONGEST_TOKEN], options={"verify_signature": False}).get("iss")
    except (jwt.PyJWTError, RecursionError):
        raise NotSignedIn("this token cannot be read") from None
    return name if isinstance(name, str) and name.isprintable() else ""


def _host(tx: Tx, name: str) -> Host:
    with contextlib.suppress(NotFound):
        host = hosts.get(tx, name)
        if host.revoked_at is None:
            return host
    raise NotSignedIn("nobody we know has signed this token: iss is the name of a host")


def _verified(token: str, host: Host) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            host.key,
            algorithms=[host.algorithm],  # ours; what the token's header says is only compared with it
            audience=AUDIENCE,
            issuer=host.name,
            leeway=LEEWAY,
            options={"require": _CLAIMS},
        )
    except jwt.PyJWTError as error:
        raise NotSignedIn(f"this token is not good: {error}") from None
    if int(claims["exp"]) - int(claims["iat"]) > LONGEST.total_seconds():
        raise NotSignedIn(f"a token is good for {LONGEST.total_seconds() / 60:.0f} minutes at most")
    return claims


def _is_subject(subject: str) -> bool:
    return 0 < len(subject) <= _LONGEST_SUBJECT and subject.isprintable()


def _tier(claims: dict[str, Any], host: Host) -> Audience:
    claimed = claims.get("tier", host.tier)
    if claimed not in list(Audience):
        raise NotSignedIn(f"tier is one of {', '.join(Audience)}")
    tier = Audience(claimed)
    if tier.rank > host.tier.rank:
        raise NotSignedIn(f"{host.name} vouches for {host.tier} readers at most")
    return tier


def _linked(tx: Tx, host: Host, subject: str) -> Person:
    person = hosts.linked(tx, host.issuer, subject)
    if person is None or person.disabled:
        raise NotSignedIn("this subject is nobody here yet: kb host link says who it is")
    return replace(person, scopes=EVERYDAY)


def _check_key(pem: str, algorithm: Algorithm) -> None:
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError:
        raise Invalid("this is no public key in PEM (-----BEGIN PUBLIC KEY-----)", "public_key") from None
    kind = Ed25519PublicKey if algorithm is Algorithm.EDDSA else RSAPublicKey
    if not isinstance(key, kind) or (isinstance(key, RSAPublicKey) and key.key_size < _LEAST_RSA_BITS):
        wanted = "an Ed25519 key" if algorithm is Algorithm.EDDSA else f"an RSA key of {_LEAST_RSA_BITS} bits or more"
        raise Invalid(f"{algorithm} takes {wanted}", "public_key")


def _origin(given: str) -> str:
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise Invalid(f"{given} is no origin, such as https://shop.example", "origins")
    return f"{parts.scheme}://{parts.netloc}".lower()
