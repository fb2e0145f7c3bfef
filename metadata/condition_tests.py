"""One test of one variable: what it compares, which kinds of columns it fits, and the rows that pass."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from metadata.errors import StudyError, nearest
from metadata.iso8601 import to_sas_days
from metadata.schema_errors import unknown_variable
from metadata.variable_kind import (
    CHAR,
    DATE,
    DATETIME,
    NUM,
    PHRASE,
    SECONDS_A_DAY,
    TIME,
    ClosedText,
    differ,
    is_number,
)
from metadata.yaml_source import complain

if TYPE_CHECKING:
    from metadata.coded_text import CodedText

COMPARISONS: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "below": (operator.lt, "is below"),
    "at_most": (operator.le, "is at most"),
    "above": (operator.gt, "is above"),
    "at_least": (operator.ge, "is at least"),
}
DAYS = {"from": "is on or after", "to": "is on or before"}
"""Tests of a numeric date or datetime against a day of the calendar, that day included."""
SIGNS: dict[str, Callable[[Any, Any], Any]] = {">=": operator.ge, "<=": operator.le, "<": operator.lt}
FLAG_VALUES = ("Y", "N", "U", "NA", "")
"""What a variable whose name ends in FL may hold: the terms of the codelist NY (SDTMIG, ADaMIG), or nothing."""
TESTS = ("is", "not", "missing", *COMPARISONS, *DAYS)
MOST_LISTED = 12
Value = str | int | float


class ConditionColumns(Protocol):
    """What a condition looks at: for each name a float64 array with NaN where missing, or coded texts."""

    def __getitem__(self, name: str, /) -> CodedText | np.ndarray:
        """Return one column."""
        ...


@dataclass(frozen=True)
class OtherVariable:
    """The variable, and what is added to it, that a value is compared with: days, if it is a date or a datetime."""

    name: str
    plus: float = 0.0

    def __str__(self) -> str:
        return f"{self.name} {'+' if self.plus > 0 else '-'} {abs(self.plus):g}" if self.plus else self.name


@dataclass(frozen=True)
class Day:
    """A day of the calendar, as ISO 8601 writes it."""

    text: str

    def __str__(self) -> str:
        return self.text

    def limit(self, test: str, kind: str) -> tuple[str, float]:
        """Return a sign of comparison and the number for it: a datetime is still on the day until the next begins."""
        days = float(to_sas_days(np.array(self.text, "datetime64[D]")))
        scale = 1.0 if kind == DATE else SECONDS_A_DAY
        if test == "from":
            return ">=", days * scale
        return ("<=", days) if kind == DATE else ("<", (days + 1) * scale)


Operand = tuple[Value, ...] | bool | Value | OtherVariable | Day
"""Values of ``is`` and ``not``, the truth value of ``missing``, or what a comparison compares with."""


@dataclass(frozen=True)
class VariableTest:
    """One test of one variable; ``node`` is the mapping that it was read from."""

    variable: str
    name: str
    operand: Operand
    node: object = field(default=None, compare=False, repr=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the variables the test looks at."""
        return (self.variable, self.operand.name) if isinstance(self.operand, OtherVariable) else (self.variable,)

    def holds(self, columns: ConditionColumns) -> np.ndarray:
        """Return True for each row that passes; raises StudyError if the kinds of the columns do not fit."""
        read = {name: columns[name] for name in self.reads}
        known = getattr(columns, "kinds", {})
        kinds = {
            name: known.get(name) or NUM if isinstance(column, np.ndarray) else CHAR for name, column in read.items()
        }
        self.check(kinds)
        column = read[self.variable]
        if self.name == "missing":
            return _among(column, ("",)) == self.operand
        if isinstance(self.operand, tuple):
            return _among(column, self.operand) == (self.name == "is")
        if isinstance(self.operand, Day):
            assert isinstance(column, np.ndarray)
            return self._within(column, kinds[self.variable])
        return _compared(self.name, column, self.operand, read, DATETIME in kinds.values())

    def _within(self, column: np.ndarray, kind: str) -> np.ndarray:
        assert isinstance(self.operand, Day)
        sign, limit = self.operand.limit(self.name, kind)
        with np.errstate(invalid="ignore"):
            return np.asarray(SIGNS[sign](column, limit))

    def unknown(self, columns: ConditionColumns) -> np.ndarray:
        """Return True for each row in which a variable of the test has no value, and the test does not ask for that."""
        lacking = [_among(columns[name], ("",)) for name in self.reads]
        asked = self.name == "missing" or (isinstance(self.operand, tuple) and "" in self.operand)
        return np.any(lacking, axis=0) & (not asked)

    def check(self, kinds: Mapping[str, str], owner: str = "") -> None:
        """Raise StudyError if a variable is not among ``kinds``, or its kind ("" if unknown) does not fit the test."""
        dataset = f"{owner}." if owner else ""
        for name in self.reads:
            if name not in kinds:
                raise unknown_variable(self.node, self.variable, owner or "the dataset", name, kinds)
        kind = kinds[self.variable]
        if isinstance(self.operand, OtherVariable):
            self._check_pair(kind, kinds[self.operand.name], dataset)
        elif isinstance(self.operand, Day):
            self._check_day(kind, dataset)
        elif kind and self.name != "missing":
            values = self.operand if isinstance(self.operand, tuple) else (self.operand,)
            wrong = [one for one in values if one != "" and isinstance(one, str) != (kind == CHAR)]
            if wrong:
                raise self.error(f"{dataset}{self.variable} {self._misfit(kind, wrong[0])}")
            # A filter of the results has no place in a file; there a day is the number that the dataset holds.
            if kind in (DATE, DATETIME) and self.node is not None and any(one != "" for one in values):
                days = "say {from: 2019-01-01} or {to: 2019-01-01}, or compare it with {variable: NAME}"
                raise self.error(f"{dataset}{self.variable} is {PHRASE[kind]}: {days}")
            strange = [one for one in values if one not in FLAG_VALUES]
            if strange and self.variable.endswith("FL") and self.name in ("is", "not") and kind == CHAR:
                raise self.error(f"{dataset}{self.variable} is a flag and never '{strange[0]}': Y, N or missing")
            self._check_possible(kind, dataset)
            if self.name in COMPARISONS and isinstance(self.operand, str) and self.operand in kinds:
                meant = f"write {{variable: {self.operand}}} to compare with the variable"
                raise self.error(f"'{self.operand}' is a text here; {meant}")

    def _check_day(self, kind: str, dataset: str) -> None:
        """Raise StudyError unless the variable is known to be a date or a datetime, or nothing is known of it."""
        if kind in ("", DATE, DATETIME):
            return
        texts = "; texts of ISO 8601 are compared by at_least and at_most" if kind == CHAR else ""
        problem = f"'{self.name}' takes numeric dates and datetimes{texts}"
        raise self.error(f"{dataset}{self.variable} is {PHRASE[kind]}: {problem}")

    def _check_possible(self, kind: str, dataset: str) -> None:
        """Raise StudyError for a text that the variable never has, where its texts are a closed list."""
        for one in self.operand if isinstance(self.operand, tuple) else ():
            if isinstance(one, str) and (problem := impossible(f"{dataset}{self.variable}", one, kind)):
                raise self.error(problem)

    def _misfit(self, kind: str, value: object) -> str:
        if is_number(kind):
            return f"is {PHRASE[kind]}, '{value}' is not"
        if self.name in COMPARISONS:
            return f'holds text; a number is needed to compare with {value}, or write "{value}" to compare texts'
        return f'is text: write "{value}" in quotes'

    def _check_pair(self, kind: str, other_kind: str, dataset: str) -> None:
        assert isinstance(self.operand, OtherVariable)
        if differ(kind, other_kind):
            raise self.error(
                f"{dataset}{self.variable} is {PHRASE[kind]}, {dataset}{self.operand.name} is {PHRASE[other_kind]}:"
                " they cannot be compared"
            )
        if self.operand.plus and CHAR in (kind, other_kind):
            raise self.error(f"{dataset}{self.operand.name} is text: nothing can be added to it")
        if self.operand.plus and TIME in (kind, other_kind):
            raise self.error(f"{dataset}{self.operand.name} is a time: 'plus' counts days")

    def error(self, message: str) -> StudyError:
        """Return the error that names the test's place."""
        inner = self.node.get(self.variable) if isinstance(self.node, Mapping) else None
        return (
            complain(inner, self.name, message)
            if isinstance(inner, dict)
            else complain(self.node, self.variable, message)
        )

    def sentence(self, missing: str = "missing", present: str = "not missing") -> str:
        """Return the test as a phrase, with the texts for a variable that has no value and for one that has."""
        if self.name == "missing":
            return f"{self.variable} is {missing if self.operand else present}"
        if isinstance(self.operand, tuple):
            listed = " or ".join(missing if value == "" else str(value) for value in self.operand)
            return f"{self.variable} is {'not ' if self.name == 'not' else ''}{listed}"
        shown = f"{self.operand:g}" if isinstance(self.operand, int | float) else str(self.operand)
        said = DAYS[self.name] if self.name in DAYS else COMPARISONS[self.name][1]
        return f"{self.variable} {said} {shown}"

    def __str__(self) -> str:
        return self.sentence()


def impossible(variable: str, text: str, kind: str) -> str:
    """Return the sentence for a text that a variable of a kind never has, blank for one that it may have.

    It names the nearest text that the variable has, or all, if they are few.
    """
    if not isinstance(kind, ClosedText) or kind.has(text):
        return ""
    listed = f"; it is one of {', '.join(kind.texts)}" if 0 < len(kind.texts) <= MOST_LISTED else ""
    return f"{variable} is never '{text}'{nearest(text, kind.texts) or listed}"


def _among(column: CodedText | np.ndarray, values: Sequence[Value]) -> np.ndarray:
    """Return True for the rows that have one of the values; an empty text means missing."""
    if isinstance(column, np.ndarray):
        numbers = [value for value in values if not isinstance(value, str)]
        found = np.isin(column, np.array(numbers, float))
        return found | np.isnan(column) if "" in values else found
    return column.isin([value for value in values if isinstance(value, str)])


def _compared(
    name: str, column: CodedText | np.ndarray, operand: Any, read: Mapping[str, Any], datetimes: bool
) -> np.ndarray:
    compare = COMPARISONS[name][0]
    other = read[operand.name] if isinstance(operand, OtherVariable) else operand
    if isinstance(column, np.ndarray):
        plus = operand.plus * (SECONDS_A_DAY if datetimes else 1) if isinstance(operand, OtherVariable) else 0
        limit = other + plus
        with np.errstate(invalid="ignore"):
            return np.asarray(compare(column, limit))
    if isinstance(other, str):
        return column.test(lambda text: text != "" and compare(text, other))
    mine, theirs = column.stack([column, other]).ranks().reshape(2, -1)
    return np.asarray(column.present() & other.present() & compare(mine, theirs))
