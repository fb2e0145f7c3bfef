"""Template ``mixed_summary``: subject characteristics, numbers described and categories counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.analysis import SUBJECT_LEVEL, Analysis, decimals_of
from reports.book import Book
from reports.ledger import Ledger, Place
from reports.selection import WHERE_SCHEMA, Selection
from reports.specification import TEXT, Output, TemplateParameters
from reports.statistics.descriptive import describe
from reports.table import Layout, Row, Table
from reports.templates.description import CELLS
from reports.templates.heads import add_size, columns

VARIABLE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "variable": TEXT,
        "label": TEXT,
        "decimals": {"type": "integer", "minimum": 0, "maximum": 6},
        "levels": {"type": "object", "additionalProperties": TEXT},
    },
    "required": ["variable", "label"],
}
PARAMETERS = TemplateParameters(
    {"dataset": TEXT, "where": WHERE_SCHEMA, "variables": {"type": "array", "items": VARIABLE, "minItems": 1}},
    ("variables",),
)
MISSING = "Missing"


def compute(analysis: Analysis, output: Output, ledger: Ledger) -> None:
    """Describe each variable in each treatment column; one with ``levels`` is counted, another one described."""
    for group in analysis.groups(output):
        size = add_size(analysis, output, group, ledger)
        dataset = str(output.node.get("dataset", SUBJECT_LEVEL))
        rows = analysis.select(output, dataset, group).where(output.node.get("where", {}))
        for variable in output.node["variables"]:
            name = str(variable["variable"])
            place = Place(name, group.label, name)
            present = rows.where(_present(variable))
            if "levels" in variable:
                _count(output, ledger, place, present, variable, size)
            else:
                ledger.add_description(output, place, describe(present.column(name)), decimals_of(variable), present)


def _present(variable: Mapping[str, Any]) -> Mapping[str, Any]:
    return {str(variable["variable"]): {"missing": False}}


def _count(
    output: Output, ledger: Ledger, place: Place, rows: Selection, variable: Mapping[str, Any], size: int
) -> None:
    """Count the declared levels, then any other that the data hold, then who has none."""
    name = place.variable
    declared = list(variable["levels"])
    others = sorted(str(value) for value in set(rows.column(name)) - set(declared))
    for level in [*declared, *others]:
        chosen = rows.equal(name, level)
        at = Place(name, place.group, name, level)
        ledger.add_proportion(output, at, chosen.subject_count, size, chosen, "Number of patients")
    missing = size - rows.subject_count
    if missing:
        at = Place(name, place.group, name, MISSING)
        ledger.add_proportion(output, at, missing, size, rows, "Patients of the population without a value")


def layout(output: Output, book: Book) -> Layout:
    """A heading a variable, with its statistics or its levels beneath."""
    rows: list[Row] = []
    for variable in output.node["variables"]:
        rows.append(Row(str(variable["label"]), heading=True))
        rows.extend(_levels(variable, book) if "levels" in variable else _numbers(str(variable["variable"]), book))
    return Layout([Table("", columns(book), tuple(rows))])


def _numbers(name: str, book: Book) -> list[Row]:
    return [
        Row(label, tuple(book.cell(name, "", group, statistics.split()) for group in book.groups()), 1)
        for label, statistics in CELLS
    ]


def _levels(variable: Mapping[str, Any], book: Book) -> list[Row]:
    name, labels = str(variable["variable"]), variable["levels"]
    return [
        Row(str(labels.get(level, level)), tuple(book.count(name, level, group) or "0" for group in book.groups()), 1)
        for level in book.levels(name, "count")
    ]
