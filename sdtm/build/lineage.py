"""Lineage of the datasets: edges from the rows of tables in the making to the rows of the sorted datasets."""

from __future__ import annotations

import numpy as np

from metadata.dataset import Dataset, Edges, join_edges
from sdtm.build.finish import Finished
from sdtm.columns.table import REDCAP


def moved(made: Finished, positions: dict[str, np.ndarray], domain: str) -> list[Edges]:
    """Return a domain's edges in positions of the datasets.

    A value that is in no variable of the dataset is an edge of the whole record: a condition, or a missing-data code in
    a field that would have been a supplemental value.
    """
    names = set(made.dataset.metadata.names)
    supplemented: dict[str, set[int]] = {}
    for extra in made.extras:
        supplemented.setdefault(f"+{extra.qnam}", set()).update(extra.rows.tolist())
    edges = []
    for edge in made.edges:
        rows = positions[domain][edge.row]
        keep = rows >= 0
        if edge.variable.startswith("+"):
            keep &= ~np.isin(edge.row, np.fromiter(supplemented.get(edge.variable, ()), int))
        variable = edge.variable if edge.variable in names else "*"
        edges.append(Edges(rows[keep], variable, edge.source, edge.source_row[keep], edge.source_variable))
    return from_moved(edges, positions)


def from_moved(given: list[Edges], positions: dict[str, np.ndarray]) -> list[Edges]:
    """Return edges whose sources in other domains are positions of the datasets."""
    made = []
    for edge in given:
        if edge.source == REDCAP:
            made.append(edge)
            continue
        source = positions[edge.source][edge.source_row]
        keep = source >= 0
        made.append(Edges(edge.row[keep], edge.variable, edge.source, source[keep], edge.source_variable))
    return made


def with_lineage(dataset: Dataset, kept: list[Edges]) -> Dataset:
    """Return the dataset with its edges in one frame (see metadata.dataset)."""
    return Dataset(dataset.metadata, dataset.frame, join_edges([edge for edge in kept if len(edge.row)]))
