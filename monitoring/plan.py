"""The rules of a plan: each of a kind from a closed set, a dataclass whose fields are the keys of the YAML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as attribute
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeVar

from metadata.declaration import Place
from metadata.declaration_limits import Written
from monitoring.settings import OF_RUNS, PlanFile, Sentence

if TYPE_CHECKING:
    import pandas as pd

    from monitoring.observations import Observations


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One line of the plan. ``source`` says where its limits come from, or ``no source``."""

    id: Annotated[str, Written(r"[a-z0-9]+(?:-[a-z0-9]+)*", "an id of small letters, digits and dashes")]
    kind: str
    label: Sentence
    source: Sentence
    node: Place = attribute(default=None, compare=False, repr=False)

    parts: ClassVar[tuple[str, ...]] = ()
    """What stands behind the id where the kind finds different things."""

    def problems(self, plan: Plan, tests: TestsKnown) -> list[tuple[str, str]]:
        """Return key and sentence of what does not fit the plan or the study's tests."""
        return []

    def find(self, observed: Observations, plan: Plan) -> list[pd.DataFrame]:
        """Return what the rule finds, each frame with the columns of ``monitoring.findings``."""
        raise NotImplementedError


TestsKnown = dict[str, str]
"""The standard unit of each test of the domains that the plan reads, blank for one without."""


@dataclass(frozen=True)
class Plan:
    """A study's plan, checked; ``sha256`` is that of its file."""

    file: PlanFile
    rules: tuple[Rule, ...]
    sha256: str

    @cached_property
    def labels(self) -> dict[str, str]:
        """The label of each rule by its id."""
        return {rule.id: rule.label for rule in self.rules}

    def label_of(self, rule: str) -> str:
        """Return what a finding's rule is called, with the part of it that was not met."""
        name, _, part = rule.partition("/")
        if name == OF_RUNS:
            return {"late": "A run came a day late, or later", "failed": "A run failed"}.get(part, rule)
        label = self.labels.get(name, name)
        return f"{label}: {part}" if part else label


KINDS: dict[str, type[Rule]] = {}
Kind = TypeVar("Kind", bound=type[Rule])


def rule_kind(name: str) -> Callable[[Kind], Kind]:
    """Register a dataclass as the kind ``name``."""

    def register(declared: Kind) -> Kind:
        if name in KINDS:
            raise ValueError(f"the kind {name} is registered twice")
        KINDS[name] = declared
        return declared

    return register
