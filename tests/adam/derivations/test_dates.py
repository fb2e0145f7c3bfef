import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adam.derivations.dates import (
    Date,
    Duration,
    ExtremeDate,
    StudyDay,
)
from adam.language.imputation import partial_dates
from metadata.errors import StudyError
from tests.adam.trial import columns, context, day, numbers, texts


def made(tmp_path, word, **given):
    count = len(next(iter(given.values())))
    return word.derive(columns(**given), count, context(tmp_path)).columns


START = Date(source="S", to="ASTDT", to_flag="ASTDTF", impute="first", prefer="T", end="E", not_after=("DTH",))


def start(tmp_path, dtc, end="", treatment="2000-05-10", death=None):
    result = made(tmp_path, START, S=[dtc], E=[end], T=[day(treatment)], DTH=[day(death) if death else None])
    return numbers(result["ASTDT"])[0], texts(result["ASTDTF"])[0]


def test_complete_dates_are_never_changed_not_even_after_the_cut_off(tmp_path):
    assert start(tmp_path, "2000-03-04") == (day("2000-03-04"), "")
    assert start(tmp_path, "2002-03-04") == (day("2002-03-04"), "")
    assert start(tmp_path, "2000-03-04T10:30") == (day("2000-03-04"), "")


def test_partial_start_takes_the_start_of_treatment_where_it_may(tmp_path):
    assert start(tmp_path, "2000-05") == (day("2000-05-10"), "D")
    assert start(tmp_path, "2000") == (day("2000-05-10"), "M")
    assert start(tmp_path, "2000-06") == (day("2000-06-01"), "D")
    assert start(tmp_path, "1999") == (day("1999-01-01"), "M")


def test_not_if_the_event_ended_before_treatment(tmp_path):
    assert start(tmp_path, "2000-05", end="2000-05-09") == (day("2000-05-01"), "D")
    assert start(tmp_path, "2000", end="2000-04") == (day("2000-01-01"), "M")
    assert start(tmp_path, "2000-05", end="2000-05-10") == (day("2000-05-10"), "D")
    assert start(tmp_path, "2000-05", end="2000-05") == (day("2000-05-10"), "D")


def test_never_after_death_end_or_cut_off(tmp_path):
    assert start(tmp_path, "2000-05", treatment="2000-05-20", death="2000-05-15") == (day("2000-05-15"), "D")
    last = Date(source="S", to="D", to_flag="F", impute="last")
    assert numbers(made(tmp_path, last, S=["2001", "2001-02", "2000-02"])["D"]) == [
        day("2001-12-31"),
        day("2001-02-28"),
        day("2000-02-29"),
    ]
    assert numbers(made(tmp_path, last, S=["2001-12", "2002-01"])["D"]) == [day("2001-12-31"), None]


def test_where_the_known_part_allows_no_day_nothing_is_imputed(tmp_path):
    assert start(tmp_path, "2000-06", death="2000-05-15") == (None, "")
    assert start(tmp_path, "") == (None, "")
    assert start(tmp_path, "--05-10") == (None, "")


def test_a_day_known_after_an_unknown_month_leaves_the_year(tmp_path):
    assert start(tmp_path, "2001---15") == (day("2001-01-01"), "M")


def test_middle_and_highest(tmp_path):
    middle = Date(source="S", to="D", impute="middle")
    assert numbers(made(tmp_path, middle, S=["2000", "2000-02"])["D"]) == [day("2000-06-30"), day("2000-02-15")]
    only_days = Date(source="S", to="D", to_flag="F", impute="first", highest="day")
    result = made(tmp_path, only_days, S=["2000", "2000-02"])
    assert numbers(result["D"]) == [None, day("2000-02-01")]
    assert texts(result["F"]) == ["", "D"]
    assert numbers(made(tmp_path, Date(source="S", to="D"), S=["2000-02", "2000-02-03"])["D"]) == [
        None,
        day("2000-02-03"),
    ]


def test_not_before(tmp_path):
    end = Date(source="S", to="D", impute="first", not_before=("ST",))
    assert numbers(made(tmp_path, end, S=["2000-05", "2000-05"], ST=[day("2000-05-12"), day("2000-06-02")])["D"]) == [
        day("2000-05-12"),
        day("2000-05-01"),
    ]


def test_a_number_is_not_a_text(tmp_path):
    with pytest.raises(StudyError, match="S is a number"):
        made(tmp_path, Date(source="S", to="D"), S=[1.0])


def test_study_day_has_no_day_zero(tmp_path):
    word = StudyDay(date="D", reference="R", to="ADY")
    days = [day("2000-05-09"), day("2000-05-10"), day("2000-05-11"), None]
    assert numbers(made(tmp_path, word, D=days, R=[day("2000-05-10")] * 4)["ADY"]) == [-1, 1, 2, None]


def test_durations_count_both_ends(tmp_path):
    given_days = {"A": [0.0, 0.0], "B": [0.0, 364.25]}
    assert numbers(made(tmp_path, Duration(start="A", end="B", to="N"), **given_days)["N"]) == [1, 365.25]
    years = made(tmp_path, Duration(start="A", end="B", to="N", unit="years"), **given_days)["N"]
    assert numbers(years) == [1 / 365.25, 1]


def test_the_extreme_date_passes_over_missing(tmp_path):
    word = ExtremeDate(source=("A", "B"), to="L")
    assert numbers(made(tmp_path, word, A=[1.0, None, None], B=[None, 5.0, None])["L"]) == [1, 5, None]


years = st.integers(1998, 2002)
partial = st.one_of(
    years.map(str),
    st.tuples(years, st.integers(1, 12)).map(lambda p: f"{p[0]}-{p[1]:02d}"),
    st.dates(np.datetime64("1998-01-01").item(), np.datetime64("2002-12-31").item()).map(str),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(partial, partial, st.integers(-100, 1500), st.integers(0, 1500)), min_size=1, max_size=5),
    st.sampled_from(["first", "middle", "last"]),
)
def test_an_imputed_date_lies_in_what_is_known_and_before_its_limits(tmp_path_factory, rows, how):
    word = Date(source="S", to="D", to_flag="F", impute=how, prefer="T", end="E", not_before=("B",), not_after=("A",))
    origin = day("1998-01-01")
    given_columns = {
        "S": [row[0] for row in rows],
        "E": [row[1] for row in rows],
        "T": [origin + row[2] for row in rows],
        "B": [origin + row[2] - 50 for row in rows],
        "A": [origin + row[3] for row in rows],
    }
    folder = tmp_path_factory.mktemp("study")
    result = made(folder, word, **given_columns)
    texts_of = columns(**given_columns)
    first, last, precision, _ = partial_dates(texts_of["S"], "S")
    end = partial_dates(texts_of["E"], "E").last
    for index, value in enumerate(numbers(result["D"])):
        imputed = texts(result["F"])[index] != ""
        assert imputed == (precision[index] < 3 and value is not None)
        if value is None:
            continue
        assert first[index] <= value <= last[index]
        if imputed:
            assert value <= end[index]
            assert value <= day("2001-12-31")
            assert value <= given_columns["A"][index]
