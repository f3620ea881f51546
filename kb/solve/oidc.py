"""Signing in with the company's account: OpenID Connect, authorization code with PKCE.

The provider's word is taken for who somebody is, and a mapping in our settings for what that opens: whom it does not
name gets nothing. Sources: OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9207 (issuer in the response).
"""

import base64
import hashlib
import hmac
import logging
import secrets
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import httpx
import jwt

from kb import clock
from kb.audience import Audience
from kb.errors import NotAllowed, NotSignedIn, Unavailable
from kb.person import Person, Role
from kb.solve.signing_in import SignedIn, SignIn
from kb.store import audit, hosts, people, sessions
from kb.store.database import Database, Tx

log = logging.getLogger("kb.security")

_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]  # a key pair of the provider; never a shared secret, never "none"
_CLAIMS = ["iss", "aud", "sub", "exp", "iat"]
_LEEWAY_S = 30
_BUDGET_S = 1.8  # for all that is asked of the provider at once: somebody waits for a page, 2 s at most
_CALLS = 8  # at the same moment
_KEPT_S = 3600.0  # what the provider says of itself
_REFETCH_S = 10.0


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody in a group of the provider gets here."""

    tier: Audience
    roles: frozenset[Role] = frozenset()
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Registration:
    """How we are registered with the provider, and whom we let in: `grants` by a value of the claim `claim`."""

    issuer: str
    client_id: str
    client_secret: str
    grants: Mapping[str, Grant]
    claim: str = "groups"
    scopes: str = "openid profile"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What has to come back: kept in a cookie of the browser that asked, so that nobody can finish for another."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        """The verifier as the provider gets it at first (S256)."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


class Provider:
    """One OpenID provider."""

    def __init__(self, db: Database, sign_in: SignIn, registration: Registration) -> None:
        self._db = db
        self._sign_in = sign_in
        self._registration = registration
        self._known = _Known(registration.issuer)

    def address(self, attempt: Attempt, redirect_uri: str) -> str:
        """Where to send the browser; raises Unavailable when the provider is away."""
        asked = {
            "response_type": "code",
            "client_id": self._registration.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._registration.scopes,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        endpoint: str = self._known.metadata(_end())["authorization_endpoint"]
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def finish(self, attempt: Attempt, reply: Mapping[str, str], redirect_uri: str) -> SignedIn:
        """Begin a session with what the provider sent the browser back with.

        Raises NotSignedIn for an answer that is not to this attempt or not the provider's, NotAllowed for somebody
        the mapping does not name, Unavailable when the provider is away.
        """
        if not hmac.compare_digest(reply.get("state", "").encode(), attempt.state.encode()):
            raise self._refused("state")
        if reply.get("iss", self._registration.issuer) != self._registration.issuer:
            raise self._refused("iss")
        if not reply.get("code"):
            raise self._refused(f"error {reply.get('error', '')[:40]!r}")
        end = _end()
        claims = self._claims(self._token(reply["code"], attempt, redirect_uri, end), attempt, end)
        person = _described(claims, self._grants(claims))
        with self._db.write() as tx:
            person = self._kept(tx, str(claims["sub"]), person)
            if person.tier is not Audience.PUBLIC and not person.disabled:
                return self._sign_in.begin(tx, person, "oidc")
        log.warning("sign-in refused", extra={"how": "oidc", "why": "disabled" if person.disabled else "no grant"})
        raise NotAllowed("you have an account, but it opens nothing here")

    def close(self) -> None:
        """Let go of the connections to the provider."""
        self._known.close()

    def _token(self, code: str, attempt: Attempt, redirect_uri: str, end: float) -> str:
        known, body = self._known.metadata(end), {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": attempt.verifier,
        }  # fmt: skip
        ours = (self._registration.client_id, self._registration.client_secret)
        methods = known.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        auth = None
        if ours[1] and "client_secret_basic" in methods:
            auth = httpx.BasicAuth(quote(ours[0], safe=""), quote(ours[1], safe=""))  # RFC 6749, section 2.3.1
        else:
            body |= {"client_id": ours[0]} | ({"client_secret": ours[1]} if ours[1] else {})
        answer = self._known.ask(end, "POST", known["token_endpoint"], data=body, auth=auth)
        if answer.status_code != 200:
            raise self._refused(f"token endpoint {answer.status_code}")
        return str(_json(answer).get("id_token", ""))

    def _claims(self, token: str, attempt: Attempt, end: float) -> dict[str, Any]:
        registration = self._registration
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._known.key(jwt.get_unverified_header(token).get("kid"), end),
                algorithms=_ALGORITHMS,
                audience=registration.client_id,
                issuer=registration.issuer,
                leeway=_LEEWAY_S,
                options={"require": _CLAIMS},
            )
        except (jwt.PyJWTError, RecursionError) as error:
            raise self._refused(type(error).__name__) from None
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), attempt.nonce.encode()):
            raise self._refused("nonce")
        others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if others else registration.client_id) != registration.client_id:
            raise self._refused("azp")
        return claims

    def _grants(self, claims: Mapping[str, Any]) -> list[Grant]:
        """What the mapping gives for the claim, which may lie deeper: "realm_access.roles"."""
        value: Any = claims
        for name in self._registration.claim.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        values = value if isinstance(value, list) else [value]
        return [self._registration.grants[each] for each in values if isinstance(each, str)
                and each in self._registration.grants]  # fmt: skip

    def _kept(self, tx: Tx, subject: str, described: Person) -> Person:
        """Write down what the provider says of somebody now. Whom it grants nothing any more loses all they had."""
        known = hosts.linked(tx, self._registration.issuer, subject)
        if known is None:
            if described.tier is not Audience.PUBLIC:
                people.insert(tx, described, clock.now())
                hosts.link(tx, self._registration.issuer, subject, described.id, clock.now())
                _note(tx, described, "create", {}, _facts(described))
            return described
        now = replace(described, id=known.id, disabled=known.disabled)
        if now != known:
            people.update(tx, now)
            _note(tx, now, "follow_provider", *audit.difference(_facts(known), _facts(now)))
        if now.tier is Audience.PUBLIC:
            sessions.end_all(tx, now.id)
        return now

    def _refused(self, why: str) -> NotSignedIn:
        log.warning("sign-in refused", extra={"how": "oidc", "why": why})
        return NotSignedIn("the sign-in was not completed")


class _Known:
    """What the provider says of itself: its endpoints and keys, asked for when needed.

    `end` is when nobody waits any more, by `time.monotonic()`.
    """

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._lock = threading.Lock()
        self._metadata: tuple[float, dict[str, Any]] = (float("-inf"), {})
        self._keys: tuple[float, list[jwt.PyJWK]] = (float("-inf"), [])

    @cached_property
    def _client(self) -> httpx.Client:
        # The system's certificates: a provider of one's own is often signed by a company's authority.
        return httpx.Client(timeout=_BUDGET_S, verify=ssl.create_default_context(), follow_redirects=False)

    @cached_property
    def _calls(self) -> ThreadPoolExecutor:
        # The client's times are for each step (name, connection, TLS, each piece of the answer); nobody adds them up.
        return ThreadPoolExecutor(_CALLS, "oidc")

    def close(self) -> None:
        """Let go of the connections."""
        self._calls.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def ask(self, end: float, method: str, url: str, **more: Any) -> httpx.Response:
        """One call; raises Unavailable when the provider does not answer in time or has an error."""
        call = self._calls.submit(self._client.request, method, url, **more)
        try:
            answer = call.result(max(0.0, end - time.monotonic()))
        except TimeoutError:
            call.cancel()
            raise Unavailable("the sign-in provider takes too long") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"the sign-in provider is away: {type(error).__name__}") from error
        if answer.status_code >= 500:
            raise Unavailable(f"the sign-in provider has an error: {answer.status_code}")
        return answer

    def metadata(self, end: float) -> dict[str, Any]:
        """The provider's discovery document."""
        with self._alone(end):
            since, known = self._metadata
            if time.monotonic() - since > _KEPT_S:
                known = _json(self.ask(end, "GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"))
                wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
                if known.get("issuer") != self._issuer or not all(isinstance(known.get(each), str) for each in wanted):
                    raise Unavailable(f"what the sign-in provider says of itself does not fit {self._issuer}")
                self._metadata = (time.monotonic(), known)
            return known

    def key(self, kid: str | None, end: float) -> jwt.PyJWK:
        """The provider's key of that id, asked for anew if we do not know it: keys change. Raises PyJWTError."""
        uri: str = self.metadata(end)["jwks_uri"]
        with self._alone(end):
            since, keys = self._keys
            age = time.monotonic() - since
            if age > _KEPT_S or (_find(keys, kid) is None and age > _REFETCH_S):
                keys = jwt.PyJWKSet.from_dict(_json(self.ask(end, "GET", uri))).keys
                self._keys = (time.monotonic(), keys)
        found = _find(keys, kid)
        if found is None:
            raise jwt.InvalidKeyError("no such key")
        return found

    @contextmanager
    def _alone(self, end: float) -> Iterator[None]:
        """Ask once, however many wait for the answer."""
        if not self._lock.acquire(timeout=max(0.0, end - time.monotonic())):
            raise Unavailable("the sign-in provider takes too long")
        try:
            yield
        finally:
            self._lock.release()


def _end() -> float:
    return time.monotonic() + _BUDGET_S


def _find(keys: list[jwt.PyJWK], kid: str | None) -> jwt.PyJWK | None:
    fitting = [each for each in keys if kid is None or each.key_id == kid]
    return fitting[0] if len(fitting) == 1 else None


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unavailable("the sign-in provider sent something else than it should")
    return found


def _described(claims: Mapping[str, Any], grants: list[Grant]) -> Person:
    """Somebody with the widest of their grants' tiers and all of their roles and groups; the public without any."""
    names = (claims.get(each) for each in ("name", "preferred_username", "email"))
    name = next((" ".join(each.split())[:200] for each in names if isinstance(each, str) and each.strip()), "Somebody")
    tier = max((each.tier for each in grants), key=lambda tier: tier.rank, default=Audience.PUBLIC)
    roles = frozenset(role for each in grants for role in each.roles)
    return Person(uuid4().hex, name, tier, roles, frozenset(group for each in grants for group in each.groups))


def _facts(person: Person) -> dict[str, object]:
    return {"tier": person.tier, "roles": sorted(person.roles), "groups": sorted(person.groups)}


def _note(tx: Tx, person: Person, action: str, before: Mapping[str, object], after: Mapping[str, object]) -> None:
    audit.write(tx, [audit.Change(person.id, action, "person", person.id, before, after, clock.now())])
