"""The application: routes, errors and the frame around them, put together for one running service."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from types import ModuleType
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

import kb
from kb.api import (
    articles,
    browse,
    cases,
    dictionary,
    errors,
    feed,
    files,
    flags,
    history,
    interactions,
    oidc,
    operations,
    queue,
    roles,
    search,
    sessions,
    templates,
    upkeep,
    webhooks,
    workbench,
)
from kb.api.frame import Frame
from kb.api.limits import Bounds, Limits
from kb.api.metrics import Metrics
from kb.api.parts import Running
from kb.api.people import require_scopes

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

EVERYTHING = (
    search, articles, files, history, upkeep, templates, roles, interactions, flags, cases, queue, dictionary,
    workbench, webhooks, browse, feed, sessions, oidc, operations,
)  # fmt: skip
"""What has endpoints."""

_DESCRIPTION = """
Knowledge for contact centres: search that answers, articles with their history, and the trail of every customer
contact, in English, Simplified and Traditional Chinese.

**Who reads what** follows from the key alone (`Authorization: Bearer kb_...`), a token that a host has signed, or the
session of our pages; without any you read as the public. A key opens no more than its scopes.
What you may not read looks exactly like what does not exist.

**A parameter is honoured or refused**, never ignored: unknown fields and query parameters are answered with 422.

**Every error** has the same shape, with a `code` for programs and the `request_id` that finds it in the log; send
`X-Request-ID` to choose that id. A method that an address does not have is answered with 405 and `Allow`.

**Limits.** Bodies may have 2 MB (files 5 MB unless set otherwise), and say each thing once: a key that is there twice
is refused. Whoever asks faster than they may is answered with 429, everybody with 503 when we are busy; both say in
`Retry-After` when to go on.
"""
_TAGS = [
    {"name": "search", "description": "Find what answers."},
    {"name": "articles", "description": "Read and write articles."},
    {"name": "files", "description": "Pictures and files of articles."},
    {"name": "history", "description": "Revisions, differences and the audit log; for staff."},
    {"name": "upkeep", "description": "Drafts checked, duplicates merged, owners reminded, texts coached; for staff."},
    {"name": "templates", "description": "The fields of articles."},
    {"name": "roles", "description": "What each role may do."},
    {"name": "interactions", "description": "Customer contacts and what happened in them."},
    {"name": "cases", "description": "What is wrong or missing, from a flag to proof that it is put right; for staff."},
    {"name": "dictionary", "description": "Words that mean the same; for those who tune search."},
    {"name": "workbench", "description": "Searches explained, judged and compared; for those who tune search."},
    {"name": "webhooks", "description": "Other systems, told what happens here; for administrators."},
    {"name": "browse", "description": "What there is to look through."},
    {"name": "people", "description": "Who you are."},
    {"name": "operations", "description": "For those who run it."},
]


class Api(FastAPI):
    """FastAPI with an example beside every request and reply of its OpenAPI description."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 description."""
        if not self.openapi_schema:
            schema = super().openapi()
            for path in schema["paths"].values():
                for operation in path.values():
                    for holder in (operation.get("requestBody"), *operation["responses"].values()):
                        _add_example(schema, holder)
        return self.openapi_schema or {}


def application(
    service: Running, lifespan: Lifespan, bounds: Bounds, modules: Sequence[ModuleType] = EVERYTHING
) -> Api:
    """The API for a service, which `lifespan` starts and ends, within bounds."""
    api = Api(
        title="kb",
        version=kb.__version__,
        summary="Knowledge for contact centres",
        description=_DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        openapi_tags=_TAGS,
        # The pages that FastAPI would add load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # It would tell whoever collects it messages of exceptions and whole addresses; `kb.tracing` does not.
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
    )
    api.state.service = service
    api.state.metrics = Metrics(service)
    for module in modules:
        require_scopes(module.router)
        api.include_router(module.router)
    errors.install(api)
    api.add_middleware(Limits, bounds=bounds, metrics=api.state.metrics)
    api.add_middleware(Frame, metrics=api.state.metrics)
    return api


def _operation_id(route: APIRoute) -> str:
    return route.name


def _add_example(schema: dict[str, Any], holder: dict[str, Any] | None) -> None:
    """Clients and tools look for an example beside the content; ours stand with the shapes."""
    for content in (holder or {}).get("content", {}).values():
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        found = schema["components"]["schemas"].get(name, {}).get("examples")
        if found and "example" not in content:
            content["example"] = found[0]
