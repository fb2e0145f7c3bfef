"""Filters of the results data as where clauses of CDISC ARS."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from metadata.condition_filter import read_filter, split_filter
from metadata.condition_tests import OtherVariable, VariableTest

COMPARATORS = {"below": "LT", "at_most": "LE", "above": "GT", "at_least": "GE"}


def common(filters: list[str]) -> list[str]:
    """The parts that all filters share, in the order of the first."""
    each = [split_filter(text) for text in filters]
    return [part for part in each[0] if all(part in other for other in each[1:])] if each else []


def condition(dataset: str, text: str) -> dict[str, Any] | None:
    """One test as ARS has it; None for what it cannot say, such as one variable against another, and for several."""
    [*tests] = read_filter(text).tests
    return _condition(dataset, tests[0]) if len(tests) == 1 else None


def where_clause(dataset: str, parts: list[str]) -> dict[str, Any]:
    """``condition`` for one part, ``compoundExpression`` for several; what ARS cannot say is left to the label."""
    return _joined("AND", [_clause(dataset, part) for part in parts], level=2)


@cache
def _clause(dataset: str, part: str) -> dict[str, Any]:
    """One part of a filter; empty if ARS cannot say it, or one of its alternatives."""
    groups = [[_condition(dataset, test) for test in tests] for tests in read_filter(part).alternatives]
    if any(test is None for tests in groups for test in tests):
        return {}
    clauses = [_joined("AND", [{"condition": test} for test in tests], level=4) for tests in groups]
    return _joined("OR", clauses, level=3)


def _joined(operator: str, clauses: Sequence[dict[str, Any]], level: int) -> dict[str, Any]:
    known = [clause for clause in clauses if clause]
    if len(known) < 2:
        return known[0] if known else {}
    ordered = [{"level": level, "order": order, **clause} for order, clause in enumerate(known, start=1)]
    return {"compoundExpression": {"logicalOperator": operator, "whereClauses": ordered}}


def _condition(dataset: str, test: VariableTest) -> dict[str, Any] | None:
    """One test of one variable; an empty text means that the value is missing."""
    if isinstance(test.operand, OtherVariable):
        return None
    if isinstance(test.operand, bool):
        values, comparator = [""], "EQ" if test.operand else "NE"
    elif isinstance(test.operand, tuple):
        values, several = [_text(value) for value in test.operand], len(test.operand) > 1
        comparator = ("IN" if several else "EQ") if test.name == "is" else "NOTIN" if several else "NE"
    else:
        values, comparator = [_text(test.operand)], COMPARATORS[test.name]
    return {"dataset": dataset, "variable": test.variable, "comparator": comparator, "value": values}


def _text(value: object) -> str:
    return value if isinstance(value, str) else f"{value:g}"
