"""How units that measure the same differ: by powers of ten and the like, whatever it was that was measured.

``g/dL`` is ten ``g/L``, ``10^3/uL`` a thousand ``10^6/L``, whatever the test. From grams to moles nothing follows
without the molar mass, and no factor is judged. Units are written as the codelist UNIT of SDTM writes them.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from typing import NamedTuple

PREFIXES = {"": 0, "k": 3, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
UNIT = re.compile(
    r"(?:10\^(?P<power>\d{1,2}))?(?:(?P<prefix>[kdcmunpf]?)(?P<base>g|mol|L|m|U|kat))?"
    r"(?:/(?P<below>[kdcmunpf]?)(?P<of>g|mol|L|m))?",
    re.ASCII,
)
KATAL = ("U", Fraction(60 * 10**6))
"""A katal is a mole a second, an enzyme unit a micromole a minute."""
PARTS = ("g", "L")
"""Of a mass or a volume a share is a percentage; mmol/mol of HbA1c follows from its % by another rule."""
TOLERANCE, ROUNDED = 1e-6, 5e-3
"""Parts by which a factor may be off: of powers of ten, and of pounds, inches and feet, which studies round."""


class Scale(NamedTuple):
    """What a unit measures, as numerator and denominator, and how many of the unit without prefixes it is."""

    measures: tuple[str, str]
    size: Fraction


CUSTOMARY = {
    "LB": Scale(("g", ""), Fraction(45359237, 100000)),
    "IN": Scale(("m", ""), Fraction(254, 10000)),
    "FT": Scale(("m", ""), Fraction(3048, 10000)),
}


@cache
def scale_of(unit: str) -> Scale | None:
    """Return the scale of a unit; None for one that is not made of prefixes, grams, moles, litres, metres and units."""
    if unit in CUSTOMARY:
        return CUSTOMARY[unit]
    if unit == "%":
        return Scale(("", ""), Fraction(1, 100))
    found = UNIT.fullmatch(unit)
    if not found or not (found["power"] or found["base"] or found["of"]):
        return None
    base, size = found["base"] or "", _power(int(found["power"] or 0) + PREFIXES[found["prefix"] or ""])
    if base == "kat":
        base, size = KATAL[0], size * KATAL[1]
    below = found["of"] or ""
    size /= _power(PREFIXES[found["below"] or ""])
    return Scale(("", "") if base == below in PARTS else (base, below), size)


def factor_between(unit: str, other: str) -> float | None:
    """Return how many of the ``other`` one ``unit`` is; None where that depends on what was measured."""
    one, two = scale_of(unit), scale_of(other)
    return float(one.size / two.size) if one and two and one.measures == two.measures else None


def wrong_factor(unit: str, other: str, factor: float) -> str:
    """Return the sentence for a factor from ``unit`` to ``other`` that cannot be right, blank for any other."""
    right = factor_between(unit, other)
    tolerance = ROUNDED if {unit, other} & set(CUSTOMARY) else TOLERANCE
    if right is None or abs(factor - right) <= tolerance * right:
        return ""
    return f"1 {unit} is {right:.12g} {other}, so that the factor is {right:.12g}, not {factor:.12g}"


def _power(exponent: int) -> Fraction:
    return Fraction(10) ** exponent
