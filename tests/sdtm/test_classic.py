"""A classic project: forms stand for visits, two arms, text dates, and a person who was screened twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from metadata.coded_text import CodedText
from metadata.errors import StudyError
from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import Tabulation, tabulate
from sdtm.domains.identity import _last_records
from validation.datasets.reconciliation import reconcile

FILES = {
    "study.yaml": """
study: {id: CLASSIC}
standards: {sdtm: "1.7", sdtmig: "3.3", sdtm_ct: 2019-09-27}
redcap: {}
cutoff: 2019-12-31
identity: {subject: num, site: {north: "1"}, earlier: before, once: [MH]}
text_dates: [{fields: [began], order: dmy, unknown: [UN]}]
elements:
  - {etcd: SCRN, element: Screening, epoch: SCREENING, start: RFICDTC}
  - {etcd: A, element: Drug A, epoch: TREATMENT, start: RFXSTDTC, arm: A}
  - {etcd: B, element: Drug B, epoch: TREATMENT, start: RFXSTDTC, arm: B}
  - {etcd: FU, element: Follow-up, epoch: FOLLOW-UP, start: RFXENDTC, after: 1}
visits:
  - {visitnum: 1, visit: SCREENING, event: one, day: -7, forms: [pulse_one]}
  - {visitnum: 2, visit: WEEK 4, event: two, day: 29, forms: [pulse_two]}
""",
    "redcap/project_info.csv": "project_id,is_longitudinal,missing_data_codes\n1,0,\n",
    "redcap/repeating.csv": "event_name,form_name,custom_form_label\n,ills,\n",
    "redcap/dictionary.csv": """field_name,form_name,field_type,field_label,select_choices_or_calculations,\
text_validation_type_or_show_slider_number
rec,base,text,Record,,
num,base,text,Number,,
before,base,text,Number before,,
cons,base,text,Consent,,date_dmy
sex,base,radio,Sex,"1, M | 2, F",
years,base,text,Age,,integer
past,base,text,Past illness,,
seen_one,pulse_one,text,Date,,date_dmy
bpm_one,pulse_one,text,Pulse,,integer
arm,drug,radio,Arm,"1, A | 2, B",
given,drug,radio,Given,"1, A | 2, B",
first,drug,text,First dose,,date_dmy
last,drug,text,Last dose,,date_dmy
seen_two,pulse_two,text,Date,,date_dmy
bpm_two,pulse_two,text,Pulse,,integer
out,bye,text,End,,date_dmy
ill,ills,text,Illness,,
began,ills,text,Began,,
""",
    "sdtm/dm.yaml": """
domain: DM
records:
  each: subject
  variables:
    RFICDTC: {date: cons}
    RFPENDTC: {date: out}
    SEX: {field: sex}
    AGE: {field: years}
    ARMCD: {field: arm}
    ARM: {field: arm}
    ACTARMCD: {field: given}
    ACTARM: {field: given}
    COUNTRY: {constant: ESP}
    RFSTDTC: {earliest: EX.EXSTDTC}
    RFXSTDTC: {earliest: EX.EXSTDTC}
    RFXENDTC: {latest: EX.EXENDTC}
    ARMNRS: {assign: SCREEN FAILURE, when: {ARMCD: {missing: true}}}
  supplemental:
    PRVSUBJ: {field: before, label: Earlier Number}
""",
    "sdtm/ex.yaml": """
domain: EX
records:
  form: drug
  where: {given: {missing: false}}
  variables:
    EXTRT: {field: given}
    EXDOSE: {constant: 1}
    EXDOSU: {constant: mg}
    EXSTDTC: {date: first}
    EXENDTC: {date: last}
""",
    "sdtm/mh.yaml": "domain: MH\n"
    "records: {form: base, where: {past: {missing: false}}, variables: {MHTERM: {field: past}}}\n",
    "sdtm/vs.yaml": """
domain: VS
tests: {PULSE: {standard_unit: beats/min}}
records:
  for_each: [one, two]
  form: "pulse_{each}"
  variables: {VSDTC: {date: "seen_{each}"}}
  tests:
    PULSE: {result: "bpm_{each}", unit: {constant: beats/min}}
""",
    "sdtm/ae.yaml": """
domain: AE
records: {form: ills, variables: {AETERM: {field: ill}, AEDECOD: {field: ill}, AESTDTC: {date: began}}}
""",
    "sdtm/se.yaml": "domain: SE\nrecords: {each: element}\n",
    "sdtm/sv.yaml": "domain: SV\nrecords: {each: visit}\n",
    "sdtm/not_submitted.yaml": "status: none\nfields: {rec: key}\n",
}
COLUMNS = "rec,redcap_repeat_instrument,redcap_repeat_instance,redcap_data_access_group,num,before,cons,sex,years,past,"
COLUMNS += "seen_one,bpm_one,arm,given,first,last,seen_two,bpm_two,out,ill,began"
ROWS = """
X-1,,,north,101,,2019-01-02,1,40,Gout,2019-01-03,90,,,,,,,2019-01-03,,
X-1,ills,1,north,,,,,,,,,,,,,,,,Cough,UN-01-2019
X-2,,,north,102,,2019-02-01,2,50,,2019-02-01,70,2,1,2019-02-08,2019-03-08,2019-03-08,72,2019-03-20,,
X-3,,,north,103,101,2019-04-01,1,40,Gout,2019-04-02,80,2,2,2019-04-09,2019-05-07,2019-05-07,82,2019-05-07,,
X-3,ills,1,north,,,,,,,,,,,,,,,,Fever,31-04-2019
X-4,,,north,104,,2019-05-01,2,61,,2019-05-01,66,,,,,,,2019-05-01,,
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("studies") / "classic"
    for name, content in {**FILES, "redcap/records.csv": COLUMNS + ROWS}.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(content.lstrip("\n"), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def records(folder: Path) -> Records:
    return Records.read(Study.open(folder).project(), folder / "redcap" / "records.csv")


@pytest.fixture(scope="module")
def made(folder: Path, records: Records) -> Tabulation:
    study = Study.open(folder)
    return tabulate(read_mapping(study, records.project, Terminology.open(study)), records)


def rows(made: Tabulation, name: str, *columns: str) -> list[tuple[object, ...]]:
    frame = made.datasets[name].frame[list(columns)].astype("object")
    return list(frame.itertuples(index=False, name=None))


def of_subject(made: Tabulation, number: str, name: str, *columns: str) -> list[tuple[object, ...]]:
    return [row[1:] for row in rows(made, name, "USUBJID", *columns) if row[0] == f"CLASSIC-1-{number}"]


def test_a_form_is_its_visit(made: Tabulation) -> None:
    assert of_subject(made, "102", "VS", "VISITNUM", "VISIT", "VSDTC", "VSORRES") == [
        (1.0, "SCREENING", "2019-02-01", "70"),
        (2.0, "WEEK 4", "2019-03-08", "72"),
    ]


def test_a_person_screened_twice_is_one_subject(made: Tabulation) -> None:
    assert rows(made, "DM", "USUBJID", "SUBJID", "ARMNRS") == [
        ("CLASSIC-1-102", "102", ""),
        ("CLASSIC-1-103", "103", ""),
        ("CLASSIC-1-104", "104", "SCREEN FAILURE"),
    ]
    assert rows(made, "SUPPDM", "USUBJID", "QVAL") == [("CLASSIC-1-103", "101")]
    assert of_subject(made, "103", "SV", "VISITNUM", "VISIT", "SVSTDTC") == [
        (0.1, "SCREENING 0.1", "2019-01-03"),
        (1.0, "SCREENING", "2019-04-02"),
        (2.0, "WEEK 4", "2019-05-07"),
    ]
    assert of_subject(made, "103", "SV", "SVUPDES") == [("EARLIER PARTICIPATION",), ("",), ("",)]
    pulses = of_subject(made, "103", "VS", "VISITNUM", "VSORRES", "VSSPID")
    assert pulses[0] == (0.1, "90", "X-1/one/pulse_one")
    assert pulses[1] == (1.0, "80", "one/pulse_one")


def test_domains_that_hold_a_person_once_say_what_they_left_out(made: Tabulation, records: Records) -> None:
    assert rows(made, "MH", "USUBJID", "MHTERM") == [("CLASSIC-1-103", "Gout")]
    left_out = made.not_submitted[made.not_submitted["record"] != ""]
    assert set(left_out["record"]) == {"X-1"}
    assert {"num", "cons", "sex", "years", "past"} <= set(left_out["field"])
    edges = [dataset.lineage for dataset in made.datasets.values()]
    reconciliation = reconcile(records, edges, made.withheld, made.not_submitted).set_index("form")
    assert reconciliation["reconciled"].all()
    without = made.not_submitted[made.not_submitted["record"] == ""]
    assert not reconcile(records, edges, made.withheld, without).set_index("form").loc["base", "reconciled"]


def test_elements_of_an_arm_are_for_those_treated_in_it(made: Tabulation) -> None:
    found = rows(made, "SE", "USUBJID", "ETCD", "TAETORD", "SESTDTC", "SEENDTC")
    assert sorted(found, key=lambda row: (row[0], row[2])) == [  # type: ignore[arg-type,return-value]
        ("CLASSIC-1-102", "SCRN", 1.0, "2019-02-01", "2019-02-08"),
        ("CLASSIC-1-102", "A", 2.0, "2019-02-08", "2019-03-09"),  # assigned to B, given A
        ("CLASSIC-1-102", "FU", 3.0, "2019-03-09", "2019-03-20"),
        ("CLASSIC-1-103", "SCRN", 1.0, "2019-04-01", "2019-04-09"),
        ("CLASSIC-1-103", "B", 2.0, "2019-04-09", "2019-05-07"),
        ("CLASSIC-1-104", "SCRN", 1.0, "2019-05-01", "2019-05-01"),
    ]


def test_text_dates_are_read_in_their_order_and_what_is_no_date_is_withheld(made: Tabulation) -> None:
    events = dict(rows(made, "AE", "AETERM", "AESTDTC"))
    assert events == {"Cough": "2019-01", "Fever": ""}
    assert made.withheld[["source_row", "field"]].to_numpy().tolist() == [[4, "began"]]


def test_blocks_written_for_each_visit_tell_the_line_of_a_mistake(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "classic")
    path = tmp_path / "classic" / "sdtm" / "vs.yaml"
    path.write_text(path.read_text().replace('"bpm_{each}"', '"bmp_{each}"'), encoding="utf-8")
    study = Study.open(tmp_path / "classic")
    with pytest.raises(StudyError, match=r"classic/sdtm/vs.yaml, line 8.*bmp_one.*bpm_one"):
        read_mapping(study, study.project(), Terminology.open(study))


def test_the_form_of_an_earlier_record_is_told_from_that_of_the_later_one(made: Tabulation) -> None:
    assert sorted(rows(made, "AE", "USUBJID", "AESPID")) == [
        ("CLASSIC-1-103", "X-1/ills/1"),
        ("CLASSIC-1-103", "ills/1"),
    ]


def texts(*words: str) -> CodedText:
    return CodedText.of_codes(np.arange(len(words)), words)


def test_screenings_are_followed_to_the_last_one() -> None:
    numbers = texts("a", "b", "c", "d")
    assert _last_records(texts("", "", "", ""), numbers).tolist() == [0, 1, 2, 3]
    assert _last_records(texts("", "a", "b", ""), numbers).tolist() == [2, 2, 2, 3]
    assert _last_records(texts("b", "d", "", ""), numbers).tolist() == [0, 0, 2, 0]  # d, then b, then a
    assert _last_records(texts("", "a", "a", ""), numbers).tolist() == [2, 2, 2, 3]  # both name the first
    assert _last_records(texts("x", "b", "", ""), numbers).tolist() == [0, 1, 2, 3]  # unknown, and its own number


def test_screenings_that_name_one_another_are_refused() -> None:
    with pytest.raises(StudyError, match="name one another: a, b"):
        _last_records(texts("b", "a", ""), texts("a", "b", "c"))
