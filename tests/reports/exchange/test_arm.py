"""Key results: their criteria hold for every record that their statistics were computed from."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pytest

from metadata.analysis_result import AnalysedRecords, AnalysisResult, ResultDisplay
from metadata.dataset import Dataset
from metadata.study import Study
from reports.compute import compute
from reports.exchange.arm import result_displays


@pytest.fixture(scope="module")
def results(study: Study, adam: Mapping[str, Dataset]) -> pd.DataFrame:
    return compute(study, adam)


@pytest.fixture(scope="module")
def displays(study: Study, adam: Mapping[str, Dataset], results: pd.DataFrame) -> tuple[ResultDisplay, ...]:
    return result_displays(study, results, adam)


def fulfil(frame: pd.DataFrame, records: AnalysedRecords) -> pd.Series:
    """True for the records that meet the criteria, by other means than the engine's."""
    holds = pd.Series(True, frame.index)
    for one in records.criteria:
        column = frame[one.variable]
        texts = column.map(lambda value: value if isinstance(value, str) else f"{value:g}")
        numbers = pd.to_numeric(column, errors="coerce")
        limit = pd.to_numeric(one.values[0], errors="coerce")
        holds &= {
            "EQ": texts.isin(one.values), "IN": texts.isin(one.values), "NE": ~texts.isin(one.values),
            "NOTIN": ~texts.isin(one.values), "LT": numbers < limit, "LE": numbers <= limit, "GT": numbers > limit,
            "GE": numbers >= limit,
        }[one.comparator]  # fmt: skip
    return holds


def test_every_record_of_a_statistic_meets_the_criteria_of_its_result(
    displays: tuple[ResultDisplay, ...], results: pd.DataFrame, adam: Mapping[str, Dataset]
) -> None:
    looked_at = 0
    for display in displays:
        for result in display.results:
            own = results[(results["output"] == display.id) & results["analysis"].isin(result.analyses)]
            records = result.records[0]
            frame = adam[records.dataset].frame
            holds = fulfil(frame, records)
            for text in own.loc[own["statistic"] != "N", "filter"].unique():
                chosen = frame.query(text).index if text else frame.index
                assert holds[chosen].all(), (result.id, text, records.criteria)
                looked_at += len(chosen)
    assert looked_at > 1000


def test_only_outputs_with_a_purpose_are_key_and_none_of_their_statistics_is_left_out(
    displays: tuple[ResultDisplay, ...], results: pd.DataFrame
) -> None:
    assert [one.id for one in displays] == [
        "T14.2.1", "T14.2.2", "T14.2.4", "T14.2.5", "T14.2.6", "T14.2.7", "T14.2.8", "T14.3.1", "T14.3.2", "T14.3.5",
    ]  # fmt: skip
    for display in displays:
        own = results[(results["output"] == display.id) & (results["statistic"] != "N")]
        assert {name for one in display.results for name in one.analyses} == set(own["analysis"])


def one(displays: tuple[ResultDisplay, ...], identifier: str, about: str) -> AnalysisResult:
    (display,) = (display for display in displays if display.id == identifier)
    (found,) = (result for result in display.results if about in result.description)
    return found


def test_a_result_says_why_and_what_for(displays: tuple[ResultDisplay, ...]) -> None:
    page = one(displays, "T14.2.2", "Page's L test, exact, two-sided, Baseline, Month 12, Month 24, EDSS.")
    assert (page.reason, page.purpose) == ("SPECIFIED IN SAP", "SECONDARY OUTCOME MEASURE")
    assert page.plan == ("edss", "EDSS")
    assert page.description.endswith("Patients who completed 24 months.")
    assert page.statements.startswith("id: T14.2.2\ntemplate: by_visit\n")
    own, subjects = page.records
    assert (own.dataset, own.variables, own.parameter) == ("ADEDSS", ("AVAL",), True)
    assert [(one.variable, one.comparator) for one in own.criteria if one.variable != "ANL01FL"] == [
        ("COMPLFL", "EQ"), ("PARAMCD", "EQ"), ("AVISIT", "IN"),
    ]  # fmt: skip
    assert (subjects.dataset, subjects.variables) == ("ADSL", ("TRT01A",))
    assert page.comment.startswith("Subjects of ADEDSS and ADSL are joined by USUBJID.")


def test_what_no_criterion_can_say_is_a_comment(displays: tuple[ResultDisplay, ...]) -> None:
    described = one(displays, "T14.2.4", "Descriptive statistics, AVAL, NHPTM.")
    assert "Records where AVAL is not missing." in described.comment
    assert all("" not in criterion.values for criterion in described.records[0].criteria)
