"""The registry of the kinds of study checks: each a dataclass whose fields are the keys that checks.yaml may use."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Annotated, ClassVar, Literal, TypeVar

import numpy as np

from metadata.declaration import Place, parameters
from metadata.declaration_limits import Entries, Written
from metadata.project import Project
from metadata.study import Study
from validation.checks.data import CheckData, CheckRows

Logic = Annotated[str, "logic"]
"""An expression in REDCap's language."""
Operand = Annotated[str, "operand"]
"""A field of the form, [field], [event][field], or ``instance``."""
FieldName = Annotated[str, "field"]
FormName = Annotated[str, "form"]
DateOperand = Operand | Annotated[list[Operand], Entries(1, 3)]
"""A date field, or the fields of year, month and day."""
Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class CheckFinding:
    """Rows that a check objects to.

    ``where`` is True for such rows; ``details`` are texts over all rows for the templates; ``field`` names, over all
    rows, the field that gets the query where that differs from row to row.
    """

    where: np.ndarray
    details: Mapping[str, np.ndarray] = attribute(default_factory=dict)
    field: np.ndarray | None = None


@dataclass(frozen=True)
class OtherRows:
    """Rows of another form: those for which ``when_logic`` is true; ``mode`` says which of several values is meant.

    With ``same_event`` they are those of the event of the row that is judged.
    """

    form: FormName
    field: str = ""
    key: Operand | None = None
    when_logic: Logic | None = None
    mode: Literal["first", "last", "only", "previous"] = "only"
    same_event: bool = False
    node: Place = attribute(default=None, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check of a study: the form whose rows are judged, the field that gets the query, and two sentences.

    ``when_logic`` says which rows are judged. A sentence that is left out is the kind's own.
    """

    id: Annotated[str, Written(r"[a-z0-9_]+(?:\.[a-z0-9_]+)+", "a rule id, such as ae.end_before_start")]
    kind: str
    severity: Severity
    form: FormName
    field: str
    problem: str = ""
    expected: str = ""
    when_logic: Logic | None = None
    node: Place = attribute(default=None, compare=False, repr=False)

    usual_problem: ClassVar[str] = ""
    usual_expected: ClassVar[str] = ""
    details: ClassVar[tuple[str, ...]] = ()
    """Names of the texts that the kind gives its sentences."""

    @property
    def problem_sentence(self) -> str:
        """The sentence about what is wrong."""
        return self.problem or self.usual_problem

    @property
    def expected_sentence(self) -> str:
        """The sentence about what would be right."""
        return self.expected or self.usual_expected

    def check(self, project: Project, study: Study) -> None:
        """Raise StudyError where the keys contradict each other or the project."""

    def judge(self, rows: CheckRows, data: CheckData) -> CheckFinding:
        """Return the rows that the check objects to."""
        raise NotImplementedError

    @classmethod
    def purpose(cls) -> str:
        """Return what the kind objects to, as text."""
        return inspect.cleandoc(cls.__doc__ or "")


KINDS: dict[str, type[Check]] = {}
Kind = TypeVar("Kind", bound=type[Check])


def kind(name: str, problem: str, expected: str, details: tuple[str, ...] = ()) -> Callable[[Kind], Kind]:
    """Register a dataclass as the kind ``name``; the sentences are used where a check writes none."""

    def register(declared: Kind) -> Kind:
        if name in KINDS:
            raise ValueError(f"the kind {name} is registered twice")
        declared.usual_problem, declared.usual_expected, declared.details = problem, expected, details
        KINDS[name] = declared
        return declared

    return register


def own_keys(declared: type[Check]) -> list[str]:
    """Return the keys of a kind beyond those that every check may have."""
    common = parameters(Check)
    return [key for key, annotation in parameters(declared).items() if common.get(key) != annotation]
