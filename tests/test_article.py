from datetime import timedelta

import pytest

from kb.article import Confidence
from kb.audience import Access, Audience
from kb.errors import Conflict, Invalid
from tests.examples import NOON, a_revision, an_article

LATER = NOON + timedelta(hours=1)


def test_a_revision_is_not_shown_until_it_is_published() -> None:
    revised = an_article().revise(LATER)
    assert (revised.latest, revised.published, revised.is_live(LATER)) == (1, None, False)
    published = revised.publish(1, LATER)
    assert (published.published, published.published_at, published.is_live(LATER)) == (1, LATER, True)


def test_a_newer_draft_leaves_the_published_revision_shown() -> None:
    article = an_article(latest=1, published=1, published_at=NOON).revise(LATER)
    assert (article.latest, article.published, article.published_at) == (2, 1, NOON)


@pytest.mark.parametrize("number", [-1, 0, 3])
def test_a_revision_that_is_not_there_cannot_be_published(number: int) -> None:
    with pytest.raises(Invalid) as refused:
        an_article(latest=2).publish(number, LATER)
    assert refused.value.field == "revision"


def test_an_archived_article_is_not_live_and_cannot_be_published() -> None:
    archived = an_article(latest=1, published=1).archive(LATER, superseded_by="a2")
    assert not archived.is_live(LATER)
    assert archived.superseded_by == "a2"
    assert archived.archive(LATER).superseded_by == "a2"
    with pytest.raises(Invalid) as refused:
        archived.publish(1, LATER)
    assert refused.value.field == "confidence"


def test_an_article_is_live_from_its_first_moment_up_to_its_last() -> None:
    article = an_article(latest=1, published=1, valid_from=NOON, valid_until=LATER)
    second = timedelta(seconds=1)
    assert [article.is_live(at) for at in (NOON - second, NOON, LATER - second, LATER)] == [False, True, True, False]


def test_every_change_counts_and_leaves_the_old_one_as_it_was() -> None:
    article = an_article(latest=1)
    changed = [
        article.revise(LATER),
        article.publish(1, LATER),
        article.archive(LATER),
        article.with_state(LATER, confidence=Confidence.VALIDATED, groups=frozenset({"fraud"})),
    ]
    assert all((each.version, each.modified_at) == (2, LATER) for each in changed)
    assert article == an_article(latest=1)
    assert changed[3].access == Access(Audience.PUBLIC, frozenset({"fraud"}))


def test_a_change_to_a_version_that_is_past_is_a_conflict() -> None:
    article = an_article(version=3)
    assert article.expect(3) is article
    assert article.expect(None) is article
    with pytest.raises(Conflict, match="version 3, you changed 2"):
        article.expect(2)


def test_equal_texts_have_equal_hashes_and_others_do_not() -> None:
    text = a_revision(title="a", body="b")
    assert text.content_hash == a_revision(number=2, note="again", title="a", body="b").content_hash
    assert (
        len({text.content_hash, a_revision(title="a", body="c").content_hash, a_revision(title="b").content_hash}) == 3
    )
