"""Values of two fields held against each other: dates as dates, numbers as numbers, everything else as texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from metadata.dictionary import Field
from validation.checks.data import CheckRows, reference_of

Comparison = Literal["dates", "times", "numbers", "texts"]
SAME = 1e-9
"""Numbers that differ by less, relative to the larger, are the same number: 8 and 8.0, 0.1 + 0.2 and 0.3."""
WITH_TIME = "datetime_"


def comparison_of(mine: CheckRows, field: str, theirs: CheckRows, other: str) -> Comparison:
    """Return how two fields are compared: as what the dictionary and ``text_dates`` say that both of them hold.

    A number and a text are compared as numbers where both can be read as one.
    """
    kinds = [_kind(rows, rows.project.dictionary.field(reference_of(name).name)) for rows, name in
             ((mine, field), (theirs, other))]  # fmt: skip
    if kinds == ["times", "times"]:
        return "times"
    if set(kinds) <= {"dates", "times"}:
        return "dates"
    return "numbers" if "numbers" in kinds and set(kinds) <= {"numbers", "texts"} else "texts"


def _kind(rows: CheckRows, field: Field) -> Comparison:
    if field.validation.startswith(WITH_TIME):
        return "times"
    if field.name in rows.text_dates or field.validation.startswith("date_"):
        return "dates"
    return "numbers" if field.is_numeric else "texts"


@dataclass(frozen=True)
class ComparedValues:
    """The values of one field over its rows; ``first`` and ``last`` are the days that a date may be."""

    how: Comparison
    text: np.ndarray
    number: np.ndarray
    first: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, rows: CheckRows, field: str, how: Comparison) -> ComparedValues:
        """Return the values of a field, missing-data codes as blanks."""
        text, unknown = rows.text(field), np.full(len(rows), np.nan)
        if how == "dates":
            return cls(how, text, unknown, *rows.days(field))
        number = rows.column(field).number if how == "numbers" else unknown
        nothing = np.full(len(rows), np.datetime64("NaT", "D"))
        return cls(how, text, number, nothing, nothing)

    @property
    def order(self) -> pd.Series:
        """What sorts the values from first to last: their days, their numbers, else their texts."""
        key = {"dates": self.first, "numbers": self.number}.get(self.how, self.text)
        return pd.Series(key, dtype="str" if key is self.text else None)

    def take(self, rows: np.ndarray) -> ComparedValues:
        """Return the values of some rows; a row of -1 has none."""
        nothing = np.datetime64("NaT", "D")
        return ComparedValues(
            self.how,
            np.append(self.text, "")[rows],
            np.append(self.number, np.nan)[rows],
            np.append(self.first, nothing)[rows],
            np.append(self.last, nothing)[rows],
        )

    def differs(self, other: ComparedValues) -> np.ndarray:
        """Return where both have a value and these are certainly not the same.

        Of partial dates only what is certain counts: 2019-03 agrees with 2019-03-05. Of two times the one without
        seconds agrees with any second.
        """
        both = (self.text != "") & (other.text != "")
        if self.how == "dates":
            return both & ((self.last < other.first) | (self.first > other.last))
        apart = np.asarray(self.text != other.text, bool)
        if self.how == "times":
            pairs = zip(self.text.tolist(), other.text.tolist(), strict=True)
            apart &= ~np.fromiter((a.startswith(b) or b.startswith(a) for a, b in pairs), bool, len(apart))
        if self.how == "numbers":
            size = SAME * np.fmax(np.abs(self.number), np.abs(other.number))
            known = ~np.isnan(self.number) & ~np.isnan(other.number)
            apart = np.where(known, np.abs(self.number - other.number) > size, apart)
        return both & apart
