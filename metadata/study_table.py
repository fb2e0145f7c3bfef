"""The tables that a study's declarations name (CSV): a closed header, and every row with its line."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from metadata.errors import Gather, StudyError, nearest
from metadata.redcap_csv import read_lines

NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?", re.ASCII)


@dataclass(frozen=True)
class TableRow:
    """One row: its cells by column, and the line on which it begins."""

    cells: dict[str, str]
    file: str
    line: int

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def number(self, column: str) -> float:
        """Return a cell as a number, NaN where it is blank; raises StudyError unless it is one written as -12.5."""
        text = self.cells[column]
        if text and not NUMBER.fullmatch(text):
            raise self.error(f"'{text}' is not a number: digits, with a point before decimals", column)
        return float(text or "nan")

    def error(self, message: str, column: str | None = None) -> StudyError:
        """Return the error that names the row's place."""
        return StudyError(message, self.file, self.line, column)


@dataclass(frozen=True)
class StudyTable:
    """A table as it is written: its columns in their order, and its rows."""

    columns: tuple[str, ...]
    rows: list[TableRow]
    file: str

    def check_columns(self, needed: Sequence[str], further: Collection[str] = ()) -> None:
        """Raise one StudyError for missing columns and for unknown ones, with the nearest name."""
        known = [*needed, *further]
        with Gather() as gather:
            unknown = [name for name in self.columns if name not in known]
            free = [name for name in known if name not in self.columns]
            meant = set()
            for name in unknown:
                error = StudyError(f"unknown column '{name}'{nearest(name, free) or _listed(known)}", self.file, 1)
                meant.add(error.suggestion)
                gather.found.append(error)
            missing = [name for name in needed if name not in self.columns and name not in meant]
            gather.found += [StudyError(f"the column '{name}' is missing", self.file, 1) for name in missing]


def _listed(known: Sequence[str]) -> str:
    return f"; the columns are {', '.join(known)}"


def read_table(path: Path, shown: str) -> StudyTable:
    """Read a table; raises StudyError, with the line, for what is not a UTF-8 CSV with a header (see ``read_lines``).

    ``shown`` is the name that errors give the file.
    """
    header, rows = read_lines(path, shown=shown)
    if not header:
        raise StudyError("the file is empty: it needs a header", shown, 1)
    columns = tuple(name.strip() for name in header)
    return StudyTable(columns, [TableRow(dict(zip(columns, row, strict=True)), shown, n) for n, row in rows], shown)
