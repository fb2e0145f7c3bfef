"""Rules about what the trial summary says of the trial, against the design, the subjects and what they were given."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from metadata.trial_summary import summary_parameters
from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets

SUMMARY = "SDTMIG 3.3, section 7.4 and appendix C1"
VERSIONS = {"SDTIGVER": "sdtmig", "SDTMVER": "sdtm"}
SINGLE, SEVERAL = ("SINGLE GROUP",), ("PARALLEL", "FACTORIAL")
SEXES = {"M": ("F",), "F": ("M",)}
"""The sexes that a trial of one sex does not have."""
PARTS = (365.25, 30.44, 7.0, 1.0)
DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?")


def _summary(data: SdtmDatasets) -> Domain | None:
    found = data.get("TS")
    return found if found is not None and found.has("TSPARMCD", "TSVAL") else None


def _row(summary: Domain, code: str) -> np.ndarray:
    return summary.equals("TSPARMCD", code) & summary.filled("TSVAL")


@rule("summary.design", "Model and randomisation in TS are those of the data: a single group has one arm,"
      " parallel groups have several, and only a randomised trial has randomisations.", SUMMARY, "warning")  # fmt: skip
def summary_design(data: SdtmDatasets) -> Iterator[Hit]:
    summary, design, disposition = _summary(data), data.get("TA"), data.get("DS")
    if summary is None:
        return
    if design is not None and design.has("ARMCD"):
        count = sum(bool(code) for code in design.column("ARMCD").held)
        wrong = SINGLE if count > 1 else SEVERAL
        rows = _row(summary, "INTMODEL") & summary.equals("TSVAL", *wrong)
        yield Hit("TS", "TSVAL", rows, f"TA has {count} arms.")
    if disposition is not None and disposition.equals("DSDECOD", "RANDOMIZED").any():
        yield Hit("TS", "TSVAL", _row(summary, "RANDOM") & summary.equals("TSVAL", "N"), "DS has randomisations.")


@rule("summary.sexes", "A trial of one sex has assigned subjects of that sex only.", SUMMARY, "warning")
def summary_sexes(data: SdtmDatasets) -> Iterator[Hit]:
    summary, subjects = _summary(data), data.get("DM")
    if summary is not None and subjects is not None and subjects.has("SEX", "ARMCD"):
        for sex, others in SEXES.items():
            if (_row(summary, "SEXPOP") & summary.equals("TSVAL", sex)).any():
                yield Hit("DM", "SEX", subjects.equals("SEX", *others) & data.assigned())


@rule("summary.versions", "The versions of SDTM and its guide in the trial summary are those that the study, or its"
      " define.xml, names.", SUMMARY, needs=("guide",))  # fmt: skip
def summary_versions(data: SdtmDatasets) -> Iterator[Hit]:
    summary = _summary(data)
    for code, key in VERSIONS.items() if summary is not None else ():
        named = data.study.standards.get(key, "")
        if summary is not None and named:
            yield Hit("TS", "TSVAL", _row(summary, code) & ~summary.equals("TSVAL", named), f"It is not {named}.")


@rule("summary.cutoff", "The cut-off of the trial summary is that of the study, and no record starts after it.",
      SUMMARY, "warning")  # fmt: skip
def summary_cutoff(data: SdtmDatasets) -> Iterator[Hit]:
    summary = _summary(data)
    if summary is None:
        return
    rows = _row(summary, "DCUTDTC")
    if data.study.cutoff:
        yield Hit("TS", "TSVAL", rows & ~summary.equals("TSVAL", data.study.cutoff), severity="error")
    last = summary.bounds("TSVAL")[1][rows]
    for domain in data.having("USUBJID") if len(last) == 1 and not np.isnat(last[0]) else ():
        for name in ("--STDTC", "--DTC"):
            if domain.has(name):
                yield Hit(domain.name, domain.full(name), domain.bounds(name)[0] > last[0])


@rule("summary.treatments", "The treatments of the trial summary are given in EX.", SUMMARY, "warning")
def summary_treatments(data: SdtmDatasets) -> Iterator[Hit]:
    summary, exposure = _summary(data), data.of_domain("EX")
    given = [text.upper() for domain in exposure if domain.has("EXTRT") for text in domain.column("EXTRT").held if text]
    if summary is not None and given:
        treatment = _row(summary, "TRT") | _row(summary, "COMPTRT")
        yield Hit("TS", "TSVAL", treatment & ~summary.each("TSVAL", lambda text: _is_given(text.upper(), given)))


def _is_given(name: str, given: list[str]) -> bool:
    """Return True if one name is part of another: a salt, a strength or a device may be named in one place only."""
    words = set(re.findall(r"\w{4,}", name))
    return any(name in text or text in name or words & set(re.findall(r"\w{4,}", text)) for text in given)


@rule("summary.length", "The trial is as long for a subject as its treatment (LENGTH, PLNTRDUR).", SUMMARY, "warning")
def summary_length(data: SdtmDatasets) -> Iterator[Hit]:
    summary = _summary(data)
    if summary is not None:
        length, treatment = (_days(summary, code) for code in ("LENGTH", "PLNTRDUR"))
        yield Hit("TS", "TSVAL", _row(summary, "LENGTH") & np.full(summary.size, 1.05 * length < treatment))


def _days(summary: Domain, code: str) -> float:
    """Return a duration in days, NaN unless it is given once and without hours; a month has 30.44 days."""
    found = [DURATION.fullmatch(text) for text in summary.text("TSVAL")[_row(summary, code)]]
    if len(found) != 1 or found[0] is None:
        return np.nan
    return float(sum(float(part or 0) * days for part, days in zip(found[0].groups(), PARTS, strict=True)))


@rule("summary.term_code", "The code of a value that has a codelist is that of the term.", SUMMARY)
def summary_term_code(data: SdtmDatasets) -> Iterator[Hit]:
    summary = _summary(data)
    if summary is None or not summary.has("TSVALCD"):
        return
    wrong = np.zeros(summary.size, bool)
    for one in summary_parameters():
        listed = data.terminology.codelists.get(one.codelist) if one.codelist else None
        for term in (listed.terms if listed else {}).values():
            if term.code:
                said = _row(summary, one.paramcd) & summary.equals("TSVAL", term.value)
                wrong |= said & summary.filled("TSVALCD") & ~summary.equals("TSVALCD", term.code)
    yield Hit("TS", "TSVALCD", wrong)
