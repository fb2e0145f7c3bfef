"""What `check` says of an analysis dataset's variables before any data; each slip is one that once came up in `run`."""

from __future__ import annotations

from pathlib import Path

import pytest

from adam.build.declaration_check import check_analyses
from metadata.study import Study
from tests.adam.trial import study_in

KNOWN = {
    "LB": dict.fromkeys(("STUDYID", "USUBJID", "LBTESTCD", "LBDTC", "LBSTRESC"), "Char") | {"LBSTRESN": "Num"},
    "ADSL": {"USUBJID": "Char", "TRTSDT": "date", "SEX": "Char"},
}
FILE = """
    dataset: ADLB
    label: Laboratory
    guide: BDS
    structure: One record per result
    source: {dataset: LB}
    keys: [USUBJID, PARAMCD, ADT]
    derivations:
      - merge: {dataset: ADSL, variables: {TRTSDT: TRTSDT}}
      - parameters: {source: LBTESTCD, paramcd: {HGB: {test: HGB, param: Hemoglobin, paramn: 1}}}
      - copy: {variables: {AVAL: LBSTRESN}}
      - date: {source: LBDTC, to: ADT}
      - study_day: {date: ADT, reference: TRTSDT, to: ADY}
    variables: {STUDYID: , USUBJID: , PARAMCD: , PARAM: , AVAL: , ADT: , ADY: }
"""


def problems(folder: Path, old: str = "", new: str = "") -> list[str]:
    """Return what check says of the file with one part written otherwise."""
    assert old in FILE
    study = study_in(folder, adlb=FILE.replace(old, new, 1) if old else FILE)
    found = check_analyses(Study(study.folder), KNOWN)
    return [str(one).split("adlb.yaml, ")[1] for one in found if "no dataset ADSL" not in str(one)]


def test_a_sound_file(tmp_path: Path) -> None:
    assert problems(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{TRTSDT: TRTSDT}", "{TRTSDT: TRTSTD}",
         "line 9, key 'merge': ADSL has no variable TRTSTD (did you mean 'TRTSDT'?)"),
        ("dataset: ADSL, ", "dataset: ADSL, by: [USUBJID, VISIT], ", "line 9, key 'merge': ADSL has no variable VISIT"),
        ("LBSTRESN}", "LBSTRES}", "line 11, key 'copy': ADLB has no variable LBSTRES (did you mean 'LBSTRESN'?)"),
        ("date: ADT, ", "date: ADY, ", "line 13, key 'study_day': these derivations wait for one another in a circle"),
        ("date: ADT, ", "date: LBDTC, ", "line 13, key 'study_day': LBDTC is text; date takes a date or a datetime"),
        ("AVAL: LBSTRESN", "ADT: LBSTRESN", "line 12, key 'date': ADT is made twice"),
        (", ADY: }", ", ADYY: }", "key 'ADYY': no derivation makes ADYY (did you mean 'ADY'?)"),
        ("copy: {variables: {AVAL: LBSTRESN}}", "copy: {variables: {AVAL: LBSTRESC}}",
         "line 11, key 'copy': AVAL should be Num, and the derivation makes text"),
        ("      - date: ", "      - extreme_records: {by: [USUBJID], mode: minimum, where: {PARAMCD: A},"
         " order: [USUBJID], set: {PARAMN: x}}\n      - date: ", "PARAMN is a number, and the added records"),
        ("PARAM: , AVAL", "AVAL", "key 'variables': ADLB lacks PARAM, which BDS requires"),
        ("HGB: {test", "HEMOGLOBI: {test", "must be a code of at most eight capitals"),
    ],
)  # fmt: skip
def test_a_slip_is_named_without_data(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = problems(tmp_path, old, new)
    assert any(said in one for one in found), found


def test_nothing_is_said_of_datasets_that_are_not_known(tmp_path: Path) -> None:
    study = study_in(tmp_path, adlb=FILE.replace("LBSTRESN", "LBOTHER"))
    assert [one for one in map(str, check_analyses(Study(study.folder), {})) if "LBOTHER" in one] == []
