"""The results data of the ten invented patients, against values counted by hand from the oracle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metadata.condition_filter import read_filter
from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.study import Study
from reports.compute import compute, write_csv
from reports.results.builder import COLUMNS


@pytest.fixture(scope="module")
def results(study: Study, adam: dict[str, Dataset]) -> pd.DataFrame:
    return compute(study, adam)


def one(results: pd.DataFrame, **key: str) -> pd.Series:
    fitting = results[(results[list(key)] == pd.Series(key)).all(axis=1)]
    assert len(fitting) == 1, key
    return fitting.iloc[0]


def test_columns_and_unique_keys(results: pd.DataFrame) -> None:
    assert tuple(results.columns) == COLUMNS
    key = ["analysis", "population", "subset", "group", "variable", "level", "statistic"]
    figures = results["statistic"] == "value"
    assert not results[~figures].duplicated(["output", *key]).any()


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ({"output": "T14.1.1", "level": "Enrolled", "statistic": "count"}, "10"),
        ({"output": "T14.1.1", "level": "Completed 24 months", "statistic": "percent"}, "80.0"),
        ({"output": "T14.1.1", "level": "ADVERSE EVENT", "statistic": "count"}, "1"),
        ({"output": "T14.1.2", "variable": "SEX", "level": "F", "statistic": "count"}, "6"),
        ({"output": "T14.1.2", "variable": "BEDSS", "statistic": "median"}, "4.50"),
        # Ages 36 38 40 42 44 46 47 49 51 55: mean 44.8, quartiles the third and the eighth.
        ({"output": "T14.1.2", "variable": "AGE", "statistic": "mean"}, "44.8"),
        ({"output": "T14.1.2", "variable": "AGE", "statistic": "q1"}, "40.0"),
        ({"output": "T14.1.2", "variable": "AGE", "statistic": "q3"}, "49.0"),
        # Changes 0.5 0 0.5 0 0.5 0 0.5 0 at month 12: mean 0.25.
        ({"output": "T14.2.2", "variable": "CHG", "level": "Month 12", "statistic": "mean"}, "0.25"),
        ({"analysis": "An_T14_2_2_EDSS_page_01", "statistic": "p_value"}, "0.0001"),
        ({"output": "T14.2.2", "variable": "page_increase", "statistic": "p_value"}, "<0.0001"),
        ({"output": "T14.2.2", "variable": "friedman", "statistic": "p_value"}, "0.0003"),
        ({"analysis": "An_T14_2_2_EDSS_signed_rank_04", "statistic": "p_value"}, "0.1250"),
        ({"analysis": "An_T14_2_6_T2LSVOL_signed_rank_02", "statistic": "p_value"}, "0.0078"),
        # Completers had 12, 9 and 6 relapses in three years of eight person-years each.
        ({"output": "T14.2.1", "level": "PRE", "statistic": "estimate"}, "1.500"),
        ({"output": "T14.2.1", "level": "YEAR 1", "statistic": "estimate"}, "1.125"),
        ({"output": "T14.2.1", "level": "YEAR 2", "statistic": "estimate"}, "0.750"),
        # 2 * P(X >= 12), X binomial of 18 and 1/2: 2 * 31180 / 262144.
        ({"output": "T14.2.1", "variable": "comparison", "level": "1", "statistic": "p_value"}, "0.2379"),
        # Six patients had one relapse less, two as many: 2 / 2**6.
        ({"output": "T14.2.1", "variable": "comparison", "level": "2", "statistic": "p_value"}, "0.0313"),
        ({"analysis": "An_T14_2_4_NHPTM_signed_rank_01", "statistic": "p_value"}, "0.6172"),
        ({"analysis": "An_T14_2_4_NHPTM_signed_rank_02", "statistic": "p_value"}, "0.4063"),
        ({"analysis": "An_T14_2_5_COGCOMP_signed_rank_02", "statistic": "p_value"}, "0.0547"),
        ({"analysis": "An_T14_2_5_COGCOMP_paired_t_04", "statistic": "p_value"}, "0.0450"),
        ({"output": "T14.2.8", "level": "Persistent (all samples positive)", "statistic": "count"}, "1"),
        ({"output": "T14.2.8", "level": "Negative (no sample positive)", "statistic": "count"}, "5"),
        ({"output": "T14.3.1", "level": "Any treatment-emergent adverse event", "statistic": "events"}, "3"),
        ({"output": "T14.3.1", "level": "Serious", "statistic": "count"}, "1"),
        ({"output": "T14.3.2", "level": "Nausea", "subset": "Stomach", "statistic": "count"}, "1"),
        ({"output": "T14.3.2", "level": "Nausea", "subset": "Stomach; worst 3", "statistic": "count"}, "1"),
        # Nadirs: 0.78 and 0.96 lie below 1.0, none below 0.5, eight from 1.0 to below 1.5.
        ({"output": "T14.3.6", "variable": "ctc1", "level": "Worst grade 3", "statistic": "count"}, "2"),
        ({"output": "T14.3.6", "variable": "ctc1", "level": "Worst grade 2", "statistic": "count"}, "8"),
        ({"output": "T14.3.6", "variable": "label", "level": "Any after baseline", "statistic": "count"}, "10"),
        ({"output": "T14.3.6", "variable": "label", "level": "Any after baseline", "statistic": "lower"}, "69.2"),
        ({"output": "T14.3.6", "variable": "AVAL", "level": "Lowest value", "statistic": "min"}, "0.78"),
        ({"output": "T14.3.5", "variable": "HGB", "level": "0 to Worsened", "statistic": "count"}, "0"),
        ({"output": "T14.3.5", "variable": "HGB", "level": "0 to 0", "statistic": "count"}, "10"),
    ],
)  # fmt: skip
def test_values_counted_by_hand(results: pd.DataFrame, key: dict[str, str], text: str) -> None:
    assert one(results, **key)["text"] == text


def test_every_filter_runs_and_finds_the_subjects(results: pd.DataFrame, adam: dict[str, Dataset]) -> None:
    counted = results[(results["statistic"] == "count") & results["dataset"].isin(list(adam))]
    assert len(counted) > 100
    for dataset, text, value in zip(counted["dataset"], counted["filter"], counted["value"], strict=True):
        rows = adam[dataset].frame.query(text)
        assert rows["USUBJID"].nunique() == value, text
        columns = adam[dataset].columns
        assert np.flatnonzero(read_filter(text).holds(columns, len(columns))).tolist() == rows.index.tolist(), text


def test_statements_lead_to_their_results(results: pd.DataFrame) -> None:
    computed = results[(results["output"] == "T14.4.1") & (results["filter"] != "")]
    assert len(computed) == 16
    for text, value in zip(computed["filter"], computed["value"], strict=True):
        found = results.query(text)
        assert value in set(found["value"]), text


def test_every_published_statement_is_computed(results: pd.DataFrame) -> None:
    statements = results[results["output"] == "T14.4.1"]
    assert len(statements) == 16
    assert statements["value"].notna().all()
    assert not statements["text"].str.contains("NE|not computed").any()


def test_a_test_without_data_is_a_row_that_says_so(study: Study, adam: dict[str, Dataset]) -> None:
    scans = adam["ADMO"].frame
    without = {
        **adam,
        "ADMO": Dataset(adam["ADMO"].metadata, scans[scans["AVISIT"] != "Month 24"].reset_index(drop=True)),
    }
    row = one(compute(study, without), output="T14.2.6", variable="friedman", statistic="p_value")
    assert (row["text"], row["n"]) == ("NE", 0)
    assert row["warning"] == "not estimable: no complete rows"


def test_an_empty_dataset_gives_zeros(study: Study, adam: dict[str, Dataset]) -> None:
    nothing = {**adam, "ADAE": Dataset(adam["ADAE"].metadata, adam["ADAE"].frame.iloc[:0])}
    row = one(compute(study, nothing), output="T14.3.1", level="Any adverse event", statistic="count")
    assert row["text"] == "0"


def test_two_records_at_a_visit_are_refused(study: Study, adam: dict[str, Dataset]) -> None:
    rows = adam["ADEDSS"].frame
    doubled = Dataset(adam["ADEDSS"].metadata, pd.concat([rows, rows.iloc[[0]]], ignore_index=True))
    with pytest.raises(StudyError, match="has two records at Baseline"):
        compute(study, {**adam, "ADEDSS": doubled})


def test_two_treatments_give_two_columns_and_a_total(study: Study, adam: dict[str, Dataset]) -> None:
    subjects = adam["ADSL"].frame.copy()
    subjects["TRT01A"] = ["A", "B"] * 5
    results = compute(study, {**adam, "ADSL": Dataset(adam["ADSL"].metadata, subjects)})
    rows = results[
        (results["output"] == "T14.1.1") & (results["level"] == "Enrolled") & (results["statistic"] == "count")
    ]
    assert dict(zip(rows["group"], rows["text"], strict=True)) == {"A": "5", "B": "5", "All patients": "10"}
    tests = results[(results["analysis"] == "An_T14_2_2_EDSS_page_01") & (results["statistic"] == "p_value")]
    # Completers are 001-003, 005-008, 010: odd ones A, even ones B.
    assert list(tests["n"]) == [4, 4, 8]


def test_csv_is_safe_for_spreadsheets_and_keeps_numbers(results: pd.DataFrame, tmp_path: Path) -> None:
    rows = results.head(3).copy()
    rows["level"] = ["=1+1", "-0.5", "-0.5 (0.2)"]
    rows["value"] = [-1.5, float("nan"), 1 / 3]
    write_csv(rows, tmp_path / "results.csv")
    read = pd.read_csv(tmp_path / "results.csv", dtype=str, keep_default_na=False)
    assert list(read["level"]) == ["'=1+1", "-0.5", "'-0.5 (0.2)"]
    assert list(read["value"]) == ["-1.5", "", "0.333333333333"]
