"""Study days (SDTMIG 3.3, section 4.4.4) and the last observation before exposure (section 4.5.9)."""

from __future__ import annotations

import numpy as np

from metadata.coded_text import CodedText
from metadata.study import Study
from sdtm.columns.table import NO_DAY, DomainTable
from sdtm.mapping.domain_mapping import DomainMapping

GROUP = ("TESTCD", "OBJ", "CAT", "SCAT", "SPEC", "LOC", "LAT", "DIR", "POS")
"""Suffixes of what is measured and where: results that differ in one of them have a baseline each."""


def day_pairs(mapping: DomainMapping) -> list[tuple[str, str]]:
    """Return (--DTC, --DY) pairs of a domain in the guide's order: AESTDTC with AESTDY, LBDTC with LBDY."""
    pairs = []
    for name in mapping.by_name:
        if name.startswith(mapping.domain) and name.endswith("DTC"):
            day = f"{name.removesuffix('DTC')}DY"
            if mapping.has(day):
                pairs.append((name, day))
    return pairs


def complete_days(table: DomainTable, name: str) -> np.ndarray:
    """Return the day of complete dates, NaT for partial ones."""
    first, last = table.days(name)
    return np.where(first == last, first, NO_DAY)


def of_subject(table: DomainTable, subjects: DomainTable, name: str) -> np.ndarray:
    """Return the complete day of a date of DM for each row."""
    at = table.match_rows(subjects)
    return np.append(complete_days(subjects, name), NO_DAY)[at]


def study_days(table: DomainTable, subjects: DomainTable, date: str) -> np.ndarray:
    """Return days from RFSTDTC without a day 0; NaN unless both dates are complete."""
    difference = (complete_days(table, date) - of_subject(table, subjects, "RFSTDTC")) / np.timedelta64(1, "D")
    return np.where(difference >= 0, difference + 1, difference)


def predose_visits(study: Study) -> list[float]:
    """VISITNUM of the visits whose untimed results count as taken before the dose of that day."""
    return [visit.visitnum for visit in study.visits if visit.predose and visit.visitnum is not None]


def baseline_group(mapping: DomainMapping) -> list[str]:
    """Return the variables whose values have a baseline each: those of GROUP, and those that the mapping declares."""
    return list(dict.fromkeys([*map(mapping.prefixed, GROUP), *mapping.baseline_by]))


def last_before_exposure(study: Study, mapping: DomainMapping, table: DomainTable, subjects: DomainTable) -> CodedText:
    """Return Y on the last result before RFXSTDTC of each subject and baseline group.

    A result of that day counts if both have a time of day and its is the earlier, or at a visit that study.yaml calls
    predose; records without a result or a complete date never count. Of several on the last day the later time, then
    the later visit, then the later repetition, then the later record, is flagged: time points, methods, evaluators and
    repetitions have one flag between them unless the mapping's ``baseline_by`` names them.
    """
    day = complete_days(table, mapping.prefixed("DTC"))
    start = of_subject(table, subjects, "RFXSTDTC")
    predose = np.isin(table.number("VISITNUM"), predose_visits(study)) | _earlier_that_day(mapping, table, subjects)
    early = (day < start) | ((day == start) & predose)
    rows = np.flatnonzero(early & table.present(mapping.prefixed("ORRES")) & table.kept())
    flagged = np.zeros(table.count, bool)
    if not len(rows):
        return CodedText.constant("", table.count)
    names = [name for name in baseline_group(mapping) if table.has(name)]
    groups = [table.subject.codes[rows], *(_values(table, name)[rows] for name in names)]
    repetition = _numbers(table, mapping.prefixed("REPNUM"))[rows]
    number = _numbers(table, "VISITNUM")[rows]
    moment = table.text(mapping.prefixed("DTC")).ranks()[rows]
    order = np.lexsort((rows, repetition, number, moment, day[rows].astype(np.int64), *groups[::-1]))
    ordered = np.column_stack([group[order] for group in groups])
    last = np.append((ordered[1:] != ordered[:-1]).any(axis=1), True)
    flagged[rows[order[last]]] = True
    return CodedText.of_codes(flagged, ["", "Y"])


def _numbers(table: DomainTable, name: str) -> np.ndarray:
    """Return a variable's numbers, -1 where it has none."""
    if name not in table.numbers:
        return np.full(table.count, -1.0)
    return np.nan_to_num(table.number(name), nan=-1.0)


def _values(table: DomainTable, name: str) -> np.ndarray:
    """Return one number for each distinct value of a variable."""
    return _numbers(table, name) if name in table.numbers else table.text(name).codes


def _earlier_that_day(mapping: DomainMapping, table: DomainTable, subjects: DomainTable) -> np.ndarray:
    """Return where a result has a time of day, as RFXSTDTC has, and is the earlier of the two as text."""
    moments = table.text(mapping.prefixed("DTC"))
    timed = moments.test(_has_time)
    if not timed.any():
        return timed
    began = subjects.text("RFXSTDTC").take(table.match_rows(subjects))
    moment, start = CodedText.stack([moments, began]).ranks().reshape(2, -1)
    return np.asarray(timed & began.test(_has_time) & (moment < start))


def _has_time(moment: str) -> bool:
    return "T" in moment
