"""The kinds of expectation of acceptance.yaml: each with keys, a sentence and a name in Great Expectations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, TypeVar

from metadata.condition import Condition
from metadata.declaration import Place, parameters, read_parameters
from metadata.declaration_limits import Limit, RegularExpression
from metadata.declaration_schema import parameters_schema
from metadata.schema_errors import entry_of, needed_key, none_of, quoted, wrong_type

Count = Annotated[int, Limit(0)]


@dataclass(frozen=True, kw_only=True)
class DeclaredExpectation:
    """What the entries of acceptance.yaml have in common: the kind, and the records that are looked at.

    An expectation that looks at no record is not met, unless it says that it may be so (``may_be_empty``). One that is
    true of so many records of the project and of no other number (``of_records``) is judged on a snapshot of as many;
    of every other snapshot it is listed as not judged.
    """

    expect: str
    where: Condition | None = None
    may_be_empty: bool = False
    of_records: Annotated[int, Limit(1)] | None = None
    node: Place = field(default=None, compare=False, repr=False)

    library_name: ClassVar[str] = ""
    """Name of the expectation in Great Expectations."""
    sentence: ClassVar[str] = ""
    """What is expected, with the keys' values in braces."""
    notation: ClassVar[str] = "expectation"

    @property
    def keys(self) -> dict[str, Any]:
        """Values of the kind's own keys."""
        return {name: getattr(self, name) for name in own_keys(type(self))}

    @classmethod
    def read(cls, value: object, node: object, key: str) -> DeclaredExpectation:
        """Read an entry by its kind; raises StudyError with file, line, key and the nearest kind."""
        if not isinstance(value, dict):
            raise wrong_type(node, key, value, "a mapping")
        if "expect" not in value:
            raise needed_key(value, "expect", entry_of(key))
        name = str(value["expect"])
        if name not in DECLARABLE:
            raise none_of(value, "expect", name, DECLARABLE)
        return read_parameters(DECLARABLE[name], value, quoted(name))

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of an entry."""
        return {"oneOf": [_kind_schema(name, declared) for name, declared in DECLARABLE.items()]}

    def names(self, role: str) -> tuple[str, ...]:
        """Return no names: no role is asked for here."""
        return ()


DECLARABLE: dict[str, type[DeclaredExpectation]] = {}
Declared = TypeVar("Declared", bound=type[DeclaredExpectation])


def expectation(name: str, library_name: str, sentence: str) -> Callable[[Declared], Declared]:
    """Register a dataclass under the name that acceptance.yaml writes."""

    def register(declared: Declared) -> Declared:
        declared.library_name, declared.sentence = library_name, sentence
        DECLARABLE[name] = declared
        return declared

    return register


def own_keys(declared: type[DeclaredExpectation]) -> list[str]:
    """Return the keys of a kind beyond those that every entry may have."""
    return [name for name in parameters(declared) if name not in parameters(DeclaredExpectation)]


def _kind_schema(name: str, declared: type[DeclaredExpectation]) -> dict[str, Any]:
    made = parameters_schema(declared)
    return {"description": declared.sentence, **made, "properties": {**made["properties"], "expect": {"const": name}}}


@expectation("row_count", "ExpectTableRowCountToEqual", "there are {value} rows")
@dataclass(frozen=True, kw_only=True)
class RowCount(DeclaredExpectation):
    """So many rows."""

    value: Count


@expectation("row_count_between", "ExpectTableRowCountToBeBetween", "there are {low} to {high} rows")
@dataclass(frozen=True, kw_only=True)
class RowCountBetween(DeclaredExpectation):
    """At least and at most so many rows."""

    low: Count
    high: Count


@expectation("distinct_count", "ExpectColumnUniqueValueCountToBeBetween", "{variable} has {value} different values")
@dataclass(frozen=True, kw_only=True)
class DistinctCount(DeclaredExpectation):
    """So many different values of a variable."""

    variable: str
    value: Count


@dataclass(frozen=True, kw_only=True)
class NumberBetween(DeclaredExpectation):
    """A number of a variable within bounds, both included."""

    variable: str
    low: float
    high: float


@expectation("between", "ExpectColumnValuesToBeBetween", "{variable} lies from {low} to {high}")
class ValuesBetween(NumberBetween):
    """Each value."""


@expectation("mean_between", "ExpectColumnMeanToBeBetween", "the mean of {variable} is {low} to {high}")
class MeanBetween(NumberBetween):
    """The mean."""


@expectation("median_between", "ExpectColumnMedianToBeBetween", "the median of {variable} is {low} to {high}")
class MedianBetween(NumberBetween):
    """The median."""


@expectation("values_in", "ExpectColumnValuesToBeInSet", "{variable} is one of {values}")
@dataclass(frozen=True, kw_only=True)
class ValuesIn(DeclaredExpectation):
    """Values of a list."""

    variable: str
    values: list[str | float]


@expectation("values_from", "ExpectColumnValuesToBeInSet", "{variable} is one that {dataset} has")
@dataclass(frozen=True, kw_only=True)
class ValuesFrom(DeclaredExpectation):
    """Values that the same variable has in another dataset."""

    variable: str
    dataset: str


@expectation("not_null", "ExpectColumnValuesToNotBeNull", "{variable} is never null")
@dataclass(frozen=True, kw_only=True)
class NotNull(DeclaredExpectation):
    """A value in every record."""

    variable: str


@expectation("matches", "ExpectColumnValuesToMatchRegex", "{variable} is written as {pattern}")
@dataclass(frozen=True, kw_only=True)
class Matches(DeclaredExpectation):
    """Texts written as a regular expression says."""

    variable: str
    pattern: Annotated[str, RegularExpression()]


@expectation("ordered", "ExpectColumnPairValuesAToBeGreaterThanB", "{then} is not before {first}")
@dataclass(frozen=True, kw_only=True)
class Ordered(DeclaredExpectation):
    """One date, or number, not before another of the record."""

    first: str
    then: str
