"""Query parameters are honoured or refused, never ignored: not an unknown one, not a second value for one."""

from collections.abc import Callable

from fastapi import Request

from kb.errors import Invalid


async def no_query(request: Request) -> None:
    """For an endpoint that takes no query parameters."""
    for name in request.query_params:
        raise Invalid(f"{name} is no parameter here", name)


def once(*names: str) -> Callable[[Request], None]:
    """For an endpoint with parameters that hold one value each."""

    def check(request: Request) -> None:
        for name in names:
            if len(request.query_params.getlist(name)) > 1:
                raise Invalid(f"{name} is given more than once", name)

    return check
