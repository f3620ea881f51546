"""One small contact centre, written and indexed once, to be copied: people, keys, ids and numbers are equal."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.secrets.worlds import MEMORY, Template, make_template


@pytest.fixture(scope="session")
def template(sqlite_template: Path) -> Iterator[Template]:
    """The folder that worlds are copied from, and the keys of its people."""
    with TemporaryDirectory(dir=MEMORY, prefix="kb-template-") as folder:
        yield make_template(sqlite_template, Path(folder))
