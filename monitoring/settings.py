"""What a study's monitoring.yaml says besides its rules: levels, drugs, where results and doses are, profiles."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute
from functools import cached_property
from typing import Annotated, Any

from metadata.declaration import Place
from metadata.declaration_limits import NOT_BLANK, Entries, Keyed, Limit
from validation.checks.kind import DateOperand, FormName, Logic

FILE = "monitoring.yaml"
OF_RUNS = "runs"
"""The rule of what is wrong with the runs themselves."""
NOT_JUDGED = "not judged"
"""What stands behind a rule's id where a result, or its lack, cannot be judged by it."""

Sentence = Annotated[str, NOT_BLANK]
TestKey = Annotated[str, "test"]
"""A test, by its key under ``tests`` of the domain's mapping."""
DrugName = Annotated[str, "drug"]
LevelName = Annotated[str, "level"]
Days = Annotated[int, Limit(0, 3660)]


@dataclass(frozen=True)
class Level:
    """How bad a finding is: in how many days somebody must acknowledge it, and the drugs that it stops."""

    acknowledge_days: Days
    holds: Annotated[list[DrugName], Entries(0)] = attribute(default_factory=list)
    node: Place = attribute(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Drug:
    """A drug of the study: its EXTRT, and how many doses a day each EXDOSFRQ means."""

    treatment: Sentence
    per_day: Annotated[dict[str, float], Keyed(1)]
    node: Place = attribute(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class StudyEnd:
    """The date from which nothing more is due of a subject."""

    form: FormName
    date: DateOperand
    node: Place = attribute(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class ProfileEvent:
    """Something that a patient's profile shows at its date, or from its date to its end."""

    label: Sentence
    form: FormName
    date: DateOperand
    end: DateOperand | None = None
    when: Logic | None = None
    node: Place = attribute(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Profile:
    """What the profiles of patients show on one axis of time, besides their doses."""

    tests: list[TestKey]
    events: Annotated[list[ProfileEvent], Entries(0)] = attribute(default_factory=list)
    node: Place = attribute(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class PlanFile:
    """The whole file. ``levels`` go from the mildest to the worst; ``unjudged`` is that of what cannot be judged.

    ``results`` are the findings domains whose mappings say which field holds which test, ``exposure`` is that of doses.
    """

    status: Sentence
    results: list[str]
    levels: Annotated[dict[str, Level], Keyed(1)]
    unjudged: LevelName
    rules: list[Any]
    exposure: str = "EX"
    drugs: dict[str, Drug] = attribute(default_factory=dict)
    study_end: StudyEnd | None = None
    profile: Profile | None = None
    definitions: dict[str, Any] = attribute(default_factory=dict)
    node: Place = attribute(default=None, compare=False, repr=False)

    @cached_property
    def ranks(self) -> dict[str, int]:
        """The place of each level, the worst last."""
        return {name: place for place, name in enumerate(self.levels)}
