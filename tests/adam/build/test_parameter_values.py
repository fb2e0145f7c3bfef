"""How the values of each parameter came about, in a small declaration of all kinds of parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from adam.build.parameter_values import may_hold
from metadata.condition import read_condition
from metadata.dataset import Dataset
from tests.adam.trial import dataset, derived

VITAL_SIGNS = """
dataset: ADVS
label: Vital Signs
guide: BDS
structure: One record per subject per parameter
source: {dataset: VS}
keys: [USUBJID, PARAMCD, ASEQ]
derivations:
  - copy: {variables: {AVAL: VSSTRESN, SEQUENCE: VSSEQ}}
  - parameters:
      source: VSTESTCD
      paramcd:
        WEIGHT: {test: WEIGHT, param: Weight (kg), paramn: 1}
        HEIGHT: {test: HEIGHT, param: Height (cm), paramn: 2}
  - recode: {source: VSSTRESC, to: WORDS, values: {}, otherwise: SOME, when: {PARAMCD: HEIGHT}}
  - recode: {source: VSSTRESC, to: NONE, values: {}, otherwise: ANY, when: {PARAMCD: WEIGHT}}
  - coalesce: {source: [WORDS, NONE], to: AVALC}
  - transformed_records: {paramcd: LWEIGHT, param: Weight (log2), paramn: 3, from_paramcd: WEIGHT, function: log2}
  - copy: {variables: {ASEQ: SEQUENCE, SRCSEQ: SEQUENCE}}
variables:
  STUDYID:
  USUBJID:
  PARAM:
  PARAMCD:
  AVAL:
  AVALC:
  ASEQ:
  SRCSEQ: {label: Source Sequence}
"""


@pytest.fixture
def made(tmp_path: Path) -> Dataset:
    signs = dataset(
        "VS", USUBJID=["1", "1"], VSSEQ=[1.0, 2.0], VSTESTCD=["WEIGHT", "HEIGHT"], VSSTRESN=[64.0, 170.0],
        VSSTRESC=["64", "170"], VSSTRESU=["kg", "cm"], STUDYID=["S", "S"],
    )  # fmt: skip
    return derived(tmp_path, VITAL_SIGNS, signs)


def said(made: Dataset, variable: str) -> dict[str, tuple[str, str, str]]:
    return {
        value.where[0][1]: (value.label, value.origin, value.method)
        for value in made.metadata.values
        if value.variable == variable
    }


def test_each_parameter_has_its_own_origin(made: Dataset) -> None:
    assert said(made, "AVAL") == {
        "HEIGHT": ("Height (cm)", "Predecessor", "VS.VSSTRESN"),
        "LWEIGHT": ("Weight (log2)", "Derived", "LWEIGHT: log2 of AVAL of WEIGHT, where that is above 0."),
        "WEIGHT": ("Weight (kg)", "Predecessor", "VS.VSSTRESN"),
    }


def test_what_is_made_on_the_way_for_other_parameters_is_not_spoken_of(made: Dataset) -> None:
    words = said(made, "AVALC")
    assert "WORDS: " in words["HEIGHT"][2] and "NONE: " not in words["HEIGHT"][2]
    assert "NONE: " in words["WEIGHT"][2] and "WORDS: " not in words["WEIGHT"][2]


def test_a_copy_of_what_is_copied_on_the_way_is_a_copy_of_the_source(made: Dataset) -> None:
    found = made.metadata.variable("SRCSEQ")
    assert (found.origin, found.method) == ("Predecessor", "VS.VSSEQ")


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"PARAMCD": "A"}, True),
        ({"PARAMCD": "B"}, False),
        ({"PARAMCD": ["B", "A"], "AVAL": {"above": 1}}, True),
        ({"PARAMCD": {"not": "A"}}, False),
        ({"PARAMCD": {"not": ["B", "C"]}}, True),
        ({"PARAMCD": {"missing": False}}, True),
        ([{"PARAMCD": "B"}, {"AVAL": 1}], True),
        ([{"PARAMCD": "B"}, {"PARAMCD": "C"}], False),
        ({"AVAL": 1}, True),
    ],
)
def test_a_condition_that_names_other_parameters_does_not_speak_of_this_one(condition: object, holds: bool) -> None:
    assert may_hold(read_condition(condition, {"when": condition}, "when"), "A") is holds


def test_the_grades_of_a_parameter_mean_the_criteria_of_their_table(tmp_path: Path) -> None:
    """Each parameter is spoken of, so that the value level describes each grade; those of no table have no meanings."""
    declared = """
    dataset: ADLB
    label: Laboratory
    guide: BDS
    structure: One record per test
    source: {dataset: LB}
    keys: [USUBJID, PARAMCD]
    derivations:
      - copy: {variables: {PARAMCD: LBTESTCD, PARAM: LBTEST, AVAL: LBSTRESN, ANRLO: LBSTNRLO,
                         ANRHI: LBSTNRHI, U: LBSTRESU}}
      - grade:
          schemes: [{table: who-1979-lab-grades, name: WHO, items: {HGB: Hemoglobin}}]
          value_unit: U
    variables: {STUDYID: , USUBJID: , PARAMCD: , PARAM: {label: Parameter}, AVAL: , ATOXGR: }
    """
    given = dataset("LB", ("USUBJID", "LBTESTCD"), STUDYID=["S", "S"], USUBJID=["1", "1"], LBTESTCD=["HGB", "WBC"],
                    LBTEST=["Hb", "Leuk"], LBSTRESN=[7.0, 8], LBSTNRLO=[12.0, 4], LBSTNRHI=[16.0, 10],
                    LBSTRESU=["g/dL", "10^9/L"])  # fmt: skip
    values = [one for one in derived(tmp_path, declared, given).metadata.values if one.variable == "ATOXGR"]
    assert [(one.where, dict(one.terms).get("3")) for one in values] == [
        ((("PARAMCD", "HGB"),), "6.5-7.9 (g/dL)"),
        ((("PARAMCD", "WBC"),), None),
    ]
