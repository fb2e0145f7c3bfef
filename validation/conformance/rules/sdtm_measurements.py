"""Rules about results that cannot be: sign, size, pairs, texts in the place of numbers, limits that are missing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from metadata.plausible_results import plausible_results
from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import Domain, SdtmDatasets, repeated

ORIGINAL = "SDTMIG 3.3, section 4.5.1"
FINDINGS = "SDTMIG 3.3, section 6.3"
MAY_BE_NEGATIVE = re.compile(r"BASEEXC|ANIONG|.*(CHG|DIFF|SCORE|AXIS|Z)")
COUNTED = re.compile(r".*(10\^\d+|/(L|mL|uL|dL|HPF|LPF)|mmHg|beats/min|breaths/min|kg|cm|msec|sec|fL|pg)$")
MISTYPED = re.compile(r"[<>=\s]*[-+]?\d*(\d,\d|\d[OolI]|[OolI]\d|\.\d*\.)[\d.]*|[-+]?\d[\d.]*\s*[A-Za-z/%^]+[\w/^%.]*")
NUMERIC = re.compile(r"(?:<=|>=|<|>)?\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
WHEN = ("USUBJID", "--DTC", "VISITNUM", "--TPTNUM", "--TPT", "--POS", "--LOC", "--LAT", "--REPNUM", "--EVAL", "--GRPID")
TEST = ("--TESTCD", "--CAT", "--SCAT", "--SPEC", "--METHOD", "--ANTREG", "--OBJ", "--FAST")
MOSTLY = 0.9


def _findings(data: SdtmDatasets, *names: str) -> list[Domain]:
    return [domain for domain in data.having("--TESTCD", *names) if domain.is_findings]


@rule("result.sign", "A concentration, count, pressure, rate, size or time is not negative.", FINDINGS)
def result_sign(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data, "--STRESN", "--STRESU"):
        counted = domain.each("--STRESU", COUNTED.fullmatch) & ~domain.each("--TESTCD", MAY_BE_NEGATIVE.fullmatch)

        yield Hit(domain.name, domain.full("--STRESN"), counted & (domain.number("--STRESN") < 0))


@rule("result.possible", "A vital sign, a blood count or an interval of an ECG is one that a living person can have.",
      FINDINGS)  # fmt: skip
def result_possible(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data, "--STRESN"):
        value, wrong = domain.number("--STRESN"), np.zeros(domain.size, bool)
        for (test, unit), (low, high) in plausible_results().items():
            if test in domain.column("--TESTCD").places:
                named = domain.equals("--TESTCD", test) & domain.equals("--STRESU", unit)
                wrong |= named & ((value < low) | (value > high))
        yield Hit(domain.name, domain.full("--STRESN"), wrong)


@rule("result.pressure", "A systolic pressure is above the diastolic one of the same moment.", FINDINGS)
def result_pressure(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data, "--STRESN", "USUBJID"):
        if {"SYSBP", "DIABP"} <= set(domain.column("--TESTCD").texts):
            moment = domain.group(*(name for name in WHEN if domain.has(name)))
            value, count = domain.number("--STRESN"), int(moment.max(initial=-1)) + 1
            known = ~np.isnan(value)
            upper, lower = (domain.equals("--TESTCD", code) & known for code in ("SYSBP", "DIABP"))
            single = (np.bincount(moment, upper, count) == 1) & (np.bincount(moment, lower, count) == 1)
            systolic, diastolic = (np.bincount(moment, np.where(rows, value, 0), count) for rows in (upper, lower))
            yield Hit(domain.name, domain.full("--STRESN"), upper & (single & (systolic <= diastolic))[moment])


@rule("result.twice", "A test has one result at a moment: a second is of another time, place or way.", FINDINGS,
      "warning")  # fmt: skip
def result_twice(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data, "USUBJID", "--DTC"):
        if domain.has("--STRESC"):
            names = [name for name in (*TEST, *WHEN) if domain.has(name)]
            dated = domain.filled("--DTC") & domain.filled("--STRESC")
            group = domain.group(*names, "--STRESC")
            yield Hit(domain.name, domain.full("--STRESC"), repeated(np.where(dated, group, -1)) & dated)


@rule("result.mistyped", "A result in a unit is a number: no comma, letter or unit in it.", ORIGINAL)
def result_mistyped(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data, "--ORRES"):
        text = domain.each("--ORRES", lambda one: bool(MISTYPED.fullmatch(one)) and not NUMERIC.fullmatch(one))
        if text.any():
            in_unit = domain.filled("--ORRESU") & _mostly_numbers(domain)
            yield Hit(domain.name, domain.full("--ORRES"), text & in_unit)


def _mostly_numbers(domain: Domain) -> np.ndarray:
    """Return True for the records of tests whose results are numbers but for a few."""
    tests, filled = domain.column("--TESTCD").codes, domain.filled("--ORRES")
    numeric = domain.each("--ORRES", NUMERIC.fullmatch)
    share = np.bincount(tests, numeric) / np.maximum(np.bincount(tests, filled), 1)
    return np.asarray(share[tests] >= MOSTLY)


@rule("result.unit_name", "A result that has a standard unit has been given in a unit.", ORIGINAL, "warning")
def result_unit_name(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data, "--ORRES", "--ORRESU", "--STRESU"):
        lost = domain.filled("--ORRES") & domain.filled("--STRESU") & ~domain.filled("--ORRESU")
        yield Hit(domain.name, domain.full("--ORRESU"), lost)


@rule("range.given", "A result has the limits that its laboratory gives for the test elsewhere.",
      "SDTMIG 3.3, section 6.3.6", "warning")  # fmt: skip
def range_given(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data, "--ORNRLO", "--ORNRHI", "--ORRESU"):
        source = [name for name in ("--NAM", "--TESTCD", "--SPEC", "--METHOD", "--ORRESU", "--CAT") if domain.has(name)]
        group = domain.group(*source)
        limits = domain.filled("--ORNRLO") | domain.filled("--ORNRHI") | domain.filled("--STNRC")
        measured = domain.filled("--ORRES") & domain.filled("--ORRESU")
        share = np.bincount(group, limits & measured) / np.maximum(np.bincount(group, measured), 1)
        yield Hit(domain.name, domain.full("--ORNRHI"), measured & ~limits & (share[group] >= MOSTLY))


@rule("range.standard", "Limits that are given in the original unit are given in the standard unit.",
      "SDTMIG 3.3, section 6.3.6")  # fmt: skip
def range_standard(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data, "--STRESN"):
        for end in ("LO", "HI"):
            if domain.has(f"--ORNR{end}", f"--STNR{end}"):
                given = ~np.isnan(domain.number(f"--ORNR{end}")) & ~np.isnan(domain.number("--STRESN"))
                yield Hit(domain.name, domain.full(f"--STNR{end}"), given & np.isnan(domain.number(f"--STNR{end}")))


@rule("range.original", "The lower limit of the original unit is not above the upper one.", "SDTMIG 3.3, section 6.3.6",
      covers="FB3902")  # fmt: skip
def range_original(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data, "--ORNRLO", "--ORNRHI"):
        yield Hit(domain.name, domain.full("--ORNRLO"), domain.number("--ORNRLO") > domain.number("--ORNRHI"))


@rule("time_point.reference", "A planned time from a reference has its reference.", "SDTMIG 3.3, section 4.4.10",
      covers="CG0008, FB4405")  # fmt: skip
def time_point_reference(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.having("--ELTM"):
        yield Hit(domain.name, domain.full("--TPTREF"), domain.filled("--ELTM") & ~domain.filled("--TPTREF"))


@rule("text.full_stop", "No text is a full stop alone.", "FDA Business Rule FB1502", covers="FB1502")
def text_full_stop(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for name in domain.texts:
            yield Hit(domain.name, name, domain.equals(name, "."))


@rule("amount.negative", "A dose, duration or volume is not negative.", "FDA Business Rules FB4002 to FB4006",
      covers="FB4003, FB4004, FB4005, FB4006")  # fmt: skip
def amount_negative(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for name in ("--DOSTOT", "--VAMT"):
            if domain.has(name):
                yield Hit(domain.name, domain.full(name), domain.number(name) < 0)
        for name in ("--DUR", "--PDUR"):
            if domain.has(name):
                yield Hit(domain.name, domain.full(name), domain.each(name, lambda text: text.startswith("-")))


@rule("day.end", "A start is not after its end, in study days as in dates.", "SDTMIG 3.3, section 4.4.4",
      covers="FB3209")  # fmt: skip
def day_end(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.having("--STDY", "--ENDY"):
        dated = domain.filled("--STDTC") & domain.filled("--ENDTC")  # period.order has these
        yield Hit(domain.name, domain.full("--ENDY"), (domain.number("--STDY") > domain.number("--ENDY")) & ~dated)
