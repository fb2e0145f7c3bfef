"""Derivations that turn values into other values: parameters, recode, bands, coalesce, number."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from adam.columns.columns import (
    Columns,
    Values,
    among,
    chosen,
    known_names,
    number,
    numbers_as_text,
    present,
    stack,
    text,
)
from adam.columns.grouping import group_codes
from adam.language.derivation import (
    Derivation,
    DerivationContext,
    Outcome,
    ParameterLabel,
    keyed,
    listed,
)
from adam.language.kinds import (
    NewNumber,
    NewText,
    NumberColumn,
    ParameterCode,
    TextColumn,
    ValueColumn,
    check_alike,
    common_kind,
)
from metadata.coded_text import CodedText
from metadata.condition import Condition, DatasetKinds
from metadata.condition_tests import impossible
from metadata.declaration import Column, NewColumn, Place
from metadata.errors import Gather, StudyError
from metadata.variable_kind import CHAR, NUM, PLAIN_NUMBER, ClosedText
from metadata.yaml_source import complain


@dataclass(frozen=True)
class AnalysisParameter:
    """One parameter of a BDS dataset: the source's test code, its label, number and category, and its values' unit.

    ``where`` narrows the records of a test code that is more than one parameter (a specimen, a method).
    """

    test: str
    param: str
    paramn: int
    parcat1: str = ""
    unit: str | None = None
    where: Condition | None = None
    node: Place = field(default=None, compare=False, repr=False)


@keyed("parameters")
@dataclass(frozen=True, kw_only=True)
class Parameters(Derivation):
    """Name the parameter of each record from its test code: PARAMCD, PARAM, PARAMN and PARCAT1.

    ``source`` holds the test code; ``paramcd`` are the parameters by their PARAMCD. A test code in the data that is not
    listed is an error, and so is a value in another unit (``source_unit``, else the source's --STRESU) than the
    parameter's.
    """

    source: TextColumn
    paramcd: dict[ParameterCode, AnalysisParameter]
    source_unit: TextColumn | None = None

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        names = list(self.paramcd)
        position = self._positions(columns, count)
        tests = text(columns, self.source)
        unknown = tests.among(position < 0)
        if unknown:
            raise StudyError(
                f"{self.source} {listed(unknown)} has no parameter; add it to 'paramcd',"
                " or leave such records out with the source's 'where'"
            )
        unit = self.source_unit or self.source.replace("TESTCD", "STRESU")
        if unit != self.source and unit in known_names(columns):
            self._check_units(columns, unit, position)
        found = list(self.paramcd.values())
        return Outcome(
            {
                "PARAMCD": CodedText.of_codes(position, names),
                "PARAM": CodedText.of_codes(position, [one.param for one in found]),
                "PARAMN": np.array([*(one.paramn for one in found), np.nan], float)[position],
                "PARCAT1": CodedText.of_codes(position, [one.parcat1 for one in found]),
            }
        )

    def _positions(self, columns: Columns, count: int) -> np.ndarray:
        """Return for each record the parameter's place in the table, -1 if there is none."""
        tests = [None if parameter.where else parameter.test for parameter in self.paramcd.values()]
        position = text(columns, self.source).each(lambda test: tests.index(test) if test in tests else -1, int)
        for index, parameter in enumerate(self.paramcd.values()):
            if parameter.where:
                narrowed = among(columns[self.source], [parameter.test]) & parameter.where.holds(columns, count)
                position[narrowed] = index
        return position

    def _check_units(self, columns: Columns, name: str, position: np.ndarray) -> None:
        given = columns[name]
        wanted = CodedText.of_codes(position, [parameter.unit or "" for parameter in self.paramcd.values()])
        stated = present(wanted) & present(given)
        differs = np.flatnonzero(stated & (np.ptp(group_codes([stack([wanted, given])]).reshape(2, -1), axis=0) != 0))
        if len(differs):
            test, unit, found = (value_text(values, differs[0]) for values in (columns[self.source], wanted, given))
            raise StudyError(
                f"the parameter of {self.source} {test} is in {unit}, but {name} is {found} in {len(differs)} record(s)"
            )

    def also_makes(self) -> dict[str, str]:
        return {"PARAMCD": CHAR, "PARAM": CHAR, "PARAMN": NUM, "PARCAT1": CHAR}

    def parameters_made(self) -> tuple[str, ...]:
        return tuple(self.paramcd)

    def closed_texts(self, variable: str, kinds: DatasetKinds) -> ClosedText | None:
        if variable == "PARAM":
            return ClosedText(one.param for one in self.paramcd.values())
        if variable == "PARCAT1":
            return ClosedText(one.parcat1 for one in self.paramcd.values())
        return super().closed_texts(variable, kinds)

    def check_kinds(self, kinds: DatasetKinds) -> None:
        super().check_kinds(kinds)
        known = kinds.get("", {}).get(self.source, "")
        with Gather() as gather:
            for one in self.paramcd.values():
                with gather.part():
                    if problem := impossible(self.source, one.test, known):
                        raise complain(one.node, "test", problem)

    def parameter_labels(self) -> list[ParameterLabel]:
        return [ParameterLabel(code, one.param, one.paramn, one.node) for code, one in self.paramcd.items()]

    def units(self) -> dict[str, str]:
        """Return the units of the parameters that have one."""
        return {code: one.unit for code, one in self.paramcd.items() if one.unit}

    def sentence(self, variable: str) -> str:
        return f"Assigned from {self.source} by the table of parameters."

    def origin(self, variable: str) -> str:
        return "Assigned"


@keyed("recode")
@dataclass(frozen=True, kw_only=True)
class Recode(Derivation):
    """Replace each value by what the table has for it.

    A value that is not in the table becomes ``otherwise`` ("" is missing); without ``otherwise`` it is an error.
    Missing becomes ``if_missing``. Where the table gives numbers the new variable is Num, where it gives texts Char.
    """

    source: ValueColumn
    to: NewColumn
    values: dict[str, str | float]
    otherwise: str | float | None = None
    if_missing: str | float | None = None

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        values = columns[self.source]
        if not isinstance(values, CodedText):
            values = numbers_as_text(values)
        table = {"": _or_missing(self.if_missing), **self.values}
        self._check_known(values.held)
        made = [table.get(text, _or_missing(self.otherwise)) for text in values.texts]
        if self._numeric():
            return Outcome({self.to: values.spread(np.array([np.nan if one == "" else float(one) for one in made]))})
        return Outcome({self.to: CodedText.of_codes(values.codes, [str(one) for one in made])})

    def kind(self, variable: str, kinds: DatasetKinds) -> str:
        return PLAIN_NUMBER if self._numeric() else CHAR

    def closed_texts(self, variable: str, kinds: DatasetKinds) -> ClosedText | None:
        given = (*self.values.values(), self.otherwise, self.if_missing)
        return None if self._numeric() else ClosedText(str(_or_missing(one)) for one in given)

    def check_kinds(self, kinds: DatasetKinds) -> None:
        super().check_kinds(kinds)
        known = kinds.get("", {}).get(self.source, "")
        with Gather() as gather:
            for one in self.values:
                with gather.part():
                    if problem := impossible(self.source, one, known):
                        raise StudyError(problem)

    def _numeric(self) -> bool:
        return not all(isinstance(value, str) for value in self.values.values())

    def check(self) -> None:
        given = [one for one in (*self.values.values(), self.otherwise, self.if_missing) if one not in ("", None)]
        if len({isinstance(one, str) for one in given}) > 1:
            raise StudyError("the values are all numbers, or all texts; write a number that is meant as text in quotes")

    def _check_known(self, texts: list[str]) -> None:
        unknown = [text for text in texts if text and text not in self.values]
        if unknown and self.otherwise is None:
            raise StudyError(
                f"{self.source} is '{unknown[0]}', which the values do not name; add it, or say 'otherwise'"
            )

    def sentence(self, variable: str) -> str:
        sources: dict[str, list[str]] = {}
        for source, value in self.values.items():
            sources.setdefault(_as_text(value), []).append(source)
        pairs = [f"{value} if {self.source} is {' or '.join(given)}" for value, given in sources.items()]
        rest = [] if self.otherwise is None else [f"else {_as_text(self.otherwise) or 'missing'}"]
        empty = [] if self.if_missing in ("", None) else [f"{_as_text(self.if_missing)} if {self.source} is missing"]
        return f"{', '.join(pairs + empty + rest)}{self.within()}."


def _or_missing(value: str | float | None) -> str | float:
    return "" if value is None else value


def _as_text(value: str | float | None) -> str:
    """Return a text as it is and a number as short as it can be written."""
    return value or "" if isinstance(value, str | None) else f"{value:.12g}"


def value_text(values: Values, row: int) -> str:
    """Return one value as a text, for messages."""
    return values.texts[values.codes[row]] if isinstance(values, CodedText) else f"{values[row]:g}"


@dataclass(frozen=True)
class ValueBand:
    """One band of a number: its name, and the lowest value beyond it (none for the last band)."""

    name: str
    below: float | None = None


@keyed("bands")
@dataclass(frozen=True, kw_only=True)
class Bands(Derivation):
    """Sort a number into named bands, written from low to high; a value on a limit belongs to the upper band."""

    source: NumberColumn
    to: NewText
    to_number: NewNumber | None = None
    bands: tuple[ValueBand, ...]

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        values, bounds = number(columns, self.source), self._bounds()
        codes = np.where(np.isnan(values), -1, np.searchsorted(np.array(bounds, float), values, side="right"))
        made: dict[str, Values] = {self.to: CodedText.of_codes(codes, [band.name for band in self.bands])}
        if self.to_number:
            made[self.to_number] = np.where(codes < 0, np.nan, codes + 1.0)
        return Outcome(made)

    def closed_texts(self, variable: str, kinds: DatasetKinds) -> ClosedText | None:
        return ClosedText(band.name for band in self.bands) if variable == self.to else None

    def _bounds(self) -> list[float]:
        return [band.below for band in self.bands[:-1] if band.below is not None]

    def check(self) -> None:
        if len(self._bounds()) + 1 < len(self.bands) or sorted(self._bounds()) != self._bounds():
            raise StudyError("each band but the last needs 'below', from low to high")
        if self.bands[-1].below is not None:
            raise StudyError(f"the last band, {self.bands[-1].name}, has no 'below': all higher values are in it")

    def sentence(self, variable: str) -> str:
        names = [f"{band.name} below {band.below:g}" for band in self.bands[:-1] if band.below is not None]
        phrase = f"{self.source} in bands: {', '.join(names)}, else {self.bands[-1].name}{self.within()}."
        return phrase if variable == self.to else f"Number of the band {self.to}, from low to high."


@keyed("coalesce")
@dataclass(frozen=True, kw_only=True)
class Coalesce(Derivation):
    """Take the first of several variables that has a value; all are of one kind, and so is the new one."""

    source: tuple[Column, ...]
    to: NewColumn

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        made = columns[self.source[-1]]
        for name in reversed(self.source[:-1]):
            made = chosen(present(columns[name]), columns[name], made)
        return Outcome({self.to: made})

    def kind(self, variable: str, kinds: DatasetKinds) -> str:
        return common_kind(kinds, self.source)

    def closed_texts(self, variable: str, kinds: DatasetKinds) -> ClosedText | None:
        known = [kinds.get("", {}).get(name, "") for name in self.source]
        closed = [one for one in known if isinstance(one, ClosedText)]
        return reduce(ClosedText.with_more, closed) if len(closed) == len(known) else None

    def check_kinds(self, kinds: DatasetKinds) -> None:
        check_alike(kinds, self.source)

    def sentence(self, variable: str) -> str:
        return f"The first of {listed(self.source)} that is not missing{self.within()}."


@keyed("number")
@dataclass(frozen=True, kw_only=True)
class NumberFromText(Derivation):
    """Read a text as a number; a text that is not a number is an error."""

    source: TextColumn
    to: NewNumber

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        values = text(columns, self.source)
        read = values.numbers()
        wrong = np.flatnonzero(np.isnan(read) & present(values))
        if len(wrong):
            raise StudyError(f"{self.source} is '{value_text(values, wrong[0])}', which is not a number")
        return Outcome({self.to: read})

    def sentence(self, variable: str) -> str:
        return f"{self.source} as a number{self.within()}."
