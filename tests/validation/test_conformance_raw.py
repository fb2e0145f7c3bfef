"""Errors put into a study's raw records are found by a named check: a query, a rule of conformance, or both."""

from __future__ import annotations

import pandas as pd
import pytest

from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import tabulate
from validation.conformance.check import find
from validation.conformance.finding import ConformanceFinding
from validation.queries.listing import query_listing

FORM, EVENT = "redcap_repeat_instrument", "redcap_event_name"


def rows(frame: pd.DataFrame, **wanted: str) -> pd.Index:
    keep = pd.Series(True, index=frame.index)
    for name, value in wanted.items():
        keep &= frame[name] == value
    assert keep.any()
    return frame.index[keep]


def with_errors(frame: pd.DataFrame) -> pd.DataFrame:
    """A wrong term, an overlong text, a wrong unit, a unit that is no choice, a lost visit and a repeated row."""
    frame = frame.copy()
    frame.loc[rows(frame, record_id="001", **{FORM: "ae"})[0], "ae_sev"] = "7"
    frame.loc[rows(frame, record_id="009", **{FORM: "deviations"})[0], "dv_term"] = "x" * 150 + " " + "y" * 150
    month = rows(frame, record_id="002", **{EVENT: "m1_arm_1", FORM: ""})[0]
    assert frame.loc[month, "wbc_u"] == "1"  # 10^9/L, and 2 is 10^6/L
    frame.loc[month, "wbc_u"] = "2"
    frame.loc[month, "hgb_u"] = "9"  # L/L, a unit of the hematocrit
    frame = frame.drop(index=rows(frame, record_id="001", **{EVENT: "m6_arm_1"}))
    repeated = frame.loc[rows(frame, record_id="003", **{FORM: "ae"})[:1]]
    return pd.concat([frame, repeated], ignore_index=True)


@pytest.fixture(scope="module")
def records(study: Study) -> Records:
    locked = Records.read(study.project(), study.folder / "redcap" / "records_locked.csv")
    return Records.from_frame(study.project(), with_errors(locked.frame))


@pytest.fixture(scope="module")
def found(study: Study, records: Records) -> list[ConformanceFinding]:
    terminology = Terminology.open(study)
    return find(study, tabulate(read_mapping(study, records.project, terminology), records).datasets, terminology)


@pytest.fixture(scope="module")
def queries(study: Study, records: Records) -> set[tuple[str, str, str]]:
    listing = query_listing(study, records)
    return set(map(tuple, listing[["rule", "record", "field"]].to_numpy().tolist()))


@pytest.mark.parametrize(
    ("rule", "dataset", "variable", "subject"),
    [
        ("unit.laboratory", "LB", "LBORRESU", "01-002"),
        ("unit.plausible", "LB", "LBSTRESN", "01-002"),
        ("unit.missing", "LB", "LBORRESU", "01-002"),
        ("unit.converted", "LB", "LBSTRESN", "01-002"),
        ("visit.lost", "SV", "VISITNUM", "01-001"),
        ("key.unique", "AE", "", "01-003"),
        ("text.continued", "SUPPDV", "QVAL", "02-009"),
    ],
)
def test_a_raw_error_is_found_in_the_datasets(
    rule: str, dataset: str, variable: str, subject: str, found: list[ConformanceFinding]
) -> None:
    keys = [
        key for one in found if (one.rule, one.dataset, one.variable) == (rule, dataset, variable) for key in one.keys
    ]
    assert any(subject in key for key in keys)


@pytest.mark.parametrize(
    ("rule", "record", "field"),
    [
        ("dictionary.choice", "001", "ae_sev"),
        ("dictionary.choice", "002", "hgb_u"),
        ("lab.value_implausible", "002", "wbc"),
    ],
)
def test_a_raw_error_is_asked_about(rule: str, record: str, field: str, queries: set[tuple[str, str, str]]) -> None:
    assert (rule, record, field) in queries
