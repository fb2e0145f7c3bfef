"""A study's own coding of reported terms: a table whose first column is the term, and others its codes."""

from __future__ import annotations

from metadata.errors import Gather, nearest
from metadata.study import Study
from metadata.study_table import StudyTable, read_table
from metadata.yaml_source import LocatedDict, complain


def term_key(term: str) -> str:
    """Return a term as it is compared: regardless of case and of blanks at the ends."""
    return term.strip().upper()


def read_codes(study: Study, spec: LocatedDict) -> dict[str, str]:
    """Return the codes of one ``column`` of a coding ``file`` by term (see ``term_key``).

    Raises StudyError for a file that is not a table, for a column that it does not have, and for a term that is blank
    or coded twice.
    """
    file, column = str(spec["file"]), str(spec["column"])
    if not study.path(file).is_file():
        raise complain(spec, "file", f"the coding file '{file}' does not exist")
    table = read_table(study.path(file), f"{study.name}/{file}")
    if column not in table.columns[1:]:
        raise complain(spec, "column", f"the coding file has no column '{column}'{nearest(column, table.columns[1:])}")
    _check_terms(table)
    return {term_key(row[table.columns[0]]): row[column].strip() for row in table.rows}


def _check_terms(table: StudyTable) -> None:
    lines: dict[str, int] = {}
    column = table.columns[0]
    with Gather() as gather:
        for row in table.rows:
            key = term_key(row[column])
            with gather.part():
                if not key:
                    raise row.error("the row has no term to code", column)
                if lines.setdefault(key, row.line) != row.line:
                    raise row.error(f"the term '{row[column]}' is coded on line {lines[key]} already", column)
