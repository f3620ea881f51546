"""Signing in to pages and out again."""

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field, SecretStr, StringConstraints, model_validator

from kb.api.bodies import Route
from kb.api.browse import MeOut, shown_person
from kb.api.browsers import cookie, require_our_page, require_private_line, set_cookie
from kb.api.errors import refusals
from kb.api.limits import address_of
from kb.api.parts import Parts, Running
from kb.api.people import COOKIE, Me, session_of
from kb.api.queries import no_query, once
from kb.api.shapes import Id, NoNul, Shape, example
from kb.errors import NotFound, NotSignedIn
from kb.person import Person
from kb.solve.signing_in import SignedIn

router = APIRouter(prefix="/api/v1", tags=["people"], route_class=Route)

_Secret = Annotated[SecretStr, Field(min_length=1, max_length=1_000)]
_PROVIDER = "/sign-in/oidc"


class SessionIn(Shape):
    """A key, or a login and its password."""

    model_config = example({"login": "ada", "password": "three unrelated words"})

    key: _Secret | None = None
    login: Annotated[str, StringConstraints(min_length=1, max_length=200), NoNul] | None = None
    password: _Secret | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.key is None) == (self.login is None) or (self.login is None) != (self.password is None):
            raise ValueError("send a key, or a login and a password")
        return self


class PasswordIn(Shape):
    """The password you have, and the one you want."""

    model_config = example({"current": "three unrelated words", "new": "eight grey herons wait"})

    current: _Secret
    new: Annotated[_Secret, Field(description="12 to 200 characters of any kind; no common password.")]


class LeaveIn(Shape):
    """Which sessions to end."""

    everywhere: Annotated[bool, Field(description="All of yours, on every device.")] = False


class SessionOut(Shape):
    """Who you are on our pages, and what these need."""

    model_config = example(
        {
            "person": {
                "id": "5b1e6a0c9d2f4f7b8c3d4e5f6a7b8c9d",
                "name": "Ada",
                "tier": "internal",
                "roles": ["contributor"],
                "groups": ["fraud-team"],
                "rights": ["draft", "trail", "validate"],
            },
            "csrf_token": "0sVn3F0mK8y2bVQ1J6r9c4tXwZ7aE5hUoLdG2pRiNfM",
            "expires_at": "2026-03-14T20:00:00Z",
            "login": "ada",
            "provider": None,
        }
    )

    person: MeOut
    csrf_token: Annotated[
        str | None,
        Field(description="Send it as X-CSRF-Token with everything that is not a GET. Null without a session."),
    ]
    expires_at: Annotated[datetime | None, Field(description="When you have to sign in again at the latest.")]
    login: Annotated[str | None, Field(description="Your login, if you have a password here.")]
    provider: Annotated[str | None, Field(description="Where to go to sign in with the company's account.")]


class OneSessionOut(Shape):
    """A browser in which you are signed in."""

    id: Id
    began_at: datetime
    seen_at: Annotated[datetime, Field(description="When it was last used, to the minute.")]
    expires_at: Annotated[datetime, Field(description="When it ends at the latest.")]
    present: Annotated[bool, Field(description="Whether this request came with it.")]


class SessionsOut(Shape):
    """Your sessions, those last used first; at most 100."""

    model_config = example(
        {
            "sessions": [
                {
                    "id": "0c9d2f4f7b8c3d4e5f6a7b8c9d5b1e6a",
                    "began_at": "2026-03-14T08:00:00Z",
                    "seen_at": "2026-03-14T11:42:00Z",
                    "expires_at": "2026-03-14T20:00:00Z",
                    "present": True,
                }
            ]
        }
    )

    sessions: list[OneSessionOut]


@router.get("/session", summary="Who is signed in", responses=refusals(), dependencies=[Depends(no_query)])
def read_session(me: Me, parts: Parts, request: Request) -> SessionOut:
    """The person behind the cookie (or key); the public without one."""
    return _shown(me, session_of(request), parts)


@router.post("/session", summary="Sign in", responses=refusals(403, 413), dependencies=[Depends(no_query)])
def sign_in(asked: SessionIn, parts: Parts, request: Request) -> SessionOut:
    """Begin a session: the reply sets a cookie that scripts cannot read. One that was there before ends."""
    require_our_page(request, parts)
    require_private_line(request, parts)
    if asked.key is not None:
        begun = parts.sign_in.by_key(asked.key.get_secret_value())
    else:
        assert asked.login is not None
        assert asked.password is not None
        begun = parts.sign_in.by_password(asked.login, asked.password.get_secret_value(), address_of(request.scope))
    enter(request, parts, begun)
    return _shown(begun.person, begun, parts)


@router.delete(
    "/session", status_code=204, summary="Sign out", responses=refusals(403), dependencies=[Depends(once("everywhere"))]
)
def sign_out(asked: Annotated[LeaveIn, Query()], me: Me, parts: Parts, request: Request) -> Response:
    """End the session, or all that you have."""
    found = session_of(request)
    if asked.everywhere:
        parts.sign_in.leave_everywhere(me, me.id)
    elif found:
        with suppress(NotFound):  # it has ended meanwhile
            parts.sign_in.leave(found.session.id, me)
    return _left(request, parts) if found else Response(status_code=204)


@router.put(
    "/session/password", summary="Change your password", responses=refusals(413), dependencies=[Depends(no_query)]
)
def change_password(asked: PasswordIn, me: Me, parts: Parts, request: Request) -> SessionOut:
    """Needs the present password, and ends all your sessions but this one, which goes on with a new cookie.

    A wrong present password counts like a failed sign-in. Who has no password is refused with 403.
    """
    require_private_line(request, parts)
    found = session_of(request)
    current, new = asked.current.get_secret_value(), asked.new.get_secret_value()
    session = found.session if found else None
    renewed = parts.sign_in.change_password(me, current, new, address_of(request.scope), session)
    if renewed:
        assert renewed.token is not None
        request.state.cookies = []  # not the token that would have come next
        set_cookie(request, parts, COOKIE, renewed.token)
    return _shown(me, renewed, parts)


@router.get("/sessions", summary="Your sessions", responses=refusals(), dependencies=[Depends(no_query)])
def list_sessions(me: Me, parts: Parts, request: Request) -> SessionsOut:
    """Where you are signed in: one entry for each browser."""
    found = session_of(request)
    return SessionsOut(
        sessions=[
            OneSessionOut(
                id=each.id,
                began_at=each.created_at,
                seen_at=each.seen_at,
                expires_at=each.expires_at,
                present=found is not None and each.id == found.session.id,
            )
            for each in parts.sign_in.sessions_of(me)
        ]
    )


@router.delete(
    "/sessions/{session_id}",
    status_code=204,
    summary="End one of your sessions",
    responses=refusals(404),
    dependencies=[Depends(no_query)],
)
def end_session(
    session_id: Annotated[Id, Path(examples=["0c9d2f4f7b8c3d4e5f6a7b8c9d5b1e6a"])],
    me: Me,
    parts: Parts,
    request: Request,
) -> Response:
    """Sign out in one browser: at once, whatever it is doing there."""
    found = session_of(request)
    parts.sign_in.leave(session_id, me)
    return _left(request, parts) if found and found.session.id == session_id else Response(status_code=204)


def enter(request: Request, parts: Running, begun: SignedIn) -> None:
    """Give the browser the cookie of a session that has begun, and end the one it had."""
    held = cookie(request, parts, COOKIE)
    if held is not None:
        try:
            before = parts.sign_in.resume(held, renew=False)
            parts.sign_in.leave(before.session.id, before.person)
        except (NotSignedIn, NotFound):
            pass  # it had ended
    assert begun.token is not None
    set_cookie(request, parts, COOKIE, begun.token)


def _left(request: Request, parts: Running) -> Response:
    """The answer to a browser whose session has ended: it forgets the cookie and what it keeps of ours.

    Our pages keep what an editor has not saved yet; the theme goes with the page, and the language is in the address.
    """
    request.state.cookies = []  # not the token that would have come next
    set_cookie(request, parts, COOKIE, "", 0)
    return Response(status_code=204, headers={"Clear-Site-Data": '"cache", "storage"'})


def _shown(person: Person, found: SignedIn | None, parts: Running) -> SessionOut:
    return SessionOut(
        person=shown_person(person),
        csrf_token=parts.sign_in.csrf(found.session) if found else None,
        expires_at=found.session.expires_at if found else None,
        login=parts.sign_in.login_of(person),
        provider=_PROVIDER if parts.provider else None,
    )
