"""Lineage of a finished dataset: from its rows to the rows of the datasets that it was made from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np

from adam.build.specification import DerivationStep
from adam.build.table import AnalysisTable
from metadata.dataset import Edges, join_edges

if TYPE_CHECKING:
    import pandas as pd


def lineage(
    table: AnalysisTable,
    source: str,
    steps: Sequence[DerivationStep],
    final: Collection[str],
    place: np.ndarray,
    through: bool,
) -> pd.DataFrame:
    """Return the edges of a table whose row r is row ``place[r]`` of the finished dataset.

    An edge of a variable that is not in the dataset becomes one of each variable derived from it. With ``through`` (one
    record a subject) the same holds for variables of the dataset, so that each leads to all that it depends on. A value
    taken from another of the table's own rows leads to the variables of the source that it was made from there.
    """
    copied = table.columns.rows >= 0  # others were added without a template and have edges of their own
    own = Edges(place[copied], "*", source, table.columns.rows[copied], "*")
    parts = [own]
    for edge in _resolved(table, source, steps):
        for variable in _targets(edge.variable, steps, final, through):
            parts.append(Edges(place[edge.row], variable, edge.source, edge.source_row, edge.source_variable))
    joined = join_edges(parts)
    first = ~joined.duplicated() if through else np.ones(len(joined), bool)
    return joined[first].reset_index(drop=True)


def _resolved(table: AnalysisTable, source: str, steps: Sequence[DerivationStep]) -> list[Edges]:
    """Return edges to the dataset's own rows as edges to the rows and variables of the source."""
    made = []
    for edge in table.edges:
        if edge.source:
            made.append(edge)
        else:
            rows, source_rows = _contributors(table, edge)
            names = _origins(edge.source_variable, steps, table.columns.source.names)
            made += [Edges(rows, edge.variable, source, source_rows, name) for name in names]
    return [edge for edge in made if len(edge.row)]


def _contributors(table: AnalysisTable, edge: Edges) -> tuple[np.ndarray, np.ndarray]:
    """Return an edge's rows with the rows of the source that made what it leads to, several for a derived row."""
    import pandas as pd

    rows, led = [edge.row], [edge.source_row]
    for added in table.edges:
        if added.variable == "*" and not added.source and np.isin(edge.source_row, added.row).any():
            leading = pd.DataFrame({"row": edge.row, "led": edge.source_row})
            found = leading.merge(pd.DataFrame({"led": added.row, "from": added.source_row}), on="led")
            rows.append(found["row"].to_numpy())
            led.append(found["from"].to_numpy())
    pairs = np.column_stack([np.concatenate(rows), table.columns.rows[np.concatenate(led)]])
    pairs = pairs[pairs[:, 1] >= 0]
    unique = pairs if len(rows) == 1 else np.unique(pairs, axis=0)
    return unique[:, 0], unique[:, 1]


def _origins(variable: str, steps: Sequence[DerivationStep], known: Collection[str]) -> list[str]:
    """Return the source's variables from which a variable is made, ``*`` if there are none."""
    reached, frontier, found = {variable}, [variable], []
    while frontier:
        name = frontier.pop(0)
        if name in known:
            found.append(name)
            continue
        reads = [one for step in steps if name in step.derivation.makes for one in step.derivation.reads]
        new = [one for one in dict.fromkeys(reads) if one not in reached]
        reached |= set(new)
        frontier += new
    return found or ["*"]


def _targets(variable: str, steps: Sequence[DerivationStep], final: Collection[str], through: bool) -> list[str]:
    if variable == "*":
        return ["*"]
    reached, frontier = {variable}, [variable]
    while frontier:
        name = frontier.pop()
        if name in final and not through:
            continue
        for step in steps:
            if name in step.derivation.reads:
                new = [made for made in step.derivation.makes if made not in reached]
                reached |= set(new)
                frontier += new
    return [name for name in final if name in reached]
