"""What a conformance rule is, and the register of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

Severity = Literal["error", "warning", "note"]
Standard = Literal["sdtm", "adam"]


@dataclass(frozen=True)
class Hit:
    """What a rule found in one variable (or none) of one dataset.

    ``rows`` is True where a record breaks the rule; None if the finding is about the dataset as a whole. ``places``
    names records that are not in the dataset, such as a visit that should be there. ``detail`` says more.
    """

    dataset: str
    variable: str = ""
    rows: np.ndarray | None = None
    detail: str = ""
    places: tuple[str, ...] = ()

    @property
    def is_found(self) -> bool:
        """True unless no record breaks the rule."""
        return self.rows is None or bool(self.rows.any())


Check = Callable[[Any], Iterator[Hit]]
"""What looks at tabulations.Tabulations, or at adam_datasets.Analyses, and yields what it finds."""


@dataclass(frozen=True)
class ConformanceRule:
    """A check under its id: one plain sentence of what must hold, and the section that says so."""

    id: str
    sentence: str
    source: str
    severity: Severity
    check: Check
    standard: Standard = "sdtm"


RULES: dict[str, ConformanceRule] = {}


def rule(
    name: str, sentence: str, source: str, severity: Severity = "error", standard: Standard = "sdtm"
) -> Callable[[Check], Check]:
    """Register a check under ``name``; it yields hits, and those without a record are left out."""

    def register(check: Check) -> Check:
        if name in RULES:
            raise ValueError(f"rule {name} is registered twice")
        RULES[name] = ConformanceRule(name, sentence, source, severity, check, standard)
        return check

    return register


analysis_rule = partial(rule, standard="adam")
"""Register a check of the analysis datasets."""
