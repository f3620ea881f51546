"""The whole program over HTTP: API and pages around one service. Nothing is built at import."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from kb.api.application import application
from kb.bootstrap import Service
from kb.web import pages


def create_app(service: Service) -> FastAPI:
    """The application for a service that is not started yet: it starts and ends with the application."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(service.start)
        try:
            yield
        finally:
            await run_in_threadpool(service.close)

    app = application(service, lifespan)
    pages.mount(app)
    return app
