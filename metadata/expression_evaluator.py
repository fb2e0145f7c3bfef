"""Evaluates a parsed expression over columns: one value for each row at hand."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from metadata import expression_dates, expression_text  # noqa: F401 register their functions
from metadata.errors import nearest
from metadata.expression import (
    Binary,
    Expression,
    FunctionCall,
    Node,
    NumberLiteral,
    Reference,
    TextLiteral,
    Unary,
    walk,
)
from metadata.expression_column import ExpressionColumn
from metadata.expression_functions import FUNCTIONS, FunctionError

if TYPE_CHECKING:
    import pandas as pd

COMPARISONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
NULL = "NaN"
ARITHMETIC: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": np.divide,
    "^": np.power,
}


class EvaluationContext(Protocol):
    """The rows at hand: how many, and the column of any reference aligned to them."""

    @property
    def size(self) -> int:
        """Number of rows."""

    def column(self, reference: Reference) -> ExpressionColumn:
        """Return the values of a reference, one a row; raises LookupError with a sentence if there can be none."""


def evaluate(expression: Expression, context: EvaluationContext) -> ExpressionColumn:
    """Return the value of an expression in every row.

    A comparison is numeric where both sides are numbers, else of texts; blank equals only blank and a 0 that is not in
    quotes, and is neither above nor below anything; the quoted text NaN means blank; a missing-data code is never a
    number; arithmetic with a blank gives a blank. Raises
    UnsupportedExpression where a function or a reference cannot be evaluated.
    """
    return _Evaluation(expression, context).value(expression.root).spread(context.size)


def evaluate_condition(expression: Expression, context: EvaluationContext) -> np.ndarray:
    """Return where the expression is true, as booleans."""
    return evaluate(expression, context).truth


def evaluate_text(expression: Expression, context: EvaluationContext) -> pd.Series:
    """Return the values as REDCap would store them."""
    import pandas as pd

    return pd.Series(evaluate(expression, context).text, dtype="str")


def check(expression: Expression) -> None:
    """Raise UnsupportedExpression for a function that does not exist here or has a wrong number of arguments."""
    for node in walk(expression.root):
        if isinstance(node, FunctionCall):
            _known(expression, node)


def _known(expression: Expression, call: FunctionCall) -> None:
    known = FUNCTIONS.get(call.function)
    if known is None:
        hint = nearest(call.function, FUNCTIONS)
        raise expression.unsupported(f"the function '{call.function}' is not supported{hint}", call)
    count = len(call.arguments)
    if count < known.least or (known.most is not None and count > known.most):
        span = str(known.least) if known.least == known.most else f"{known.least} to {known.most or 'any number of'}"
        raise expression.unsupported(f"expected {span} arguments of '{call.function}' but found {count}", call)


def compare(sign: str, left: ExpressionColumn, right: ExpressionColumn) -> ExpressionColumn:
    """Return 1 where the comparison holds, else 0."""
    both = ~np.isnan(left.number) & ~np.isnan(right.number)
    held = COMPARISONS[sign](left.number, right.number)
    if both.all():
        return ExpressionColumn.computed(held)
    if sign in ("=", "<>"):
        same = np.asarray(left.text == right.text, bool)
        return ExpressionColumn.computed(np.where(both, held, same if sign == "=" else ~same))
    texts = np.isnan(left.number) & np.isnan(right.number) & ~left.blank & ~right.blank
    texts = texts & ~left.coded & ~right.coded
    ordered = np.zeros(both.shape, bool)
    if texts.any():
        ordered = np.asarray(COMPARISONS[sign](left.text.astype(str), right.text.astype(str)), bool)
    return ExpressionColumn.computed(np.where(both, held, texts & ordered))


def _is_zero(node: Node) -> bool:
    """Whether it is a 0 without quotes, which REDCap holds equal to a blank."""
    return isinstance(node, NumberLiteral) and node.value == 0


class _Evaluation:
    """One pass over the tree."""

    def __init__(self, expression: Expression, context: EvaluationContext) -> None:
        self.expression, self.context = expression, context

    def value(self, node: Node) -> ExpressionColumn:
        match node:
            case NumberLiteral():
                return ExpressionColumn.computed(node.value)
            case TextLiteral():
                return ExpressionColumn.literal("" if node.value == NULL else node.value)
            case Reference():
                return self.reference(node)
            case Unary():
                return self.unary(node)
            case Binary():
                return self.binary(node)
        return self.call(node)

    def reference(self, node: Reference) -> ExpressionColumn:
        try:
            return self.context.column(node)
        except LookupError as error:
            raise self.expression.unsupported(str(error.args[0]), node) from None

    def unary(self, node: Unary) -> ExpressionColumn:
        operand = self.value(node.operand)
        return ExpressionColumn.computed(~operand.truth if node.operator == "not" else -operand.number)

    def binary(self, node: Binary) -> ExpressionColumn:
        left, right = self.value(node.left), self.value(node.right)
        if node.operator in ("=", "<>") and _is_zero(node.right):
            left = left.blank_as_zero() if left.blank.any() else left
        if node.operator in ("=", "<>") and _is_zero(node.left):
            right = right.blank_as_zero() if right.blank.any() else right
        if node.operator in COMPARISONS:
            return compare(node.operator, left, right)
        if node.operator == "and":
            return ExpressionColumn.computed(left.truth & right.truth)
        if node.operator == "or":
            return ExpressionColumn.computed(left.truth | right.truth)
        with np.errstate(all="ignore"):
            return ExpressionColumn.computed(ARITHMETIC[node.operator](left.number, right.number))

    def call(self, node: FunctionCall) -> ExpressionColumn:
        _known(self.expression, node)
        arguments = [self.value(argument) for argument in node.arguments]
        try:
            return FUNCTIONS[node.function].apply(*arguments)
        except FunctionError as error:
            raise self.expression.unsupported(str(error), node) from None
