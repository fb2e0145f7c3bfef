"""What values an operation can give, where that is a closed list: the terms of a sponsor's own codelist."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch

from sdtm.columns.text import transliterated
from sdtm.operations.choices import (
    Checkbox,
    Common,
    Option,
    Strongest,
)
from sdtm.operations.operation import Operation
from sdtm.operations.subjects import AnyOf, Assign
from sdtm.operations.values import ConstantValue, FieldValue, FirstOf

ValueSet = dict[str, str] | None


def value_set(operations: Iterable[Operation]) -> tuple[tuple[str, str], ...]:
    """Return the values that several operations together can give, each with its meaning (blank if it says it all).

    The texts are as the datasets have them, in ASCII. Nothing is returned if one of the operations gives free text, or
    if all together give one value or none: that is not a list to choose from.
    """
    joined = _union(operations)
    if not joined or len(joined) < 2:
        return ()
    return tuple((transliterated(value)[0], transliterated(meaning)[0]) for value, meaning in joined.items())


def possible_values(operations: Iterable[Operation]) -> tuple[str, ...]:
    """Return the values that several operations together can give, as they are collected; none if one is free text."""
    return tuple(_union(operations) or ())


@singledispatch
def values_of(operation: Operation) -> ValueSet:
    """Return value to meaning for one operation; None if it gives free text, numbers or dates."""
    return None


@values_of.register
def _(operation: ConstantValue) -> ValueSet:
    return {operation.text: ""}


@values_of.register
def _(operation: Assign) -> ValueSet:
    return {operation.term: ""}


@values_of.register
def _(operation: FieldValue) -> ValueSet:
    return meanings(operation.terms, operation.found.choices) if operation.terms else None


@values_of.register
def _(operation: Option) -> ValueSet:
    return meanings(operation.terms, operation.found.choices)


@values_of.register
def _(operation: Checkbox) -> ValueSet:
    if operation.codes:
        return {word: "" for word in (operation.checked, operation.unchecked) if word}
    found = meanings(operation.terms, operation.found.choices)
    return found | {word: "" for word in (operation.none, operation.multiple) if word}


@values_of.register
def _(operation: Strongest) -> ValueSet:
    return _union(operation.parts)


@values_of.register
def _(operation: Common) -> ValueSet:
    found = _union(operation.parts)
    return None if found is None else found | {str(operation.spec["otherwise"]): ""}


@values_of.register(FirstOf)
@values_of.register(AnyOf)
def _(operation: FirstOf | AnyOf) -> ValueSet:
    return _union(operation.parts)


def meanings(terms: dict[str, str], labels: dict[str, str]) -> dict[str, str]:
    """Return value to label of the choices behind it, blank where the label says no more than the value."""
    made: dict[str, str] = {}
    for code, value in terms.items():
        label = labels.get(code, "")
        if value and label.upper() != value.upper():
            made[value] = f"{made[value]}; {label}" if made.get(value) else label
        elif value:
            made.setdefault(value, "")
    return made


def _union(operations: Iterable[Operation]) -> ValueSet:
    made: dict[str, str] = {}
    for operation in operations:
        own = values_of(operation)
        if own is None:
            return None
        for value, meaning in own.items():
            made[value] = made.get(value) or meaning
    return made
