"""The design of a trial to begin with: one arm, three elements, a criterion and a summary, all to be decided.

A project's forms do not say it, and a package is not whole without it (SDTMIG 3.3, section 7).
"""

from __future__ import annotations

from sdtm.draft.files import MARK, marked
from sdtm.draft.proposals import Lines, Proposal
from sdtm.draft.recognised import GUESS, SUBJECTS

ARM = "TRT"
STUDY_LINES = [
    "",
    f"arms:{marked('code and name of each arm; DM.ARMCD says which a subject has')}",
    f"  - {{armcd: {ARM}, arm: Study treatment}}",
    "",
    f"elements:{marked('what the protocol has between consent and the last contact')}",
    "  - {etcd: SCRN, element: Screening, epoch: SCREENING, start: RFICDTC, rule: Informed consent, ends: First dose}",
    "  - {etcd: TRT, element: Study treatment, epoch: TREATMENT, start: RFXSTDTC, rule: First dose, ends: Last dose}",
    "  - {etcd: FU, element: Follow-up, epoch: FOLLOW-UP, start: RFXENDTC, after: 1,",
    "     unless: {has: EX.EXSTDTC, where: {EXENDTC: {missing: true}}},",
    "     rule: Day after the last dose, ends: Last contact}",
]
CRITERIA = f"""domain: TI
rows:{marked("the criteria of the protocol")}
  - {{IETESTCD: INCL01, IECAT: INCLUSION, IETEST: Informed consent was given}}
"""
ELEMENTS = "domain: SE\nkeys: [STUDYID, USUBJID, SESTDTC, ETCD]\nrecords: {each: element}\n"
SUMMARY = f"""# What the protocol says of the trial. {MARK} marks the whole: each value is to be decided.
domain: TS
parameters:{marked("what the protocol says; where it says nothing, a null flavor: UNK or NA")}
  - {{paramcd: TITLE, study: study.title}}
  - {{paramcd: STYPE, value: INTERVENTIONAL, codelist: STYPE}}
  - {{paramcd: TPHASE, null_flavor: UNK}}
  - {{paramcd: TTYPE, value: SAFETY, codelist: TTYPE}}
  - {{paramcd: TINDTP, value: TREATMENT, codelist: TINDTP}}
  - {{paramcd: INTMODEL, value: SINGLE GROUP, codelist: INTMODEL}}
  - {{paramcd: INTTYPE, value: DRUG, codelist: INTTYPE}}
  - {{paramcd: NARMS, study: arms}}
  - {{paramcd: NCOHORT, null_flavor: NA}}
  - {{paramcd: RANDOM, value: "N", codelist: NY}}
  - {{paramcd: RANDQT, null_flavor: NA}}
  - {{paramcd: STRATFCT, null_flavor: NA}}
  - {{paramcd: TBLIND, value: OPEN LABEL, codelist: TBLIND}}
  - {{paramcd: TCNTRL, value: NONE, codelist: TCNTRL}}
  - {{paramcd: ADAPT, value: "N", codelist: NY}}
  - {{paramcd: ADDON, value: "N", codelist: NY}}
  - {{paramcd: INDIC, null_flavor: UNK}}
  - {{paramcd: TDIGRP, null_flavor: UNK}}
  - {{paramcd: THERAREA, null_flavor: UNK}}
  - {{paramcd: TRT, null_flavor: UNK}}
  - {{paramcd: PCLAS, null_flavor: UNK}}
  - {{paramcd: CURTRT, null_flavor: NA}}
  - {{paramcd: DOSE, null_flavor: UNK}}
  - {{paramcd: DOSU, null_flavor: UNK}}
  - {{paramcd: DOSFRQ, null_flavor: UNK}}
  - {{paramcd: DOSFRM, null_flavor: UNK}}
  - {{paramcd: ROUTE, null_flavor: UNK}}
  - {{paramcd: AGEMIN, null_flavor: UNK}}
  - {{paramcd: AGEMAX, null_flavor: UNK}}
  - {{paramcd: SEXPOP, value: BOTH, codelist: SEXPOP}}
  - {{paramcd: HLTSUBJI, value: "N", codelist: NY}}
  - {{paramcd: PDSTIND, value: "N", codelist: NY}}
  - {{paramcd: PDPSTIND, value: "N", codelist: NY}}
  - {{paramcd: PIPIND, value: "N", codelist: NY}}
  - {{paramcd: RDIND, value: "N", codelist: NY}}
  - {{paramcd: PASSIND, value: "N", codelist: NY}}
  - {{paramcd: EXTTIND, value: "N", codelist: NY}}
  - {{paramcd: SSTDYIND, value: "N", codelist: NY}}
  - {{paramcd: DMCIND, null_flavor: UNK}}
  - {{paramcd: FDADRIND, value: "N", codelist: NY}}
  - {{paramcd: FDADEIND, value: "N", codelist: NY}}
  - {{paramcd: PLANSUB, null_flavor: UNK}}
  - {{paramcd: ACTSUB, subjects: DM.ARMCD}}
  - {{paramcd: LENGTH, null_flavor: UNK}}
  - {{paramcd: PLNTRDUR, null_flavor: UNK}}
  - {{paramcd: PTRTDUR, null_flavor: UNK}}
  - {{paramcd: TRGFUDUR, null_flavor: NA}}
  - {{paramcd: SDMDUR, null_flavor: NA}}
  - {{paramcd: CRMDUR, null_flavor: NA}}
  - {{paramcd: STOPRULE, null_flavor: UNK}}
  - {{paramcd: OBJPRIM, null_flavor: UNK}}
  - {{paramcd: OBJSEC, null_flavor: UNK}}
  - {{paramcd: OUTMSPRI, null_flavor: UNK}}
  - {{paramcd: OUTMSSEC, null_flavor: UNK}}
  - {{paramcd: SPONSOR, null_flavor: UNK}}
  - {{paramcd: FCNTRY, null_flavor: UNK}}
  - {{paramcd: REGID, null_flavor: UNK}}
  - {{paramcd: SSTDTC, earliest: DM.RFICDTC, dictionary: ISO 8601}}
  - {{paramcd: SENDTC, latest: DM.RFPENDTC, dictionary: ISO 8601}}
  - {{paramcd: DCUTDTC, study: cutoff, dictionary: ISO 8601}}
  - {{paramcd: DCUTDESC, value: All data up to the cut-off date}}
  - {{paramcd: SDTMVER, study: standards.sdtm}}
  - {{paramcd: SDTIGVER, study: standards.sdtmig}}
"""


def has_design(lines: Lines) -> bool:
    """Return True if DM has the dates by which the elements start and end."""
    given = {one.key for one in lines.draft.of_block(SUBJECTS, "")}
    return {"RFICDTC", "RFXSTDTC", "RFXENDTC", "RFPENDTC"} <= given


def design_of_subjects(lines: Lines) -> None:
    """Add to DM the arm of each subject, that of the whole study."""
    consent = lines.draft.taken(SUBJECTS, "", "variables", "RFICDTC")
    field = str(consent.spec.get("date")) if consent else ""
    when = {"when": {field: {"missing": False}}} if field else {}
    treated, untreated = {"RFXSTDTC": {"missing": False}}, {"RFXSTDTC": {"missing": True}}
    doubt = "the arm, from the field of randomization"
    for name, spec in (
        ("ARMCD", {"constant": ARM, **when}),
        ("ACTARMCD", {"assign": ARM, "when": treated}),
        ("ARMNRS", {"assign": "ASSIGNED, NOT TREATED", "when": untreated}),
    ):
        lines.draft.proposals.append(
            Proposal(SUBJECTS, "", "variables", name, spec, GUESS, "the study has one arm", doubt)
        )


def design_files() -> dict[str, str]:
    """Return the files of the design, by name."""
    return {"sdtm/ti.yaml": CRITERIA, "sdtm/se.yaml": ELEMENTS, "sdtm/ts.yaml": SUMMARY}
