import gc
import json
import os
import platform
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.cli.demo import PEOPLE, keys_of
from kb.cli.serving import collect_less, listen, url_of
from kb.errors import Unavailable
from kb.solve import access
from kb.store.database import Database


def test_a_taken_port_is_said_in_one_line() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(Unavailable, match="--port or KB_PORT"):
            listen("127.0.0.1", port)


EIGHT_THREADS = """
import ctypes, threading
from kb.cli.serving import share_memory
share_memory()
libc, all_here, kept = ctypes.CDLL(None), threading.Barrier(9), []
def one():
    kept.append([bytes(4_000) for _ in range(100)])
    all_here.wait()
for _ in range(8):
    threading.Thread(target=one, daemon=True).start()
all_here.wait()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def test_an_address_of_another_machine_is_said_in_one_line() -> None:
    with pytest.raises(Unavailable, match="cannot listen on"):
        listen("192.0.2.1", 0)


def test_an_answer_is_not_held_back_until_the_one_before_is_acknowledged() -> None:
    with listen("127.0.0.1", 0) as listener:
        # asyncio sets TCP_NODELAY only on sockets whose protocol is named; without it `/api/v1/me` took 47 ms, not 1.
        assert listener.proto == socket.IPPROTO_TCP


def test_what_was_loaded_for_good_is_not_looked_through_for_garbage() -> None:
    parts = iter((False, True))
    before = gc.get_threshold()
    try:
        collect_less(lambda: next(parts), poll_s=0)
        assert gc.get_freeze_count() > 1_000
        assert gc.get_threshold()[0] > before[0]
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only GNU's C library has a heap for each thread")
@pytest.mark.parametrize(("given", "most"), [({}, 2), ({"MALLOC_ARENA_MAX": "3"}, 3)])
def test_threads_share_two_heaps_unless_somebody_chose_otherwise(given: dict[str, str], most: int) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"} | given
    asked = [sys.executable, "-c", EIGHT_THREADS]
    printed = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True).stdout
    assert printed.count("<heap nr=") == most


def test_an_address_for_everybody_is_shown_as_one_that_a_browser_takes() -> None:
    with listen("0.0.0.0", 0) as listener:
        assert url_of(listener).startswith("http://localhost:")


def test_demo_keys_stay_the_same_and_are_for_their_owner_only(sqlite_db: Database, tmp_path: Path) -> None:
    path = tmp_path / "demo-keys.json"
    keys = keys_of(sqlite_db, path)
    assert keys_of(sqlite_db, path) == keys
    assert {name: access.person_for(sqlite_db, secret).tier for name, secret in keys.items()} == {
        name: tier for name, (tier, _, _) in PEOPLE.items()
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_demo_keys_of_another_database_are_made_anew(sqlite_db: Database, tmp_path: Path) -> None:
    path = tmp_path / "demo-keys.json"
    path.write_text(json.dumps(dict.fromkeys(PEOPLE, "kb_0000")))
    assert "kb_0000" not in keys_of(sqlite_db, path).values()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`kb serve` in a process of its own, and its URL. Its encoder is missing: search is lexical."""
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    process = serve(tmp_path, port)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        if process.stderr is not None and not process.stderr.closed:
            process.communicate()


def serve(folder: Path, port: int) -> "subprocess.Popen[str]":
    environment = os.environ | {"KB_DATA_DIR": str(folder / "data"), "KB_PORT": str(port), "KB_LOG_LEVEL": "warning"}
    environment |= {"KB_EMBEDDING_MODEL": str(folder / "no-such-model"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "kb", "serve"]
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)


def wait_until_it_answers(url: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/api/v1/openapi.json", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"nobody answers on {url}")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_ends_cleanly(
    served: tuple["subprocess.Popen[str]", str], number: signal.Signals
) -> None:
    process, url = served
    wait_until_it_answers(url)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_second_process_on_the_same_folder_is_refused(
    served: tuple["subprocess.Popen[str]", str], tmp_path: Path
) -> None:
    process, url = served
    wait_until_it_answers(url)
    second = serve(tmp_path, 0)
    _, said = second.communicate(timeout=60)
    assert second.returncode == 1
    assert f"another process (pid {process.pid}) serves" in said
    assert "Traceback" not in said
    wait_until_it_answers(url)
