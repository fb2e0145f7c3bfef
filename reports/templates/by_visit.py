"""Template ``by_visit``: a parameter at each visit with its change, and tests over declared visits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from metadata.errors import StudyError
from metadata.yaml_source import complain
from reports.analysis import Analysis, Group, decimals_of
from reports.book import Book
from reports.formats import P_VALUE, pattern
from reports.ledger import Ledger, Place
from reports.selection import WHERE_SCHEMA, Selection
from reports.specification import TEXT, Output, TemplateParameters
from reports.statistics.descriptive import describe
from reports.statistics.estimate import Estimate
from reports.table import Column, Layout, Row, Table
from reports.templates.description import CELLS
from reports.templates.heads import add_size
from reports.templates.paired_tests import TESTS, Wide

WHOLE = {"type": "integer", "minimum": 0, "maximum": 6}
VALUE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"variable": TEXT, "label": TEXT, "decimals": WHOLE},
    "required": ["variable", "label", "decimals"],
}
TEST = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "test": {"enum": list(TESTS)},
        "visits": {"type": "array", "items": TEXT, "minItems": 2},
        "population": TEXT,
        "purpose": TEXT,
    },
    "required": ["test", "visits"],
}
PARAMETERS = TemplateParameters(
    {
        "dataset": TEXT,
        "where": WHERE_SCHEMA,
        "variable": TEXT,
        "visit": TEXT,
        "visits": {"type": "object", "additionalProperties": TEXT, "minProperties": 1},
        "values": {"type": "array", "items": VALUE, "minItems": 1},
        "decimals": WHOLE,
        "tests": {"type": "array", "items": TEST},
    },
    ("dataset", "where", "variable", "visits", "values"),
)
JOINT = ", "


def compute(analysis: Analysis, output: Output, ledger: Ledger) -> None:
    """Describe every value variable at every visit, then run the tests."""
    visit = str(output.node.get("visit", "AVISIT"))
    for group in analysis.groups(output):
        add_size(analysis, output, group, ledger)
        rows = analysis.select(output, str(output.node["dataset"]), group).where(output.node["where"])
        for name in output.node["visits"]:
            at_visit = rows.equal(visit, name)
            for value in output.node["values"]:
                _describe(output, ledger, group, at_visit, value, str(name))
        for number, test in enumerate(output.node.get("tests", []), start=1):
            _test(analysis, output, ledger, group, number, test)


def _describe(
    output: Output, ledger: Ledger, group: Group, rows: Selection, value: Mapping[str, Any], visit: str
) -> None:
    """A value that no record of the visit has (the change at baseline) makes no rows."""
    name = str(value["variable"])
    present = rows.where({name: {"missing": False}} if rows.has(name) else value)
    if present.size == 0 and rows.size > 0:
        return
    subset = str(output.node["variable"])
    place = Place(f"{subset}_{name}_{visit}", group.label, name, visit, subset)
    ledger.add_description(output, place, describe(present.column(name)), decimals_of(value), present)


def _test(
    analysis: Analysis, output: Output, ledger: Ledger, group: Group, number: int, test: Mapping[str, Any]
) -> None:
    """One test among the subjects of its population who have every visit it compares."""
    visit, dataset = str(output.node.get("visit", "AVISIT")), str(output.node["dataset"])
    population, visits = str(test.get("population", output.population)), [str(name) for name in test["visits"]]
    _known(output, test)
    rows = analysis.select(output, dataset, group, test, population).where(output.node["where"])
    rows = rows.where({visit: visits})
    word, precision = str(test["test"]), decimals_of(output.node)
    estimate = TESTS[word].run(_wide(rows.table("USUBJID", visit, "AVAL"), visit, visits), precision)
    subset = str(output.node["variable"])
    place = Place(f"{subset}_{word}_{number:02d}", group.label, word, JOINT.join(visits), subset, population)
    _add(output, ledger, place, estimate, rows, precision)


def _known(output: Output, test: Mapping[str, Any]) -> None:
    unknown = [name for name in test["visits"] if name not in output.node["visits"]]
    if unknown:
        raise complain(test, "visits", f"'{unknown[0]}' is not among the visits of {output.id}")
    if TESTS[str(test["test"])].pairs and len(test["visits"]) != 2:
        raise complain(test, "visits", f"the test {test['test']} compares two visits")


def _wide(rows: pd.DataFrame, visit: str, visits: list[str]) -> Wide:
    """A row a subject, a column a visit, NaN where the subject was not seen."""
    twice = rows[rows.duplicated(["USUBJID", visit])]
    if len(twice):
        subject, name = twice.iloc[0][["USUBJID", visit]]
        raise StudyError(f"{subject} has two records at {name}: a test needs one; narrow the output's 'where'")
    table = rows.pivot_table(index="USUBJID", columns=visit, values="AVAL", aggfunc="first").reindex(columns=visits)
    return np.asarray(table, dtype=float)


def _add(output: Output, ledger: Ledger, place: Place, estimate: Estimate, rows: Selection, precision: int) -> None:
    kind = TESTS[place.variable].kind
    shown = P_VALUE if kind == "p_value" else pattern(precision + 1)
    ledger.add(output, place, kind, estimate, shown, rows)
    if kind == "p_value":
        ledger.add(output, place, "statistic", replace(estimate, value=estimate.statistic), pattern(2), rows)
        return
    for name, bound in (("lower", estimate.lower), ("upper", estimate.upper)):
        ledger.add(output, place, name, replace(estimate, value=bound), shown, rows)


def layout(output: Output, book: Book) -> Layout:
    """A table of visits for each value variable side by side, and a table of tests."""
    values = list(output.node["values"])
    # Two values side by side fill a page; a third one goes beneath.
    tables = [_visits(output, book, values[start : start + 2]) for start in range(0, len(values), 2)]
    if output.node.get("tests"):
        tables.append(_tests(output, book))
    return Layout(tables)


def _visits(output: Output, book: Book, values: list[Mapping[str, Any]]) -> Table:
    columns = tuple(Column(label, str(value["label"])) for value in values for label, _ in CELLS)
    rows: list[Row] = []
    for group in book.groups():
        size = book.text("population", "", group, "N")
        rows.append(Row(f"{group} (N={size})", heading=True))
        for visit, label in output.node["visits"].items():
            cells = _visit_cells(output, book, values, group, str(visit))
            # A visit without any of these values, such as the change at baseline, needs no line.
            rows += [Row(str(label), cells, 1)] if any(cells) else []
    return Table("Visit", columns, tuple(rows))


def _visit_cells(
    output: Output, book: Book, values: list[Mapping[str, Any]], group: str, visit: str
) -> tuple[str, ...]:
    subset = str(output.node["variable"])
    return tuple(
        book.cell(str(value["variable"]), visit, group, statistics.split(), subset)
        for value in values
        for _, statistics in CELLS
    )


def _tests(output: Output, book: Book) -> Table:
    heads = (
        Column("Visits compared", text=True), Column("Population", text=True), Column("n"), Column("Statistic"),
        Column("Estimate (95% CI)"), Column("p-value"),
    )  # fmt: skip
    rows = []
    for group in book.groups():
        if len(book.groups()) > 1:
            rows.append(Row(group, heading=True))
        rows.extend(_test_row(output, book, group, test) for test in output.node["tests"])
    return Table("Test", heads, tuple(rows), "Tests")


def _test_row(output: Output, book: Book, group: str, test: Mapping[str, Any]) -> Row:
    level, subset = JOINT.join(str(name) for name in test["visits"]), str(output.node["variable"])
    word = str(test["test"])
    kind = TESTS[word].kind
    row = book.row(word, level, group, kind, subset) or {}
    labels = JOINT.join(str(output.node["visits"][name]) for name in test["visits"])
    bounds = book.interval(word, level, group, subset)
    shown = book.text(word, level, group, "estimate", subset) + (f" ({bounds})" if bounds else "")
    purpose = f" [{test['purpose']}]" if "purpose" in test else ""
    cells = (
        labels, str(row.get("population", "")), str(row.get("n", "")),
        book.text(word, level, group, "statistic", subset), shown, book.text(word, level, group, "p_value", subset),
    )  # fmt: skip
    return Row(TESTS[word].label + purpose, cells)
