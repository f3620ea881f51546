"""The command line in this process, on a data folder of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kb.cli import app
from kb.settings import Settings, variable_of

Kb = Callable[..., Result]


@pytest.fixture
def kb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kb:
    """Run `kb ARGUMENTS`; errors that the command would print are raised."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_of(name), raising=False)
    monkeypatch.setenv("KB_DATA_DIR", str(tmp_path / "data"))

    def run(*arguments: str, input: str | None = None) -> Result:
        result = CliRunner().invoke(app, arguments, input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run
