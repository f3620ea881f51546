"""Two articles become one, and two again."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from kb.article import Article, Confidence, Size
from kb.audience import Audience
from kb.errors import Conflict, Invalid, NotAllowed
from kb.file import File, Named
from kb.interaction import Channel, EventKind, LinkType
from kb.language import Language
from kb.passage import ItemRef, Kind
from kb.person import SYSTEM, Person, Role
from kb.solve import improve, merging, upkeep
from kb.store import articles, checklists, files, interactions
from kb.store.database import Database
from tests.examples import an_event, an_interaction

Write = Callable[..., Article]
CANDIDATE = Person("candidate", "Cat", Audience.INTERNAL, frozenset({Role.CANDIDATE}))


@pytest.fixture
def write(db: Database) -> Write:
    """Articles on the database of the test, which runs on both."""

    def _write(title: str = "Red light", body: str = "Restart the hub.", **state: object) -> Article:
        fields: dict[str, object] = {"language": Language.ENGLISH, "audience": Audience.PUBLIC} | state
        return improve.create(db, SYSTEM, improve.Draft(title, body, **fields))  # type: ignore[arg-type]

    return _write


def link(db: Database, interaction: str, article: Article, type_: LinkType = LinkType.RESOLUTION) -> None:
    item = {"item_kind": Kind.ARTICLE, "item_id": article.id, "revision": 1}
    with db.write() as tx:
        if not interactions.by_external_id(tx, interaction):
            interactions.insert(tx, an_interaction(interaction, external_id=interaction))
        interactions.append(tx, [an_event(EventKind.LINKED, interaction, data={"type": type_.value}, **item)])


def links(db: Database, article: Article) -> dict[str, str]:
    with db.read() as tx:
        return dict(interactions.linked_to(tx, ItemRef(Kind.ARTICLE, article.id)))


def text(db: Database, article: Article, number: int) -> str:
    with db.read() as tx:
        return articles.get_revision(tx, article.id, number).body


def now(db: Database, article: Article) -> Article:
    with db.read() as tx:
        return articles.get(tx, article.id)


def merge(db: Database, one: Article, other: Article, by: Person = SYSTEM, **more: str) -> merging.Merge:
    versions = {each.id: now(db, each).version for each in (one, other)}
    return merging.merge(db, by, one.id, other.id, versions, **more)


def test_the_newer_text_links_and_translations_move_to_the_older(db: Database, write: Write) -> None:
    older, newer = write(body="Restart."), write(body="Hold reset.")
    chinese = write("红灯", "按住。", language=Language.SIMPLIFIED, translation_of=newer.id)
    link(db, "i1", newer)
    link(db, "i2", newer, LinkType.REFERENCE)
    link(db, "i2", older)
    done = merge(db, newer, older)
    assert (done.kept.id, done.merged.id, done.links) == (older.id, newer.id, 2)
    assert (done.kept.published, text(db, older, 2)) == (2, "Hold reset.")
    assert (done.merged.confidence, done.merged.superseded_by) == (Confidence.ARCHIVED, older.id)
    assert links(db, older) == {"i1": "resolution", "i2": "resolution"}
    assert links(db, newer) == {}
    assert (now(db, chinese).translation_of, now(db, chinese).translates) == (older.id, 2)
    assert text(db, older, 1) == "Restart."
    assert text(db, newer, 1) == "Hold reset.", "both histories stay"
    with db.read() as tx:
        assert checklists.get(tx, older.id, 2).computed


def test_use_counts_each_link_once_whatever_was_merged(db: Database, write: Write) -> None:
    older, newer = write(), write()
    link(db, "i1", newer)
    link(db, "i2", older, LinkType.REFERENCE)
    link(db, "i3", older, LinkType.REFERENCE)
    merge(db, older, newer)
    found = upkeep.use(db, SYSTEM, older.number, timedelta(days=3_650))
    assert [(each.kind, each.type, each.role, each.count) for each in found.times] == [
        (EventKind.LINKED, LinkType.REFERENCE, None, 2)
    ], "a merge is no use"
    assert found.linked == {LinkType.RESOLUTION: 1, LinkType.REFERENCE: 2}
    users = upkeep.recent_users(db, SYSTEM, newer.number, timedelta(days=3_650))
    assert [(each.event.interaction_id, each.channel) for each in users] == [("i1", Channel.PHONE)]
    seen = merging.preview(db, SYSTEM, older.id, write().id)
    assert (seen.kept.id, seen.links, seen.shown) == (older.id, 0, True)


def test_pictures_of_the_newer_text_come_along(db: Database, write: Write) -> None:
    file = File("application/pdf", b"%PDF lights")
    older = write(body="Restart.")
    newer = write(body=f"See [this]({file.reference}).", files=(Named("lights.pdf", file),))
    merge(db, older, newer)
    with db.read() as tx:
        assert [(each.hash, each.name) for each in files.attached(tx, older.id)] == [(file.hash, "lights.pdf")]


def test_a_merge_is_undone_as_one_action(db: Database, write: Write) -> None:
    older, newer = write(body="Restart."), write(body="Hold reset.", confidence=Confidence.VALIDATED)
    chinese = write("红灯", "按住。", language=Language.SIMPLIFIED, translation_of=newer.id)
    link(db, "i1", newer)
    link(db, "i2", newer)
    link(db, "i2", older, LinkType.REFERENCE)
    merge(db, older, newer, title="Both", body="Restart or hold reset.")
    done = merging.undo(db, SYSTEM, newer.id)
    assert done.text
    assert (done.merged.confidence, done.merged.superseded_by) == (Confidence.VALIDATED, None)
    assert (done.kept.published, done.kept.latest) == (1, 3)
    assert text(db, older, 3) == "Restart.", "a draft begins with what was there before"
    assert now(db, chinese).translation_of == newer.id
    assert links(db, newer) == {"i1": "resolution", "i2": "resolution"}
    assert links(db, older) == {"i2": "reference"}
    with pytest.raises(Conflict):
        merging.undo(db, SYSTEM, newer.id)


def test_what_somebody_wrote_since_the_merge_is_not_undone(db: Database, write: Write) -> None:
    older, newer = write(body="Restart."), write(body="Hold reset.")
    merge(db, older, newer)
    improve.revise(db, SYSTEM, older.id, "Red light", "Better.", publish=True)
    done = merging.undo(db, SYSTEM, newer.id)
    assert (done.text, done.kept.published, text(db, older, 3)) == (False, 3, "Better.")
    assert done.merged.confidence is Confidence.NOT_VALIDATED


def test_what_cannot_be_one_is_refused_and_says_why(db: Database, write: Write) -> None:
    article, chinese = write(), write("红灯", "重启。", language=Language.SIMPLIFIED)
    internal = write(body="Code 4711.", audience=Audience.INTERNAL)
    for other, field in ((article, "articles"), (chinese, "articles"), (internal, "body")):
        with pytest.raises(Invalid) as refused:
            merge(db, article, other)
        assert refused.value.field == field
    assert merge(db, article, internal, body="Call us.").kept.published == 2
    with pytest.raises(Invalid, match="archived"):
        merge(db, article, internal)
    with pytest.raises(NotAllowed):
        merge(db, article, write(), CANDIDATE)
    with pytest.raises(Conflict):
        merging.merge(db, SYSTEM, article.id, write().id, {article.id: 1})


def test_a_draft_that_becomes_public_by_a_merge_is_one_again_afterwards(db: Database) -> None:
    draft = improve.Draft("Red light", "Draft.", Language.ENGLISH, Audience.PUBLIC)
    older = improve.create(db, SYSTEM, draft, publish=False)
    newer = improve.create(db, SYSTEM, improve.Draft("Red light", "Out.", Language.ENGLISH, Audience.PUBLIC))
    assert merge(db, older, newer).kept.published == 2
    assert merging.undo(db, SYSTEM, newer.id).kept.published is None


def test_an_edit_of_the_original_leaves_translations_behind_by_its_size(db: Database, write: Write) -> None:
    english = write(body="Restart.")
    chinese = write(
        "红灯", "重启。", language=Language.SIMPLIFIED, translation_of=english.id, confidence=Confidence.VALIDATED
    )
    assert now(db, chinese).translates == 1
    for size, confidence in (
        (Size.TYPO, Confidence.VALIDATED),
        (Size.CONTENT, Confidence.VALIDATED),
        (Size.MEANING, Confidence.NOT_VALIDATED),
    ):
        improve.revise(db, SYSTEM, english.id, "Red light", f"{size}", publish=True, size=size)
        assert now(db, chinese).confidence is confidence
    improve.set_state(db, SYSTEM, chinese.id, {"confidence": Confidence.VALIDATED})
    improve.publish(db, SYSTEM, english.id, 1)
    improve.revise(db, SYSTEM, english.id, "Red light", "draft", size=Size.MEANING)
    assert now(db, chinese).confidence is Confidence.VALIDATED, "neither an undo nor a draft changes what is said"
