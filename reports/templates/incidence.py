"""Template ``incidence``: subjects and events by term, the most frequent first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.analysis import Analysis
from reports.book import Book
from reports.formats import COUNT
from reports.ledger import Ledger, Place
from reports.selection import WHERE_SCHEMA, Selection
from reports.specification import TEXT, Output, TemplateParameters
from reports.statistics.estimate import Estimate
from reports.table import Layout, Row, Table
from reports.templates.heads import add_size, columns

PARAMETERS = TemplateParameters(
    {
        "dataset": TEXT,
        "where": WHERE_SCHEMA,
        "any": TEXT,
        "term": TEXT,
        "grade": TEXT,
        "grades": {"type": "object", "additionalProperties": TEXT},
    },
    ("dataset", "term", "any"),
)
ALL = ""


def compute(analysis: Analysis, output: Output, ledger: Ledger) -> None:
    """Count subjects and records with any term and with each, and subjects by their worst grade if one is named."""
    node = output.node
    for group in analysis.groups(output):
        size = add_size(analysis, output, group, ledger)
        rows = analysis.select(output, str(node["dataset"]), group).where(node.get("where", {}))
        _add(output, ledger, group.label, ALL, rows, size)
        for term in rows.most_frequent(str(node["term"])):
            _add(output, ledger, group.label, term, rows.equal(str(node["term"]), term), size)


def _add(output: Output, ledger: Ledger, group: str, term: str, rows: Selection, size: int) -> None:
    variable = str(output.node["term"])
    place = Place(f"{variable}_{term or 'any'}", group, variable, term)
    count = rows.subject_count
    ledger.add_proportion(output, place, count, size, rows, "Number of patients")
    ledger.add(output, place, "events", Estimate(float(rows.size), "Number of records", count), COUNT, rows)
    for grade, chosen in _by_worst(output.node, rows).items():
        at = Place(place.analysis, group, variable, term, f"worst {grade}")
        ledger.add_proportion(output, at, chosen.subject_count, size, chosen, "Number of patients by their worst grade")


def _by_worst(node: Mapping[str, Any], rows: Selection) -> dict[str, Selection]:
    """Subjects of each declared grade, each subject once, at the worst."""
    if "grade" not in node:
        return {}
    worst = rows.by_subject(str(node["grade"]), "max")
    return {str(grade): rows.of_subjects(sorted(worst[worst == grade].index)) for grade in node["grades"]}


def layout(output: Output, book: Book) -> Layout:
    """Any event, then a row a term."""
    node = output.node
    grades = [str(grade) for grade in node["grades"]] if "grade" in node else []
    beneath = ("n (%)", "Events", *(str(node["grades"][grade]) for grade in grades))
    terms = book.levels(str(node["term"]))
    rows = [Row(term.capitalize() if term.isupper() else term or str(node["any"]), _cells(node, book, term, grades))
            for term in terms]  # fmt: skip
    return Layout([Table("Term", columns(book, *beneath), tuple(rows))])


def _cells(node: Mapping[str, Any], book: Book, term: str, grades: list[str]) -> tuple[str, ...]:
    variable = str(node["term"])
    cells: list[str] = []
    for group in book.groups():
        cells += [book.count(variable, term, group) or "0", book.text(variable, term, group, "events") or "0"]
        cells += [book.count(variable, term, group, f"worst {grade}") or "0" for grade in grades]
    return tuple(cells)
