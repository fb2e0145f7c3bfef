"""Conditions on records, one language in all files of a study: ``{SAFFL: Y, AVAL: {below: 1.5}}``.

``{VARIABLE: value | [values] | {test: operand}}``: all entries of a mapping must hold; of a list of mappings, any one.
The tests are ``is`` and ``not`` (a value or several), ``missing`` (true or false), ``below``, ``at_most``, ``above``
and ``at_least``; these four compare with a number, a text or ``{variable: NAME, plus: NUMBER}``; ``from`` and ``to``
compare a numeric date or datetime with a day of the calendar. A bare text is a text, never the name of a variable.

Missing values: a comparison with a missing value on either side never holds. ``not`` holds for a missing value, unless
an empty text, which means missing, is among its values; so does ``is`` only if one is.

Kinds: texts are compared with texts (by code point, so that ISO 8601 dates and grades of one digit are in order),
numbers with numbers, dates with dates and datetimes with datetimes; everything else is refused, without data where the
kinds are known. ``plus`` counts days, for datetimes too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar

import numpy as np

from metadata.condition_tests import (
    COMPARISONS,
    DAYS,
    TESTS,
    ConditionColumns,
    Day,
    Operand,
    OtherVariable,
    Value,
    VariableTest,
)
from metadata.declaration import LARGEST
from metadata.errors import Gather, nearest
from metadata.yaml_source import complain

DatasetKinds = Mapping[str, Mapping[str, str]]
"""The kind of each variable of each dataset (see ``variable_kind``), "" where it is not known."""
WHOLE_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
OPERANDS = "compare with a number, a text, or {variable: NAME, plus: NUMBER}"


@dataclass(frozen=True)
class Condition:
    """Alternatives, each a group of tests that must all hold; a group without tests holds for every row."""

    notation: ClassVar[str] = "condition"

    alternatives: tuple[tuple[VariableTest, ...], ...]

    @property
    def tests(self) -> Iterator[VariableTest]:
        """All tests, in their order."""
        return (test for tests in self.alternatives for test in tests)

    def without(self, tests: Collection[VariableTest]) -> Condition:
        """Return a condition of one alternative without some of its tests; one of several alternatives as it is."""
        if len(self.alternatives) > 1:
            return self
        return Condition((tuple(test for test in self.tests if test not in tests),))

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the variables the condition looks at."""
        return tuple(dict.fromkeys(name for test in self.tests for name in test.reads))

    def holds(self, columns: ConditionColumns, count: int) -> np.ndarray:
        """Return True for each of ``count`` rows that fulfils one of the alternatives."""
        return self.judged(lambda test: test.holds(columns), count)

    def undecided(self, columns: ConditionColumns, count: int) -> np.ndarray:
        """Return True for each of ``count`` rows in which missing values alone decide that no alternative holds.

        As with NULL in SQL: a test of a missing value is neither true nor false, unless it asks for missing values.
        """
        possible = self.judged(lambda test: test.holds(columns) | test.unknown(columns), count)
        certain = self.judged(lambda test: test.holds(columns) & ~test.unknown(columns), count)
        return possible & ~certain

    def judged(self, judge: Callable[[VariableTest], np.ndarray], count: int) -> np.ndarray:
        """Return True for each of ``count`` rows for which ``judge`` passes all tests of one of the alternatives."""
        result = np.zeros(count, bool)
        for tests in self.alternatives:
            every = np.ones(count, bool)
            for test in tests:
                every &= judge(test)
            result |= every
        return result

    def check(self, kinds: Mapping[str, str], owner: str = "") -> None:
        """Raise one StudyError for all tests that do not fit the variables' kinds (see VariableTest.check)."""
        with Gather() as gather:
            for test in self.tests:
                with gather.part():
                    test.check(kinds, owner)

    @property
    def parts(self) -> tuple[str, ...]:
        """The sentences of all that must hold: one a test, or one for all alternatives together."""
        return tuple(map(str, self.tests)) if len(self.alternatives) == 1 else (str(self),)

    def sentence(self, missing: str = "missing", present: str = "not missing") -> str:
        """Return the condition as a phrase, with the texts for a variable that has no value and for one that has."""
        groups = (" and ".join(test.sentence(missing, present) for test in tests) for tests in self.alternatives)
        return ", or ".join(groups)

    def __str__(self) -> str:
        return self.sentence()

    @classmethod
    def read(cls, value: object, node: object, key: str) -> Condition:
        """Read a condition of a mapping; raises StudyError with file, line, key and the nearest name."""
        return read_condition(value, node, key)

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of a condition."""
        return condition_schema()

    def names(self, role: str) -> tuple[str, ...]:
        """Return the variables that the condition reads, if that is the role."""
        return self.reads if role == "reads" else ()


OtherCondition = Annotated[Condition, "other"]
"""A condition on the records of another dataset."""

EVERY_ROW = Condition(((),))
"""The condition that holds for every row."""


def read_condition(value: object, node: object, key: str) -> Condition:
    """Read a condition of a mapping; raises StudyError with file, line, key and the nearest name."""
    alternatives: list[Any] = value if isinstance(value, list) else [value]
    if not alternatives or not all(isinstance(one, dict) and one for one in alternatives):
        raise complain(node, key, "a condition names variables and what must hold, e.g. {SAFFL: Y}")
    with Gather() as gather:
        groups: list[list[VariableTest]] = [[] for _ in alternatives]
        for group, mapping in zip(groups, alternatives, strict=True):
            for variable in mapping:
                with gather.part():
                    group += _tests(mapping, str(variable))
    return Condition(tuple(tuple(group) for group in groups))


def _tests(mapping: dict[str, Any], variable: str) -> Iterator[VariableTest]:
    wanted = mapping[variable]
    if not isinstance(wanted, dict):
        yield VariableTest(variable, "is", _values(wanted, mapping, variable), mapping)
        return
    if not wanted:
        raise complain(mapping, variable, f"say what must hold: a value, values, or one of {', '.join(TESTS)}")
    for name, operand in wanted.items():
        yield VariableTest(variable, name, _operand(wanted, name, operand), mapping)


def _values(value: object, node: object, key: str) -> tuple[Value, ...]:
    values = value if isinstance(value, list) else [value]
    if not values:
        raise complain(node, key, "the list has no value")
    return tuple(_value(one, node, key) for one in values)


def _value(value: object, node: object, key: str) -> Value:
    if isinstance(value, bool):
        raise complain(node, key, "a variable never has the value true or false; write yes, no, on and off in quotes")
    if isinstance(value, int | float) and not abs(value) <= LARGEST:
        raise complain(node, key, "must be a number that a dataset can hold")
    if not isinstance(value, str | int | float):
        raise complain(node, key, "write a text or a number, or {missing: true} for a missing value")
    return value


def _operand(node: dict[str, Any], name: str, value: Any) -> Operand:
    if name not in TESTS:
        raise complain(node, name, f"'{name}' is not a test{nearest(name, TESTS)}; there are {', '.join(TESTS)}")
    if name == "missing":
        if not isinstance(value, bool):
            raise complain(node, name, "missing is true or false")
        return value
    if name in ("is", "not"):
        return _values(value, node, name)
    if name in DAYS:
        return _day(node, name, value)
    if isinstance(value, dict):
        return _other_variable(node, name, value)
    if value == "" or isinstance(value, list) or value is None:
        raise complain(node, name, OPERANDS)
    return _value(value, node, name)


def _day(node: dict[str, Any], name: str, value: object) -> Day:
    try:
        return Day(date.fromisoformat(str(value) if WHOLE_DAY.fullmatch(str(value)) else "").isoformat())
    except ValueError:
        raise complain(node, name, f"'{value}' is no day: write it as 2019-01-31") from None


def _other_variable(node: dict[str, Any], name: str, value: dict[str, Any]) -> OtherVariable:
    plus = value.get("plus", 0)
    right = isinstance(value.get("variable"), str) and isinstance(plus, int | float) and not isinstance(plus, bool)
    if not right or set(value) - {"variable", "plus"} or not abs(plus) <= LARGEST:
        raise complain(node, name, OPERANDS)
    return OtherVariable(value["variable"], float(plus))


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
    tests |= {name: {"type": "string", "format": "date"} for name in DAYS}
    compared = {"type": "object", "properties": tests, "additionalProperties": False, "minProperties": 1}
    mapping = {"type": "object", "additionalProperties": {"anyOf": [*values["anyOf"], compared]}, "minProperties": 1}
    return {"anyOf": [mapping, {"type": "array", "items": mapping, "minItems": 1}]}
