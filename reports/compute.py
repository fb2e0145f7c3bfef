"""Results data first: every statistic of every declared output, before any table is drawn."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from metadata.dataset import Dataset
from metadata.spreadsheet import guarded
from metadata.study import Study
from reports.results.analysis_data import AnalysisData
from reports.results.builder import PUBLISHED, ResultsBuilder
from reports.results.specification import read_specification
from reports.templates import KEYS, TEMPLATES


def compute(study: Study, datasets: Mapping[str, Dataset]) -> pd.DataFrame:
    """Return the results data, one row a statistic (``reports.results.builder.COLUMNS``), in the order of reports.yaml.

    ``datasets`` are those of the analysis and, for listings of what was collected, of the tabulation.

    Raises StudyError with file, line and key when a declaration does not fit the datasets. A statistic that the data do
    not allow is a row with no value and a warning, never an error.
    """
    specification = read_specification(study, KEYS)
    analysis, builder = AnalysisData(specification, datasets), ResultsBuilder()
    for output in specification.outputs:
        template = TEMPLATES[output.template]
        if template.check:
            template.check(specification, output)
        template.compute(analysis, output, builder)
    return builder.frame()


def write_csv(results: pd.DataFrame, path: Path) -> None:
    """Write the results data as UTF-8 CSV in which no text can become a spreadsheet's formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(PUBLISHED)
    columns = [_cells(results[name]) for name in PUBLISHED]
    writer.writerows(zip(*columns, strict=True))
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def _cells(column: pd.Series) -> list[str]:
    if pd.api.types.is_float_dtype(column):
        return ["" if math.isnan(value) else f"{value:.12g}" for value in column.tolist()]
    return guarded(pd.Series(map(str, column.to_numpy().tolist()), dtype="str")).tolist()
