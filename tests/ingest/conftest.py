"""A folder to write Markdown into."""

from pathlib import Path

import pytest

from tests.ingest.runs import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "faq")
