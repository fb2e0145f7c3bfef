"""Template ``published_statements``: what was published, beside what this run computed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from metadata.yaml_source import complain
from reports.analysis import Analysis
from reports.book import Book
from reports.formats import COUNT
from reports.ledger import Ledger, Place
from reports.selection import Selection, equality
from reports.specification import TEXT, Output, TemplateParameters
from reports.statistics.estimate import NOT_ESTIMABLE, Estimate
from reports.table import Column, Layout, Row, Table

REFERENCE = {
    "type": "object",
    "additionalProperties": False,
    "properties": dict.fromkeys(("output", "group", "variable", "level", "subset", "statistic"), TEXT),
    "required": ["output", "statistic"],
}
STATEMENT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "statement": TEXT,
        "published": TEXT,
        "show": TEXT,
        "values": {"type": "array", "items": REFERENCE, "minItems": 1},
        "waits_for": TEXT,
    },
    "required": ["statement", "published"],
    "oneOf": [{"required": ["show", "values"]}, {"required": ["waits_for"]}],
}
PARAMETERS = TemplateParameters({"statements": {"type": "array", "items": STATEMENT, "minItems": 1}}, ("statements",))
NOT_COMPUTED = "not computed yet"
RESULTS = "results"
COMPUTED = "computed"


def compute(analysis: Analysis, output: Output, ledger: Ledger) -> None:
    """Each statement is a row whose text is put together from results that earlier outputs made."""
    for number, statement in enumerate(output.node["statements"], start=1):
        place = Place(f"S{number:02d}", "", f"S{number:02d}", str(statement["statement"]))
        if "values" in statement:
            _computed(output, ledger, place, statement)
        else:
            waiting = Estimate(NOT_ESTIMABLE, "", 0, f"{NOT_COMPUTED}: {statement['waits_for']}")
            ledger.add(output, place, COMPUTED, waiting, COUNT, _source([]), NOT_COMPUTED)


def _computed(output: Output, ledger: Ledger, place: Place, statement: Mapping[str, Any]) -> None:
    found = [_find(ledger, reference) for reference in statement["values"]]
    first = found[0]
    warnings = "; ".join(dict.fromkeys(str(row["warning"]) for row in found if row["warning"]))
    methods = "; ".join(dict.fromkeys(str(row["method"]) for row in found))
    estimate = Estimate(float(first["value"]), methods, int(first["n"]), warnings)
    try:
        text = str(statement["show"]).format(*(row["text"] for row in found))
    except (IndexError, KeyError, ValueError):
        raise complain(statement, "show", f"write {{0}} to {{{len(found) - 1}}} where the values go") from None
    ledger.add(output, place, COMPUTED, estimate, str(first["format"]), _source(found), text)


def _find(ledger: Ledger, reference: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one result that fits; none or several is a mistake in the reference."""
    fitting = [row for row in ledger.rows if all(row[key] == value for key, value in reference.items())]
    if len(fitting) != 1:
        raise complain(reference, "output", f"{len(fitting)} results fit this reference; it must be exactly one")
    return fitting[0]


def _source(found: list[Mapping[str, Any]]) -> Selection:
    """The filter over the results data that finds the rows a statement was put together from."""
    keys = ("analysis", "group", "level", "statistic")
    parts = ["(" + " and ".join(equality(key, row[key]) for key in keys) + ")" for row in found]
    return Selection(RESULTS, pd.DataFrame(), (" or ".join(parts),) if parts else ())


def layout(output: Output, book: Book) -> Layout:
    """Statement, published value, computed value, n and method, with the output it comes from."""
    heads = (
        Column("Published", text=True), Column("This run", text=True), Column("n"), Column("Method", text=True),
        Column("Output", text=True),
    )  # fmt: skip
    pairs = zip(output.node["statements"], book.rows, strict=True)
    return Layout([Table("Statement", heads, tuple(_row(statement, row) for statement, row in pairs))])


def _row(statement: Mapping[str, Any], row: dict[Hashable, Any]) -> Row:
    if "values" not in statement:
        return Row(str(statement["statement"]), (str(statement["published"]), NOT_COMPUTED, "", "", ""))
    source = str(statement["values"][0]["output"])
    cells = (str(statement["published"]), str(row["text"]), str(row["n"]), str(row["method"]), source)
    return Row(str(statement["statement"]), cells, link=source)
