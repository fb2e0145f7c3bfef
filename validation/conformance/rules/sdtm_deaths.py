"""Rules about death, which DM, AE, DS, DD, SS and CE tell in the same way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets

DEATH = "SDTMIG 3.3, sections 5.2 and 6.3.3"


def _dead(data: SdtmDatasets) -> Domain | None:
    found = data.get("DM")
    return found if found is not None and found.has("USUBJID", "DTHFL") else None


def _recorded(data: SdtmDatasets) -> Iterator[tuple[Domain, str, np.ndarray]]:
    """Yield the datasets that tell of a death, the variable that does, and their records of it."""
    for domain in data.of_domain("DD"):
        yield domain, "DDORRES", np.ones(domain.size, bool)
    for domain in data.of_domain("SS"):
        if domain.has("SSTESTCD", "SSSTRESC"):
            yield domain, "SSSTRESC", domain.equals("SSTESTCD", "SURVSTAT") & domain.equals("SSSTRESC", "DEAD")
    for domain in data.of_domain("CE"):
        yield domain, "CETERM", domain.equals("CETERM", "DEATH", "Death") | domain.equals("CEDECOD", "DEATH", "Death")


@rule(
    "death.recorded",
    "A death in DD, SS or CE is in DM (DTHFL).",
    DEATH,
    covers="CG0132, CG0133, FB0601, FB0602, FB0607",
)
def death_recorded(data: SdtmDatasets) -> Iterator[Hit]:
    for domain, name, rows in _recorded(data) if _dead(data) is not None else ():
        if domain.has("USUBJID"):
            yield Hit(domain.name, name, rows & (data.subject_text(domain, "DTHFL") != "Y"))


@rule("death.disposition", "A subject who died has a disposition of death.", DEATH, "warning", covers="FB0608")
def death_disposition(data: SdtmDatasets) -> Iterator[Hit]:
    subjects, disposition = _dead(data), data.get("DS")
    if subjects is not None and disposition is not None and disposition.has("DSDECOD", "USUBJID"):
        disposed = disposition.column("USUBJID").take(disposition.equals("DSDECOD", "DEATH")).held
        yield Hit("DM", "DTHFL", subjects.equals("DTHFL", "Y") & ~subjects.equals("USUBJID", *disposed))


@rule("death.event_date", "A fatal event ends on the day of death.", DEATH, covers="FB0612")
def death_event_date(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.of_domain("AE"):
        if domain.has("AEOUT", "AEENDTC", "USUBJID"):
            earliest, latest = data.subject_bounds(domain, "DTHDTC")
            first, last = domain.bounds("AEENDTC")
            apart = (first > latest) | (last < earliest)
            yield Hit(domain.name, "AEENDTC", domain.equals("AEOUT", "FATAL") & apart)
            undated = domain.equals("AEOUT", "FATAL") & np.isnat(first) & ~np.isnat(earliest)
            yield Hit(domain.name, "AEENDTC", undated, severity="warning")


@rule("death.grade", "An event of grade 5 is fatal, and a fatal event that has a grade is of grade 5.", DEATH)
def death_grade(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.of_domain("AE"):
        if domain.has("AEOUT", "AETOXGR"):
            fatal, graded = domain.equals("AEOUT", "FATAL"), domain.filled("AETOXGR")
            yield Hit(domain.name, "AETOXGR", graded & (fatal != domain.equals("AETOXGR", "5")))


@rule("death.completed", "A subject who died while in the study did not complete it after the death.", DEATH)
def death_completed(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.of_domain("DS"):
        if domain.has("DSDECOD", "DSSTDTC", "USUBJID"):
            latest = data.subject_bounds(domain, "DTHDTC")[1]
            yield Hit(
                domain.name, "DSDECOD", domain.equals("DSDECOD", "COMPLETED") & (domain.bounds("DSSTDTC")[0] > latest)
            )


@rule("death.status_date", "A status of dead is not from before the death.", DEATH, covers="CG0171, FB0613")
def death_status_date(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.of_domain("SS"):
        if domain.has("SSSTRESC", "SSDTC", "USUBJID"):
            earliest = data.subject_bounds(domain, "DTHDTC")[0]
            yield Hit(domain.name, "SSDTC", domain.equals("SSSTRESC", "DEAD") & (domain.bounds("SSDTC")[1] < earliest))
