"""Template ``published_statements``: published statements, and what this run computed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from metadata.condition_filter import equality
from metadata.declaration import Place, parameters
from metadata.declaration_limits import Text
from metadata.errors import Gather, nearest
from metadata.yaml_source import complain
from reports.layout.table import (
    OutputLayout,
    OutputTable,
    Row,
    TableColumn,
)
from reports.results.analysis_data import AnalysisData
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.formats import COUNT, P_VALUE
from reports.results.index import ResultsIndex, printed
from reports.results.specification import Output, OutputKeys, ReportSpecification
from reports.statistics.estimate import NOT_ESTIMABLE, Estimate
from reports.template_parts.filtered_rows import FilteredRows


@dataclass(frozen=True)
class ResultReference:
    """A row of the results data, by the columns that find it."""

    output: Text
    statistic: Text
    group: Text = ""
    variable: Text = ""
    level: Text = ""
    subset: Text = ""
    node: Place = field(default=None, compare=False, repr=False)

    def fits(self, row: Mapping[str, Any]) -> bool:
        """Whether a row of the results is the one that is meant."""
        wanted = {key: getattr(self, key) for key in parameters(ResultReference)}
        return all(row[key] == value for key, value in wanted.items() if value)


@dataclass(frozen=True)
class PublishedStatement:
    """A published statement, and the results to compare it with, or what they wait for."""

    statement: Text
    published: Text
    show: Text = ""
    values: list[ResultReference] | None = None
    waits_for: Text = ""
    node: Place = field(default=None, compare=False, repr=False)

    one_of: ClassVar[tuple[tuple[str, ...], ...]] = (("show", "values"), ("waits_for",))


@dataclass(frozen=True, kw_only=True)
class Keys(OutputKeys):
    """Published statements, each with the results to compare it with."""

    statements: list[PublishedStatement]


NOT_COMPUTED, NO_RESULT = "not computed yet", "no such result"
RESULTS = "results"
COMPUTED = "computed"


def check(specification: ReportSpecification, output: Output) -> None:
    """Each value is one of an output that is declared."""
    known = [other.id for other in specification.outputs]
    with Gather() as gather:
        for statement in output.keys_of(Keys).statements:
            for reference in statement.values or []:
                with gather.part():
                    if reference.output not in known:
                        problem = f"there is no output {reference.output}{nearest(reference.output, known)}"
                        raise complain(reference.node, "output", problem)


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """Each statement is a row whose text is put together from results that earlier outputs made."""
    known: dict[str, list[Mapping[str, Any]]] = {other.id: [] for other in analysis.specification.outputs}
    for row in builder.rows:
        known[row["output"]].append(row)
    total = analysis.specification.total
    for number, statement in enumerate(output.keys_of(Keys).statements, start=1):
        name = f"S{number:02d}"
        place = ResultPlace(name, "", name, statement.statement, line=f"statement {number}")
        if statement.values:
            found = [row for reference in statement.values for row in _find(reference, known, total)]
            _computed(output, builder, place, statement, found)
        else:
            _without(output, builder, place, f"{NOT_COMPUTED}: {statement.waits_for}", NOT_COMPUTED)


def _without(output: Output, builder: ResultsBuilder, place: ResultPlace, reason: str, text: str) -> None:
    """A statement without a computed value, and why."""
    builder.add(output, place, COMPUTED, Estimate(NOT_ESTIMABLE, "", 0, reason), COUNT, _source([]), text)


def _computed(
    output: Output,
    builder: ResultsBuilder,
    place: ResultPlace,
    statement: PublishedStatement,
    found: list[Mapping[str, Any]],
) -> None:
    if len(found) < len(statement.values or ()):
        _without(output, builder, place, "the data gave no such result", NO_RESULT)
        return
    first = found[0]
    warnings = "; ".join(dict.fromkeys(str(row["warning"]) for row in found if row["warning"]))
    methods = "; ".join(dict.fromkeys(str(row["method"]) for row in found))
    estimate = Estimate(float(first["value"]), methods, int(first["n"]), warnings)
    try:
        text = statement.show.format(*(_in_sentence(row) for row in found))
    except (IndexError, KeyError, ValueError):
        raise complain(statement.node, "show", f"write {{0}} to {{{len(found) - 1}}} where the values go") from None
    builder.add(output, place, COMPUTED, estimate, str(first["format"]), _source(found), text)


def _find(
    reference: ResultReference, known: Mapping[str, list[Mapping[str, Any]]], total: str
) -> list[Mapping[str, Any]]:
    """The one result that fits, or none if the data gave no such category; several is a mistake in the reference."""
    fitting = [row for row in known[reference.output] if reference.fits(row)]
    # With several treatments a reference that names none means everybody together.
    fitting = [row for row in fitting if row["group"] == total] or fitting
    if len(fitting) > 1:
        problem = f"{len(fitting)} results fit; say variable, level, subset or group as well"
        raise complain(reference.node, "output", problem)
    return list(fitting)


def _in_sentence(row: Mapping[str, Any]) -> str:
    """A value within a sentence; a p-value brings its own sign: "p = 0.0001", "p < 0.0001"."""
    text = str(row["text"])
    if row["format"] != P_VALUE:
        return text
    return f"{text[0]} {text[1:]}" if text[0] in "<>" else f"= {text}"


def _source(found: list[Mapping[str, Any]]) -> FilteredRows:
    """The filter over the results data that finds the rows a statement was put together from."""
    keys = ("analysis", "group", "level", "statistic")
    parts = ["(" + " and ".join(equality(key, row[key]) for key in keys) + ")" for row in found]
    return FilteredRows(RESULTS, " or ".join(parts))


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """Statement, published value, computed value, n and method, with the output it comes from."""
    heads = (
        TableColumn("Published", text=True),
        TableColumn("This run", text=True),
        TableColumn("n"),
        TableColumn("Method", text=True),
        TableColumn("Output", text=True),
    )
    pairs = zip(output.keys_of(Keys).statements, results.every, strict=True)
    return OutputLayout([OutputTable("Statement", heads, tuple(_row(statement, row) for statement, row in pairs))])


def _row(statement: PublishedStatement, row: dict[Hashable, Any]) -> Row:
    if not statement.values or row["text"] == NO_RESULT:
        return Row(statement.statement, (statement.published, printed(row), "", "", ""))
    source = statement.values[0].output
    cells = (statement.published, printed(row), printed(row, "n"), printed(row, "method"), source)
    return Row(statement.statement, cells, link=source)
