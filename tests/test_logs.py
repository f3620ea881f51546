import io
import json
import logging
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
import sqlalchemy as sa

from kb import logs
from kb.errors import IndexUnavailable

SECRET = "4711 Jane Doe"
Lines = Callable[[], list[str]]


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger that nobody else listens to."""
    logger = logging.Logger("kb.test")
    yield logger
    for handler in logger.handlers:
        handler.close()


def lines(log: logging.Logger, as_json: bool) -> Lines:
    stream = io.StringIO()
    log.addHandler(logs.handler(as_json, stream))
    return lambda: stream.getvalue().splitlines()


def test_a_line_of_json_says_when_how_grave_who_what_and_in_which_request(log: logging.Logger) -> None:
    said = lines(log, as_json=True)
    with logs.of_request("r1"):
        log.info("request", extra={"status": 200})
    line = json.loads(said()[0])
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "INFO", "logger": "kb.test", "message": "request", "request_id": "r1", "status": 200}


def test_a_line_of_text_says_the_same(log: logging.Logger) -> None:
    said = lines(log, as_json=False)
    with logs.of_request("r1"):
        log.info("request", extra={"status": 200})
    assert said()[0].endswith("INFO kb.test [r1] request status=200")


def test_threads_that_work_for_a_request_write_its_id_and_others_do_not(log: logging.Logger) -> None:
    said = lines(log, as_json=True)
    with ThreadPoolExecutor(1) as pool, logs.of_request("r1"):
        pool.submit(copy_context().run, log.info, "inside").result()
        other = threading.Thread(target=log.info, args=("beside",))
        other.start()
        other.join()
    log.info("after")
    assert [json.loads(line)["request_id"] for line in said()] == ["r1", "", ""]


@pytest.mark.parametrize("as_json", [True, False])
def test_an_exception_shows_where_and_of_which_class_but_not_what_it_quotes(log: logging.Logger, as_json: bool) -> None:
    said = lines(log, as_json)
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise ExceptionGroup(SECRET, [KeyError(SECRET)]) from error
    except ExceptionGroup as error:
        log.exception("it failed: %s", error)
    text = "\n".join(said())
    assert "Doe" not in text
    for shown in ("ValueError", "caused by", "KeyError", "ExceptionGroup", "test_logs.py", "int(SECRET)"):
        assert shown in text


def test_what_kb_says_itself_and_what_the_system_says_stays() -> None:
    assert logs.told(IndexUnavailable("the index is away")) == "IndexUnavailable: the index is away"
    assert logs.told(OSError(28, "No space left on device", SECRET)) == "OSError: No space left on device"
    assert logs.told(ValueError(SECRET)) == "ValueError"


def test_an_error_of_the_database_keeps_its_code() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(sa.exc.OperationalError) as raised:
        connection.execute(sa.text("SELECT :secret FROM nowhere"), {"secret": SECRET})
    assert isinstance(raised.value.orig, sqlite3.OperationalError)
    assert logs.told(raised.value) == "OperationalError (OperationalError SQLITE_ERROR)"
    engine.dispose()


def test_nobody_writes_a_second_line_into_the_log(log: logging.Logger) -> None:
    said = lines(log, as_json=False)
    log.info("one\n2026-11-22 INFO kb.test [-] forged %s", "\r\nthree")
    assert len(said()) == 1


def test_a_process_logs_its_own_levels_of_libraries_only_warnings_and_of_threads_how_they_end() -> None:
    program = f"""
import logging, threading, warnings
from kb import logs
logs.configure("debug", True)
logging.getLogger("kb.some").debug("ours")
logging.getLogger("httpx").info("HTTP Request: GET {SECRET}")
logging.getLogger("httpx").warning("slow")
warnings.warn("old")
thread = threading.Thread(target=int, args=("{SECRET}",), name="indexer")
thread.start(); thread.join()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    said = [json.loads(line) for line in ended.stderr.splitlines()]
    assert ended.returncode == 0
    assert [line["logger"] for line in said] == ["kb.some", "httpx", "py.warnings", "kb.logs"]
    assert said[-1]["message"] == "the thread indexer ended"
    assert "ValueError" in said[-1]["exception"]
    assert "Doe" not in ended.stderr
