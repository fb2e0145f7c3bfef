"""Rules about who a subject is: numbers, sites, ages, reference dates, and the arm against what was given."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets, not_usual, repeated

DEMOGRAPHICS = "SDTMIG 3.3, section 5.2"
ALL_PARTS = "{studyid}-{site}-{subject}"
PAIRS = (("ARMCD", "ARM"), ("ACTARMCD", "ACTARM"), ("INVID", "INVNAM"), ("ETCD", "ELEMENT"), ("TSPARMCD", "TSPARM"),
         ("IETESTCD", "IETEST"))  # fmt: skip
NOT_TREATED = ("SCREEN FAILURE", "NOT ASSIGNED", "ASSIGNED, NOT TREATED")


def _subjects(data: SdtmDatasets, *names: str) -> Domain | None:
    found = data.get("DM")
    return found if found is not None and found.has("USUBJID", *names) else None


@rule("subject.number", "SUBJID is given to one subject of the study only.", DEMOGRAPHICS, covers="CG0150")
def subject_number(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = _subjects(data, "SUBJID")
    if subjects is not None:
        given = np.where(subjects.filled("SUBJID"), subjects.column("SUBJID").codes, -1)
        yield Hit("DM", "SUBJID", repeated(given, keep=False) & subjects.filled("SUBJID"))


@rule("subject.site", "USUBJID is made of study, site and subject as study.yaml declares it.", DEMOGRAPHICS,
      needs=("study",))  # fmt: skip
def subject_site(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = _subjects(data, "SITEID", "SUBJID")
    identity = data.study.declared.identity
    if subjects is None or identity is None:
        return
    pattern = identity.usubjid or ALL_PARTS
    wanted, own = subjects.text("USUBJID"), subjects.text("SUBJID")
    parts = {"{studyid}": subjects.text("STUDYID"), "{site}": subjects.text("SITEID"), "{subject}": own}
    wrong = np.zeros(subjects.size, bool)
    for place, texts in parts.items():
        if place in pattern:
            wrong |= np.array([part not in whole for part, whole in zip(texts, wanted, strict=True)], bool)
    yield Hit("DM", "USUBJID", wrong)


@rule("subject.country", "The subjects of a site are in one country.", DEMOGRAPHICS, "warning")
def subject_country(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = _subjects(data, "SITEID", "COUNTRY")
    if subjects is not None:
        filled = subjects.filled("SITEID") & subjects.filled("COUNTRY")
        codes = [subjects.column(name).codes for name in ("SITEID", "COUNTRY")]
        yield Hit("DM", "COUNTRY", not_usual(codes[0], codes[1], filled) & filled)


@rule("subject.described", "Sex and race are given of each subject with an arm, where they are of most.", DEMOGRAPHICS,
      "warning")  # fmt: skip
def subject_described(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = _subjects(data, "ARMCD")
    for name in ("SEX", "RACE") if subjects is not None else ():
        if subjects is not None and subjects.has(name):
            blank, assigned = ~subjects.filled(name), data.assigned()
            if (blank & assigned).sum() < assigned.sum() / 2:
                yield Hit("DM", name, blank & assigned)


@rule("subject.age_given", "A subject has an age that is not negative, unless it failed screening.", DEMOGRAPHICS,
      covers="FB0501, FB4001")  # fmt: skip
def subject_age_given(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = _subjects(data, "AGE", "ARMCD")
    if subjects is not None:
        age = subjects.number("AGE")
        unsaid = np.isnan(age) & ~subjects.filled("AGETXT") & data.assigned()
        yield Hit("DM", "AGE", (age < 0) | unsaid)


@rule("subject.age_plausible", "An age is plausible: below 120 years.", DEMOGRAPHICS)
def subject_age_plausible(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = _subjects(data, "AGE", "AGEU")
    if subjects is not None:
        yield Hit("DM", "AGE", subjects.equals("AGEU", "YEARS") & (subjects.number("AGE") >= 120))


@rule("reference.given", "A treated subject has the dates of its consent and of the end of its participation.",
      DEMOGRAPHICS, "warning")  # fmt: skip
def reference_given(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = _subjects(data, "RFXSTDTC")
    if subjects is not None:
        for name in ("RFICDTC", "RFPENDTC"):
            if subjects.has(name) and subjects.filled(name).any():
                yield Hit("DM", name, subjects.filled("RFXSTDTC") & ~subjects.filled(name))


@rule("reference.end", "A subject with a start of its reference period has its end, and the reverse.", DEMOGRAPHICS,
      "warning")  # fmt: skip
def reference_end(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = _subjects(data, "RFSTDTC", "RFENDTC")
    if subjects is not None:
        yield Hit("DM", "RFSTDTC", subjects.filled("RFENDTC") & ~subjects.filled("RFSTDTC"))
        yield Hit("DM", "RFENDTC", subjects.filled("RFSTDTC") & ~subjects.filled("RFENDTC"))


@rule("reference.consent", "Consent is not after the first treatment.", DEMOGRAPHICS, covers="FB3411, FB3412")
def reference_consent(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = _subjects(data, "RFICDTC", "RFXSTDTC")
    if subjects is not None:
        yield Hit("DM", "RFICDTC", subjects.bounds("RFICDTC")[0] > subjects.bounds("RFXSTDTC")[1])


@rule("code.pair", "A code and its name go one to one: arm, investigator, element, parameter, criterion.",
      "SDTMIG 3.3, section 3.2.2", covers="CG0154, CG0307, FB0902, FB0903, FB0912, FB0914, FB0916, FB0918")  # fmt: skip
def code_pair(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for code, name in PAIRS:
            if domain.has(code, name):
                yield Hit(domain.name, name, _ambiguous(domain, code, name))


def _ambiguous(domain: Domain, code: str, name: str) -> np.ndarray:
    """Return True where a code has several names or a name several codes; a blank is not looked at."""
    both = domain.filled(code) & domain.filled(name)
    wrong = np.zeros(domain.size, bool)
    pairs = domain.group(code, name)
    for one in (code, name):
        codes = domain.column(one).codes
        distinct = np.unique(np.stack([codes[both], pairs[both]], axis=1), axis=0)[:, 0]
        several = np.bincount(distinct, minlength=int(codes.max(initial=0)) + 1) > 1
        wrong |= both & several[codes]
    return wrong


@rule("arm.name", "The name of an arm in DM is that of its code in TA.", "SDTMIG 3.3, section 7.2.1",
      covers="CG0514, CG0518")  # fmt: skip
def arm_name(data: SdtmDatasets) -> Iterator[Hit]:
    subjects, design = _subjects(data), data.get("TA")
    if subjects is None or design is None or not design.has("ARMCD", "ARM"):
        return
    names = dict(zip(design.text("ARMCD"), design.text("ARM"), strict=True))
    for code, name in (("ARMCD", "ARM"), ("ACTARMCD", "ACTARM")):
        if subjects.has(code, name):
            wanted = subjects.column(code).replace(names, "").array()
            yield Hit("DM", name, (wanted != "") & (wanted != subjects.text(name)))


@rule("arm.exposure", "A subject with an actual arm was exposed, and one without was not.", DEMOGRAPHICS,
      covers="FB2302, FB2304")  # fmt: skip
def arm_exposure(data: SdtmDatasets) -> Iterator[Hit]:
    subjects, exposure = _subjects(data, "ACTARMCD"), data.get("EX")
    if subjects is None or exposure is None or not exposure.has("USUBJID"):
        return
    given = exposure.column("USUBJID").take(_taken(exposure)).held
    exposed, treated = subjects.equals("USUBJID", *given), data.assigned("ACTARMCD")
    yield Hit("DM", "ACTARMCD", treated & ~exposed)
    refused = subjects.equals("ARMNRS", *NOT_TREATED) if subjects.has("ARMNRS") else ~treated
    yield Hit("DM", "ACTARMCD", exposed & ~treated & refused)


def _taken(exposure: Domain) -> np.ndarray:
    """Return True for records of what was given, not of what was asked and did not occur."""
    if not exposure.has("EXOCCUR"):
        return np.ones(exposure.size, bool)
    return ~exposure.equals("EXOCCUR", "N")


@rule("arm.switched", "The actual arm is the planned one; who was given another has both.", DEMOGRAPHICS, "note",
      covers="FB2501, FB2502")  # fmt: skip
def arm_switched(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = _subjects(data, "ARMCD", "ACTARMCD")
    if subjects is not None:
        both = subjects.filled("ARMCD") & subjects.filled("ACTARMCD")
        yield Hit("DM", "ACTARMCD", both & (subjects.text("ARMCD") != subjects.text("ACTARMCD")))
