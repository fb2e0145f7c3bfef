"""Rules about terms and their codes, records that are there twice, and dates with gaps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets, repeated

ADVERSE = "SDTMIG 3.3, section 6.2.1"
CODING = "SDTMIG 3.3, sections 4.2.6 and 6.2"
NO_TERM = (
    "NA",
    "N/A",
    "N.A.",
    "NONE",
    "UNK",
    "UNKNOWN",
    "NOT APPLICABLE",
    "NOT DONE",
    "ND",
    ".",
    "-",
    "?",
    "NULL",
    "TBD",
)
HIERARCHY = (("--LLT", "--LLTCD"), ("--DECOD", "--PTCD"), ("--HLT", "--HLTCD"),
             ("--HLGT", "--HLGTCD"), ("--SOC", "--SOCCD"), ("--BODSYS", "--BDSYCD"),
             ("--CLAS", "--CLASCD"))  # fmt: skip
OF_A_RECORD = ("SEQ", "SPID", "GRPID", "REFID", "LNKID", "LNKGRP", "RECID")


def _reported(domain: Domain) -> str:
    """Return the variable of the reported term, --TERM or --TRT, blank if the dataset has none."""
    return next((name for name in ("--TERM", "--TRT") if domain.has(name)), "")


@rule("term.missing_word", "A reported term is a term, and not a word for one that is missing.", CODING)
def term_missing_word(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        name = _reported(domain)
        if name and domain.is_observations:
            yield Hit(domain.name, domain.full(name), domain.each(name, lambda text: text.strip().upper() in NO_TERM))


def _ambiguous(domain: Domain, one: str, other: str) -> np.ndarray:
    """Return True where one text goes with several of the other; blanks are not looked at."""
    both = domain.filled(one) & domain.filled(other)
    codes = domain.column(one).each(str.upper).astype("U") if domain.is_text(one) else domain.column(one).array()
    _, codes = np.unique(codes, return_inverse=True)
    if not both.any():
        return np.zeros(domain.size, bool)
    pairs = np.unique(np.stack([codes[both], domain.column(other).codes[both]], axis=1), axis=0)[:, 0]
    several = np.bincount(pairs, minlength=int(codes.max()) + 1) > 1
    return np.asarray(both & several[codes])


@rule("coding.term", "The same reported term is coded in the same way.", CODING, "warning")
def coding_term(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        name = _reported(domain)
        if name and domain.has("--DECOD") and domain.is_observations and domain.name != "DS":
            yield Hit(domain.name, domain.full("--DECOD"), _ambiguous(domain, name, "--DECOD"))


@rule("coding.class", "A preferred term is in one body system.", CODING, "warning")
def coding_class(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for name in ("--BODSYS", "--SOC"):
            if domain.has("--DECOD", name):
                yield Hit(domain.name, domain.full(name), _ambiguous(domain, "--DECOD", name))


@rule("coding.pair", "A term of a dictionary and its code go one to one.", CODING,
      covers="CG0049, CG0083, FB0905, FB0906, FB0907, FB0908, FB0909, FB0910, FB0911")  # fmt: skip
def coding_pair(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for name, code in HIERARCHY:
            if domain.has(name, code):
                wrong = _ambiguous(domain, name, code) | _ambiguous(domain, code, name)
                yield Hit(domain.name, domain.full(code), wrong)


@rule("event.severity", "An adverse event has a severity or a grade.", ADVERSE, "warning")
def event_severity(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.of_domain("AE"):
        named = [name for name in ("AESEV", "AETOXGR") if domain.has(name)]
        if not named:
            yield Hit(domain.name, detail="It has neither AESEV nor AETOXGR.")
        else:
            given = np.logical_or.reduce([domain.filled(name) for name in named])
            yield Hit(domain.name, named[0], ~given)


@rule("record.twice", "No record is there twice, different only in its number.", "SDTMIG 3.3, section 4.1.9", "warning")
def record_twice(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        if domain.is_observations and domain.has("USUBJID", "--SEQ") and domain.size > 1:
            own = {domain.full(f"--{name}") for name in OF_A_RECORD}
            names = [str(name) for name in domain.frame.columns if name not in own]
            yield Hit(domain.name, "", repeated(domain.group(*names)))


@rule("event.twice", "A subject has an event, treatment or procedure of the same name and start once.",
      "SDTMIG 3.3, section 4.1.9", "warning")  # fmt: skip
def event_twice(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        name = _reported(domain)
        if (
            name
            and domain.is_observations
            and domain.has("USUBJID", "--STDTC")
            and domain.name[:2] in ("AE", "CE", "EX")
        ):
            names = [
                "USUBJID",
                name,
                "--STDTC",
                "--ENDTC",
                "--LOC",
                "--LAT",
                "--SEV",
                "--TOXGR",
                "--DOSE",
                "--CAT",
                "--SCAT",
            ]
            group = domain.group(*(one for one in names if domain.has(one)))
            dated = domain.filled("--STDTC")
            yield Hit(domain.name, domain.full(name), repeated(np.where(dated, group, -1)) & dated)


@rule("date.gap", "A date that has its day has its month as well.", "SDTMIG 3.3, section 4.4.2", "warning")
def date_gap(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for name in [str(name) for name in domain.frame.columns if str(name).endswith("DTC")]:
            yield Hit(domain.name, name, domain.matches(name, r"\d{4}---\d{2}.*|--\d{2}-\d{2}.*|----?\d{2}.*"))
