"""A column of values as REDCap's logic sees them: each a text, and a number where it is one."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)$"
LITERAL = re.compile(NUMBER, re.ASCII)
NUMBER_WITH_COMMA = r"^[+-]?(?:\d+,?\d*|,\d+)$"


def numbers_of(texts: np.ndarray, decimal_comma: bool = False) -> np.ndarray:
    """Return float64 of plainly written numbers in an object array of texts, NaN for anything else.

    Exponents, blanks around a number and texts such as ``inf`` are not numbers.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    written = pa.array(texts, type=pa.string())
    matched = pc.match_substring_regex(written, NUMBER_WITH_COMMA if decimal_comma else NUMBER)
    plain = pc.utf8_ltrim(pc.replace_substring(written, ",", ".") if decimal_comma else written, characters="+")
    numbers = pc.cast(pc.if_else(matched, plain, pa.scalar(None, pa.string())), pa.float64())
    return np.asarray(numbers.to_numpy(zero_copy_only=False), np.float64)


def written_number(value: float) -> str:
    """Return a number as REDCap stores a calculated one: 14 significant digits, no ``.0``; NaN is blank."""
    if np.isnan(value):
        return ""
    return f"{value:.14g}" if abs(value) < 1e14 else f"{value:.0f}"


def matches(texts: np.ndarray, pattern: str) -> np.ndarray:
    """Return True where a text matches a regular expression (RE2) as a whole."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.match_substring_regex(pa.array(texts, type=pa.string()), f"^(?:{pattern})$")
    return np.asarray(found.to_numpy(zero_copy_only=False), bool)


class ExpressionColumn:
    """Values of one operand, one a row or a single one for all rows.

    ``given`` holds texts as stored (None for a computed number); ``number`` is float64 with NaN where the value is
    blank or no number; ``coded`` is True where the value is a missing-data code, which is never a number.
    """

    def __init__(
        self,
        given: np.ndarray | None,
        number: np.ndarray | None = None,
        coded: np.ndarray | None = None,
        decimal_comma: bool = False,
    ) -> None:
        self.given, self._coded, self._decimal_comma = given, coded, decimal_comma
        if number is not None:
            self.number = number

    @classmethod
    def stored(
        cls, values: pd.Series | np.ndarray, codes: Collection[str] = (), decimal_comma: bool = False
    ) -> ExpressionColumn:
        """Return the column of a field's stored texts."""
        texts = values if isinstance(values, np.ndarray) else values.to_numpy(object)
        coded = np.zeros(len(texts), bool)
        for code in codes:
            coded |= texts == code
        return cls(texts, None, coded, decimal_comma)

    @classmethod
    def literal(cls, text: str) -> ExpressionColumn:
        """Return a quoted text for all rows."""
        return cls(np.array([text], object), np.array([float(text) if LITERAL.fullmatch(text) else np.nan]))

    @classmethod
    def computed(cls, number: np.ndarray | float) -> ExpressionColumn:
        """Return a computed number; infinities count as blank."""
        values = np.atleast_1d(np.asarray(number, np.float64))
        return cls(None, np.where(np.isfinite(values), values, np.nan))

    @cached_property
    def number(self) -> np.ndarray:
        """Values as numbers."""
        assert self.given is not None
        numbers = numbers_of(self.given, self._decimal_comma)
        return np.where(self._coded, np.nan, numbers) if self._coded is not None else numbers

    @cached_property
    def coded(self) -> np.ndarray:
        """True where the value is a missing-data code."""
        return np.zeros(len(self.blank), bool) if self._coded is None else self._coded

    def blank_as_zero(self) -> ExpressionColumn:
        """Return the column with 0 for blanks."""
        return ExpressionColumn(None, np.where(self.blank, 0.0, self.number), self.coded)

    @cached_property
    def text(self) -> np.ndarray:
        """Values as text: stored ones as they are, computed ones as REDCap would store them."""
        import pandas as pd

        if self.given is not None:
            return self.given
        codes, values = pd.factorize(self.number, use_na_sentinel=False)
        return np.array([written_number(value) for value in values], object)[codes]

    @cached_property
    def blank(self) -> np.ndarray:
        """True where there is no value."""
        return np.isnan(self.number) if self.given is None else np.asarray(self.given == "", bool)

    @cached_property
    def truth(self) -> np.ndarray:
        """True where the value counts as true in a condition: neither blank nor zero."""
        return ~self.blank & (self.number != 0)

    def spread(self, size: int) -> ExpressionColumn:
        """Return the column with one value a row."""
        if len(self.blank) == size:
            return self
        given = None if self.given is None else np.broadcast_to(self.given, (size,))
        return ExpressionColumn(given, np.broadcast_to(self.number, (size,)), np.broadcast_to(self.coded, (size,)))
