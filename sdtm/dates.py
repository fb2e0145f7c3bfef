"""The operation date: a date field, or year, month and day apart, to ISO 8601 as it was collected."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from metadata import iso8601
from metadata.yaml_source import complain
from sdtm.column import Column, Problem, constant
from sdtm.operations import EVENTS, NAME, NAMES, Context, RecordOperation, events_of, word
from sdtm.source import Source

TIME = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"


@word("date")
class Date(RecordOperation):
    """``{date: FIELD}`` or ``{date: [YEAR, MONTH, DAY]}``, with ``time: FIELD``.

    Partial dates stay partial (SDTMIG 4.4.2); a missing-data code is an unknown part; a date that the calendar does
    not have gives null. ``of: subject`` takes the fields from another form of the same subject.
    """

    schema: ClassVar[dict[str, Any]] = {
        "date": {"anyOf": [NAME, {**NAMES, "maxItems": 3}]},
        "time": NAME,
        "event": EVENTS,
        "of": {"enum": ["subject"]},
    }

    def bind(self, context: Context) -> None:
        """Check the fields."""
        names = self.value if isinstance(self.value, list) else [self.value]
        if not 1 <= len(names) <= 3:
            raise complain(self.spec, self.word, "write one date field, or year, month and day")
        self.names = [str(name) for name in names]
        self.time = str(self.spec["time"]) if "time" in self.spec else ""
        for name in [*self.names, *([self.time] if self.time else [])]:
            if self.spec.get("of"):
                found = context.any_field(self.spec, self.word, name)
                context.once_a_subject(self.spec, self.word, found, events_of(self.spec))
            else:
                context.field(self.spec, self.word, name)
        self.in_parts = isinstance(self.value, list)

    def fields(self) -> list[str]:
        """The date's fields and the time's."""
        return [*self.names, *([self.time] if self.time else [])]

    def apply(self, source: Source) -> Column:
        """Return ISO 8601 texts; what is no date is null and a problem."""
        taken = [source.text(name, "subject", events_of(self.spec)) for name in self.names]
        values = self._parts([part for part, _ in taken], source.count) if self.in_parts else taken[0][0].str.strip()
        wrong = ~iso8601.is_valid(values).to_numpy(bool)
        if self.in_parts:
            wrong |= np.logical_or.reduce([_no_digits(part) for part, _ in taken])
        reads = [read for _, read in taken]
        problems = [Problem(wrong, tuple(self.names), "it is not a date of the calendar")]
        values = values.where(~wrong, "")
        if self.time:
            clock, read = source.text(self.time)
            fits = clock.str.fullmatch(TIME).to_numpy(bool) & iso8601.is_complete(values).to_numpy(bool)
            problems.append(Problem(~fits & (clock != "").to_numpy(bool), (self.time,), "it is no time of a known day"))
            values = values.where(~fits, values + "T" + clock)
            reads.append(read)
        return Column(values, tuple(reads), tuple(problems))

    @staticmethod
    def _parts(parts: list[pd.Series], count: int) -> pd.Series:
        year, month, day = [*parts, *[constant("", count)] * (3 - len(parts))]
        return iso8601.from_parts(year, month, day)

    def sentence(self) -> str:
        """Say the fields."""
        timed = f" and time {self.time}" if self.time else ""
        if self.in_parts:
            return f"Fields {', '.join(self.names)}{timed} as an ISO 8601 date; parts not collected are left out."
        return f"Field {self.names[0]}{timed} as an ISO 8601 date."


def _no_digits(part: pd.Series) -> np.ndarray:
    """True where a part is neither blank nor digits."""
    stripped = part.str.strip()
    return (~stripped.str.fullmatch(r"\d{1,4}") & (stripped != "")).to_numpy(bool)
