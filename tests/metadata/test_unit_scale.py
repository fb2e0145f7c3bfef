"""Factors between units that differ by a power of ten. By hand, and by the invariants of a scale."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from metadata.errors import StudyError
from metadata.unit_scale import PREFIXES, factor_between, scale_of, wrong_factor
from metadata.units import read_units


@pytest.mark.parametrize(
    ("unit", "other", "factor"),
    [
        ("g/dL", "g/L", 10),
        ("10^3/uL", "10^9/L", 1),
        ("10^6/L", "10^9/L", 0.001),
        ("/uL", "10^6/L", 1),
        ("ukat/L", "U/L", 60),
        ("mmol/L", "umol/L", 1000),
        ("L/L", "%", 100),
        ("cm", "m", 0.01),
        ("ug/mg", "mg/g", 1),
        ("kg", "g", 1000),
        ("LB", "kg", 0.45359237),
        ("IN", "cm", 2.54),
        ("mg/dL", "mmol/L", None),  # the molar mass decides
        ("%", "mmol/mol", None),  # HbA1c: by another rule
        ("mg/g", "mg/mmol", None),
        ("C", "F", None),
        ("min", "m", None),
        ("", "g/L", None),
    ],
)
def test_factors(unit: str, other: str, factor: float | None) -> None:
    assert factor_between(unit, other) == factor


UNITS = st.builds(
    "{}{}/{}{}".format, st.sampled_from(list(PREFIXES)), st.sampled_from(["g", "mol"]), st.sampled_from(list(PREFIXES)),
    st.sampled_from(["L", "g"]),
)  # fmt: skip


@given(UNITS, UNITS)
def test_there_and_back_is_one(unit: str, other: str) -> None:
    there, back = factor_between(unit, other), factor_between(other, unit)
    assume(there is not None and back is not None)
    assert there is not None and back is not None
    assert there * back == pytest.approx(1)
    assert wrong_factor(unit, other, there) == ""
    assert "the factor is" in wrong_factor(unit, other, there * 10)


@given(UNITS)
def test_a_unit_is_itself(unit: str) -> None:
    assert scale_of(unit) is not None
    assert factor_between(unit, unit) == 1


def test_pounds_may_be_rounded() -> None:
    assert wrong_factor("LB", "kg", 0.4536) == wrong_factor("LB", "kg", 0.454) == ""
    assert wrong_factor("LB", "kg", 2.2046) == "1 LB is 0.45359237 kg, so that the factor is 0.45359237, not 2.2046"


def test_an_inverted_factor_of_a_test_is_refused() -> None:
    with pytest.raises(StudyError, match=r"1 g/dL is 10 g/L, so that the factor is 10, not 0\.1"):
        read_units({"HGB": {"standard_unit": "g/L", "unit_factors": {"g/dL": 0.1}}})
    assert read_units({"BILI": {"standard_unit": "umol/L", "unit_factors": {"mg/dL": 17.1}}})["BILI"].factor("mg/dL")
    shifted = {"standard_unit": "C", "unit_factors": {"F": {"add": -32, "factor": 0.5556}}}
    assert read_units({"TEMP": shifted})["TEMP"].factor("F") == 0.5556
