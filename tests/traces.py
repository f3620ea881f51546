"""Somebody with a long life in the record, and looking whether anything of them is left."""

import json
from collections.abc import Iterable
from pathlib import Path

from kb import clock
from kb.article import Draft
from kb.audience import Audience
from kb.interaction import EventKind
from kb.language import Language
from kb.person import SYSTEM, Role
from kb.solve import access, improve, passwords
from kb.solve.publishing import cut_posts, save_posts
from kb.store import interactions
from kb.store.database import Database
from tests.examples import a_post, an_event, an_interaction
from tests.toys import bytes_on_disk


def in_any_form(text: str) -> list[bytes]:
    """The bytes that a text may stand as in a file."""
    return [text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be"), json.dumps(text)[1:-1].encode()]


SECRETS = ["Anastasia Quillfeather", "quill@example.com", "C-1009-quill", "quillish", "王小明七", "quillquery"]


def a_life(db: Database) -> None:
    """A person, a customer and an author, who are one, in all kinds of rows, long enough for pages of their own."""
    person, _ = access.add_person(db, SYSTEM, SECRETS[0], Audience.INTERNAL, roles=[Role.PUBLISHER], groups=["g"])
    passwords.set_password(db, SYSTEM, person.id, SECRETS[1], "seven unlikely words")
    article = improve.create(db, person, Draft("Red light", "Restart.", Language.ENGLISH, Audience.PUBLIC))
    improve.set_state(db, person, article.id, {"tags": (SECRETS[4],)})
    improve.set_state(db, person, article.id, {"tags": ()})
    with db.write() as tx:
        for number in range(60):
            interactions.insert(
                tx, an_interaction(f"i{number}", subject=SECRETS[2], external_id=f"{SECRETS[2]}{number}")
            )
            data = {"query": f"{SECRETS[5]} {number} " + "long " * 300}
            interactions.append(tx, [an_event(EventKind.SEARCHED, f"i{number}", data=data)])
            interactions.append(tx, [an_event(EventKind.SEARCHED, None, person_id=person.id, data=data)])
    for number in range(20):
        write_post(db, SECRETS[3], str(number), body=f"{SECRETS[3]} writes {number}. " * 200)
    write_post(db, SECRETS[4], "zh", body="七" * 3000, language=Language.SIMPLIFIED)


def assert_none_in(paths: Iterable[Path]) -> None:
    found = b"".join(bytes_on_disk(each) if each.is_dir() else each.read_bytes() for each in paths)
    for secret in SECRETS:
        for form in in_any_form(secret):
            assert form not in found, (secret, form)


def write_post(db: Database, author: str, key: str = "k1", **fields: object) -> str:
    """Bring in a post, as an importer does; its id."""
    new = a_post(f"p{key}", author=author, source_key=key, **fields)
    with db.write() as tx:
        save_posts(tx, [new], [], cut_posts([new]), clock.now())
    return new.id
