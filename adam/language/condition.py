"""Conditions on records, as data: ``{SAFFL: Y, AVAL: {below: 1.5}}``; a list of such mappings means any of them.

A variable is held against a value, a list of values, or comparisons; all that one mapping names must hold. The operand
of a comparison is a number, a text, or another variable with an optional offset: ``{variable: TRTEDT, plus: 30}``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from adam.columns.columns import (
    Columns,
    among,
    number,
    present,
)
from metadata.errors import nearest
from metadata.yaml_source import complain

COMPARISONS: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "below": (operator.lt, "is below"),
    "at_most": (operator.le, "is at most"),
    "above": (operator.gt, "is above"),
    "at_least": (operator.ge, "is at least"),
}
TESTS = ("is", "not", "missing", *COMPARISONS)


@dataclass(frozen=True)
class Operand:
    """What a value is compared with: a number, or a variable plus an offset."""

    number: float = 0.0
    variable: str = ""

    def values(self, columns: Columns) -> np.ndarray | float:
        """Return the number, or the variable's values plus the number."""
        return number(columns, self.variable) + self.number if self.variable else self.number

    def __str__(self) -> str:
        shown = f"{self.number:g}"
        if not self.variable:
            return shown
        return f"{self.variable} + {shown}" if self.number else self.variable


@dataclass(frozen=True)
class Test:
    """One test of one variable."""

    variable: str
    name: str
    operand: Any

    def holds(self, columns: Columns) -> np.ndarray:
        """Return True where the test holds; a comparison with a missing value never does."""
        if self.name == "missing":
            return present(columns[self.variable]) != self.operand
        if self.name == "is":
            return among(columns[self.variable], self.operand)
        if self.name == "not":
            return ~among(columns[self.variable], self.operand)
        with np.errstate(invalid="ignore"):
            return np.asarray(
                COMPARISONS[self.name][0](number(columns, self.variable), self.operand.values(columns)), bool
            )

    def __str__(self) -> str:
        if self.name == "missing":
            return f"{self.variable} is {'missing' if self.operand else 'not missing'}"
        if self.name in COMPARISONS:
            return f"{self.variable} {COMPARISONS[self.name][1]} {self.operand}"
        listed = " or ".join(str(value) for value in self.operand)
        return f"{self.variable} is {'not ' if self.name == 'not' else ''}{listed}"


@dataclass(frozen=True)
class Condition:
    """Alternatives, each a group of tests that must all hold."""

    alternatives: tuple[tuple[Test, ...], ...]

    notation: ClassVar[str] = "condition"

    @classmethod
    def read(cls, value: object, node: object, key: str) -> Condition:
        """Read a condition of a mapping; raises StudyError with file, line, key and the nearest word."""
        return read_condition(value, node, key)

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of a condition."""
        return condition_schema()

    def names(self, role: str) -> tuple[str, ...]:
        """Return the variables that the condition reads, if that is the role."""
        return self.reads if role == "reads" else ()

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the variables the condition looks at."""
        names: list[str] = []
        for test in (test for tests in self.alternatives for test in tests):
            names += [test.variable, *([test.operand.variable] if isinstance(test.operand, Operand) else [])]
        return tuple(dict.fromkeys(name for name in names if name))

    def holds(self, columns: Columns, count: int) -> np.ndarray:
        """Return True for each of ``count`` rows that fulfils one of the alternatives."""
        result = np.zeros(count, bool)
        for tests in self.alternatives:
            every = np.ones(count, bool)
            for test in tests:
                every &= test.holds(columns)
            result |= every
        return result

    def __str__(self) -> str:
        return ", or ".join(" and ".join(str(test) for test in tests) for tests in self.alternatives)


def read_condition(value: object, node: object, key: str) -> Condition:
    """Read a condition of a mapping; raises StudyError with file, line, key and the nearest word."""
    alternatives: list[Any] = value if isinstance(value, list) else [value]
    if not alternatives or not all(isinstance(one, dict) and one for one in alternatives):
        raise complain(node, key, "a condition names variables and what must hold, e.g. {SAFFL: Y}")
    return Condition(tuple(tuple(_tests(one)) for one in alternatives))


def _tests(mapping: dict[str, Any]) -> list[Test]:
    found: list[Test] = []
    for variable, wanted in mapping.items():
        if not isinstance(wanted, dict):
            found.append(Test(variable, "is", _values(wanted)))
            continue
        for name, operand in wanted.items():
            found.append(Test(variable, name, _operand(wanted, name, operand)))
    return found


def _values(value: object) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


def _operand(node: dict[str, Any], name: str, value: Any) -> Any:
    if name not in TESTS:
        raise complain(node, name, f"'{name}' is not a test{nearest(name, TESTS)}; there are {', '.join(TESTS)}")
    if name == "missing":
        if not isinstance(value, bool):
            raise complain(node, name, "missing is true or false")
        return value
    if name in ("is", "not"):
        return _values(value)
    if isinstance(value, dict):
        extra = [key for key in value if key not in ("variable", "plus")]
        if extra or "variable" not in value:
            raise complain(node, name, "compare with a number, or with {variable: NAME, plus: NUMBER}")
        return Operand(float(value.get("plus", 0)), str(value["variable"]))
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise complain(node, name, "compare with a number, or with {variable: NAME, plus: NUMBER}")
    return Operand(variable=value) if isinstance(value, str) else Operand(float(value))


def condition_schema() -> dict[str, Any]:
    """Return the JSON Schema of a condition."""
    scalar = {"type": ["string", "number"]}
    values = {"anyOf": [scalar, {"type": "array", "items": scalar, "minItems": 1}]}
    shifted = {
        "type": "object",
        "properties": {"variable": {"type": "string"}, "plus": {"type": "number"}},
        "required": ["variable"],
        "additionalProperties": False,
    }
    tests: dict[str, Any] = {"is": values, "not": values, "missing": {"type": "boolean"}}
    tests |= {name: {"anyOf": [scalar, shifted]} for name in COMPARISONS}
    compared = {"type": "object", "properties": tests, "additionalProperties": False, "minProperties": 1}
    mapping = {"type": "object", "additionalProperties": {"anyOf": [*values["anyOf"], compared]}, "minProperties": 1}
    return {"anyOf": [mapping, {"type": "array", "items": mapping, "minItems": 1}]}
