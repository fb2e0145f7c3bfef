"""Derivations about dates: date (with imputation), study_day, duration, extreme_date, cutoff_date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, Values, constant, day, number, only, present, text
from adam.language.derivation import (
    Derivation,
    DerivationContext,
    Outcome,
    keyed,
    listed,
)
from adam.language.imputation import Imputed, partial_dates
from adam.language.kinds import DayColumn, NewDate, NewNumber, NewText, check_alike, common_kind
from metadata.condition import DatasetKinds
from metadata.declaration import NewColumn
from metadata.errors import StudyError
from metadata.iso8601 import SAS_EPOCH, from_sas_days
from metadata.units import significant
from metadata.variable_kind import DATE, SECONDS_A_DAY

DAYS_OF = {
    "seconds": 1 / 86400, "minutes": 1 / 1440, "hours": 1 / 24, "days": 1.0, "weeks": 7.0, "months": 30.4375,
    "years": 365.25,
}  # fmt: skip


def cutoff_of(context: DerivationContext) -> float:
    """Return the data cut-off in days since 1960."""
    return float((context.cutoff - SAS_EPOCH) / np.timedelta64(1, "D"))


@keyed("date")
@dataclass(frozen=True, kw_only=True)
class Date(Imputed):
    """Make a numeric date of an ISO 8601 text; a partial one may be imputed, within what is known of it, and flagged.

    ``impute`` first, last or middle (day 15, 30 June) of the unknown part; ``highest`` day imputes days only, month
    also months, year also a wholly unknown date (which then takes ``prefer`` or a limit). A day known after an unknown
    month (``2001---15``) is used only with ``preserve``. ``prefer`` names a date that is taken where the partial date
    is compatible with it, unless ``end`` (an ISO text) certainly precedes it. The imputed date is not before
    ``not_before``, and not after ``not_after``, the end or the study's cut-off. Where the known part allows no such
    day, or the limits leave none, nothing is imputed (``limits`` strict), or the limit is passed over (compatible;
    never the cut-off). A complete date is never changed. ``to_flag`` gets what was imputed: D day, M month and day, Y
    all.
    """

    to: NewDate
    prefer: DayColumn | None = None
    not_before: tuple[DayColumn, ...] = ()
    not_after: tuple[DayColumn, ...] = ()

    def moment(self, columns: Columns, name: str) -> np.ndarray:
        return day(columns, name)

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        part = partial_dates(text(columns, self.source), self.source)
        made = np.where(part.precision == 3, part.first, np.nan)
        rows = np.flatnonzero(self.may_impute(part.precision))
        if len(rows):
            of = type(part)(*(values[rows] for values in part))
            low, high = np.nan_to_num(of.first, nan=-np.inf), np.nan_to_num(of.last, nan=np.inf)
            end = self.ends(columns, rows)
            made[rows] = self.within_limits(self.day_of(of), low, high, columns, rows, end, cutoff_of(context))
        found: dict[str, Values] = {self.to: made}
        if self.to_flag:
            found[self.to_flag] = self.date_flag(part.precision, made)
        return Outcome(found)

    def sentence(self, variable: str) -> str:
        if variable == self.to_flag:
            return f"D if the day, M if month and day{self._year()} of {self.to} were imputed, else missing."
        if self.impute == "none":
            return f"Numeric date of {self.source}; a partial date is missing{self.within()}."
        return f"Numeric date of {self.source}; {self.how()}{self.within()}."

    def _year(self) -> str:
        return ", Y if all" if self.highest == "year" else ""


@keyed("study_day")
@dataclass(frozen=True, kw_only=True)
class StudyDay(Derivation):
    """Days from a reference date, which is day 1; the day before it is day -1 and there is no day 0.

    Of a datetime the day counts.
    """

    date: DayColumn
    reference: DayColumn
    to: NewNumber

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        difference = day(columns, self.date) - day(columns, self.reference)
        return Outcome({self.to: np.where(difference >= 0, difference + 1, difference)})

    def sentence(self, variable: str) -> str:
        return (
            f"{self.date} - {self.reference} + 1 if {self.date} is on or after {self.reference},"
            f" else {self.date} - {self.reference}{self.within()}."
        )


@keyed("duration")
@dataclass(frozen=True, kw_only=True)
class Duration(Derivation):
    """Length of a period of whole days, both ends counted; a month has 30.4375 and a year 365.25 days.

    ``inclusive`` false leaves out the last day; nothing is added where the end precedes the start. ``calendar`` counts
    months or years of the calendar instead, a rest as its part of the month or year begun; ``truncate`` drops the rest.
    ``datetimes`` says that start and end are datetimes (seconds); their moments are then set against each other and no
    day is added. Without it the days of datetimes count. ``to_unit`` gets the name of the unit, in capitals.
    """

    start: DayColumn
    end: DayColumn
    to: NewNumber
    unit: Literal["seconds", "minutes", "hours", "days", "weeks", "months", "years"] = "days"
    inclusive: bool = True
    calendar: bool = False
    truncate: bool = False
    datetimes: bool = False
    to_unit: NewText | None = None

    def check(self) -> None:
        if self.calendar and self.unit not in ("months", "years"):
            raise StudyError("calendar counts months or years; write 'unit: months' or 'unit: years'")

    def check_kinds(self, kinds: DatasetKinds) -> None:
        super().check_kinds(kinds)
        for name in (self.start, self.end):
            if self.datetimes and kinds.get("", {}).get(name) == DATE:
                raise StudyError(f"{name} is a date; 'datetimes: true' takes datetimes")

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        if self.datetimes:
            start, end = (number(columns, name) / SECONDS_A_DAY for name in (self.start, self.end))
        else:
            start, end = day(columns, self.start), day(columns, self.end)
            end = np.where((end >= start) & self.inclusive, end + 1, end)
        made = self._calendar(start, end) if self.calendar else (end - start) / DAYS_OF[self.unit]
        made = np.trunc(significant(made)) if self.truncate else made
        found: dict[str, Values] = {self.to: made}
        if self.to_unit:
            found[self.to_unit] = only(constant(self.unit.upper(), count), present(made))
        return Outcome(found)

    def _calendar(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        known = ~np.isnan(start + end)
        first, last = np.where(known, start, 0.0), np.where(known, end, 0.0)
        months = elapsed_months(np.fmin(first, last), np.fmax(first, last), 12 if self.unit == "years" else 1)
        return np.where(known, np.sign(last - first) * months, np.nan)

    def sentence(self, variable: str) -> str:
        if variable == self.to_unit:
            return f"Unit of {self.to}; missing where there is none."
        days = f"{self.end} - {self.start}{' + 1' if self.inclusive and not self.datetimes else ''}"
        kind = f"{'whole ' if self.truncate else ''}{self.unit}{' of the calendar' if self.calendar else ''}"
        plain = self.unit == "days" or self.calendar or self.datetimes
        divided = f"{days}" if plain else f"({days}) / {DAYS_OF[self.unit]:g}"
        return f"{divided}, in {kind}{self.within()}."


def elapsed_months(start: np.ndarray, end: np.ndarray, step: int) -> np.ndarray:
    """Return how many times ``step`` months fit between days, and the part of the next step that is left over."""
    first, last = from_sas_days(start), from_sas_days(end)
    count = (last.astype("datetime64[M]") - first.astype("datetime64[M]")).astype(int) // step
    count -= _months_later(first, count * step) > last
    reached, following = _months_later(first, count * step), _months_later(first, (count + 1) * step)
    return count + (last - reached) / (following - reached)


def _months_later(days: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Return the same day some months later, or that month's last day if it has no such day."""
    month = days.astype("datetime64[M]")
    target = month + months
    day = days - month.astype("datetime64[D]")
    last = (target + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    return np.minimum(target.astype("datetime64[D]") + day, last)


@keyed("extreme_date")
@dataclass(frozen=True, kw_only=True)
class ExtremeDate(Derivation):
    """Last (or first) of several dates of a record, or of several datetimes; missing ones are passed over."""

    source: tuple[DayColumn, ...]
    to: NewColumn
    mode: Literal["first", "last"] = "last"

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        stacked = np.vstack([number(columns, name) for name in self.source])
        pick = np.fmax if self.mode == "last" else np.fmin
        return Outcome({self.to: pick.reduce(stacked, axis=0)})

    def sentence(self, variable: str) -> str:
        kind = "latest" if self.mode == "last" else "earliest"
        return f"The {kind} of {listed(self.source)}{self.within()}."

    def kind(self, variable: str, kinds: DatasetKinds) -> str:
        return common_kind(kinds, self.source)

    def check_kinds(self, kinds: DatasetKinds) -> None:
        super().check_kinds(kinds)
        check_alike(kinds, self.source)


@keyed("cutoff_date")
@dataclass(frozen=True, kw_only=True)
class CutoffDate(Derivation):
    """Give a variable the study's data cut-off: that of study.yaml, or the one that the run was asked for.

    Where a period goes on at the cut-off, it is the last day of which anything is known.
    """

    to: NewDate

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        return Outcome({self.to: np.full(count, cutoff_of(context))})

    def sentence(self, variable: str) -> str:
        return f"Date of the data cut-off{self.within()}."
