"""Visits: what dates a visit has (SV), and which visit each record belongs to; their numbers are in visit_numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass

import numpy as np

from metadata import iso8601
from metadata.coded_matching import first_match, first_of_each
from metadata.coded_text import CodedText
from metadata.dataset import Edges
from metadata.project import Project
from metadata.study import Study
from sdtm.columns.source import FormRows, Forms
from sdtm.columns.table import (
    NO_DAY,
    REDCAP,
    DomainTable,
    Withheld,
)
from sdtm.mapping.domain_mapping import Block

KEY = ["record", "event", "instance"]
CLOCK = re.compile(r" \d\d(?::\d\d(?::\d\d)?)?$", re.ASCII)


def visit_instance(project: Project, event: CodedText, instance: CodedText) -> CodedText:
    """Return the instance where the whole event repeats, blank where only a form does."""
    return instance.where(event.test(project.event_repeats))


def visit_events(study: Study) -> list[str]:
    """Events that are visits."""
    return list(study.visit_events)


def date_fields(
    block: Block, project: Project, events: list[str], visit_of_form: Mapping[str, str]
) -> dict[str, list[str]]:
    """Return by form the date fields of visit forms, without those that the mapping excepts."""
    excepted = set(block.visits.get("except", [])) if block.visits else set()
    forms = [form for form in project.dictionary.forms if _at_a_visit(form, project, events, visit_of_form)]
    named = {
        form: [
            found.name
            for found in project.dictionary.form_fields(form)
            if found.validation.startswith(("date_", "datetime_")) and found.name not in excepted
        ]
        for form in forms
    }
    return {form: fields for form, fields in named.items() if fields}


def _at_a_visit(form: str, project: Project, events: list[str], visit_of_form: Mapping[str, str]) -> bool:
    return form in visit_of_form or any(project.designated(event, form) for event in events)


@dataclass(frozen=True)
class VisitDates:
    """Every date on the visits' forms: whose, its text, field and row of the records.

    ``day`` is NaT unless the date is complete; ``coded`` is True for a missing-data code.
    """

    keys: dict[str, CodedText]
    date: CodedText
    field: CodedText
    source_row: np.ndarray
    day: np.ndarray
    coded: np.ndarray


def visit_dates(study: Study, block: Block, forms: Forms) -> VisitDates:
    """Return every date on the visits' forms."""
    events = visit_events(study)
    keys: dict[str, list[CodedText]] = {name: [] for name in KEY}
    dates, fields, rows = [CodedText.constant("", 0)], [], [np.empty(0, np.int32)]
    for form, names in date_fields(block, forms.project, events, study.visit_of_form).items():
        own = forms.keys(form)
        own["instance"] = visit_instance(forms.project, own["event"], own["instance"])
        there = own["event"].isin(events)
        for name in names:
            text = forms.text(form, name).map(_day)
            at = np.flatnonzero(there & text.present())
            for key, values in own.items():
                keys[key].append(values.take(at))
            dates.append(text.take(at))
            fields.append(CodedText.constant(name, len(at)))
            rows.append(forms.rows(form)[at])
    date = CodedText.stack(dates)
    day = np.where(date.test(iso8601.is_full), date.spread(iso8601.text_bounds(date.texts)[0]), NO_DAY)
    stacked = {name: CodedText.stack(pieces) for name, pieces in keys.items()}
    coded = date.isin(forms.project.missing_codes)
    return VisitDates(stacked, date, CodedText.stack(fields), np.concatenate(rows), day, coded)


def _day(moment: str) -> str:
    """Return the day of a date or a moment; SVSTDTC and SVENDTC are days, whatever has a time on the forms."""
    return CLOCK.sub("", moment)


def visits_source(forms: Forms, dates: VisitDates) -> FormRows:
    """Return one row a visit that took place: a record, event and instance with at least one date."""
    known = np.flatnonzero(~np.isnat(dates.day))
    at = known[first_of_each([dates.keys[name].take(known) for name in KEY])]
    return FormRows.of_keys(forms, {name: dates.keys[name].take(at) for name in KEY})


def put_dates(table: DomainTable, dates: VisitDates) -> None:
    """Set SVSTDTC and SVENDTC: the earliest and the latest date on the visit's forms."""
    row = first_match([dates.keys[name] for name in KEY], [table.hidden[name] for name in KEY])
    known = np.flatnonzero((row >= 0) & ~np.isnat(dates.day))
    for name, sign in (("SVSTDTC", 1), ("SVENDTC", -1)):
        chosen = known[np.lexsort((sign * dates.day[known].astype(np.int64), row[known]))]
        first = chosen[np.append(True, np.diff(row[chosen]) > 0)[: len(chosen)]]
        came = np.full(table.count, -1)
        came[row[first]] = first
        table.put(name, dates.date.take(came))
    counted = (row >= 0) & (~np.isnat(dates.day) | dates.coded)
    for field in sorted(dates.field.held):
        own = dates.field.isin([field])
        if (own & counted).any():
            at = np.flatnonzero(own & counted)
            table.edges.append(Edges(row[at], "SVSTDTC", REDCAP, dates.source_row[at], field))
        if (own & ~counted).any():
            reason = "it is not a complete date, so that it is not a date of the visit"
            table.withheld.append(Withheld(dates.source_row[own & ~counted], field, reason))


def unscheduled_events(study: Study) -> list[str]:
    """Return the events whose visits were not planned."""
    return [event for event, visit in study.visit_events.items() if visit.unscheduled]


def planned_visit(study: Study, event: CodedText) -> tuple[np.ndarray, CodedText, np.ndarray]:
    """Return VISITNUM, VISIT and VISITDY of each event as study.yaml plans them."""
    visits = study.visit_events
    numbers = {name: visit.visitnum for name, visit in visits.items() if visit.visitnum is not None}
    days = {name: visit.day for name, visit in visits.items() if visit.day is not None}
    return (
        event.each(lambda name: numbers.get(name, np.nan), float),
        event.map(lambda name: visits[name].visit if name in visits else ""),
        event.each(lambda name: days.get(name, np.nan), float),
    )


@dataclass(frozen=True)
class VisitColumns:
    """VISITNUM, VISIT and VISITDY of the rows of a table."""

    number: np.ndarray
    name: CodedText
    day: np.ndarray


def assign_visits(
    study: Study, project: Project, table: DomainTable, visits: DomainTable | None, earlier: Set[str] = frozenset()
) -> VisitColumns:
    """Return the visit of each row from its event; records of log forms have none."""
    events = table.hidden["event"]
    number, name, day = planned_visit(study, events)
    unscheduled = events.isin(unscheduled_events(study)) | table.hidden["record"].isin(earlier)
    number[unscheduled], day[unscheduled] = np.nan, np.nan
    name = name.where(~unscheduled)
    if visits is not None and unscheduled.any():
        at = np.where(unscheduled, _rows_of_visits(project, table, visits), -1)
        number = np.where(at < 0, number, np.append(visits.number("VISITNUM"), np.nan)[at])
        name = name.where(at < 0, visits.text("VISIT").take(at))
    return VisitColumns(number, name, day)


def _rows_of_visits(project: Project, table: DomainTable, visits: DomainTable) -> np.ndarray:
    """Return for each row the row of SV with its record, event and instance, -1 if there is none."""
    instance = visit_instance(project, table.hidden["event"], table.hidden["instance"])
    return first_match([table.hidden["record"], table.hidden["event"], instance], [visits.hidden[name] for name in KEY])
