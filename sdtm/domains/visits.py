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


def undated_events(study: Study, block: Block, project: Project) -> list[str]:
    """Return the planned visits' events that have no date field of the visit on any form: nothing asks for a date."""
    events = [name for name, visit in study.visit_events.items() if not visit.unscheduled]
    dated = date_fields(block, project, visit_events(study), study.visit_of_form)
    asked = {study.visit_of_form.get(form) for form in dated}
    return [
        event for event in events
        if event not in asked and not any(project.designated(event, form) for form in dated)
    ]  # fmt: skip


@dataclass(frozen=True)
class UndatedVisits:
    """Whose the rows of the forms are of visits at which nothing asks for a date, and where they are in the records."""

    keys: dict[str, CodedText]
    source_row: np.ndarray


def undated_visits(study: Study, block: Block, forms: Forms, earlier: Set[str] = frozenset()) -> UndatedVisits:
    """Return the rows that hold values of visits at which no form asks for a date.

    Visits of ``earlier`` records are numbered by their dates, so that of these there are none.
    """
    keys: dict[str, list[CodedText]] = {name: [CodedText.constant("", 0)] for name in KEY}
    rows = [np.empty(0, np.int32)]
    undated = undated_events(study, block, forms.project)
    for form in _forms_of(undated, study, forms.project):
        own = forms.keys(form)
        own["instance"] = visit_instance(forms.project, own["event"], own["instance"])
        at = np.flatnonzero(own["event"].isin(undated) & ~own["record"].isin(earlier))
        rows.append(forms.rows(form)[at])
        for name in KEY:
            keys[name].append(own[name].take(at))
    return UndatedVisits({name: CodedText.stack(pieces) for name, pieces in keys.items()}, np.concatenate(rows))


def visits_source(forms: Forms, dates: VisitDates, undated: UndatedVisits) -> FormRows:
    """Return one row a visit that took place: a record, event and instance with at least one date.

    A visit at which no form asks for a date took place if its forms hold values; its dates are null, as SVSTDTC and
    SVENDTC may be (Expected, SDTMIG 3.3, section 5.4).
    """
    known = np.flatnonzero(~np.isnat(dates.day))
    keys = {name: CodedText.stack([dates.keys[name].take(known), undated.keys[name]]) for name in KEY}
    first = first_of_each([keys[name] for name in KEY])
    return FormRows.of_keys(forms, {name: text.take(first) for name, text in keys.items()})


def put_sources(table: DomainTable, undated: UndatedVisits, record_id: str) -> None:
    """Note the rows of the records that say that a visit without dates took place."""
    row = first_match([undated.keys[name] for name in KEY], [table.hidden[name] for name in KEY])
    if (row >= 0).any():
        table.edges.append(Edges(row[row >= 0], "USUBJID", REDCAP, undated.source_row[row >= 0], record_id))


def _forms_of(events: list[str], study: Study, project: Project) -> list[str]:
    """Return the forms that are filled at some of the events."""
    visit = study.visit_of_form
    return [
        form for form in project.dictionary.forms
        if visit.get(form) in events or any(project.designated(event, form) for event in events)
    ]  # fmt: skip


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
