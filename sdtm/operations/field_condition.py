"""Conditions on fields of a form: the language of ``metadata.condition``, read from what REDCap stores.

A field with choices is tested by its codes, a checkbox by those that are ticked; neither has an order to be compared. A
field that the dictionary asks a number for (and a calc or slider field) is a number, every other one a text. A
missing-data code is a stored answer: the field is not missing, but no comparison holds for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from metadata.coded_text import CodedText
from metadata.condition import Condition
from metadata.condition_tests import COMPARISONS, DAYS, VariableTest
from metadata.dictionary import Field
from metadata.variable_kind import CHAR, NUM
from metadata.yaml_source import LocatedDict
from sdtm.columns.column import Read
from sdtm.columns.number import plain_number
from sdtm.columns.source import FormRows
from sdtm.operations.operation import MappingContext, choice

CHECKBOX = "checkbox"


@dataclass(frozen=True)
class FieldCondition:
    """A condition with the fields that it reads, by name."""

    condition: Condition
    by_name: Mapping[str, Field]

    def fields(self) -> list[str]:
        """Fields that the condition reads."""
        return list(self.condition.reads)

    def holds(self, source: FormRows) -> tuple[np.ndarray, tuple[Read, ...]]:
        """Return the rows where it holds, and what was read."""
        view = _StoredFields(source, self.by_name)
        return self.condition.judged(view.passes, source.count), tuple(view.reads.values())

    def __str__(self) -> str:
        return self.condition.sentence("absent", "present")


class _StoredFields:
    """The fields of some rows as tests look at them; ``reads`` collects what was read, once a field."""

    def __init__(self, source: FormRows, by_name: Mapping[str, Field]) -> None:
        self.source, self.by_name = source, by_name
        self.reads: dict[str, Read] = {}

    def passes(self, test: VariableTest) -> np.ndarray:
        """Return the rows that pass a test."""
        found = self.by_name[test.variable]
        if found.type == CHECKBOX:
            return self._ticked(found, test)
        if test.name in COMPARISONS:
            return test.holds({name: self._compared(name) for name in test.reads})
        stored = self._stored(test.variable)
        if test.name == "missing" or not found.is_numeric:
            return test.holds({test.variable: stored})
        assert isinstance(test.operand, tuple)
        numbers = [value for value in test.operand if not isinstance(value, str)]
        met = stored.isin([value for value in test.operand if isinstance(value, str)])
        met |= np.isin(self._numbers(test.variable), np.array(numbers, float))
        return met == (test.name == "is")

    def _stored(self, name: str) -> CodedText:
        stored, read = self.source.raw(name)
        self.reads.setdefault(name, read)
        return stored

    def _compared(self, name: str) -> CodedText | np.ndarray:
        """Return a field as it is compared: numbers or texts, missing where a missing-data code is stored."""
        is_numeric = self.by_name[name].is_numeric
        return self._numbers(name) if is_numeric else self.source.without_codes(self._stored(name))

    def _numbers(self, name: str) -> np.ndarray:
        point = "," if self.by_name[name].has_comma else "."
        values = self.source.without_codes(self._stored(name))
        return values.each(lambda text: plain_number(text.strip().replace(point, ".")), float)

    def _ticked(self, found: Field, test: VariableTest) -> np.ndarray:
        codes = [str(code) for code in test.operand] if isinstance(test.operand, tuple) else list(found.choices)
        options = [self.source.raw(found.name, code=code) for code in codes]
        ticked = np.logical_or.reduce([stored.isin(["1"]) for stored, _ in options])
        held = np.logical_or.reduce([read.held for _, read in options])
        before = self.reads.get(found.name, Read(found.name, options[0][1].rows, held, ticked))
        assert before.ticked is not None
        self.reads[found.name] = replace(before, held=before.held | held, ticked=before.ticked | ticked)
        positive = test.name == "is" or test.operand is False
        return ticked == positive


def read_field_condition(node: LocatedDict, key: str, context: MappingContext) -> FieldCondition | None:
    """Return the condition under a key of ``node``, None without one; raises StudyError for what does not fit.

    The fields are on the block's own form.
    """
    if key not in node:
        return None
    condition = Condition.read(node[key], node, key)
    by_name: dict[str, Field] = {}
    for test in condition.tests:
        for name in test.reads:
            by_name[name] = context.field(_located(test), test.variable, name)
    coded = tuple(tuple(_by_code(test, by_name, context) for test in tests) for tests in condition.alternatives)
    return FieldCondition(Condition(coded), by_name)


def _located(test: VariableTest) -> LocatedDict:
    assert isinstance(test.node, LocatedDict)
    return test.node


def _by_code(test: VariableTest, by_name: Mapping[str, Field], context: MappingContext) -> VariableTest:
    """Return the test with its values as they are stored; raises StudyError unless they can be those of the field."""
    offering = [name for name in test.reads if by_name[name].choices]
    if not offering:
        return _of_kind(test, by_name, context)
    if test.name in (*COMPARISONS, *DAYS):
        raise test.error(f"field '{offering[0]}' has choices, whose codes have no order: list the codes that are meant")
    if not isinstance(test.operand, tuple):
        return test
    found, values = by_name[test.variable], tuple(map(str, test.operand))
    blank = () if found.type == CHECKBOX else ("",)
    for value in values:
        if value not in (*blank, *context.project.missing_codes):
            choice(_located(test), test.variable, found, value)
    return replace(test, operand=values)


def _of_kind(test: VariableTest, by_name: Mapping[str, Field], context: MappingContext) -> VariableTest:
    """Return a test of a field without choices; its values are of the field's kind, or missing-data codes as texts."""
    kinds = {name: NUM if by_name[name].is_numeric else CHAR for name in test.reads}
    if not isinstance(test.operand, tuple):
        test.check(kinds)
        return test
    codes = context.project.missing_codes
    values = tuple(str(value) if str(value) in codes else value for value in test.operand)
    replace(test, operand=tuple(value for value in values if value not in codes)).check(kinds)
    return replace(test, operand=values)
