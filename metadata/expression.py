"""REDCap's logic and calculations as a tree: the nodes, the fields they read and how they print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from metadata.errors import StudyError

BINDING = {"or": 1, "and": 2, "=": 4, "<>": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "^": 8}
NOT_BINDING, NEGATIVE_BINDING = 3, 7
EVENT_NAME = "event-name"
OF_CHOICES = ("label", "checked", "unchecked")


class ExpressionError(StudyError):
    """An expression is not well formed; ``position`` is the 1-based character at which that shows."""

    def __init__(self, message: str, text: str, position: int, source: str = "") -> None:
        self.reason, self.text, self.position, self.source = message, text, position, source
        place = f"{source}, character {position}" if source else f"character {position} of the expression"
        super().__init__(f"{place}: {message}")


class UnsupportedExpression(ExpressionError):
    """An expression is well formed for REDCap but cannot be evaluated here."""


@dataclass(frozen=True)
class NumberLiteral:
    """A number as written."""

    value: float
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        text = f"{self.value:.15g}"
        return text if re.fullmatch(r"\d+(\.\d+)?", text) else f"{self.value:.20f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class TextLiteral:
    """A quoted text."""

    value: str
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        quote = '"' if '"' not in self.value else "'"
        return f"{quote}{self.value}{quote}"


@dataclass(frozen=True)
class Reference:
    """``[field]``, ``[checkbox(code)]`` or a smart variable, with what stands around it: ``[event][field:option][2]``.

    ``event`` and ``instance`` are as written, a name or number or a smart variable; ``option`` is what follows a colon:
    label, checked or unchecked of a field, the parameters of a smart variable.
    """

    name: str
    code: str | None = None
    event: str | None = None
    instance: str | None = None
    option: str | None = None
    position: int = field(default=0, compare=False)

    @property
    def is_smart(self) -> bool:
        """Whether it is a smart variable: no field has a hyphen in its name."""
        return "-" in self.name

    def __str__(self) -> str:
        event = f"[{self.event}]" if self.event is not None else ""
        instance = f"[{self.instance}]" if self.instance is not None else ""
        code = f"({self.code})" if self.code is not None else ""
        option = f":{self.option}" if self.option is not None else ""
        return f"{event}[{self.name}{code}{option}]{instance}"


@dataclass(frozen=True)
class Unary:
    """``not x`` or ``-x``."""

    operator: str
    operand: Node
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        word = "not " if self.operator == "not" else self.operator
        return f"{word}{_nested(self.operand)}"


@dataclass(frozen=True)
class Binary:
    """A comparison, a connective or an arithmetic operation."""

    operator: str
    left: Node
    right: Node
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{_nested(self.left)} {self.operator} {_nested(self.right)}"


@dataclass(frozen=True)
class FunctionCall:
    """A function called by its lower-case name."""

    function: str
    arguments: tuple[Node, ...]
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.arguments))})"


Node = NumberLiteral | TextLiteral | Reference | Unary | Binary | FunctionCall


def _nested(node: Node) -> str:
    return f"({node})" if isinstance(node, (Unary, Binary)) else str(node)


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and everything below it, left to right."""
    yield node
    match node:
        case Unary():
            yield from walk(node.operand)
        case Binary():
            yield from walk(node.left)
            yield from walk(node.right)
        case FunctionCall():
            for argument in node.arguments:
                yield from walk(argument)


@dataclass(frozen=True)
class Expression:
    """A parsed expression; ``text`` is what was written, ``source`` says where, for messages."""

    text: str
    root: Node
    source: str = ""

    def __str__(self) -> str:
        return str(self.root)

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """Every reference to a field, in the order written, each once."""
        return tuple(dict.fromkeys(node for node in walk(self.root) if isinstance(node, Reference)))

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields read, in the order written, each once."""
        return tuple(dict.fromkeys(item.name for item in self.references if not item.is_smart))

    def unsupported(self, message: str, node: Node) -> UnsupportedExpression:
        """Return the error that says why this expression cannot be evaluated at ``node``."""
        return UnsupportedExpression(message, self.text, node.position, self.source)
