"""Rules about study days, periods and epochs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from validation.conformance.rule import Hit, rule
from validation.conformance.sdtm_datasets import MISSING_DAY, Domain, SdtmDatasets

DAYS = (("--DY", "--DTC"), ("--STDY", "--STDTC"), ("--ENDY", "--ENDTC"))
STUDY_DAY = "SDTMIG 3.3, section 4.4.4"
PERIOD = "SDTMIG 3.3, section 4.4.3"
DAY = np.timedelta64(1, "D")
NO_EPOCH = ("SE", "TA", "DM", "TV", "TE")
HISTORY = ("MH", "FA", "SC", "CM", "SU", "DM", "SV", "SE", "CE", "AE", "CO")


def expected_day(data: SdtmDatasets, domain: Domain, date: str) -> np.ndarray:
    """Return --DY as RFSTDTC makes it; NaN unless both dates are complete."""
    days, start = domain.day(date), data.subject_day(domain, "RFSTDTC")
    known = ~np.isnat(days) & ~np.isnat(start)
    difference = np.where(known, (days - start) / DAY, np.nan)
    return np.where(difference >= 0, difference + 1, difference)


@rule(
    "day.study_day",
    "A study day counts from RFSTDTC without a day 0; it is null for a partial date.",
    STUDY_DAY,
    covers="CG0006, FB1603",
)
def day_study_day(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.having("USUBJID"):
        for day, date in DAYS:
            if domain.has(day, date):
                given, wanted = domain.number(day), expected_day(data, domain, date)
                yield Hit(domain.name, domain.full(day), ~np.isnan(given) & (given != wanted))


@rule("day.zero", "There is no study day 0.", STUDY_DAY)
def day_zero(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for day in ("--DY", "--STDY", "--ENDY", "VISITDY"):
            if domain.has(day):
                numbers = domain.number(day)
                yield Hit(domain.name, domain.full(day), (numbers == 0) | (numbers % 1 > 0))


@rule("day.missing", "A complete date of a subject with RFSTDTC has its study day.",
      STUDY_DAY + "; FDA Business Rules FB3202 and FB3203", "warning", covers="FB1602")  # fmt: skip
def day_missing(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.having("USUBJID"):
        guide = {item.name for item in domain.guide}
        for day, date in DAYS:
            if domain.has(date) and domain.full(day) in guide:
                lacking = np.isnan(domain.number(day)) & ~np.isnan(expected_day(data, domain, date))
                yield Hit(domain.name, domain.full(day), lacking)


@rule("period.order", "A start is not after its end.", PERIOD, covers="FB3209")
def period_order(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for start, end in (("--STDTC", "--ENDTC"), ("--DTC", "--ENDTC")):
            if domain.has(start, end) and not (start == "--DTC" and domain.has("--STDTC")):
                yield Hit(domain.name, domain.full(end), domain.bounds(start)[0] > domain.bounds(end)[1])


@rule("period.ongoing", "What is ongoing at a time point has no end, and a relative time has its time point.",
      "SDTMIG 3.3, section 4.4.7")  # fmt: skip
def period_ongoing(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data:
        for relative, point in (("--ENRTPT", "--ENTPT"), ("--STRTPT", "--STTPT")):
            if domain.has(relative):
                yield Hit(domain.name, domain.full(relative), domain.filled(relative) != domain.filled(point))
        if domain.has("--ENRTPT", "--ENDTC"):
            both = domain.equals("--ENRTPT", "ONGOING") & domain.filled("--ENDTC")
            yield Hit(domain.name, domain.full("--ENDTC"), both)


@rule("date.after_participation", "Nothing is collected after a subject's participation has ended (RFPENDTC).",
      "SDTMIG 3.3, section 5.2; FDA Business Rule FB3407", "warning", covers="FB3406, FB3407")  # fmt: skip
def date_after_participation(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.having("USUBJID"):
        if domain.is_observations or domain.name == "SV":
            end = data.subject_bounds(domain, "RFPENDTC")[1]
            for name in ("--DTC", "--STDTC", "--ENDTC"):
                if domain.has(name):
                    yield Hit(domain.name, domain.full(name), domain.bounds(name)[0] > end)


@rule("date.before_consent", "Nothing is done to a subject before informed consent (RFICDTC).",
      "SDTMIG 3.3, section 5.2", "warning")  # fmt: skip
def date_before_consent(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.having("USUBJID"):
        name = "--DTC" if domain.is_findings else "--STDTC"
        if domain.has(name) and domain.name[:2] not in HISTORY:
            consent = data.subject_bounds(domain, "RFICDTC")[0]
            yield Hit(domain.name, domain.full(name), domain.bounds(name)[1] < consent)


@rule("date.after_death", "Nothing happens to a subject after death (DTHDTC).", "SDTMIG 3.3, section 5.2")
def date_after_death(data: SdtmDatasets) -> Iterator[Hit]:
    for domain in data.having("USUBJID"):
        for name in ("--DTC", "--STDTC", "--ENDTC"):
            collected = name == "--DTC" and domain.metadata.dataset_class == "Events"  # written down after the death
            if domain.has(name) and not collected and (domain.is_observations or domain.name in ("SV", "SE")):
                death = data.subject_bounds(domain, "DTHDTC")[1]
                yield Hit(domain.name, domain.full(name), domain.bounds(name)[0] > death)


@rule("date.cutoff", "No date lies after the data cut-off.", "the study's cutoff in study.yaml", "warning")
def date_cutoff(data: SdtmDatasets) -> Iterator[Hit]:
    cutoff = np.datetime64(data.study.cutoff, "D")
    for domain in data.having("USUBJID"):
        for name in [str(name) for name in domain.frame.columns if str(name).endswith("DTC")]:
            yield Hit(domain.name, name, domain.bounds(name)[0] > cutoff)


def _dated(data: SdtmDatasets) -> Iterator[tuple[Domain, str]]:
    """Yield the domains with EPOCH and a date, and the date that places a record in an element."""
    for domain in data.having("EPOCH", "USUBJID"):
        for name in ("--STDTC", "--DTC"):
            if domain.has(name) and domain.name not in NO_EPOCH:
                yield domain, name
                break


class _Elements(NamedTuple):
    """The elements of the subjects of SE: one row a subject, padded to the most that one of them has."""

    subjects: Mapping[str, int]
    epoch: np.ndarray
    start: np.ndarray
    end: np.ndarray

    @classmethod
    def of(cls, elements: Domain) -> _Elements:
        """Take SE; what pads a row has no start, so that nothing lies in it."""
        owner, epoch = elements.column("USUBJID"), elements.text("EPOCH")
        order = np.argsort(owner.codes, kind="stable")
        subject = owner.codes[order].astype(int)
        number = np.arange(len(order)) - np.searchsorted(subject, subject)
        shape = (len(owner.texts), int(number.max(initial=0)) + 1)
        epochs, start, end = np.full(shape, None, object), np.full(shape, MISSING_DAY), np.full(shape, MISSING_DAY)
        epochs[subject, number] = epoch[order]
        start[subject, number] = elements.bounds("SESTDTC")[0][order]
        end[subject, number] = elements.bounds("SEENDTC")[1][order]
        return cls(owner.places, epochs, start, end)

    def rows_of(self, domain: Domain) -> tuple[np.ndarray, np.ndarray]:
        """Return the records whose subject has elements, and the subject's row."""
        owner = domain.column("USUBJID")
        row = owner.each(lambda text: self.subjects.get(text, -1), int)
        known = np.flatnonzero(row >= 0)
        return known, row[known]


def _elements(data: SdtmDatasets) -> _Elements | None:
    elements = data.get("SE")
    if elements is None or not elements.has("USUBJID", "EPOCH", "SESTDTC", "SEENDTC"):
        return None
    return _Elements.of(elements)


def _placed(data: SdtmDatasets) -> Iterator[tuple[Domain, np.ndarray, list[np.ndarray], list[np.ndarray]]]:
    """Yield each dated domain with the records whose subject has elements.

    Of these the first and the last possible day, a column, and start, end and epoch of the subject's elements, a row a
    record.
    """
    elements = _elements(data)
    if elements is None:
        return
    for domain, date in _dated(data):
        at, row = elements.rows_of(domain)
        days = [bound[at, None] for bound in domain.bounds(date)]
        yield domain, at, days, [elements.start[row], elements.end[row], elements.epoch[row]]


@rule("epoch.element", "EPOCH is that of an element of the subject in which the record's date may lie.",
      "SDTMIG 3.3, section 5.3")  # fmt: skip
def epoch_element(data: SdtmDatasets) -> Iterator[Hit]:
    for domain, at, record, element in _placed(data):
        (first, last), (start, end, epoch) = record, element
        possible = (last >= start) & ((first <= end) | np.isnat(end) & ~np.isnat(first))
        same = epoch == domain.text("EPOCH")[at, None]
        fits = np.zeros(domain.size, bool)
        fits[at] = (possible & same).any(axis=1)
        wrong, within = domain.filled("EPOCH") & ~fits, np.zeros(domain.size, bool)
        within[at] = possible.any(axis=1)
        yield Hit(domain.name, "EPOCH", wrong & within)
        yield Hit(domain.name, "EPOCH", wrong & ~within, "No element has that date.", severity="warning")


@rule("epoch.missing", "A record whose date lies in an element of the subject has its EPOCH.",
      "SDTMIG 3.3, section 5.3; FDA Business Rule FB2201", "warning", covers="FB2201")  # fmt: skip
def epoch_missing(data: SdtmDatasets) -> Iterator[Hit]:
    for domain, at, (first, last), (start, end, _) in _placed(data):
        placed = np.zeros(domain.size, bool)
        placed[at] = ((first >= start) & ((last <= end) | np.isnat(end))).any(axis=1)
        yield Hit(domain.name, "EPOCH", placed & ~domain.filled("EPOCH"))


@rule(
    "element.order",
    "A subject's elements follow each other without gap or overlap.",
    "SDTMIG 3.3, section 5.3",
    covers="CG0207",
)
def element_order(data: SdtmDatasets) -> Iterator[Hit]:
    elements = data.get("SE")
    if elements is None or not elements.has("SESTDTC", "SEENDTC", "USUBJID"):
        return
    start, end, subject = elements.day("SESTDTC"), elements.day("SEENDTC"), elements.text("USUBJID")
    order = np.lexsort((start, elements.column("USUBJID").codes))
    before, after = order[:-1], order[1:]
    wrong = np.zeros(elements.size, bool)
    known = ~np.isnat(end[before]) & ~np.isnat(start[after])
    wrong[after] = (subject[before] == subject[after]) & known & (end[before] != start[after])
    yield Hit("SE", "SESTDTC", wrong)


@rule("element.design", "A subject's element is one of the trial's (TE), in an arm of the trial (TA).",
      "SDTMIG 3.3, section 5.3", "error")  # fmt: skip
def element_design(data: SdtmDatasets) -> Iterator[Hit]:
    elements, design = data.get("SE"), data.get("TE") or data.get("TA")
    if elements is not None and design is not None and elements.has("ETCD"):
        known = elements.equals("ETCD", *design.column("ETCD").held)
        unplanned = elements.equals("ETCD", "UNPLAN")
        yield Hit("SE", "ETCD", ~known & ~unplanned)
