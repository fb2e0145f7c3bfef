"""The results data: one row a statistic."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from metadata.yaml_source import complain
from reports.results.formats import COUNT, PERCENT, text_of
from reports.results.specification import Output
from reports.statistics.descriptive import STATISTICS, describe_geometric
from reports.statistics.estimate import Estimate
from reports.statistics.rounding import significant

if TYPE_CHECKING:
    import pandas as pd

PUBLISHED = (
    "analysis", "output", "population", "subset", "group", "variable", "level", "statistic", "value", "format", "text",
    "method", "n", "warning", "error", "dataset", "filter",
)  # fmt: skip
NUMBERS = {"value": "float64", "n": "int64"}
"""The columns that are numbers; all others hold texts."""
PUBLISHED_KINDS = {name: "Num" if name in NUMBERS else "Char" for name in PUBLISHED}
COLUMNS = (*PUBLISHED, "line", "analysed")
"""``line``, for finding results again, and ``analysed``, the variable of the dataset, are columns of no file."""


class ResultSource(Protocol):
    """The rows that a statistic was computed from: a dataset and the filter that finds them in it."""

    @property
    def dataset(self) -> str: ...

    @property
    def filter(self) -> str: ...

    def has(self, variable: str) -> bool: ...


@dataclass(frozen=True)
class ResultPlace:
    """The place of a statistic in the results: everything of its key but its own name.

    ``analysis`` is the part of the id after the output; ``level`` the category, visit or comparison. ``line`` tells
    apart what the output declares one by one, such as "line 3" or "test 2"; blank for the output as a whole. ``point``
    numbers values that are drawn at one place. ``analysed`` is the variable of the dataset that is described or tested;
    left out where ``variable`` names it.
    """

    analysis: str
    group: str
    variable: str
    level: str = ""
    subset: str = ""
    population: str = ""
    line: str = ""
    point: int = 0
    analysed: str = ""


@dataclass
class ResultsBuilder:
    """Rows of the results data, in the order in which the outputs declare them."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    _known: set[tuple[object, ...]] = field(default_factory=set)
    _analyses: dict[tuple[object, ...], str] = field(default_factory=dict)

    def add(
        self,
        output: Output,
        place: ResultPlace,
        statistic: str,
        estimate: Estimate,
        shown: str,
        source: ResultSource,
        text: str = "",
    ) -> None:
        """Append one statistic with the rows it was computed from; raises StudyError if it was appended before."""
        self._refuse_repeated(output, place, statistic)
        value = significant(estimate.value)
        cells = (
            self._identifier(output, place, statistic), output.id, place.population or output.population, place.subset,
            place.group, place.variable, place.level, statistic, value, shown, text or text_of(value, shown),
            estimate.method, estimate.n, estimate.warning, "", source.dataset, source.filter, place.line,
            place.analysed or (place.variable if source.has(place.variable) else ""),
        )  # fmt: skip
        self.rows.append(dict(zip(COLUMNS, cells, strict=True)))

    def _refuse_repeated(self, output: Output, place: ResultPlace, statistic: str) -> None:
        named = (place.variable, place.level, place.subset, place.group)
        key = (output.id, place.line, *named, statistic, place.point)
        if key in self._known:
            line = f"{place.line} of {output.id}" if place.line else output.id
            problem = f"{line} gives '{statistic}' of {', '.join(filter(None, named))} twice; a result is given once"
            raise complain(output.node, "id", problem)
        self._known.add(key)

    def _identifier(self, output: Output, place: ResultPlace, statistic: str) -> str:
        """The id of the analysis; with the line's name where an earlier line has results of the same description."""
        key = (output.id, place.analysis, place.variable, place.level, place.subset, place.group, statistic)
        same = self._analyses.setdefault(key, place.line) == place.line
        return _identifier(output.id, place.analysis if same else f"{place.analysis}_{place.line}")

    def add_description(
        self,
        output: Output,
        place: ResultPlace,
        description: Mapping[str, Estimate],
        decimals: int,
        source: ResultSource,
    ) -> None:
        """Append the descriptive statistics: one decimal more than recorded, except n, smallest and largest."""
        widths = {"n": 0, "min": decimals, "max": decimals}
        for name in STATISTICS:
            digits = widths.get(name, decimals + 1)
            self.add(output, place, name, description[name], "XX" + "." * (digits > 0) + "X" * digits, source)

    def add_geometric(
        self, output: Output, place: ResultPlace, values: Sequence[float], decimals: int, source: ResultSource
    ) -> None:
        """Append geometric mean, with one decimal more than recorded, and geometric coefficient of variation."""
        for name, estimate in describe_geometric(values).items():
            shown = PERCENT if name == "geometric_cv" else f"XX.X{'X' * decimals}"
            self.add(output, place, name, estimate, shown, source)

    def add_proportion(
        self, output: Output, place: ResultPlace, count: int, of: int, source: ResultSource, method: str
    ) -> None:
        """Append a count of subjects and its percentage of ``of``."""
        self.add(output, place, "count", Estimate(float(count), method, of), COUNT, source)
        share = count / of * 100 if of else math.nan
        warning = "" if of else "not estimable: nobody in the denominator"
        self.add(output, place, "percent", Estimate(share, f"Percentage of {of}", of, warning), PERCENT, source)

    def add_interval(self, output: Output, place: ResultPlace, estimate: Estimate, source: ResultSource) -> None:
        """Append the bounds of a proportion's confidence interval, in percent."""
        for name, bound in (("lower", estimate.lower), ("upper", estimate.upper)):
            self.add(output, place, name, replace(estimate, value=bound * 100), PERCENT, source)

    def frame(self) -> pd.DataFrame:
        """The results data as a frame."""
        import pandas as pd

        kinds = [(name, NUMBERS.get(name, "str")) for name in COLUMNS]
        columns = {name: pd.Series([row[name] for row in self.rows], dtype=kind) for name, kind in kinds}
        return pd.DataFrame(columns)


@lru_cache(maxsize=1024)
def _identifier(output: str, analysis: str) -> str:
    """Return the id of an analysis: letters, digits and underlines."""
    return re.sub(r"[^A-Za-z0-9]+", "_", f"An_{output}_{analysis}").strip("_")
