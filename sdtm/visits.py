"""Visits: what dates a visit has (SV), and which visit each record belongs to.

Planned events carry their VISITNUM in study.yaml. Instances of a repeating unscheduled event become n.1, n.2 after the
last planned visit before them, by date (SDTMIG 3.3, section 5.4 on unplanned visits).
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from metadata import iso8601
from metadata.project import Project
from metadata.study import Study
from metadata.units import text_of
from sdtm.mapping import Block
from sdtm.source import Forms, Source
from sdtm.table import NO_DAY, REDCAP, Edge, Table, Withheld

KEY = ["record", "event", "instance"]
EARLIER = "EARLIER PARTICIPATION"  # SVUPDES of visits at which a subject was screened before


def visit_instance(project: Project, event: pd.Series, instance: pd.Series) -> pd.Series:
    """Return the instance where the whole event repeats, blank where only a form does."""
    repeating = [name for name in project.event_names if project.event_repeats(name)]
    return instance.where(event.isin(repeating), "")


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


def visit_dates(study: Study, block: Block, forms: Forms) -> pd.DataFrame:
    """Return every date on the visits' forms: record, event, instance, date, day, row of the records, field."""
    events = visit_events(study)
    pieces = []
    for form, fields in date_fields(block, forms.project, events, study.visit_of_form).items():
        frame = forms.form(form)
        frame = frame[frame["event"].isin(events)]
        instance = visit_instance(forms.project, frame["event"], frame["instance"])
        for name in [name for name in fields if name in frame.columns]:
            piece = frame[["record", "event", "source_row"]].assign(
                instance=instance, date=_day(frame[name]), field=name
            )
            pieces.append(piece[piece["date"] != ""])
    columns = [*KEY, "date", "source_row", "field"]
    dates = pd.concat(pieces, ignore_index=True)[columns] if pieces else pd.DataFrame({name: [] for name in columns})
    text = dates["date"].astype("str")
    day = np.where(iso8601.is_complete(text), iso8601.day_bounds(text)[0], NO_DAY).astype("datetime64[D]")
    return dates.assign(day=day, coded=text.isin(list(forms.project.missing_codes)))


def _day(moments: pd.Series) -> pd.Series:
    """Return the day of dates and of moments; SVSTDTC and SVENDTC are days, whatever has a time on the forms."""
    return moments.astype("str").str.replace(r" \d\d:\d\d(:\d\d)?$", "", regex=True)


def visits_source(forms: Forms, dates: pd.DataFrame) -> Source:
    """Return one row a visit that took place: a record, event and instance with at least one date."""
    keys = dates.loc[dates["day"].notna(), KEY].drop_duplicates().reset_index(drop=True)
    return Source.of_keys(forms, keys)


def put_dates(table: Table, dates: pd.DataFrame) -> None:
    """Set SVSTDTC and SVENDTC: the earliest and the latest date on the visit's forms."""
    keys = pd.DataFrame({name: np.asarray(table.hidden[name], dtype=object) for name in KEY})
    placed = dates.merge(keys.assign(row=np.arange(table.count)), on=KEY, how="left")
    known = placed[placed["day"].notna()]
    for name, ascending in (("SVSTDTC", True), ("SVENDTC", False)):
        chosen = known.sort_values(["row", "day"], ascending=[True, ascending], kind="stable")
        first = chosen.drop_duplicates("row")
        values = np.full(table.count, "", dtype=object)
        values[first["row"].to_numpy(int)] = first["date"].to_numpy(dtype=object)
        table.put(name, values)
    counted = placed["row"].notna() & (placed["day"].notna() | placed["coded"])
    for field, group in placed[counted].groupby("field", sort=True):
        rows, source = group["row"].to_numpy(int), group["source_row"].to_numpy(np.int32)
        table.edges.append(Edge("SVSTDTC", REDCAP, str(field), rows, source))
    for field, group in placed[~counted].groupby("field", sort=True):
        reason = "it is no complete date, so that it is not a date of the visit"
        table.withheld.append(Withheld(group["source_row"].to_numpy(np.int32), str(field), reason))


def number_visits(study: Study, table: Table, earlier: Set[str] = frozenset()) -> None:
    """Set VISITNUM, VISIT and VISITDY of SV, unscheduled visits numbered by date after the planned one before.

    So are the visits of ``earlier`` records, at which a subject was screened before: they come before visit 1.
    """
    event = pd.Series(np.asarray(table.hidden["event"], dtype=object), dtype="str")
    number, name, day = planned(study, event)
    start = table.days("SVSTDTC")[0]
    again = np.asarray(table.hidden["record"].isin(list(earlier)), bool)  # type: ignore[union-attr]
    number[again], day[again] = np.nan, np.nan
    unscheduled = event.isin(_unscheduled(study)).to_numpy(bool) | again
    frame = pd.DataFrame({"subject": np.asarray(table.subject, dtype=object), "day": start, "number": number})
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
        told = np.asarray(table.text("SVUPDES"), dtype=object)
        table.put("SVUPDES", np.where(again & (told == ""), EARLIER, told))
    table.put("VISITNUM", number)
    table.put("VISIT", name)
    table.put("VISITDY", day)


def _unscheduled(study: Study) -> list[str]:
    return [event for event, visit in study.visit_events.items() if visit.get("unscheduled")]


def planned(study: Study, event: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return VISITNUM, VISIT and VISITDY of each event as study.yaml plans them."""
    visits = study.visit_events.items()
    numbers = {event: float(visit.get("visitnum", np.nan)) for event, visit in visits}
    names = {event: str(visit["visit"]) for event, visit in visits}
    days = {event: float(visit.get("day", np.nan)) for event, visit in visits}
    return (
        event.map(numbers).astype(float).to_numpy(copy=True),
        event.map(names).fillna("").to_numpy(dtype=object, copy=True),
        event.map(days).astype(float).to_numpy(copy=True),
    )


@dataclass(frozen=True)
class VisitColumns:
    """VISITNUM, VISIT and VISITDY of the rows of a table."""

    number: np.ndarray
    name: np.ndarray
    day: np.ndarray


def assign_visits(
    study: Study, project: Project, table: Table, visits: Table | None, earlier: Set[str] = frozenset()
) -> VisitColumns:
    """Return the visit of each row from its event; records of log forms have none."""
    events = table.hidden["event"]
    assert isinstance(events, pd.Categorical)
    number, name, day = planned(study, pd.Series(events.categories, dtype="str"))
    blanks: tuple[Any, ...] = (np.nan, "", np.nan)
    columns = [np.append(made, none)[events.codes] for made, none in zip((number, name, day), blanks, strict=True)]
    again = np.asarray(table.hidden["record"].isin(list(earlier)), bool)  # type: ignore[union-attr]
    unscheduled = np.flatnonzero(np.asarray(events.isin(_unscheduled(study))) | again)
    if len(unscheduled):
        columns[0][unscheduled], columns[1][unscheduled], columns[2][unscheduled] = np.nan, "", np.nan
        if visits is not None:
            _numbered(project, table, visits, unscheduled, columns)
    return VisitColumns(columns[0], columns[1], columns[2])


def _numbered(project: Project, table: Table, visits: Table, rows: np.ndarray, columns: list[np.ndarray]) -> None:
    """Fill in the numbers that SV gave unscheduled visits."""
    mine = pd.DataFrame({name: np.asarray(table.hidden[name].take(rows), dtype=object) for name in KEY})  # type: ignore[union-attr]
    mine["instance"] = visit_instance(project, mine["event"], mine["instance"])
    theirs = pd.DataFrame({name: np.asarray(visits.hidden[name], dtype=object) for name in KEY})
    theirs["number"], theirs["name"] = visits.number("VISITNUM"), np.asarray(visits.text("VISIT"), dtype=object)
    matched = mine.merge(theirs, on=KEY, how="left")
    columns[0][rows] = matched["number"].to_numpy(float)
    columns[1][rows] = matched["name"].fillna("").to_numpy(dtype=object)
