"""Three ways to the rows of a condition give the same: its mask, its filter by pandas, and its filter read back."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.condition import EVERY_ROW, Condition, read_condition
from metadata.condition_filter import filter_parts, read_filter
from metadata.errors import UsageError
from metadata.frame_columns import FrameColumns

ORDER = {"below": operator.lt, "at_most": operator.le, "above": operator.gt, "at_least": operator.ge}
TEXTS, NUMBERS = ("SEX", "ATOXGR", "BTOXGR"), ("AGE", "ADT", "TRTEDT")
texts = st.one_of(st.sampled_from(["", "F", "M", "1", "2", "10"]), st.text("ab'\"\\ %#@`&|é\n(", max_size=4))
numbers = st.one_of(
    st.sampled_from([0.0, 1.0, -1.5, 0.1234567890123, 1234567.0, 22097.0]), st.floats(-1e6, 1e6, allow_nan=False)
)
rows = st.fixed_dictionaries(
    {**dict.fromkeys(TEXTS, texts), **dict.fromkeys(NUMBERS, st.one_of(st.just(math.nan), numbers))}
)


def one_test(variable: str) -> st.SearchStrategy[Any]:
    own, alike = (texts, TEXTS) if variable in TEXTS else (numbers, NUMBERS)
    values = st.one_of(own, st.lists(st.one_of(own, st.just("")), min_size=1, max_size=3))
    other = st.fixed_dictionaries(
        {"variable": st.sampled_from(alike)}, optional={} if variable in TEXTS else {"plus": numbers}
    )
    compared = st.one_of(own.filter(lambda value: value != ""), other)
    tests = {"is": values, "not": values, "missing": st.booleans(), **dict.fromkeys(ORDER, compared)}
    kinds = [st.fixed_dictionaries({name: operand}) for name, operand in tests.items()]
    return st.one_of(values, *kinds, st.fixed_dictionaries({"above": compared, "at_most": compared}))


group = st.fixed_dictionaries({}, optional={name: one_test(name) for name in (*TEXTS, *NUMBERS)}).filter(bool)
conditions = st.one_of(group, st.lists(group, min_size=1, max_size=3))


def frame_of(given_rows: list[dict[str, Any]]) -> pd.DataFrame:
    made = {name: pd.Series([row[name] for row in given_rows], dtype="str") for name in TEXTS}
    return pd.DataFrame(made | {name: np.array([row[name] for row in given_rows], float) for name in NUMBERS})


def expected(declared: Any, row: dict[str, Any]) -> bool:
    """The rule of the docs, row by row."""
    groups = declared if isinstance(declared, list) else [declared]
    return any(all(_passes(row, name, wanted) for name, wanted in one.items()) for one in groups)


def _passes(row: dict[str, Any], name: str, wanted: Any) -> bool:
    value = row[name]
    missing = value == "" or value != value
    if not isinstance(wanted, dict):
        wanted = {"is": wanted}
    for test, operand in wanted.items():
        if test == "missing":
            good = missing == operand
        elif test in ("is", "not"):
            listed = operand if isinstance(operand, list) else [operand]
            found = "" in listed if missing else value in listed
            good = found == (test == "is")
        else:
            other = row[operand["variable"]] if isinstance(operand, dict) else operand
            none = missing or other == "" or other != other
            if not none and isinstance(operand, dict) and "plus" in operand:
                other += operand["plus"]
            good = not none and ORDER[test](value, other)
        if not good:
            return False
    return True


def holds(condition: Condition, frame: pd.DataFrame) -> list[bool]:
    return condition.holds(FrameColumns(frame), len(frame)).tolist()


@settings(max_examples=150, deadline=None)
@given(conditions, st.lists(rows, min_size=1, max_size=6))
def test_mask_query_and_filter_read_back_agree(declared: Any, given_rows: list[dict[str, Any]]) -> None:
    frame, condition = frame_of(given_rows), read_condition(declared, {}, "where")
    right = [expected(declared, row) for row in given_rows]
    assert holds(condition, frame) == right
    text = " and ".join(filter_parts(condition, FrameColumns(frame).is_text))
    assert frame.index.isin(frame.query(text).index).tolist() == right
    assert holds(read_filter(text), frame) == right


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ({"SEX": "F"}, "SEX == 'F'"),
        ({"SEX": ["F", "M"], "AGE": {"above": 1}}, "SEX in ('F', 'M') and AGE > 1"),
        ({"AGE": {"above": 18, "at_most": 65.5}}, "AGE > 18 and AGE <= 65.5"),
        ({"AGE": {"missing": False}, "SEX": {"missing": True}}, "AGE == AGE and SEX == ''"),
        ({"AGE": {"not": [1, 2]}}, "AGE not in (1, 2)"),
        ({"AGE": {"is": [1, ""]}}, "(AGE == 1 or AGE != AGE)"),
        ({"AGE": {"not": [1, ""]}}, "AGE != 1 and AGE == AGE"),
        ({"ADT": {"at_most": {"variable": "TRTEDT", "plus": 30}}}, "ADT <= TRTEDT + 30"),
        ({"ADT": {"below": {"variable": "TRTEDT", "plus": -7}}}, "ADT < TRTEDT - 7"),
        ({"ATOXGR": {"above": {"variable": "BTOXGR"}}}, "ATOXGR != '' and BTOXGR != '' and ATOXGR > BTOXGR"),
        ({"ATOXGR": {"below": "3"}}, "ATOXGR < '3' and ATOXGR != ''"),
        ([{"SEX": "F"}, {"AGE": {"above": 1}, "SEX": "M"}], "(SEX == 'F' or (AGE > 1 and SEX == 'M'))"),
        ({"AGE": 1234567.25}, "AGE == 1234567.25"),
        ({"SEX": "it's"}, 'SEX == "it\'s"'),
    ],
)
def test_the_text_of_the_filter(declared: Any, text: str) -> None:
    assert " and ".join(filter_parts(read_condition(declared, {}, "where"), TEXTS.__contains__)) == text


def test_no_filter_is_every_row() -> None:
    assert filter_parts(EVERY_ROW, bool) == ()
    assert read_filter("  ") == EVERY_ROW


def test_a_filter_of_results_is_read() -> None:
    read = read_filter("PARAMCD == 'EDSS' and AVISITN in (0, 12) and (DTYPE == '' or DTYPE != 'LOCF')")
    assert str(read) == (
        "PARAMCD is EDSS and AVISITN is 0 or 12 and DTYPE is missing, or"
        " PARAMCD is EDSS and AVISITN is 0 or 12 and DTYPE is not LOCF"
    )
    assert read_filter("AVAL > -1.5").alternatives[0][0].operand == -1.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("AGE = 1", "the filter cannot be read; write it as in PARAMCD == 'EDSS' and AVISITN in (0, 12)"),
        ("__import__('os').system('true')", "cannot be read at __import__('os').system('true'): compare a variable"),
        ("AGE == __import__('os')", "a value is a text in quotes or a number"),
        ("AGE.real == 1", "compare a variable with a value"),
        ("not SEX == 'F'", "compare a variable with a value"),
        ("0 < AGE < 10", "compare a variable with a value"),
        ("SEX == M", "a value is a text in quotes or a number"),
        ("AGE in 1", "write == != < <= > >=, in or not in"),
        ("AGE in ()", "write == != < <= > >=, in or not in"),
        ("AGE is 1", "write == != < <= > >=, in or not in"),
        ("AGE == True", "a value is a text in quotes or a number"),
        ("AGE == b'x'", "a value is a text in quotes or a number"),
        ("AGE > 1e999", "a value is a text in quotes or a number"),
        ("SEX > ''", "nothing is compared with an empty text but by == and !="),
        ("SEX > BSEX + 'x'", "a value is a text in quotes or a number"),
        ("AGE > TRTEDT * 2", "a value is a text in quotes or a number"),
        ("(" * 5000, "the filter cannot be read"),
        (" and ".join(["(A == 1 or B == 1)"] * 11), "the filter combines more than 1000 alternatives"),
    ],
)
def test_what_is_no_filter_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        read_filter(text)
    assert message in str(error.value)


def test_a_filter_of_one_alternative_a_subject_is_read() -> None:
    """As ``within_days`` writes it: the days of each subject."""
    count = 3000
    alternatives = " or ".join(f"(USUBJID == 'S-{at}' and ADT in ({at}, {at + 1}))" for at in range(count))
    condition = read_filter(f"SAFFL == 'Y' and ({alternatives})")
    subjects = [f"S-{at}" for at in range(count)]
    frame = pd.DataFrame(
        {"USUBJID": pd.Series(subjects, dtype="str"), "ADT": np.arange(count) + 2.0 * (np.arange(count) % 2)}
    ).assign(SAFFL=pd.Series("Y", range(count), dtype="str"))
    assert condition.holds(FrameColumns(frame), count).tolist() == [True, False] * (count // 2)
