"""Who is asking. `Authorization: Bearer kb_...` names a person; without it the public reads."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from kb.api.limits import found_good
from kb.api.parts import Parts
from kb.errors import NotSignedIn
from kb.person import ANONYMOUS, Person
from kb.solve.access import person_for

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="An API key (`kb_...`). Without one you read as the public; one that is not good is refused.",
)


def signed_in(
    request: Request, parts: Parts, found: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Person:
    """The person the key stands for, ANONYMOUS without a key; NotSignedIn for any header that is no good key.

    A wrong key never reads as the public: whoever sends one expects to see more, and has to learn that they do not.
    """
    headers = request.headers.getlist("authorization")
    if not headers:
        return ANONYMOUS
    if found is None or len(headers) > 1:
        raise NotSignedIn("send one header: Authorization: Bearer kb_...")
    person = person_for(parts.db, found.credentials)
    found_good(request, found.credentials)
    return person


Me = Annotated[Person, Depends(signed_in)]
