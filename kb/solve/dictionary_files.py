"""The dictionary as a CSV file, to be looked through and changed in a spreadsheet.

Columns: terms, means (both separated by |), audience, active (yes, no), note. A cell that a spreadsheet would take for
a formula begins with an apostrophe.
"""

import csv
import io
from collections.abc import Iterator

from kb.audience import Audience
from kb.dictionary import SEPARATOR, Meaning, written
from kb.errors import Invalid
from kb.person import Person
from kb.solve import dictionary
from kb.solve.dictionary import Merged
from kb.store.database import Database
from kb.text.hygiene import tidy

COLUMNS = ("terms", "means", "audience", "active", "note")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_YES_NO = {"yes": True, "true": True, "1": True, "": True, "no": False, "false": False, "0": False}


def write_csv(db: Database, by: Person) -> str:
    """All entries that are there for somebody, as CSV. Needs the right to tune."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for each in dictionary.visible(db, by):
        meaning = each.meaning
        sides = [f" {SEPARATOR} ".join(side) for side in (meaning.terms, meaning.means)]
        cells = (*sides, meaning.audience.value, "yes" if meaning.active else "no", meaning.note)
        rows.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return text.getvalue()


def read_csv(db: Database, by: Person, text: str, dry_run: bool = False) -> Merged:
    """Add the entries of a CSV file, all or none (`kb.solve.dictionary.merge`).

    Without a column for it, an entry is active and internal. Raises Invalid with the line of what cannot be an entry.
    """
    return dictionary.merge(db, by, list(_meanings(by, text)), dry_run)


def _meanings(by: Person, text: str) -> Iterator[Meaning]:
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        if "terms" not in (rows.fieldnames or ()) or not set(rows.fieldnames or ()) <= set(COLUMNS):
            raise Invalid(f"the first line names the columns: {', '.join(COLUMNS)}", "csv", 1)
        for row in rows:
            try:
                meaning = _meaning(row)
                dictionary.check(by, meaning)
            except Invalid as error:
                raise Invalid(str(error), "csv", rows.line_num) from error
            yield meaning
    except csv.Error as error:
        raise Invalid(f"this is no CSV: {error}", "csv", rows.line_num) from error


def _meaning(row: dict[str | None, str | list[str] | None]) -> Meaning:
    if None in row:
        raise Invalid("this line has more cells than the first")
    cells = {str(name): _cell(value) for name, value in row.items()}
    audience, active = cells.get("audience") or Audience.INTERNAL, cells.get("active", "").lower()
    if audience not in list(Audience):
        raise Invalid(f"audience is one of {', '.join(Audience)}")
    if active not in _YES_NO:
        raise Invalid("active is yes or no")
    terms, means = _side(cells.get("terms", "")), _side(cells.get("means", ""))
    return Meaning(terms, means, Audience(audience), _YES_NO[active], tidy(cells.get("note", "")))


def _cell(value: str | list[str] | None) -> str:
    text = value.strip() if isinstance(value, str) else ""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _side(cell: str) -> tuple[str, ...]:
    return written([each for each in cell.split(SEPARATOR) if each.strip()])
