"""The operation date: a date field, or year, month and day apart, to ISO 8601 as it was collected."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import numpy as np

from metadata import iso8601
from metadata.coded_text import CodedText
from metadata.declaration_limits import Entries
from metadata.dictionary import Field
from metadata.yaml_source import complain
from sdtm.columns.column import Column, Read, UnrepresentedValues
from sdtm.columns.source import FormRows
from sdtm.operations.operation import (
    MappingContext,
    OneOrMore,
    RecordOperation,
    events_of,
    keyed,
)

TIME = re.compile(r"(?:[01]\d|2[0-3])(?::[0-5]\d(?::[0-5]\d)?)?", re.ASCII)
SEPARATOR = "\x1f"
PARTS: tuple[Literal["year", "month", "day"], ...] = ("year", "month", "day")
NO_DATE = "it is not a date of the calendar"
FIRST_YEAR = 100
POSSIBLE = {"year": (0, 9999), "month": (1, 12), "day": (1, 31)}
MINUTES_AND_SECONDS = "time_mm_ss"


def _limit(text: str) -> float:
    """Return a limit of the dictionary as a number, NaN where it is not one."""
    try:
        return float(text)
    except ValueError:
        return math.nan


@keyed("date")
class CollectedDate(RecordOperation):
    """``{date: FIELD}`` or ``{date: [YEAR, MONTH, DAY]}``, with ``time: FIELD``.

    A field of date and time gives both, or the date alone where no time was entered. A free-text field is read as
    ``text_dates`` of study.yaml says that its dates are written.
    Partial dates stay partial (SDTMIG 4.4.2); a missing-data code is an unknown part; a date that the calendar does
    not have gives null. ``match: subject`` takes the fields from another form of the same subject.
    """

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        date: str | Annotated[list[str], Entries(1, 3)]
        time: str = ""
        event: OneOrMore | None = None
        match: Literal["subject"] | None = None

    def bind(self, context: MappingContext) -> None:
        """Check the fields."""
        names = self.value if isinstance(self.value, list) else [self.value]
        if not 1 <= len(names) <= 3:
            raise complain(self.spec, self.key, "write one date field, or year, month and day")
        self.names = [str(name) for name in names]
        self.time = str(self.spec["time"]) if "time" in self.spec else ""
        for name in [*self.names, *([self.time] if self.time else [])]:
            if self.spec.get("match"):
                found = context.any_field(self.spec, self.key, name)
                context.once_a_subject(self.spec, self.key, found, events_of(self.spec))
            else:
                context.field(self.spec, self.key, name)
        self.in_parts = isinstance(self.value, list)
        for name, part in zip(self.names if self.in_parts else [], PARTS, strict=False):
            self._check_part(context.dictionary.fields[name], part)
        self.written = None if self.in_parts else context.study.text_dates.get(self.names[0])
        kind = context.dictionary.fields[self.names[0]].validation
        self.with_clock = not self.in_parts and kind.startswith("datetime_")
        if self.with_clock and self.time:
            raise complain(self.spec, "time", f"field '{self.names[0]}' has the time already")
        if self.time and context.dictionary.fields[self.time].validation == MINUTES_AND_SECONDS:
            raise complain(
                self.spec, "time", f"field '{self.time}' holds minutes and seconds, which are not a time of day"
            )
        if not (self.in_parts or self.written or kind.startswith(("date_", "datetime_"))):
            problem = f"field '{self.names[0]}' is not a date field: text_dates of study.yaml can say how it is written"
            raise complain(self.spec, self.key, problem)

    def _check_part(self, found: Field, part: Literal["year", "month", "day"]) -> None:
        """Raise StudyError for a field that cannot hold its part of a date: the order is year, month, day."""
        if found.validation.startswith(("date_", "datetime_")):
            raise complain(self.spec, self.key, f"field '{found.name}' is a whole date, and a {part} is needed")
        low, high = _limit(found.text_validation_min), _limit(found.text_validation_max)
        least, most = POSSIBLE[part]
        if low > most or high < least or (part == "year" and high < FIRST_YEAR):
            problem = f"field '{found.name}' goes from {low:g} to {high:g}, not a {part}: write year, month, day"
            raise complain(self.spec, self.key, problem)

    def fields(self) -> list[str]:
        """The date's fields and the time's."""
        return [*self.names, *([self.time] if self.time else [])]

    def apply(self, source: FormRows) -> Column:
        """Return ISO 8601 texts; what is not a date is null and a problem."""
        taken = [source.text(name, "subject", events_of(self.spec)) for name in self.names]
        collected = [part.map(str.strip) for part, _ in taken]
        values = self._parts(collected, source.count) if self.in_parts else collected[0]
        unread = np.zeros(source.count, bool)
        if self.written:
            read_text = self.written.read
            unread = values.test(lambda word: read_text(word) is None)
            values = values.map(lambda word: read_text(word) or "")
        if self.with_clock:
            unread = values.test(lambda word: not _is_moment(word))
            values = values.map(lambda word: word.replace(" ", "T", 1))
        wrong = unread | ~values.test(iso8601.is_date)
        if self.in_parts:
            for part, kind in zip(collected, PARTS, strict=False):
                wrong |= ~part.test(partial(iso8601.is_part, part=kind))
        values = values.where(~wrong)
        reads, problems = [read for _, read in taken], [UnrepresentedValues(wrong, tuple(self.names), NO_DATE)]
        if self.time:
            values, read, problem = self._timed(values, source)
            reads.append(read)
            problems.append(problem)
        return Column(values, tuple(reads), tuple(problems))

    def _timed(self, values: CodedText, source: FormRows) -> tuple[CodedText, Read, UnrepresentedValues]:
        """Add the time of day to complete dates."""
        clock, read = source.text(self.time)
        fits = clock.test(lambda word: TIME.fullmatch(word) is not None) & values.test(iso8601.is_full)
        problem = UnrepresentedValues(~fits & clock.present(), (self.time,), "it is not a time of a known day")
        return values.join(clock.where(fits), "T"), read, problem

    @staticmethod
    def _parts(parts: list[CodedText], count: int) -> CodedText:
        """Return ISO 8601 texts, made once for each distinct year, month and day."""
        joined = parts[0]
        for part in [*parts[1:], *[CodedText.constant("", count)] * (3 - len(parts))]:
            joined = joined.map(lambda word: word + SEPARATOR).join(part)
        return joined.map(lambda word: iso8601.from_parts(*word.split(SEPARATOR)) if word else "")

    def sentence(self) -> str:
        """Say the fields."""
        timed = f" and time {self.time}" if self.time else ""
        if self.in_parts:
            return f"Fields {', '.join(self.names)}{timed} as an ISO 8601 date; parts not collected are left out."
        if self.written:
            order = ", ".join({"d": "day", "m": "month", "y": "year"}[part] for part in self.written.order)
            return f"Text of field {self.names[0]}{timed}, written {order}, as an ISO 8601 date of what is known."
        return f"Field {self.names[0]}{timed} as an ISO 8601 date."


def _is_moment(word: str) -> bool:
    """True for a day and a time of day, as REDCap exports them whatever the order on the form, and for a date alone."""
    day, blank, clock = word.partition(" ")
    return (iso8601.is_full(day) and TIME.fullmatch(clock) is not None) if blank else iso8601.is_date(day)
