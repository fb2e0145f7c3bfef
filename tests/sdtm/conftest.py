"""A small invented study, built as files in a temporary folder, with which each rule can be tried by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import Tabulation, tabulate

HEADER = (
    "field_name,form_name,field_type,field_label,select_choices_or_calculations,"
    "text_validation_type_or_show_slider_number\n"
)
DICTIONARY = """rec,base,text,Record,,
subj,base,text,Subject,,
cons,base,text,Consent,,date_ymd
sexe,base,radio,Sex,"1, Man | 2, Woman",
years,base,text,Age,,integer
in_study,base,yesno,In the study,,
origin,base,checkbox,Race,"1, White | 2, Asian | 9, Unknown",
seen,look,text,Date,,date_ymd
why,look,dropdown,Reason,"1, Fall | 2, Other",
hb,look,text,Haemoglobin,,number_1dp_comma_decimal
hb_u,look,dropdown,Unit,"5, g/L | 6, g/dL",
hb_nd,look,checkbox,Not done,"1, Not done",
wc,look,text,White cells,,
wc_u,look,dropdown,Unit,"1, G/L | 2, per mm3",
house,look,dropdown,Laboratory,"1, Málaga | 2, Other",
told,event,text,What happened,,
from_y,event,text,Year,,integer
from_m,event,text,Month,,integer
from_d,event,text,Day,,integer
bad,event,yesno,Serious,,
link_a,event,radio,Related to A,"1, No | 2, Perhaps | 3, Yes",
link_b,event,radio,Related to B,"1, No | 2, Perhaps | 3, Yes",
drug,dose,radio,Drug,"1, A | 2, B",
amount,dose,text,Dose,,number
dose_st,dose,text,From,,date_ymd
dose_en,dose,text,To,,date_ymd
end_dt,last,text,Date of the end,,date_ymd
"""
EVENTS = """event_name,arm_num,unique_event_name
Start,1,start_arm_1
Month,1,month_arm_1
Other,1,other_arm_1
Log,1,log_arm_1
"""
FORM_EVENTS = """arm_num,unique_event_name,form
1,start_arm_1,base
1,start_arm_1,look
1,month_arm_1,look
1,month_arm_1,last
1,other_arm_1,look
1,log_arm_1,event
1,log_arm_1,dose
"""
REPEATING = """event_name,form_name,custom_form_label
other_arm_1,,
log_arm_1,event,
log_arm_1,dose,
"""
INFO = """project_id,project_title,is_longitudinal,missing_data_codes
1,Small,1,"UNK, Unknown | ND, Not done"
"""
STUDY = """study: {id: SMALL}
standards: {sdtm: "1.7", sdtmig: "3.3", sdtm_ct: 2019-09-27}
redcap: {}
cutoff: 2001-12-31
identity: {subject: subj, site: {north: "01"}}
elements:
  - {etcd: SCRN, element: Screening, epoch: SCREENING, start: RFICDTC}
  - {etcd: TRT, element: Treatment, epoch: TREATMENT, start: RFXSTDTC}
  - {etcd: FU, element: Follow-up, epoch: FOLLOW-UP, start: RFXENDTC, after: 1}
visits:
  - {visitnum: 1, visit: START, event: start_arm_1, day: 1, predose: true}
  - {visitnum: 2, visit: MONTH, event: month_arm_1, day: 30}
  - {visit: UNSCHEDULED, event: other_arm_1, unscheduled: true}
"""
MAPPINGS = {
    "dm": """domain: DM
keys: [STUDYID, USUBJID]
records:
  each: subject
  variables:
    RFICDTC: {date: cons}
    SEX: {field: sexe, terms: {1: M, 2: F}}
    AGE: {field: years}
    RACE: {checkbox: origin, terms: {1: WHITE, 2: ASIAN, 9: UNKNOWN}, multiple: MULTIPLE, none: NOT REPORTED}
    COUNTRY: {constant: ESP}
    RFPENDTC: {date: end_dt, match: subject, event: month_arm_1}
    RFXSTDTC: {earliest: EX.EXSTDTC}
    RFXENDTC: {latest: EX.EXENDTC}
    RFSTDTC: {earliest: EX.EXSTDTC}
    ACTARMCD: {assign: A, when: {RFXSTDTC: {missing: false}}}
    ARMCD: {constant: A, when: {in_study: 1}}
  supplemental:
    RACE1: {checkbox: origin, nth: 1, label: First of Several Races}
    RACE2: {checkbox: origin, nth: 2, label: Second of Several Races}
""",
    "ae": """domain: AE
records:
  form: event
  variables:
    AETERM: {field: told}
    AEDECOD: {field: told}
    AESER: {field: bad}
    AEREL: {strongest: [link_a, link_b], order: ["No", Perhaps, "Yes"]}
    AESTDTC: {date: [from_y, from_m, from_d]}
  supplemental:
    AERELA: {field: link_a, label: Related to A}
""",
    "ex": """domain: EX
records:
  form: dose
  variables:
    EXTRT: {field: drug}
    EXDOSE: {field: amount}
    EXSTDTC: {date: dose_st}
    EXENDTC: {date: dose_en}
""",
    "lb": """domain: LB
toxicity: who-1979-lab-grades
ranges: {file: ranges.csv, laboratory: LBNAM}
unit_terms: {1: 10^9/L, 2: 10^6/L, 5: g/L, 6: g/dL}
records:
  form: look
  variables:
    LBDTC: {date: seen}
    LBNAM: {field: house}
  tests:
    HGB:
      {result: hb, unit: hb_u, not_done: hb_nd, standard_unit: g/L, unit_factors: {g/dL: 10}, toxicity: Hemoglobin}
    WBC:
      {result: wc, unit: wc_u, standard_unit: 10^9/L, unit_factors: {10^6/L: 0.001}, toxicity: Leukocytes}
""",
    "sv": """domain: SV
keys: [STUDYID, USUBJID, VISITNUM]
records:
  each: visit
  dates: {except: [end_dt]}
  variables:
    SVUPDES: {lookup: why, match: visit}
""",
    "se": "domain: SE\nkeys: [STUDYID, USUBJID, SESTDTC]\nrecords: {each: element}\n",
    "not_submitted": "status: Book-keeping\nfields:\n  rec: The record's name\n",
}
RANGES = """laboratory,test,sex,age_from,age_to,valid_from,valid_to,unit,low,high
Málaga,HGB,F,,,,,g/dL,12.0,16.0
Málaga,HGB,M,,,,,g/dL,13.5,17.5
Málaga,WBC,,,,,,10^9/L,4,11
"""
KEYS = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "redcap_data_access_group")


@dataclass
class SmallStudy:
    """The study's folder and the rows of its records."""

    folder: Path
    rows: list[dict[str, str]] = field(default_factory=list)

    def write(self, name: str, body: str) -> None:
        """Replace one of the mapping files."""
        (self.folder / "sdtm" / f"{name}.yaml").write_text(body, encoding="utf-8")

    def row(self, record: str, event: str, form: str = "", instance: str = "", **values: str) -> None:
        """Add a row of the export."""
        key = dict(zip(KEYS, (f"{event}_arm_1", form, instance, "north"), strict=True))
        self.rows.append({"rec": record, **key, **values})

    def subject(self, record: str = "1", start: str = "2000-03-10", end: str = "2000-06-10", **values: str) -> None:
        """Add a subject with consent ten days before the first dose."""
        given = {"subj": f"01-{record}", "cons": "2000-03-01", "sexe": "2", "years": "40", "in_study": "1", **values}
        self.row(record, "start", **given)
        if start:
            self.row(record, "log", "dose", "1", drug="1", amount="5", dose_st=start, dose_en=end)

    def study(self) -> Study:
        """Open the study."""
        return Study.open(self.folder)

    def tabulate(self) -> Tabulation:
        """Tabulate the rows."""
        study = self.study()
        columns = dict.fromkeys(["rec", *KEYS, *(name for row in self.rows for name in row)])
        frame = pd.DataFrame(self.rows, columns=list(columns)).fillna("").astype("str")
        records = Records.from_frame(study.project(), frame)
        return tabulate(read_mapping(study, records.project, Terminology.open(study)), records)

    def frame(self, domain: str) -> pd.DataFrame:
        """Tabulate and return one domain with plain texts."""
        made = self.tabulate().datasets[domain].frame
        return made.astype({name: "str" for name in made.columns if made[name].dtype.kind != "f"})


@pytest.fixture
def small(tmp_path: Path) -> SmallStudy:
    """The small study without any record."""
    for folder in ("redcap", "sdtm"):
        (tmp_path / folder).mkdir()
    files = {
        "redcap/dictionary.csv": HEADER + DICTIONARY,
        "redcap/events.csv": EVENTS,
        "redcap/form_event_mapping.csv": FORM_EVENTS,
        "redcap/repeating.csv": REPEATING,
        "redcap/project_info.csv": INFO,
        "study.yaml": STUDY,
        "ranges.csv": RANGES,
        **{f"sdtm/{name}.yaml": body for name, body in MAPPINGS.items()},
    }
    for name, body in files.items():
        (tmp_path / name).write_text(body, encoding="utf-8")
    return SmallStudy(tmp_path)
