"""Rules about what must agree between analysis datasets and tabulations: values, events, dates, treatments."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from metadata.iso8601 import to_sas_days
from validation.conformance.adam_datasets import ADSL, AnalysisDataset, AnalysisDatasets, at, differ, located
from validation.conformance.rule import Hit, analysis_rule

POINTS = "ADaMIG 1.3, BDS Datapoint Traceability Variables"
LEVEL = "ADaMIG 1.3, ADSL Treatment Timing Variables and Trial Experience"
EVENTS = "OCCDS 1.1, section 2"
IN_DM = (
    ("TRTSDT", "RFXSTDTC"),
    ("TRTEDT", "RFXENDTC"),
    ("DTHDT", "DTHDTC"),
    ("RFICDT", "RFICDTC"),
    ("EOSDT", "RFPENDTC"),
)


@analysis_rule("adam.source_value", "An analysis value that is a test's result is the one to which --SEQ leads.",
               POINTS, needs=("sdtm",))  # fmt: skip
def source_value(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic("AVAL", "USUBJID"):
        for code in one.domains:
            source = data.sdtm.domains[code]
            if source.has("--TESTCD", "--STRESN"):
                rows = one.source_rows(code)
                test = np.append(source.text("--TESTCD"), "")[rows]
                result = at(source.number("--STRESN"), rows)
                same = (rows >= 0) & (test == one.text("PARAMCD")) & ~one.filled("DTYPE") & ~np.isnan(result)
                apart = same & differ(one.number("AVAL"), result, 1e-6) & _in_unit(one, source.text("--STRESU"), rows)
                yield Hit(one.name, "AVAL", apart)


@analysis_rule("adam.source_range", "The limits of the range are those of the result to which --SEQ leads, where nearly"
               " all of the parameter are.", POINTS, "warning", needs=("sdtm",))  # fmt: skip
def source_range(data: AnalysisDatasets) -> Iterator[Hit]:
    for one in data.basic("USUBJID"):
        for code in one.domains:
            source = data.sdtm.domains[code]
            for name, limit in (("ANRLO", "--STNRLO"), ("ANRHI", "--STNRHI")):
                if one.has(name) and source.has(limit):
                    wanted, given = at(source.number(limit), one.source_rows(code)), one.number(name)
                    known = ~np.isnan(wanted) & ~np.isnan(given)
                    apart = known & differ(given, wanted, 1e-6)
                    shares = np.bincount(one.parameter, apart) / np.maximum(np.bincount(one.parameter, known), 1)
                    yield Hit(one.name, name, apart & (shares <= 1 / 10)[one.parameter])  # converted limits are right


def _in_unit(one: AnalysisDataset, units: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return True where the parameter is in the unit of its source: it names that unit, or none in brackets."""
    unit = np.append(units, "")[rows]
    named = one.column("PARAM").each(lambda text: (re.findall(r"\(([^()]*)\)\s*$", text) or [""])[-1])
    return np.asarray((named == unit) | (named == ""))


@analysis_rule("adam.events_complete", "Where the dataset of adverse events says of which population it is, the events"
               " of that population that start on or after the first treatment are all there.", EVENTS,
               needs=("sdtm",))  # fmt: skip
def events_complete(data: AnalysisDatasets) -> Iterator[Hit]:
    level = data.get(ADSL)
    for one in data.occurrences("USUBJID", "AESEQ", "SAFFL") if level is not None else ():
        events = data.sdtm.get("AE")
        if level is None or events is None or not events.has("AESEQ", "USUBJID", "AESTDTC") or not level.has("SAFFL"):
            continue
        place = located(data.subjects_of(events), level.subjects)
        safe = np.append(level.equals("SAFFL", "Y"), False)[place] & one.equals("SAFFL", "Y").all()
        start = at(level.number("TRTSDT"), place) if level.has("TRTSDT") else np.full(events.size, np.nan)
        first = to_sas_days(events.bounds("AESTDTC")[0])
        absent = safe & (located(data.keys_of_domain("AE"), one.keyed("AESEQ")) < 0)
        for rows, severity in ((absent & (first >= start), None), (absent & ~(first >= start), "warning")):
            if rows.any():
                keys = tuple(events.keys_of(np.flatnonzero(rows)))
                yield Hit(one.name, "AESEQ", None, "Events of AE are missing.", keys, severity)  # type: ignore[arg-type]


@analysis_rule("adam.level_dates", "The dates of treatment, consent and death in ADSL are those of DM.", LEVEL,
               needs=("sdtm",))  # fmt: skip
def level_dates(data: AnalysisDatasets) -> Iterator[Hit]:
    level, subjects = data.get(ADSL), data.sdtm.get("DM")
    if level is None or subjects is None:
        return
    rows = located(level.subjects, data.subjects_of(subjects))
    for name, source in IN_DM:
        if level.has(name) and subjects.has(source):
            first, last = (at(to_sas_days(days), rows) for days in subjects.bounds(source))
            day = np.floor(level.number(name))
            apart = (day < first) | (day > last)
            sure = name in ("TRTSDT", "DTHDT", "RFICDT")
            yield Hit(ADSL, name, apart, f"DM has another {source}.", severity=None if sure else "note")


@analysis_rule("adam.level_death", "A subject who died in DM died in ADSL, and the reverse.", LEVEL, needs=("sdtm",))
def level_death(data: AnalysisDatasets) -> Iterator[Hit]:
    level, subjects = data.get(ADSL), data.sdtm.get("DM")
    if level is None or subjects is None or not subjects.has("DTHFL"):
        return
    died = np.append(subjects.equals("DTHFL", "Y"), False)[located(level.subjects, data.subjects_of(subjects))]
    if level.has("DTHFL"):
        yield Hit(ADSL, "DTHFL", died != level.equals("DTHFL", "Y"))
    if level.has("DTHDT"):
        yield Hit(ADSL, "DTHDT", ~np.isnan(level.number("DTHDT")) & ~died)


@analysis_rule("adam.subject_records", "A subject who has results of a dataset's tests has records in the dataset.",
               POINTS, "warning", needs=("sdtm",))  # fmt: skip
def subject_records(data: AnalysisDatasets) -> Iterator[Hit]:
    level = data.get(ADSL)
    for one in data.basic("USUBJID", "AVAL") if level is not None else ():
        for code in one.domains:
            source = data.sdtm.domains[code]
            if level is not None and source.has("--TESTCD", "--STRESN", "USUBJID"):
                used = source.equals("--TESTCD", *one.column("PARAMCD").held) & ~np.isnan(source.number("--STRESN"))
                known = located(data.subjects_of(source), level.subjects) >= 0
                if level.has("SAFFL") and one.has("SAFFL") and one.equals("SAFFL", "Y").all():
                    place = located(data.subjects_of(source), level.subjects)
                    known &= np.append(level.equals("SAFFL", "Y"), False)[place]
                lost = used & known & (located(data.subjects_of(source), one.subjects) < 0)
                if lost.any():
                    rows = np.flatnonzero(lost)
                    places = tuple(sorted({f"USUBJID={text}" for text in source.text("USUBJID")[rows]}))
                    yield Hit(one.name, "USUBJID", None, f"{code} has results of them.", places)
