"""Conversion of results to standard units by factors that the study declares for each test.

A factor is declared because it depends on the test: a molar mass for a concentration, 0.1665 for urea but 0.357 for
urea nitrogen. Nothing is guessed from the text of a unit; where two units differ by a power of ten alone, another
factor is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from metadata.coded_text import CodedText
from metadata.unit_scale import wrong_factor
from metadata.yaml_source import complain

DIGITS = 12


def significant(values: np.ndarray, digits: int = DIGITS) -> np.ndarray:
    """Round to significant digits, which takes away the noise of binary multiplication and nothing measured."""
    values = np.asarray(values, float)
    known = np.isfinite(values) & (values != 0)
    size = np.floor(np.log10(np.abs(np.where(known, values, 1.0))))
    places = digits - 1 - size
    scale = np.power(10.0, np.clip(places, -300, 300))
    return np.where(known, np.round(values * scale) / scale, values)


def text_of(values: np.ndarray) -> CodedText:
    """Return the shortest decimal text of each number (``4.5``, ``12``), blank for NaN."""
    return CodedText.of_numbers(significant(np.asarray(values, float)) + 0.0, _plain)


def _plain(value: float) -> str:
    """Write a number without exponent and without a trailing point zero."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return np.format_float_positional(value, trim="-")


@dataclass(frozen=True)
class TestUnits:
    """Standard unit of one test, and for each unit in which it may be reported the factor to the standard unit.

    ``shifts`` are added before the factor is applied: a temperature of F in C is -32, then times 5/9. ``digits``
    (significant) or ``decimals`` are those of a converted result, None for all that it has.
    """

    __test__ = False

    standard: str
    factors: dict[str, float]
    shifts: dict[str, float] = field(default_factory=dict)
    digits: int | None = None
    decimals: int | None = None

    def factor(self, unit: str) -> float | None:
        """Return the factor from ``unit`` to the standard unit; None if the study declares none."""
        return 1.0 if unit == self.standard else self.factors.get(unit)

    def shift(self, unit: str) -> float:
        """Return what is added to a value in ``unit`` before the factor is applied."""
        return self.shifts.get(unit, 0.0)

    def to_standard(self, value: float, unit: str) -> float:
        """Return a value of ``unit`` in the standard unit, NaN without a factor."""
        factor = self.factor(unit)
        return float("nan") if factor is None else (value + self.shift(unit)) * factor

    def from_standard(self, value: float, unit: str) -> float:
        """Return a value of the standard unit in ``unit``, NaN without a factor."""
        factor = self.factor(unit)
        return float("nan") if factor is None else value / factor - self.shift(unit)


def read_units(declared: dict[str, Any]) -> dict[str, TestUnits]:
    """Read ``{test: {standard_unit: U, unit_factors: {unit: factor}}}``; raises StudyError for other factors.

    Instead of a factor may be written ``{add: NUMBER, factor: NUMBER}``: the number is added first.
    """
    made = {}
    for test, body in declared.items():
        given = body.get("unit_factors") or {}
        standard = str(body.get("standard_unit", ""))
        factors = {unit: _factor(given, test, str(unit), standard) for unit in given}
        shifts = {unit: float(each["add"]) for unit, each in given.items() if isinstance(each, dict) and "add" in each}
        if "digits" in body and "decimals" in body:
            raise complain(body, "decimals", f"{test} has digits already: declare one of them")
        rounding = {name: int(body[name]) for name in ("digits", "decimals") if name in body}
        made[test] = TestUnits(standard, factors, shifts, **rounding)
    return made


def _factor(given: dict[str, Any], test: str, unit: str, standard: str) -> float:
    declared = given[unit]
    node, key = (declared, "factor") if isinstance(declared, dict) else (given, unit)
    factor, added = node.get(key, 1), declared.get("add", 0) if isinstance(declared, dict) else 0
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not factor > 0:
        raise complain(node, key, f"the factor of {test} from {unit} must be a number above 0")
    if isinstance(added, bool) or not isinstance(added, int | float):
        raise complain(node, "add", f"what is added to {test} in {unit} must be a number")
    if not added and (problem := wrong_factor(unit, standard, float(factor))):
        raise complain(node, key, problem)
    return float(factor)
