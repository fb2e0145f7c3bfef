"""The derivation nominal_time: planned time since the first dose, of the planned day and the time point's text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, number, text
from adam.language.derivation import Derivation, DerivationContext, Outcome, keyed
from adam.language.kinds import NewNumber, NumberColumn, TextColumn
from metadata.coded_text import CodedText
from metadata.errors import StudyError
from metadata.units import significant

HOURS = {"min": 1 / 60, "m": 1 / 60, "h": 1.0, "d": 24.0, "w": 168.0}
UNITS = {"hours": 1.0, "days": 24.0, "weeks": 168.0}
BEFORE = re.compile(r"\s*(?:pre|before|prior)\b.*|\s*pre-?dose\s*|\s*predose\s*", re.IGNORECASE)
AFTER = re.compile(
    r"\s*(?:\d+(?:\.\d+)?\s*-\s*)?(?P<count>\d+(?:\.\d+)?)\s*(?P<unit>min|m|h|d|w)[a-z]*\.?\s*(?:post|after)?\b.*",
    re.IGNORECASE,
)
"""``1H POST DOSE``, ``30 MIN AFTER DOSE``, ``0-6 HOURS POST-DOSE`` (its end)."""


@keyed("nominal_time")
@dataclass(frozen=True, kw_only=True)
class NominalTime(Derivation):
    """Give the planned time since the first dose: of the planned study day, and of the time point within that day.

    Day 1 is that of the first dose, the day before it is -1. ``timepoint`` holds texts such as PREDOSE (0), 30 MIN
    POSTDOSE, 4H POST-DOSE or 0-6 HOURS AFTER DOSE (the end of the interval); ``hours`` gives those of other texts,
    which are an error without it. A record without a planned day has no time, one without a time point its day's.
    """

    source: NumberColumn
    to: NewNumber
    timepoint: TextColumn | None = None
    hours: dict[str, float] = field(default_factory=dict)
    unit: Literal["hours", "days", "weeks"] = "hours"

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        planned = number(columns, self.source)
        if bool((planned == 0).any()):
            raise StudyError(f"{self.source} is 0 in {int((planned == 0).sum())} record(s); there is no day 0")
        since = np.where(planned > 0, planned - 1, planned) * 24.0
        if self.timepoint:
            since = since + self._hours(text(columns, self.timepoint))
        return Outcome({self.to: significant(since / UNITS[self.unit])})

    def _hours(self, texts: CodedText) -> np.ndarray:
        found = [self._hours_of(one) for one in texts.texts]
        strange = sorted(
            {one for one, hours in zip(texts.texts, found, strict=True) if hours is None} & set(texts.held)
        )
        if strange:
            raise StudyError(
                f"{self.timepoint} is {strange[0]!r}, of which no time is known; say its hours under 'hours'"
            )
        return texts.spread(np.array([0.0 if hours is None else hours for hours in found]))

    def _hours_of(self, written: str) -> float | None:
        if written in self.hours or not written:
            return self.hours.get(written, 0.0)
        if BEFORE.fullmatch(written):
            return 0.0
        found = AFTER.fullmatch(written)
        return float(found["count"]) * HOURS[found["unit"].lower()] if found else None

    def sentence(self, variable: str) -> str:
        point = f", and the time of {self.timepoint} after the dose" if self.timepoint else ""
        return (
            f"Planned time since the first dose in {self.unit}: {self.source} less 1 (no day 0){point}{self.within()}."
        )
