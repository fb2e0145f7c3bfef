"""The key results of a study for define.xml (Analysis Results Metadata 1.0), from the results data.

An output is a key one if it declares its purpose. Its statistics are one result for each line, population, dataset,
variable, parameter and method; the criteria are what the filters of all of them share.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from metadata.analysis_result import AnalysedRecords, AnalysisResult, RecordCriterion, ResultDisplay
from metadata.condition_filter import read_filter, split_filter
from metadata.study import Study
from reports.exchange.ars import REASON
from reports.exchange.ars_subsets import condition
from reports.results.index import Rows, rows_by_output
from reports.results.plan import Plan, read_plan
from reports.results.specification import SUBJECT_LEVEL, Output, ReportSpecification, read_specification
from reports.templates import KEYS

SUBJECT, PARAMETER = "USUBJID", "PARAMCD"
INFERENTIAL = ("p_value", "estimate", "lower", "upper")
"""Statistics whose method is a result of its own; all others describe."""
DESCRIBED = "Descriptive statistics"
SIZE, OF_A_TEST = "N", ("n", "statistic")
"""Statistics that say how many subjects there are, and those that accompany a test or an estimate."""
MOST_VALUES = 30
"""Values that a criterion lists; a variable with more of them is named as what the results are given by."""


def result_displays(study: Study, results: Any, datasets: Collection[str]) -> tuple[ResultDisplay, ...]:
    """Return the displays of the outputs that declare a purpose, in the order of reports.yaml.

    ``results`` is the results data; results of other datasets than ``datasets`` (those of the analysis) are left out.
    """
    specification, plan, own = read_specification(study, KEYS), read_plan(study), rows_by_output(results)
    made = []
    for output in specification.outputs:
        if output.keys.purpose is None:
            continue
        maker = _Display(specification, plan, output)
        found = tuple(maker.results(own.get(output.id, []), datasets))
        if found:
            made.append(ResultDisplay(output.id, _number(output.id), output.title, found))
    return tuple(made)


def _number(identifier: str) -> str:
    kinds = {"T": "Table", "F": "Figure", "L": "Listing"}
    return f"{kinds[identifier[0]]} {identifier[1:]}" if identifier[0] in kinds else identifier


@dataclass(frozen=True)
class _Display:
    specification: ReportSpecification
    plan: Plan
    output: Output

    def results(self, rows: Rows, datasets: Collection[str]) -> Iterator[AnalysisResult]:
        """Group the rows of the output, and describe each group."""
        groups: dict[tuple[str, ...], Rows] = {}
        own = [row for row in rows if row["dataset"] in datasets and row["statistic"] != SIZE]
        methods = _methods(own)
        for row in own:
            named = (str(row[name]) for name in ("line", "population", "dataset", "analysed"))
            key = (*named, _parameter(str(row["filter"])), methods[str(row["analysis"])])
            groups.setdefault(key, []).append(row)
        for number, (key, members) in enumerate(groups.items(), start=1):
            yield self._result(f"{self.output.id}.{number:02d}", key[-1], members)

    def _result(self, identifier: str, method: str, rows: Rows) -> AnalysisResult:
        dataset, analysed = str(rows[0]["dataset"]), str(rows[0]["analysed"])
        population = self.specification.file.populations[str(rows[0]["population"])]
        criteria, unsaid = _criteria(dataset, analysed, [str(row["filter"]) for row in rows])
        records = [AnalysedRecords(dataset, criteria, (analysed,) if analysed else ())]
        if dataset != SUBJECT_LEVEL:
            by = self.specification.by(self.output)
            flag = RecordCriterion(population.flag, "EQ", ("Y",))
            records.append(AnalysedRecords(SUBJECT_LEVEL, (flag,), (by,) if by else ()))
            unsaid.insert(0, f"Subjects of {dataset} and {SUBJECT_LEVEL} are joined by {SUBJECT}.")
        analyses = tuple(dict.fromkeys(str(row["analysis"]) for row in rows))
        return AnalysisResult(
            id=identifier,
            description=f"{self.output.title}: {_about(method, rows, criteria)}. {population.label}.",
            reason=REASON,
            purpose=self.output.purpose,
            records=tuple(records),
            comment=" ".join(unsaid),
            plan=(self.output.plan, self.plan.section(self.output.plan)),
            statements=self._statements,
            analyses=analyses,
        )

    @cached_property
    def _statements(self) -> str:
        return yaml.safe_dump(_plain(self.output.node), sort_keys=False, allow_unicode=True, width=120)


def _methods(rows: Rows) -> dict[str, str]:
    """Return the methods of each analysis, by its id; that of a mere description is called so."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        own = found.setdefault(str(row["analysis"]), {})
        if row["statistic"] in INFERENTIAL:
            own[str(row["method"])] = None
        elif row["statistic"] not in OF_A_TEST:
            own[DESCRIBED] = None
    return {name: "; ".join(own) or DESCRIBED for name, own in found.items()}


def _about(method: str, rows: Rows, criteria: Iterable[RecordCriterion]) -> str:
    """Return what a result is: its method, and what it is of where all its rows say the same.

    The rows of a test have its name as their variable, which its method says already; a number is the place of a line.
    """
    about = ("variable", "level", "subset") if method == DESCRIBED else ("level", "subset")
    named = [str(rows[0][name]) for name in about if len({row[name] for row in rows}) == 1]
    named += [", ".join(one.values) for one in criteria if one.comparator == "IN" and method != DESCRIBED]
    words = (word for word in (method, *named) if word and not word.isdigit())
    return ", ".join(dict.fromkeys(words))


def _plain(node: Any) -> Any:
    """Return what was read from YAML without the places where it was written."""
    if isinstance(node, Mapping):
        return {str(name): _plain(value) for name, value in node.items()}
    return [_plain(value) for value in node] if isinstance(node, list) else node


def _parameter(text: str) -> str:
    return next((part for part in split_filter(text) if part.startswith(f"{PARAMETER} ")), "")


def _criteria(dataset: str, analysed: str, filters: list[str]) -> tuple[tuple[RecordCriterion, ...], list[str]]:
    """Return what all filters share as criteria, and as sentences what no criterion can say.

    A variable that each filter compares with values of its own has all their values, unless it is the one analysed,
    whose values are then the levels of the result.
    """
    each = [
        [part for part in split_filter(text) if not part.startswith(f"{SUBJECT} ")] for text in dict.fromkeys(filters)
    ]
    shared = [part for part in each[0] if all(part in other for other in each[1:])]
    said, unsaid = [], []
    for part in shared:
        found = condition(dataset, part)
        if found is None or "" in found["value"]:
            unsaid.append(f"Records where {read_filter(part)}.")
        else:
            said.append(RecordCriterion(found["variable"], found["comparator"], tuple(found["value"])))
    varying, too_many = _varying(dataset, [[part for part in parts if part not in shared] for parts in each])
    said += [one for one in varying if one.variable != analysed]
    unsaid += [f"Results are given by {name}." for name in too_many if name != analysed]
    return tuple(said), unsaid


def _varying(dataset: str, each: list[list[str]]) -> tuple[list[RecordCriterion], list[str]]:
    """Return the criteria on variables that every filter compares with values, and the names of those with too many."""
    values: dict[str, dict[str, None]] = {}
    count: dict[str, int] = {}
    for parts in each:
        for part in parts:
            found = condition(dataset, part)
            if found is not None and found["comparator"] in ("EQ", "IN") and "" not in found["value"]:
                values.setdefault(found["variable"], {}).update(dict.fromkeys(found["value"]))
                count[found["variable"]] = count.get(found["variable"], 0) + 1
    everywhere = {name: tuple(own) for name, own in values.items() if count[name] == len(each)}
    few = [RecordCriterion(name, "IN" if len(own) > 1 else "EQ", own) for name, own in everywhere.items()
           if len(own) <= MOST_VALUES]  # fmt: skip
    return few, [name for name, own in everywhere.items() if len(own) > MOST_VALUES]
