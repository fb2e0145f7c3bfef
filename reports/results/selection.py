"""Rows of a dataset together with the filter that finds them again.

The filter is the text of the conditions (``metadata.condition_filter``), which ``pandas.DataFrame.query`` executes and
``redcap-cdisc trace`` reads, so that every statistic can show its rows: ``PARAMCD == 'EDSS' and AVISITN in (0, 12)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from metadata.coded_text import CodedText
from metadata.condition import EVERY_ROW, Condition
from metadata.condition_filter import filter_parts
from metadata.condition_tests import Value, VariableTest
from metadata.errors import StudyError
from metadata.frame_columns import FrameColumns
from metadata.schema_errors import no_variable, unknown_variable

if TYPE_CHECKING:
    import pandas as pd

SUBJECT = "USUBJID"


@dataclass(frozen=True)
class Selection:
    """Some rows of one dataset; all of ``conditions`` hold for them. Narrowing returns a new selection.

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

    def named(self, name: str, node: Mapping[str, Any], key: str) -> str:
        """The variable that a key of reports.yaml names; raises StudyError if the dataset does not have it."""
        if not self.has(name):
            raise unknown_variable(node, key, self.dataset, name, self.base.names)
        return name

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

    def check_once(self, *keys: str, unless: str = "") -> None:
        """Raise StudyError if a subject has two of the chosen rows, or two with the same values of ``keys``.

        ``unless`` names a key of the output that lets each record count.
        """
        table = self.table(SUBJECT, *keys)
        twice = table[table.duplicated()]
        if len(twice):
            subject, *at = twice.iloc[0].tolist()
            place = f" at {', '.join(map(str, at))}" if at else ""
            raise StudyError(f"{self.dataset}: {subject} has two records{place}, which would count twice;"
                             f" narrow the output's 'where'{f', or say {unless}: true' if unless else ''}")  # fmt: skip

    def check_within(self, whole: Selection) -> None:
        """Raise StudyError if a subject of these rows has none among the ``whole``, of which they are to be a part."""
        outside = sorted(set(self.subjects).difference(whole.subjects))
        if outside:
            raise StudyError(f"{self.dataset}: {len(outside)} counted subject(s) are not among those of 'denominator',"
                             f" the first {outside[0]}")  # fmt: skip

    def most_frequent(self, variable: str) -> list[str]:
        """Values of a text variable by falling number of subjects, then by name."""
        present = self.present(variable)
        coded, several = present._coded(variable), len(present._coded(SUBJECT).texts)
        pairs = np.unique(present._codes(variable).astype(np.int64) * several + present._codes(SUBJECT))
        counts = np.bincount(pairs // several, minlength=len(coded.texts)).tolist()
        counted = [(-count, text) for text, count in zip(coded.texts, counts, strict=True) if count]
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

        if not self.has(variable):
            raise StudyError(no_variable(self.dataset, variable, self.base.names))
        if self._is_text(variable):
            return pd.Series(self._coded(variable).objects[self._codes(variable)], index, dtype=object, copy=False)
        return pd.Series(self._numbers(variable), index, copy=False)

    def where(self, condition: Condition | None) -> Selection:
        """Narrow to the rows that meet a condition, if there is one.

        Raises StudyError if it does not fit the dataset's variables.
        """
        if condition is None or condition == EVERY_ROW:
            return self
        condition.check(self.base.kinds, self.dataset)
        mask = condition.holds(_ChosenColumns(self), self.size)
        return self._keep(mask, filter_parts(condition, self.base.is_text, self.base.kinds))

    def equal(self, variable: str, value: Value) -> Selection:
        """Narrow to the rows where ``variable`` is ``value``."""
        return self.among(variable, [value])

    def among(self, variable: str, values: Iterable[Value]) -> Selection:
        """Narrow to the rows where ``variable`` is one of the values; without values to none."""
        return self.where(_one_test(VariableTest(variable, "is", tuple(values))))

    def among_pairs(self, text: str, number: str, pairs: pd.DataFrame) -> Selection:
        """Narrow to the rows whose values of a text and a number variable are together one of the ``pairs``."""
        wanted = pairs[[text, number]].drop_duplicates().sort_values([text, number])
        if wanted.empty:
            return self.among(text, [])
        groups = wanted.groupby(text, sort=False)[number].agg(tuple)
        condition = Condition(
            tuple(
                (VariableTest(text, "is", (str(name),)), VariableTest(number, "is", own))
                for name, own in groups.items()
            )
        )
        found = (
            self.table(text, number).merge(wanted, how="left", on=[text, number], indicator=True)["_merge"] == "both"
        )
        return self._keep(found.to_numpy(), filter_parts(condition, self.base.is_text, self.base.kinds))

    def other_than(self, variable: str, value: Value) -> Selection:
        """Narrow to the rows where ``variable`` is not ``value``."""
        return self.where(_one_test(VariableTest(variable, "not", (value,))))

    def above(self, variable: str, number: float) -> Selection:
        """Narrow to the rows where ``variable`` is above a number."""
        return self.where(_one_test(VariableTest(variable, "above", number)))

    def at_least(self, variable: str, number: float) -> Selection:
        """Narrow to the rows where ``variable`` is a number or more."""
        return self.where(_one_test(VariableTest(variable, "at_least", number)))

    def present(self, variable: str) -> Selection:
        """Narrow to the rows where ``variable`` is not missing."""
        return self.where(_one_test(VariableTest(variable, "missing", False)))

    def missing(self, variable: str) -> Selection:
        """Narrow to the rows where ``variable`` is missing."""
        return self.where(_one_test(VariableTest(variable, "missing", True)))

    def of_subjects(self, subjects: Iterable[str]) -> Selection:
        """Narrow to some subjects, by USUBJID.

        The filter names the others where they are fewer, and nobody where all are kept, so that it stays short for a
        treatment that everybody has.
        """
        kept = list(subjects)
        others = sorted(set(self.subjects).difference(kept))
        if not kept or len(others) >= len(kept):
            return self.among(SUBJECT, kept)
        if others:
            return self.where(_one_test(VariableTest(SUBJECT, "not", tuple(others))))
        return self if self.conditions else self.present(SUBJECT)

    def _is_text(self, variable: str) -> bool:
        return self.base.is_text(variable)

    def _keep(self, mask: np.ndarray, parts: Iterable[str]) -> Selection:
        conditions = tuple(dict.fromkeys((*self.conditions, *parts)))
        kept = np.flatnonzero(mask)
        positions = kept if self.positions is None else self.positions[kept]
        return Selection(self.dataset, self.base, conditions, positions)


def _one_test(test: VariableTest) -> Condition:
    return Condition(((test,),))


@dataclass(frozen=True)
class _ChosenColumns:
    """The columns of the chosen rows, as a condition looks at them."""

    rows: Selection

    def __getitem__(self, name: str) -> CodedText | np.ndarray:
        column, positions = self.rows.base[name], self.rows.positions
        if positions is None:
            return column
        return column[positions] if isinstance(column, np.ndarray) else column.take(positions)
