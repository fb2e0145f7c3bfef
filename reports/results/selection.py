"""Rows of a dataset together with the filter that finds them again.

The filter is text that ``pandas.DataFrame.query`` executes (and SQL engines that take ``==``), so that every statistic
can show its rows: ``PARAMCD == 'EDSS' and AVISITN in (0, 12)``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from metadata.coded_text import CodedText
from metadata.errors import nearest
from metadata.frame_columns import FrameColumns
from metadata.yaml_source import complain

if TYPE_CHECKING:
    import pandas as pd

SUBJECT = "USUBJID"
COMPARISONS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "not": ("!=", operator.ne),
    "above": (">", operator.gt),
    "at_least": (">=", operator.ge),
    "below": ("<", operator.lt),
    "at_most": ("<=", operator.le),
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
    variable reads that variable alone; a text is compared once, however many rows have it.
    """

    dataset: str
    base: FrameColumns
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
        texts = self._coded(SUBJECT).texts
        return sorted(texts[code] for code in np.unique(self._codes(SUBJECT)).tolist())

    @property
    def subject_count(self) -> int:
        """Number of distinct subjects."""
        return len(np.unique(self._codes(SUBJECT)))

    def has(self, variable: str) -> bool:
        """Whether the dataset has the variable."""
        return variable in self.base

    def column(self, variable: str) -> pd.Series:
        """One variable of the chosen rows: float64, or texts as objects."""
        return self._series(variable, self._index())

    def table(self, *variables: str) -> pd.DataFrame:
        """Some variables of the chosen rows."""
        import pandas as pd

        index = self._index()
        return pd.DataFrame({variable: self._series(variable, index) for variable in variables})

    def by_subject(self, variable: str, take: Literal["min", "max"]) -> pd.Series:
        """Smallest or largest value of each subject, indexed by subject."""
        import pandas as pd

        values = self.column(variable)
        ranked = pd.Series(pd.Categorical(values, ordered=True), values.index) if self._is_text(variable) else values
        return ranked.groupby(self.column(SUBJECT)).agg(take)

    def most_frequent(self, variable: str) -> list[str]:
        """Values of a text variable by falling number of subjects, then by name."""
        present = self.present(variable)
        words, several = present._coded(variable), len(present._coded(SUBJECT).texts)
        pairs = np.unique(present._codes(variable).astype(np.int64) * several + present._codes(SUBJECT))
        counts = np.bincount(pairs // several, minlength=len(words.texts)).tolist()
        counted = [(-count, text) for text, count in zip(words.texts, counts, strict=True) if count]
        return [text for _, text in sorted(counted)]

    def _coded(self, variable: str) -> CodedText:
        return self.base.coded(variable)

    def _codes(self, variable: str) -> np.ndarray:
        """Codes of the chosen rows into the distinct texts of the whole dataset."""
        codes = self.base.coded(variable).codes
        return codes if self.positions is None else codes[self.positions]

    def _numbers(self, variable: str) -> np.ndarray:
        numbers = self.base.numbers(variable)
        return numbers if self.positions is None else numbers[self.positions]

    def _index(self) -> pd.Index:
        import pandas as pd

        return pd.RangeIndex(len(self.base)) if self.positions is None else pd.Index(self.positions)

    def _series(self, variable: str, index: pd.Index) -> pd.Series:
        import pandas as pd

        if self._is_text(variable):
            return pd.Series(self._coded(variable).objects[self._codes(variable)], index, dtype=object, copy=False)
        return pd.Series(self._numbers(variable), index, copy=False)

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
        return self._keep(self._named(SUBJECT, subjects), among(SUBJECT, list(subjects)))

    def _one(self, node: Mapping[str, Any], variable: str, wanted: Any) -> Selection:
        if not self.has(variable):
            known = nearest(variable, self.base.names)
            raise complain(node, variable, f"{self.dataset} has no variable {variable}{known}")
        if isinstance(wanted, Mapping):
            narrowed = self
            for word, operand in wanted.items():
                narrowed = narrowed._by_word(node, variable, word, operand)
            return narrowed
        self._check(node, variable, wanted)
        if isinstance(wanted, list):
            return self._keep(self._named(variable, wanted), among(variable, wanted))
        return self._keep(self._named(variable, [wanted]), equality(variable, wanted))

    def _named(self, variable: str, values: Iterable[Any]) -> np.ndarray:
        """Return True for the rows that have one of the values."""
        if self._is_text(variable):
            return np.asarray(self._coded(variable).named(values)[self._codes(variable)])
        return np.isin(self._numbers(variable), np.array(list(values), float))

    def _compared(self, variable: str, compare: Callable[[Any, Any], Any], operand: str | float) -> np.ndarray:
        if self._is_text(variable):
            holds = self._coded(variable).judged(lambda text: compare(text, operand))
            return np.asarray(holds[self._codes(variable)])
        return np.asarray(compare(self._numbers(variable), operand))

    def _by_word(self, node: Mapping[str, Any], variable: str, word: str, operand: Any) -> Selection:
        if word == "missing":
            return self._missing(variable, bool(operand))
        if word == "over":
            return self._present_over(node, variable, str(operand))
        self._check(node, variable, operand)
        if isinstance(operand, list):
            return self._keep(~self._named(variable, operand), among(variable, operand, "not in"))
        sign, compare = COMPARISONS[word]
        narrowed = self._keep(self._compared(variable, compare, operand), f"{variable} {sign} {_literal(operand)}")
        return narrowed if word == "not" or not isinstance(operand, str) else narrowed._missing(variable, False)

    def _missing(self, variable: str, missing: bool) -> Selection:
        if self._is_text(variable):
            return self._keep(self._named(variable, [""]) == missing, f"{variable} {'==' if missing else '!='} ''")
        absent = np.isnan(self._numbers(variable))
        return self._keep(absent == missing, f"{variable} {'!=' if missing else '=='} {variable}")

    def _present_over(self, node: Mapping[str, Any], variable: str, other: str) -> Selection:
        """Both present and the first greater: grades are single digits, so text compares as numbers do."""
        if not self.has(other):
            known = nearest(other, self.base.names)
            raise complain(node, variable, f"{self.dataset} has no variable {other}{known}")
        present = self._missing(variable, False)._missing(other, False)
        greater = present.column(variable).to_numpy() > present.column(other).to_numpy()
        return present._keep(greater, f"{variable} > {other}")

    def _check(self, node: Mapping[str, Any], variable: str, wanted: Any) -> None:
        values = wanted if isinstance(wanted, list) else [wanted]
        text = self._is_text(variable)
        wrong = [value for value in values if isinstance(value, str) != text]
        if wrong:
            advice = f'is text: write "{wrong[0]}" in quotes' if text else f"is a number, '{wrong[0]}' is not"
            raise complain(node, variable, f"{self.dataset}.{variable} {advice}")

    def _is_text(self, variable: str) -> bool:
        return self.base.is_text(variable)

    def _keep(self, mask: np.ndarray, condition: str) -> Selection:
        conditions = self.conditions if condition in self.conditions else (*self.conditions, condition)
        kept = np.flatnonzero(mask)
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
