"""Every setting is documented, explained and can be given in three ways."""

from pathlib import Path

import pytest

from kb.errors import Invalid
from kb.settings import Settings, explain, read_settings, variable_of

DOCS = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_of(name), raising=False)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_as_it_describes_itself(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description
    line = next((line for line in DOCS.splitlines() if line.startswith(f"| `{variable_of(name)}` |")), "")
    assert line.endswith(f"| {description} |"), f"docs/configuration.md lacks {variable_of(name)}: {description}"


def test_an_option_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("KB_PORT=1\nKB_HOST=file\nKB_QDRANT_ALIAS=file\n")
    monkeypatch.setenv("KB_PORT", "2")
    monkeypatch.setenv("KB_HOST", "environment")
    options = {"port": 3, "host": None}
    settings = read_settings(options)
    assert (settings.port, settings.host, settings.qdrant_alias) == (3, "environment", "file")
    sources = {each.name: each.source for each in explain(settings, options)}
    assert sources["port"] == "option"
    assert sources["host"] == "environment"
    assert sources["qdrant_alias"] == ".env"
    assert sources["data_dir"] == "default"


def test_a_wrong_setting_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_PORT", "99999")
    with pytest.raises(Invalid, match="KB_PORT"):
        read_settings({})


def test_secrets_are_masked() -> None:
    options = {"qdrant_api_key": "hunter2", "database_url": "postgresql://kb:hunter2@db/kb"}
    shown = {each.name: each.value for each in explain(read_settings(options), options)}
    assert "hunter2" not in str(shown)
    assert shown["database_url"] == "postgresql://kb:***@db/kb"
