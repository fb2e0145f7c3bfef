"""Kinds of checks about dates; a partial date is an interval, and only what is certain is a finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Annotated

import numpy as np

from metadata.declaration_limits import Entries
from metadata.project import Project
from metadata.study import Study
from metadata.yaml_source import complain
from validation.checks.data import CheckData, CheckRows
from validation.checks.kind import (
    Check,
    CheckFinding,
    DateOperand,
    FieldName,
    Logic,
    Operand,
    kind,
)

DAYS_IN_MONTH = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
DAY = np.timedelta64(1, "D")


def _shown(days: np.ndarray) -> np.ndarray:
    """Return days as ISO texts, blank for none."""
    return np.where(np.isnat(days), "", np.datetime_as_string(days)).astype(object)


@kind(
    "date_order",
    "The date {then} lies before {first}.",
    "a date not before {first}",
    ("first", "then"),
)
@dataclass(frozen=True, kw_only=True)
class DatesInOrder(Check):
    """``then`` is certainly earlier than ``first`` (or on the same day, where ``same_day`` is false)."""

    first: DateOperand
    then: DateOperand
    same_day: bool = True

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        first, then = rows.dates(self.first), rows.dates(self.then)
        earliest, latest = rows.days(self.first)[0], rows.days(self.then)[1]
        before = latest < earliest
        if not self.same_day:
            before |= latest == earliest
        return CheckFinding(before, {"first": first.to_numpy(object), "then": then.to_numpy(object)})


@kind(
    "impossible_date",
    "The date {date} is not in the calendar.",
    "a day that the month has",
    ("date",),
)
@dataclass(frozen=True, kw_only=True)
class ImpossibleDate(Check):
    """Year, month and day, each within its range, give no day of the calendar."""

    date: Annotated[list[Operand], Entries(1, 3)]

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        names = self.date
        numbers = [rows.column(name).number for name in names]
        year, month, day = (
            numbers[index] if index < len(numbers) else np.full(len(rows), np.nan) for index in range(3)
        )
        judged = (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (month % 1 == 0)
        most = DAYS_IN_MONTH[np.where(judged, month, 1).astype(int)]
        common = ~np.isnan(year) & ~((year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0)))
        most = np.where((month == 2) & common, 28, most)
        return CheckFinding(judged & (day > most), {"date": rows.dates(names).to_numpy(object)})


@kind(
    "text_date",
    "The text {value} cannot be read as a date.",
    "a date of the calendar, written as the field's note says",
)
@dataclass(frozen=True, kw_only=True)
class ReadableTextDate(Check):
    """A free-text date is not written as ``text_dates`` of study.yaml says, or not in the calendar."""

    def check(self, project: Project, study: Study) -> None:
        """Raise StudyError for a field of which study.yaml does not say how its dates are written."""
        if self.field not in study.text_dates:
            raise complain(self.node, "field", f"text_dates of study.yaml does not list '{self.field}'")

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        import pandas as pd

        texts = pd.Series(rows.text(self.field), dtype="str")
        return CheckFinding(~rows.text_dates[self.field].is_readable(texts).to_numpy(bool), {})


@kind(
    "no_overlap",
    "The interval starts {start}, but an earlier one lasts until {previous_end}.",
    "a start after the earlier one has ended, or an earlier end of that one",
    ("start", "previous_end"),
)
@dataclass(frozen=True, kw_only=True)
class NoOverlap(Check):
    """An interval of a record, and of one group of ``by``, starts on or before the end of one that started earlier."""

    start: DateOperand
    end: DateOperand
    by: Annotated[list[FieldName], Entries(0)] = attribute(default_factory=list)
    ongoing_logic: Logic | None = None

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        import pandas as pd

        start, end = rows.days(self.start)[1], rows.days(self.end)[0]
        goes_on = rows.condition(self.ongoing_logic) if self.ongoing_logic else np.zeros(len(rows), bool)
        is_open = goes_on & np.isnat(end)
        end = np.where(is_open, np.datetime64("9999-12-31"), np.where(np.isnat(end), start, end))
        frame = pd.DataFrame({"record": rows.keys["record"].to_numpy(object), "start": start.astype("datetime64[s]")})
        for name in self.by:
            frame[name] = rows.text(name)
        frame["end"] = end.astype("datetime64[D]").astype(np.int64)
        groups = ["record", *self.by]
        known = frame[~np.isnat(start)].assign(instance=rows.instance_number[~np.isnat(start)])
        ordered = known.sort_values([*groups, "start", "instance"], kind="stable")
        latest = ordered.groupby(groups, sort=False)["end"].cummax()
        previous = latest.groupby([ordered[name] for name in groups]).shift()
        reached = previous.reindex(frame.index).to_numpy(float)
        last = np.where(np.isnan(reached), np.iinfo(np.int64).min, np.nan_to_num(reached)).astype("datetime64[D]")
        shown = np.where(last == np.datetime64("9999-12-31"), "now (ongoing)", _shown(last))
        return CheckFinding(~np.isnan(reached) & (start <= last), {"start": _shown(start), "previous_end": shown})


@kind(
    "spread",
    "The dates of one visit lie {spread} days apart, from {earliest} to {latest}; this one is the farthest off.",
    "dates at most {days} days apart, or another visit",
    ("spread", "earliest", "latest", "days"),
)
@dataclass(frozen=True, kw_only=True)
class DateSpread(Check):
    """Dates on the forms of one visit lie more than ``days`` apart; the one farthest from the anchor is queried."""

    dates: list[Operand]
    anchor: Operand
    days: float

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        names = self.dates
        if not len(rows):
            return CheckFinding(np.zeros(0, bool))
        days = np.stack([_day_numbers(rows, name) for name in names])
        known = ~np.isnan(days)
        lowest = np.where(known, days, np.inf).min(axis=0)
        highest = np.where(known, days, -np.inf).max(axis=0)
        width = np.where(known.any(axis=0), highest - lowest, 0)
        anchor = _day_numbers(rows, self.anchor)
        anchor = np.where(np.isnan(anchor), _medians(days, known), anchor)
        farthest = np.argmax(np.where(known, np.abs(days - anchor), -1), axis=0)
        limit = np.full(len(rows), f"{self.days:g}", object)
        details = {"spread": _whole(width), "earliest": _iso(lowest), "latest": _iso(highest), "days": limit}
        return CheckFinding(width > self.days, details, np.array(names, object)[farthest])


def _day_numbers(rows: CheckRows, name: str) -> np.ndarray:
    days = rows.days(name)[0]
    return np.where(np.isnat(days), np.nan, days.astype(np.int64))


def _medians(days: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Median of each column; 0 where a column knows nothing."""
    return np.nanmedian(np.where(known.any(axis=0), days, 0.0), axis=0)


def _iso(days: np.ndarray) -> np.ndarray:
    finite = np.isfinite(days)
    made = np.datetime_as_string(np.where(finite, days, 0).astype(np.int64).astype("datetime64[D]"))
    return np.where(finite, made, "").astype(object)


def _whole(numbers: np.ndarray) -> np.ndarray:
    known = np.isfinite(numbers)
    return np.where(known, np.where(known, numbers, 0).astype(np.int64).astype(str), "").astype(object)


@kind(
    "visit_window",
    "The visit took place on day {day}, outside its window (day {low} to {high}).",
    "a date from {from_date} to {to_date}, or a protocol deviation on record",
    ("day", "low", "high", "from_date", "to_date"),
)
@dataclass(frozen=True, kw_only=True)
class VisitWindow(Check):
    """A visit's date lies outside the window that study.yaml gives it, in days from the reference (day 1)."""

    date: Operand
    reference: Operand

    def check(self, project: Project, study: Study) -> None:
        """Raise StudyError for a form none of whose visits has a window."""
        own = study.visit_of_form.get(self.form)
        events = [own] if own else [one for one in project.event_names if project.designated(one, self.form)]
        visits = [study.visit_events[event] for event in events if event in study.visit_events]
        if not any(visit.day is not None and visit.window for visit in visits):
            problem = f"no visit of the form '{self.form}' has a day and a window in study.yaml"
            raise complain(self.node, "form", problem)

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        import pandas as pd

        elapsed = _day_numbers(rows, self.date) - _day_numbers(rows, self.reference)
        bounds = {
            event: _window(visit.day, visit.window)
            for event, visit in data.study.visit_events.items()
            if visit.day is not None and visit.window
        }
        visit = data.study.visit_of_form.get(rows.form)
        events = pd.Series(visit, index=rows.keys.index) if visit else rows.keys["event"]
        low = events.map({event: pair[0] for event, pair in bounds.items()}).to_numpy(float)
        high = events.map({event: pair[1] for event, pair in bounds.items()}).to_numpy(float)
        reference = _day_numbers(rows, self.reference)
        details = {"day": _study_day(elapsed), "low": _study_day(low), "high": _study_day(high)}
        details |= {"from_date": _iso(reference + low), "to_date": _iso(reference + high)}
        return CheckFinding((elapsed < low) | (elapsed > high), details)


def _window(day: int, window: Sequence[int]) -> tuple[float, float]:
    """Return the first and last allowed day of a visit as days elapsed since the reference (there is no day 0)."""
    target = day - 1 if day > 0 else day
    return target + float(window[0]), target + float(window[1])


def _study_day(elapsed: np.ndarray) -> np.ndarray:
    return _whole(np.where(elapsed >= 0, elapsed + 1, elapsed))


@kind(
    "ascending",
    "The date {date} is not after that of the visit before ({previous}, {previous_event}).",
    "a date after {previous}",
    ("date", "previous", "previous_event"),
)
@dataclass(frozen=True, kw_only=True)
class AscendingDates(Check):
    """A date is not later than the same field's date at the record's scheduled event before."""

    date: Operand

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows."""
        import pandas as pd

        day = _day_numbers(rows, self.date)
        before = previous_values(rows, day)
        labels = pd.Series(before["event"], dtype="str").map(data.event_labels).fillna("").to_numpy(object)
        details = {"date": _iso(day), "previous": _iso(before["value"]), "previous_event": labels}
        return CheckFinding(day <= before["value"], details)


def previous_values(rows: CheckRows, values: np.ndarray) -> dict[str, np.ndarray]:
    """Return value and event of the record's scheduled event before that has a value; NaN and blank if none."""
    import pandas as pd

    judged = rows.scheduled & ~np.isnan(values)
    frame = pd.DataFrame(
        {
            "record": rows.keys["record"].to_numpy(object),
            "order": rows.event_position,
            "value": values,
            "event": rows.keys["event"].to_numpy(object),
        }
    )[judged].sort_values(["record", "order"], kind="stable")
    shifted = frame.groupby("record", sort=False)[["value", "event"]].shift().reindex(np.arange(len(rows)))
    return {"value": shifted["value"].to_numpy(float), "event": shifted["event"].fillna("").to_numpy(object)}
