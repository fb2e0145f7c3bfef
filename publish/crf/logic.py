"""Branching logic as a sentence: ``[ae_ser] = '1'`` is "ae_ser is 'Yes'"."""

from __future__ import annotations

from metadata.dictionary import Dictionary
from metadata.expression import Binary, ExpressionError, Node, NumberLiteral, Reference, TextLiteral, Unary
from metadata.expression_parser import parse
from metadata.labels import plain_label

COMPARED = {
    "=": "is",
    "<>": "is not",
    "<": "is below",
    "<=": "is at most",
    ">": "is above",
    ">=": "is at least",
}
MIRRORED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
TICKED = "1"


def in_words(text: str, dictionary: Dictionary) -> str:
    """Return REDCap's logic as a sentence, with the labels of the choices; as it is written where it cannot be read."""
    try:
        root = parse(text).root
    except ExpressionError:
        return plain_label(text)
    return _words(root, dictionary)


def _words(node: Node, dictionary: Dictionary) -> str:
    if isinstance(node, Binary) and node.operator in ("and", "or"):
        parts = [_nested(part, node.operator, dictionary) for part in (node.left, node.right)]
        return f" {node.operator} ".join(parts)
    if isinstance(node, Binary) and node.operator in COMPARED:
        return _comparison(node, dictionary)
    if isinstance(node, Unary) and node.operator == "not":
        return f"not ({_words(node.operand, dictionary)})"
    return _named(node) if isinstance(node, Reference) else str(node)


def _nested(node: Node, operator: str, dictionary: Dictionary) -> str:
    sentence = _words(node, dictionary)
    other = isinstance(node, Binary) and node.operator in ("and", "or") and node.operator != operator
    return f"({sentence})" if other else sentence


def _comparison(node: Binary, dictionary: Dictionary) -> str:
    left, right, operator = node.left, node.right, node.operator
    if isinstance(right, Reference) and not isinstance(left, Reference):
        left, right, operator = right, left, MIRRORED[operator]
    if isinstance(left, Reference) and isinstance(right, NumberLiteral | TextLiteral):
        return _of_field(left, operator, _value(right), dictionary)
    return f"{_words(left, dictionary)} {COMPARED[operator]} {_words(right, dictionary)}"


def _value(node: NumberLiteral | TextLiteral) -> str:
    return node.value if isinstance(node, TextLiteral) else str(node)


def _of_field(reference: Reference, operator: str, value: str, dictionary: Dictionary) -> str:
    found = dictionary.fields.get(reference.name)
    choices = found.choices if found else {}
    if reference.code is not None and operator in ("=", "<>"):
        ticked = (value == TICKED) == (operator == "=")
        option = plain_label(choices.get(reference.code, reference.code))
        return f"'{option}' is {'' if ticked else 'not '}ticked in {_named(reference)}"
    if not value and operator in ("=", "<>"):
        return f"{_named(reference)} is {'' if operator == '=' else 'not '}blank"
    shown = f"'{plain_label(choices[value])}'" if value in choices else value
    return f"{_named(reference)} {COMPARED[operator]} {shown}"


def _named(reference: Reference) -> str:
    event = f" of event {reference.event}" if reference.event is not None else ""
    instance = f" of instance {reference.instance}" if reference.instance is not None else ""
    return reference.name + event + instance
