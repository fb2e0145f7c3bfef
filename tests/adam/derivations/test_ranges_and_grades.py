import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.derivations.grades import Grade, ToxicityScheme
from adam.derivations.ranges import RangeIndicator
from metadata.errors import StudyError
from tests.adam.trial import columns, context, numbers, texts

WHO = ToxicityScheme(
    "who-1979-lab-grades",
    "WHO 1979",
    {"HGB": "Hemoglobin", "ALT": "Transaminases (AST/SGOT, ALT/SGPT)", "WBC": "Leukocytes"},
    {"HGB": 10.0},
)
CTC = ToxicityScheme("lymphocyte-schemes", "NCI CTC v1", {"LYM": "ctc1"})


def graded(tmp_path, parameters, values, high=None, low=None, schemes=(WHO, CTC)):
    count = len(values)
    made = columns(PARAMCD=parameters, AVAL=values, ANRHI=high or [None] * count, ANRLO=low or [None] * count)
    return Grade(schemes=schemes).derive(made, count, context(tmp_path)).columns


def test_limits_of_the_who_scale_in_si_units(tmp_path):
    hemoglobin = [110.0, 109.9, 95, 94.9, 80, 79.9, 65, 64.9]
    result = graded(tmp_path, ["HGB"] * 8, hemoglobin)
    assert texts(result["ATOXGR"]) == ["0", "1", "1", "2", "2", "3", "3", "4"]
    assert set(texts(result["ATOXSCH"])) == {"WHO 1979"}


def test_the_gap_of_the_printed_bands_is_graded(tmp_path):
    assert texts(graded(tmp_path, ["WBC"] * 2, [3.95, 4.0])["ATOXGR"]) == ["1", "0"]


def test_multiples_of_the_upper_limit(tmp_path):
    values = [50.0, 50.01, 100, 100.01, 200, 200.01, 400, 400.01, 50]
    result = graded(tmp_path, ["ALT"] * 9, values, [40.0] * 8 + [None])
    assert texts(result["ATOXGR"]) == ["0", "1", "1", "2", "2", "3", "3", "4", ""]
    assert texts(result["ATOXSCH"])[8] == ""


def test_lymphocytes_by_their_own_scheme(tmp_path):
    result = graded(tmp_path, ["LYM"] * 8, [2.0, 1.99, 1.5, 1.49, 1.0, 0.99, 0.5, 0.49])
    assert texts(result["ATOXGR"]) == ["0", "1", "1", "2", "2", "3", "3", "4"]
    assert set(texts(result["ATOXSCH"])) == {"NCI CTC v1"}
    label = graded(
        tmp_path,
        ["LYM"] * 3,
        [1.5, 1.49, None],
        schemes=(ToxicityScheme("lymphocyte-schemes", "LABEL", {"LYM": "label"}),),
    )
    assert numbers(label["ATOXGRN"]) == [0, 1, None]


def test_other_parameters_are_not_graded_and_none_twice(tmp_path):
    assert texts(graded(tmp_path, ["MCV"], [90.0])["ATOXGR"]) == [""]
    with pytest.raises(StudyError, match="LYM is graded by more than one scheme"):
        Grade(schemes=(CTC, CTC)).check()
    with pytest.raises(StudyError, match="has no item 'ctc9'"):
        graded(tmp_path, ["LYM"], [1.0], schemes=(ToxicityScheme("lymphocyte-schemes", "X", {"LYM": "ctc9"}),))


def test_a_grade_given_with_the_result_is_taken(tmp_path):
    scheme = ToxicityScheme("who-1979-lab-grades", "WHO 1979", {}, already_graded={"UPROT": "LBTOXGR"})
    made = columns(
        PARAMCD=["UPROT", "UPROT", "ALT"], AVAL=[None] * 3, ANRLO=[None] * 3, ANRHI=[None] * 3, LBTOXGR=["2", "", "1"]
    )
    word = Grade(schemes=(scheme,))
    assert "LBTOXGR" in word.reads
    assert texts(word.derive(made, 3, context(tmp_path)).columns["ATOXGR"]) == ["2", "", ""]


@given(st.floats(0.01, 50, allow_nan=False), st.floats(0.01, 50, allow_nan=False))
def test_a_lower_count_never_has_a_lower_grade(tmp_path_factory, one, other):
    low, high = sorted((one, other))
    grades = graded(tmp_path_factory.mktemp("study"), ["LYM", "LYM"], [low, high])["ATOXGRN"]
    assert not np.isnan(grades).any()
    assert grades[0] >= grades[1]


def test_range_indicator_at_its_limits(tmp_path):
    made = columns(
        AVAL=[3.9, 4.0, 10.0, 10.1, 5.0, None, 2.0, 12.0],
        ANRLO=[4.0, 4, 4, 4, None, 4, None, 4],
        ANRHI=[10.0, 10, 10, 10, None, 10, 10, None],
    )
    result = RangeIndicator().derive(made, 8, context(tmp_path)).columns["ANRIND"]
    assert texts(result) == ["LOW", "NORMAL", "NORMAL", "HIGH", "", "", "NORMAL", "NORMAL"]
