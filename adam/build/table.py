"""The dataset in the making: columns, where each row came from, and the edges collected so far."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from adam.columns.columns import SourceColumns, Values, constant, only, stack, take
from adam.language.derivation import (
    AddedRows,
    Derivation,
    DerivationContext,
    Outcome,
)
from metadata.coded_text import CodedText
from metadata.dataset import Edges
from metadata.frame_columns import FrameColumns
from metadata.variable_kind import CHAR, NUM


class AnalysisTable:
    """Rows of the source with their derived columns."""

    def __init__(self, source: FrameColumns, rows: np.ndarray, kinds: Mapping[str, str] | None = None) -> None:
        self.columns = SourceColumns(source, rows, kinds)
        self.edges: list[Edges] = []

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.columns.rows)

    def apply(self, derivation: Derivation, context: DerivationContext) -> None:
        """Add the columns, or the rows, of one derivation."""
        kinds = {**context.kinds, "": self.columns.kinds}
        derivation.check_kinds(kinds)
        if derivation.adds_rows:
            self._add_rows(derivation.add(self.columns, self.count, context))
        else:
            self._add_columns(derivation, derivation.derive(self.columns, self.count, context))
        for name in derivation.makes:
            self.columns.kinds[name] = derivation.kind(name, kinds) or _stored(self.columns[name])

    def drop_first(self, number: int) -> None:
        """Take away the first rows, which were templates only, and the edges that lead from or through them."""
        for name in self.columns:
            self.columns[name] = take(self.columns[name], np.arange(number, self.count))
        self.columns.rows = self.columns.rows[number:]
        self.edges = [_edges_without(edge, number) for edge in self.edges]

    def _add_columns(self, derivation: Derivation, outcome: Outcome) -> None:
        made, edges = outcome.columns, outcome.edges
        if derivation.when:
            where = derivation.when.holds(self.columns, self.count)
            made = {name: only(values, where) for name, values in made.items()}
            edges = tuple(_edges_within(edge, where) for edge in edges)
        self.columns.update(made)
        self.edges += edges

    def _add_rows(self, added: AddedRows) -> None:
        old, template = self.count, added.template
        self.columns.update(added.existing)
        for name in added.changed:
            if name not in self.columns and name not in self.columns.source:
                blank = "" if isinstance(added.changed[name], CodedText) else np.nan
                self.columns[name] = constant(blank, old)
        for name in [*self.columns, *(name for name in added.changed if name not in self.columns)]:
            mine = self.columns[name]
            self.columns[name] = stack([mine, added.changed.get(name, take(mine, template))], name)
        self.columns.rows = np.concatenate([self.columns.rows, np.append(self.columns.rows, -1)[template]])
        self.edges = [_edges_with_copies(edge, template, old) for edge in self.edges]
        position, contributor = added.contributors
        self.edges.append(Edges(position + old, "*", "", contributor, "*"))
        self.edges += [edge._replace(row=edge.row + old) for edge in added.edges]


def _stored(values: Values) -> str:
    return CHAR if isinstance(values, CodedText) else NUM


def _edges_within(edge: Edges, where: np.ndarray) -> Edges:
    kept = where[edge.row]
    return edge._replace(row=edge.row[kept], source_row=edge.source_row[kept])


def _edges_without(edge: Edges, number: int) -> Edges:
    """Return the edges of a table that lost its first rows."""
    kept = edge.row >= number
    if not edge.source:
        kept &= edge.source_row >= number
    source_row = edge.source_row[kept] - (0 if edge.source else number)
    return edge._replace(row=edge.row[kept] - number, source_row=source_row)


def _edges_with_copies(edge: Edges, template: np.ndarray, old: int) -> Edges:
    """Return the edges with those of each added row's template repeated for the added row."""
    table = np.full(old + 1, -1, np.int64)  # the last one is of added rows without a template
    table[edge.row[edge.row < old]] = edge.source_row[edge.row < old]
    source = table[template]
    kept = np.flatnonzero(source >= 0)
    source_row = np.concatenate([edge.source_row, source[kept]])
    return edge._replace(row=np.concatenate([edge.row, kept + old]), source_row=source_row)
