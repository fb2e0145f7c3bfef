"""The derivation lookup: values from a table of the study, found by the values of variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, Values, numbers_as_text, take
from adam.language.derivation import Derivation, DerivationContext, Outcome, keyed, listed
from metadata.coded_matching import first_match
from metadata.coded_text import CodedText
from metadata.condition import DatasetKinds
from metadata.declaration import Column, NewColumn
from metadata.errors import Gather, StudyError, nearest
from metadata.study import Study
from metadata.study_table import StudyTable, read_table
from metadata.variable_kind import CHAR, PLAIN_NUMBER


@keyed("lookup")
@dataclass(frozen=True, kw_only=True)
class TableLookup(Derivation):
    """Take new variables from a table of the study, a CSV file, by the values of others.

    ``keys`` names for each variable the column of the table that has its values, ``variables`` for each new variable
    the column that it is taken from; those of ``numeric`` are Num, the others Char. A record in which one of the
    ``keys`` is missing is not looked up. Values that the table does not have are an error, unless ``not_found`` is
    missing. A combination of values that is in two rows of the table is an error.
    """

    table: str
    keys: dict[Column, str]
    variables: dict[NewColumn, str]
    numeric: tuple[str, ...] = ()
    not_found: Literal["error", "missing"] = "error"

    def check(self) -> None:
        strange = [name for name in self.numeric if name not in self.variables]
        if strange:
            near = nearest(strange[0], list(self.variables))
            raise StudyError(f"numeric: {strange[0]} is none of the new variables{near}")

    def check_files(self, study: Study) -> None:
        self._read(study)

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        table = self._read(context.study)
        own = [one if isinstance(one := columns[name], CodedText) else numbers_as_text(one) for name in self.keys]
        found = first_match(own, [_column(table, column) for column in self.keys.values()])
        known = np.logical_and.reduce([one.present() for one in own])
        lost = np.flatnonzero(known & (found < 0))
        if len(lost) and self.not_found == "error":
            texts = ", ".join(
                f"{name} '{one.take(lost[:1]).array()[0]}'" for name, one in zip(self.keys, own, strict=True)
            )
            raise StudyError(f"{self.table} has no row for {texts}; add it, or say 'not_found: missing'")
        rows = np.where(known, found, -1)
        return Outcome({name: take(self._values(table, name, column), rows) for name, column in self.variables.items()})

    def _values(self, table: StudyTable, name: str, column: str) -> Values:
        if name in self.numeric:
            return np.array([row.number(column) for row in table.rows], float)
        return _column(table, column)

    def _read(self, study: Study) -> StudyTable:
        """Read the table; raises StudyError for what it lacks, has twice, or that is no number."""
        if not study.path(self.table).is_file():
            raise StudyError(f"the study has no file {self.table}")
        table = read_table(study.path(self.table), f"{study.name}/{self.table}")
        wanted = list(self.keys.values())
        seen: set[tuple[str, ...]] = set()
        with Gather() as gather:
            for column in dict.fromkeys([*wanted, *self.variables.values()]):
                if column not in table.columns:
                    gather.found.append(
                        StudyError(f"the column '{column}' is missing{nearest(column, table.columns)}", table.file, 1)
                    )
        with Gather() as gather:
            for row in table.rows:
                with gather.part():
                    key = tuple(row[column] for column in wanted)
                    if key in seen:
                        raise row.error(f"{', '.join(key)} is in two rows", wanted[0])
                    seen.add(key)
                    for name in self.numeric:
                        row.number(self.variables[name])
        return table

    def kind(self, variable: str, kinds: DatasetKinds) -> str:
        return PLAIN_NUMBER if variable in self.numeric else CHAR

    def sentence(self, variable: str) -> str:
        keys = listed(tuple(f"{name} ({column})" if name != column else name for name, column in self.keys.items()))
        return f"{self.variables[variable]} of the study's table {self.table} by {keys}{self.within()}."

    def origin(self, variable: str) -> str:
        return "Assigned"


def _column(table: StudyTable, name: str) -> CodedText:
    import pandas as pd

    return CodedText.of_series(pd.Series([row[name] for row in table.rows], dtype="str"))
