"""Words about laboratory ranges and grades: range_indicator, grade, combined_grade."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from adam.columns.columns import Columns, among, number, text
from adam.language.derivation import (
    Derivation,
    DerivationContext,
    Outcome,
    listed,
    scheme_item,
    word,
)
from metadata.coded_text import CodedText
from metadata.declaration import Column, NewColumn
from metadata.errors import StudyError
from metadata.study import Study
from metadata.units import significant

NO_ROWS = np.empty(0, np.int64)
INDICATORS = ["LOW LOW", "LOW", "NORMAL", "HIGH", "HIGH HIGH"]


@word("range_indicator")
@dataclass(frozen=True, kw_only=True)
class RangeIndicator(Derivation):
    """LOW, NORMAL or HIGH by the record's reference range; missing without a value or without any limit.

    A value on a limit is NORMAL; equality is judged to ``digits`` significant digits, so that the noise of a conversion
    makes no difference. With one limit only, a value that is not beyond it is NORMAL. ``outer_low`` and ``outer_high``
    name outer limits (A1LO, A1HI), beyond which a value is LOW LOW or HIGH HIGH.
    """

    value: Column = "AVAL"
    low: Column = "ANRLO"
    high: Column = "ANRHI"
    outer_low: Column | None = None
    outer_high: Column | None = None
    digits: int = 12
    to: NewColumn = "ANRIND"

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        value, low, high = (
            significant(number(columns, name), self.digits) for name in (self.value, self.low, self.high)
        )
        nothing = np.full(count, np.nan)
        outer = [significant(number(columns, name), self.digits) if name else nothing
                 for name in (self.outer_low, self.outer_high)]  # fmt: skip
        with np.errstate(invalid="ignore"):
            codes = np.select([value < outer[0], value > outer[1], value < low, value > high], [0, 4, 1, 3], 2)
        unknown = np.isnan(value) | (np.isnan(low) & np.isnan(high))
        return Outcome({self.to: CodedText.of_codes(np.where(unknown, -1, codes), INDICATORS)})

    def sentence(self, variable: str) -> str:
        outer = f"LOW LOW if {self.value} is below {self.outer_low}, " if self.outer_low else ""
        outer += f"HIGH HIGH if it is above {self.outer_high}, " if self.outer_high else ""
        return (
            f"{outer}LOW if {self.value} is below {self.low}, HIGH if it is above {self.high}, else NORMAL;"
            f" missing without value or range{self.within()}."
        )


@dataclass(frozen=True)
class Scheme:
    """One toxicity scheme: its table, how it is called in the data, and the item for each parameter.

    ``unit_factors`` are, for a parameter, the factor from the unit of the table's limits to the parameter's unit.
    ``already_graded`` names, for a parameter whose results are not numbers, the variable that already holds its grade
    by this scheme.
    """

    table: str
    name: str
    items: dict[str, str]
    unit_factors: dict[str, float] = field(default_factory=dict)
    already_graded: dict[str, Column] = field(default_factory=dict)


@word("grade")
@dataclass(frozen=True, kw_only=True)
class Grade(Derivation):
    """Grade values by toxicity schemes; every graded record names its scheme.

    A missing value gives no grade, nor does a missing reference limit unless a band with fixed limits holds. Items of
    CTCAE v5 (table ctcae-v5-bands) that depend on the baseline need ``base``, the baseline value, and
    ``base_indicator``, its range indicator (HIGH is abnormal): make them by ``baseline`` before. A parameter that no
    scheme names is not graded; one that two schemes name is an error. The grade at baseline (BTOXGR) is made by
    ``baseline`` after this word.
    """

    schemes: tuple[Scheme, ...]
    value: Column = "AVAL"
    low: Column = "ANRLO"
    high: Column = "ANRHI"
    base: Column | None = None
    base_indicator: Column | None = None
    to: NewColumn = "ATOXGR"
    to_number: NewColumn = "ATOXGRN"
    to_scheme: NewColumn = "ATOXSCH"

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        parameters = text(columns, "PARAMCD")
        low, high, value = (number(columns, name) for name in (self.low, self.high, self.value))
        base, normal = self._baseline(columns, count)
        grades, named = np.full(count, np.nan), np.full(count, -1)
        for index, scheme in enumerate(self.schemes):
            for parameter, item in scheme.items.items():
                graded = context.scheme(scheme.table, item)
                rows = np.flatnonzero(parameters.isin([parameter]))
                grades[rows] = graded.grade(
                    value[rows],
                    low[rows],
                    high[rows],
                    scheme.unit_factors.get(parameter, 1.0),
                    base[rows],
                    normal[rows],
                )
                named[rows] = index
            for parameter, name in scheme.already_graded.items():
                rows = np.flatnonzero(parameters.isin([parameter]))
                grades[rows] = text(columns, name).numbers()[rows]
                named[rows] = index
        named[np.isnan(grades)] = -1
        texts = np.where(np.isnan(grades), -1, grades).astype(int)
        return Outcome(
            {
                self.to: CodedText.of_codes(texts, ["0", "1", "2", "3", "4", "5"]),
                self.to_number: grades,
                self.to_scheme: CodedText.of_codes(named, [scheme.name for scheme in self.schemes]),
            }
        )

    def _baseline(self, columns: Columns, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return baseline values, and 1 where they were normal or low, 0 where high, NaN where unknown."""
        nothing = np.full(count, np.nan)
        if not (self.base and self.base_indicator):
            return nothing, nothing
        indicator = text(columns, self.base_indicator)
        normal = indicator.each(lambda one: np.nan if not one else 0.0 if one.startswith("HIGH") else 1.0, float)
        return number(columns, self.base), normal

    def also_reads(self) -> tuple[str, ...]:
        return ("PARAMCD",)

    def check_files(self, study: Study) -> None:
        for scheme in self.schemes:
            for item in scheme.items.values():
                scheme_item(scheme.table, item)

    def check(self) -> None:
        if bool(self.base) != bool(self.base_indicator):
            raise StudyError("base and base_indicator are needed together")
        parameters = [parameter for scheme in self.schemes for parameter in [*scheme.items, *scheme.already_graded]]
        twice = {parameter for parameter in parameters if parameters.count(parameter) > 1}
        if twice:
            raise StudyError(f"{listed(sorted(twice))} is graded by more than one scheme")

    def sentence(self, variable: str) -> str:
        if variable == self.to_scheme:
            return f"Name of the scheme by which {self.to} was graded; missing where there is no grade."
        if variable == self.to_number:
            return f"{self.to} as a number."
        used = [f"{scheme.name} for {listed(list(scheme.items))}" for scheme in self.schemes]
        used += [f"{name} for {code}" for scheme in self.schemes for code, name in scheme.already_graded.items()]
        return f"Toxicity grade of {self.value} by {'; '.join(used)}; half-open intervals on unrounded values."


@word("combined_grade")
@dataclass(frozen=True, kw_only=True)
class CombinedGrade(Derivation):
    """Combine the grades of two directions, each graded for itself, into one: a low one gets a minus sign.

    The high grade counts where it is above 0, else the low one where that is; 0 only where both are 0, or where one is
    and the parameter is not graded in the other direction. ``low_paramcd`` and ``high_paramcd`` name the parameters
    that are, so that a missing grade differs from one that is not made.
    """

    low: Column
    high: Column
    low_paramcd: tuple[str, ...]
    high_paramcd: tuple[str, ...]
    to: NewColumn = "ATOXGR"
    to_number: NewColumn = "ATOXGRN"

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        low, high = (text(columns, name).numbers() for name in (self.low, self.high))
        graded = [among(columns["PARAMCD"], names) for names in (self.low_paramcd, self.high_paramcd)]
        nothing = [(grade == 0) | (np.isnan(grade) & ~there) for grade, there in zip((low, high), graded, strict=True)]
        normal = nothing[0] & nothing[1] & (graded[0] | graded[1])
        with np.errstate(invalid="ignore"):
            made = np.select([high > 0, low > 0, normal], [high, -low, 0.0], np.nan)
        words = ["-4", "-3", "-2", "-1", "0", "1", "2", "3", "4", "5"]
        return Outcome(
            {
                self.to: CodedText.of_codes(np.where(np.isnan(made), -1, made + 4).astype(int), words),
                self.to_number: made,
            }
        )

    def also_reads(self) -> tuple[str, ...]:
        return ("PARAMCD",)

    def sentence(self, variable: str) -> str:
        if variable == self.to_number:
            return f"{self.to} as a number."
        return f"{self.high} if above 0, else -{self.low} if that is above 0, else 0 if both are{self.within()}."
