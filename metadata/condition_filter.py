"""A condition as the text of a filter, and read back from it: ``PARAMCD == 'EDSS' and AVISITN in (0, 12)``.

The text is what ``pandas.DataFrame.query`` executes, and stays within Python's comparisons of a variable with literals,
of two variables, and of a variable with itself (``AVAL == AVAL``: it is not missing). It is read by Python's parser
and never evaluated.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import product

from metadata.condition import EVERY_ROW, Condition
from metadata.condition_tests import Day, OtherVariable, Value, VariableTest
from metadata.declaration import LARGEST
from metadata.errors import UsageError

SIGNS = {"below": "<", "at_most": "<=", "above": ">", "at_least": ">="}
COMPARED: dict[type[ast.cmpop], str] = {ast.Lt: "below", ast.LtE: "at_most", ast.Gt: "above", ast.GtE: "at_least"}
EQUAL: dict[type[ast.cmpop], str] = {ast.Eq: "is", ast.NotEq: "not"}
AMONG: dict[type[ast.cmpop], str] = {ast.In: "is", ast.NotIn: "not"}
MOST_ALTERNATIVES = 1000  # that multiply; a list of alternatives may be longer, as that of one a subject is
# A text in quotes; an ``or`` or a bracket other than that of a list; what divides parts, and no text in quotes holds.
QUOTED = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
GROUPED = re.compile(r" or |(?<!in )\(")
BREAK = "\0"
EXAMPLE = "PARAMCD == 'EDSS' and AVISITN in (0, 12)"


def filter_parts(
    condition: Condition, is_text: Callable[[str], bool], kinds: Mapping[str, str] | None = None
) -> tuple[str, ...]:  # fmt: skip
    """Return the parts, joined by ``and``, of the filter that finds a condition's rows; none for every row.

    ``is_text`` says of a variable whether it holds texts, for what is missing is written differently; ``kinds`` whether
    it is a date or a datetime, which are numbers in a filter.
    """
    known = kinds or {}
    groups = [
        _distinct(part for test in tests for part in _parts(test, is_text, known)) for tests in condition.alternatives
    ]
    if len(groups) == 1:
        return groups[0]
    if not all(groups):
        return ()
    return (_joined("or", [group[0] if len(group) == 1 else _joined("and", group) for group in groups]),)


def _distinct(parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parts))


def _joined(word: str, parts: Iterable[str]) -> str:
    return f"({f' {word} '.join(parts)})"


def _parts(test: VariableTest, is_text: Callable[[str], bool], kinds: Mapping[str, str]) -> tuple[str, ...]:
    """Return what must hold for one test."""
    name, operand = test.variable, test.operand
    if isinstance(operand, Day):
        sign, limit = operand.limit(test.name, kinds[name])
        return (f"{name} {sign} {_literal(limit)}",)
    if test.name == "missing":
        return (presence(name, is_text(name), not operand),)
    if isinstance(operand, tuple):
        return _values_parts(test, operand, is_text(name))
    comparison = f"{name} {SIGNS[test.name]} {_operand(operand)}"
    if not is_text(name):
        return (comparison,)
    if isinstance(operand, OtherVariable):
        return presence(name, True), presence(operand.name, True), comparison
    return comparison, presence(name, True)


def _values_parts(test: VariableTest, values: tuple[Value, ...], is_text: bool) -> tuple[str, ...]:
    name, positive = test.variable, test.name == "is"
    if is_text or "" not in values:
        return (among(name, values, positive),)
    numbers = [value for value in values if value != ""]
    parts = [among(name, numbers, positive)] if numbers else []
    parts.append(presence(name, False, not positive))
    return tuple(parts) if len(parts) == 1 or not positive else (_joined("or", parts),)


def presence(variable: str, is_text: bool, present: bool = True) -> str:
    """The filter for rows in which a variable has a value, or has none."""
    if is_text:
        return f"{variable} {'!=' if present else '=='} ''"
    return f"{variable} {'==' if present else '!='} {variable}"


def among(variable: str, values: Iterable[Value], positive: bool = True) -> str:
    """The filter for rows that have one of some values, or none of them; one value needs no list.

    Of no values none is found: nothing is below itself, be it a text or a number.
    """
    literals = [_literal(value) for value in values]
    if not literals:
        return f"{variable} < {variable}"
    if len(literals) == 1:
        return f"{variable} {'==' if positive else '!='} {literals[0]}"
    return f"{variable} {'in' if positive else 'not in'} ({', '.join(literals)})"


def equality(variable: str, value: Value) -> str:
    """The filter for rows that have one value."""
    return among(variable, [value])


def _literal(value: Value) -> str:
    if isinstance(value, str):
        return repr(value)
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _operand(operand: object) -> str:
    if not isinstance(operand, OtherVariable):
        return _literal(operand)  # type: ignore[arg-type]
    sign = "+" if operand.plus > 0 else "-"
    return f"{operand.name} {sign} {_literal(abs(operand.plus))}" if operand.plus else operand.name


@cache
def split_filter(text: str) -> tuple[str, ...]:
    """Return the parts of a filter that are joined by ``and``, as Python writes them; raises UsageError as below."""
    if not text:
        return ()
    pieces = QUOTED.split(text)  # texts in quotes at the odd places
    if any(map(GROUPED.search, pieces[::2])):
        return _joined_by_and(text)
    pieces[::2] = [piece.replace(" and ", BREAK) for piece in pieces[::2]]
    return tuple(part for piece in "".join(pieces).split(BREAK) for part in _joined_by_and(piece))


@cache
def _joined_by_and(text: str) -> tuple[str, ...]:
    """Return the parts of what Python's parser reads: it is slow, and most parts are those of other filters too."""
    node = _parsed(text)
    parts = node.values if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) else [node]
    return tuple(ast.unparse(part) for part in parts)


def read_filter(text: str) -> Condition:
    """Return the condition that a filter says; raises UsageError that shows the part it cannot read."""
    if not text.strip():
        return EVERY_ROW
    try:
        return Condition(tuple(map(tuple, _alternatives(_parsed(text)))))
    except RecursionError:
        raise _unreadable() from None


def _parsed(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise _unreadable() from None


def _unreadable() -> UsageError:
    return UsageError(f"the filter cannot be read; write it as in {EXAMPLE}")


def _alternatives(node: ast.expr) -> list[list[VariableTest]]:
    """Return groups of tests, of which one must hold as a whole."""
    if not isinstance(node, ast.BoolOp):
        return [[_test(node)]]
    parts = [_alternatives(part) for part in node.values]
    if isinstance(node.op, ast.Or):
        return [group for part in parts for group in part]
    groups: list[list[VariableTest]] = [[]]
    for part in parts:
        if len(groups) > 1 and len(part) > 1 and len(groups) * len(part) > MOST_ALTERNATIVES:
            raise UsageError(f"the filter combines more than {MOST_ALTERNATIVES} alternatives")
        groups = [one + other for one, other in product(groups, part)]
    return groups


def _test(node: ast.expr) -> VariableTest:
    if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not isinstance(node.left, ast.Name):
        raise _unread(node, "compare a variable with a value, and join comparisons by and, or")
    name, sign, right = node.left.id, type(node.ops[0]), node.comparators[0]
    if sign in EQUAL and isinstance(right, ast.Name) and right.id == name:
        return VariableTest(name, "missing", EQUAL[sign] == "not")
    if sign in EQUAL:
        return VariableTest(name, EQUAL[sign], (_value(right, node),))
    if sign in AMONG and isinstance(right, ast.Tuple | ast.List) and right.elts:
        return VariableTest(name, AMONG[sign], tuple(_value(value, node) for value in right.elts))
    if sign in COMPARED:
        return VariableTest(name, COMPARED[sign], _compared_with(right, node))
    raise _unread(node, "write == != < <= > >=, in or not in")


def _compared_with(right: ast.expr, node: ast.expr) -> Value | OtherVariable:
    if isinstance(right, ast.Name):
        return OtherVariable(right.id)
    if isinstance(right, ast.BinOp) and isinstance(right.left, ast.Name) and isinstance(right.op, ast.Add | ast.Sub):
        plus = _value(right.right, node)
        if not isinstance(plus, str):
            return OtherVariable(right.left.id, float(plus if isinstance(right.op, ast.Add) else -plus))
    value = _value(right, node)
    if value == "":
        raise _unread(node, "nothing is compared with an empty text but by == and !=")
    return value


def _value(node: ast.expr, whole: ast.expr) -> Value:
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node, sign = node.operand, -1
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, str) and sign == 1:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST:
        return sign * value
    raise _unread(whole, "a value is a text in quotes or a number")


def _unread(node: ast.expr, problem: str) -> UsageError:
    return UsageError(f"the filter cannot be read at {ast.unparse(node)}: {problem}; write it as in {EXAMPLE}")
