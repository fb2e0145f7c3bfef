"""The derivation single_doses: records of exposure over several days become one record a dose."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from adam.columns.columns import Columns, Values, day, text
from adam.language.derivation import AddedRows, Derivation, DerivationContext, keyed
from adam.language.kinds import DayColumn, NewDate, NewNumber, TextColumn
from metadata.coded_text import CodedText
from metadata.errors import StudyError, nearest

EVERY_DAYS = {"ONCE": np.inf, "QD": 1, "QOD": 2, "Q2D": 2, "Q3D": 3, "Q4D": 4, "QS": 7, "Q2S": 14, "QW": 7, "Q2W": 14,
              "Q3W": 21, "Q4W": 28, "Q6W": 42, "Q8W": 56, "Q12W": 84, "EVERY WEEK": 7, "EVERY 2 WEEKS": 14,
              "EVERY 3 WEEKS": 21, "EVERY 4 WEEKS": 28, "Q24H": 1, "QAM": 1, "QPM": 1, "QHS": 1}  # fmt: skip
"""Days from one dose to the next, by the terminology's frequency (SDTM terminology, codelist FREQ)."""
A_DAY = {"BID": 2, "TID": 3, "QID": 4, "Q12H": 2, "Q8H": 3, "Q6H": 4}
"""Doses a day, every day."""


@keyed("single_doses")
@dataclass(frozen=True, kw_only=True)
class SingleDoses(Derivation):
    """Make one record a dose of records that say a first day, a last day and a frequency.

    ``to`` is the day of the dose, ``to_number`` which dose of its record it is. The record itself becomes its first
    dose, the others are added as copies of it. ``every_days`` gives the days between doses of frequencies that are not
    the terminology's, or are meant otherwise. A frequency that is not known, and a record without first or last day,
    are an error: a dose that is not counted is missing from every sum.
    """

    start: DayColumn
    end: DayColumn
    frequency: TextColumn
    to: NewDate = "ADT"
    to_number: NewNumber = "ADOSEN"
    every_days: dict[str, float] = field(default_factory=dict)

    adds_rows = True

    def check(self) -> None:
        for name, days in self.every_days.items():
            if not days > 0:
                raise StudyError(f"every_days: {name} is {days:g}; the days between doses are more than 0")

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        begin, last = day(columns, self.start), day(columns, self.end)
        frequencies = text(columns, self.frequency)
        step, a_day = self._frequency(frequencies)
        self._check(begin, last, frequencies, step)
        days = np.floor((last - begin) / step).astype(int) + 1
        doses = days * a_day.astype(int)
        row = np.repeat(np.arange(count), doses)
        number = np.arange(len(row)) - np.repeat(np.cumsum(doses) - doses, doses)
        on = begin[row] + (number // a_day[row]) * np.where(np.isinf(step), 0, step)[row]
        later = number > 0
        changed: dict[str, Values] = {self.to: np.floor(on[later]), self.to_number: number[later] + 1.0}
        nobody = np.zeros(0, int)
        existing: dict[str, Values] = {self.to: begin, self.to_number: np.ones(count)}
        return AddedRows(row[later], changed, (nobody, nobody), existing=existing)

    def _frequency(self, frequencies: CodedText) -> tuple[np.ndarray, np.ndarray]:
        """Return for each record the days between days of doses (NaN where not known), and the doses of such a day."""
        known = {**EVERY_DAYS, **dict.fromkeys(A_DAY, 1), **self.every_days}
        steps = np.array([known.get(name, np.nan) for name in frequencies.texts], float)
        several = np.array([1 if name in self.every_days else A_DAY.get(name, 1) for name in frequencies.texts], float)
        return frequencies.spread(steps), frequencies.spread(several)

    def _check(self, begin: np.ndarray, last: np.ndarray, frequencies: CodedText, step: np.ndarray) -> None:
        strange = sorted(set(frequencies.take(np.flatnonzero(np.isnan(step))).held))
        if strange:
            hint = nearest(strange[0], [*EVERY_DAYS, *A_DAY])
            raise StudyError(
                f"{self.frequency} is {strange[0]!r}{hint}; say in every_days how many days apart the doses are"
            )
        undated = int((np.isnan(begin) | np.isnan(last)).sum())
        if undated:
            raise StudyError(
                f"{undated} record(s) have no {self.start} or no {self.end}; impute it, or narrow the source"
            )
        turned = int((last < begin).sum())
        if turned:
            raise StudyError(f"{self.end} lies before {self.start} in {turned} record(s)")

    def sentence(self, variable: str) -> str:
        if variable == self.to_number:
            return f"Number of the dose within its record of exposure, in order of {self.to}."
        return f"Day of each dose from {self.start} to {self.end}, by {self.frequency}; one record a dose."
