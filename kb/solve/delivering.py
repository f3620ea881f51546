"""Delivering what webhooks are told: at least once, in order for each article, whatever fails in between.

Any number of processes may: a lease keeps two from sending the same at once, and a process that dies leaves its rows
to the others when the lease ends. An endpoint that is away holds up nobody else.
"""

import json
import logging
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from kb import clock, logs
from kb.errors import Invalid, KbError, NotFound, Unavailable
from kb.outside import Outside
from kb.solve import announcing
from kb.store import webhooks
from kb.store.database import Database
from kb.webhook import KEPT, Delivery, Outcome, State, Webhook, wait_s

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
"""Seconds that an endpoint has to answer."""

_AT_ONCE = 16
_THREADS = 4  # endpoints that are asked at the same time
_POLL_S = 1.0
_SWEEP_S = 3600.0
_GONE = 410


@dataclass(slots=True)
class Attempts:
    """How attempts of this process ended, for metrics."""

    delivered: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of an attempt: `error` is empty for a success."""

    status: int | None
    error: str


@dataclass(slots=True)
class Messenger:
    """Delivers, in a thread of its own. `public_url` is where links lead; empty leaves them relative."""

    db: Database
    outside: Outside
    public_url: str = ""
    attempts: Attempts = field(default_factory=Attempts)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Deliver from now on."""
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End when what is under way has ended."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=TIMEOUT_S + 5)

    def step(self) -> int:
        """Deliver what is due, up to some at once. Returns how many were tried."""
        with self.db.read() as tx:
            if not webhooks.is_due(tx, clock.now()):
                return 0
        with self.db.write() as tx:
            claimed = webhooks.claim(tx, _AT_ONCE, clock.now())
        by_hook: dict[str, list[Delivery]] = {}
        for each in claimed:
            by_hook.setdefault(each.webhook_id, []).append(each)
        if by_hook:
            with ThreadPoolExecutor(min(_THREADS, len(by_hook))) as pool:
                list(pool.map(self._deliver_all, by_hook.values()))
        return len(claimed)

    def _run(self) -> None:
        failing, swept = False, time.monotonic()
        while not self._stop.is_set():
            try:
                busy = self.step() > 0
                if time.monotonic() - swept > _SWEEP_S:
                    with self.db.write() as tx:
                        webhooks.forget(tx, clock.now() - KEPT)
                    swept = time.monotonic()
                failing = False
            except Exception as error:  # whatever comes: without this thread nobody would be told
                if not failing:
                    log.warning("webhooks cannot be told: %s", logs.told(error),
                                exc_info=None if isinstance(error, KbError) else error)  # fmt: skip
                failing, busy = True, False
            if not busy:
                self._stop.wait(_POLL_S)

    def _deliver_all(self, waiting: Sequence[Delivery]) -> None:
        """Deliver to one webhook, one after the other. Where one fails the others wait as long as that one."""
        for place, each in enumerate(waiting):
            with self.db.read() as tx:
                try:
                    hook = webhooks.get(tx, each.webhook_id)
                except NotFound:
                    return  # deleted since
                allowed = announcing.may_still_hear(tx, hook, each, clock.now())
            if not allowed:
                self._end(each, Outcome.FAILED, _Answer(None, "it is not for this webhook any more"))
            elif hook.state is not State.ACTIVE or self._stop.is_set():
                self._put_back(waiting[place:], 0)
                return
            elif (wait := self._attempt(hook, each)) is not None:
                self._put_back(waiting[place + 1 :], wait)
                return

    def _attempt(self, hook: Webhook, each: Delivery) -> float | None:
        """Send one message; the seconds until the next attempt if that failed."""
        answer = self._send(hook, each)
        if not answer.error:
            self.attempts.delivered += 1
            self._end(each, Outcome.DELIVERED, answer)
            return None
        self.attempts.failed += 1
        at = clock.now()
        if answer.status == _GONE:
            self._quarantine(hook)
        if answer.status == _GONE or each.is_given_up(at):
            log.warning("webhook %s: %s was given up: %s", hook.id, each.message_id, answer.error)
            self._end(each, Outcome.FAILED, answer)
            return 0.0
        wait = wait_s(each.attempts, random.random())
        with self.db.write() as tx:
            webhooks.put_off(tx, each, answer.status, answer.error, at + timedelta(seconds=wait))
        return wait

    def _send(self, hook: Webhook, each: Delivery) -> _Answer:
        body = json.dumps(self._message(each), ensure_ascii=False, separators=(",", ":")).encode()
        headers = hook.headers(each.message_id, body, clock.now()) | {"content-type": "application/json"}
        try:
            status = self.outside.post(hook.url, body, headers)
        except (Invalid, Unavailable) as error:
            return _Answer(None, str(error))
        return _Answer(status, "" if 200 <= status < 300 else f"it answered with status {status}")

    def _message(self, each: Delivery) -> dict[str, object]:
        number = each.payload.get("number")
        links = {"url": f"{self.public_url}{announcing.address(str(number))}"} if number else {}
        timestamp = each.created_at.isoformat().replace("+00:00", "Z")
        return {"type": each.event.value, "timestamp": timestamp, "data": {**each.payload, **links}}

    def _end(self, each: Delivery, outcome: Outcome, answer: _Answer) -> None:
        with self.db.write() as tx:
            webhooks.done(tx, each, outcome, answer.status, answer.error, clock.now())

    def _put_back(self, rest: Sequence[Delivery], wait: float) -> None:
        if rest:
            with self.db.write() as tx:
                webhooks.put_back(tx, [each.id for each in rest], clock.now() + timedelta(seconds=wait))

    def _quarantine(self, hook: Webhook) -> None:
        """Tell an endpoint that says it is gone nothing more, until somebody sees to it."""
        with self.db.write() as tx:
            before = webhooks.get(tx, hook.id)
            webhooks.update(tx, before, before.change(before.changed_by, clock.now(), None, state=State.GONE))
