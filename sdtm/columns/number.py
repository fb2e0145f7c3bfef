"""Numbers as forms hold them and as SDTM writes them, in decimal arithmetic: no digit is lost, and none is invented."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Literal

import numpy as np

NumberForm = Literal["decimal_comma", "exponent", "symbols"]
"""How numbers may be written beyond 5.2: as 5,2; as 1e3; with the signs of at most and at least."""
PLAIN = r"(?:\d+(?:\.\d*)?|\.\d+)"
NUMBER = re.compile(rf"[+-]?{PLAIN}", re.ASCII)
LIMITED = re.compile(rf"(<=|>=|<|>)\s*({PLAIN})", re.ASCII)
"""A result beyond a limit of quantification, such as <5."""
RESULT = re.compile(rf"(?:(<=|>=|<|>)\s*({PLAIN}(?:[eE][+-]?\d\d?)?)|([+-]?{PLAIN}(?:[eE][+-]?\d\d?)?))", re.ASCII)
COMMA = re.compile(r"[^,.]*,\d+[^,.]*", re.ASCII)
SYMBOLS = str.maketrans({"≤": "<=", "≥": ">="})
ROUNDED_TO, WHOLE = 12, 15
"""Significant digits of a product that has more than float64 holds for certain; with fewer it is not rounded."""
EXACT = Context(prec=200)


@dataclass(frozen=True)
class Measurement:
    """A number, and the sign of a limit such as <5 (blank for a number)."""

    value: Decimal
    sign: str = ""

    @property
    def number(self) -> float:
        """The number as float64, NaN for a limit."""
        return np.nan if self.sign else float(self.value)

    def text(self) -> str:
        """Return the digits as they are, without a plus, an exponent, or zeros before the first digit."""
        return self.sign + written(self.value)


def plain_number(text: str) -> float:
    """Return the number that a plain decimal text says, NaN for any other text."""
    return float(text) if NUMBER.fullmatch(text) else np.nan


def is_number(text: str) -> bool:
    """Return True for a plain decimal text."""
    return NUMBER.fullmatch(text) is not None


def fits_float(text: str) -> bool:
    """Return True for a plain decimal text whose digits a float64 gives back."""
    return is_number(text) and Decimal(repr(float(text))) == Decimal(text)


def read_result(text: str, forms: frozenset[NumberForm] = frozenset()) -> Measurement | None:
    """Return the number or limit that a text says, in a plain form or one of ``forms``; None for any other text."""
    given = text.strip()
    if "symbols" in forms:
        given = given.translate(SYMBOLS)
    if "decimal_comma" in forms and COMMA.fullmatch(given):
        given = given.replace(",", ".")
    found = RESULT.fullmatch(given)
    if not found or ("exponent" not in forms and "e" in given.lower()):
        return None
    return Measurement(Decimal(found[2] or found[3]), found[1] or "")


def written(value: Decimal) -> str:
    """Return a number with all its digits, zeros at the end included."""
    return format(value or abs(value), "f")


def converted(
    value: Decimal, added: float, factor: float, digits: int | None = None, decimals: int | None = None
) -> Decimal:
    """Return (value + added) * factor, rounded half up to the declared significant digits or decimals.

    Without either the product has all digits of value and factor, unless they are more than 15: then it is rounded to
    12 digits, or to as many as the value has.
    """
    product = EXACT.multiply(EXACT.add(value, _decimal(added)), _decimal(factor))
    if decimals is not None:
        return product.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, EXACT)
    if digits is not None:
        return _significant(product, digits)
    if _digits(product) > WHOLE:
        product = _significant(product, max(ROUNDED_TO, _digits(value)))
    return product.normalize(EXACT)


def _decimal(number: float) -> Decimal:
    return Decimal(repr(float(number)))


def _digits(value: Decimal) -> int:
    return len(value.normalize(EXACT).as_tuple().digits)


def _significant(value: Decimal, digits: int) -> Decimal:
    return (
        value.quantize(Decimal(1).scaleb(value.adjusted() - digits + 1), ROUND_HALF_UP, EXACT) if value else Decimal(0)
    )
