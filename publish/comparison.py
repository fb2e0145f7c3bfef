"""Comparing two datasets as PROC COMPARE does: variables, their attributes, rows by key, and every value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from metadata.errors import UsageError, nearest
from publish.comparison_tables import UNTYPED, StoredTable

IGNORABLE = ("label", "length", "format")
# A text that begins so is an identifier, such as a subject's, and not a number.
LEADING_ZERO = r"^[+-]?0[0-9]"
POSITION = "row"


@dataclass(frozen=True)
class Tolerance:
    """How far two numbers may be apart and still be equal: by ``absolute``, or by ``relative`` times the larger one."""

    absolute: float = 0.0
    relative: float = 0.0


@dataclass(frozen=True)
class Tolerances:
    """The tolerance of all variables, and of single ones by name."""

    general: Tolerance = Tolerance()
    single: dict[str, Tolerance] = field(default_factory=dict)

    def of(self, variable: str) -> Tolerance:
        return self.single.get(variable, self.general)


@dataclass(frozen=True)
class AttributeDifference:
    """An attribute that two files give a variable differently; ``variable`` is empty for the dataset's label."""

    variable: str
    attribute: str
    first: str
    second: str


@dataclass(frozen=True)
class ValueDifference:
    """The rows in which a variable differs: their keys and both values, and the largest distance of numbers."""

    variable: str
    compared: int
    rows: pd.DataFrame
    largest: float

    @property
    def count(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class DatasetComparison:
    """All that two datasets differ in. ``rows_first`` and ``rows_second`` hold the keys of rows only in one."""

    name: str
    keys: tuple[str, ...]
    sizes: tuple[int, int]
    matched: int
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    attributes: tuple[AttributeDifference, ...]
    rows_first: pd.DataFrame
    rows_second: pd.DataFrame
    differences: tuple[ValueDifference, ...]

    @property
    def changed(self) -> int:
        """How many matched rows differ in any variable."""
        labels = [one.rows.drop(columns=["_first", "_second"]) for one in self.differences]
        return int((~pd.concat(labels).duplicated()).sum()) if labels else 0

    @property
    def equal(self) -> bool:
        found = (self.only_first, self.only_second, self.attributes, self.differences)
        return not any(found) and self.rows_first.empty and self.rows_second.empty


def compare(
    first: StoredTable, second: StoredTable, keys: Sequence[str], tolerances: Tolerances, ignored: Sequence[str] = ()
) -> DatasetComparison:
    """Compare two datasets; ``keys`` none are those the files declare, and without any, rows go by position.

    ``ignored`` attributes are not looked at. Raises UsageError for a key or tolerance of a variable that is not in
    both, and for keys that several rows share.
    """
    both = [name for name in first.variables if name in second.variables]
    chosen = _keys(first, second, keys)
    _refuse_unknown(both, tolerances)
    one, two = _same_types(first, second, both)
    pairs = _pairs(first, second, one, two, chosen)
    matched = pairs[pairs["_merge"] == "both"]
    at = matched["_first"].to_numpy("int64"), matched["_second"].to_numpy("int64")
    shown = list(chosen) or [POSITION]
    labels = matched[shown].reset_index(drop=True)
    values = [_values(name, one[name], two[name], at, labels, tolerances.of(name))
              for name in both if name not in chosen and _comparable(one[name], two[name])]  # fmt: skip
    return DatasetComparison(
        name=first.name,
        keys=chosen,
        sizes=(len(one), len(two)),
        matched=len(matched),
        only_first=tuple(name for name in first.variables if name not in second.variables),
        only_second=tuple(name for name in second.variables if name not in first.variables),
        attributes=(*_types(one, two, both), *_attributes(first, second, both, ignored)),
        rows_first=pairs.loc[pairs["_merge"] == "left_only", shown].reset_index(drop=True),
        rows_second=pairs.loc[pairs["_merge"] == "right_only", shown].reset_index(drop=True),
        differences=tuple(found for found in values if found.count),
    )


def _keys(first: StoredTable, second: StoredTable, asked: Sequence[str]) -> tuple[str, ...]:
    """The keys asked for, else those that a file declares and both have."""
    for key in asked:
        for table in (first, second):
            if key not in table.variables:
                raise UsageError(f"the key {key} is not a variable of {table.path}{nearest(key, table.variables)}")
    if asked:
        return tuple(asked)
    declared = first.keys or second.keys
    return declared if all(key in table.variables for key in declared for table in (first, second)) else ()


def _refuse_unknown(both: list[str], tolerances: Tolerances) -> None:
    for name in tolerances.single:
        if name not in both:
            raise UsageError(f"a tolerance is given for {name}, which is not in both datasets{nearest(name, both)}")


def _same_types(first: StoredTable, second: StoredTable, both: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both frames; a file without types takes those of the other, and two such files have numbers where both can."""
    one, two = first.frame.copy(deep=False), second.frame.copy(deep=False)
    for name in both:
        types = first.variables[name].type, second.variables[name].type
        if UNTYPED not in types or "Char" in types:
            continue
        numbers = [_numbers(frame[name]) for frame in (one, two)]
        if all(found is not None for found in numbers):
            one[name], two[name] = numbers
    return one, two


def _numbers(column: pd.Series) -> pd.Series | None:
    """The column as doubles, blank as missing; None if a text is not a number or begins as a name does."""
    if pd.api.types.is_numeric_dtype(column):
        return column
    if column.str.contains(LEADING_ZERO, regex=True).any():
        return None
    found = pd.to_numeric(column.where(column != ""), errors="coerce").astype("float64")
    return None if (found.isna() & (column != "")).any() else found


def _pairs(
    first: StoredTable, second: StoredTable, one: pd.DataFrame, two: pd.DataFrame, keys: tuple[str, ...]
) -> pd.DataFrame:
    """Rows of both side by side, in the order of the keys: positions in each, and in which of them a row is."""
    sides = []
    for table, frame, position in ((first, one, "_first"), (second, two, "_second")):
        side = frame[list(keys)].copy() if keys else pd.DataFrame({POSITION: np.arange(1, len(frame) + 1)})
        twice = side[side.duplicated()] if keys else side.head(0)
        if len(twice):
            raise UsageError(
                f"{len(twice)} rows of {table.path} repeat the keys {', '.join(keys)}; give keys that identify each row"
            )
        sides.append(side.assign(**{position: np.arange(len(frame))}))
    on = list(keys) or [POSITION]
    for key in on:
        if sides[0][key].dtype != sides[1][key].dtype:
            raise UsageError(f"the key {key} is text in one dataset and a number in the other")
    return sides[0].merge(sides[1], how="outer", on=on, indicator=True, sort=True)


def _comparable(one: pd.Series, two: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(one) == pd.api.types.is_numeric_dtype(two)


def _values(
    name: str, one: pd.Series, two: pd.Series, at: tuple[Any, Any], labels: pd.DataFrame, tolerance: Tolerance
) -> ValueDifference:
    left, right = one.take(at[0]).reset_index(drop=True), two.take(at[1]).reset_index(drop=True)
    if pd.api.types.is_numeric_dtype(left):
        apart, largest = _apart(left.to_numpy(float), right.to_numpy(float), tolerance)
    else:
        apart, largest = (left != right).to_numpy(bool), math.nan
    rows = labels[apart].assign(_first=left[apart], _second=right[apart]).reset_index(drop=True)
    return ValueDifference(name, len(left), rows, largest)


def _apart(left: np.ndarray, right: np.ndarray, tolerance: Tolerance) -> tuple[np.ndarray, float]:
    """Which numbers differ by more than is allowed, and by how much at most; missing equals missing alone."""
    distance = np.abs(left - right)
    allowed = np.maximum(tolerance.absolute, tolerance.relative * np.maximum(np.abs(left), np.abs(right)))
    missing = np.isnan(left), np.isnan(right)
    apart = np.where(missing[0] | missing[1], missing[0] != missing[1], distance > allowed)
    known = distance[apart & ~np.isnan(distance)]
    return apart, float(known.max()) if known.size else math.nan


def _types(one: pd.DataFrame, two: pd.DataFrame, both: list[str]) -> list[AttributeDifference]:
    """Variables that are numbers in one and texts in the other; their values cannot be compared."""
    named = {True: "Num", False: "Char"}
    kinds = {name: [named[pd.api.types.is_numeric_dtype(frame[name])] for frame in (one, two)] for name in both}
    return [AttributeDifference(name, "type", *kind) for name, kind in kinds.items() if kind[0] != kind[1]]


def _attributes(
    first: StoredTable, second: StoredTable, both: list[str], ignored: Sequence[str]
) -> list[AttributeDifference]:
    """Attributes that both files state and state differently."""
    found = []
    if "label" not in ignored and first.label and second.label and first.label != second.label:
        found.append(AttributeDifference("", "label", first.label, second.label))
    for name in both:
        one, two = first.variables[name], second.variables[name]
        if UNTYPED in (one.type, two.type):
            continue
        for attribute in IGNORABLE:
            left, right = getattr(one, attribute), getattr(two, attribute)
            if attribute not in ignored and left != right:
                found.append(AttributeDifference(name, attribute, left, right))
    return found
