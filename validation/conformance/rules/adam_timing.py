"""Rules about dates, imputation, relative days, visits, windows and periods of analysis datasets."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from metadata.iso8601 import to_sas_days
from validation.conformance.adam_datasets import (
    ADSL,
    AnalysisDataset,
    AnalysisDatasets,
    coded,
    differ,
    repeated,
)
from validation.conformance.rule import Hit, analysis_rule

TIMING = "ADaMIG 1.3, section 3.1.2"
IMPUTATION = "ADaMIG 1.3, section 3.1.3"
RECORD_TIMING = "ADaMIG 1.3, BDS Timing Variables"
WINDOWS = "ADaMIG 1.3, BDS Analysis Visit Windowing Variables"
ORDERED = (("TRTSDT", "TRTEDT"), ("ASTDT", "AENDT"), ("STARTDT", "ADT"), ("APERSDT", "APEREDT"), ("ASPRSDT", "ASPREDT"),
           ("PHSDT", "PHEDT"), ("RFICDT", "TRTSDT"), ("RFICDT", "RANDDT"), ("RFICDT", "ENRLDT"))  # fmt: skip
NUMBERED = re.compile(r"(AP\d\d|TR\d\d|PH\d|P\d\dS\d)SDT")
DAYS = (("ADT", "ADY"), ("ASTDT", "ASTDY"), ("AENDT", "AENDY"))
FROM_TEXT = (("ADT", r"(?!DM)[A-Z]{2}DTC"), ("ASTDT", r"(?!RF)[A-Z]{2}STDTC"), ("AENDT", r"(?!RF)[A-Z]{2}ENDTC"))
OBSERVED = ("ADT", "ASTDT", "AENDT", "EOSDT", "TRTSDT", "TRTEDT", "LSTALVDT", "DTHDT", "RANDDT", "RFICDT")
SECONDS = 86400
DAY_LENGTH, MONTH_LENGTH = len("YYYY-MM-DD"), len("YYYY-MM")


@analysis_rule("adam.date_whole", "A date is a whole number of days.", TIMING)
def date_whole(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for name in one.dates:
            yield Hit(one.name, name, one.number(name) % 1 > 0)


@analysis_rule("adam.cutoff", "No date of what was observed lies after the data cut-off.",
               "the study's cutoff in study.yaml", "warning")  # fmt: skip
def cutoff(data: AnalysisDatasets) -> Iterator[Hit]:
    last = float(to_sas_days(np.array([data.study.cutoff], "datetime64[D]"))[0])
    level = data.get(ADSL)
    for one in data:
        for name in OBSERVED:
            is_copy = level is not None and level is not one and level.has(name)
            if one.has(name) and not is_copy:
                yield Hit(one.name, name, one.number(name) > last)


@analysis_rule("adam.date_order", "A period's first day is not after its last.", TIMING)
def date_order(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        numbered = [(name, name[:-3] + "EDT") for name in one.names if NUMBERED.fullmatch(name)]
        for start, end in (*ORDERED, *numbered):
            if one.has(start, end):
                yield Hit(one.name, end, one.number(start) > one.number(end), f"{start} is later.")


@analysis_rule("adam.date_after_death", "Nothing happens to a subject after death.", TIMING)
def date_after_death(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.having("USUBJID"):
        death = one.of_subject("DTHDT")
        for name in ("ADT", "ASTDT", "AENDT"):
            if one.has(name) and not one.has("APERSDT"):
                yield Hit(one.name, name, one.number(name) > death)


@analysis_rule("adam.date_time", "A date with time, its date and its time are the same moment.", TIMING)
def date_time(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for name in one.names:
            if name.endswith("DTM") and not one.is_text(name):
                moment, stem = one.number(name), name[:-3]
                for part, wanted in ((f"{stem}DT", moment // SECONDS), (f"{stem}TM", moment % SECONDS)):
                    if one.has(part):
                        wrong = ~np.isnan(moment) & differ(one.number(part), wanted)
                        null = np.isnan(one.number(part))
                        yield Hit(one.name, part, wrong & ~null)
                        yield Hit(one.name, part, wrong & null, "It is null.", severity="warning")


@analysis_rule("adam.imputation_flag", "An imputation flag is Y, M or D for a date, H, M or S for a time, or null, and"
               " is given only with a date or time.", IMPUTATION)  # fmt: skip
def imputation_flag(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for name in one.names:
            if name.endswith(("DTF", "TMF")) and one.is_text(name):
                letters = ("Y", "M", "D") if name.endswith("DTF") else ("H", "M", "S")
                wrong = ~one.equals(name, "", *letters)
                made = [part for part in (name[:-1], f"{name[:-3]}DTM") if one.has(part)]
                missing = np.logical_and.reduce(
                    [np.isnan(one.number(part)) for part in made] or [np.ones(one.size, bool)]
                )
                yield Hit(one.name, name, wrong | one.filled(name) & missing)


def _texts(one: AnalysisDataset) -> Iterator[tuple[str, str]]:
    """Yield each numeric date with the SDTM text of it that the dataset has as well."""
    for name, pattern in FROM_TEXT:
        texts = [other for other in one.names if re.fullmatch(pattern, other)]
        if one.has(name) and len(texts) == 1:
            yield name, texts[0]


@analysis_rule("adam.date_imputed", "A date that is complete in SDTM is the same here, with no flag; one that"
               " is partial is within what is known, with the flag of the part imputed.", IMPUTATION)  # fmt: skip
def date_imputed(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data:
        for name, text in _texts(one):
            codes, texts = coded(one, text)
            length = np.array([len(value.partition("T")[0]) for value in texts])[codes]
            first, last = (to_sas_days(bound) for bound in one.bounds(text))
            day, flag = one.number(name), f"{name}F"
            own = ~one.filled("DTYPE") & ~np.isnan(day) & ~np.isnan(first)
            wrong = own & ((day < first) | (day > last))
            yield Hit(one.name, name, wrong, f"It is not {text}.")
            yield Hit(
                one.name, name, ~one.filled("DTYPE") & np.isnan(day) & (length >= DAY_LENGTH), f"{text} is known."
            )
            wanted = np.where(length >= DAY_LENGTH, "", np.where(length >= MONTH_LENGTH, "D", "M"))
            yield Hit(one.name, flag, own & (one.text(flag) != wanted), f"{text} says what was imputed.")


@analysis_rule("adam.relative_day", "A relative day counts from TRTSDT, which is day 1, without a day 0; it is null"
               " where a date is.", RECORD_TIMING)  # fmt: skip
def relative_day(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.having("USUBJID"):
        start = one.of_subject("TRTSDT")
        for date, day in DAYS:
            if one.has(date, day):
                elapsed = one.number(date) - start
                given = one.number(day)
                wrong = differ(given, np.where(elapsed >= 0, elapsed + 1, elapsed))
                yield Hit(one.name, day, wrong & ~np.isnan(given))
                yield Hit(one.name, day, wrong & np.isnan(given), "It is null.", severity="warning")


@analysis_rule("adam.duration", "A duration in days counts both its first and its last day, and has its unit.",
               "OCCDS 1.1, OCCDS Timing Variables", "warning")  # fmt: skip
def duration(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.having("ADURN", "ADURU", "ASTDT", "AENDT"):
        length, days = one.number("ADURN"), one.equals("ADURU", "DAYS")
        yield Hit(one.name, "ADURN", days & differ(length, one.number("AENDT") - one.number("ASTDT") + 1))
        yield Hit(one.name, "ADURU", one.filled("ADURU") == np.isnan(length))


@analysis_rule("adam.treatment_duration", "The duration of treatment in days counts its first and its last day, where"
               " nearly all subjects' does.", "ADaMIG 1.3, section 3.2.5", "warning")  # fmt: skip
def treatment_duration(data: AnalysisDatasets) -> Iterator[Hit]:
    level = data.get(ADSL)
    if level is not None and level.has("TRTDURD", "TRTSDT", "TRTEDT"):
        given = level.number("TRTDURD")
        wrong = ~np.isnan(given) & differ(given, level.number("TRTEDT") - level.number("TRTSDT") + 1)
        if wrong.sum() <= (~np.isnan(given)).sum() / 10:  # a sponsor may leave out interruptions
            yield Hit(level.name, "TRTDURD", wrong)


@analysis_rule(
    "adam.window", "A record lies in the window of its analysis visit, and the window's target too.", WINDOWS
)
def window(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic("ADY", "AWLO", "AWHI"):
        day, low, high = (one.number(name) for name in ("ADY", "AWLO", "AWHI"))
        yield Hit(one.name, "ADY", ((day < low) | (day > high)) & ~one.filled("DTYPE"))  # carried from another visit
        if one.has("AWTARGET"):
            target = one.number("AWTARGET")
            yield Hit(one.name, "AWTARGET", (target < low) | (target > high))
            if one.has("AWTDIFF"):
                apart = np.abs(_elapsed(day) - _elapsed(target))
                given = one.number("AWTDIFF")
                yield Hit(one.name, "AWTDIFF", ~np.isnan(given) & differ(given, apart))
        if one.has("AWU"):
            bounded = ~np.isnan(low) | ~np.isnan(high)
            yield Hit(one.name, "AWU", bounded & ~one.filled("AWU"))


def _elapsed(day: np.ndarray) -> np.ndarray:
    """Return days on a scale that has no gap at day 0."""
    return np.where(day > 0, day - 1, day)


@analysis_rule("adam.window_visit", "A window has an analysis visit.", WINDOWS)
def window_visit(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic("AVISIT", "AWTARGET"):
        yield Hit(one.name, "AVISIT", ~np.isnan(one.number("AWTARGET")) & ~one.filled("AVISIT"))


@analysis_rule("adam.period", "A period has one first and one last day for a subject.", RECORD_TIMING)
def period(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.having("APERIOD", "USUBJID"):
        group = one.group("USUBJID", "APERIOD")
        for name in ("APERSDT", "APEREDT"):
            if one.has(name):
                yield Hit(one.name, name, _varies(group, one.number(name)))


def _varies(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return True for rows of groups whose values are not all the same."""
    _, first, codes = np.unique(group, return_index=True, return_inverse=True)
    return np.asarray((np.bincount(codes, differ(values, values[first][codes])) > 0)[codes])


@analysis_rule("adam.on_treatment", "A record on treatment is not before the first treatment, and has one.",
               "ADaMIG 1.3, BDS Flag Variables; OCCDS 1.1, OCCDS Indicator Variables")  # fmt: skip
def on_treatment(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.having("ONTRTFL"):
        start = one.of_subject("TRTSDT")
        last = one.number("ADT") if one.has("ADT") else one.number("AENDT")
        wrong = one.equals("ONTRTFL", "Y") & (np.isnan(start) | (last < start))
        yield Hit(one.name, "ONTRTFL", wrong)


@analysis_rule("adam.analysis_flag", "Of a subject's records of a parameter, visit and type of derivation at most"
               " one is chosen by ANL01FL.", "ADaMIG 1.3, BDS Flag Variables", "warning")  # fmt: skip
def analysis_flag(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic("ANL01FL", "AVISIT"):
        chosen = one.equals("ANL01FL", "Y") & one.filled("AVISIT")
        names = [name for name in ("USUBJID", "PARAMCD", "AVISIT", "ATPT", "DTYPE", "BASETYPE") if one.has(name)]
        yield Hit(one.name, "ANL01FL", repeated(one.group(*names), chosen))
