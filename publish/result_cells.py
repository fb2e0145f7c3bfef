"""A cell of a package's tables found by what a reader calls it, with its rows of the results data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from metadata.errors import UsageError, nearest
from publish.disk import outside

BETWEEN = " / "  # labels of a line and of the headings above it
MOST_NAMED = 6


@dataclass(frozen=True)
class FoundCell:
    """A cell, or a result that was named by its id: ``results`` are its rows of results.csv."""

    output: str
    row: str
    column: str
    text: str
    results: pd.DataFrame


def read_results(package: Path) -> pd.DataFrame:
    """Return the package's results data, all texts but the numbers value and n; raises OutsideError or UsageError."""
    path = package / "reports" / "results.csv"
    if not path.is_file():
        raise UsageError(f"{package} has no reports/results.csv")
    with outside(f"read {path}"):
        return pd.read_csv(path, dtype=dict.fromkeys(_text_columns(path), "str"), keep_default_na=False,
                           na_values={"value": [""]})  # fmt: skip


def _text_columns(path: Path) -> list[str]:
    return [name for name in pd.read_csv(path, nrows=0).columns if name not in ("value", "n")]


def read_cells(reports: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the cells of each output of a package's folder of reports; raises OutsideError."""
    found = {}
    for path in sorted((reports / "cells").glob("*.json")):
        with outside(f"read {path}"):
            found[path.stem] = json.loads(path.read_text("utf-8"))
    return found


def find_cell(package: Path, output: str, named: str) -> FoundCell:
    """Return the cell of an output that is named ``LINE | COLUMN``, ``LINE``, or by the id of a result.

    A line may be named without the headings above it, a column without its number of subjects. Raises UsageError for
    what is not there, or is there more than once, with the names that are.
    """
    results = read_results(package)
    known = list(dict.fromkeys(results["output"]))
    if output not in known:
        raise UsageError(
            f"there is no output '{output}' with results{nearest(output, known)}; there are {_some(known)}"
        )
    own = results[results["output"] == output].reset_index(drop=True)
    identifier, _, statistic = named.partition("/")
    by_id = own[(own["analysis"] == identifier) & ((own["statistic"] == statistic) | (statistic == ""))]
    if len(by_id):
        return FoundCell(output, identifier, "", "; ".join(by_id["text"]), by_id)
    cells = read_cells(package / "reports").get(output, [])
    if not cells:
        raise UsageError(
            f"{output} is no table; name a result by its id in results.csv, such as {own['analysis'].iloc[0]}"
        )
    found = _found(output, cells, named)
    return FoundCell(output, found["row"], found["column"], found["text"], own.iloc[found["results"]])


def _found(output: str, cells: Sequence[Mapping[str, Any]], named: str) -> Mapping[str, Any]:
    line, _, column = (part.strip() for part in named.rpartition("|")) if "|" in named else (named.strip(), "", "")
    rows = list(dict.fromkeys(cell["row"] for cell in cells))
    alike = [row for row in rows if _plain(row) == _plain(line)] or [row for row in rows if _ends(row, line)]
    if not alike:
        ends = [row.rpartition(BETWEEN)[2] for row in rows]
        raise UsageError(f"{output} has no line '{line}'{nearest(line, [*rows, *ends])}; lines are {_some(rows)}")
    if len(alike) > 1:
        raise UsageError(f"{output} has several lines '{line}': name one of {_some(alike)}")
    here = [cell for cell in cells if cell["row"] == alike[0]]
    heads = list(dict.fromkeys(cell["column"] for cell in here))
    fitting = [cell for cell in here if not column or _head_fits(cell["column"], column)]
    exact = [cell for cell in fitting if _plain(cell["column"]) == _plain(column)]
    fitting = exact or fitting
    if not fitting:
        raise UsageError(f"the line '{alike[0]}' of {output} has no column '{column}'{nearest(column, heads)};"
                         f" columns are {_some(heads)}")  # fmt: skip
    if len(fitting) > 1:
        raise UsageError(f"the line '{alike[0]}' of {output} has several cells: name LINE | COLUMN with one of"
                         f" {_some([cell['column'] for cell in fitting])}")  # fmt: skip
    return fitting[0]


def _plain(text: str) -> str:
    """Return a label as labels are compared: blanks and letters' case do not matter, nor the number of subjects."""
    return " ".join(re.sub(r"\(N=\d+\)", "", text).split()).casefold()


def _ends(row: str, line: str) -> bool:
    """Whether a line is named without some of the headings above it."""
    return any(_plain(row.split(BETWEEN, at)[-1]) == _plain(line) for at in range(1, row.count(BETWEEN) + 1))


def _head_fits(head: str, column: str) -> bool:
    """Whether a column is named by its whole head, or by the part above or below."""
    return _plain(column) in (_plain(head), *map(_plain, head.split(BETWEEN)))


def _some(names: Sequence[str]) -> str:
    listed = ", ".join(f"'{name}'" for name in names[:MOST_NAMED])
    return listed + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
