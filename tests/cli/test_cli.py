import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import kb as package
from kb.errors import Invalid
from tests.cli.conftest import Kb

HEAVY = ("torch", "sentence_transformers", "transformers", "qdrant_client", "qdrant_edge", "sqlalchemy", "uvicorn")


def test_starting_the_command_line_loads_nothing_heavy() -> None:
    code = f"import kb.cli, sys; print([name for name in {HEAVY} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_it_runs_as_a_module_and_names_its_version() -> None:
    found = subprocess.run([sys.executable, "-m", "kb", "--version"], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == package.__version__


def test_the_console_script_is_this_one() -> None:
    [script] = metadata.entry_points(group="console_scripts", name="kb")
    assert script.value == "kb.cli:main"


def test_print_config_says_where_a_value_comes_from(kb: Kb) -> None:
    lines = kb("--qdrant-url", "http://q:6333", "--print-config").stdout.splitlines()
    assert any(line.split() == ["qdrant_url", "http://q:6333", "option", "KB_QDRANT_URL"] for line in lines)
    assert any(line.split()[2:] == ["environment", "KB_DATA_DIR"] for line in lines)


def test_what_goes_wrong_is_one_line_without_a_traceback(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "kb", "--data-dir", str(tmp_path), "worker"], capture_output=True, text=True, check=False
    )
    assert found.returncode == 1
    assert found.stderr.startswith("kb: with the embedded engine `kb serve` indexes by itself")
    assert "Traceback" not in found.stderr


def test_a_worker_is_refused_where_the_engine_is_embedded(kb: Kb) -> None:
    with pytest.raises(Invalid, match="KB_QDRANT_URL"):
        kb("worker")


def test_migrate_says_whether_anything_was_to_be_done(kb: Kb) -> None:
    assert "is now at" in kb("migrate").stdout
    assert "was already at" in kb("migrate").stdout
