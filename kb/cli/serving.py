"""`kb serve` and `kb worker`."""

import ctypes
import errno
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from kb import tracing
from kb.cli.options import begin, setting
from kb.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI
    from uvicorn import Server

    from kb.bootstrap import Service
    from kb.settings import Settings

log = logging.getLogger(__name__)

_M_ARENA_MAX = -8  # of malloc.h
_ARENAS = 2


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    app.command()(worker)


def serve(
    context: typer.Context,
    host: Annotated[str | None, setting("host")] = None,
    port: Annotated[int | None, setting("port")] = None,
) -> None:
    """Serve the HTTP API and the pages; with the embedded engine, index as well. Ctrl-C ends it cleanly."""
    settings = begin(context, serves=True, host=host, port=port)
    run(settings)


def run(settings: "Settings", ready: "Callable[[Service, str], None]" = lambda service, url: None) -> None:
    """Serve until a signal comes. `ready(service, url)` is called beside it, in a thread of its own."""
    # Here, as in every command: `kb --help` should not wait for them.
    from kb.app import create_app
    from kb.bootstrap import Service

    listener = listen(settings.host, settings.port)
    service = Service(settings)
    _run(service, create_app(service), listener, "serve", ready)


def _run(
    service: "Service",
    app: "FastAPI",
    listener: socket.socket,
    command: str,
    ready: "Callable[[Service, str], None]" = lambda service, url: None,
) -> None:
    import uvicorn

    from kb.cli.connections import configuration

    settings = service.settings
    end_on_sigterm()
    share_memory()
    server = uvicorn.Server(configuration(app, settings))
    end_traces = tracing.start(settings.otel_endpoint, f"kb-{command}") if settings.otel_endpoint else lambda: None
    try:
        _check(service)
        url = url_of(listener)
        log.info("kb %s answers on %s (Ctrl-C ends it)", command, url)
        threading.Thread(target=_when_started, args=(server, lambda: ready(service, url)), daemon=True).start()
        loaded = _loaded(service, server)
        threading.Thread(target=collect_less, args=(loaded,), name="collect-less", daemon=True).start()
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # asked for
    finally:
        listener.close()
        if not server.started:  # else the application has closed it
            service.close()
        end_traces()
        gc.freeze()  # the interpreter looks for garbage when it ends: 5 s with PyTorch loaded, on a busy machine 15
    if not server.started:
        raise Unavailable("the service could not be started; see above")


def _check(service: "Service") -> None:
    """What is likely to be wrong, said in one line before anything starts."""
    from kb.store.migrate import migrate

    if service.hold is not None:
        service.hold.take()
    migrate(service.patient_db)


def _loaded(service: "Service", server: "Server") -> "Callable[[], bool]":
    """Says whether all that is loaded in the background is there, or failed, or is not wanted any longer."""
    return lambda: (
        server.should_exit or (service.catalogue.complete and service.encoder.state not in ("not started", "loading"))
    )


def collect_less(loaded: "Callable[[], bool]", poll_s: float = 0.5) -> None:
    """Look for garbage less often, and once everything is loaded, no more among what stays.

    With 340,000 objects, and the encoder has more, the collector stopped every thread for 220 ms, and for 115 ms once
    those were frozen. Small collections, at each 700 objects, cost a search .4 ms.
    """
    gc.set_threshold(10_000, 20, 20)
    while not loaded():
        time.sleep(poll_s)
    gc.freeze()  # without a last collection, which would be such a stop itself


def _when_started(server: "Server", ready: "Callable[[], None]") -> None:
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.05)
    ready()


def worker(context: typer.Context) -> None:
    """Index only: any number of these beside any number of `kb serve`, with a Qdrant server."""
    settings = begin(context, serves=True)
    if settings.embedded:
        raise Invalid(
            "with the embedded engine `kb serve` indexes by itself and nobody else can; "
            "set KB_QDRANT_URL (and KB_DATABASE_URL to PostgreSQL) to run workers",
            "qdrant_url",
        )
    from kb.app import create_worker_app
    from kb.bootstrap import Service

    listener = listen(settings.host, settings.worker_port)
    service = Service(settings, indexing=True)
    _run(service, create_worker_app(service), listener, "worker")


def listen(host: str, port: int) -> socket.socket:
    """A socket on that address, taken before anything else is started; raises Unavailable where it is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, because asyncio turns Nagle's algorithm off only where it is: each answer came 40 ms later.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise Unavailable(
                f"port {port} on {host} is taken by another program; choose one with --port or KB_PORT"
            ) from error
        raise Unavailable(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Where to point a browser."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{host}:{port}"


def end_on_sigterm() -> None:
    """Make SIGTERM end the process the way Ctrl-C does, so that everything is closed."""

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)


def share_memory() -> None:
    """Let all threads share two heaps, where the C library is GNU's; MALLOC_ARENA_MAX in the environment goes first.

    It gives each thread one of up to eight times as many as there are cores. What one thread put into a cache another
    frees, so all of them fill with holes: under the flood (`kb bench --flood`) memory grew by 2.7 MB a minute and
    reached 464 MB, with two it stands still at 428 after three minutes, and answers come no later.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(_M_ARENA_MAX, _ARENAS)
