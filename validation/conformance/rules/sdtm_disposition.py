"""Rules about consent, randomisation and disposition: present, in order, and as exposure and events have it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import MISSING_DAY, Domain, SdtmDatasets

DISPOSITION = "SDTMIG 3.3, section 6.2.3"
CONSENT, RANDOMIZED, COMPLETED = "INFORMED CONSENT OBTAINED", "RANDOMIZED", "COMPLETED"
MILESTONE, EVENT = "PROTOCOL MILESTONE", "DISPOSITION EVENT"
MILESTONES, EVENTS = "C114118", "C66727"
"""The codelists PROTMLST and NCOMPLT."""
LATEST = np.datetime64("9999-12-31")
OF_TREATMENT = ("", "STUDY TREATMENT", "TREATMENT", "STUDY PARTICIPATION")


def _disposition(data: SdtmDatasets, *names: str) -> Domain | None:
    found = data.get("DS")
    return found if found is not None and found.has("USUBJID", "DSDECOD", *names) else None


def _subjects_with(disposition: Domain, rows: np.ndarray) -> list[str]:
    return disposition.column("USUBJID").take(rows).held


@rule("disposition.consent", "Where consents are in DS, every subject of DM has one.", DISPOSITION)
def disposition_consent(data: SdtmDatasets) -> Iterator[Hit]:
    subjects, disposition = data.get("DM"), _disposition(data)
    if subjects is not None and disposition is not None:
        consented = _subjects_with(disposition, disposition.equals("DSDECOD", CONSENT))
        if consented:
            yield Hit("DM", "USUBJID", ~subjects.equals("USUBJID", *consented))


@rule("disposition.randomized", "Where randomisations are in DS, each subject with a planned arm has one, no other.",
      DISPOSITION)  # fmt: skip
def disposition_randomized(data: SdtmDatasets) -> Iterator[Hit]:
    subjects, disposition = data.get("DM"), _disposition(data)
    if subjects is None or disposition is None or not subjects.has("ARMCD"):
        return
    randomized = _subjects_with(disposition, disposition.equals("DSDECOD", RANDOMIZED))
    if randomized:
        yield Hit("DM", "ARMCD", data.assigned() != subjects.equals("USUBJID", *randomized))


@rule("disposition.order", "Consent comes before randomisation, and both before the end of participation.", DISPOSITION)
def disposition_order(data: SdtmDatasets) -> Iterator[Hit]:
    disposition = _disposition(data, "DSSTDTC")
    if disposition is None:
        return
    first, last = disposition.bounds("DSSTDTC")
    owner = disposition.column("USUBJID").codes
    for before, after in (((CONSENT,), (RANDOMIZED,)), ((CONSENT, RANDOMIZED), ())):
        rows = disposition.equals("DSDECOD", *before) & ~np.isnat(first)
        earliest = _earliest(owner, np.where(rows, first, LATEST.astype(first.dtype)))
        ends = disposition.equals("DSDECOD", *after) if after else disposition.equals("DSCAT", "DISPOSITION EVENT")
        yield Hit("DS", "DSSTDTC", ends & (last < earliest[owner]) & (earliest[owner] != LATEST))


def _earliest(owner: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return the earliest day of each owner."""
    made = np.full(int(owner.max(initial=0)) + 1, LATEST.astype("datetime64[D]"))
    np.minimum.at(made, owner, days.astype("datetime64[D]"))
    return made


@rule(
    "disposition.final",
    "A subject with an actual arm has a disposition event.",
    DISPOSITION,
    "warning",
    covers="CG0540",
)
def disposition_final(data: SdtmDatasets) -> Iterator[Hit]:
    subjects, disposition = data.get("DM"), _disposition(data, "DSCAT")
    if subjects is not None and disposition is not None and subjects.has("ACTARMCD"):
        ended = _subjects_with(disposition, disposition.equals("DSCAT", "DISPOSITION EVENT"))
        yield Hit("DM", "USUBJID", data.assigned("ACTARMCD") & ~subjects.equals("USUBJID", *ended))


@rule("disposition.category", "A record of DS has its category.", DISPOSITION, covers="FB1401")
def disposition_category(data: SdtmDatasets) -> Iterator[Hit]:
    disposition = _disposition(data, "DSCAT")
    if disposition is not None:
        yield Hit("DS", "DSCAT", ~disposition.filled("DSCAT"))


@rule("disposition.kind", "A milestone of the protocol and a disposition event are of their category: RANDOMIZED is a"
      " milestone, COMPLETED none.", DISPOSITION)  # fmt: skip
def disposition_kind(data: SdtmDatasets) -> Iterator[Hit]:
    disposition = _disposition(data, "DSCAT")
    lists = data.terminology.codelists
    if disposition is None or MILESTONES not in lists or EVENTS not in lists:
        return
    milestones, events = (set(lists[code].terms) for code in (MILESTONES, EVENTS))
    for category, others in ((MILESTONE, events - milestones), (EVENT, milestones - events)):
        yield Hit("DS", "DSCAT", disposition.equals("DSCAT", category) & disposition.equals("DSDECOD", *others))


@rule("event.withdrawn", "A subject of one treatment that was withdrawn for an event did not complete it.", DISPOSITION,
      "warning")  # fmt: skip
def event_withdrawn(data: SdtmDatasets) -> Iterator[Hit]:
    disposition, events, exposure = _disposition(data, "DSCAT"), data.get("AE"), data.get("EX")
    if disposition is None or events is None or exposure is None or not events.has("USUBJID", "AEACN"):
        return
    pairs = np.unique(np.stack([exposure.column("USUBJID").codes, exposure.column("EXTRT").codes], axis=1), axis=0)
    owners, treatments = np.unique(pairs[:, 0], return_counts=True)
    single = [exposure.column("USUBJID").texts[owner] for owner in owners[treatments == 1]]
    done = _subjects_with(disposition, _of_treatment(disposition, COMPLETED))
    left = _subjects_with(disposition, disposition.equals("DSCAT", EVENT) & ~disposition.equals("DSDECOD", COMPLETED))
    rows = events.equals("AEACN", "DRUG WITHDRAWN") & events.equals("USUBJID", *(set(done) & set(single)))
    yield Hit("AE", "AEACN", rows & ~events.equals("USUBJID", *left))


def _of_treatment(disposition: Domain, *words: str) -> np.ndarray:
    """Return True for disposition events of treatment, or of the study as a whole, with one of the terms."""
    kind = disposition.each("DSSCAT", lambda text: text.upper() in OF_TREATMENT)
    return disposition.equals("DSDECOD", *words) & disposition.equals("DSCAT", "DISPOSITION EVENT") & kind


@rule("disposition.treated", "A subject who completed was treated, and not after completing.", DISPOSITION)
def disposition_treated(data: SdtmDatasets) -> Iterator[Hit]:
    disposition, exposure = _disposition(data, "DSCAT", "DSSTDTC"), data.get("EX")
    if disposition is None or exposure is None or not exposure.has("USUBJID", "EXSTDTC"):
        return
    done = _of_treatment(disposition, COMPLETED)
    yield Hit("DS", "DSDECOD", done & ~disposition.equals("USUBJID", *exposure.column("USUBJID").held))
    begun = exposure.bounds("EXSTDTC")[0]
    last = np.full(len(disposition.column("USUBJID").texts) + 1, MISSING_DAY)
    owner = exposure.column("USUBJID").each(lambda text: disposition.column("USUBJID").places.get(text, -1), int)
    np.fmax.at(last, owner[owner >= 0], begun[owner >= 0])
    late = last[disposition.column("USUBJID").codes] > disposition.bounds("DSSTDTC")[1]
    yield Hit("DS", "DSSTDTC", done & late)


@rule("disposition.event", "A subject withdrawn for an adverse event has an event for which treatment was withdrawn.",
      DISPOSITION, "warning")  # fmt: skip
def disposition_event(data: SdtmDatasets) -> Iterator[Hit]:
    disposition, events = _disposition(data, "DSCAT"), data.get("AE")
    if disposition is None or events is None or not events.has("USUBJID", "AEACN"):
        return
    withdrawn = events.column("USUBJID").take(events.equals("AEACN", "DRUG WITHDRAWN", "MULTIPLE")).held
    left = _of_treatment(disposition, "ADVERSE EVENT")
    with_events = events.column("USUBJID").held
    yield Hit("DS", "DSDECOD", left & ~disposition.equals("USUBJID", *withdrawn))
    yield Hit(
        "DS", "DSDECOD", left & ~disposition.equals("USUBJID", *with_events), "It has no event.", severity="error"
    )


@rule("disposition.death", "A subject with a disposition of death did not complete the study.",
      DISPOSITION, "warning")  # fmt: skip
def disposition_death(data: SdtmDatasets) -> Iterator[Hit]:
    disposition = _disposition(data, "DSCAT")
    if disposition is not None:
        dead = _subjects_with(disposition, disposition.equals("DSDECOD", "DEATH"))
        done = _of_treatment(disposition, COMPLETED)
        yield Hit("DS", "DSDECOD", done & disposition.equals("USUBJID", *dead) & disposition.equals("DSSCAT", ""))


@rule("event.after_disposition", "An adverse event starts no later than the subject's last disposition event.",
      "SDTMIG 3.3, section 6.2.1", "warning", covers="FB3401")  # fmt: skip
def event_after_disposition(data: SdtmDatasets) -> Iterator[Hit]:
    disposition, events = _disposition(data, "DSSTDTC"), data.get("AE")
    if disposition is None or events is None or not events.has("USUBJID", "AESTDTC"):
        return
    names = events.column("USUBJID")
    last = np.full(len(names.texts) + 1, MISSING_DAY)
    owner = disposition.column("USUBJID").each(lambda text: names.places.get(text, -1), int)
    np.fmax.at(last, owner[owner >= 0], disposition.bounds("DSSTDTC")[1][owner >= 0])
    yield Hit("AE", "AESTDTC", events.bounds("AESTDTC")[0] > last[names.codes])
