"""Rules about datasets that every package of a trial has."""

from __future__ import annotations

from collections.abc import Iterator

from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import SdtmDatasets

TECHNICAL_GUIDE = "FDA Study Data Technical Conformance Guide, section 4.1.1.3"
MISSING = "The dataset is missing: map the form that has it, or explain in conformance.yaml why there is none."
NEEDED = ("AE", "DS", "EX", "SE", "SV", "TA", "TE", "TI", "TV")


@rule("dataset.summary", "The study has a trial summary (TS), in which its start date is.",
      "FDA Technical Rejection Criteria for Study Data, criterion 1734", covers="1734, SD1115")  # fmt: skip
def dataset_summary(data: SdtmDatasets) -> Iterator[Hit]:
    summary = data.get("TS")
    if summary is None or not summary.size:
        yield Hit("TS", detail="The dataset is missing.")


@rule("dataset.needed", "The datasets are there that every trial with subjects has: adverse events, disposition,"
      " exposure, elements, visits, and the design.", TECHNICAL_GUIDE)  # fmt: skip
def dataset_needed(data: SdtmDatasets) -> Iterator[Hit]:
    subjects = data.get("DM")
    if subjects is not None and subjects.size:
        there = {domain.name[:2] for domain in data if domain.has("DOMAIN")}
        yield from (Hit(code, detail=MISSING) for code in NEEDED if code not in there)
