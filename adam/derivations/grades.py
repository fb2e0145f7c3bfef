"""Derivations of toxicity grades: grade, combined_grade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from adam.columns.columns import Columns, among, day, known_names, number, text
from adam.columns.grouping import group_codes
from adam.language.derivation import (
    Derivation,
    DerivationContext,
    Outcome,
    keyed,
    listed,
)
from adam.language.kinds import DayColumn, KnownParameter, NewNumber, NewText, NumberColumn, TextColumn
from metadata.age_band import Ages
from metadata.coded_text import CodedText
from metadata.condition import DatasetKinds
from metadata.errors import Gather, StudyError, nearest
from metadata.study import Study
from metadata.toxicity import Circumstances, ToxicityItem
from metadata.toxicity_table import is_own, read_scheme, scheme_of, texts_of
from metadata.unit_scale import wrong_factor
from metadata.variable_kind import ClosedText

BASELINE_FLAG, BASELINE_TYPE, DATE = "ABLFL", "BASETYPE", "ADT"
OF_BASELINE = ("USUBJID", "PARAMCD")
GRADES = ("0", "1", "2", "3", "4", "5")
DATED = (*OF_BASELINE, DATE)
RATIO = "1"
"""The unit of what has none."""


@dataclass(frozen=True)
class ToxicityScheme:
    """One toxicity scheme: its table, how it is called in the data, and the item for each parameter.

    A table is one that comes with the software, or a CSV file of the study with the same columns (``own.csv``).
    ``unit_factors`` are, for a parameter, the factor from the unit of the table's limits to the parameter's unit, or
    such a factor for each unit that its results may have. ``already_graded`` names, for a parameter whose results are
    not numbers, the variable that already holds its grade by this scheme.
    """

    table: str
    name: str
    items: dict[str, str]
    unit_factors: dict[str, float | dict[str, float]] = field(default_factory=dict)
    already_graded: dict[str, TextColumn] = field(default_factory=dict)

    def factor(self, parameter: str, item: ToxicityItem, unit: str) -> float | None:
        """Return the factor from the table's unit to ``unit``; None if the study declares none.

        A ratio (INR) or pH has the unit 1 in the table, and a result without a unit is one.
        """
        unit = unit or (RATIO if item.unit == RATIO else "")
        declared = self.unit_factors.get(parameter)
        if isinstance(declared, dict):
            return declared.get(unit, 1.0 if unit == item.unit else None)
        return 1.0 if unit == item.unit else declared

    def check_unit(self, parameter: str, item: ToxicityItem, unit: str) -> None:
        """Raise StudyError unless results in ``unit`` can be set against the limits of the table."""
        place = f"'{item.name}' of {self.table}"
        unit = unit or (RATIO if item.unit == RATIO else "")
        if not unit:
            raise StudyError(f"the unit of {parameter} is not known, and {place} is in {item.unit}: give the parameter"
                             " its 'unit', or name the variable that holds it under 'value_unit'")  # fmt: skip
        declared = self.unit_factors.get(parameter)
        if unit == item.unit and declared not in (None, 1) and not isinstance(declared, dict):
            raise StudyError(f"{parameter} is in {unit}, as {place} is: there is no factor between them")
        if self.factor(parameter, item, unit) is None:
            raise StudyError(f"{parameter} is in {unit}, {place} in {item.unit}: declare the factor from {item.unit} to"
                             f" {unit} under 'unit_factors'")  # fmt: skip
        self._check_factor(parameter, item, unit)

    def _check_factor(self, parameter: str, item: ToxicityItem, unit: str) -> None:
        """Raise StudyError for a factor that is none, or not the one between units that differ by a power of ten."""
        factor = self.factor(parameter, item, unit)
        assert factor is not None
        if not factor > 0:
            raise StudyError(f"the factor of {parameter} from {item.unit} to {unit} must be above 0")
        if problem := wrong_factor(item.unit, unit, factor):
            raise StudyError(f"{parameter}: {problem}")


@keyed("grade")
@dataclass(frozen=True, kw_only=True)
class Grade(Derivation):
    """Grade values by toxicity schemes; every graded record names its scheme.

    A missing value gives no grade, nor does a missing reference limit unless a band with fixed limits holds. Fixed
    limits need the parameter's unit: that of ``parameters``, or that of each record in the variable ``value_unit``. It
    is the table's, or the scheme has a factor for it; without them the study is refused. Items that depend on the
    baseline (CTCAE v5, table ctcae-v5-si) need ``base``, the baseline value, and ``base_indicator``, its range
    indicator (HIGH is abnormal): make them by ``baseline`` before. The baseline record itself, which ``base_flag``
    names (ABLFL if the dataset has it), and the subject's records of the parameter before it (by ADT) are graded as
    with a normal baseline; no multiple of the baseline counts before there is one. Items that depend on them need
    ``sex`` (M, F), ``fasting`` (Y, N) or ``birth``, the date of birth (ages are completed days, months and years at
    ADT; what is not known gives no grade). A parameter that no scheme names is not graded; one
    that two schemes name is an error. The grade at baseline (BTOXGR) is made by ``baseline`` after this derivation.
    """

    schemes: tuple[ToxicityScheme, ...]
    value: NumberColumn = "AVAL"
    low: NumberColumn = "ANRLO"
    high: NumberColumn = "ANRHI"
    value_unit: TextColumn | None = None
    base: NumberColumn | None = None
    base_indicator: TextColumn | None = None
    base_flag: TextColumn | None = None
    sex: TextColumn | None = None
    fasting: TextColumn | None = None
    birth: DayColumn | None = None
    to: NewText = "ATOXGR"
    to_number: NewNumber = "ATOXGRN"
    to_scheme: NewText = "ATOXSCH"

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        parameters = text(columns, "PARAMCD")
        grades, named = np.full(count, np.nan), np.full(count, -1)
        for index, scheme in enumerate(self.schemes):
            for parameter, item in scheme.items.items():
                rows = np.flatnonzero(parameters.isin([parameter]))
                grades[rows] = self._graded(
                    scheme, parameter, scheme_item(scheme.table, item, context.study), columns, rows
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
                self.to: CodedText.of_codes(texts, GRADES),
                self.to_number: grades,
                self.to_scheme: CodedText.of_codes(named, [scheme.name for scheme in self.schemes]),
            }
        )

    def closed_texts(self, variable: str, kinds: DatasetKinds) -> ClosedText | None:
        given = {self.to: GRADES, self.to_scheme: [scheme.name for scheme in self.schemes]}
        return ClosedText(given[variable]) if variable in given else None

    def _graded(
        self, scheme: ToxicityScheme, parameter: str, item: ToxicityItem, columns: Columns, rows: np.ndarray
    ) -> np.ndarray:
        value, low, high = (number(columns, name)[rows] for name in (self.value, self.low, self.high))
        base = number(columns, self.base)[rows] if self.base else None
        if base is not None:
            base = np.where(self._before_baseline(columns)[rows], np.nan, base)
        return item.grade(value, low, high, self._scale(scheme, parameter, item, columns, rows), base,
                          self._circumstances(columns, rows))  # fmt: skip

    def _before_baseline(self, columns: Columns) -> np.ndarray:
        """Return True for records dated before the baseline record of their subject and parameter."""
        known, flag = known_names(columns), self.base_flag or BASELINE_FLAG
        if not {flag, *DATED} <= known:
            return np.zeros(len(text(columns, "PARAMCD")), bool)
        groups = group_codes([columns[name] for name in (*OF_BASELINE, BASELINE_TYPE) if name in known])
        first = np.full(int(groups.max(initial=-1)) + 1, np.nan)
        flagged, date = np.flatnonzero(text(columns, flag).isin(["Y"])), number(columns, DATE)
        first[groups[flagged]] = date[flagged]
        return np.asarray(date < first[groups])

    def _scale(
        self, scheme: ToxicityScheme, parameter: str, item: ToxicityItem, columns: Columns, rows: np.ndarray
    ) -> float | np.ndarray:
        """Return the factor from the table's unit to that of the results; raises StudyError if a result has another."""
        if not item.is_absolute:
            return 1.0
        declared = scheme.unit_factors.get(parameter, 1.0)
        if not self.value_unit and not isinstance(declared, dict):
            return declared
        units = text(columns, str(self.value_unit)).take(rows)
        valued = ~np.isnan(number(columns, self.value)[rows])
        for unit in units.among(valued):
            scheme.check_unit(parameter, item, unit)
        if (valued & ~units.present()).any():
            scheme.check_unit(parameter, item, "")
        return units.each(lambda unit: scheme.factor(parameter, item, unit) or np.nan, float)

    def _circumstances(self, columns: Columns, rows: np.ndarray) -> Circumstances:
        sex, fasting = (text(columns, name).take(rows) if name else None for name in (self.sex, self.fasting))
        ages = Ages.at(day(columns, DATE)[rows], day(columns, self.birth)[rows]) if self.birth else None
        return Circumstances(sex, fasting, self._normal(columns, rows), ages)

    def _normal(self, columns: Columns, rows: np.ndarray) -> np.ndarray | None:
        """Return 1 where the baseline was normal or low, is the record or comes later, 0 where high, else NaN."""
        if not self.base_indicator:
            return None
        indicator = text(columns, self.base_indicator).take(rows)
        normal = indicator.each(lambda one: np.nan if not one else 0.0 if one.startswith("HIGH") else 1.0, float)
        flag = self.base_flag or BASELINE_FLAG
        if flag in known_names(columns):
            normal[text(columns, flag).take(rows).isin(["Y"])] = 1.0
            normal[self._before_baseline(columns)[rows]] = 1.0
        return normal

    def also_reads(self) -> tuple[str, ...]:
        return ("PARAMCD", DATE) if self.birth else ("PARAMCD",)

    def check(self) -> None:
        if bool(self.base) != bool(self.base_indicator):
            raise StudyError("base and base_indicator are needed together")
        parameters = [parameter for scheme in self.schemes for parameter in [*scheme.items, *scheme.already_graded]]
        for scheme in self.schemes:
            strange = [code for code in scheme.unit_factors if code not in scheme.items]
            if strange:
                raise StudyError(f"unit_factors are given for {strange[0]}, which {scheme.name} does not grade"
                                 f"{nearest(strange[0], scheme.items)}")  # fmt: skip
        twice = {parameter for parameter in parameters if parameters.count(parameter) > 1}
        if twice:
            raise StudyError(f"{listed(sorted(twice))} is graded by more than one scheme")
        by_unit = [
            code for scheme in self.schemes for code, one in scheme.unit_factors.items() if isinstance(one, dict)
        ]
        if by_unit and not self.value_unit:
            raise StudyError(f"the factors of {by_unit[0]} are by unit: name the variable that holds it, 'value_unit'")
        with Gather() as gather:
            for _, parameter, item in self.graded(gather):
                with gather.part():
                    self._check_known(parameter, item)

    def check_files(self, study: Study) -> None:
        with Gather() as gather:
            for scheme, parameter, item in self.graded(gather, study):
                if is_own(scheme.table):
                    with gather.part():
                        self._check_known(parameter, item)

    def graded(self, gather: Gather, study: Study | None = None) -> Iterator[tuple[ToxicityScheme, str, ToxicityItem]]:
        """Yield scheme, parameter and item of all that is graded; ``gather`` gets what the tables do not have.

        Without the study nothing is known of its own tables.
        """
        for scheme in self.schemes:
            for parameter, name in scheme.items.items():
                with gather.part():
                    if study is not None or not is_own(scheme.table):
                        yield scheme, parameter, scheme_item(scheme.table, name, study)

    def _check_known(self, parameter: str, item: ToxicityItem) -> None:
        known = {"sex": self.sex, "fasting": self.fasting, "baseline": self.base_indicator,
                 "age": self.birth}  # fmt: skip
        for name in sorted(item.depends_on):
            if not known[name]:
                needed = {"baseline": "'base' and 'base_indicator'", "age": "'birth'"}.get(name, f"'{name}'")
                raise StudyError(f"the grade of {parameter} by '{item.name}' depends on {name}: {needed} is needed")
        if "BASE" in item.needs and not self.base:
            raise StudyError(f"the grade of {parameter} by '{item.name}' counts multiples of baseline: say 'base'")

    def check_units(self, units: Mapping[str, str], study: Study) -> None:
        """Raise StudyError for graded parameters in a unit that the table's limits cannot be set against.

        ``units`` are those of the dataset's parameters, as far as they are declared.
        """
        with Gather() as gather:
            for scheme, parameter, item in self.graded(gather, study):
                if item.is_absolute and not self.value_unit:
                    with gather.part():
                        scheme.check_unit(parameter, item, units.get(parameter, ""))

    def meanings(self, study: Study) -> dict[str, dict[str, dict[str, str]]]:
        """Return the published criteria of each grade, of the parameters whose item has them."""
        items = {
            parameter: scheme_item(scheme.table, name, study)
            for scheme in self.schemes
            for parameter, name in scheme.items.items()
        }
        return {self.to: {parameter: item.meanings() for parameter, item in items.items() if item.texts}}

    def sentence(self, variable: str) -> str:
        if variable == self.to_scheme:
            return f"Name of the scheme by which {self.to} was graded; missing where there is no grade."
        if variable == self.to_number:
            return f"{self.to} as a number."
        used = [f"{scheme.name} for {listed(list(scheme.items))}" for scheme in self.schemes]
        used += [f"{name} for {code}" for scheme in self.schemes for code, name in scheme.already_graded.items()]
        return f"Toxicity grade of {self.value} by {'; '.join(used)}; half-open intervals on unrounded values."


def scheme_item(table: str, item: str, study: Study | None = None) -> ToxicityItem:
    """Return one item of a toxicity table that can be graded by a number; raises StudyError with the nearest name."""
    items = read_scheme(table) if study is None else scheme_of(study, table)
    if item not in items:
        if texts := texts_of(study, table, item):
            said = f"grade {min(texts)} is '{texts[min(texts)]}'"
            raise StudyError(f"'{item}' of {table} cannot be graded from a value: {said}")
        raise StudyError(f"the table {table} has no item '{item}'{nearest(item, items)}")
    return items[item]


@keyed("combined_grade")
@dataclass(frozen=True, kw_only=True)
class CombinedGrade(Derivation):
    """Combine the grades of two directions, each graded for itself, into one: a low one gets a minus sign.

    The high grade counts where it is above 0, else the low one where that is; 0 only where both are 0, or where one is
    and the parameter is not graded in the other direction. ``low_paramcd`` and ``high_paramcd`` name the parameters
    that are, so that a missing grade differs from one that is not made.
    """

    low: TextColumn
    high: TextColumn
    low_paramcd: tuple[KnownParameter, ...]
    high_paramcd: tuple[KnownParameter, ...]
    to: NewText = "ATOXGR"
    to_number: NewNumber = "ATOXGRN"

    def derive(self, columns: Columns, count: int, context: DerivationContext) -> Outcome:
        low, high = (text(columns, name).numbers() for name in (self.low, self.high))
        graded = [among(columns["PARAMCD"], names) for names in (self.low_paramcd, self.high_paramcd)]
        nothing = [(grade == 0) | (np.isnan(grade) & ~there) for grade, there in zip((low, high), graded, strict=True)]
        normal = nothing[0] & nothing[1] & (graded[0] | graded[1])
        with np.errstate(invalid="ignore"):
            made = np.select([high > 0, low > 0, normal], [high, -low, 0.0], np.nan)
        grades = ["-4", "-3", "-2", "-1", "0", "1", "2", "3", "4", "5"]
        return Outcome(
            {
                self.to: CodedText.of_codes(np.where(np.isnan(made), -1, made + 4).astype(int), grades),
                self.to_number: made,
            }
        )

    def also_reads(self) -> tuple[str, ...]:
        return ("PARAMCD",)

    def sentence(self, variable: str) -> str:
        if variable == self.to_number:
            return f"{self.to} as a number."
        return f"{self.high} if above 0, else -{self.low} if that is above 0, else 0 if both are{self.within()}."
