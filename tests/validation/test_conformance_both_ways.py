"""Rules that compare records: every pair, partial dates, both directions. Each case is worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.dataset import Dataset, DatasetMetadata, Variable
from validation.conformance.check import RULES
from validation.conformance.sdtm_datasets import SdtmDatasets, clock


def dataset(name: str, kind: str = "Findings", **columns: list[Any]) -> Dataset:
    """Return a dataset of texts and numbers."""
    made, variables = {}, []
    for column, values in columns.items():
        is_text = any(isinstance(value, str) for value in values)
        made[column] = pd.Series(values, dtype="str") if is_text else pd.Series(np.array(values, float))
        variables.append(Variable(column, column, "Char" if is_text else "Num"))
    metadata = DatasetMetadata(name, name, kind, "One record", ("USUBJID",), tuple(variables))
    return Dataset(metadata, pd.DataFrame(made))


def found(rule: str, *datasets: Dataset) -> dict[str, list[int]]:
    """Return the rows that a rule names, by variable."""
    study: Any = SimpleNamespace(standards={"sdtmig": "3.3"}, cutoff="2030-01-01", config={})
    data = SdtmDatasets(study, {one.name: one for one in datasets}, None)  # type: ignore[arg-type]
    hits = list(RULES[rule].check(data))
    rows: dict[str, set[int]] = {}
    for hit in hits:
        if hit.rows is not None and hit.rows.any():
            rows.setdefault(hit.variable, set()).update(np.flatnonzero(hit.rows).tolist())
    return {name: sorted(found) for name, found in rows.items()}


def exposure(*courses: tuple[str, str, str]) -> list[int]:
    """Return the courses (treatment, start, end) of one subject that overlap one that began before them."""
    drugs, starts, ends = (list(part) for part in zip(*courses, strict=True))
    made = dataset("EX", "Interventions", DOMAIN=["EX"] * len(courses), USUBJID=["A"] * len(courses), EXTRT=drugs,
                   EXSTDTC=starts, EXENDTC=ends)  # fmt: skip
    return found("exposure.overlap", made).get("EXSTDTC", [])


def test_a_long_course_overlaps_each_later_one() -> None:
    courses = [("X", "2020-01-01", "2020-12-31"), ("X", "2020-03-01", "2020-03-10"), ("X", "2020-05-01", "2020-05-10")]
    assert exposure(*courses) == [1, 2]
    assert exposure(("X", "2020-01-01", "2020-12-31"), ("Y", "2020-03-01", "2020-03-10")) == []


@pytest.mark.parametrize(
    ("end", "start", "overlap"),
    [
        ("2020-05", "2020-04-20", True),  # ends on 1 May at the earliest
        ("2020-05", "2020-05-01", False),
        ("2020-05", "2020-05-20", False),  # may have ended before
        ("2020", "2019-12-31", True),
        ("2020-05-10", "2020-05", False),
        ("2020-06-01", "2020-05", True),
        ("", "2020-05-01", False),
        ("2020-05-10", "2020-05-10", False),  # the dose may have changed on that day
        ("2020-05-11", "2020-05-10", True),
        ("2020-05-10T12:00", "2020-05-10T08:00", True),
        ("2020-05-10T08:00", "2020-05-10T12:00", False),
        ("2020-05-10T12:00", "2020-05-10", False),
    ],
)
def test_partial_ends_and_times(end: str, start: str, overlap: bool) -> None:
    assert exposure(("X", "2019-01-01", end), ("X", start, "2021-01-01")) == ([1] if overlap else [])


DAYS = st.integers(0, 12)


@given(st.lists(st.tuples(st.sampled_from("XY"), DAYS, DAYS), min_size=1, max_size=7))
def test_courses_overlap_if_any_two_do(rows: list[tuple[str, int, int]]) -> None:
    courses = [(drug, first, first + length) for drug, first, length in rows]
    written = [(drug, f"2020-01-{1 + first:02d}", f"2020-01-{1 + last:02d}") for drug, first, last in courses]
    pairs = [(a, b) for at, a in enumerate(courses) for b in courses[at + 1 :] if a[0] == b[0]]
    any_overlap = any(max(a[1], b[1]) < min(a[2], b[2]) or _within(a, b) or _within(b, a) for a, b in pairs)
    assert bool(exposure(*written)) == any_overlap


def _within(one: tuple[str, int, int], other: tuple[str, int, int]) -> bool:
    """Return True for a course of one day within another, neither on its first day nor on its last."""
    return one[1] == one[2] and other[1] < one[1] < other[2]


def test_the_second_of_a_day() -> None:
    assert clock("2020-05-10") == (0, 86399)
    assert clock("2020-05-10T08") == (28800, 32399)
    assert clock("2020-05-10T08:30:05") == (30605, 30605)


def disposition(decoded: str, date: str, term: str = "x", category: str = "PROTOCOL MILESTONE", **subject: str) -> bool:
    dates = {"RFICDTC": "2020-05-10", "DTHDTC": "", "RFPENDTC": "2020-12", **subject}
    people = dataset(
        "DM", "Special Purpose", DOMAIN=["DM"], USUBJID=["A"], **{name: [one] for name, one in dates.items()}
    )
    made = dataset("DS", "Events", DOMAIN=["DS"], USUBJID=["A"], DSDECOD=[decoded], DSTERM=[term], DSCAT=[category],
                   DSSTDTC=[date])  # fmt: skip
    return bool(found("disposition.dates", people, made))


@pytest.mark.parametrize(
    ("date", "wrong"),
    [("2020-05-10", False), ("2020-05", False), ("2020", False), ("2020-06", True), ("2019", True), ("", False)],
)
def test_a_partial_consent_agrees_if_it_may_be_that_day(date: str, wrong: bool) -> None:
    assert disposition("INFORMED CONSENT OBTAINED", date) == wrong


@pytest.mark.parametrize(("date", "wrong"), [("2021-01", True), ("2020-12-31", False), ("2020", False), ("2022", True)])
def test_a_partial_event_after_the_end_of_participation(date: str, wrong: bool) -> None:
    assert disposition("ADVERSE EVENT", date, category="DISPOSITION EVENT") == wrong


@pytest.mark.parametrize(
    ("rule", "reference", "known", "date", "wrong"),
    [
        ("date.after_death", "DTHDTC", "2020-05", "2020-06-01", True),
        ("date.after_death", "DTHDTC", "2020-05", "2020-05-31", False),
        ("date.after_participation", "RFPENDTC", "2020", "2021", True),
        ("date.after_participation", "RFPENDTC", "2020", "2020-12-31", False),
        ("date.before_consent", "RFICDTC", "2020-05", "2020-04-30", True),
        ("date.before_consent", "RFICDTC", "2020-05", "2020-05", False),
        ("baseline.before_exposure", "RFXSTDTC", "2020-05", "2020-06-01", True),
        ("baseline.before_exposure", "RFXSTDTC", "2020-05", "2020-05-10", False),
        ("baseline.before_exposure", "RFXSTDTC", "", "2020-05-10", True),
    ],
)
def test_partial_dates_of_the_subject(rule: str, reference: str, known: str, date: str, wrong: bool) -> None:
    people = dataset("DM", "Special Purpose", DOMAIN=["DM"], USUBJID=["A"], **{reference: [known]})
    made = dataset("VS", DOMAIN=["VS"], USUBJID=["A"], VSTESTCD=["SYSBP"], VSSTRESC=["1"], VSDTC=[date],
                   VSLOBXFL=["Y"])  # fmt: skip
    assert bool(found(rule, people, made)) == wrong


@pytest.mark.parametrize(
    ("decoded", "term", "wrong"),
    [
        ("COMPLETED", "COMPLETED", False),
        ("COMPLETED", "Completed", False),
        ("COMPLETED", "Lost to follow-up", True),
        ("LOST TO FOLLOW-UP", "Completed", True),
        ("LOST TO FOLLOW-UP", "Moved away", False),
    ],
)
def test_completed_is_completed_in_both_variables(decoded: str, term: str, wrong: bool) -> None:
    made = dataset("DS", "Events", DOMAIN=["DS"], USUBJID=["A"], DSDECOD=[decoded], DSTERM=[term])
    assert bool(found("disposition.completed", made)) == wrong


def laboratory(rows: list[tuple[str, str, float, float | None, float | None]], **more: list[Any]) -> Dataset:
    """Return results of one test: result and unit as collected, standard result, and the upper limits."""
    return dataset("LB", DOMAIN=["LB"] * len(rows), USUBJID=["A"] * len(rows), LBTESTCD=["HGB"] * len(rows),
                   LBORRES=[row[0] for row in rows], LBORRESU=[row[1] for row in rows], LBSTRESU=["g/L"] * len(rows),
                   LBSTRESN=[row[2] for row in rows], LBORNRHI=[f"{row[3]:g}" if row[3] else "" for row in rows],
                   LBSTNRHI=[row[4] for row in rows], **more)  # fmt: skip


def test_limits_are_converted_as_results_are() -> None:
    rows = [
        ("12", "g/dL", 120.0, 16.0, 160.0),
        ("13", "g/dL", 130.0, 16.0, 16.0),  # not converted
        ("130", "g/L", 130.0, 160.0, 160.0),
        ("130", "g/L", 130.0, 50.0, 500.0),  # converted though the unit is the same
        ("14", "g/dL", 140.0, 16.0, None),  # lost
        ("14", "g/dL", 140.0, None, None),
    ]
    assert found("range.converted", laboratory(rows)) == {"LBSTNRHI": [1, 3, 4]}


def test_limits_of_a_unit_with_another_zero() -> None:
    """Degrees Fahrenheit: 98.6 is 37 and the limit 99.5 is 37.5 in Celsius."""
    rows = [("98.6", "F", 37.0, 99.5, 37.5), ("95", "F", 35.0, 99.5, 37.5), ("104", "F", 40.0, 99.5, 55.3)]
    assert found("range.converted", laboratory(rows)) == {"LBSTNRHI": [2]}


def test_an_indicator_needs_the_limit_that_it_is_beyond() -> None:
    made = laboratory([("13", "g/dL", 130.0, None, None)] * 4, LBNRIND=["HIGH", "LOW", "NORMAL", ""],
                      LBSTNRLO=[None, None, None, None])  # fmt: skip
    assert found("range.indicator", made) == {"LBNRIND": [0, 1]}  # normal without limits: the laboratory has none
    one_sided = laboratory([("13", "g/dL", 130.0, 12.0, 120.0)] * 3, LBNRIND=["HIGH", "LOW", "NORMAL"],
                           LBSTNRLO=[None, None, None])  # fmt: skip
    assert found("range.indicator", one_sided) == {"LBNRIND": [1, 2]}


def test_each_position_has_a_baseline_of_its_own() -> None:
    people = dataset("DM", "Special Purpose", DOMAIN=["DM"], USUBJID=["A"], RFXSTDTC=["2020-05-10"])
    made = dataset("VS", DOMAIN=["VS"] * 2, USUBJID=["A"] * 2, VSTESTCD=["SYSBP"] * 2, VSPOS=["SITTING", "SUPINE"],
                   VSSTRESC=["120", "118"], VSDTC=["2020-05-09"] * 2, VSLOBXFL=["Y", "Y"])  # fmt: skip
    assert found("baseline.one", made) == {}
    assert found("baseline.last", people, made) == {}
    one = dataset("VS", DOMAIN=["VS"] * 2, USUBJID=["A"] * 2, VSTESTCD=["SYSBP"] * 2, VSPOS=["SITTING", "SUPINE"],
                  VSSTRESC=["120", "118"], VSDTC=["2020-05-09"] * 2, VSLOBXFL=["Y", ""])  # fmt: skip
    assert found("baseline.last", people, one) == {"VSLOBXFL": [1]}
