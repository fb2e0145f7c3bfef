"""Template ``listing``: declared columns of the records themselves, sorted, on pages of their own if asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from metadata.errors import nearest
from metadata.yaml_source import complain
from reports.analysis import SUBJECT_LEVEL, Analysis, Group
from reports.book import Book
from reports.formats import COUNT
from reports.ledger import Ledger, Place
from reports.selection import SUBJECT, WHERE_SCHEMA, Selection
from reports.specification import TEXT, Output, TemplateParameters
from reports.statistics.estimate import Estimate
from reports.statistics.rounding import rounded_text
from reports.table import Column, Layout, Row, Table
from reports.templates.heads import add_size

COLUMN = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "variable": TEXT,
        "label": TEXT,
        "show": {"enum": ["text", "number", "date", "time"]},
        "decimals": {"type": "integer", "minimum": 0, "maximum": 6},
        "labels": {"type": "object", "additionalProperties": TEXT},
    },
    "required": ["variable", "label"],
}
PARAMETERS = TemplateParameters(
    {
        "dataset": TEXT,
        "where": WHERE_SCHEMA,
        "list": {"type": "array", "items": COLUMN, "minItems": 2},
        "sort": {"type": "array", "items": TEXT, "minItems": 1},
        "page_by": {"type": "object", "additionalProperties": False, "properties": {"variable": TEXT, "label": TEXT},
                    "required": ["variable", "label"]},
        "empty": TEXT,
    },
    ("dataset", "list", "sort"),
)  # fmt: skip
EMPTY = "No record meets the criteria of this listing."
# SAS counts days and seconds from here.
EPOCH = np.datetime64("1960-01-01")


def compute(analysis: Analysis, output: Output, ledger: Ledger) -> None:
    """Record the population's size and how many records are listed; the records themselves are no statistics."""
    everybody = Group(analysis.specification.total)
    add_size(analysis, output, everybody, ledger)
    rows, _ = _chosen(analysis, output)
    place = Place("records", everybody.label, "records")
    count = Estimate(float(rows.size), "Number of records listed", rows.subject_count)
    ledger.add(output, place, "events", count, COUNT, rows)


def layout(output: Output, book: Book) -> Layout:
    """Without the datasets a listing has no rows to show."""
    return Layout([_table(output.node["list"], [], "", str(output.node.get("empty", EMPTY)))])


def show(analysis: Analysis, output: Output) -> Layout:
    """One table, or one a value of ``page_by``; a listing without records says so."""
    node, columns = output.node, output.node["list"]
    _, table = _chosen(analysis, output)
    if table.empty:
        return layout(output, Book(pd.DataFrame(columns=["variable", "level", "subset", "group", "statistic"])))
    texts = pd.DataFrame({i: _texts(table[str(c["variable"])], c) for i, c in enumerate(columns)}, index=table.index)
    if "page_by" not in node:
        return Layout([_table(columns, texts.to_numpy().tolist())])
    by = table[str(node["page_by"]["variable"])].astype("str")
    parts = [(value, texts[by == value].to_numpy().tolist()) for value in by.unique()]
    return Layout([_table(columns, rows, f"{node['page_by']['label']}: {value}") for value, rows in parts])


def _table(columns: list[Mapping[str, Any]], rows: list[list[str]], caption: str = "", empty: str = "") -> Table:
    """The first column is the stub; columns of numbers are aligned, all others are words."""
    first, *others = columns
    heads = tuple(Column(str(column["label"]), text=_kind(column) != "number") for column in others)
    body = tuple(Row(str(cells[0]), tuple(cells[1:])) for cells in rows)
    return Table(str(first["label"]), heads, body or (Row(empty, heading=True),), caption, listing=True)


def _chosen(analysis: Analysis, output: Output) -> tuple[Selection, pd.DataFrame]:
    """The rows, and their columns in order; a variable that the dataset lacks comes from the subject level."""
    node, everybody = output.node, Group(analysis.specification.total)
    rows = analysis.select(output, str(node["dataset"]), everybody).where(node.get("where", {}))
    asked = {str(column["variable"]): (column, "variable") for column in node["list"]}
    asked |= {str(name): (node, "sort") for name in node["sort"]}
    if "page_by" in node:
        asked[str(node["page_by"]["variable"])] = (node["page_by"], "variable")
    own = [name for name in asked if rows.has(name)]
    table = rows.table(*dict.fromkeys([SUBJECT, *own]))
    subjects = analysis.select(output, SUBJECT_LEVEL, everybody)
    for name, (holder, key) in asked.items():
        if name in own:
            continue
        if not subjects.has(name):
            known = nearest(name, rows.base.columns)
            raise complain(holder, key, f"neither {rows.dataset} nor {SUBJECT_LEVEL} has a variable {name}{known}")
        table[name] = table[SUBJECT].map(subjects.table(SUBJECT, name).set_index(SUBJECT)[name])
    order = [str(node["page_by"]["variable"])] if "page_by" in node else []
    return rows, table.sort_values(list(dict.fromkeys([*order, *map(str, node["sort"])])), kind="stable")


def _kind(column: Mapping[str, Any]) -> str:
    return str(column.get("show", "number" if "decimals" in column else "text"))


def _texts(values: pd.Series, column: Mapping[str, Any]) -> list[str]:
    """What is printed of a column: terms by their labels, SAS days as ISO dates, numbers with declared decimals."""
    if not pd.api.types.is_numeric_dtype(values):
        labels = column.get("labels", {})
        return [str(labels.get(value, value)) for value in values.tolist()]
    kind, numbers = _kind(column), values.to_numpy(float)
    if kind in ("date", "time"):
        unit = "D" if kind == "date" else "s"
        whole = np.where(np.isnan(numbers), 0, numbers).astype("int64").astype(f"timedelta64[{unit}]")
        texts = np.datetime_as_string(EPOCH.astype(f"datetime64[{unit}]") + whole)
        return np.where(np.isnan(numbers), "", texts).tolist()
    decimals = column.get("decimals")
    return ["" if value != value else f"{value:.12g}" if decimals is None else rounded_text(value, int(decimals))
            for value in numbers.tolist()]  # fmt: skip
