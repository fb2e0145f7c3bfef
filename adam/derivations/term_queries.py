"""The derivation term_queries: which records the terms of standardised and sponsor's queries find."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from adam.columns.columns import Columns, Values, numbers_as_text, take
from adam.language.derivation import Derivation, DerivationContext, Outcome, keyed, listed
from adam.language.kinds import ValueColumn
from metadata.coded_text import CodedText
from metadata.condition import DatasetKinds
from metadata.declaration import NewColumn
from metadata.errors import Gather, StudyError, nearest
from metadata.study import Study
from metadata.study_table import StudyTable, TableRow, read_table
from metadata.variable_kind import CHAR, PLAIN_NUMBER

HEAD = ("query", "name", "variable", "term")
FURTHER = ("id", "scope", "scope_number")
COLUMN_OF = {"NM": "name", "CD": "id", "SC": "scope", "SCN": "scope_number"}
NUMBERS = ("id", "scope_number")
VARIABLE = re.compile(r"((?:SMQ|SDG|CQ)\d\d)(NM|CD|SCN|SC)")


@keyed("term_queries")
@dataclass(frozen=True, kw_only=True)
class TermQueries(Derivation):
    """Say for each record which standardised (SMQ, SDG) and sponsor's (CQ) queries find it by its terms or codes.

    ``queries`` is a CSV file of the study with the columns query (SMQ02, CQ01), name, variable (of ``source``), term (a
    text or a code) and, where a query has them, id, scope and scope_number. ``to`` are the new variables: SMQ02NM (its
    name), SMQ02CD (id), SMQ02SC (scope) and SMQ02SCN, missing where the query does not find the record. Capitals do not
    matter. A record that a query finds in two scopes is an error. Queries of which no variable is made are passed over.
    """

    queries: str
    source: tuple[ValueColumn, ...]
    to: tuple[NewColumn, ...]

    def check(self) -> None:
        for name in self.to:
            if not VARIABLE.fullmatch(name):
                raise StudyError(f"to: {name} is no variable of a query: SMQ, SDG or CQ, two digits, NM, CD, SC or SCN")

    def check_files(self, study: Study) -> None:
        self._read(study)

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        table = self._read(context.study)
        own = {name: one if isinstance(one := columns[name], CodedText) else numbers_as_text(one)
               for name in self.source}  # fmt: skip
        found = {query: self._found(table, query, own, count) for query in self._asked()}
        return Outcome({name: take(self._column(table, name), found[_parts(name)[0]]) for name in self.to})

    def _asked(self) -> list[str]:
        return list(dict.fromkeys(_parts(name)[0] for name in self.to))

    def _found(self, table: StudyTable, query: str, own: dict[str, CodedText], count: int) -> np.ndarray:
        """Return for each record the row of the table by which a query finds it, -1 if it does not."""
        result = np.full(count, -1, np.int64)
        content = np.array([row["id"] + "\0" + row["scope"] for row in _with_all(table)] + [""], object)
        for name, column in own.items():
            rows = {row["term"].casefold(): place for place, row in enumerate(table.rows)
                    if (row["query"], row["variable"]) == (query, name)}  # fmt: skip
            mine = column.spread(np.array([rows.get(text.casefold(), -1) for text in column.texts], np.int64))
            both = (mine >= 0) & (result >= 0)
            if (content[mine[both]] != content[result[both]]).any():
                raise StudyError(f"{query} finds a record in two scopes; {self.queries} must tell one")
            result = np.where(result < 0, mine, result)
        return result

    def _column(self, table: StudyTable, name: str) -> Values:
        import pandas as pd

        column = COLUMN_OF[_parts(name)[1]]
        rows = _with_all(table)
        if column in NUMBERS:
            return np.array([row.number(column) for row in rows], float)
        return CodedText.of_series(pd.Series([row[column] for row in rows], dtype="str"))

    def _read(self, study: Study) -> StudyTable:
        """Read the queries; raises StudyError for what the file lacks, says twice, or is not looked at."""
        if not study.path(self.queries).is_file():
            raise StudyError(f"the study has no file {self.queries}")
        table = read_table(study.path(self.queries), f"{study.name}/{self.queries}")
        table.check_columns(HEAD, FURTHER)
        there = {row["query"] for row in table.rows}
        with Gather() as gather:
            for query in self._asked():
                if query not in there:
                    gather.found.append(StudyError(f"{table.file} has no query {query}{nearest(query, sorted(there))}"))
            seen: dict[tuple[str, ...], str] = {}
            for row in _with_all(table):
                with gather.part():
                    self._check_row(row, seen)
        return table

    def _check_row(self, row: TableRow, seen: dict[tuple[str, ...], str]) -> None:
        if row["query"] in self._asked() and row["variable"] not in self.source:
            known = listed(self.source)
            raise row.error(f"{row['variable']} is not among the source, {known}", "variable")
        for column in NUMBERS:
            row.number(column)
        key = (row["query"], row["variable"], row["term"].casefold())
        if key in seen:
            raise row.error(f"{row['query']} has the term {row['term']} in two rows", "term")
        seen[key] = row["scope"]

    def kind(self, variable: str, kinds: DatasetKinds) -> str:
        return PLAIN_NUMBER if COLUMN_OF[_parts(variable)[1]] in NUMBERS else CHAR

    def sentence(self, variable: str) -> str:
        query, part = _parts(variable)
        what = {"NM": "Name", "CD": "Number", "SC": "Scope", "SCN": "Number of the scope"}[part]
        return (
            f"{what} of the query {query} where {' or '.join(self.source)} has one of its terms in the study's table"
            f" {self.queries}, else missing{self.within()}."
        )

    def origin(self, variable: str) -> str:
        return "Assigned"


def _parts(name: str) -> tuple[str, str]:
    """Return query and part of a variable's name: SMQ02 and NM."""
    found = VARIABLE.fullmatch(name)
    return (found[1], found[2]) if found else (name, "NM")


def _with_all(table: StudyTable) -> Iterable[TableRow]:
    """Return the rows with a blank cell in each column that the table leaves out."""
    blank = dict.fromkeys(FURTHER, "")
    return [TableRow({**blank, **row.cells}, row.file, row.line) for row in table.rows]
