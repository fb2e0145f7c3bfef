"""Rules about what was given: doses, units, and the treatment against the arm."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import SdtmDatasets, not_usual

EXPOSURE = "SDTMIG 3.3, section 6.1.3"
USUAL = 10


@rule("exposure.given", "A record of exposure has its dose, as a number or as a text.", EXPOSURE, covers="CG0462")
def exposure_given(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.of_domain("EX"):
        if domain.has("EXDOSE"):
            taken = ~domain.equals("EXOCCUR", "N") & ~domain.filled("EXSTAT")
            yield Hit(domain.name, "EXDOSE", taken & np.isnan(domain.number("EXDOSE")) & ~domain.filled("EXDOSTXT"))


@rule("exposure.zero", "A dose of 0 is one of placebo, and a dose of placebo is 0.", EXPOSURE, covers="CG0102")
def exposure_zero(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.of_domain("EX"):
        if domain.has("EXDOSE", "EXTRT"):
            dose, placebo = domain.number("EXDOSE"), domain.each("EXTRT", lambda text: "PLACEBO" in text.upper())
            yield Hit(domain.name, "EXDOSE", domain.equals("EXTRT", "PLACEBO") & (dose > 0))
            yield Hit(domain.name, "EXDOSE", ~placebo & (dose == 0), "It is not a dose of placebo.", severity="warning")


@rule("exposure.unit", "A treatment is dosed in one unit, form and route.", EXPOSURE, "warning")
def exposure_unit(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.of_domain("EX"):
        for name in ("EXDOSU", "EXROUTE"):
            if domain.has("EXTRT", name):
                filled = domain.filled(name)
                unusual = not_usual(domain.column("EXTRT").codes, domain.column(name).codes, filled)
                yield Hit(domain.name, name, unusual & filled)


@rule("exposure.arm", "A subject takes what others of its arm take: not what one in ten of them take or fewer, and"
      " another arm as a rule.", EXPOSURE, "warning")  # fmt: skip
def exposure_arm(data: SdtmDatasets) -> Iterator[Hit]:
    domain, subjects = data.get("EX"), data.get("DM")
    if domain is None or subjects is None or not domain.has("EXTRT", "USUBJID") or not subjects.has("ACTARMCD"):
        return
    arms, arm = np.unique(data.subject_text(domain, "ACTARMCD").astype("U"), return_inverse=True)
    drug, owner = domain.column("EXTRT").codes, domain.column("USUBJID").codes
    takers = np.zeros((len(arms), len(domain.column("EXTRT").texts)), int)
    distinct = np.unique(np.stack([arm, drug, owner], axis=1), axis=0)
    np.add.at(takers, (distinct[:, 0], distinct[:, 1]), 1)
    of_arm = np.bincount(np.unique(np.stack([arm, owner], axis=1), axis=0)[:, 0], minlength=len(arms))
    share = takers / np.maximum(of_arm, 1)[:, None]
    rare = (share[arm, drug] <= 1 / USUAL) & (share[:, drug].max(axis=0, initial=0.0) > 1 / 2) & (arms[arm] != "")
    yield Hit("EX", "EXTRT", rare)
