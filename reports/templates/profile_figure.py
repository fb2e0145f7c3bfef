"""Template ``profile_figure``: each subject's course over time, with the median at the visits."""

from __future__ import annotations

from typing import Any

from reports.analysis import SUBJECT_LEVEL, Analysis, Group, decimals_of
from reports.book import Book
from reports.formats import pattern
from reports.ledger import Ledger, Place
from reports.selection import WHERE_SCHEMA, Selection
from reports.specification import TEXT, Output, TemplateParameters
from reports.statistics.descriptive import describe
from reports.statistics.estimate import Estimate
from reports.table import Band, Figure, Layout, Line
from reports.templates.heads import add_size

NUMBER = {"type": "number"}
AXIS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "variable": TEXT,
        "label": TEXT,
        "unit_days": NUMBER,
        "ticks": {"type": "array", "items": NUMBER, "minItems": 2},
        "limits": {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2},
    },
    "required": ["variable", "label", "ticks"],
}
MEDIAN = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"where": WHERE_SCHEMA, "visits": {"type": "object", "additionalProperties": NUMBER}},
    "required": ["where", "visits"],
}
BAND = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"label": TEXT, "low": NUMBER, "high": NUMBER},
    "required": ["label", "low", "high"],
}
PARAMETERS = TemplateParameters(
    {
        "dataset": TEXT,
        "where": WHERE_SCHEMA,
        "subject": TEXT,
        "x": AXIS,
        "y": AXIS,
        "decimals": {"type": "integer", "minimum": 0, "maximum": 6},
        "median": MEDIAN,
        "bands": {"type": "array", "items": BAND},
        "reference": {"type": "array", "items": BAND},
        "set_apart": NUMBER,
    },
    ("dataset", "where", "x", "y", "median"),
)
OBSERVED, MEDIAN_LABEL = "value", "Median"


def compute(analysis: Analysis, output: Output, ledger: Ledger) -> None:
    """Each observed value is a row (subset the subject, level the study day), and so is each visit's median."""
    node, y = output.node, str(output.node["y"]["variable"])
    everybody = Group(analysis.specification.total)
    add_size(analysis, output, everybody, ledger)
    rows = analysis.select(output, str(node["dataset"]), everybody).where(node["where"]).present(y)
    rows = rows.present(str(node["x"]["variable"]))
    names = _names(analysis, output, everybody)
    for subject in rows.subjects:
        _course(output, ledger, rows.equal("USUBJID", subject), names[subject])
    for visit in node["median"]["visits"]:
        chosen = rows.where(node["median"]["where"]).equal("AVISIT", str(visit))
        place = Place(f"median_{visit}", "", y, str(visit), MEDIAN_LABEL)
        median = describe(chosen.column(y))["median"]
        ledger.add(output, place, "median", median, pattern(decimals_of(node) + 1), chosen)


def _names(analysis: Analysis, output: Output, everybody: Group) -> dict[str, str]:
    name = str(output.node.get("subject", "SUBJID"))
    subjects = analysis.select(output, SUBJECT_LEVEL, everybody)
    return dict(zip(subjects.column("USUBJID"), subjects.column(name), strict=True))


def _course(output: Output, ledger: Ledger, rows: Selection, name: str) -> None:
    x, y = str(output.node["x"]["variable"]), str(output.node["y"]["variable"])
    ordered = rows.table(x, y).sort_values(x, kind="stable")
    shown = pattern(decimals_of(output.node))
    for day, value in zip(ordered[x].tolist(), ordered[y].tolist(), strict=True):
        place = Place(f"course_{name}", "", y, f"{day:g}", name)
        ledger.add(output, place, OBSERVED, Estimate(float(value), "Observed value", 1), shown, rows)


def layout(output: Output, book: Book) -> Layout:
    """Lines in the order of the subjects' names; x in the axis's unit."""
    node, y = output.node, str(output.node["y"]["variable"])
    days = float(node["x"].get("unit_days", 1))
    apart = float(node.get("set_apart", 0))
    names = [name for name in book.subsets(y) if name != MEDIAN_LABEL]
    lines = tuple(_line(book, y, name, days, _offset(apart, i, len(names))) for i, name in enumerate(names))
    at = node["median"]["visits"]
    points = [(float(at[visit]), book.row(y, visit, "", "median", MEDIAN_LABEL)) for visit in at]
    known = [(x, float(row["value"])) for x, row in points if row is not None and row["value"] == row["value"]]
    median = Line(MEDIAN_LABEL, tuple(x for x, _ in known), tuple(value for _, value in known))
    return Layout(figures=[_figure(output, lines, median)])


def _offset(apart: float, position: int, count: int) -> float:
    """Equal courses are set apart by a declared amount, evenly about their value."""
    return apart * (2 * position / (count - 1) - 1) if count > 1 else 0.0


def _line(book: Book, variable: str, name: str, days: float, offset: float) -> Line:
    rows = [row for row in book.rows if row["variable"] == variable and row["subset"] == name]
    x = tuple(float(row["level"]) / days for row in rows)
    return Line(name, x, tuple(float(row["value"]) + offset for row in rows))


def _figure(output: Output, lines: tuple[Line, ...], median: Line) -> Figure:
    x, y = output.node["x"], output.node["y"]
    ticks = tuple(float(tick) for tick in y["ticks"])
    low, high = y.get("limits", (ticks[0], ticks[-1]))
    return Figure(
        x_label=str(x["label"]), y_label=str(y["label"]), lines=lines, median=median,
        x_ticks=tuple(float(tick) for tick in x["ticks"]), y_limits=(float(low), float(high)), y_ticks=ticks,
        bands=_bands(output.node.get("bands", [])), reference=_bands(output.node.get("reference", [])),
        description=f"{output.title}: {y['label']} of {len(lines)} patients by {x['label'].lower()}, with the median.",
    )  # fmt: skip


def _bands(declared: list[Any]) -> tuple[Band, ...]:
    return tuple(Band(str(band["label"]), float(band["low"]), float(band["high"])) for band in declared)
