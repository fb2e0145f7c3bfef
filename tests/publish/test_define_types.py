"""Data types found from values; every expected type was decided by eye."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.dataset import Variable
from metadata.frame_columns import FrameColumns
from publish.define_types import DefineType, kind_of_texts, kind_of_variable
from publish.define_types import texts_of as texts_of_rows

DATES = {
    ("2001-02-03", "1999-12-31"): DefineType("date"),
    ("2001-02-03", "1999-12"): DefineType("partialDate"),
    ("2001", "1999-12"): DefineType("partialDate"),
    ("2001-02-03T10:20", "1999-12-31T00:00:01"): DefineType("datetime"),
    ("2001-02-03", "1999-12-31T00:01"): DefineType("partialDatetime"),
    ("2001-02-03", "2001---15"): DefineType("incompleteDatetime"),
    ("10:20",): DefineType("time"),
    ("P2Y", "PT30M"): DefineType("durationDatetime"),
    ("2001-02-03/2001-02-05",): DefineType("intervalDatetime"),
    ("yesterday",): DefineType("text", 9),
    ("",): DefineType("date"),
}
NUMBERS = {
    (1.0, 120.0, math.nan): DefineType("integer", 3),
    (-5.0, 3.0): DefineType("integer", 2),
    (1.5, 120.25): DefineType("float", 6, 2),
    (0.001, 12.0): DefineType("float", 6, 3),
    (math.nan,): DefineType("integer", 1),
}
IN_SOME_RECORDS = {
    ("3.5", "10.0"): DefineType("float", 4, 1),
    ("12", "7"): DefineType("integer", 2),
    ("12", "<5"): DefineType("text", 2),
    ("007",): DefineType("text", 3),
    ("1999-12-31",): DefineType("date"),
    ("NEGATIVE", "1+", ""): DefineType("text", 8),
    ("",): DefineType("text", 1),
}


def texts_of(values: pd.Series) -> list[str]:
    return texts_of_rows(FrameColumns(values.to_frame("V")), "V", np.ones(len(values), bool))


@pytest.mark.parametrize(("values", "kind"), DATES.items())
def test_a_date_variable_has_the_narrowest_type_that_fits_all_its_values(
    values: tuple[str, ...], kind: DefineType
) -> None:
    assert kind_of_variable(Variable("AESTDTC", "Start", "Char", 20), texts_of(pd.Series(values, dtype="str"))) == kind


@pytest.mark.parametrize(("values", "kind"), NUMBERS.items())
def test_a_number_is_whole_unless_a_value_has_decimals(values: tuple[float, ...], kind: DefineType) -> None:
    assert kind_of_variable(Variable("LBSTRESN", "Result", "Num", 8), texts_of(pd.Series(values))) == kind


def test_a_text_variable_has_the_length_of_the_transport_file_whatever_its_values() -> None:
    values = pd.Series(["01", "02"], dtype="str")
    assert kind_of_variable(Variable("SITEID", "Site", "Char", 5), texts_of(values)) == DefineType("text", 5)


def test_a_reference_time_point_is_a_date_only_if_its_values_are() -> None:
    variable = Variable("AEENTPT", "End Reference Time Point", "Char", 12)
    assert kind_of_variable(variable, texts_of(pd.Series(["1999-12-31", ""], dtype="str"))) == DefineType("date")
    assert kind_of_variable(variable, texts_of(pd.Series(["FIRST DOSE"], dtype="str"))) == DefineType("text", 10)
    assert kind_of_variable(variable, texts_of(pd.Series([""], dtype="str"))) == DefineType("text", 12)


@pytest.mark.parametrize(("values", "kind"), IN_SOME_RECORDS.items())
def test_texts_of_some_records_may_be_numbers_or_dates(values: tuple[str, ...], kind: DefineType) -> None:
    variable = Variable("LBORRES", "Result", "Char", 20)
    assert kind_of_texts(variable, texts_of(pd.Series(values, dtype="str"))) == kind
    assert kind_of_texts(variable, texts_of(pd.Series(values, dtype="category"))) == kind


@given(st.lists(st.decimals(-9999, 9999, places=3), min_size=1))
def test_every_number_can_be_written_in_the_length_and_digits_that_are_declared(numbers: list) -> None:
    kind = kind_of_variable(
        Variable("LBSTRESN", "Result", "Num", 8), texts_of(pd.Series([float(number) for number in numbers]))
    )
    for number in numbers:
        assert len(f"{number:.{kind.digits}f}".replace("-0", "0", number == 0)) <= kind.length
        assert float(f"{number:.{kind.digits}f}") == float(number)


def test_decimals_have_a_display_format_and_whole_numbers_none() -> None:
    assert (DefineType("float", 6, 2).display_format, DefineType("integer", 3).display_format) == ("6.2", "")
