"""Visits: what dates a visit has (SV), and which visit each record belongs to.

Planned events carry their VISITNUM in study.yaml. Instances of a repeating unscheduled event become n.1, n.2 after the
last planned visit before them, by date (SDTMIG 3.3, section 5.4 on unplanned visits).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from metadata import iso8601
from metadata.dataset import Edges
from metadata.project import Project
from metadata.study import Study
from metadata.units import text_of
from sdtm.columns.column import (
    Text,
    first_of_each,
    match,
    stack,
)
from sdtm.columns.source import FormRows, Forms
from sdtm.columns.table import (
    NO_DAY,
    REDCAP,
    DomainTable,
    Withheld,
)
from sdtm.mapping.domain_mapping import Block

KEY = ["record", "event", "instance"]
CLOCK = re.compile(r" \d\d:\d\d(?::\d\d)?$")
EARLIER = "EARLIER PARTICIPATION"  # SVUPDES of visits at which a subject was screened before


def visit_instance(project: Project, event: Text, instance: Text) -> Text:
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

    keys: dict[str, Text]
    date: Text
    field: Text
    source_row: np.ndarray
    day: np.ndarray
    coded: np.ndarray


def visit_dates(study: Study, block: Block, forms: Forms) -> VisitDates:
    """Return every date on the visits' forms."""
    events = visit_events(study)
    keys: dict[str, list[Text]] = {name: [] for name in KEY}
    dates, fields, rows = [Text.constant("", 0)], [], [np.empty(0, np.int32)]
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
            fields.append(Text.constant(name, len(at)))
            rows.append(forms.rows(form)[at])
    date = stack(dates)
    day = np.where(date.test(iso8601.is_full), iso8601.word_bounds(date.words)[0][date.codes], NO_DAY)
    stacked = {name: stack(pieces) for name, pieces in keys.items()}
    coded = date.isin(forms.project.missing_codes)
    return VisitDates(stacked, date, stack(fields), np.concatenate(rows), day, coded)


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
    row = match([dates.keys[name] for name in KEY], [table.hidden[name] for name in KEY])
    known = np.flatnonzero((row >= 0) & ~np.isnat(dates.day))
    for name, sign in (("SVSTDTC", 1), ("SVENDTC", -1)):
        chosen = known[np.lexsort((sign * dates.day[known].astype(np.int64), row[known]))]
        first = chosen[np.append(True, np.diff(row[chosen]) > 0)[: len(chosen)]]
        values = np.full(table.count, "", dtype=object)
        values[row[first]] = dates.date.take(first).array()
        table.put(name, values)
    counted = (row >= 0) & (~np.isnat(dates.day) | dates.coded)
    for code, field in enumerate(dates.field.words):
        own = dates.field.codes == code
        if (own & counted).any():
            at = np.flatnonzero(own & counted)
            table.edges.append(Edges(row[at], "SVSTDTC", REDCAP, dates.source_row[at], field))
        if (own & ~counted).any():
            reason = "it is no complete date, so that it is not a date of the visit"
            table.withheld.append(Withheld(dates.source_row[own & ~counted], field, reason))


def number_visits(study: Study, table: DomainTable, earlier: Set[str] = frozenset()) -> None:
    """Set VISITNUM, VISIT and VISITDY of SV, unscheduled visits numbered by date after the planned one before.

    So are the visits of ``earlier`` records, at which a subject was screened before: they come before visit 1.
    """
    event = table.hidden["event"]
    number, name, day = planned(study, event)
    start = table.days("SVSTDTC")[0]
    again = table.hidden["record"].isin(earlier)
    number[again], day[again] = np.nan, np.nan
    unscheduled = event.isin(_unscheduled(study)) | again
    frame = pd.DataFrame({"subject": table.subject.array(), "day": start, "number": number})
    frame["row"] = np.arange(table.count)
    before = frame[~unscheduled & ~np.isnat(start) & ~np.isnan(number)].sort_values(["day", "number"])
    late = frame.loc[unscheduled, ["subject", "day", "row"]].sort_values(["day", "row"])
    if len(late):
        placed = pd.merge_asof(late, before[["subject", "day", "number"]], on="day", by="subject")
        base = placed["number"].fillna(0).to_numpy()
        order = placed.assign(base=base).groupby(["subject", "base"]).cumcount().to_numpy() + 1
        step = 10 if order.max() < 10 else 100
        rows = placed["row"].to_numpy()
        number[rows] = np.round(base + order / step, 2)
        name[rows] = np.char.add(name[rows].astype(str), np.char.add(" ", text_of(number[rows]).astype(str)))
    if again.any():
        told = table.text("SVUPDES").array()
        table.put("SVUPDES", np.where(again & (told == ""), EARLIER, told))
    table.put("VISITNUM", number)
    table.put("VISIT", name)
    table.put("VISITDY", day)


def _unscheduled(study: Study) -> list[str]:
    return [event for event, visit in study.visit_events.items() if visit.get("unscheduled")]


def planned(study: Study, event: Text) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return VISITNUM, VISIT and VISITDY of each event as study.yaml plans them."""
    visits: Mapping[str, Mapping[str, Any]] = study.visit_events
    return (
        event.numbers(lambda word: float(visits.get(word, {}).get("visitnum", np.nan))),
        event.map(lambda word: str(visits[word]["visit"]) if word in visits else "").array(),
        event.numbers(lambda word: float(visits.get(word, {}).get("day", np.nan))),
    )


@dataclass(frozen=True)
class VisitColumns:
    """VISITNUM, VISIT and VISITDY of the rows of a table."""

    number: np.ndarray
    name: np.ndarray
    day: np.ndarray


def assign_visits(
    study: Study, project: Project, table: DomainTable, visits: DomainTable | None, earlier: Set[str] = frozenset()
) -> VisitColumns:
    """Return the visit of each row from its event; records of log forms have none."""
    events = table.hidden["event"]
    columns = list(planned(study, events))
    unscheduled = np.flatnonzero(events.isin(_unscheduled(study)) | table.hidden["record"].isin(earlier))
    if len(unscheduled):
        columns[0][unscheduled], columns[1][unscheduled], columns[2][unscheduled] = np.nan, "", np.nan
        if visits is not None:
            _numbered(project, table, visits, unscheduled, columns)
    return VisitColumns(columns[0], columns[1], columns[2])


def _numbered(
    project: Project, table: DomainTable, visits: DomainTable, rows: np.ndarray, columns: list[np.ndarray]
) -> None:
    """Fill in the numbers that SV gave unscheduled visits."""
    mine = {name: table.hidden[name].take(rows) for name in KEY}
    mine["instance"] = visit_instance(project, mine["event"], mine["instance"])
    at = match([mine[name] for name in KEY], [visits.hidden[name] for name in KEY])
    columns[0][rows] = np.append(visits.number("VISITNUM"), np.nan)[at]
    columns[1][rows] = np.append(visits.text("VISIT").array(), "")[at]
