"""Words about time: date (with imputation), study_day, duration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from adam.columns import Columns, Text, Values, coded, number, text
from adam.derivation import Context, Derivation, Outcome, listed, word
from adam.language import Column, NewColumn
from metadata.iso8601 import day_bounds, from_sas_days, to_sas_days

NO_DAY = np.datetime64("NaT", "D")
DAYS_OF = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}


def sas_days(columns: Columns, name: str) -> np.ndarray:
    """Return a Num date as days; raises StudyError if the variable holds text."""
    return from_sas_days(number(columns, name))


def partial_bounds(texts: Text) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return earliest day, latest day and precision (0 none, 1 year, 2 month, 3 day) of ISO 8601 texts.

    A day or month known after an unknown month (``2001---15``) narrows nothing that can be used: the year is known.
    """
    words = pd.Series(texts.words, dtype="str")
    cut = words.str.replace(r"^(\d{4})--.*$", r"\1", regex=True)
    first, last = day_bounds(cut)
    precision = np.select([np.isnat(first), cut.str.len() >= 10, cut.str.len() >= 7], [0, 3, 2], 1)
    return first[texts.codes], last[texts.codes], precision[texts.codes]


@word("date")
@dataclass(frozen=True, kw_only=True)
class Date(Derivation):
    """Make a numeric date of an ISO 8601 text; a partial one may be imputed, within what is known of it, and flagged.

    ``impute`` first, last or middle (day 15, 30 June) of the unknown part; ``highest`` day imputes days only, month
    also months; a date without a year is never imputed. ``prefer`` names a date that is taken where the partial date
    is compatible with it, unless ``end`` (an ISO text) certainly precedes it. The imputed date is not before
    ``not_before``, and not after ``not_after``, the end or the study's cut-off. Where the known part allows no such
    day, nothing is imputed. A complete date is never changed.
    """

    variable: Column
    to: NewColumn
    flag: NewColumn | None = None
    impute: Literal["none", "first", "middle", "last"] = "none"
    highest: Literal["day", "month"] = "month"
    prefer: Column | None = None
    end: Column | None = None
    not_before: tuple[Column, ...] = ()
    not_after: tuple[Column, ...] = ()

    def derive(self, columns: Columns, count: int, context: Context) -> Outcome:
        first, last, precision = partial_bounds(text(columns, self.variable))
        found = np.where(precision == 3, first, NO_DAY)
        if self.impute != "none":
            rows = np.flatnonzero((precision == 2) | ((precision == 1) & (self.highest == "month")))
            found[rows] = self._imputed(columns, rows, first[rows], last[rows], context.cutoff)
        made: dict[str, Values] = {self.to: to_sas_days(found)}
        if self.flag:
            imputed = ~np.isnat(found) & (precision < 3)
            made[self.flag] = coded(np.where(imputed, precision, 0), ["", "M", "D"])
        return Outcome(made)

    def _imputed(
        self, columns: Columns, rows: np.ndarray, first: np.ndarray, last: np.ndarray, cutoff: np.datetime64
    ) -> np.ndarray:
        candidate = self._candidate(first, last)
        upper = np.full(len(rows), cutoff)
        end = partial_bounds(text(columns, self.end))[1][rows] if self.end else np.full(len(rows), NO_DAY)
        for limit in [end, *(sas_days(columns, name)[rows] for name in self.not_after)]:
            upper = np.fmin(upper, limit)
        if self.prefer:
            preferred = sas_days(columns, self.prefer)[rows]
            candidate = np.where((first <= preferred) & (preferred <= last) & ~(end < preferred), preferred, candidate)
        for name in self.not_before:
            limit = sas_days(columns, name)[rows]
            candidate = np.where(limit <= last, np.fmax(candidate, limit), candidate)
        candidate = np.fmin(candidate, upper)
        return np.where(candidate >= first, candidate, NO_DAY)

    def _candidate(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        if self.impute == "middle":
            whole_year = (last - first) > np.timedelta64(31, "D")
            june = first.astype("datetime64[Y]").astype("datetime64[M]") + np.timedelta64(5, "M")
            thirtieth = june.astype("datetime64[D]") + np.timedelta64(29, "D")
            return np.where(whole_year, thirtieth, first + np.timedelta64(14, "D"))
        return first.copy() if self.impute == "first" else last.copy()

    def sentence(self, variable: str) -> str:
        if variable == self.flag:
            return f"D if the day, M if month and day of {self.to} were imputed, else missing."
        if self.impute == "none":
            return f"Numeric date of {self.variable}; a partial date is missing{self.within()}."
        said = f"Numeric date of {self.variable}; an unknown day{' or month' if self.highest == 'month' else ''}"
        said += f" is imputed as the {self.impute} possible"
        if self.prefer:
            said += f", or as {self.prefer} if the known part allows it"
            said += f" and {self.end} does not precede it" if self.end else ""
        said += f"; never before {listed(self.not_before)}" if self.not_before else ""
        ends = [*([self.end] if self.end else []), *self.not_after, "the data cut-off"]
        return f"{said}; never after {listed(ends)}{self.within()}."

    def is_date(self, variable: str) -> bool:
        return variable == self.to


@word("study_day")
@dataclass(frozen=True, kw_only=True)
class StudyDay(Derivation):
    """Days from a reference date, which is day 1; the day before it is day -1 and there is no day 0."""

    date: Column
    reference: Column
    to: NewColumn

    def derive(self, columns: Columns, count: int, context: Context) -> Outcome:
        difference = number(columns, self.date) - number(columns, self.reference)
        return Outcome({self.to: np.where(difference >= 0, difference + 1, difference)})

    def sentence(self, variable: str) -> str:
        return (
            f"{self.date} - {self.reference} + 1 if {self.date} is on or after {self.reference},"
            f" else {self.date} - {self.reference}{self.within()}."
        )


@word("duration")
@dataclass(frozen=True, kw_only=True)
class Duration(Derivation):
    """Length of a period of whole days, both ends counted; a month has 30.4375 and a year 365.25 days."""

    start: Column
    end: Column
    to: NewColumn
    unit: Literal["days", "weeks", "months", "years"] = "days"
    inclusive: bool = True

    def derive(self, columns: Columns, count: int, context: Context) -> Outcome:
        days = number(columns, self.end) - number(columns, self.start) + self.inclusive
        return Outcome({self.to: days / DAYS_OF[self.unit]})

    def sentence(self, variable: str) -> str:
        days = f"{self.end} - {self.start}{' + 1' if self.inclusive else ''}"
        divided = "" if self.unit == "days" else f"({days}) / {DAYS_OF[self.unit]:g}, in {self.unit}"
        return f"{divided or days + ', in days'}{self.within()}."


@word("latest_date")
@dataclass(frozen=True, kw_only=True)
class LatestDate(Derivation):
    """Latest (or earliest) of several numeric dates of a record; missing ones are passed over."""

    dates: tuple[Column, ...]
    to: NewColumn
    take: Literal["latest", "earliest"] = "latest"

    def derive(self, columns: Columns, count: int, context: Context) -> Outcome:
        stacked = np.vstack([number(columns, name) for name in self.dates])
        pick = np.fmax if self.take == "latest" else np.fmin
        return Outcome({self.to: pick.reduce(stacked, axis=0)})

    def sentence(self, variable: str) -> str:
        return f"The {self.take} of {listed(self.dates)}{self.within()}."

    def is_date(self, variable: str) -> bool:
        return True
