"""Conversion to standard units."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import StudyError
from metadata.units import TestUnits, read_units, significant, text_of
from metadata.yaml_source import load

COUNTS = TestUnits("10^9/L", {"10^6/L": 0.001})


def converted(units: TestUnits, values: list[float], unit: str) -> list[float]:
    factor = units.factor(unit)
    assert factor is not None
    return significant(np.array(values) * factor).tolist()


def test_a_count_per_cubic_millimetre_becomes_giga_per_litre_without_binary_noise() -> None:
    assert converted(COUNTS, [5410.0, 970.0], "10^6/L") == [5.41, 0.97]


def test_the_standard_unit_needs_no_factor() -> None:
    assert converted(COUNTS, [5.5], "10^9/L") == [5.5]


def test_a_unit_that_the_study_does_not_declare_has_no_factor() -> None:
    assert COUNTS.factor("g/L") is None


def test_text_is_the_shortest_decimal() -> None:
    values = np.array([4.0, 0.97, 1e-7, 1234567.0, np.nan, -0.0, 0.1 + 0.2])
    assert text_of(values).array().tolist() == ["4", "0.97", "0.0000001", "1234567", "", "0", "0.3"]


@given(st.floats(1e-6, 1e6), st.sampled_from([0.001, 10.0, 17.1, 88.4, 0.1665, 60.0]))
def test_converting_there_and_back_keeps_eleven_digits(value: float, factor: float) -> None:
    there = converted(TestUnits("S", {"O": factor}), [value], "O")
    back = converted(TestUnits("O", {"S": 1 / factor}), there, "S")
    assert back[0] == pytest.approx(value, rel=1e-11)


@given(st.decimals(min_value=-9999, max_value=9999, places=3, allow_nan=False))
def test_rounding_to_significant_digits_keeps_what_was_measured(value: object) -> None:
    assert significant(np.array([float(str(value))]))[0] == float(str(value))


def test_a_factor_that_is_no_number_names_its_place(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "u.yaml"
    file.write_text("HGB:\n  standard_unit: g/L\n  unit_factors:\n    g/dL: ten\n")
    with pytest.raises(StudyError, match=r"line 4, key 'g/dL'.*number above 0"):
        read_units(load(file))
