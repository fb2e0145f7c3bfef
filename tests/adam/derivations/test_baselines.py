import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.derivations.baselines import Baseline, Change, Shift
from metadata.errors import StudyError
from tests.adam.trial import columns, context, made_by, numbers, texts

WORD = Baseline(
    by=("USUBJID", "PARAMCD"),
    date="ADT",
    reference="TRTSDT",
    value=("AVAL",),
    variables={"BASE": "AVAL", "BNRIND": "ANRIND"},
    order=("VISITNUM",),
    visitnum="VISITNUM",
)


def baseline(tmp_path, **given):
    count = len(next(iter(given.values())))
    return WORD.derive(columns(**given), count, context(tmp_path))


def test_last_value_on_or_before_treatment(tmp_path):
    result = baseline(
        tmp_path,
        USUBJID=["A", "A", "A", "A", "B", "B"],
        PARAMCD=["P"] * 6,
        ADT=[100.0, 110, 110, 120, 110, 130],
        TRTSDT=[110.0] * 6,
        VISITNUM=[1.0, 2, 2.1, 3, 2, 3],
        AVAL=[5.0, 4, 9, 3, None, 7],
        ANRIND=["LOW", "HIGH", "HIGH", "LOW", "", "LOW"],
    )
    # Visit 2.1 on the day of the first dose is not planned before it; B has no value before treatment.
    assert texts(result.columns["ABLFL"]) == ["", "Y", "", "", "", ""]
    assert numbers(result.columns["BASE"]) == [4, 4, 4, 4, None, None]
    assert texts(result.columns["BNRIND"]) == ["HIGH"] * 4 + ["", ""]
    (edge,) = result.edges
    assert (edge.variable, edge.source, list(edge.row), list(edge.source_row)) == ("BASE", "", [0, 1, 2, 3], [1] * 4)


def test_an_earlier_value_stands_in_for_a_missing_one(tmp_path):
    result = baseline(
        tmp_path,
        USUBJID=["A"] * 3,
        PARAMCD=["P"] * 3,
        ADT=[100.0, 110, 120],
        TRTSDT=[110.0] * 3,
        VISITNUM=[1.0, 2, 3],
        AVAL=[5.0, None, 3],
        ANRIND=["LOW", "", "LOW"],
    )
    assert texts(result.columns["ABLFL"]) == ["Y", "", ""]
    assert numbers(result.columns["BASE"]) == [5, 5, 5]


def test_records_that_nothing_tells_apart_are_an_error(tmp_path):
    """Two different values of one time leave no baseline; two equal ones do."""
    word = Baseline(by=("USUBJID",), date="ADT", reference="TRTSDT", value=("AVAL",), variables={"BASE": "AVAL"})
    given = {"USUBJID": ["A"] * 3, "ADT": [110.0, 110, 100], "TRTSDT": [110.0] * 3}
    with pytest.raises(StudyError, match="several records are the last before TRTSDT within USUBJID and differ"):
        made_by(word, tmp_path, **given, AVAL=[31.0, 32, 33])
    assert texts(made_by(word, tmp_path, **given, AVAL=[31.0, 31, 33])["ABLFL"]) == ["Y", "", ""]
    assert texts(made_by(word, tmp_path, **given, AVAL=[None, 32, 33])["ABLFL"]) == ["", "Y", ""]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("AB"),
            st.sampled_from("PQ"),
            st.integers(90, 130),
            st.one_of(st.none(), st.integers(0, 9).map(float)),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_at_most_one_baseline_a_group_and_base_is_its_value(tmp_path_factory, rows):
    result = baseline(
        tmp_path_factory.mktemp("study"),
        USUBJID=[row[0] for row in rows],
        PARAMCD=[row[1] for row in rows],
        ADT=[float(row[2]) for row in rows],
        TRTSDT=[110.0] * len(rows),
        VISITNUM=[float(index) for index in range(len(rows))],
        AVAL=[row[3] for row in rows] if any(row[3] is not None for row in rows) else [1.0] * len(rows),
        ANRIND=["LOW"] * len(rows),
    )
    flags, base = texts(result.columns["ABLFL"]), numbers(result.columns["BASE"])
    values = [row[3] for row in rows] if any(row[3] is not None for row in rows) else [1.0] * len(rows)
    for group in {row[:2] for row in rows}:
        inside = [index for index, row in enumerate(rows) if row[:2] == group]
        flagged = [index for index in inside if flags[index] == "Y"]
        before = [index for index in inside if values[index] is not None and rows[index][2] < 110]
        assert len(flagged) <= 1
        assert not before or flagged
        expected = values[flagged[0]] if flagged else None
        assert all(base[index] == expected for index in inside)
        assert all(rows[index][2] <= 110 for index in flagged)


def test_change_is_free_of_binary_noise(tmp_path):
    word = Change(to_percent="PCHG")
    made = columns(AVAL=[1.32, 4.5, 2.0, None, 3.0], BASE=[1.5, 4.0, 0.0, 1.0, None])
    result = word.derive(made, 5, context(tmp_path)).columns
    assert numbers(result["CHG"]) == [-0.18, 0.5, 2, None, None]
    assert numbers(result["PCHG"]) == [-12, 12.5, None, None, None]


@given(st.lists(st.tuples(st.integers(-10000, 10000), st.integers(-10000, 10000)), min_size=1))
def test_value_is_base_plus_change(tmp_path_factory, pairs):
    value, base = (np.array([pair[i] for pair in pairs]) / 100 for i in (0, 1))
    made = columns(AVAL=list(value), BASE=list(base))
    change = Change().derive(made, len(pairs), context(tmp_path_factory.mktemp("study"))).columns["CHG"]
    assert list(np.round(change * 100)) == [pair[0] - pair[1] for pair in pairs]
    assert np.allclose(value, base + change, rtol=0, atol=1e-9)


def test_shift_needs_both(tmp_path):
    made = columns(B=["0", "1", "", "2"], A=["1", "", "2", "2"])
    result = Shift(start="B", end="A").derive(made, 4, context(tmp_path)).columns["SHIFT1"]
    assert texts(result) == ["0 to 1", "", "", "2 to 2"]


def test_shift_with_missing_values_and_numbers_as_admiral(tmp_path):
    """pharmaverse/admiral, tests/testthat/test-derive_var_shift.R, tests 2, 3 and 4."""
    given = {"BNRIND": ["LOW", "LOW", "LOW", "", "", "HIGH"], "ANRIND": ["LOW", "NORMAL", "", "", "HIGH", "HIGH"]}
    shift = Shift(start="BNRIND", end="ANRIND", if_missing="NULL")
    assert texts(made_by(shift, tmp_path, **given)["SHIFT1"]) == [
        *["LOW to LOW", "LOW to NORMAL", "LOW to NULL", "NULL to NULL", "NULL to HIGH", "HIGH to HIGH"]
    ]
    shift = Shift(start="BNRIND", end="ANRIND", if_missing="MISSING", separator=" - ")
    assert texts(made_by(shift, tmp_path, **given)["SHIFT1"])[2:4] == ["LOW - MISSING", "MISSING - MISSING"]
    made = made_by(
        Shift(start="BASE", end="AVAL", to="SHIFT2", if_missing="NULL"),
        tmp_path,
        BASE=[33.1, 33.1, 33.1, None, None, 147.5],
        AVAL=[33.1, 38.5, None, None, 49.0, 147.5],
    )
    assert texts(made["SHIFT2"]) == [
        *["33.1 to 33.1", "33.1 to 38.5", "33.1 to NULL", "NULL to NULL", "NULL to 49", "147.5 to 147.5"]
    ]
