"""Records by published formulas: values from calculators and worked by hand, units, and what has no record."""

import math
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adam.build.declaration_check import check_analyses
from adam.derivations.computed_records import ComputedRecords
from adam.derivations.formula_records import FormulaRecords
from adam.language.clinical_formulas import FORMULAS, UNITS
from metadata.errors import StudyError
from tests.adam.trial import columns, context, numbers, study_in, texts

SUBJECT = {"AGE": ("age", "AGE"), "FEMALE": ("sex", "SEX"), "BLACK": ("race", "RACE")}


def word(formula, units=None, **more):
    known = FORMULAS[formula]
    asked = dict(SUBJECT[one] for one in known.subject)
    parameters = {symbol: symbol for symbol in known.units}
    return FormulaRecords(
        formula=formula, parameters=parameters, units=dict(known.units) | (units or {}), by=("USUBJID", "AVISIT"),
        paramcd="NEW", **asked, **more,
    )  # fmt: skip


def value(tmp_path, formula, units=None, age=50.0, sex="M", race="WHITE", **measured):
    rows = len(measured)
    given_columns = columns(
        USUBJID=["A"] * rows, AVISIT=["V"] * rows, PARAMCD=list(measured), AVAL=list(measured.values()),
        AGE=[age] * rows, SEX=[sex] * rows, RACE=[race] * rows,
    )  # fmt: skip
    made = word(formula, units)
    made.check()
    return numbers(made.add(given_columns, rows, context(tmp_path)).changed["AVAL"])


# Body surface, BMI and MAP: the values of admiral's tests (BMI by the calculator of the CDC). QTc, RR, Cockcroft-Gault,
# Schwartz and ALBI have round inputs; CKD-EPI 2021 and MDRD were worked by hand.
VALUES = [
    ("bmi", {"HEIGHT": 180, "WEIGHT": 75}, 23.148, 3),
    ("bsa_mosteller", {"HEIGHT": 170, "WEIGHT": 75}, 1.882, 3),
    ("bsa_dubois", {"HEIGHT": 185, "WEIGHT": 90}, 2.141, 3),
    ("bsa_haycock", {"HEIGHT": 170, "WEIGHT": 75}, 1.895, 3),
    ("bsa_gehan_george", {"HEIGHT": 170, "WEIGHT": 75}, 1.897, 3),
    ("bsa_boyd", {"HEIGHT": 185, "WEIGHT": 90}, 2.158, 3),
    ("bsa_fujimoto", {"HEIGHT": 170, "WEIGHT": 75}, 1.819, 3),
    ("bsa_takahira", {"HEIGHT": 170, "WEIGHT": 75}, 1.878, 3),
    ("map", {"SYSBP": 121, "DIABP": 51}, 74.333, 3),
    ("map_by_rate", {"SYSBP": 121, "DIABP": 51, "PULSE": 59}, 73.039, 3),
    ("qtc_bazett", {"QT": 400, "RR": 640}, 500, 6),
    ("qtc_fridericia", {"QT": 400, "RR": 512}, 500, 6),
    ("qtc_sagie", {"QT": 400, "RR": 800}, 430.8, 6),
    ("qtc_hodges", {"QT": 400, "HR": 80}, 435, 6),
    ("rr", {"HR": 75}, 800, 6),
    ("egfr_schwartz", {"CREAT": 1, "HEIGHT": 150}, 61.95, 6),
    ("crcl_cockcroft_gault", {"CREAT": 1, "WEIGHT": 72}, 90, 6),
    ("albi", {"BILI": 10, "ALB": 40}, -2.74, 6),
]


@pytest.mark.parametrize(("formula", "measured", "expected", "digits"), VALUES)
def test_values_of_the_formulas(tmp_path, formula, measured, expected, digits):
    (found,) = value(tmp_path, formula, **measured)
    assert round(found, digits) == expected


@pytest.mark.parametrize(
    ("formula", "creatinine", "age", "sex", "race", "expected"),
    [
        ("egfr_ckd_epi_2021", 0.7, 50, "F", "WHITE", 105.3),
        ("egfr_ckd_epi_2021", 1.8, 60, "M", "WHITE", 42.6),
        ("egfr_ckd_epi_2021", 0.45, 50, "M", "WHITE", 128.3),
        ("egfr_mdrd", 1.0, 40, "M", "WHITE", 82.8),
        ("egfr_mdrd", 1.0, 40, "F", "BLACK OR AFRICAN AMERICAN", 74.4),
    ],
)
def test_kidney_function_by_age_sex_and_race(tmp_path, formula, creatinine, age, sex, race, expected):
    (found,) = value(tmp_path, formula, age=float(age), sex=sex, race=race, CREAT=creatinine)
    assert round(found, 1) == expected
    (other,) = value(
        tmp_path, formula, {"CREAT": "umol/L"}, age=float(age), sex=sex, race=race, CREAT=creatinine * 88.4
    )
    assert math.isclose(found, other, rel_tol=1e-9)


@given(data=st.data(), formula=st.sampled_from(sorted(FORMULAS)))
def test_another_unit_of_the_same_measurements_gives_the_same(tmp_path_factory, data, formula):
    known = FORMULAS[formula].units
    measured = {symbol: data.draw(st.floats(20, 200)) for symbol in known}
    units = {symbol: data.draw(st.sampled_from(sorted(UNITS[unit]))) for symbol, unit in known.items()}
    said = {symbol: amount / UNITS[known[symbol]][units[symbol]] for symbol, amount in measured.items()}
    folder = tmp_path_factory.mktemp("trial")
    plain, other = value(folder, formula, **measured), value(folder, formula, units, **said)
    assert len(plain) == len(other) == 1 and math.isclose(plain[0], other[0], rel_tol=1e-8)


def test_the_height_is_measured_once_and_a_group_without_a_weight_has_no_record(tmp_path):
    made = word("bmi", once=("HEIGHT",))
    made.check()
    given_columns = columns(
        USUBJID=["A", "A", "A", "B", "C", "C"],
        AVISIT=["SCR", "SCR", "W2", "SCR", "SCR", "W2"],
        PARAMCD=["HEIGHT", "WEIGHT", "WEIGHT", "WEIGHT", "HEIGHT", "WEIGHT"],
        AVAL=[200.0, 100, 80, 70, 160, None],
    )
    added = made.add(given_columns, 6, context(tmp_path))
    assert numbers(added.changed["AVAL"]) == [25, 20]
    assert list(added.template) == [1, 2] and "AVISIT" not in added.changed
    assert sorted(zip(*added.contributors, strict=True)) == [(0, 0), (0, 1), (1, 0), (1, 2)]


def test_a_computed_parameter_takes_what_is_measured_once_too(tmp_path):
    made = ComputedRecords(powers={"HEIGHT": -2, "WEIGHT": 1}, once=("HEIGHT",), scale=10000, by=("USUBJID", "AVISIT"),
                           paramcd="BMI")  # fmt: skip
    made.check()
    given_columns = columns(
        USUBJID=["A", "A", "A", "B"], AVISIT=["SCR", "W1", "W2", "W1"],
        PARAMCD=["HEIGHT", "WEIGHT", "WEIGHT", "WEIGHT"], AVAL=[200.0, 100, 80, 70],
    )  # fmt: skip
    added = made.add(given_columns, 4, context(tmp_path))
    assert numbers(added.changed["AVAL"]) == [25, 20] and list(added.template) == [1, 2]
    assert "HEIGHT measured once a subject" in made.sentence("AVAL")


def test_who_has_no_age_or_another_sex_and_what_is_not_above_zero_has_no_record(tmp_path):
    assert value(tmp_path, "egfr_ckd_epi_2021", age=None, CREAT=1.0) == []
    assert value(tmp_path, "egfr_ckd_epi_2021", sex="U", CREAT=1.0) == []
    assert value(tmp_path, "qtc_bazett", QT=400, RR=0) == []
    assert value(tmp_path, "albi", BILI=0, ALB=40) == []


def test_a_measurement_twice_is_an_error(tmp_path):
    given_columns = columns(USUBJID=["A"] * 2, AVISIT=["V"] * 2, PARAMCD=["HR"] * 2, AVAL=[60.0, 61])
    with pytest.raises(StudyError, match="HR has more than one record within USUBJID and AVISIT"):
        word("rr").add(given_columns, 2, context(tmp_path))
    added = word("rr", blank=("AVISIT",)).add(
        columns(USUBJID=["A"], AVISIT=["V"], PARAMCD=["HR"], AVAL=[60.0]), 1, context(tmp_path)
    )
    assert texts(added.changed["AVISIT"]) == [""]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parameters": {"HEIGHT": "HEIGHT"}}, "parameters: bmi takes HEIGHT and WEIGHT, and WEIGHT is missing"),
        ({"units": {"HEIGHT": "cm", "WEIGTH": "kg"}}, "units: bmi has no WEIGTH (did you mean 'WEIGHT'?)"),
        ({"units": {"HEIGHT": "cm", "WEIGHT": "stone"}}, "WEIGHT may be in kg, g and LB, not in 'stone'"),
        ({"once": ("HIGHT",)}, "once: HIGHT is not used (did you mean 'HEIGHT'?)"),
        ({"once": ("HEIGHT", "WEIGHT")}, "once: nothing is left that is measured in each group"),
        ({"age": "AGE"}, "bmi does not look at 'age'"),
    ],
)
def test_what_does_not_fit_is_refused(change, said):
    whole = {"parameters": {"HEIGHT": "HEIGHT", "WEIGHT": "WEIGHT"}, "units": {"HEIGHT": "cm", "WEIGHT": "kg"}}
    made = FormulaRecords(formula="bmi", by=("USUBJID",), paramcd="BMI", **(whole | change))
    with pytest.raises(StudyError) as caught:
        made.check()
    assert said in str(caught.value)


def test_a_parameter_that_is_declared_in_another_unit_is_refused():
    with pytest.raises(StudyError, match="HEIGHT is said to be in cm, and HEIGHT is in m"):
        word("bmi").check_units({"HEIGHT": "m", "WEIGHT": "kg"})
    word("bmi").check_units({"WEIGHT": "kg"})


VITALS = """
    dataset: ADVS
    label: Vital Signs
    guide: BDS
    structure: One record per result
    source: {dataset: VS}
    keys: [USUBJID, PARAMCD, VSSEQ]
    derivations:
      - parameters:
          source: VSTESTCD
          paramcd:
            HEIGHT: {test: HEIGHT, param: Height (cm), paramn: 1, unit: cm}
            WEIGHT: {test: WEIGHT, param: Weight (kg), paramn: 2, unit: kg}
      - copy: {variables: {AVAL: VSSTRESN}}
      - formula_records: {formula: bmi, parameters: {HEIGHT: %s, WEIGHT: WEIGHT}, units: {HEIGHT: %s, WEIGHT: kg},
                          once: [HEIGHT], by: [USUBJID], paramcd: BMI, param: Body Mass Index (kg/m2), paramn: 3}
    variables: {STUDYID: , USUBJID: , PARAMCD: , PARAM: , AVAL: , VSSEQ: }
"""


@pytest.mark.parametrize(
    ("parameter", "unit", "said"),
    [
        ("HEIGHT", "cm", ""),
        ("HEIGHT", "m", "units: HEIGHT is said to be in m, and HEIGHT is in cm"),
        ("HIGHT", "cm", "PARAMCD is never 'HIGHT' (did you mean 'HEIGHT'?)"),
    ],
)
def test_what_a_check_says_without_data(tmp_path, parameter, unit, said):
    study = study_in(tmp_path, advs=textwrap.dedent(VITALS % (parameter, unit)))
    kinds = {"VS": {"STUDYID": "Char", "USUBJID": "Char", "VSTESTCD": "Char", "VSSTRESN": "Num", "VSSEQ": "Num"}}
    found = [str(one) for one in check_analyses(study, kinds)]
    assert [said in one for one in found] == [True] * bool(said), found
