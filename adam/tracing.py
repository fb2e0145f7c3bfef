"""Lineage of a finished dataset: from its rows to the rows of the datasets that it was made from."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from adam.derivation import Edge
from adam.specification import Step
from adam.table import Table
from metadata.dataset import Edges, join_edges


def lineage(
    table: Table, source: str, steps: Sequence[Step], final: Collection[str], place: np.ndarray, through: bool
) -> pd.DataFrame:
    """Return the edges of a table whose row r stands at ``place[r]`` of the finished dataset.

    An edge of a variable that is not in the dataset becomes one of each variable derived from it. With ``through`` (one
    record a subject) the same holds for variables of the dataset, so that each leads to all that it depends on.
    """
    own = Edges(place, "*", source, table.columns.rows, "*")
    parts = [own]
    for edge in _resolved(table, source):
        for variable in _targets(edge.variable, steps, final, through):
            parts.append(Edges(place[edge.rows], variable, edge.source, edge.source_rows, edge.source_variable))
    joined = join_edges(parts)
    first = ~joined.duplicated() if through else np.ones(len(joined), bool)
    return joined[first].reset_index(drop=True)


def _resolved(table: Table, source: str) -> list[Edge]:
    """Return edges to the dataset's own rows as edges to the rows of the source."""
    rows = table.columns.rows
    return [
        edge if edge.source else Edge(edge.variable, edge.rows, source, rows[edge.source_rows], edge.source_variable)
        for edge in table.edges
        if len(edge.rows)
    ]


def _targets(variable: str, steps: Sequence[Step], final: Collection[str], through: bool) -> list[str]:
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
