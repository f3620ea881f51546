"""Schemathesis reads the OpenAPI description and sends what it allows and what it does not, as three people.

Answers must be as described: no 5xx, no status that is not named, the shape, content type and headers that are named,
refusals for what is refused, 405 with `Allow` for methods that are not there, and what one answer names can be asked
for. In process, always the same cases.
"""

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.api.conftest import opened

pytestmark = [pytest.mark.slow]

CONFIGURATION: dict[str, Any] = {
    "seed": 1,
    "cache": {"enabled": False},
    "workers": 1,
    "continue-on-failure": True,
    "generation": {"max-examples": 10, "deterministic": True, "database": "none"},
    "phases": {"stateful": {"generation": {"max-examples": 10}}},
    "checks": {
        # Without a key one reads as the public: that is no ignored authentication.
        "ignored_auth": {"enabled": False},
        # What fields say together (a link has a type) is not in the schema.
        "positive_data_acceptance": {"enabled": False},
    },
}


def started(app: ASGIApp) -> ASGIApp:
    """The application without its lifespan, which the house has begun and will end."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
        else:
            await app(scope, receive, send)

    return asked


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # a hundred of anything is allowed, and tried
@pytest.mark.parametrize("who", ["", "contributor", "admin"])
def test_everything_is_answered_as_described(who: str, sqlite_template: Path) -> None:
    with opened(sqlite_template) as house:
        house.write()
        house.settle()
        headers = {"Authorization": f"Bearer {house.keys[who]}"} if who else {}
        config = SchemathesisConfig.from_dict(CONFIGURATION | {"headers": headers})
        schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", started(house.client.app), config=config)
        problems: dict[str, str] = {}
        tested: set[str] = set()
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                tested |= {case.value.operation.label for case in event.recorder.cases.values()}
                for case_id, checks in event.recorder.checks.items():
                    for check in checks:
                        if check.failure_info is not None:
                            failure = check.failure_info.failure
                            label = event.recorder.cases[case_id].value.operation.label
                            key = f"{label}: {failure.title}"
                            problems.setdefault(key, f"{failure.message}\n{check.failure_info.code_sample[:500]}")
            elif isinstance(event, events.NonFatalError | events.FatalError):
                problems[f"{event}"[:200]] = str(
                    event.info if isinstance(event, events.NonFatalError) else event.exception
                )
        assert len(tested) >= 20
    assert not problems, "\n\n".join(f"{key}\n{what}" for key, what in sorted(problems.items()))
