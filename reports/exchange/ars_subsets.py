"""Filters of the results data as where clauses of CDISC ARS."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import Any

COMPARATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "EQ", ast.NotEq: "NE", ast.Gt: "GT", ast.GtE: "GE", ast.Lt: "LT", ast.LtE: "LE", ast.In: "IN",
    ast.NotIn: "NOTIN",
}  # fmt: skip
# A text in quotes; a bracket other than that of a list; and what divides conditions: a text in quotes never holds it.
QUOTED = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
GROUPED = re.compile(r" or |(?<!in )\(")
BREAK = "\0"


@cache
def conditions(text: str) -> tuple[str, ...]:
    """The parts of a filter that are joined by ``and``, each as text."""
    if not text:
        return ()
    pieces = QUOTED.split(text)  # texts in quotes at the odd places
    if any(map(GROUPED.search, pieces[::2])):
        return _joined_by_and(text)
    pieces[::2] = [piece.replace(" and ", BREAK) for piece in pieces[::2]]
    return tuple(part for piece in "".join(pieces).split(BREAK) for part in _joined_by_and(piece))


@cache
def _joined_by_and(text: str) -> tuple[str, ...]:
    """The parts of what Python's own parser reads: it is slow, and most conditions are those of other filters too."""
    node = ast.parse(text, mode="eval").body
    parts = node.values if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) else [node]
    return tuple(ast.unparse(part) for part in parts)


def common(filters: list[str]) -> list[str]:
    """The conditions that all filters share, in the order of the first."""
    each = [conditions(text) for text in filters]
    return [part for part in each[0] if all(part in other for other in each[1:])] if each else []


@cache
def condition(dataset: str, text: str) -> dict[str, Any] | None:
    """One condition as ARS has it; None for what it cannot say, such as one variable against another."""
    node = ast.parse(text, mode="eval").body
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not isinstance(node.left, ast.Name):
        return None
    word, right = COMPARATORS.get(type(node.ops[0]), ""), node.comparators[0]
    if isinstance(right, ast.Name):
        # A variable compared with itself asks whether it is missing.
        if right.id != node.left.id:
            return None
        values: list[Any] = [""]
        word = {"EQ": "NE", "NE": "EQ"}.get(word, "")
    else:
        literal = ast.literal_eval(right)
        values = list(literal) if isinstance(literal, tuple | list) else [literal]
    if not word:
        return None
    texts = [value if isinstance(value, str) else f"{value:g}" for value in values]
    return {"dataset": dataset, "variable": node.left.id, "comparator": word, "value": texts}


def where_clause(dataset: str, parts: list[str]) -> dict[str, Any]:
    """``condition`` for one part, ``compoundExpression`` for several; what ARS cannot say is left to the label."""
    known = [found for part in parts if (found := condition(dataset, part)) is not None]
    if not known:
        return {}
    if len(known) == 1:
        return {"condition": known[0]}
    clauses = [{"level": 2, "order": order, "condition": part} for order, part in enumerate(known, start=1)]
    return {"compoundExpression": {"logicalOperator": "AND", "whereClauses": clauses}}
