"""Small datasets for the tests of publishing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from metadata.dataset import Dataset, DatasetMetadata, Variable, no_edges
from publish import lengths


def make(
    name: str,
    columns: Mapping[str, Sequence[Any]],
    keys: Sequence[str] = (),
    label: str = "A Dataset",
    resolved: bool = True,
    lineage: pd.DataFrame | None = None,
    **changes: Mapping[str, Any],
) -> Dataset:
    """Return a dataset; columns of numbers become Num, others Char; ``changes`` alter a variable's metadata."""
    data: dict[str, Any] = {}
    variables = []
    for column, values in columns.items():
        numeric = isinstance(values, np.ndarray) or (len(values) > 0 and isinstance(values[0], (int, float)))
        data[column] = pd.Series(values, dtype="float64" if numeric else "str")
        variable = Variable(column, f"Label of {column}", "Num" if numeric else "Char")
        variables.append(replace(variable, **changes.get(column, {})))
    metadata = DatasetMetadata(name, label, "EVENTS", "One record per event", tuple(keys), tuple(variables))
    made = Dataset(metadata, pd.DataFrame(data), no_edges() if lineage is None else lineage)
    return lengths.resolve({name: made})[name] if resolved else made


def adverse_events() -> Dataset:
    """Return three rows with an empty text, a missing number, a zero and a fraction."""
    return make(
        "AE",
        {
            "STUDYID": ["S1", "S1", "S1"],
            "USUBJID": ["S1-01", "S1-01", "S1-02"],
            "AESEQ": [1, 2, 1],
            "AETERM": ["Headache", "  leading blanks", "Nausea; mild"],
            "AEDTC": ["1999-03", "", "1999-03-04"],
            "AEDY": [-1, float("nan"), 0],
            "AEVAL": [0.1, -118.625, 1e12],
        },
        keys=("STUDYID", "USUBJID", "AESEQ"),
        label="Adverse Events",
    )
