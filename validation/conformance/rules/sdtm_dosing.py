"""Rules about what was given against what study.yaml plans (``dosing``): EX by arm and element, and TS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from metadata.study_declaration import PlannedTreatment
from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets

PLAN = "the study's dosing plan in study.yaml; SDTMIG 3.3, sections 5.2 and 6.1.3"
SUMMARY = {"DOSE": "doses", "DOSU": "unit", "DOSFRQ": "frequency", "DOSFRM": "form", "ROUTE": "route"}
"""Parameters of the trial summary, and what of the plan they say."""
TREATMENTS = ("TRT", "CURTRT", "COMPTRT")


@rule("exposure.plan", "A subject is given the treatments that are planned for its actual arm, in their unit.",
      PLAN, needs=("dosing",))  # fmt: skip
def exposure_plan(data: SdtmDatasets) -> Iterator[Hit]:
    for domain, groups in _groups(data):
        other, unit = np.zeros(domain.size, bool), np.zeros(domain.size, bool)
        for rows, planned in groups:
            other[rows] = not planned
            if planned:
                unit[rows] = ~domain.equals("EXDOSU", *(one.unit for one in planned))[rows]
        yield Hit(domain.name, "EXTRT", other)
        if domain.has("EXDOSU"):
            yield Hit(domain.name, "EXDOSU", unit & domain.filled("EXDOSU"))


@rule("exposure.planned_dose", "A dose is one of those planned; a dose of 0 that is not planned is an error.",
      PLAN, "warning", needs=("dosing",))  # fmt: skip
def exposure_planned_dose(data: SdtmDatasets) -> Iterator[Hit]:
    for domain, groups in _groups(data):
        dose = domain.number("EXDOSE")
        wrong = np.zeros(domain.size, bool)
        for rows, planned in groups:
            if planned:
                wrong[rows] = ~np.isin(dose[rows], [each for one in planned for each in one.doses])
        wrong &= ~np.isnan(dose) & ~domain.equals("EXOCCUR", "N")
        yield Hit(domain.name, "EXDOSE", wrong & (dose == 0), "The dose is 0.", severity="error")
        yield Hit(domain.name, "EXDOSE", wrong & (dose != 0))


@rule("exposure.planned_way", "A treatment is given as often, in the form, by the route and in the epoch planned.",
      PLAN, "warning", needs=("dosing",))  # fmt: skip
def exposure_planned_way(data: SdtmDatasets) -> Iterator[Hit]:
    ways = {"EXDOSFRQ": "frequency", "EXDOSFRM": "form", "EXROUTE": "route"}
    for domain, groups in _groups(data):
        for variable, key in ways.items():
            wrong = np.zeros(domain.size, bool)
            for rows, planned in groups:
                terms = _texts(planned, key)
                wrong[rows] = bool(terms) & ~domain.equals(variable, *terms)[rows]
            yield Hit(domain.name, variable, wrong & domain.filled(variable))
        wrong = np.zeros(domain.size, bool)
        for rows, planned in groups:
            if planned and all(one.element for one in planned):
                wrong[rows] = ~domain.equals("EPOCH", *(each for one in planned for each in _epochs(data, one)))[rows]
        yield Hit(domain.name, "EPOCH", wrong & domain.filled("EPOCH"))


@rule("exposure.planned_missing", "A treated subject has each treatment that is planned for its actual arm, of the"
      " elements that it came to.", PLAN, "warning", needs=("dosing",))  # fmt: skip
def exposure_planned_missing(data: SdtmDatasets) -> Iterator[Hit]:
    exposure, subjects, elements = data.of_domain("EX"), data.get("DM"), data.get("SE")
    if not exposure or subjects is None or not subjects.has("USUBJID", "ACTARMCD"):
        return
    given = {pair for one in exposure for pair in _pairs(one, "EXTRT")}
    treated = {subject for subject, _ in given}
    come = _pairs(elements, "ETCD") if elements is not None and elements.has("ETCD", "USUBJID") else set()
    owners, arms = subjects.text("USUBJID"), subjects.text("ACTARMCD")
    lacking = np.zeros(subjects.size, bool)
    for treatment, arm in sorted({(one.treatment, one.arm) for one in data.study.dosing}):
        planned = [one for one in data.study.dosing if (one.treatment, one.arm) == (treatment, arm)]
        due = np.array([_is_due(planned, owner, come) for owner in owners], bool)
        got = np.array([(owner, treatment) in given for owner in owners], bool)
        lacking |= np.isin(owners, sorted(treated)) & (arms != "") & (not arm or arms == arm) & due & ~got
    yield Hit("DM", "ACTARMCD", lacking)


@rule("summary.dosing", "Doses, units, frequencies, forms and routes of the trial summary are those of the dosing plan"
      " for the treatment of their group.", PLAN, needs=("dosing",))  # fmt: skip
def summary_dosing(data: SdtmDatasets) -> Iterator[Hit]:
    summary = data.get("TS")
    if summary is None or not summary.has("TSPARMCD", "TSVAL", "TSGRPID"):
        return
    code, value, group = (summary.text(name) for name in ("TSPARMCD", "TSVAL", "TSGRPID"))
    treatment = {group[at]: value[at] for at in np.flatnonzero(np.isin(code, TREATMENTS)) if group[at]}
    wrong = np.zeros(summary.size, bool)
    for at in np.flatnonzero(np.isin(code, list(SUMMARY)) & (value != "")):
        planned = [one for one in data.study.dosing if one.treatment == treatment.get(group[at])]
        in_plan = _texts(planned, SUMMARY[code[at]])
        wrong[at] = bool(in_plan) and value[at] not in in_plan
    yield Hit("TS", "TSVAL", wrong)


def _groups(data: SdtmDatasets) -> Iterator[tuple[Domain, list[tuple[np.ndarray, list[PlannedTreatment]]]]]:
    """Yield EX with its records in groups of one arm, treatment and epoch, and what is planned for each group.

    A subject without an actual arm, whose treatment was not planned, may have any. Of a treatment that is planned in
    several elements, only those of the record's epoch count, if there are any.
    """
    subjects = data.get("DM")
    for domain in data.of_domain("EX"):
        if subjects is None or not domain.has("EXTRT", "USUBJID") or not subjects.has("ACTARMCD"):
            continue
        parts = (data.subject_text(domain, "ACTARMCD"), domain.text("EXTRT"), domain.text("EPOCH"))
        kinds, places = np.unique(np.stack(parts, axis=1).astype("U"), axis=0, return_inverse=True)
        places = places.reshape(-1)
        yield domain, [(places == at, _planned(data, *map(str, kind))) for at, kind in enumerate(kinds)]


def _planned(data: SdtmDatasets, arm: str, treatment: str, epoch: str) -> list[PlannedTreatment]:
    own = [one for one in data.study.dosing if one.treatment == treatment and (not arm or one.arm in ("", arm))]
    return [one for one in own if epoch in _epochs(data, one)] or own


def _epochs(data: SdtmDatasets, planned: PlannedTreatment) -> set[str]:
    """Return the epochs in which the element of an entry lies in its arm, or in any; none if it names no element."""
    own = [one for one in data.study.declared.elements or [] if one.etcd == planned.element]
    return {one.epoch for one in own if planned.arm in ("", one.arm or planned.arm)}


def _texts(planned: Sequence[PlannedTreatment], key: str) -> list[str]:
    """Return what the plan says under a key, as texts; nothing if one entry leaves it open."""
    given = [getattr(one, key) for one in planned]
    if not all(given):
        return []
    listed = [list(each) if isinstance(each, tuple | list) else [each] for each in given]
    return [each if isinstance(each, str) else f"{each:g}" for one in listed for each in one]


def _pairs(domain: Domain, name: str) -> set[tuple[str, str]]:
    """Return the distinct pairs of subject and text."""
    found = np.unique(np.stack([domain.column("USUBJID").codes, domain.column(name).codes], axis=1), axis=0)
    owners, texts = domain.column("USUBJID").texts, domain.column(name).texts
    return {(owners[owner], texts[text]) for owner, text in found}


def _is_due(planned: Sequence[PlannedTreatment], owner: str, come: set[tuple[str, str]]) -> bool:
    return any(not one.element or (owner, one.element) in come for one in planned)
