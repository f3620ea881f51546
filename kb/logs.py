"""What a process tells its operator on stderr: a line per event, as text or JSON, with the id of its request.

Nothing personal is in it. What we log ourselves are numbers, names of parts and messages in our own words; what others
said is cut down here, for every line: an exception that is not ours keeps its class, and its place in the code, but not
its message, which may quote a row, a query or a key.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from kb.errors import KbError

_request_id: ContextVar[str] = ContextVar("request_id", default="")
OURS = ("kb", "ingest")
_RAW = {*RESERVED_ATTRS, "request_id", "time"}


def configure(level: str, as_json: bool) -> None:
    """Log to stderr from now on; nothing where logging has been set up already, as in tests.

    `level` holds for our own loggers. Libraries speak of addresses, statements and texts: of them only warnings.
    """
    if logging.root.handlers:
        return
    logging.basicConfig(level=logging.WARNING, handlers=[handler(as_json)])
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())
    logging.captureWarnings(True)
    threading.excepthook = _thread_ended


def handler(as_json: bool, stream: TextIO | None = None) -> logging.Handler:
    """What writes the lines, to stderr unless told otherwise."""
    made = logging.StreamHandler(stream or sys.stderr)
    made.addFilter(_clean)
    made.setFormatter(_Json() if as_json else _Text())
    return made


@contextmanager
def of_request(request_id: str) -> Iterator[None]:
    """Every line from here, also from threads that work for the request, carries this id."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


def told(error: BaseException) -> str:
    """An exception without what others may have put into it."""
    name = type(error).__name__
    if isinstance(error, KbError):
        return f"{name}: {error}"
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"  # without the file
    cause = getattr(error, "orig", None)  # of SQLAlchemy: what the driver raised
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    return f"{name} ({type(cause).__name__} {code})" if code else name


def _clean(record: logging.LogRecord) -> bool:
    record.request_id = _request_id.get()
    record.exc_text = None  # what another handler made of it, with all that was said
    if isinstance(record.args, tuple):
        record.args = tuple(told(each) if isinstance(each, BaseException) else each for each in record.args)
    return True


class _Json(JsonFormatter):
    def __init__(self) -> None:
        names = {"levelname": "level", "name": "logger", "exc_info": "exception"}
        super().__init__(("time", "levelname", "name", "message", "request_id"), rename_fields=names)

    def format(self, record: logging.LogRecord) -> str:
        record.time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return super().format(record)

    def formatException(self, ei: Any) -> str:
        return _places(ei)


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        # One event, one line: nobody writes a second one into the log.
        record.message = record.message.replace("\r", "\\r").replace("\n", "\\n")
        more = "".join(f" {name}={value}" for name, value in record.__dict__.items() if name not in _RAW)
        return super().formatMessage(record) + more

    def formatException(self, ei: Any) -> str:
        return _places(ei)


def _places(raised: tuple[Any, BaseException, TracebackType | None]) -> str:
    """Where it was raised and what it was caused by, without what was said."""
    lines: list[str] = []
    error: BaseException | None = raised[1]
    while error is not None:
        lines += [*traceback.format_tb(error.__traceback__), f"{told(error)}\n"]
        lines += [f"  with {told(each)}\n" for each in getattr(error, "exceptions", ())]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if error is not None:
            lines.append("caused by:\n")
    return "".join(lines).rstrip()


def _thread_ended(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and args.exc_type is not SystemExit:
        name = args.thread.name if args.thread else "?"
        logging.getLogger(__name__).critical(
            "the thread %s ended", name, exc_info=(args.exc_type, args.exc_value, args.exc_traceback)
        )
