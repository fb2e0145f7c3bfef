"""The rows and variables of a dataset that some rules look at: Great Expectations is given these and no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from metadata.condition import EVERY_ROW
from metadata.dataset import Dataset
from validation.acceptance.rules import Expectation

NAMES_ONLY = "columns"
# Kinds of expectation that ask whether values exist, are equal or are among others: categories answer that as texts do.
EQUALITY = ("values_in", "values_from", "terms", "not_null", "unique", "unique_column")


def frames_of(dataset: Dataset, rules: Sequence[Expectation]) -> Iterator[tuple[list[Expectation], pd.DataFrame, int]]:
    """Yield rules with the frame that they are judged on and the number of rows that they look at, in order.

    All rules have the same ``where``. Blanks of Char variables are None in the frame: Great Expectations takes no other
    text for missing. The frame of a rule about the names of variables has no row.
    """
    rows = _rows_of(dataset, rules[0])
    about_names = [rule for rule in rules if rule.kind == NAMES_ONLY]
    if about_names:
        yield about_names, dataset.frame.iloc[:0], len(rows)
    about_values = [rule for rule in rules if rule.kind != NAMES_ONLY]
    if about_values:
        yield about_values, _values(dataset, rows, about_values), len(rows)


def _rows_of(dataset: Dataset, rule: Expectation) -> np.ndarray:
    """Return the positions of the rows that a rule looks at."""
    count = len(dataset.frame)
    return np.arange(count) if rule.where == EVERY_ROW else np.flatnonzero(rule.where.holds(dataset.columns, count))


def _values(dataset: Dataset, rows: np.ndarray, rules: Sequence[Expectation]) -> pd.DataFrame:
    """Return the variables that the rules read, of the given rows, numbered from 0; one that nobody has is missing."""
    compared = {name for rule in rules if rule.kind not in EQUALITY for name in rule.reads}
    names = dict.fromkeys(name for rule in rules for name in rule.reads)
    unused = {one.name: np.nan if one.type == "Num" else "" for one in dataset.metadata.unused}
    frame = dataset.frame.assign(**{name: value for name, value in unused.items() if name in names})
    index = pd.RangeIndex(len(rows))
    columns = {name: _nullable(frame[name].iloc[rows].set_axis(index), name in compared) for name in names}
    return pd.DataFrame(columns, index=index)


def _nullable(values: pd.Series, compared: bool) -> pd.Series:
    """Return numbers unchanged, texts without blanks: as objects where they are compared, else as categories."""
    if values.dtype == "float64":
        return values
    coded = values.astype("category")
    if "" in coded.cat.categories:
        coded = coded.cat.remove_categories([""])
    if not compared:
        return coded
    texts = np.array([*coded.cat.categories, None], object)  # the code of a blank is -1
    return pd.Series(texts[coded.cat.codes], values.index, dtype=object)
