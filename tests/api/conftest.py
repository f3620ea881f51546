"""A whole service behind HTTP: SQLite and Qdrant Edge in a folder of its own, a toy encoder, no background indexing.

Tests write through the API or the domain, call `house.settle()` and then ask: nothing depends on timing.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from fastapi.testclient import TestClient

from kb.app import create_app
from kb.article import Article, Draft
from kb.audience import Audience
from kb.bootstrap import Service
from kb.language import Language
from kb.person import EVERYTHING, SYSTEM, Role
from kb.post import Post
from kb.search.loading import BackgroundEncoder
from kb.settings import Settings
from kb.solve import improve
from kb.solve.access import add_person
from kb.solve.publishing import cut_posts, save_posts
from tests.examples import NOON
from tests.receiver import only_here
from tests.toys import ToyEncoder

PEOPLE: dict[str, dict[str, Any]] = {
    "customer": {"tier": Audience.CUSTOMER},
    "partner": {"tier": Audience.PARTNER},
    "reader": {"tier": Audience.INTERNAL},
    "candidate": {"tier": Audience.INTERNAL, "roles": [Role.CANDIDATE]},
    "contributor": {"tier": Audience.INTERNAL, "roles": [Role.CONTRIBUTOR]},
    "publisher": {"tier": Audience.INTERNAL, "roles": [Role.PUBLISHER], "groups": ["fraud-team"]},
    "admin": {"tier": Audience.INTERNAL, "roles": [Role.ADMIN], "scopes": EVERYTHING},
    "partner_author": {"tier": Audience.PARTNER, "roles": [Role.PUBLISHER]},
}


UNHURRIED = {"rate_per_key": 1e6, "rate_per_address": 1e6}
"""Tests ask faster than anybody may."""


@dataclass
class House:
    """A contact centre: a running service, a client, a key for everybody."""

    service: Service
    client: TestClient
    keys: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, who: str = "", **more: Any) -> Any:
        """The response to somebody ("" for the public)."""
        headers = more.pop("headers", {})
        if who:
            headers = {"Authorization": f"Bearer {self.keys[who]}", **headers}
        return self.client.request(method, path if path.startswith("/") else f"/api/v1/{path}", headers=headers, **more)

    def get(self, path: str, who: str = "", **query: Any) -> Any:
        return self.ask("GET", path, who, params=query or None)

    def post(self, path: str, body: object, who: str = "", **more: Any) -> Any:
        return self.ask("POST", path, who, json=body, **more)

    def search(self, query: str, who: str = "", **more: Any) -> dict[str, Any]:
        response = self.post("search", {"query": query, **more}, who)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def titles(self, query: str, who: str = "", **more: Any) -> list[str]:
        return [hit["title"] for hit in self.search(query, who, **more)["hits"]]

    def write(self, title: str = "Red light", body: str = "Restart the hub.", **fields: Any) -> Article:
        """An article, published unless told otherwise."""
        publish = fields.pop("publish", True)
        draft = Draft(
            **{"title": title, "body": body, "language": Language.ENGLISH, "audience": Audience.PUBLIC} | fields
        )
        return improve.create(self.service.db, SYSTEM, draft, publish=publish)

    def write_post(self, title: str, body: str, **fields: Any) -> Post:
        """A community post."""
        post = Post(
            **{"id": "p1", "source": "forum", "source_key": "t/1", "title": title, "body": body, "author": "sam",
               "language": Language.ENGLISH, "created_at": NOON, "url": "https://forum.example/t/1"} | fields
        )  # fmt: skip
        with self.service.db.write() as tx:
            save_posts(tx, [post], [], cut_posts([post]), NOON)
        return post

    def settle(self) -> None:
        """Everything indexed and every search logged."""
        self.service.indexer.settle()
        self.service.search_log.flush()


@contextmanager
def opened(template: Path, database_url: str = "", **settings: Any) -> Iterator[House]:
    """A house with one key for each of `PEOPLE`, no index yet and, unless the settings say so, nobody slowed down.

    In memory where the system has a folder there: every fsync of a test waits for the disk otherwise, and with a
    busy disk a test takes 7 s instead of .4 s.
    """
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None, prefix="kb-test-") as folder:
        shutil.copy(template, Path(folder) / "kb.db")
        where = {"data_dir": Path(folder), "database_url": database_url, "_env_file": None}
        yield from _opened(Settings(**UNHURRIED | settings | where))


def _opened(settings: Settings) -> Iterator[House]:
    toy = ToyEncoder()
    encoder = BackgroundEncoder(lambda: toy, toy.identity).start()
    encoder.wait()
    service = Service(settings, encoder=encoder, indexing=False)
    service.messenger.outside = replace(service.messenger.outside, resolver=only_here)
    with TestClient(create_app(service)) as client:
        house = House(service, client)
        for name, fields in PEOPLE.items():
            person, house.keys[name] = add_person(service.db, SYSTEM, name, **fields)
            house.ids[name] = person.id
        yield house


@pytest.fixture
def house(sqlite_template: Path) -> Iterator[House]:
    """An empty house."""
    with opened(sqlite_template) as each:
        yield each


@pytest.fixture(scope="module")
def shared(sqlite_template: Path) -> Iterator[House]:
    """A house for tests of one module that do not mind what the others wrote."""
    with opened(sqlite_template) as each:
        yield each
