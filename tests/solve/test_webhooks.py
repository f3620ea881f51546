"""Webhooks: who is told what, in which order, how often, and by how many. The endpoint is a real one on loopback."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from kb import clock
from kb.article import Article, Draft
from kb.audience import Audience
from kb.case import Rules
from kb.errors import Conflict, Invalid, NotAllowed, NotFound
from kb.flag import Cause
from kb.language import Language
from kb.outside import Allowed, Outside
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM, Role
from kb.solve import casework, flagging, improve, webhooks
from kb.solve.access import add_person
from kb.solve.delivering import Messenger
from kb.solve.fixing import Fixes
from kb.solve.flagging import Said
from kb.solve.webhooks import Wanted
from kb.store import webhooks as store
from kb.store.database import Database
from kb.webhook import LEASE, PATIENCE, Event, Outcome, State, Webhook, wait_s
from tests.receiver import LOOPBACK, WAY, Endpoint, endpoint

EVERYTHING = frozenset(Event)
ARTICLES = frozenset({Event.ARTICLE_PUBLISHED, Event.ARTICLE_RECALLED})


@pytest.fixture
def there() -> Iterator[Endpoint]:
    with endpoint() as made:
        yield made


def hooked(
    db: Database, there: Endpoint, audience: Audience = Audience.INTERNAL, events: frozenset[Event] = EVERYTHING
) -> Webhook:
    return webhooks.create(db, SYSTEM, Wanted("CRM", there.url, audience, events), LOOPBACK)


def written(db: Database, title: str = "Red light", **state: object) -> Article:
    fields: dict[str, object] = {"language": Language.ENGLISH, "audience": Audience.PUBLIC} | state
    return improve.create(db, SYSTEM, Draft(title, "Hold reset for ten seconds.", **fields))  # type: ignore[arg-type]


def messenger(db: Database, way: Outside = WAY) -> Messenger:
    return Messenger(db, way, "https://kb.example")


def settle(db: Database) -> None:
    """Deliver until nothing is due."""
    post = messenger(db)
    while post.step():
        pass


def flagged(db: Database, article: Article, cause: Cause = Cause.WRONG_FACT) -> str:
    said = Said(cause, ItemRef(Kind.ARTICLE, article.id), 1, quote="ten seconds")
    return flagging.flag(db, SYSTEM, said, Rules()).case.id


def due_now(db: Database, webhook_id: str) -> None:
    """As if the back-off had passed."""
    with db.write() as tx:
        waiting = store.deliveries(tx, webhook_id, Outcome.WAITING)
        store.put_back(tx, [each.id for each in waiting], clock.now() - timedelta(seconds=1))


def fates(db: Database, hook: Webhook) -> list[tuple[str, str, int]]:
    found = webhooks.deliveries(db, SYSTEM, hook.id, None, None, 200)
    return [(each.event.value, each.outcome.value, each.attempts) for each in reversed(found)]


def test_a_published_article_is_told_signed_and_without_its_text(db: Database, there: Endpoint) -> None:
    hook = hooked(db, there)
    article = written(db)
    settle(db)
    (received,) = there.received
    assert received.is_signed_with(hook.secret)
    assert received.headers["content-type"] == "application/json"
    assert received.said["type"] == "article.published"
    assert received.data == {
        "article_id": article.id, "number": article.number, "title": "Red light", "language": "en",
        "audience": "public", "topic": "", "revision": 1,
        "published_at": (article.published_at or clock.now()).isoformat().replace("+00:00", "Z"),
        "url": f"https://kb.example/#article={article.number}",
    }  # fmt: skip
    assert b"reset" not in received.body
    settle(db)
    assert len(there.received) == 1


def test_a_case_is_told_from_opening_to_acceptance_and_a_fix_of_the_meaning_is_a_recall(
    db: Database, there: Endpoint
) -> None:
    hooked(db, there)
    article = written(db)
    case_id = flagged(db, article)
    fix = Fixes([case_id], changes_meaning=True)
    improve.revise(db, SYSTEM, article.id, "Red light", "Hold it for fifteen.", version=1, publish=True, fixes=fix)
    casework.accept(db, SYSTEM, case_id)
    settle(db)
    assert there.events() == [
        "article.published", "case.opened", "article.published", "case.fixed", "article.recalled", "case.accepted",
    ]  # fmt: skip
    recall = there.received[4].data
    assert (recall["reason"], recall["wrong_revision"], recall["revision"]) == ("corrected", 1, 2)
    opened = there.received[1].data
    assert (opened["case_id"], opened["cause"], opened["number"]) == (case_id, "wrong_fact", article.number)
    assert b"ten seconds" not in b"".join(each.body for each in there.received)


def test_to_archive_what_is_wrong_is_a_recall_and_what_is_merely_old_is_not(db: Database, there: Endpoint) -> None:
    hooked(db, there, Audience.PUBLIC, ARTICLES)
    old, wrong = written(db), written(db)
    flagged(db, wrong)
    flagged(db, old, Cause.HARD_TO_USE)
    for each in (old, wrong):
        improve.archive(db, SYSTEM, each.id)
    settle(db)
    recalled = [each.data for each in there.received if each.said["type"] == "article.recalled"]
    assert [(each["number"], each["reason"]) for each in recalled] == [(wrong.number, "archived")]


def test_a_webhook_hears_of_nothing_that_its_audience_may_not_read(db: Database, there: Endpoint) -> None:
    hooked(db, there, Audience.PUBLIC, ARTICLES)
    inside = written(db, "Quokka", audience=Audience.INTERNAL)
    written(db, "Vault", groups=frozenset({"vault"}))
    improve.create(db, SYSTEM, Draft("Draft", "x", Language.ENGLISH, Audience.PUBLIC), publish=False)
    settle(db)
    assert there.received == []
    improve.set_state(db, SYSTEM, inside.id, {"audience": Audience.PUBLIC})
    settle(db)
    assert [each.data["number"] for each in there.received] == [inside.number], "now it is there for them"


def test_an_article_that_begins_later_is_told_of_when_it_does(
    sqlite_db: Database, there: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked(sqlite_db, there, Audience.PUBLIC, ARTICLES)
    begins = clock.now() + timedelta(days=9)
    article = written(sqlite_db, valid_from=begins)
    settle(sqlite_db)
    assert there.received == []
    monkeypatch.setattr(clock, "now", lambda: begins)
    settle(sqlite_db)
    assert [each.data["number"] for each in there.received] == [article.number]


def test_what_has_been_hidden_since_is_not_sent_and_not_replayed(db: Database, there: Endpoint) -> None:
    hook = hooked(db, there, Audience.PUBLIC, ARTICLES)
    article = written(db)
    improve.set_state(db, SYSTEM, article.id, {"audience": Audience.INTERNAL})
    settle(db)
    assert there.received == []
    assert fates(db, hook) == [("article.published", "failed", 1)]
    assert webhooks.replay(db, SYSTEM, hook.id, since=article.created_at) == 1
    settle(db)
    assert there.received == []


def test_what_is_about_one_article_comes_in_order_and_a_failure_holds_up_no_other(
    db: Database, there: Endpoint
) -> None:
    hook = hooked(db, there, events=ARTICLES)
    with endpoint() as elsewhere:
        other = webhooks.create(db, SYSTEM, Wanted("B", elsewhere.url, Audience.PUBLIC, ARTICLES), LOOPBACK)
        there.answers = [500]
        article = written(db)
        improve.revise(db, SYSTEM, article.id, "Red light", "Fifteen.", version=1, publish=True)
        settle(db)
        assert [each.data["revision"] for each in elsewhere.received] == [1, 2]
        assert [each.data["revision"] for each in there.received] == [1], "the second waits for the first"
        due_now(db, hook.id)
        settle(db)
        assert [each.data["revision"] for each in there.received] == [1, 1, 2]
        assert len({each.headers["webhook-id"] for each in there.received}) == 2, "the same message has the same id"
        assert fates(db, other) == [("article.published", "delivered", 1)] * 2
        assert fates(db, hook) == [("article.published", "delivered", 2), ("article.published", "delivered", 1)]


@pytest.mark.parametrize("status", [302, 400, 503])
def test_what_is_no_success_is_tried_again_until_it_is_given_up_and_can_be_replayed(
    sqlite_db: Database, there: Endpoint, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = hooked(sqlite_db, there, events=ARTICLES)
    there.answers = [status] * 2
    written(sqlite_db)
    settle(sqlite_db)
    (waiting,) = webhooks.deliveries(sqlite_db, SYSTEM, hook.id, Outcome.WAITING, None, 9)
    assert (waiting.status, waiting.attempts, len(there.received)) == (status, 1, 1), "no redirect is followed"
    later = clock.now() + PATIENCE
    monkeypatch.setattr(clock, "now", lambda: later)
    settle(sqlite_db)
    assert fates(sqlite_db, hook) == [("article.published", "failed", 2)]
    assert webhooks.replay(sqlite_db, SYSTEM, hook.id, [waiting.id]) == 1
    settle(sqlite_db)
    assert fates(sqlite_db, hook) == [("article.published", "delivered", 1)]


def test_an_endpoint_that_is_gone_is_told_nothing_more(db: Database, there: Endpoint) -> None:
    hook = hooked(db, there, events=ARTICLES)
    there.answers = [410]
    written(db)
    written(db)
    settle(db)
    assert webhooks.read(db, SYSTEM, hook.id).state is State.GONE
    assert len(there.received) == 1
    wanted = Wanted("CRM", there.url, Audience.INTERNAL, ARTICLES)
    webhooks.change(db, SYSTEM, hook.id, wanted, LOOPBACK)
    settle(db)
    assert len(there.received) == 2


def test_a_paused_webhook_is_told_later(db: Database, there: Endpoint) -> None:
    hook = hooked(db, there, events=ARTICLES)
    wanted = Wanted("CRM", there.url, Audience.INTERNAL, ARTICLES, active=False)
    paused = webhooks.change(db, SYSTEM, hook.id, wanted, LOOPBACK, version=1)
    written(db)
    settle(db)
    assert there.received == []
    with pytest.raises(Conflict):
        webhooks.change(db, SYSTEM, hook.id, wanted, LOOPBACK, version=1)
    go_on = Wanted("CRM", there.url, Audience.INTERNAL, ARTICLES)
    webhooks.change(db, SYSTEM, hook.id, go_on, LOOPBACK, version=paused.version)
    settle(db)
    assert len(there.received) == 1


def test_two_secrets_sign_for_a_day_after_a_rotation(
    sqlite_db: Database, there: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = hooked(sqlite_db, there, events=ARTICLES)
    new = webhooks.rotate(sqlite_db, SYSTEM, old.id)
    written(sqlite_db)
    settle(sqlite_db)
    assert there.received[0].is_signed_with(old.secret)
    assert there.received[0].is_signed_with(new.secret)
    later = clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    written(sqlite_db)
    settle(sqlite_db)
    assert not there.received[1].is_signed_with(old.secret)
    assert there.received[1].is_signed_with(new.secret)


def test_a_private_address_is_refused_whatever_it_is_called(sqlite_db: Database, there: Endpoint) -> None:
    with pytest.raises(Invalid, match="KB_WEBHOOK_ALLOW"):
        webhooks.create(sqlite_db, SYSTEM, Wanted("x", there.url, Audience.PUBLIC, ARTICLES), Allowed())
    hook = hooked(sqlite_db, there, events=ARTICLES)
    written(sqlite_db)
    messenger(sqlite_db, Outside(setting="KB_WEBHOOK_ALLOW")).step()
    (waiting,) = webhooks.deliveries(sqlite_db, SYSTEM, hook.id, None, None, 9)
    assert "private network; KB_WEBHOOK_ALLOW" in waiting.error
    assert there.received == []


def test_two_processes_never_deliver_one_message_at_the_same_time(db: Database, there: Endpoint) -> None:
    hook = hooked(db, there, events=ARTICLES)
    for number in range(4):
        written(db, f"Article {number}")
    there.hold = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(messenger(db).step)
        assert there.arrived.wait(60), "the first has taken all of them and waits for an answer"
        assert pool.submit(messenger(db).step).result() == 0
        there.hold.set()
        assert first.result() == 4
    assert fates(db, hook) == [("article.published", "delivered", 1)] * 4
    assert len(there.received) == 4


_VICTIM = """
import sys
from kb.outside import Allowed, Outside
from kb.solve.delivering import Messenger
from kb.store.database import Database
print("ready", flush=True)
Messenger(Database(sys.argv[1]), Outside(Allowed.parse("127.0.0.0/8"), seconds=60)).step()
"""


def test_a_process_that_is_killed_in_the_middle_leaves_its_messages_to_the_next(
    db: Database, there: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = hooked(db, there, events=ARTICLES)
    written(db)
    there.hold = threading.Event()
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    with subprocess.Popen([sys.executable, "-c", _VICTIM, db.url], env=environment, stdout=subprocess.PIPE) as victim:
        assert there.arrived.wait(60)
        victim.send_signal(signal.SIGKILL)
    there.hold.set()
    settle(db)
    assert len(there.received) == 1, "its lease keeps others off"
    later = clock.now() + LEASE
    monkeypatch.setattr(clock, "now", lambda: later)
    settle(db)
    assert len(there.received) == 2
    assert len({each.headers["webhook-id"] for each in there.received}) == 1
    assert fates(db, hook) == [("article.published", "delivered", 1)]


def test_a_change_that_is_taken_back_tells_nobody(db: Database, there: Endpoint) -> None:
    hook = hooked(db, there, events=ARTICLES)
    article = written(db)
    with pytest.raises(Invalid):
        improve.revise(db, SYSTEM, article.id, "Red light", "x", version=1, publish=True, fixes=Fixes(["none"]))
    assert fates(db, hook) == [("article.published", "waiting", 0)]


def test_webhooks_are_for_administrators_and_for_what_they_may_read_themselves(db: Database, there: Endpoint) -> None:
    coach = add_person(db, SYSTEM, "coach", Audience.INTERNAL, roles=[Role.COACH])[0]
    partner = add_person(db, SYSTEM, "partner", Audience.PARTNER, roles=[Role.ADMIN])[0]
    wanted = Wanted("x", there.url, Audience.INTERNAL, ARTICLES)
    for who in (coach, partner):
        with pytest.raises(NotAllowed):
            webhooks.create(db, who, wanted, LOOPBACK)
    hook = hooked(db, there)
    assert webhooks.listing(db, partner) == []
    with pytest.raises(NotFound):
        webhooks.read(db, partner, hook.id)
    with pytest.raises(Invalid, match="staff"):
        hooked(db, there, Audience.CUSTOMER)


def test_what_ended_is_forgotten_after_a_month_and_what_waits_never(sqlite_db: Database, there: Endpoint) -> None:
    hook = hooked(sqlite_db, there, events=ARTICLES)
    written(sqlite_db)
    settle(sqlite_db)
    written(sqlite_db)
    with sqlite_db.write() as tx:
        assert store.forget(tx, clock.now() + timedelta(days=1)) == 1
    assert fates(sqlite_db, hook) == [("article.published", "waiting", 0)]


def test_waits_double_up_to_six_hours_and_are_not_all_the_same() -> None:
    assert [wait_s(attempts, 0) for attempts in (0, 1, 2)] == [5, 10, 20]
    assert wait_s(50, 0) == 6 * 3600
    assert wait_s(0, 0.99) < 4 < wait_s(0, 0.5) < 5
