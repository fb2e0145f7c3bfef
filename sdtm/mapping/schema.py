"""What a mapping file may say, as annotated dataclasses, and its JSON Schema for editors.

What an operation may hold is left to the operation, whose errors are more exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import sdtm.operations
from metadata.condition import Condition
from metadata.declaration import read_document
from metadata.declaration_limits import Above, Limit, RegularExpression, Written
from metadata.declaration_schema import document_schema
from metadata.registration import load_modules
from sdtm.columns.number import NumberForm
from sdtm.operations.operation import NestedOperation, Terms

load_modules(sdtm.operations)
Operations = dict[str, NestedOperation]
Factor = Annotated[float, Above(0)]


@dataclass(frozen=True)
class ShiftedFactor:
    """A number that is added before the factor is applied."""

    add: float
    factor: Factor = 1


@dataclass(frozen=True)
class NotDoneField:
    """The field that says that a test was not done, and its code."""

    field: str
    code: str = "1"


@dataclass(frozen=True)
class TestCodelists:
    """Codelists of the test codes and names, other than the guide's."""

    __test__ = False

    testcd: str = ""
    test: str = ""


@dataclass(frozen=True)
class StudyCoding:
    """A column of a coding file of the study, by whose terms a result in free text is standardised."""

    file: str
    column: str


@dataclass(frozen=True)
class TestKeys:
    """One test of a findings domain, on one form or for the whole domain.

    ``digits`` (significant) or ``decimals`` are those of a result that is converted to the standard unit.
    """

    __test__ = False

    testcd: str = ""
    test: str = ""
    result: str | NestedOperation | None = None
    unit: str | NestedOperation | None = None
    reason: str | NestedOperation | None = None
    not_done: str | NotDoneField | None = None
    category: str = ""
    subcategory: str = ""
    specimen: str = ""
    method: str = ""
    location: str = ""
    standard_unit: str = ""
    unit_factors: dict[str, Factor | ShiftedFactor] | None = None
    where: Condition | None = None
    codelists: TestCodelists | None = None
    label_without: Annotated[str, RegularExpression()] = ""
    standard: Literal["code", "result"] = "result"
    standard_terms: Terms | None = None
    standard_coded: StudyCoding | None = None
    also_read: list[NumberForm] | None = None
    digits: Annotated[int, Limit(1, 15)] | None = None
    decimals: Annotated[int, Limit(0, 15)] | None = None
    toxicity: str = ""
    toxicity_terms: dict[str, Annotated[int, Limit(0, 5)]] | None = None
    variables: Operations | None = None


@dataclass(frozen=True)
class VisitDateKeys:
    """Which dates are those of a visit: all of its forms but some fields."""

    except_: list[str] | None = None


@dataclass(frozen=True)
class RecordsBlock:
    """Records of a domain: of one form, or once for ``each`` subject, visit or ticked option.

    A block with ``for_each`` means one block an item, ``{each}`` filled in; an item may have words of its own, each
    filled in for its name in braces.
    """

    form: str = ""
    each: str = ""
    for_each: list[str] | dict[str, dict[str, str]] | None = None
    events: list[str] | None = None
    where: Condition | None = None
    variables: Operations | None = None
    supplemental: Operations | None = None
    tests: dict[str, TestKeys] | None = None
    dates: VisitDateKeys | None = None
    about: str = ""


@dataclass(frozen=True)
class RangesFile:
    """The file of reference ranges, and the field that says which laboratory made a result."""

    file: str
    laboratory: str


@dataclass(frozen=True)
class MappingFile:
    """The mapping of one domain."""

    domain: Annotated[str, Written("[A-Z][A-Z0-9]{1,7}", "a domain, such as AE")]
    records: RecordsBlock | list[RecordsBlock]
    variables: Operations | None = None
    tests: dict[str, TestKeys] | None = None
    codelists: TestCodelists | None = None
    unit_terms: Terms | None = None
    also_read: list[NumberForm] | None = None
    keys: list[str] | None = None
    baseline_by: list[str] | None = None
    toxicity: str = ""
    reason_not_done: str = ""
    visits: bool = False
    if_empty: Literal["omit", "keep"] = "keep"
    ranges: RangesFile | None = None


def mapping_schema() -> dict[str, Any]:
    """Return the JSON Schema of a domain's mapping file (draft 2020-12)."""
    return document_schema(MappingFile, "mapping of one SDTM domain", [NestedOperation, Condition])


def check_structure(body: Any, file: str) -> None:
    """Raise StudyError, with file, line, key and the nearest valid key, for all that does not fit the declaration."""
    read_document(MappingFile, body, file)
