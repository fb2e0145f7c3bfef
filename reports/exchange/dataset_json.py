"""The results data as one Dataset-JSON 1.1 file."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from reports.exchange.json_text import item_a_line
from reports.results.builder import PUBLISHED

VERSION = "1.1.0"
NAME, LABEL = "RESULTS", "Analysis results"
LABELS = {
    "analysis": "Analysis Identifier", "output": "Output Identifier", "population": "Analysis Population",
    "subset": "Subset", "group": "Treatment Group", "variable": "Analysis Variable", "level": "Level",
    "statistic": "Statistic", "value": "Raw Value", "format": "Result Pattern", "text": "Formatted Value",
    "method": "Method", "n": "Number of Subjects", "warning": "Warning", "error": "Error",
    "dataset": "Source Dataset", "filter": "Filter of the Source Records",
}  # fmt: skip
TYPES = {"value": "double", "n": "integer"}


def dataset_json(results: pd.DataFrame, studyid: str, snapshot_date: str) -> Iterator[str]:
    """Return the results as Dataset-JSON 1.1, piece by piece: one array a row, a value that was not estimable null.

    The file's time is the snapshot's date, so that the same results give the same bytes.
    """
    rows = list(zip(*(_values(results[name]) for name in PUBLISHED), strict=True))
    content = {
        "datasetJSONCreationDateTime": f"{snapshot_date}T00:00:00",
        "datasetJSONVersion": VERSION,
        "fileOID": f"{studyid}.{NAME}",
        "originator": "redcap-cdisc",
        "studyOID": studyid,
        "metaDataVersionOID": f"MDV.{studyid}.{NAME}",
        "itemGroupOID": f"IG.{NAME}",
        "records": len(results),
        "name": NAME,
        "label": LABEL,
        "columns": [_column(name, results[name]) for name in PUBLISHED],
        "rows": rows,
    }
    return item_a_line(content)


def _column(name: str, values: pd.Series) -> dict[str, object]:
    described: dict[str, object] = {
        "itemOID": f"IT.{NAME}.{name.upper()}",
        "name": name.upper(),
        "label": LABELS[name],
        "dataType": TYPES.get(name, "string"),
    }
    if name not in TYPES:
        described["length"] = max(1, max(map(len, map(str, values.to_numpy())), default=1))
    return described


def _values(column: pd.Series) -> list[object]:
    if pd.api.types.is_float_dtype(column):
        return [None if math.isnan(value) else value for value in column.tolist()]
    return list(column.to_numpy().tolist())
