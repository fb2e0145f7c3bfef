"""Toxicity grades at and around every published limit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import StudyError
from metadata.toxicity import Criteria, References, ToxicityItem, parse_band
from metadata.toxicity_table import read_scheme

WHO = read_scheme("who-1979-lab-grades")
LYMPHOCYTES = read_scheme("lymphocyte-schemes")
JUST = 1e-6


def grades(item: str, values: list[float], uln: float | None = None, scale: float = 1.0) -> list[float]:
    upper = None if uln is None else np.full(len(values), uln)
    return WHO[item].grade(np.array(values), uln=upper, scale=scale).tolist()


@pytest.mark.parametrize(
    ("item", "limits", "scale"),
    [
        ("Hemoglobin", [110, 95, 80, 65], 10.0),
        ("Leukocytes", [4.0, 3.0, 2.0, 1.0], 1.0),
        ("Granulocytes (neutrophils)", [2.0, 1.5, 1.0, 0.5], 1.0),
        ("Platelets", [100, 75, 50, 25], 1.0),
    ],
)
def test_falling_items_include_the_lower_limit_of_a_band(item: str, limits: list[float], scale: float) -> None:
    assert grades(item, limits, scale=scale) == [0, 1, 2, 3]
    assert grades(item, [limit - JUST for limit in limits], scale=scale) == [1, 2, 3, 4]


@pytest.mark.parametrize("item", ["Bilirubin", "Alkaline phosphatase", "BUN / blood urea", "Creatinine"])
def test_rising_items_include_the_upper_limit_of_a_band_at_exact_multiples(item: str) -> None:
    for uln in (19.0, 115.0, 7.5, 0.1, 33.3):
        multiples = [uln * factor for factor in (1.25, 2.5, 5, 10)]
        assert grades(item, multiples, uln) == [0, 1, 2, 3]
        assert grades(item, [value * (1 + JUST) for value in multiples], uln) == [1, 2, 3, 4]


def test_values_in_the_gaps_of_the_printed_bands_have_the_grade_of_the_interval() -> None:
    assert grades("Leukocytes", [3.95, 2.99]) == [1, 2]
    assert grades("Creatinine", [1.255 * 100], 100) == [1]


def test_no_grade_without_the_limit_that_the_item_needs() -> None:
    assert np.isnan(grades("Bilirubin", [500.0])).all()
    assert np.isnan(WHO["Bilirubin"].grade(np.array([500.0]), uln=np.array([np.nan]))).all()
    assert np.isnan(grades("Leukocytes", [np.nan])).all()


def test_the_who_table_grades_no_lymphocytes_and_no_dipstick() -> None:
    assert not [name for name in WHO if "ymph" in name]
    assert "Proteinuria" not in WHO


def test_lymphocyte_schemes_that_start_at_the_lower_limit_need_it() -> None:
    values, lower = np.array([1.6, 1.1, 0.7, 0.3]), np.full(4, 1.2)
    assert LYMPHOCYTES["ctc1"].grade(values).tolist() == [1, 2, 3, 4]
    assert LYMPHOCYTES["ctc2"].grade(values, lln=lower).tolist() == [0, 1, 2, 3]
    assert LYMPHOCYTES["ctcae5"].grade(values, lln=lower).tolist() == [0, 1, 2, 3]
    # Without the lower limit fixed bands hold still (admiral, test-derive_var_atoxgr.R, "ANRLO missing but AVAL
    # satisfies grade 2"); what would be normal or grade 1 cannot be told.
    assert LYMPHOCYTES["ctcae5"].grade(values).tolist()[2:] == [2, 3]
    assert np.isnan(LYMPHOCYTES["ctcae5"].grade(values)[:2]).all()
    assert LYMPHOCYTES["label"].grade(np.array([1.5, 1.49])).tolist() == [0, 1]


@given(st.sampled_from(sorted(WHO)), st.floats(0, 1000), st.floats(0.1, 500))
def test_every_value_has_exactly_one_grade(name: str, value: float, uln: float) -> None:
    item = WHO[name]
    values, upper = np.array([value]), np.array([uln])
    held = [band.grade for band in item.bands if band.holds(values, References(upper, upper, upper), 1.0)[0]]
    assert held == [item.grade(values, upper, upper)[0]]


def test_a_band_that_is_no_interval_is_refused() -> None:
    for text in ("none", "1+ , <0.3", "5", "<1 - 2"):
        with pytest.raises(StudyError, match="not a band"):
            parse_band(text, 1)
    assert parse_band("", 4) is None


def test_the_meaning_of_a_grade_is_its_published_criteria():
    assert read_scheme("who-1979-lab-grades")["Hemoglobin"].meanings() == {
        "0": "None of the criteria of a grade",
        "1": "9.5-10.9 (g/dL)",
        "2": "8.0-9.4 (g/dL)",
        "3": "6.5-7.9 (g/dL)",
        "4": "<6.5 (g/dL)",
    }
    assert read_scheme("lymphocyte-schemes")["ctc1"].texts == {}


def test_criteria_that_differ_by_circumstances_each_say_when():
    item = ToxicityItem(
        "Sugar",
        "",
        "H",
        (
            Criteria((), {1: ">ULN", 2: "hospital"}, fasting="Y"),
            Criteria((), {1: ">2 x ULN", 2: "hospital"}, fasting="N", sex="F"),
        ),
        "nobody",
    )
    assert item.meanings() == {"1": ">ULN (fasting); >2 x ULN (not fasting, sex F)", "2": "hospital"}
