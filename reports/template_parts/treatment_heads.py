"""The heads of treatment columns, the same on every table."""

from __future__ import annotations

from reports.layout.table import TableColumn
from reports.results.analysis_data import AnalysisData, Group
from reports.results.builder import ResultPlace, ResultsBuilder
from reports.results.formats import COUNT
from reports.results.index import ResultsIndex
from reports.results.specification import SUBJECT_LEVEL, Output
from reports.statistics.estimate import Estimate

POPULATION = "population"


def add_size(analysis: AnalysisData, output: Output, group: Group, builder: ResultsBuilder) -> int:
    """Record the number of subjects of a treatment column, and return it."""
    source = analysis.select(output, SUBJECT_LEVEL, group)
    size = len(source.subjects)
    place = ResultPlace("N", group.label, POPULATION, analysed="USUBJID")
    builder.add(output, place, "N", Estimate(float(size), "Number of patients in the population", size), COUNT, source)
    return size


def columns(results: ResultsIndex, *beneath: str) -> tuple[TableColumn, ...]:
    """One column a treatment, ``Label (N=10)``, or several ``beneath`` each."""
    heads = [(group, f"{group} (N={results.text(POPULATION, '', group, 'N')})") for group in results.groups()]
    if not beneath:
        return tuple(TableColumn(head) for _, head in heads)
    return tuple(TableColumn(label, head) for _, head in heads for label in beneath)
