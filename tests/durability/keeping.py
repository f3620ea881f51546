"""What a child process does until it is killed: restore a backup, erase somebody."""

import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from kb.cli import app, keeping
from kb.solve import restoring
from kb.store.database import Database

_context = multiprocessing.get_context("forkserver")  # imports once, so that a round is short
_context.set_forkserver_preload([__name__])


def restore(backup: Path, url: str, data_dir: Path) -> None:
    """Put a backup in the place of the record."""
    with closing(Database(url)) as db:
        restoring.restore(backup, db, data_dir, replace=True)


def erase(data_dir: Path, url: str, subjects: list[str]) -> None:
    """`kb erase`."""
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    keeping._LATECOMERS_S = 0.0
    named = [word for subject in subjects for word in ("--subject", subject)]
    app(["--data-dir", str(data_dir), "--database-url", url, "erase", *named], standalone_mode=False)


def run(work: Callable[..., None], *arguments: object) -> float:
    """Let a child do it to the end; how many seconds that took."""
    child = _context.Process(target=work, args=arguments)
    start = time.monotonic()
    child.start()
    child.join()
    assert child.exitcode == 0
    return time.monotonic() - start


def run_and_kill(seconds: float, chance: random.Random, work: Callable[..., None], *arguments: object) -> None:
    """Let a child begin it, and kill it at a random moment within that time."""
    child = _context.Process(target=work, args=arguments)
    child.start()
    child.join(chance.uniform(0.0, seconds))
    child.kill()
    child.join()
    child.close()
