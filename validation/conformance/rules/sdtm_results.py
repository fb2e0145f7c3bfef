"""Rules about tests and results in findings domains."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import (
    Domain,
    SdtmDatasets,
    not_usual,
    repeated,
)

ORIGINAL = "SDTMIG 3.3, section 4.5.1.1"
NOT_DONE = "SDTMIG 3.3, section 4.5.1.2"
BASELINE = "SDTMIG 3.3, section 4.5.9"
CODE = r"[A-Z_][A-Z0-9_]{0,7}"
LONGEST_TEST = 40
TEST = ("--TESTCD", "--OBJ", "--CAT", "--SCAT", "--SPEC", "--LOC", "--LAT", "--DIR", "--POS")
WAY_OF_TESTING = ("--METHOD", "--EVAL", "--EVALID", "--TPT", "--REPNUM")
TOLERANCE = 1e-9


def _findings(data: SdtmDatasets) -> list[Domain]:
    return [domain for domain in data if domain.is_findings]


@rule(
    "test.pair",
    "Each test code has one test name, and each name one code.",
    "SDTMIG 3.3, section 4.3.5",
    covers="FB0901",
)
def test_pair(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for code, name in (("--TESTCD", "--TEST"), ("TSPARMCD", "TSPARM"), ("ETCD", "ELEMENT"), ("ARMCD", "ARM")):
            if domain.has(code, name):
                codes, names = domain.column(code).codes, domain.column(name).codes
                yield Hit(domain.name, domain.full(code), not_usual(codes, names) | not_usual(names, codes))


@rule(
    "test.decode",
    "A test code and its name are the same concept of the terminology.",
    "SDTMIG 3.3, section 4.3.5",
    version="terminology",
)
def test_decode(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        lists = {item.name: item.codelist for item in domain.guide}
        for code, name in (("--TESTCD", "--TEST"), ("TSPARMCD", "TSPARM")):
            pair = [lists.get(domain.full(part), "") for part in (code, name)]
            if domain.has(code, name) and all(part in data.terminology.codelists for part in pair):
                names = data.terminology.decode(*pair)
                wanted = domain.column(code).replace(names, "").array()
                yield Hit(domain.name, domain.full(name), (wanted != "") & (wanted != domain.text(name)))


@rule("test.code", "A test code is at most eight capitals, digits and underscores and begins with no digit.",
      "SDTMIG 3.3, section 4.2.1", covers="CG0372")  # fmt: skip
def test_code(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data):
        yield Hit(domain.name, domain.full("--TESTCD"), ~domain.matches("--TESTCD", CODE))


@rule("test.length", "A test name has at most 40 characters.", "SDTMIG 3.3, section 4.5.3.1")
def test_length(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        if domain.is_findings and domain.name not in ("TI", "IE"):
            long = domain.each("--TEST", lambda word: len(word) > LONGEST_TEST)
            yield Hit(domain.name, domain.full("--TEST"), long)


@rule("result.standard", "An original result has its standard one, and one that is not derived its original.",
      ORIGINAL)  # fmt: skip
def result_standard(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data):
        if domain.has("--ORRES", "--STRESC"):
            original, standard = domain.filled("--ORRES"), domain.filled("--STRESC")
            yield Hit(domain.name, domain.full("--STRESC"), original & ~standard)
            yield Hit(domain.name, domain.full("--ORRES"), standard & ~original & ~domain.equals("--DRVFL", "Y"))


@rule(
    "result.numeric",
    "--STRESN is the number that --STRESC shows, and null where it shows none.",
    ORIGINAL,
    covers="FB3101, FB3102, FB3103",
)
def result_numeric(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data):
        if domain.has("--STRESC", "--STRESN"):
            shown, number = domain.number("--STRESC"), domain.number("--STRESN")
            missing = np.isnan(shown) != np.isnan(number)
            differs = np.abs(shown - number) > TOLERANCE * np.maximum(1, np.abs(shown))
            rounded = domain.column("--STRESC").each(_rounding, float)
            close = ~missing & (np.abs(shown - number) <= rounded * (1 + TOLERANCE))
            yield Hit(domain.name, domain.full("--STRESN"), (missing | differs) & ~close)
            yield Hit(domain.name, domain.full("--STRESN"), differs & close, "It is rounded.", severity="warning")


def _rounding(text: str) -> float:
    """Return half of the last place of a number with decimals, 0 of one without."""
    decimals = text.partition(".")[2]
    return 0.5 * 10.0 ** -len(decimals) if decimals.isdigit() else 0.0


@rule("status.without_result", "A test that was not done has no result, unit or grade.", NOT_DONE, covers="CG0422")
def status_without_result(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data):
        undone = domain.equals("--STAT", "NOT DONE")
        for name in ("--ORRES", "--STRESC", "--STRESN", "--NRIND", "--TOXGR"):
            if domain.has(name):
                yield Hit(domain.name, domain.full(name), undone & domain.filled(name))


@rule("status.missing", "A record has a result, or says that the test was not done.", NOT_DONE)
def status_missing(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data):
        if domain.has("--ORRES"):
            silent = ~domain.filled("--ORRES") & ~domain.filled("--STRESC") & ~domain.filled("--STAT")
            yield Hit(domain.name, domain.full("--ORRES"), silent)


@rule(
    "status.reason",
    "What was not done has its reason.",
    NOT_DONE + "; FDA Business Rule FB4202",
    "warning",
    covers="FB4202",
)
def status_reason(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.having("--STAT"):
        lacking = domain.equals("--STAT", "NOT DONE") & ~domain.filled("--REASND")
        yield Hit(domain.name, domain.full("--REASND"), lacking)


@rule("status.reason_alone", "A reason for not being done is given only with NOT DONE.", NOT_DONE, covers="CG0094")
def status_reason_alone(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.having("--REASND"):
        alone = domain.filled("--REASND") & ~domain.equals("--STAT", "NOT DONE")
        yield Hit(domain.name, domain.full("--REASND"), alone)


@rule(
    "range.order",
    "A reference range's lower limit is not above its upper one.",
    "SDTMIG 3.3, section 6.3.6",
    covers="FB3901",
)
def range_order(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data):
        for low, high in (("--STNRLO", "--STNRHI"), ("--ORNRLO", "--ORNRHI")):
            if domain.has(low, high):
                yield Hit(domain.name, domain.full(low), domain.number(low) > domain.number(high))


@rule("range.indicator", "--NRIND says where the result lies in its reference range, which has that limit.",
      "SDTMIG 3.3, section 6.3.6")  # fmt: skip
def range_indicator(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.having("--NRIND", "--STRESN"):
        value, low, high = (domain.number(name) for name in ("--STRESN", "--STNRLO", "--STNRHI"))
        indicator = domain.text("--NRIND")
        without = np.isnan(low) & (indicator == "LOW") | np.isnan(high) & (indicator == "HIGH")
        neither = np.isnan(low) & np.isnan(high) & (indicator == "NORMAL")
        wrong = _misplaced(indicator, value, low, high)
        if domain.has("--ORRES", "--ORNRLO", "--ORNRHI"):  # limits are rounded as they are converted
            result, lower, upper = (domain.number(name) for name in ("--ORRES", "--ORNRLO", "--ORNRHI"))
            wrong &= _misplaced(indicator, result, lower, upper, otherwise=True)
        wrong |= without & ~domain.filled("--STNRC")
        silent = (indicator == "") & ~np.isnan(value) & ~np.isnan(low) & ~np.isnan(high)
        yield Hit(domain.name, domain.full("--NRIND"), wrong | silent)
        by_test = domain.group("--TESTCD")
        has_limits = np.bincount(by_test, ~np.isnan(low) | ~np.isnan(high)) > 0
        unsaid = neither & ~domain.filled("--STNRC") & ~np.isnan(value)
        yield Hit(domain.name, domain.full("--NRIND"), unsaid & has_limits[by_test], severity="warning")


def _misplaced(
    indicator: np.ndarray, value: np.ndarray, low: np.ndarray, high: np.ndarray, otherwise: bool = False
) -> np.ndarray:
    """Return True where a value and its indicator disagree; ``otherwise`` where value or limits are missing."""
    wrong = (indicator == "LOW") & (value >= low) | (indicator == "HIGH") & (value <= high)
    wrong |= (indicator == "NORMAL") & ((value < low) | (value > high))
    unknown = np.isnan(value) | np.isnan(low) & np.isnan(high)
    return np.asarray(np.where(unknown, otherwise, wrong))


def _flagged(data: SdtmDatasets) -> list[Domain]:
    return [domain for domain in data.having("--LOBXFL", "--DTC", "USUBJID") if domain.is_findings]


@rule("baseline.one", "A subject has at most one baseline of a test.", BASELINE, covers="FB2603, FB2604")
def baseline_one(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data):
        for flag in ("--LOBXFL", "--BLFL"):
            if domain.has(flag):
                group, is_flagged = domain.group("USUBJID", *TEST, *WAY_OF_TESTING), domain.equals(flag, "Y")
                again = repeated(np.where(is_flagged, group, -1), keep=False) & is_flagged
                yield Hit(domain.name, domain.full(flag), again)


@rule("baseline.result", "A baseline has a result.", BASELINE, covers="CG0569, FB2601")
def baseline_result(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _findings(data):
        for flag in ("--LOBXFL", "--BLFL"):
            if domain.has(flag, "--STRESC"):
                yield Hit(domain.name, domain.full(flag), domain.equals(flag, "Y") & ~domain.filled("--STRESC"))


@rule("baseline.before_exposure", "The last observation before exposure is not after RFXSTDTC.", BASELINE)
def baseline_before_exposure(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _flagged(data):
        first = data.subject_bounds(domain, "RFXSTDTC")[1]
        late = (domain.bounds("--DTC")[0] > first) | np.isnat(first)
        yield Hit(domain.name, domain.full("--LOBXFL"), domain.equals("--LOBXFL", "Y") & late)


@rule("baseline.last", "The last result before exposure is flagged, or one on the day of exposure.", BASELINE)
def baseline_last(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in _flagged(data):
        day, group = domain.day("--DTC"), domain.group("USUBJID", *TEST)
        before = domain.filled("--STRESC") & (day < data.subject_day(domain, "RFXSTDTC"))
        days, flag = day.astype("datetime64[D]").astype(float), domain.equals("--LOBXFL", "Y")
        latest = _latest(group, np.where(before, days, np.nan))
        flagged = _latest(group, np.where(flag & ~np.isnat(day), days, np.nan))
        yield Hit(domain.name, domain.full("--LOBXFL"), before & (days == latest) & ~(flagged >= latest))


def _latest(group: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return the largest number of each record's group, NaN where all are."""
    best = np.full(group.max(initial=-1) + 1, np.nan)
    np.fmax.at(best, group, days)
    return np.asarray(best[group])
