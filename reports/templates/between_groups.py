"""Template ``between_groups``: endpoints by treatment with total, and each treatment compared with the reference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from metadata.condition import Condition
from metadata.condition_filter import among
from metadata.declaration import Place
from metadata.declaration_limits import Entries, Text
from metadata.schema_errors import needed_key
from metadata.yaml_source import complain
from reports.layout.table import OutputLayout, OutputTable, Row
from reports.results.analysis_data import AnalysisData, Group
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.formats import P_VALUE, PERCENT, pattern
from reports.results.index import LineResults, ResultsIndex, ResultText
from reports.results.selection import SUBJECT, Selection
from reports.results.specification import (
    SUBJECT_LEVEL,
    Decimals,
    NumberVariable,
    Output,
    OutputKeys,
    ReportSpecification,
)
from reports.statistics.descriptive import describe
from reports.statistics.kaplan_meier import kaplan_meier
from reports.template_parts.censored_times import CENSORED, TIME, censored_times
from reports.template_parts.descriptive_cells import CELLS
from reports.template_parts.filtered_rows import FilteredRows, filtered
from reports.template_parts.group_comparisons import COMPARISONS, ComparisonName, Kind
from reports.template_parts.person_time import (
    RateKeys,
    add_bounded,
    add_rate,
)
from reports.template_parts.treatment_heads import add_size, columns


@dataclass(frozen=True)
class EndpointLine:
    """One endpoint: its records and what is compared; ``precision`` as of visits (see ``by_visit``)."""

    label: Text
    kind: Kind
    dataset: Text = SUBJECT_LEVEL
    where: Condition | None = None
    denominator: Condition | None = None
    variable: NumberVariable = ""
    decimals: Decimals = 0
    precision: Decimals | None = None
    rate: RateKeys | None = None
    unit: Text = ""
    unit_days: float = 1
    compare: Annotated[list[ComparisonName], Entries(0)] | None = None
    node: Place = field(default=None, compare=False, repr=False)

    def described(self) -> Iterable[str]:
        """The variable of values has means."""
        return ["variable"] if self.variable else []

    def implied(self) -> Iterable[str]:
        """Of a time to event the time and whether it is censored."""
        return (TIME, CENSORED) if self.kind == "time" else ()

    @property
    def name(self) -> str:
        """What the results call the endpoint: the variable of values, or its kind."""
        return self.variable if self.kind == "value" else self.kind

    @property
    def analysed(self) -> str:
        """The variable of the dataset that it is about; of a proportion the subjects that are counted."""
        if self.rate and self.kind == "rate":
            return self.rate.count
        return self.variable if self.kind == "value" else TIME if self.kind == "time" else SUBJECT

    @property
    def shown(self) -> str:
        """How estimates of a comparison are printed."""
        if self.kind == "proportion":
            return PERCENT
        return pattern(self.rate.decimals if self.rate else self.decimals + 1)


@dataclass(frozen=True, kw_only=True)
class Keys(OutputKeys):
    """Endpoints of several kinds in treatment columns, compared with the ``reference``."""

    lines: list[EndpointLine]
    reference: Text = ""


NEEDED = {"proportion": (), "value": ("variable",), "time": ("unit",), "rate": ("rate",)}


def check(_: ReportSpecification, output: Output) -> None:
    """Each line has what its kind needs, and comparisons of its kind."""
    keys = output.keys_of(Keys)
    for line in keys.lines:
        if line.compare and not keys.reference:
            raise complain(line.node, "compare", "the output names no 'reference' to compare with")
    for line in keys.lines:
        for key in NEEDED[line.kind]:
            if not getattr(line, key):
                raise needed_key(line.node, key, f"a {line.kind}")
        for word in line.compare or []:
            if COMPARISONS[word].kind != line.kind:
                fit = [name for name, known in COMPARISONS.items() if known.kind == line.kind]
                problem = f"'{word}' compares no {line.kind}; known are {', '.join(fit)}"
                raise complain(line.node, "compare", problem)


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """Record each endpoint in each treatment and in all together, then the comparisons with the reference."""
    keys, groups = output.keys_of(Keys), analysis.groups(output)
    arms = analysis.reference(output, keys.reference, groups) if keys.reference else None
    sizes = {group.label: add_size(analysis, output, group, builder) for group in groups}
    for number, line in _lines(keys):
        samples = {}
        for group in groups:
            place = ResultPlace(number, group.label, line.name, number, line=_name(number), analysed=line.analysed)
            samples[group.label] = _endpoint(analysis, output, builder, place, group, line, sizes[group.label])
        if line.compare and arms:
            _compare(output, builder, line, number, arms, samples)


def _lines(keys: Keys) -> Iterator[tuple[str, EndpointLine]]:
    """Numbered lines."""
    return ((f"{number:02d}", line) for number, line in enumerate(keys.lines, start=1))


def _name(number: str) -> str:
    return f"line {int(number)}"


def _endpoint(
    analysis: AnalysisData,
    output: Output,
    builder: ResultsBuilder,
    place: ResultPlace,
    group: Group,
    line: EndpointLine,
    size: int,
) -> tuple[Any, Selection]:
    """Record what one treatment has of an endpoint, and return it for the comparisons, with its rows."""
    everybody = analysis.select(output, line.dataset, group, line.node)
    rows = everybody.where(line.where)
    if line.kind == "proportion":
        among = None if line.denominator is None else everybody.where(line.denominator)
        if among is not None:
            rows.check_within(among)
        whole = size if among is None else among.subject_count
        builder.add_proportion(output, place, rows.subject_count, whole, rows, "Number of subjects")
        return (rows.subject_count, whole), rows if among is None else among
    if line.kind == "value":
        present = rows.present(line.variable)
        present.check_once()
        values = present.column(line.variable)
        builder.add_description(output, place, describe(values), line.decimals, present)
        return values, present
    if line.rate and line.kind == "rate":
        return add_rate(output, builder, place, line.rate, rows), rows
    return _time(output, builder, place, line, rows)


def _time(
    output: Output, builder: ResultsBuilder, place: ResultPlace, line: EndpointLine, rows: Selection
) -> tuple[Any, Selection]:
    times, known = censored_times(line.unit_days, rows)
    curve = kaplan_meier(times.times, times.events)
    builder.add_proportion(output, place, curve.events, curve.n, known.equal(CENSORED, 0), "Subjects with the event")
    add_bounded(output, builder, place, "estimate", curve.quantile(), pattern(line.decimals + 1), known)
    return times, known


def _compare(
    output: Output, builder: ResultsBuilder, line: EndpointLine, number: str, arms: tuple[Group, list[Group]],
    samples: Mapping[str, tuple[Any, Selection]],
) -> None:  # fmt: skip
    reference, others = arms
    for word in line.compare or []:
        for arm in others:
            found = COMPARISONS[word].run(samples[arm.label][0], samples[reference.label][0], line.precision)
            level = f"{arm.label} / {reference.label}"
            place = ResultPlace(f"{number}_{word}", arm.label, word, level, number, line=_name(number),
                                analysed=line.analysed)  # fmt: skip
            source = _both(list(samples.values())[-1][1], arm, reference, samples)
            if COMPARISONS[word].result == "p_value":
                builder.add(output, place, "p_value", found, P_VALUE, source)
            else:
                add_bounded(output, builder, place, "estimate", found, line.shown, source)


def _both(
    everybody: Selection, arm: Group, reference: Group, samples: Mapping[str, tuple[Any, Selection]]
) -> FilteredRows:
    """The rows of the two treatments that are compared."""
    if everybody.has(arm.variable):
        return filtered(everybody, among(arm.variable, [arm.value, reference.value]))
    subjects = {subject for group in (arm, reference) for subject in samples[group.label][1].subjects}
    return filtered(everybody, among(SUBJECT, sorted(subjects)))


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """A heading an endpoint, what each treatment has, and the comparisons in the column of the treatment compared."""
    keys, rows = output.keys_of(Keys), list[Row]()
    for number, line in _lines(keys):
        own = results.line(_name(number))
        rows.append(Row(line.label, heading=True))
        rows += [Row(label, tuple(cell(group) for group in results.groups()), 1)
                 for label, cell in _cells(own, number, line)]  # fmt: skip
        rows += [_comparison(keys.reference, own, results.groups(), number, word) for word in line.compare or []]
    return OutputLayout([OutputTable("", columns(results), tuple(rows))])


def _cells(results: LineResults, number: str, line: EndpointLine) -> list[tuple[str, Any]]:
    """Labels of an endpoint's rows, and what fills the cell of a treatment."""
    kind = line.kind
    if kind == "proportion":
        return [("n/N (%)", lambda group: results.parts(kind, number, group))]
    if kind == "value":
        return [(label, lambda group, names=names: results.cell(line.variable, number, group, names.split()))
                for label, names in CELLS]  # fmt: skip
    if kind == "time":
        median = (f"Median, {line.unit} (95% CI)", lambda group: results.bounded(kind, number, group))
        return [("Events, n/N (%)", lambda group: results.parts(kind, number, group)), median]
    parts = [("Subjects", "n"), ("Events", "events"), (line.rate.unit if line.rate else "", "person_time")]
    plain = [(label, lambda group, name=name: results.text(kind, number, group, name)) for label, name in parts]
    return [*plain, ("Rate (95% CI)", lambda group: results.bounded(kind, number, group))]


def _comparison(reference: str, results: LineResults, groups: list[str], number: str, word: str) -> Row:
    known = COMPARISONS[word]
    cells = []
    for group in groups:
        level = f"{group} / {reference}"
        row = results.row(word, level, group, "p_value", number)
        shown = ResultText.of(f"{row['text']} (n={row['n']})", row) if row is not None else ""
        cells.append(shown if known.result == "p_value" else results.bounded(word, level, group, number))
    return Row(f"{known.label} against {reference}", tuple(cells), 1)
