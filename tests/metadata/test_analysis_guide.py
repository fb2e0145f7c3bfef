"""Variables of the ADaM guides by the names that datasets give them."""

import pytest

from metadata.analysis_guide import guide

ADSL, BDS = guide("adamig-1-3", "ADSL", "DM"), guide("adamig-1-3", "BDS", "LB")
OCCDS = guide("adam-occds-1-1", "OCCDS", "CE")


@pytest.mark.parametrize(
    ("found", "label"),
    [
        (ADSL.find("TRT02P"), "Planned Treatment for Period 02"),
        (ADSL.find("AGEGR1N"), "Pooled Age Group 1 (N)"),
        (ADSL.find("PH3SDT"), "Phase 3 Start Date"),
        (BDS.find("ANL01FL"), "Analysis Flag 01"),
        (BDS.find("AVAL"), "Analysis Value"),
        (OCCDS.find("CETERM"), "Reported Term"),
    ],
)
def test_tokens_and_prefixes_stand_for_what_a_dataset_has(found, label):
    assert found is not None and found.label == label


def test_what_the_guide_does_not_have_is_not_found():
    assert BDS.find("MYOWN") is None and BDS.find("ANL1FL") is None
    assert BDS.label_of("MYOWN") is None and OCCDS.find("AETERM") is None


def test_a_label_that_is_only_a_pattern_is_not_a_label_but_says_how_it_begins():
    assert OCCDS.find("AOCC01FL") is None
    assert OCCDS.label_of("AOCC01FL") == ("1st Occurrence of", True)


@pytest.mark.parametrize(
    ("said", "label"),
    [
        (BDS.label_of("SHIFT2"), ("Shift 2", True)),
        (BDS.label_of("ANL02FL"), ("Analysis Flag 02", True)),
        (ADSL.label_of("TRT01A"), ("Actual Treatment for Period 01", False)),
        (BDS.label_of("CHG"), ("Change from Baseline", False)),
    ],
)
def test_text_may_follow_the_label_where_the_name_has_an_index(said, label):
    assert said == label


def test_required_variables_that_are_missing_are_named():
    names = ["STUDYID", "USUBJID", "PARAMCD", "AVAL"]
    assert BDS.missing(names) == ["PARAM"]
    assert "TRTxxP" in ADSL.missing(names) and "TRTxxP" not in ADSL.missing([*names, "TRT01P"])
