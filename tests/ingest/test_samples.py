"""Real Markdown of other projects, where it is at hand."""

from itertools import islice
from pathlib import Path

import pytest

from ingest.markdown import Defaults, MarkdownFolder
from kb.audience import Audience
from kb.language import Language
from kb.store.database import Database
from kb.text.script import language_of
from tests.ingest.runs import ingest_articles

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "markdown"

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample texts of other projects are not at hand")


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("rustdesk-en", Language.ENGLISH),
        ("rustdesk-zh-cn", Language.SIMPLIFIED),
        ("rustdesk-zh-tw", Language.TRADITIONAL),
        ("tidb-zh", Language.SIMPLIFIED),
    ],
)
def test_every_file_is_read_and_its_language_told(name: str, language: Language) -> None:
    files = MarkdownFolder(SAMPLES / name, name, Defaults(Audience.PUBLIC, language))
    found = list(islice(files.items(), 300))
    assert len(found) >= min(files.total - 1, 300), "all but a README at the top"
    told = [language_of(item.content.body) is language for item in found]  # type: ignore[union-attr]
    assert sum(told) >= 0.9 * len(told)


def test_another_projects_folder_comes_in(sqlite_db: Database) -> None:
    defaults = Defaults(Audience.PUBLIC, Language.TRADITIONAL)
    ran = ingest_articles(sqlite_db, SAMPLES / "rustdesk-zh-tw", source="rustdesk", defaults=defaults)
    assert ran.counts == {"created": ran.report.seen}
    assert ran.report.seen > 50
