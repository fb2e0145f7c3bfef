"""Reads REDCap's logic and calculations: a tokenizer and a precedence parser. Nothing is ever executed as code."""

from __future__ import annotations

import re
from typing import NamedTuple

from metadata.expression import (
    BINDING,
    NEGATIVE_BINDING,
    NOT_BINDING,
    OF_CHOICES,
    Binary,
    Expression,
    ExpressionError,
    FunctionCall,
    Node,
    NumberLiteral,
    Reference,
    TextLiteral,
    Unary,
)
from metadata.smart_variables import INSTANCES

TOKENS = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>\d+(?:\.\d*)?|\.\d+)
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<reference>\[[^\[\]]*\])
    |(?P<operator><>|!=|<=|>=|&&|\|\||[=<>+\-*/^(),!])
    |(?P<name>[A-Za-z_][A-Za-z_0-9]*)""",
    re.VERBOSE,
)
COMMENT = re.compile(r"^[ \t]*(?:#|//).*$", re.MULTILINE)
REFERENCE = re.compile(r"\[\s*([A-Za-z_][A-Za-z_0-9-]*|[0-9]+)\s*(?:\(\s*([^()]+?)\s*\))?\s*(?::\s*([^\[\]]+?))?\s*\]")
OF_DISPLAY = ("value", "hideunderscore", "inline", "link", "ampm", "nopad")
"""Options of piping that change what is shown and not what the value is."""
SYNONYMS = {"!=": "<>", "&&": "and", "||": "or", "!": "not"}
WORDS = ("and", "or", "not")
TRUTHS = {"true": 1.0, "false": 0.0}
MOST_PARTS = 3


class Token(NamedTuple):
    """A piece of the text: kind, the piece itself and its 1-based position."""

    kind: str
    text: str
    position: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else f"'{self.text}'"


def parse(text: str, source: str = "") -> Expression:
    """Return the tree of an expression; ``source`` (such as "branching logic of field x") opens every message.

    A line that begins with # or // is a comment. Raises ExpressionError with position and what was expected.
    """
    try:
        return Expression(text, _Parser(text, source).whole(), source)
    except RecursionError:
        raise ExpressionError("the expression is nested too deeply", text, 1, source) from None


def tokenize(text: str, source: str = "") -> list[Token]:
    """Return the tokens of ``text`` with an end token last; connectives and operators in one spelling."""
    tokens, position = [], 0
    text = COMMENT.sub(lambda found: " " * len(found[0]), text)
    while position < len(text):
        found = TOKENS.match(text, position)
        if found is None:
            raise ExpressionError(_unreadable(text[position]), text, position + 1, source)
        kind, piece = str(found.lastgroup), found.group()
        if kind == "name" and piece.lower() in WORDS:
            kind, piece = "operator", piece.lower()
        if kind != "space":
            tokens.append(Token(kind, SYNONYMS.get(piece, piece) if kind == "operator" else piece, position + 1))
        position = found.end()
    return [*tokens, Token("end", "", len(text) + 1)]


def _unreadable(character: str) -> str:
    if character in "\"'":
        return "expected a closing quote for the text that starts here"
    if character == "[":
        return "expected a closing ']' for the reference that starts here"
    return f"expected a field, number, text, function or operator but found '{character}'"


class _Parser:
    """Precedence climbing over the tokens of one expression."""

    def __init__(self, text: str, source: str) -> None:
        self.text, self.source, self.index = text, source, 0
        self.tokens = tokenize(text, source)

    def whole(self) -> Node:
        node = self.expression(0)
        if self.current.kind != "end":
            raise self.error(f"expected an operator or the end but found {self.current}", self.current)
        return node

    @property
    def current(self) -> Token:
        return self.tokens[self.index]

    def advance(self) -> Token:
        token = self.current
        self.index += 1
        return token

    def error(self, message: str, token: Token) -> ExpressionError:
        return ExpressionError(message, self.text, token.position, self.source)

    def expect(self, operator: str, what: str) -> None:
        if (self.current.kind, self.current.text) != ("operator", operator):
            raise self.error(f"expected {what} but found {self.current}", self.current)
        self.advance()

    def expression(self, least: int) -> Node:
        left = self.operand()
        while self.current.kind == "operator" and BINDING.get(self.current.text, -1) >= max(least, 1):
            token = self.advance()
            binding = BINDING[token.text]
            right = self.expression(binding if token.text == "^" else binding + 1)
            left = Binary(token.text, left, right, token.position)
        return left

    def operand(self) -> Node:
        token = self.advance() if self.current.kind != "end" else self.current
        match token.kind:
            case "number":
                return NumberLiteral(float(token.text), token.position)
            case "text":
                return TextLiteral(token.text[1:-1], token.position)
            case "reference":
                return self.reference(token)
            case "name":
                return self.call(token)
        return self.prefix(token)

    def prefix(self, token: Token) -> Node:
        match token.text if token.kind == "operator" else "":
            case "(":
                inside = self.expression(0)
                self.expect(")", "a closing ')'")
                return inside
            case "not":
                return Unary("not", self.expression(NOT_BINDING), token.position)
            case "-":
                return Unary("-", self.expression(NEGATIVE_BINDING), token.position)
            case "+":
                return self.expression(NEGATIVE_BINDING)
        raise self.error(f"expected a field, number, text or function but found {token}", token)

    def call(self, token: Token) -> Node:
        if token.text.lower() in TRUTHS and self.current.text != "(":
            return NumberLiteral(TRUTHS[token.text.lower()], token.position)
        self.expect("(", f"'(' after the function name '{token.text}'")
        arguments: list[Node] = []
        while (self.current.kind, self.current.text) != ("operator", ")"):
            if arguments:
                self.expect(",", "',' or ')'")
            arguments.append(self.expression(0))
        self.advance()
        return FunctionCall(token.text.lower(), tuple(arguments), token.position)

    def reference(self, token: Token) -> Node:
        """Read ``[event][field][instance]``, of which the first and the last may be left out."""
        parts = [self.part(token)]
        while self.current.kind == "reference" and len(parts) < MOST_PARTS:
            parts.append(self.part(self.advance()))
        instance = parts.pop() if len(parts) > 1 and _is_instance(parts[-1].name) else None
        field = parts.pop()
        if len(parts) > 1 or field.name.isdigit():
            raise self.error(f"expected [event][field][instance] but found {token} before {field}", token)
        event = parts.pop() if parts else None
        for around in (event, instance):
            if around is not None and (around.code is not None or around.option is not None):
                raise self.error(f"expected an event name or an instance but found {around}", token)
        of_event, number = event.name if event else None, instance.name if instance else None
        return Reference(field.name, field.code, of_event, number, field.option, token.position)

    def part(self, token: Token) -> Reference:
        """Read one pair of brackets."""
        found = REFERENCE.fullmatch(token.text)
        if found is None:
            raise self.error(f"expected [field], [checkbox(code)] or [event] but found {token}", token)
        name, code, option = found.groups()
        if option is not None and "-" not in name:
            shown = [one.strip() for one in option.split(":") if one.strip() not in OF_DISPLAY]
            unknown = [one for one in shown if one not in OF_CHOICES]
            if unknown or len(shown) > 1:
                raise self.error(f"expected :value, :label, :checked or :unchecked but found ':{option}'", token)
            option = shown[0] if shown else None
        return Reference(name, code, option=option, position=token.position)


def _is_instance(name: str) -> bool:
    return name.isdigit() or name in INSTANCES
