"""One form being filled: its rows, the values so far, and how a value is written into REDCap."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from metadata.errors import StudyError, nearest
from metadata.expression import Reference
from metadata.expression_column import ExpressionColumn
from metadata.expression_evaluator import evaluate
from metadata.expression_parser import parse
from metadata.project import Project
from metadata.study import Study
from redcap_sandbox.generator_calendar import Calendar
from redcap_sandbox.generator_draws import Draws

DECIMALS = re.compile(r"number_(\d)dp")
BUILT_IN = ("_day", "_event", "_visit")
PLACEHOLDER = re.compile(r"\[([a-z_0-9]+)\]")


@dataclass(frozen=True, eq=False)
class World:
    """What every form is filled from. ``courses`` holds the declared rows of repeating forms, one row an instance."""

    study: Study
    project: Project
    patients: pd.DataFrame
    calendar: Calendar
    draws: Draws
    courses: dict[str, pd.DataFrame]

    @property
    def has_declared(self) -> bool:
        """True if the declared patients are among the patients."""
        return self.draws.first == 0

    def choice(self, options: Mapping[str, Any], key: str, context: str) -> Any:
        """Return ``options[key]``; raises StudyError with the nearest key."""
        if key not in options:
            raise StudyError(f"{context}: there is no '{key}'{nearest(key, options)}")
        return options[key]


@dataclass(eq=False)
class Filling:
    """A form being filled. ``rows`` has patient (position), event, instance (0: none) and day, one row a form saved.

    ``known`` holds, by field or latent name, float64 numbers or texts; ``decimals`` and ``factors`` say how a number is
    reported.
    """

    world: World
    form: str
    rows: pd.DataFrame
    known: dict[str, np.ndarray] = field(default_factory=dict)
    decimals: dict[str, np.ndarray] = field(default_factory=dict)
    factors: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @cached_property
    def patient(self) -> np.ndarray:
        """Position of each row's patient."""
        return self.rows["patient"].to_numpy(int)

    @cached_property
    def slots(self) -> tuple[np.ndarray, list[str]]:
        """Number of each row's event and instance, and their names."""
        number, names = pd.factorize(self.rows["event"] + "#" + self.rows["instance"].astype(str))
        return number, list(names)

    def uniform(self, name: str) -> np.ndarray:
        """Return one uniform number a row, drawn by form, field, event, instance and patient."""
        number, names = self.slots
        drawn = np.zeros(self.size)
        for position, slot in enumerate(names):
            here = number == position
            drawn[here] = self.world.draws.uniform(self.form, name, slot)[self.patient[here]]
        return drawn

    def person(self, name: str) -> np.ndarray:
        """Return one standard normal deviate a patient, the same in all rows of the patient."""
        return self.world.draws.normal(self.form, name)[self.patient]

    def given(self, name: str) -> np.ndarray:
        """Return what is already known under a name: a value so far, a built-in, or a column of the patients."""
        if name in self.known:
            return self.known[name]
        if name == "_day":
            return self.rows["day"].to_numpy(float)
        if name in ("_event", "_visit"):
            return self._place(name)
        if name in self.world.patients.columns:
            return self.world.patients[name].to_numpy(object)[self.patient]
        known = [*self.known, *self.world.patients.columns, *BUILT_IN]
        raise StudyError(f"form '{self.form}': nothing is called '{name}'{nearest(name, known)}")

    def _place(self, name: str) -> np.ndarray:
        """Name of the row's event, or its number in the project with the instance behind it."""
        event = self.rows["event"].to_numpy(object)
        if name == "_event":
            return event
        number = {known: str(place) for place, known in enumerate(self.world.project.event_names, start=1)}
        instance = self.rows["instance"].astype("str").radd(".").where(self.rows["instance"] > 0, "")
        return (self.rows["event"].map(number) + instance).to_numpy(object)

    def texts(self, name: str) -> np.ndarray:
        """Return what is known under a name, as texts."""
        known = self.given(name)
        return known if known.dtype == object else np.array([f"{value:g}" for value in known], object)

    def numbers(self, name: str) -> np.ndarray:
        """Return what is known under a name, as float64; blanks are NaN."""
        known = self.given(name)
        return pd.to_numeric(pd.Series(known), errors="coerce").to_numpy(float)

    def column(self, reference: Reference) -> ExpressionColumn:
        """Return a reference of a formula (the evaluator's view of this form)."""
        known = self.given(reference.name)
        return (
            ExpressionColumn.computed(known)
            if known.dtype != object
            else ExpressionColumn.stored(pd.Series(known, dtype="str"))
        )

    def formula(self, text: str) -> ExpressionColumn:
        """Evaluate a formula, written in REDCap's own language, in every row."""
        return evaluate(parse(text, f"form '{self.form}'"), self)

    def written(self, name: str) -> np.ndarray:
        """Return a field's values as REDCap stores them: by its validation, or with the decimals that its unit has."""
        known = self.known[name]
        if known.dtype == object:
            return known
        validation = self.world.project.dictionary.field(name).validation
        found = DECIMALS.search(validation)
        places = np.full(self.size, int(found.group(1))) if found else self.decimals.get(name, np.zeros(self.size, int))
        number = known * self.factors.get(name, 1.0)
        text = np.full(self.size, "", object)
        for count in np.unique(places):
            here = (places == count) & ~np.isnan(number)
            text[here] = np.char.mod(f"%.{max(count, 0)}f", np.round(number[here], count) + 0.0)
        return np.array([value.replace(".", ",") for value in text], object) if "comma" in validation else text
