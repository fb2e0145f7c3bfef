"""Limits of the values that a declaration may have: each is checked, has a phrase and is in the JSON Schema."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from metadata.errors import StudyError
from metadata.schema_errors import none_of, wrong_type


class ValueLimit(ABC):
    """What a value must fulfil beyond its type; ``of_text``: it must be written as a text, a number will not do."""

    of_text: ClassVar[bool] = False

    @property
    @abstractmethod
    def meant(self) -> str:
        """What the value must be, as a phrase that follows "must be"."""

    @abstractmethod
    def allows(self, value: Any) -> bool:
        """Return whether a value of the right type is within the limit."""

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """Return the limit as keywords of JSON Schema."""

    def error(self, node: object, key: str, value: object) -> StudyError:
        """Return the error of a value beyond the limit."""
        return wrong_type(node, key, value, self.meant)


@dataclass(frozen=True)
class Limit(ValueLimit):
    """A number from ``low`` to ``high``, both included; None sets no bound."""

    low: float | None = None
    high: float | None = None

    @property
    def meant(self) -> str:
        """The bounds."""
        if self.high is None:
            return f"a number from {self.low:g}"
        return f"a number up to {self.high:g}" if self.low is None else f"a number from {self.low:g} to {self.high:g}"

    def allows(self, value: float) -> bool:
        """Return whether the number is within the bounds."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def schema(self) -> dict[str, Any]:
        """Return the bounds."""
        bounds = {"minimum": self.low, "maximum": self.high}
        return {key: bound for key, bound in bounds.items() if bound is not None}


@dataclass(frozen=True)
class Above(ValueLimit):
    """A number above ``low``."""

    low: float

    @property
    def meant(self) -> str:
        """The bound."""
        return f"a number above {self.low:g}"

    def allows(self, value: float) -> bool:
        """Return whether the number is above the bound."""
        return value > self.low

    def schema(self) -> dict[str, Any]:
        """Return the bound."""
        return {"exclusiveMinimum": self.low}


@dataclass(frozen=True)
class Written(ValueLimit):
    """A text that matches a regular expression as a whole; ``description`` says what it is."""

    pattern: str
    description: str

    of_text = True

    @property
    def meant(self) -> str:
        """The phrase."""
        return self.description

    def allows(self, value: str) -> bool:
        """Return whether the text is written so."""
        return re.fullmatch(self.pattern, value) is not None

    def schema(self) -> dict[str, Any]:
        """Return the pattern."""
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}


@dataclass(frozen=True)
class Entries(ValueLimit):
    """A list of ``least`` to ``most`` entries; None sets no bound."""

    least: int
    most: int | None = None

    @property
    def meant(self) -> str:
        """The number of entries."""
        if not self.least and self.most is None:
            return "a list"
        if self.least == self.most:
            return f"a list of {self.least}"
        return f"a list of {self.least} or more" if self.most is None else f"a list of {self.least} to {self.most}"

    def allows(self, value: tuple[Any, ...]) -> bool:
        """Return whether the list has so many entries."""
        return self.least <= len(value) and (self.most is None or len(value) <= self.most)

    def schema(self) -> dict[str, Any]:
        """Return the number of entries."""
        return {"minItems": self.least, **({} if self.most is None else {"maxItems": self.most})}


@dataclass(frozen=True)
class Keyed(ValueLimit):
    """A mapping with at least so many keys."""

    least: int

    @property
    def meant(self) -> str:
        """The number of keys."""
        return f"a mapping with {self.least} or more keys"

    def allows(self, value: dict[Any, Any]) -> bool:
        """Return whether the mapping has so many keys."""
        return len(value) >= self.least

    def schema(self) -> dict[str, Any]:
        """Return the number of keys."""
        return {"minProperties": self.least}


@dataclass(frozen=True)
class OneOf(ValueLimit):
    """A text of a closed list that is known only when the program runs."""

    choices: tuple[str, ...]

    of_text = True

    @property
    def meant(self) -> str:
        """The list."""
        return f"one of {', '.join(self.choices)}"

    def allows(self, value: str) -> bool:
        """Return whether the text is in the list."""
        return value in self.choices

    def error(self, node: object, key: str, value: object) -> StudyError:
        """Return the error of a value that is not in the list."""
        return none_of(node, key, value, self.choices)

    def schema(self) -> dict[str, Any]:
        """Return the list."""
        return {"enum": list(self.choices)}


Text = Annotated[str, Written(r"[\s\S]*", "a text")]
"""A text that is written as one: a number needs quotes."""
NOT_BLANK = Written(r"[\s\S]*\S[\s\S]*", "a text that is not blank")


@dataclass(frozen=True)
class RegularExpression(ValueLimit):
    """A text that is a regular expression."""

    of_text = True

    @property
    def meant(self) -> str:
        """What it is."""
        return "a regular expression"

    def allows(self, value: str) -> bool:
        """Return whether the text can be compiled."""
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError):
            return False
        return True

    def schema(self) -> dict[str, Any]:
        """Return the format."""
        return {"type": "string", "format": "regex"}
