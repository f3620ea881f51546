"""Calibrates again by itself after a rebuild: a watcher in the process that indexes, the work in one of its own.

The work takes a minute of a core and the embedded engine stops every thread of its process during a call, so it is
kept away from who answers people: `kb calibrate --if-due`, at low priority.
"""

import logging
import subprocess
import sys
import threading
from collections.abc import Mapping

from kb import logs
from kb.solve.calibrating import due
from kb.store.database import Database

log = logging.getLogger(__name__)

FIRST_S, EVERY_S, AGAIN_S = 60.0, 300.0, 3600.0
"""Seconds until the first look, between two, and after one that failed."""


class Recalibrator:
    """Looks now and then whether the live index waits to be calibrated, and has it done.

    `environment` is what the child needs to see the same record and encoder.
    """

    def __init__(self, db: Database, environment: Mapping[str, str]) -> None:
        self._db = db
        self._environment = environment
        self._stop = threading.Event()
        self._child: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, name="recalibrator", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look no more, and end what is under way: it has changed nothing yet."""
        self._stop.set()
        if self._child is not None:
            self._child.terminate()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def step(self) -> bool:
        """Calibrate if it is due; False where that failed, which the log says."""
        with self._db.read() as tx:
            if not due(tx):
                return True
        command = [sys.executable, "-m", "kb", "calibrate", "--if-due"]
        with subprocess.Popen(
            command, env=dict(self._environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as child:
            self._child = child
            told, complained = child.communicate()
        self._child = None
        if child.returncode and not self._stop.is_set():
            log.warning("search could not be calibrated: %s", complained.strip().splitlines()[-1:] or child.returncode)
        for line in told.splitlines():
            log.info("calibrated: %s", line)
        return child.returncode == 0

    def _run(self) -> None:
        pause = FIRST_S
        while not self._stop.wait(pause):
            try:
                pause = EVERY_S if self.step() else AGAIN_S
            except Exception as error:  # whatever comes: nobody's answer depends on this
                log.warning("search could not be calibrated: %s", logs.told(error))
                pause = AGAIN_S
