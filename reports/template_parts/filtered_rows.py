"""Rows that are described by their filter and not selected, for statistics that are counted many at a time."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from reports.results.selection import Selection


@dataclass(frozen=True)
class FilteredRows:
    """The dataset and the filter that selects the rows of a statistic."""

    dataset: str
    filter: str
    variables: Container[str] = ()

    def has(self, variable: str) -> bool:
        """Whether the dataset has the variable."""
        return variable in self.variables


def filtered(rows: Selection, *conditions: str) -> FilteredRows:
    """``rows`` narrowed by further parts of the filter, without selecting them."""
    return FilteredRows(rows.dataset, " and ".join(dict.fromkeys((*rows.conditions, *conditions))), rows.base)
