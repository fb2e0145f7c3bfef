"""Reading the results data back: cells of a table are looked up by their declared line, never computed again."""

from __future__ import annotations

import math
from collections.abc import Hashable
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


Rows = list[dict[Hashable, Any]]
KEY = ("variable", "level", "subset", "group", "statistic")


def rows_by_output(results: pd.DataFrame) -> dict[str, Rows]:
    """The results data as rows, by output: they are small, and taken apart once."""
    names = results.columns.tolist()
    columns = [results[name].to_numpy().tolist() for name in names]
    found: dict[str, Rows] = {}
    for values in zip(*columns, strict=True):
        row: dict[Hashable, Any] = dict(zip(names, values, strict=True))
        found.setdefault(row["output"], []).append(row)
    return found


class ResultText(str):
    """The text of a cell that knows the ``rows`` of the results data that it shows, so that it can lead to them."""

    rows: tuple[dict[Hashable, Any], ...] = ()

    @classmethod
    def of(cls, text: str, *parts: str | dict[Hashable, Any] | None) -> ResultText:
        """Return a text made of ``parts``: rows of the results, and texts that know some."""
        made = cls(text)
        for part in parts:
            made.rows += part.rows if isinstance(part, ResultText) else (part,) if isinstance(part, dict) else ()
        return made


class LineResults:
    """The results of one declared line, found by variable, level, subset, treatment column and statistic."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self._found = {tuple(row[part] for part in KEY): row for row in self.rows}

    def row(
        self, variable: str, level: str, group: str, statistic: str, subset: str = ""
    ) -> dict[Hashable, Any] | None:
        """One row of the results, or None."""
        return self._found.get((variable, level, subset, group, statistic))

    def text(self, variable: str, level: str, group: str, statistic: str, subset: str = "") -> str:
        """The printed text of a statistic; empty when there is none."""
        return printed(self.row(variable, level, group, statistic, subset))

    def count(self, variable: str, level: str, group: str, subset: str = "") -> str:
        """Subjects and percentage, ``8 (80.0%)``; a bare zero has no percentage."""
        number = self.text(variable, level, group, "count", subset)
        share = self.text(variable, level, group, "percent", subset)
        return number if number in ("", "0") else ResultText.of(f"{number} ({share}%)", number, share)

    def parts(self, variable: str, level: str, group: str, subset: str = "") -> str:
        """Subjects, those they are among, and percentage: ``1/8 (12.5%)``."""
        row = self.row(variable, level, group, "count", subset)
        if row is None:
            return ""
        share = self.text(variable, level, group, "percent", subset)
        return ResultText.of(f"{row['text']}/{row['n']} ({share}%)" if row["n"] else f"{row['text']}/0", row, share)

    def interval(self, variable: str, level: str, group: str, subset: str = "") -> str:
        """``lower, upper`` of an estimate; empty when it has no bounds."""
        lower = self.row(variable, level, group, "lower", subset)
        upper = self.row(variable, level, group, "upper", subset)
        if lower is None or upper is None or math.isnan(lower["value"]):
            return ""
        return ResultText.of(f"{lower['text']}, {upper['text']}", lower, upper)

    def bounded(self, variable: str, level: str, group: str, subset: str = "") -> str:
        """``estimate (lower, upper)``, without brackets if the estimate has no bounds."""
        estimate = self.text(variable, level, group, "estimate", subset)
        bounds = self.interval(variable, level, group, subset)
        return ResultText.of(f"{estimate} ({bounds})", estimate, bounds) if bounds else estimate

    def pair(self, variable: str, level: str, group: str, names: tuple[str, str], subset: str = "") -> str:
        """Two statistics as ``mean (SD)`` or, for bounds, ``Q1, Q3``; one NE for both."""
        first, second = (self.text(variable, level, group, name, subset) for name in names)
        shown = f"{first} ({second})" if names[1] in ("sd", "geometric_cv") else f"{first}, {second}"
        return ResultText.of("NE" if first == second == "NE" else shown, first, second)

    def cell(self, variable: str, level: str, group: str, names: list[str], subset: str = "") -> str:
        """One statistic or a pair of them; empty when the results have none."""
        if self.row(variable, level, group, names[0], subset) is None:
            return ""
        if len(names) == 1:
            return self.text(variable, level, group, names[0], subset)
        return self.pair(variable, level, group, (names[0], names[1]), subset)

    def levels(self, variable: str, statistic: str = "") -> list[str]:
        """Levels of a variable, in the order of the results."""
        rows = (row for row in self.rows if row["variable"] == variable and statistic in ("", row["statistic"]))
        return list(dict.fromkeys(str(row["level"]) for row in rows))

    def rows_of(self, variable: str, subset: str) -> Rows:
        """All rows of a variable in a subset, in the order of the results."""
        return self._by_subset.get((variable, subset), [])

    @cached_property
    def _by_subset(self) -> dict[tuple[str, str], Rows]:
        found: dict[tuple[str, str], Rows] = {}
        for row in self.rows:
            found.setdefault((row["variable"], row["subset"]), []).append(row)
        return found

    def subsets(self, variable: str) -> list[str]:
        """Subsets of a variable, in the order of the results."""
        return list(dict.fromkeys(str(row["subset"]) for row in self.rows if row["variable"] == variable))


def printed(row: dict[Hashable, Any] | None, column: str = "text") -> str:
    """The text of one column of a row, its printed value if no other is asked for; empty without a row."""
    return "" if row is None else ResultText.of(str(row[column]), row)


class ResultsIndex(LineResults):
    """The results of one output: those of the output as a whole, and those of each declared ``line``."""

    def __init__(self, rows: Rows) -> None:
        own: dict[str, Rows] = {"": []}
        for row in rows:
            own.setdefault(row["line"], []).append(row)
        super().__init__(own[""])
        self.every = rows
        self._lines = {name: LineResults(results) for name, results in own.items()}

    def line(self, name: str) -> LineResults:
        """The results of one declared line; none if it has no results."""
        return self._lines.get(name, LineResults([]))

    def groups(self) -> list[str]:
        """Treatment columns, in the order of the results."""
        return list(dict.fromkeys(str(row["group"]) for row in self.every))
