"""What a study says of one domain: blocks of records, their operations, tests and supplemental qualifiers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from metadata.standards import GuideDataset, GuideVariable
from metadata.units import TestUnits
from metadata.yaml_source import LocatedDict
from sdtm.columns.number import NumberForm
from sdtm.operations.field_condition import FieldCondition
from sdtm.operations.operation import (
    Operation,
    RecordOperation,
    TableOperation,
)

COMMENTS = "CO"
EACH = ("subject", "visit", "element")


@dataclass(frozen=True)
class NotDone:
    """How a form says that a test was not done: a checkbox option, a coded answer, or a blank result."""

    field: str = ""
    code: str = ""
    checkbox: bool = False
    blank: bool = False


@dataclass(frozen=True)
class FindingTest:
    """One test of a findings domain on one form; ``codelists`` are those of --TESTCD and --TEST.

    ``where`` limits it to rows of its own, on a form with one test a row. ``otherwise_reason`` is --REASND of a test
    not done for which neither the form nor a missing-data code gives one.
    """

    __test__ = False

    key: str
    testcd: str
    name: str
    result: RecordOperation
    unit: RecordOperation | None
    units: TestUnits
    not_done: NotDone
    reason: RecordOperation | None
    variables: dict[str, RecordOperation]
    label_without: str = ""
    standard: str = "result"
    standard_terms: dict[str, str] = field(default_factory=dict)
    standard_codes: dict[str, str] | None = None
    coding_file: str = ""
    also_read: frozenset[NumberForm] = frozenset()
    toxicity: str = ""
    toxicity_terms: dict[str, float] = field(default_factory=dict)
    codelists: tuple[str, str] = ("", "")
    otherwise_reason: str = ""
    where: FieldCondition | None = None

    def fields(self) -> list[str]:
        """All fields of the dictionary that the test reads."""
        parts = [self.result, self.unit, self.reason, *self.variables.values()]
        own = [self.not_done.field] if self.not_done.field else []
        own += self.where.fields() if self.where else []
        return own + [name for part in parts if part for name in part.fields()]


@dataclass(frozen=True)
class SupplementalQualifier:
    """One supplemental qualifier; ``tests`` limits it to the records of some tests."""

    qnam: str
    label: str
    operation: RecordOperation
    qorig: str
    qeval: str
    tests: frozenset[str]


@dataclass(frozen=True)
class Block:
    """Records of one form, or of the subjects, visits or elements; comments are ``about`` a domain.

    ``place`` is the file and line of the condition or the events, of a block without them that of its beginning.
    """

    form: str
    each: str
    events: tuple[str, ...]
    where: FieldCondition | None
    variables: dict[str, RecordOperation]
    tests: tuple[FindingTest, ...]
    supplemental: tuple[SupplementalQualifier, ...]
    visits: LocatedDict | None = None
    about: str = ""
    place: str = ""

    def fields(self) -> list[str]:
        """All fields of the dictionary that the block reads."""
        named = [name for made in self.variables.values() for name in made.fields()]
        named += [name for test in self.tests for name in test.fields()]
        named += [name for supplement in self.supplemental for name in supplement.operation.fields()]
        named += self.where.fields() if self.where else []
        return named + ([self.each] if self.each not in ("", *EACH) else [])


@dataclass(frozen=True)
class DomainMapping:
    """One domain: what the guide says about it, and what the study's file does."""

    domain: str
    file: str
    guide: GuideDataset
    variables: tuple[GuideVariable, ...]
    blocks: tuple[Block, ...]
    table_operations: dict[str, TableOperation]
    keys: tuple[str, ...]
    toxicity_scheme: str = ""
    ranges_file: str = ""
    laboratory_variable: str = ""
    omit_empty: bool = False
    subject_pattern: str = ""
    baseline_by: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, GuideVariable]:
        """The guide's variables by name."""
        return {variable.name: variable for variable in self.variables}

    @property
    def required(self) -> list[str]:
        """The guide's Required variables, without --SEQ, which is numbered last."""
        return [name for name, guide in self.by_name.items() if guide.core == "Req" and name != self.prefixed("SEQ")]

    @property
    def is_findings(self) -> bool:
        """True for a findings domain."""
        return self.guide.dataset_class.startswith("Findings")

    def prefixed(self, suffix: str) -> str:
        """Return a variable's name with the domain's prefix: --SEQ is AESEQ."""
        return f"{self.domain}{suffix}"

    def has(self, name: str) -> bool:
        """Return True if the guide gives the domain this variable."""
        return name in self.by_name

    def fields(self) -> list[str]:
        """All fields of the dictionary that the domain reads, each once, in order."""
        return list(dict.fromkeys(name for block in self.blocks for name in block.fields()))

    @cached_property
    def operations(self) -> dict[str, tuple[Operation, ...]]:
        """The operations that make each variable, of all blocks and tests, for its origin, method and terms."""
        made: dict[str, list[Operation]] = {}
        for block in self.blocks:
            for test in block.tests:
                for name, declared in test.variables.items():
                    made.setdefault(name, []).append(declared)
            for name, declared in block.variables.items():
                made.setdefault(name, []).append(declared)
        made |= {name: [*made.get(name, []), last] for name, last in self.table_operations.items()}
        return {name: tuple(several) for name, several in made.items()}


def codelists(variable: GuideVariable) -> tuple[str, ...]:
    """NCI codes of the codelists that the guide binds to a variable."""
    return tuple(code.strip() for code in variable.codelist.split(";") if code.strip())
