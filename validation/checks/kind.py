"""The registry of the kinds of study checks: the words that checks.yaml may use, and what each needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

import numpy as np

from validation.checks.data import CheckData, CheckRows


@dataclass(frozen=True)
class CheckParameter:
    """A parameter of a kind: ``type`` is a word of PARAMETER_SCHEMAS."""

    type: str
    required: bool = True


@dataclass(frozen=True)
class CheckFinding:
    """Rows that a check objects to.

    ``where`` is True for such rows; ``details`` are texts over all rows for the templates; ``field`` names, over all
    rows, the field that gets the query where that differs from row to row.
    """

    where: np.ndarray
    details: Mapping[str, np.ndarray] = attribute(default_factory=dict)
    field: np.ndarray | None = None


Judge = Callable[["Check", CheckRows, CheckData], CheckFinding]


@dataclass(frozen=True)
class CheckKind:
    """A kind of check: its function, its parameters, the details it gives its templates and its default sentences."""

    judge: Judge
    parameters: Mapping[str, CheckParameter]
    details: tuple[str, ...]
    problem: str
    expected: str

    @property
    def words(self) -> str:
        """What the kind says, from its function's docstring."""
        return (self.judge.__doc__ or "").strip()


@dataclass(frozen=True)
class Check:
    """One check of a study; ``parameters`` are those of its kind, ``when_logic`` says which rows are judged."""

    id: str
    kind: str
    severity: str
    form: str
    field: str
    problem: str
    expected: str
    when_logic: str | None = None
    parameters: Mapping[str, Any] = attribute(default_factory=dict)


KINDS: dict[str, CheckKind] = {}


def kind(
    name: str, problem: str, expected: str, details: tuple[str, ...] = (), **parameters: CheckParameter
) -> Callable[[Judge], Judge]:
    """Register a function as the kind ``name``; the sentences are used where a check writes none."""

    def register(judge: Judge) -> Judge:
        KINDS[name] = CheckKind(judge, parameters, details, problem, expected)
        return judge

    return register
