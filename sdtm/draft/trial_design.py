"""The design of a trial to begin with: its arms, elements, a criterion and a summary, all to be decided.

A project's forms do not say it, and a package is not whole without it (SDTMIG 3.3, section 7).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from metadata.labels import plain_label
from sdtm.columns.text import transliterated
from sdtm.draft.files import MARK, flow, marked
from sdtm.draft.proposals import Lines, Proposal
from sdtm.draft.recognised import GUESS, SUBJECTS
from sdtm.draft.vocabulary import every_word

ONE_ARM = {"TRT": "Study treatment"}
NO_TREATMENT = {"OBS": "Observation"}
PLANNED, PROTOCOL = "the arms of study.yaml", "by the protocol, and the field of randomization"
ELEMENTS_WITHOUT_TREATMENT = [
    f"elements:{marked('no form of doses is recognised: what the protocol has between consent and the last contact')}",
    "  - {etcd: OBS, element: Observation, epoch: FOLLOW-UP, start: RFICDTC, rule: Informed consent,"
    " ends: Last contact}",
]
LONGEST_ARM, LONGEST_CODE = 200, 20
ELEMENTS_OF_STUDY = [
    f"elements:{marked('what the protocol has between consent and the last contact; arm: CODE for those of one arm')}",
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

NO_END = "{paramcd: SENDTC, null_flavor: UNK}"


def has_design(lines: Lines) -> bool:
    """Return True if DM has the date at which the first element starts."""
    return "RFICDTC" in _given(lines)


def _given(lines: Lines) -> set[str]:
    return {one.key for one in lines.draft.of_block(SUBJECTS, "")}


def _is_treated(lines: Lines) -> bool:
    """Return True if DM has the dates of a treatment, by which its element starts and ends."""
    return {"RFXSTDTC", "RFXENDTC"} <= _given(lines)


def design_of_subjects(lines: Lines) -> list[str]:
    """Add to DM the arms, from the choices of a field, else of REDCap, else one; return the lines of study.yaml."""
    found = lines.draft.taken(SUBJECTS, "", "variables", "ARMCD")
    item = lines.project.dictionary.fields.get(str(found.spec.get("field"))) if found else None
    codes = _codes(item.choices) if item is not None else {}
    treated = _is_treated(lines)
    one_arm = ONE_ARM if treated else NO_TREATMENT
    arms = {codes[code]: label for code, label in item.choices.items()} if item and codes else one_arm
    if found is not None and codes:
        lines.replace(found, spec={"field": str(found.spec["field"]), "terms": codes}, doubt="the codes of the arms")
    elif found is not None:
        lines.replace(found, active=False, doubt="its arms are not known")
    if not codes:
        arms = _planned_arms(lines, one_arm)
    _actual_arms(lines, arms)
    began: dict[str, Any] = {"RFXSTDTC": {"missing": False}} if treated else {}
    actual = [{"assign": code, "when": {"ARMCD": code, **began}} for code in arms]
    if not lines.draft.taken(SUBJECTS, "", "variables", "ACTARMCD"):
        _add(lines, "ACTARMCD", {"any_of": actual} if len(actual) > 1 else actual[0])
    untreated = {"ARMCD": {"missing": False}, "RFXSTDTC": {"missing": True}}
    failed = {"assign": "SCREEN FAILURE", "when": {"ARMCD": {"missing": True}}}
    reasons = [failed, {"assign": "ASSIGNED, NOT TREATED", "when": untreated}]
    _add(lines, "ARMNRS", {"any_of": reasons} if treated else failed)
    shown = [f"  - {flow({'armcd': code, 'arm': said(label)})}" for code, label in arms.items()]
    return ["", f"arms:{marked('code and name of each arm; DM.ARMCD says which a subject has')}", *shown, "",
            *(ELEMENTS_OF_STUDY if treated else ELEMENTS_WITHOUT_TREATMENT)]  # fmt: skip


def _planned_arms(lines: Lines, one_arm: dict[str, str]) -> dict[str, str]:
    """Give ARMCD the arms of REDCap if the project has several, else the one arm; return the arms' names by code."""
    names = lines.project.arm_names if lines.project.longitudinal else {}
    codes = _codes(names) if len(names) > 1 else {}
    if not codes:
        _add(lines, "ARMCD", {"constant": next(iter(one_arm)), **_consented(lines)})
        return one_arm
    spec = {"redcap": "arm", "terms": codes, **_consented(lines)}
    _add(lines, "ARMCD", spec, "the arms of the REDCap project", "the codes of the arms")
    return {codes[number]: name for number, name in names.items()}


def _actual_arms(lines: Lines, arms: dict[str, str]) -> None:
    """Give what was received in fact the codes of the arms that begin with the same word, or leave it out."""
    found = lines.draft.taken(SUBJECTS, "", "variables", "ACTARMCD")
    if found is None:
        return
    item = lines.project.dictionary.fields.get(str(found.spec.get("field")))
    begins = {every_word(label)[:1]: code for code, label in arms.items()}
    terms = {code: begins.get(every_word(label)[:1], "") for code, label in item.choices.items()} if item else {}
    if terms and all(terms.values()) and item is not None:
        lines.replace(found, spec={"field": item.name, "terms": terms}, doubt="the codes of the arms")
    else:
        lines.replace(found, active=False, doubt="its choices are not the arms")


def _codes(choices: dict[str, str]) -> dict[str, str]:
    """Return a code of each arm from the words of its label; none if two arms would have the same."""
    made = {
        code: "".join(word.upper() for word in every_word(label)[:2])[:LONGEST_CODE] or code
        for code, label in choices.items()
    }
    return made if len(set(made.values())) == len(made) else {}


def said(label: str) -> str:
    """Return a label as a text that a dataset can hold."""
    return transliterated(plain_label(label))[0][:LONGEST_ARM]


def _consented(lines: Lines) -> dict[str, dict[str, dict[str, bool]]]:
    """Return the condition that a subject gave consent, where its date is one field of DM's own rows."""
    consent = lines.draft.taken(SUBJECTS, "", "variables", "RFICDTC")
    field = consent.spec.get("date") if consent and "event" not in consent.spec else None
    return {"when": {field: {"missing": False}}} if isinstance(field, str) else {}


def _add(lines: Lines, name: str, spec: dict[str, Any], reason: str = PLANNED, doubt: str = PROTOCOL) -> None:
    lines.draft.proposals.append(Proposal(SUBJECTS, "", "variables", name, spec, GUESS, reason, doubt))


def design_files(present: Collection[str], lines: Lines) -> dict[str, str]:
    """Return the files of the design, by name, without those that are ``present``."""
    summary = SUMMARY
    if "RFPENDTC" not in _given(lines):
        summary = summary.replace("{paramcd: SENDTC, latest: DM.RFPENDTC, dictionary: ISO 8601}", NO_END)
    made = {"sdtm/ti.yaml": CRITERIA, "sdtm/se.yaml": ELEMENTS, "sdtm/ts.yaml": summary}
    return {name: text for name, text in made.items() if name not in present}
