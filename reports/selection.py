"""Rows of a dataset together with the filter that finds them again.

The filter is text that ``pandas.DataFrame.query`` executes (and SQL engines that take ``==``), so that every statistic
can show its rows: ``PARAMCD == 'EDSS' and AVISITN in (0, 12)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metadata.errors import nearest
from metadata.yaml_source import complain

SUBJECT = "USUBJID"
COMPARISONS: dict[str, tuple[str, Callable[[pd.Series, Any], pd.Series]]] = {
    "not": ("!=", lambda column, value: column != value),
    "above": (">", lambda column, value: column > value),
    "at_least": (">=", lambda column, value: column >= value),
    "below": ("<", lambda column, value: column < value),
    "at_most": ("<=", lambda column, value: column <= value),
}
# What may stand behind a variable in a ``where``.
SCALAR = {"type": ["string", "number"]}
SEVERAL = {"type": "array", "items": SCALAR, "minItems": 1}
WHERE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {
        "anyOf": [
            SCALAR,
            SEVERAL,
            {
                "type": "object",
                "additionalProperties": False,
                "minProperties": 1,
                "properties": {
                    **dict.fromkeys(COMPARISONS, SCALAR),
                    "not": {"anyOf": [SCALAR, SEVERAL]},
                    "over": {"type": "string"},
                    "missing": {"type": "boolean"},
                },
            },
        ]
    },
}


@dataclass(frozen=True)
class Selection:
    """Some rows of one dataset; ``conditions`` are ANDed. Narrowing returns a new selection.

    ``base`` is the whole dataset and ``positions`` the rows chosen so far (None: all), so that narrowing by one
    variable reads that variable alone.
    """

    dataset: str
    base: pd.DataFrame
    conditions: tuple[str, ...] = ()
    positions: NDArray[np.intp] | None = None

    @property
    def filter(self) -> str:
        """The filter as ``pandas.DataFrame.query`` executes it; empty when all rows are taken."""
        return " and ".join(self.conditions)

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.base) if self.positions is None else len(self.positions)

    @property
    def subjects(self) -> list[str]:
        """Distinct subjects, in order."""
        return sorted(self.column(SUBJECT).unique())

    @property
    def subject_count(self) -> int:
        """Number of distinct subjects."""
        return int(self.column(SUBJECT).nunique())

    def has(self, variable: str) -> bool:
        """Whether the dataset has the variable."""
        return variable in self.base.columns

    def column(self, variable: str) -> pd.Series:
        """One variable of the chosen rows."""
        column = self.base[variable]
        return column if self.positions is None else column.take(self.positions)

    def table(self, *variables: str) -> pd.DataFrame:
        """Some variables of the chosen rows."""
        return pd.DataFrame({variable: self.column(variable) for variable in variables})

    def by_subject(self, variable: str, take: Literal["min", "max"]) -> pd.Series:
        """Smallest or largest value of each subject, indexed by subject."""
        return self.column(variable).groupby(self.column(SUBJECT)).agg(take)

    def most_frequent(self, variable: str) -> list[str]:
        """Values of a text variable by falling number of subjects, then by name."""
        present = self.present(variable).table(variable, SUBJECT)
        counts = present.groupby(variable)[SUBJECT].nunique()
        return sorted((str(value) for value in counts.index), key=lambda value: (-int(counts[value]), value))

    def where(self, node: Mapping[str, Any]) -> Selection:
        """Narrow by a ``where`` of reports.yaml: variable to value, list of values, or words such as ``above``."""
        narrowed = self
        for variable, wanted in node.items():
            narrowed = narrowed._one(node, variable, wanted)
        return narrowed

    def equal(self, variable: str, value: str | float) -> Selection:
        """Narrow to the rows where ``variable`` is ``value``."""
        return self.where({variable: value})

    def present(self, variable: str) -> Selection:
        """Narrow to the rows where ``variable`` is not missing."""
        return self.where({variable: {"missing": False}})

    def of_subjects(self, subjects: list[str]) -> Selection:
        """Narrow to some subjects, by name."""
        return self._keep(self.column(SUBJECT).isin(subjects), among(SUBJECT, list(subjects)))

    def _one(self, node: Mapping[str, Any], variable: str, wanted: Any) -> Selection:
        if not self.has(variable):
            known = nearest(variable, self.base.columns)
            raise complain(node, variable, f"{self.dataset} has no variable {variable}{known}")
        if isinstance(wanted, Mapping):
            narrowed = self
            for word, operand in wanted.items():
                narrowed = narrowed._by_word(node, variable, word, operand)
            return narrowed
        self._check(node, variable, wanted)
        if isinstance(wanted, list):
            return self._keep(self.column(variable).isin(wanted), among(variable, wanted))
        return self._keep(self.column(variable) == wanted, equality(variable, wanted))

    def _by_word(self, node: Mapping[str, Any], variable: str, word: str, operand: Any) -> Selection:
        column = self.column(variable)
        if word == "missing":
            return self._missing(variable, bool(operand))
        if word == "over":
            return self._present_over(node, variable, str(operand))
        self._check(node, variable, operand)
        if isinstance(operand, list):
            return self._keep(~column.isin(operand), among(variable, operand, "not in"))
        sign, compare = COMPARISONS[word]
        narrowed = self._keep(compare(column, operand), f"{variable} {sign} {_literal(operand)}")
        return narrowed if word == "not" or not isinstance(operand, str) else narrowed._missing(variable, False)

    def _missing(self, variable: str, missing: bool) -> Selection:
        column = self.column(variable)
        if self._is_text(variable):
            return self._keep((column == "") == missing, f"{variable} {'==' if missing else '!='} ''")
        return self._keep(column.isna() == missing, f"{variable} {'!=' if missing else '=='} {variable}")

    def _present_over(self, node: Mapping[str, Any], variable: str, other: str) -> Selection:
        """Both present and the first greater: grades are single digits, so text compares as numbers do."""
        if not self.has(other):
            known = nearest(other, self.base.columns)
            raise complain(node, variable, f"{self.dataset} has no variable {other}{known}")
        present = self._missing(variable, False)._missing(other, False)
        return present._keep(present.column(variable) > present.column(other), f"{variable} > {other}")

    def _check(self, node: Mapping[str, Any], variable: str, wanted: Any) -> None:
        values = wanted if isinstance(wanted, list) else [wanted]
        text = self._is_text(variable)
        wrong = [value for value in values if isinstance(value, str) != text]
        if wrong:
            advice = f'is text: write "{wrong[0]}" in quotes' if text else f"is a number, '{wrong[0]}' is not"
            raise complain(node, variable, f"{self.dataset}.{variable} {advice}")

    def _is_text(self, variable: str) -> bool:
        return not pd.api.types.is_numeric_dtype(self.base[variable])

    def _keep(self, mask: pd.Series, condition: str) -> Selection:
        conditions = self.conditions if condition in self.conditions else (*self.conditions, condition)
        kept = np.flatnonzero(mask.to_numpy(dtype=bool))
        positions = kept if self.positions is None else self.positions[kept]
        return Selection(self.dataset, self.base, conditions, positions)


def equality(variable: str, value: str | float) -> str:
    """The filter ``variable == value``."""
    return f"{variable} == {_literal(value)}"


def _literal(value: str | float) -> str:
    return repr(value) if isinstance(value, str) else f"{value:g}"


def among(variable: str, values: list[Any], word: str = "in") -> str:
    """``variable in (...)``; one value needs no list, and none finds no row."""
    if len(values) == 1:
        return f"{variable} {'==' if word == 'in' else '!='} {_literal(values[0])}"
    if not values:
        return f"{variable} != {variable}" if word == "in" else f"{variable} == {variable}"
    return f"{variable} {word} ({', '.join(_literal(value) for value in values)})"
