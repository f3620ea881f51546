"""The whole program over HTTP: API and pages around one service. Nothing is built at import."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from kb.api import operations
from kb.api.application import Lifespan, application
from kb.api.limits import Bounds
from kb.bootstrap import Service
from kb.web import pages


def create_app(service: Service) -> FastAPI:
    """The application for a service that is not started yet: it starts and ends with the application."""
    app = application(service, _life_of(service), _bounds(service))
    pages.mount(app)
    return app


def create_worker_app(service: Service) -> FastAPI:
    """The same for a process that only indexes: it answers how it is, and nothing else."""
    return application(service, _life_of(service), _bounds(service), (operations,))


def _life_of(service: Service) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(service.start)
        try:
            yield
        finally:
            await run_in_threadpool(service.close)

    return lifespan


def _bounds(service: Service) -> Bounds:
    settings = service.settings
    return Bounds(
        settings.rate_per_key,
        settings.rate_per_address,
        settings.rate_burst_s,
        settings.max_in_flight,
        file_bytes=settings.file_limit,
    )
