"""Rules about subjects, arms, reference dates, disposition and exposure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from validation.conformance.rule import Hit, Severity, rule
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets, repeated

DEMOGRAPHICS = "SDTMIG 3.3, section 5.2"
DISPOSITION = "SDTMIG 3.3, section 6.2.3"
EXPOSURE = "SDTMIG 3.3, section 6.1.3"
ORDERED = (("RFICDTC", "RFSTDTC"), ("RFSTDTC", "RFENDTC"), ("RFXSTDTC", "RFXENDTC"), ("RFXENDTC", "RFPENDTC"),
           ("RFICDTC", "RFPENDTC"), ("BRTHDTC", "RFICDTC"))  # fmt: skip
DAYS_A_YEAR = 365.25


@rule("subject.once", "A subject has one record in DM.", DEMOGRAPHICS, covers="CG0151, SD1020")
def subject_once(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = data.get("DM")
    if subjects is None:
        yield Hit("DM", detail="The dataset is missing.")
    elif subjects.has("USUBJID"):
        yield Hit("DM", "USUBJID", repeated(subjects.column("USUBJID").codes, keep=False))


@rule("subject.in_dm", "Every subject of a dataset is in DM.", DEMOGRAPHICS, covers="CG0029")
def subject_in_dm(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = data.get("DM")
    if subjects is None:
        return
    for domain in data.having("USUBJID"):
        named = domain.filled("USUBJID") if domain.name in ("CO", "RELREC") else np.ones(domain.size, bool)
        known = domain.equals("USUBJID", *subjects.column("USUBJID").held)
        yield Hit(domain.name, "USUBJID", named & ~known)


@rule(
    "arm.reason",
    "A subject without an arm has the reason in ARMNRS, and only such a subject.",
    DEMOGRAPHICS,
    covers="CG0513, CG0517, CG0520",
)
def arm_reason(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = data.get("DM")
    if subjects is None or not subjects.has("ARMCD"):
        return
    null = ~subjects.filled("ARMCD") | ~subjects.filled("ACTARMCD")
    yield Hit("DM", "ARMNRS", null != subjects.filled("ARMNRS"))


@rule("arm.pair", "An arm has code and name, or neither.", DEMOGRAPHICS, covers="CG0152, CG0521, CG0522")
def arm_pair(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for code, name in (("ARMCD", "ARM"), ("ACTARMCD", "ACTARM"), ("ETCD", "ELEMENT")):
            if domain.has(code, name):
                unplanned = domain.equals(code, "UNPLAN")  # SDTMIG 3.3, section 5.3: such an element has no name
                yield Hit(domain.name, name, (domain.filled(code) != domain.filled(name)) & ~unplanned)


@rule("arm.planned", "An arm is one of the trial's.", "SDTMIG 3.3, section 7.2.1", covers="CG0293, CG0512, CG0516")
def arm_planned(data: SdtmDatasets) -> Iterator[Hit]:
    subjects, design = data.get("DM"), data.get("TA")
    declared = [arm.armcd for arm in data.study.declared.arms or []]
    known = design.column("ARMCD").held if design is not None else declared
    if subjects is not None and known:
        for name in ("ARMCD", "ACTARMCD"):
            if subjects.has(name):
                yield Hit("DM", name, data.assigned(name) & ~subjects.equals(name, *known))


@rule("reference.order", "A subject's reference dates follow each other.", DEMOGRAPHICS, covers="FB3404, FB3408")
def reference_order(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = data.get("DM")
    if subjects is None:
        return
    for before, after in ORDERED:
        if subjects.has(before, after):
            yield Hit("DM", after, subjects.bounds(before)[0] > subjects.bounds(after)[1])
    if subjects.has("RFXENDTC", "RFENDTC"):  # the end of the reference period is the sponsor's to define
        early = subjects.bounds("RFXENDTC")[0] > subjects.bounds("RFENDTC")[1]
        yield Hit("DM", "RFENDTC", early, "It is before the last exposure.", severity="warning")


@rule(
    "reference.exposure",
    "RFXSTDTC and RFXENDTC are the first and last day of exposure in EX.",
    DEMOGRAPHICS,
    covers="CG0147, CG0148",
)
def reference_exposure(data: SdtmDatasets) -> Iterator[Hit]:
    import pandas as pd

    subjects, exposure = data.get("DM"), data.get("EX")
    if subjects is None or exposure is None or not exposure.has("EXSTDTC", "USUBJID"):
        return
    owner = exposure.text("USUBJID")
    first = pd.Series(exposure.day("EXSTDTC")).groupby(owner).min().reindex(subjects.text("USUBJID")).to_numpy()
    given = subjects.day("RFXSTDTC")
    yield Hit("DM", "RFXSTDTC", (np.isnat(first) != np.isnat(given)) | (first != given) & ~np.isnat(given))
    both = np.fmax(exposure.bounds("EXSTDTC")[0], exposure.bounds("EXENDTC")[1])
    last = pd.Series(both).groupby(owner).max().reindex(subjects.text("USUBJID")).to_numpy()
    yield Hit("DM", "RFXENDTC", subjects.day("RFXENDTC") < last)


@rule("reference.treated", "A subject with an actual arm has RFSTDTC, and one without exposure has no RFXSTDTC.",
      DEMOGRAPHICS)  # fmt: skip
def reference_treated(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = data.get("DM")
    if subjects is not None and subjects.has("ACTARMCD", "RFSTDTC"):
        yield Hit("DM", "RFSTDTC", data.assigned("ACTARMCD") & ~subjects.filled("RFSTDTC"))


@rule("subject.age", "AGE is what birth and RFSTDTC give, and has its unit.", DEMOGRAPHICS, covers="CG0432, CG0433")
def subject_age(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = data.get("DM")
    if subjects is None or not subjects.has("AGE"):
        return
    yield Hit("DM", "AGEU", subjects.filled("AGE") != subjects.filled("AGEU"))
    if subjects.has("BRTHDTC", "RFSTDTC"):
        age, (first, last), start = subjects.number("AGE"), subjects.bounds("BRTHDTC"), subjects.bounds("RFICDTC")[0]
        years = [(start - day) / np.timedelta64(1, "D") / DAYS_A_YEAR for day in (last, first)]
        until = (subjects.bounds("RFSTDTC")[1] - first) / np.timedelta64(1, "D") / DAYS_A_YEAR
        known = subjects.equals("AGEU", "YEARS") & ~np.isnan(years[0])
        upper = np.fmax(years[1], until)
        yield Hit("DM", "AGE", known & ((age < np.floor(years[0] - 0.01)) | (age > upper + 0.01)))


@rule(
    "death.flag", "A dead subject has DTHFL and DTHDTC, and nobody else.", DEMOGRAPHICS, covers="CG0435, FB0606, FB0610"
)
def death_flag(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = data.get("DM")
    if subjects is not None and subjects.has("DTHFL", "DTHDTC"):
        yield Hit("DM", "DTHFL", subjects.equals("DTHFL", "Y") != subjects.filled("DTHDTC"))


@rule(
    "death.agreement",
    "Death in AE or DS agrees with DTHFL in DM.",
    DEMOGRAPHICS,
    covers="CG0134, CG0135, CG0136, FB0603, FB0604, FB0605",
)
def death_agreement(data: SdtmDatasets) -> Iterator[Hit]:
    for domain, name, word in _deaths(data):
        died = domain.equals(name, word)
        yield Hit(domain.name, domain.full(name), died & (data.subject_text(domain, "DTHFL") != "Y"))


def _deaths(data: SdtmDatasets) -> Iterator[tuple[Domain, str, str]]:
    for code, name, word in (("AE", "AEOUT", "FATAL"), ("AE", "AESDTH", "Y"), ("DS", "DSDECOD", "DEATH")):
        for domain in data.of_domain(code):
            if domain.has(name, "USUBJID"):
                yield domain, name, word


@rule("disposition.subject", "Every subject of DM has a record in DS.", DISPOSITION, "warning")
def disposition_subject(data: SdtmDatasets) -> Iterator[Hit]:
    subjects, disposition = data.get("DM"), data.get("DS")
    if subjects is not None and disposition is not None:
        yield Hit("DM", "USUBJID", ~subjects.equals("USUBJID", *disposition.column("USUBJID").held))


@rule("disposition.once", "A subject has at most one disposition event in an epoch and subcategory.", DISPOSITION)
def disposition_once(data: SdtmDatasets) -> Iterator[Hit]:
    disposition = data.get("DS")
    if disposition is not None and disposition.has("DSCAT"):
        event = disposition.equals("DSCAT", "DISPOSITION EVENT")
        group = np.where(event, disposition.group("USUBJID", "EPOCH", "DSSCAT"), -1)
        yield Hit("DS", "DSDECOD", repeated(group, keep=False) & event)


@rule("disposition.dates", "DS agrees with DM: consent is RFICDTC, death DTHDTC, and no event is after RFPENDTC.",
      DISPOSITION, covers="CG0068, CG0069, FB0611")  # fmt: skip
def disposition_dates(data: SdtmDatasets) -> Iterator[Hit]:
    disposition = data.get("DS")
    if disposition is None or not disposition.has("DSSTDTC", "DSDECOD"):
        return
    first, last = disposition.bounds("DSSTDTC")
    for word, reference in (("INFORMED CONSENT OBTAINED", "RFICDTC"), ("DEATH", "DTHDTC")):
        earliest, latest = data.subject_bounds(disposition, reference)
        said = disposition.equals("DSDECOD", word) & ~np.isnat(first)
        if word == "INFORMED CONSENT OBTAINED":  # later versions of the consent form are signed later
            said &= ~repeated(np.where(said, disposition.group("USUBJID"), -1))
        yield Hit("DS", "DSSTDTC", said & ~((first <= latest) & (earliest <= last)))
    event = disposition.equals("DSCAT", "DISPOSITION EVENT")
    yield Hit("DS", "DSSTDTC", event & (first > data.subject_bounds(disposition, "RFPENDTC")[1]))


@rule("disposition.completed", "COMPLETED as a disposition is COMPLETED in DSTERM and stands for nothing else.",
      DISPOSITION, covers="CG0065")  # fmt: skip
def disposition_completed(data: SdtmDatasets) -> Iterator[Hit]:
    disposition = data.get("DS")
    if disposition is not None and disposition.has("DSTERM", "DSDECOD"):
        said, coded = disposition.each("DSTERM", _completed), disposition.equals("DSDECOD", "COMPLETED")
        yield Hit("DS", "DSDECOD", said & ~coded)
        yield Hit("DS", "DSTERM", coded & ~said, severity="warning")


def _completed(term: str) -> bool:
    return term.upper() == "COMPLETED"


@rule(
    "exposure.dose", "A dose is a number of at least 0 with its unit, or a text, not both.", EXPOSURE, covers="FB4002"
)
def exposure_dose(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.having("--DOSE"):
        dose = domain.number("--DOSE")
        yield Hit(domain.name, domain.full("--DOSE"), (dose < 0) | ~np.isnan(dose) & domain.filled("--DOSTXT"))
        # of other medication it is not always known
        severity: Severity = "error" if domain.name == "EX" else "warning"
        yield Hit(domain.name, domain.full("--DOSU"), ~np.isnan(dose) & ~domain.filled("--DOSU"), severity=severity)


@rule("exposure.overlap", "The periods of one treatment do not overlap.", EXPOSURE, "warning")
def exposure_overlap(data: SdtmDatasets) -> Iterator[Hit]:
    domain = data.get("EX")
    if domain is None or not domain.has("EXTRT", "EXSTDTC", "EXENDTC", "USUBJID"):
        return
    (begun, start), (end, _) = domain.moments("EXSTDTC"), domain.moments("EXENDTC")
    group, known = domain.group("USUBJID", "EXTRT"), ~np.isnat(begun)
    rows = np.lexsort((end, start, begun, group))
    rows = rows[known[rows]]
    longest = _longest_before(group[rows], end[rows])
    earlier = rows[np.maximum(longest, 0)]
    overlaps = (longest >= 0) & (start[rows] < end[earlier])
    sure = np.isnat(end[rows]) | (start[earlier] <= end[rows])
    wrong = np.zeros(domain.size, bool)
    wrong[rows] = overlaps & sure
    yield Hit("EX", "EXSTDTC", wrong)


def _longest_before(group: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return for each row, sorted by group, the row of its group before it that ends last; -1 without one."""
    moment = np.where(np.isnat(end), np.int64(-(2**40)), end.astype("datetime64[s]").astype(np.int64))
    scale = np.int64(2**42)
    place = np.arange(len(group))
    key = np.searchsorted(np.unique(group), group).astype(np.int64) * scale + moment
    best = np.maximum.accumulate(key)
    at = np.maximum.accumulate(np.where(key == best, place, 0))
    found = np.append(-1, at[:-1])[: len(group)]
    same = (found >= 0) & (group[np.maximum(found, 0)] == group)
    return np.where(same & ~np.isnat(end[np.maximum(found, 0)]), found, -1)
