"""The derivation range_indicator: where a value lies in its reference range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adam.columns.columns import Columns, number
from adam.language.derivation import (
    Derivation,
    DerivationContext,
    Outcome,
    keyed,
)
from adam.language.kinds import NewText, NumberColumn
from metadata.coded_text import CodedText
from metadata.condition import DatasetKinds
from metadata.units import significant
from metadata.variable_kind import ClosedText

INDICATORS = ["LOW LOW", "LOW", "NORMAL", "HIGH", "HIGH HIGH"]


@keyed("range_indicator")
@dataclass(frozen=True, kw_only=True)
class RangeIndicator(Derivation):
    """LOW, NORMAL or HIGH by the record's reference range; missing without a value or without any limit.

    A value on a limit is NORMAL; equality is judged to ``digits`` significant digits, so that the noise of a conversion
    makes no difference. With one limit only, a value that is not beyond it is NORMAL. ``outer_low`` and ``outer_high``
    name outer limits (A1LO, A1HI), beyond which a value is LOW LOW or HIGH HIGH.
    """

    value: NumberColumn = "AVAL"
    low: NumberColumn = "ANRLO"
    high: NumberColumn = "ANRHI"
    outer_low: NumberColumn | None = None
    outer_high: NumberColumn | None = None
    digits: int = 12
    to: NewText = "ANRIND"

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        value, low, high = (
            significant(number(columns, name), self.digits) for name in (self.value, self.low, self.high)
        )
        nothing = np.full(count, np.nan)
        outer = [significant(number(columns, name), self.digits) if name else nothing
                 for name in (self.outer_low, self.outer_high)]  # fmt: skip
        with np.errstate(invalid="ignore"):
            codes = np.select([value < outer[0], value > outer[1], value < low, value > high], [0, 4, 1, 3], 2)
        unknown = np.isnan(value) | (np.isnan(low) & np.isnan(high))
        return Outcome({self.to: CodedText.of_codes(np.where(unknown, -1, codes), INDICATORS)})

    def closed_texts(self, variable: str, kinds: DatasetKinds) -> ClosedText | None:
        given = INDICATORS[0 if self.outer_low else 1 : None if self.outer_high else -1]
        return ClosedText(given) if variable == self.to else None

    def sentence(self, variable: str) -> str:
        outer = f"LOW LOW if {self.value} is below {self.outer_low}, " if self.outer_low else ""
        outer += f"HIGH HIGH if it is above {self.outer_high}, " if self.outer_high else ""
        return (
            f"{outer}LOW if {self.value} is below {self.low}, HIGH if it is above {self.high}, else NORMAL;"
            f" missing without value or range{self.within()}."
        )
