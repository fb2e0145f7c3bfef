from pathlib import Path

import pandas as pd
import pytest

from metadata.errors import StudyError, UsageError
from metadata.standards import adam_variables, sdtm_dataset, sdtm_variables
from metadata.study import Study
from metadata.terminology import Terminology

STUDY = """
study: {id: S1}
standards: {sdtmig: '3.3', sdtm_ct: 2019-09-27}
redcap: {}
cutoff: 2001-12-31
visits: []
"""


def study(folder: Path, terms: str = "") -> Study:
    (folder / "study.yaml").write_text(STUDY)
    (folder / "terminology.yaml").write_text(terms)
    return Study.open(folder)


def test_codelists_are_found_by_code_and_by_name(tmp_path: Path) -> None:
    terms = Terminology.open(study(tmp_path))
    assert terms.codelist("C66742") is terms.codelist("NY")
    assert set(terms.codelist("NY").terms) == {"Y", "N", "U", "NA"}
    assert not terms.codelist("NY").extensible


def test_values_are_checked_and_the_nearest_term_is_named(tmp_path: Path) -> None:
    terms = Terminology.open(study(tmp_path))
    assert terms.check("AESEV", pd.Series(["MILD", "", "Mild"])).tolist() == [True, True, False]
    assert terms.codelist("AESEV").nearest("Mild") == " (did you mean 'MILD'?)"


def test_an_extensible_codelist_may_be_extended(tmp_path: Path) -> None:
    terms = Terminology.open(study(tmp_path, "extensions:\n  LBTESTCD: {NEWTEST: A new test}\n"))
    assert terms.codelist("LBTESTCD").terms["NEWTEST"].extended
    assert terms.check("C65047", pd.Series(["NEWTEST", "ALT"])).all()


def test_a_closed_codelist_may_not_be_extended(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"line 2, key 'NY': codelist NY \(C66742\) may not be extended"):
        Terminology.open(study(tmp_path, "extensions:\n  NY: {MAYBE: Maybe}\n"))


def test_test_names_follow_from_test_codes(tmp_path: Path) -> None:
    decode = Terminology.open(study(tmp_path)).decode("LBTESTCD", "LBTEST")
    assert decode["ALT"] == "Alanine Aminotransferase" and decode["LYM"] == "Lymphocytes"


def test_guide_tables() -> None:
    names = [variable.name for variable in sdtm_variables("3.3", "MO")]
    assert names[:4] == ["STUDYID", "DOMAIN", "USUBJID", "MOSEQ"] and len(names) == 44
    assert sdtm_dataset("3.3", "MO").label == "Morphology"
    assert any(variable.name == "AVAL" for variable in adam_variables("adamig-1-3", "BDS"))


def test_an_unknown_domain_gets_the_nearest_name() -> None:
    with pytest.raises(StudyError, match=r"SDTMIG 3.3 has no domain LBB"):
        sdtm_variables("3.3", "LBB")


def test_a_study_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no study 'spms_az' .did you mean 'spms_aza'"):
        Study.open("spms_az")
    with pytest.raises(UsageError, match=r"it has no study.yaml"):
        Study.open(tmp_path)


def test_a_cutoff_that_is_not_a_date(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY.replace("2001-12-31", "31.12.2001"))
    with pytest.raises(
        StudyError,
        match=r"study.yaml, line 5, key 'cutoff': must be a day of the calendar, written YYYY-MM-DD, not '31.12.2001'",
    ):
        Study.open(tmp_path)
