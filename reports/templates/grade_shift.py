"""Template ``grade_shift``: worst grade after baseline by the grade at baseline, an analyte at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports.analysis import Analysis, Group
from reports.book import Book
from reports.formats import COUNT
from reports.ledger import Ledger, Place
from reports.selection import WHERE_SCHEMA, Selection
from reports.specification import TEXT, Output, TemplateParameters
from reports.statistics.estimate import Estimate
from reports.table import Column, Layout, Row, Table
from reports.templates.heads import add_size

PARAMETERS = TemplateParameters(
    {
        "dataset": TEXT,
        "where": WHERE_SCHEMA,
        "parameters": {"type": "object", "additionalProperties": TEXT, "minProperties": 1},
        "grade": TEXT,
        "baseline": TEXT,
        "grades": {"type": "array", "items": TEXT, "minItems": 2},
    },
    ("dataset", "where", "parameters", "grades"),
)
NONE, TOTAL, WORSE = "Not graded", "Total", "Worsened"
METHOD = "Patients by worst grade after baseline"


def compute(analysis: Analysis, output: Output, ledger: Ledger) -> None:
    """Count subjects by baseline grade and worst later grade, in rows of the baseline grades that somebody had.

    Subjects without a graded record after baseline are not in the table.
    """
    for group in analysis.groups(output):
        add_size(analysis, output, group, ledger)
        rows = analysis.select(output, str(output.node["dataset"]), group).where(output.node["where"])
        for parameter in output.node["parameters"]:
            _parameter(output, ledger, group, str(parameter), rows.equal("PARAMCD", str(parameter)))


def _names(node: Mapping[str, Any]) -> tuple[str, str]:
    return str(node.get("grade", "ATOXGR")), str(node.get("baseline", "BTOXGR"))


def _parameter(output: Output, ledger: Ledger, group: Group, parameter: str, rows: Selection) -> None:
    grade, baseline = _names(output.node)
    graded = rows.present(grade)
    subjects = _worst(graded, grade, baseline)
    had = set(subjects["baseline"])
    for before in [*(grade for grade in [*output.node["grades"], NONE] if grade in had), TOTAL]:
        from_grade = subjects if before == TOTAL else subjects[subjects["baseline"] == before]
        for after in [*output.node["grades"], TOTAL, WORSE]:
            place = Place(f"{parameter}_{before}", group.label, parameter, f"{before} to {after}")
            _add(output, ledger, place, _cell(from_grade, str(after)), len(subjects), graded)


def _cell(subjects: pd.DataFrame, after: str) -> pd.DataFrame:
    """Subjects of one cell; those without a baseline grade cannot be said to have worsened."""
    if after == TOTAL:
        return subjects
    if after == WORSE:
        return subjects[(subjects["baseline"] != NONE) & (subjects["worst"] > subjects["baseline"])]
    return subjects[subjects["worst"] == after]


def _worst(graded: Selection, grade: str, baseline: str) -> pd.DataFrame:
    """A row a subject: baseline grade (or not graded) and the highest later one; grades are single digits."""
    before = graded.by_subject(baseline, "max")
    return pd.DataFrame({"baseline": before.where(before != "", NONE), "worst": graded.by_subject(grade, "max")})


def _add(output: Output, ledger: Ledger, place: Place, cell: pd.DataFrame, of: int, graded: Selection) -> None:
    source = graded.of_subjects(sorted(cell.index))
    ledger.add(output, place, "count", Estimate(float(len(cell)), METHOD, of), COUNT, source)


def layout(output: Output, book: Book) -> Layout:
    """Blocks of an analyte, with a row for each baseline grade that somebody had."""
    grades = [str(grade) for grade in output.node["grades"]]
    heads = [Column(f"Grade {grade}", "Worst grade after baseline, n") for grade in grades]
    columns = (*heads, Column(TOTAL, "Worst grade after baseline, n"), Column(WORSE + ", n"))
    rows: list[Row] = []
    for group in book.groups():
        rows.append(Row(f"{group} (N={book.text('population', '', group, 'N')})", heading=True))
        for parameter, label in output.node["parameters"].items():
            rows.extend(_block(book, str(parameter), str(label), group, grades))
    return Layout([Table("Analyte, grade at baseline", columns, tuple(rows))])


def _block(book: Book, parameter: str, label: str, group: str, grades: list[str]) -> list[Row]:
    """One row needs no total, and an analyte that nobody had graded has nothing but one."""
    had = [grade for grade in [*grades, NONE] if book.row(parameter, f"{grade} to {TOTAL}", group, "count")]
    rows = [Row(label, indent=1, heading=True)]
    for before in had if len(had) == 1 else [*had, TOTAL]:
        cells = tuple(book.text(parameter, f"{before} to {after}", group, "count") for after in [*grades, TOTAL, WORSE])
        rows.append(Row(f"Grade {before}" if before in grades else before, cells, 2))
    return rows
