"""CTCAE grades against the expected values of admiral's own unit tests (pharmaverse/admiral, Apache 2.0).

All are of tests/testthat/test-derive_var_atoxgr.R; each test names its number there.
"""

import pytest

from adam.derivations.grades import CombinedGrade, Grade, ToxicityScheme
from metadata.errors import StudyError
from tests.adam.trial import made_by, numbers, texts

TERMS = {
    "ALT": "Alanine aminotransferase increased",
    "ALP": "Alkaline phosphatase increased",
    "HGB": "Anemia",
}
CTCAE = Grade(schemes=(ToxicityScheme("ctcae-v5-si", "CTCAE v5.0", TERMS),), base="BASE", base_indicator="BNRIND")


def grades(tmp_path, parameter, values, **limits):
    count = len(values)
    given = {"PARAMCD": [parameter] * count, "AVAL": values, "ANRLO": [None] * count, "ANRHI": [None] * count}
    given |= {"BASE": [None] * count, "BNRIND": [""] * count, **limits}
    return numbers(made_by(CTCAE, tmp_path, **given)["ATOXGRN"])


def test_anemia(tmp_path):
    """Test 6a, with and without a lower limit of normal."""
    values = [79.0, 80, 99, 100, 139, 140, None]
    assert grades(tmp_path, "HGB", values, ANRLO=[140.0] * 7) == [3, 2, 2, 1, 1, 0, None]
    assert grades(tmp_path, "HGB", [140.0, 139, 100, 99, 79]) == [None, None, None, 2, 3]


@pytest.mark.parametrize(
    ("parameter", "values", "expected"),
    [
        ("ALT", [801.0, 800, 201, 200, 121, 120, 41, 40, None], [4, 3, 3, 2, 2, 1, 1, 0, None]),
        ("ALP", [801.0, 800, 201, 200, 101, 100, 41, 40, None], [4, 3, 3, 2, 2, 1, 1, 0, None]),
    ],
)
def test_a_normal_baseline(tmp_path, parameter, values, expected):
    """Tests 11, 12a, 13 and 14a: multiples of the upper limit, 40."""
    count = len(values)
    limits = {"ANRHI": [40.0] * count, "BASE": [40.0] * count, "BNRIND": ["NORMAL"] * count}
    assert grades(tmp_path, parameter, values, **limits) == expected
    assert grades(tmp_path, parameter, [100.0], BASE=[40.0], BNRIND=["NORMAL"]) == [None]


@pytest.mark.parametrize(
    ("parameter", "values", "expected"),
    [
        ("ALT", [801.0, 800, 201, 200, 121, 120, 60, 59, None], [4, 3, 3, 2, 2, 1, 1, 0, None]),
        ("ALP", [801.0, 800, 201, 200, 101, 100, 80, 79, None], [4, 3, 3, 2, 2, 1, 1, 0, None]),
    ],
)
def test_an_abnormal_baseline(tmp_path, parameter, values, expected):
    """Tests 12a and 14a: multiples of the baseline, 40, where that was high."""
    count = len(values)
    limits = {"ANRHI": [39.0] * count, "BASE": [40.0] * count, "BNRIND": ["HIGH"] * count}
    assert grades(tmp_path, parameter, values, **limits) == expected
    assert grades(tmp_path, parameter, [100.0], ANRHI=[39.0], BNRIND=["HIGH"]) == [None]


def test_an_unknown_baseline_gives_no_grade(tmp_path):
    assert grades(tmp_path, "ALT", [801.0], ANRHI=[40.0]) == [None]
    with pytest.raises(StudyError, match="base and base_indicator are needed together"):
        Grade(schemes=CTCAE.schemes, base="BASE").check()


@pytest.mark.parametrize(
    ("parameter", "low", "high", "expected"),
    [
        ("OTHER", "", "", ""),  # test 1: cannot be graded
        ("PHOS", "", "", ""),
        ("INR", "", "", ""),
        ("GLUC", "", "", ""),
        ("GLUC", "", "0", ""),
        ("GLUC", "0", "", ""),
        ("GLUC", "0", "0", "0"),  # test 2: normal
        ("INR", "", "0", "0"),
        ("PHOS", "0", "", "0"),
        ("GLUC", "", "1", "1"),  # test 3: high
        ("GLUC", "0", "4", "4"),
        ("INR", "", "2", "2"),
        ("GLUC", "3", "", "-3"),  # test 4: low
        ("GLUC", "1", "0", "-1"),
        ("PHOS", "4", "", "-4"),
    ],
)
def test_both_directions(tmp_path, parameter, low, high, expected):
    """Tests 1 to 4 (derive_var_atoxgr): hypo- and hyperglycemia, only hypophosphatemia, only INR increased."""
    word = CombinedGrade(low="L", high="H", low_paramcd=("GLUC", "PHOS"), high_paramcd=("GLUC", "INR"))
    made = made_by(word, tmp_path, PARAMCD=[parameter], L=[low], H=[high])
    assert texts(made["ATOXGR"]) == [expected]
    assert numbers(made["ATOXGRN"]) == [float(expected) if expected else None]
