"""Template ``by_visit``: a parameter at each visit with its change, and tests over declared visits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

import numpy as np

from metadata.condition import Condition
from metadata.condition_filter import equality
from metadata.declaration import Place
from metadata.declaration_limits import Entries, Keyed, OneOf, Text
from metadata.errors import Gather, StudyError
from metadata.schema_errors import entry_of, needed_key
from metadata.yaml_source import complain
from reports.layout.table import (
    OutputLayout,
    OutputTable,
    Row,
    TableColumn,
)
from reports.results.analysis_data import AnalysisData, Group
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.formats import P_VALUE, pattern
from reports.results.index import LineResults, ResultsIndex, printed
from reports.results.selection import SUBJECT, Selection
from reports.results.specification import (
    Decimals,
    Labels,
    NumberVariable,
    Output,
    OutputKeys,
    ReportSpecification,
    TextsOf,
    Variable,
)
from reports.statistics.descriptive import describe
from reports.statistics.estimate import Estimate
from reports.template_parts.descriptive_cells import Shown, cells
from reports.template_parts.filtered_rows import filtered
from reports.template_parts.paired_tests import TESTS, Wide
from reports.template_parts.treatment_heads import POPULATION, add_size

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class VisitValue:
    """A variable that is described at each visit."""

    variable: NumberVariable
    label: Text
    decimals: Decimals | None = None
    show: list[Shown] | None = None

    def described(self) -> Iterable[str]:
        """The variable has means."""
        return ["variable"]

    node: Place = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class VisitParameter:
    """A parameter of several; ``precision`` are the decimals to which derived values are known, for tests of ranks."""

    label: Text
    decimals: Decimals
    precision: Decimals | None = None


@dataclass(frozen=True)
class VisitTest:
    """A test over visits; ``carried`` carries the last value forward."""

    test: Annotated[str, OneOf(tuple(TESTS))]
    visits: Annotated[list[Text], Entries(2)]
    population: Text = ""
    purpose: Text = ""
    carried: bool = False
    node: Place = field(default=None, compare=False, repr=False)

    @property
    def level(self) -> str:
        """What the results call the visits that it compares."""
        return JOINT.join(self.visits) + (" (LOCF)" if self.carried else "")


@dataclass(frozen=True, kw_only=True)
class Keys(OutputKeys):
    """One parameter (``paramcd``, which ``where`` selects) or several at each visit; ``visits`` have their labels.

    ``precision`` are the decimals to which derived values are known, for tests of ranks; else those of the data count.
    With ``every_record`` a subject may have several records at a visit, and each counts, but not in tests.
    """

    dataset: Text
    visits: Annotated[Labels, Keyed(1)]
    values: list[VisitValue]
    where: Condition | None = None
    paramcd: Text = ""
    parameters: Annotated[dict[str, VisitParameter], Keyed(1)] | None = None
    visit: Variable = "AVISIT"
    decimals: Decimals = 0
    every_record: bool = False
    precision: Decimals | None = None
    tests: Annotated[list[VisitTest], Entries(0)] | None = None

    def implied(self) -> Iterable[str]:
        """The code that tells several parameters apart, and the value that is tested."""
        return [*(["PARAMCD"] if self.parameters else []), *(["AVAL"] if self.tests else [])]

    def texts_of(self) -> TextsOf:
        """Parameters and visits."""
        return [
            ("paramcd", "PARAMCD", [self.paramcd] if self.paramcd else []),
            ("parameters", "PARAMCD", self.parameters),
            ("visits", self.visit, self.visits),
        ]

    @property
    def each_parameter(self) -> Mapping[str, VisitParameter]:
        """The parameters by their codes; the only one has no label."""
        return self.parameters or {self.paramcd: VisitParameter("", self.decimals, self.precision)}

    @property
    def identified_by(self) -> list[str]:
        """The variables by which the records of one cell are found."""
        return ["PARAMCD", self.visit] if self.parameters else [self.visit]


JOINT = ", "
Values = list[tuple[int, VisitValue]]
NOWHERE = np.array([], dtype=np.intp)


def check(_: ReportSpecification, output: Output) -> None:
    """One parameter or several, each with its decimals; tests of visits that the output has."""
    keys = output.keys_of(Keys)
    if bool(keys.paramcd) == bool(keys.parameters):
        raise complain(output.node, None, "name one 'paramcd' or several 'parameters'")
    with Gather() as gather:
        with gather.part():
            _check_selected(keys, output.node)
        for value in keys.values:  # noqa: PD011  a key of the output
            with gather.part():
                if keys.paramcd and value.decimals is None:
                    raise needed_key(value.node, "decimals", entry_of("values"))
        for test in keys.tests or []:
            with gather.part():
                _check_test(keys, test)


def compute(analysis: AnalysisData, output: Output, builder: ResultsBuilder) -> None:
    """Describe every value variable of every parameter at every visit, then run the tests."""
    keys, groups = output.keys_of(Keys), analysis.groups(output)
    rows = [analysis.select(output, keys.dataset, group).where(keys.where) for group in groups]
    measured = _visits_of(keys, rows[-1])
    for value in keys.values:  # noqa: PD011  a key of the output
        known = rows[-1].present(rows[-1].named(value.variable, value.node, "variable"))
        if not keys.every_record:
            known.among(keys.visit, list(keys.visits)).check_once(*keys.identified_by, unless="every_record")
    for group, selected in zip(groups, rows, strict=True):
        add_size(analysis, output, group, builder)
        _describe(output, builder, group, selected, measured)
        for number, test in enumerate(keys.tests or [], start=1):
            for code in keys.each_parameter:
                _test(analysis, output, builder, group, number, test, code)


def _check_selected(keys: Keys, node: object) -> None:
    """Raise StudyError if ``where`` selects other parameters than the one that is named."""
    for test in keys.where.tests if keys.where and keys.paramcd else ():
        if test.variable == "PARAMCD" and test.name == "is" and test.operand != (keys.paramcd,):
            raise complain(node, "paramcd", f"'where' selects {test}, and the output says {keys.paramcd}")


def _visits_of(keys: Keys, rows: Selection) -> list[tuple[str, ...]]:
    """Declared visits of each parameter; of several parameters those at which somebody was measured."""
    if not keys.parameters:
        return [(visit,) for visit in keys.visits]
    found = set(rows.table(*keys.identified_by).groupby(keys.identified_by, sort=False).indices)
    declared = [(code, visit) for code in keys.parameters for visit in keys.visits]
    return [key for key in declared if key in found]


def _describe(
    output: Output, builder: ResultsBuilder, group: Group, rows: Selection, measured: list[tuple[str, ...]]
) -> None:
    """A value that none of the visit's records has (the change at baseline) makes no rows."""
    keys, by = output.keys_of(Keys), output.keys_of(Keys).identified_by
    places = rows.table(*by).groupby(by if len(by) > 1 else by[0], sort=False).indices
    for number, value in enumerate(keys.values, start=1):
        name = value.variable
        numbers = _numbers(rows, value)
        for key in measured:
            here = np.asarray(places.get(key if len(key) > 1 else key[0], NOWHERE))
            known = numbers[here]
            known = known[~np.isnan(known)]
            if not known.size and here.size:
                continue
            code = key[0] if len(key) > 1 else keys.paramcd
            source = filtered(rows, *map(equality, by, key), f"{name} == {name}")
            place = ResultPlace(f"{code}_{name}_{key[-1]}", group.label, name, key[-1], code, line=f"value {number}")
            decimals = keys.each_parameter[code].decimals if value.decimals is None else value.decimals
            builder.add_description(output, place, describe(known.tolist()), decimals, source)
            if "geometric_mean" in (value.show or ()):
                builder.add_geometric(output, place, known.tolist(), decimals, source)


def _numbers(rows: Selection, value: VisitValue) -> Wide:
    return rows.column(rows.named(value.variable, value.node, "variable")).to_numpy(float)


def _test(
    analysis: AnalysisData,
    output: Output,
    builder: ResultsBuilder,
    group: Group,
    number: int,
    test: VisitTest,
    code: str,
) -> None:
    """One test of a parameter among the subjects of the test's population who have every visit it compares."""
    keys, word = output.keys_of(Keys), test.test
    parameter, visits = keys.each_parameter[code], test.visits
    population = test.population or output.population
    rows = analysis.select(output, keys.dataset, group, test.node, population).where(keys.where)
    rows = rows.equal("PARAMCD", code) if keys.parameters else rows
    used = _earlier(keys, visits) if test.carried else visits
    rows = rows.among(keys.visit, used)
    wide = _wide(rows.table(SUBJECT, keys.visit, "AVAL"), keys.visit, used)
    if test.carried:
        wide = _carried(wide)[:, [used.index(name) for name in visits]]
    estimate = TESTS[word].run(wide, keys.precision if parameter.precision is None else parameter.precision)
    if test.carried:
        estimate = replace(estimate, method=f"{estimate.method}, last observation carried forward")
    line = f"test {number}"
    place = ResultPlace(
        f"{code}_{word}_{number:02d}", group.label, word, test.level, code, population, line, analysed="AVAL"
    )
    _add(output, builder, place, estimate, rows, parameter.decimals)


def _earlier(keys: Keys, visits: list[str]) -> list[str]:
    """The declared visits up to the last that a test compares, in the order in which they are declared."""
    declared = list(keys.visits)
    return declared[: max(declared.index(name) for name in visits if name in declared) + 1]


def _carried(wide: Wide) -> Wide:
    """Fill a visit without a value with the last one before it; the first visit (baseline) is not carried forward."""
    filled = wide.copy()
    for place in range(2, filled.shape[1]):
        missing = np.isnan(filled[:, place])
        filled[missing, place] = filled[missing, place - 1]
    return filled


def _check_test(keys: Keys, test: VisitTest) -> None:
    unknown = [name for name in test.visits if name not in keys.visits]
    if unknown:
        raise complain(test.node, "visits", f"'{unknown[0]}' is not among the visits of {keys.id}")
    if TESTS[test.test].pairs and len(test.visits) != 2:
        raise complain(test.node, "visits", f"the test {test.test} compares two visits")


def _wide(rows: pd.DataFrame, visit: str, visits: list[str]) -> Wide:
    """A row a subject, a column a visit, NaN where the subject was not seen."""
    twice = rows[rows.duplicated([SUBJECT, visit])]
    if len(twice):
        subject, name = twice.iloc[0][[SUBJECT, visit]]
        raise StudyError(f"{subject} has two records at {name}: a test needs one; narrow the output's 'where'")
    subjects, positions = np.unique(rows[SUBJECT].to_numpy(str), return_inverse=True)
    wide = np.full((len(subjects), len(visits)), np.nan)
    wide[positions, [visits.index(name) for name in rows[visit].tolist()]] = rows["AVAL"].to_numpy(float)
    return wide


def _add(
    output: Output, builder: ResultsBuilder, place: ResultPlace, estimate: Estimate, rows: Selection, decimals: int
) -> None:
    kind = TESTS[place.variable].kind
    shown = P_VALUE if kind == "p_value" else pattern(decimals + 1)
    builder.add(output, place, kind, estimate, shown, rows)
    if kind == "p_value":
        builder.add(output, place, "statistic", replace(estimate, value=estimate.statistic), pattern(2), rows)
        return
    for name, bound in (("lower", estimate.lower), ("upper", estimate.upper)):
        builder.add(output, place, name, replace(estimate, value=bound), shown, rows)


def layout(output: Output, results: ResultsIndex) -> OutputLayout:
    """A table of visits for each value variable side by side, and a table of tests."""
    keys = output.keys_of(Keys)
    values = list(enumerate(keys.values, start=1))
    # Two values side by side fill a page; a third one goes beneath.
    tables = [_visits(keys, results, values[start : start + 2]) for start in range(0, len(values), 2)]
    if keys.tests:
        tables.append(_tests(keys, keys.tests, results))
    return OutputLayout(tables)


def _visits(keys: Keys, results: ResultsIndex, values: Values) -> OutputTable:
    """Blocks of treatments; with several parameters blocks of these, in them treatments if there are several."""
    columns = tuple(TableColumn(label, value.label) for _, value in values for label, _ in cells(value.show))
    several, rows = bool(keys.parameters), list[Row]()
    for number, (code, parameter) in enumerate(keys.each_parameter.items()):
        blocks = [(group, _lines(keys, results, values, group, code, 1 + several)) for group in results.groups()]
        if not any(lines for _, lines in blocks):
            continue
        named = len(blocks) > 1 or not several
        rows += [Row(_named(results, blocks[0][0]), heading=True)] if not named and number == 0 else []
        rows += [Row(parameter.label, heading=True, indent=int(not named))] if several else []
        for group, lines in blocks:
            rows += [Row(_named(results, group), heading=True, indent=int(several))] if named else []
            rows += lines
    return OutputTable("Visit", columns, tuple(rows))


def _named(results: ResultsIndex, group: str) -> str:
    return f"{group} (N={results.text(POPULATION, '', group, 'N')})"


def _lines(keys: Keys, results: ResultsIndex, values: Values, group: str, code: str, indent: int) -> list[Row]:
    """A visit without any of these values, such as the change at baseline, needs no line."""
    found = [(label, _cells(results, values, group, code, visit)) for visit, label in keys.visits.items()]
    return [Row(label, cells, indent) for label, cells in found if any(cells)]


def _cells(results: ResultsIndex, values: Values, group: str, code: str, visit: str) -> tuple[str, ...]:
    return tuple(
        results.line(f"value {number}").cell(value.variable, visit, group, statistics.split(), code)
        for number, value in values
        for _, statistics in cells(value.show)
    )


def _tests(keys: Keys, tests: Sequence[VisitTest], results: ResultsIndex) -> OutputTable:
    heads = (
        TableColumn("Visits compared", text=True),
        TableColumn("Population", text=True),
        TableColumn("n"),
        TableColumn("Statistic"),
        TableColumn("Estimate (95% CI)"),
        TableColumn("p-value"),
    )
    rows = []
    for code, parameter in keys.each_parameter.items():
        for group in results.groups():
            named = [parameter.label, group if len(results.groups()) > 1 else ""]
            rows += [Row(JOINT.join(filter(None, named)), heading=True)] if any(named) else []
            rows += [
                _test_row(keys, results.line(f"test {number}"), group, test, code)
                for number, test in enumerate(tests, start=1)
            ]
    return OutputTable("Test", heads, tuple(rows), "Tests")


def _test_row(keys: Keys, results: LineResults, group: str, test: VisitTest, code: str) -> Row:
    level, word = test.level, test.test
    row = results.row(word, level, group, TESTS[word].kind, code)
    labels = JOINT.join(keys.visits[name] for name in test.visits)
    labels += " (LOCF)" if test.carried else ""
    purpose = f" [{test.purpose}]" if test.purpose else ""
    cells = (
        labels,
        printed(row, "population"),
        printed(row, "n"),
        results.text(word, level, group, "statistic", code),
        results.bounded(word, level, group, code),
        results.text(word, level, group, "p_value", code),
    )
    return Row(TESTS[word].label + purpose, cells)
