"""A derivation that adds records computed by a published formula: formula_records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from adam.columns.columns import Columns, number, text
from adam.language.added_records import CombinedParameter, differing
from adam.language.clinical_formulas import FORMULAS, UNITS, Formula
from adam.language.derivation import AddedRows, DerivationContext, keyed, listed
from adam.language.kinds import KnownParameter, NumberColumn, TextColumn
from metadata.declaration_limits import OneOf
from metadata.errors import StudyError, nearest
from metadata.units import significant

FEMALE, SEXES, BLACK = "F", ("F", "M"), "BLACK OR AFRICAN AMERICAN"


@keyed("formula_records")
@dataclass(frozen=True, kw_only=True)
class FormulaRecords(CombinedParameter):
    """Add for each group a record of a new parameter computed from others by a published formula.

    ``parameters`` names for each symbol of the formula the parameter that has it, ``units`` the unit of each: another
    unit than the formula's is converted where the factor is known, any other refused. ``once`` lists symbols measured
    once a subject (the height), which every record of the subject is computed with. ``age`` (years), ``sex`` (F, M) and
    ``race`` are variables; without an age or with another sex there is no record. A group that lacks a measurement, or
    whose result is not a number, gets no record; one that has a parameter twice is an error. The record has what those
    of the group agree in, with ``set`` and ``blank`` as in extreme_records; what else they differ in is missing.
    """

    formula: Annotated[str, OneOf(tuple(FORMULAS))]
    parameters: dict[str, KnownParameter]
    units: dict[str, str]
    age: NumberColumn | None = None
    sex: TextColumn | None = None
    race: TextColumn | None = None

    @property
    def known(self) -> Formula:
        """The formula."""
        return FORMULAS[self.formula]

    def check(self) -> None:
        super().check()
        wanted, names = self.known.units, tuple(self.known.units)
        for key, given in (("parameters", self.parameters), ("units", self.units)):
            for symbol in (*given, *wanted):
                if symbol not in wanted:
                    near = nearest(symbol, names)
                    raise StudyError(f"{key}: {self.formula} has no {symbol}{near}; it takes {listed(names)}")
                if symbol not in given:
                    raise StudyError(f"{key}: {self.formula} takes {listed(names)}, and {symbol} is missing")
        for symbol, unit in wanted.items():
            if self.units[symbol] not in UNITS[unit]:
                raise StudyError(
                    f"units: {symbol} may be in {listed(tuple(UNITS[unit]))}, not in '{self.units[symbol]}'"
                )
        self.check_once(names)
        self._check_subject()

    def _check_subject(self) -> None:
        given = {"AGE": ("age", self.age), "FEMALE": ("sex", self.sex), "BLACK": ("race", self.race)}
        for needed, (key, variable) in given.items():
            if (needed in self.known.subject) != bool(variable):
                verb = "needs" if not variable else "does not look at"
                raise StudyError(f"{self.formula} {verb} '{key}'")

    def check_units(self, declared: Mapping[str, str]) -> None:
        """Raise StudyError for a parameter that is declared in another unit than ``units`` says."""
        for symbol, code in self.parameters.items():
            if declared.get(code, self.units[symbol]) != self.units[symbol]:
                raise StudyError(f"units: {symbol} is said to be in {self.units[symbol]}, and {code} is in"
                                 f" {declared[code]}")  # fmt: skip

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        places = self.together(columns, count, {symbol: self.parameters[symbol] for symbol in self.known.units})
        # What is measured once is of another visit: the record is of the visit of what is measured each time.
        own = self.lines_of_group(self.known.units)
        made = self._computed(columns, places, places[own[0]])
        kept = np.isfinite(made)
        places, rows = places[:, kept], places[own[0]][kept]
        place, contributing = np.repeat(np.arange(len(rows)), len(places)), places.T.ravel()
        changed = differing(columns, rows, np.repeat(np.arange(len(rows)), len(own)), places[own].T.ravel())
        changed |= {**self.changed(columns, len(rows)), self.value: significant(made[kept])}
        return AddedRows(rows, changed, (place, contributing))

    def _computed(self, columns: Columns, places: np.ndarray, rows: np.ndarray) -> np.ndarray:
        values = number(columns, self.value)
        inputs = {
            symbol: values[places[line]] * UNITS[unit][self.units[symbol]]
            for line, (symbol, unit) in enumerate(self.known.units.items())
        }
        fit = np.ones(len(rows), bool)
        if self.age:
            inputs["AGE"] = number(columns, self.age)[rows]
        if self.sex:
            sex = text(columns, self.sex).take(rows)
            inputs["FEMALE"], fit = sex.isin([FEMALE]).astype(float), sex.isin(SEXES)
        if self.race:
            race = text(columns, self.race).take(rows)
            inputs["BLACK"], fit = race.isin([BLACK]).astype(float), fit & race.present()
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return np.where(fit, self.known.compute(inputs), np.nan)

    def sentence(self, variable: str) -> str:
        if fixed := self.fixed(variable):
            return fixed
        renamed = [f"{symbol} is {code}" for symbol, code in self.parameters.items() if symbol != code]
        units = [f"{symbol} in {self.units[symbol]}" for symbol in self.known.units]
        return (
            f"{self.paramcd}: {self.known.text} ({self.known.source}); {', '.join([*renamed, *units])}"
            f"{self.said_once()}; of {self.value}{self.narrowed()} within {listed(self.by)}, where all are there."
        )
