"""The whole program over HTTP: API and pages around one service. Nothing is built at import."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from kb.api.application import application
from kb.api.limits import Bounds
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

    settings = service.settings
    bounds = Bounds(settings.rate_per_key, settings.rate_per_address, settings.rate_burst_s, settings.max_in_flight)
    app = application(service, lifespan, bounds)
    pages.mount(app)
    return app
