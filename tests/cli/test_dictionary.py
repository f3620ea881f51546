from pathlib import Path

import pytest

from kb.errors import Invalid
from tests.cli.conftest import Kb

CSV = "terms,means,audience\nNBN,national broadband network,public\n光猫 | ONT,,customer\n"


def test_a_file_is_imported_listed_and_exported(kb: Kb, tmp_path: Path) -> None:
    file = tmp_path / "words.csv"
    file.write_text(CSV, "utf-8")
    assert kb("dictionary", "import", str(file), "--dry-run").output.startswith("2 new")
    assert kb("dictionary", "list").output == "no entries\n"
    assert kb("dictionary", "import", str(file)).output == "2 new, 0 changed, 0 there already\n"
    listed = kb("dictionary", "list", "--search", "光貓").output
    assert listed == "光猫, ONT\t(each other)\tcustomer\tin use\n"
    exported = kb("dictionary", "export").output
    again = kb("dictionary", "import", "-", input=exported)
    assert again.output == "0 new, 0 changed, 2 there already\n"


def test_what_is_wrong_with_a_file_is_said(kb: Kb, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        kb("dictionary", "import", str(tmp_path / "nowhere.csv"))
    with pytest.raises(Invalid, match="alone says nothing"):
        kb("dictionary", "import", "-", input="terms\nNBN\n")
