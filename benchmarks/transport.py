"""The transport file's writer alone, beside pyreadstat's and a plain write of as many bytes.

    python -m benchmarks.transport ROWS FOLDER

The rows are like those of a laboratory dataset: 18 texts, most of them short and repeated, and 7 numbers.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.floor import write_plainly
from benchmarks.measure import Stages
from metadata.dataset import Dataset, DatasetMetadata, Variable
from publish import lengths, readback, xpt

TEXTS = {
    "LBTESTCD": ("LYM", "WBC", "ALT"),
    "LBTEST": ("Lymphocytes", "Leukocytes", "Alanine Aminotransferase"),
    "LBCAT": ("HEMATOLOGY", "CHEMISTRY"),
    "LBSPEC": ("BLOOD", "SERUM"),
    "LBORRESU": ("10^9/L", "U/L"),
    "LBSTRESU": ("10^9/L", "U/L"),
    "LBNRIND": ("NORMAL", "LOW", "HIGH"),
    "LBSTAT": ("", "NOT DONE"),
    "LBLOBXFL": ("", "Y"),
    "LBBLFL": ("", "Y"),
    "VISIT": ("BASELINE", "MONTH 1", "MONTH 24"),
    "EPOCH": ("SCREENING", "TREATMENT"),
}
NUMBERS = ("LBSTNRLO", "LBSTNRHI", "VISITNUM", "LBDY", "LBTPTNUM")


def laboratory(rows: int) -> Dataset:
    """Return an invented laboratory dataset, the same each time."""
    draw = np.random.default_rng(1)
    results = np.round(draw.lognormal(1, 0.5, rows), 2)
    day = np.datetime64("1999-01-01") + draw.integers(0, 700, rows)
    subject = np.char.add("STUDY-01-", (np.arange(rows) // 300).astype(str))
    columns: dict[str, pd.Series] = {
        "STUDYID": pd.Series(["STUDY"] * rows, dtype="str"),
        "DOMAIN": pd.Series(["LB"] * rows, dtype="str"),
        "USUBJID": pd.Series(subject.astype(object), dtype="str"),
        "LBSEQ": pd.Series(np.arange(rows) % 300 + 1.0),
        "LBORRES": pd.Series(results.astype(str).astype(object), dtype="str"),
        "LBSTRESC": pd.Series(results.astype(str).astype(object), dtype="str"),
        "LBSTRESN": pd.Series(results),
        "LBDTC": pd.Series(np.datetime_as_string(day).astype(object), dtype="str"),
    }
    for name, values in TEXTS.items():
        columns[name] = pd.Series(np.array(values, object)[draw.integers(0, len(values), rows)], dtype="str")
    for name in NUMBERS:
        columns[name] = pd.Series(draw.integers(0, 100, rows).astype(float))
    frame = pd.DataFrame(columns)
    variables = tuple(
        Variable(name, f"Label of {name}", "Num" if column.dtype == "float64" else "Char")
        for name, column in columns.items()
    )
    metadata = DatasetMetadata("LB", "Laboratory Test Results", "FINDINGS", "", ("USUBJID", "LBSEQ"), variables)
    return lengths.resolve({"LB": Dataset(metadata, frame)})["LB"]


def run(rows: int, folder: Path) -> dict[str, object]:
    """Write the same rows three ways, read them back once, and return the measures."""
    import pyreadstat

    dataset, created, path = laboratory(rows), date(2001, 12, 31), folder / "lb.xpt"
    labels: dict[str, str | None] = {variable.name: variable.label for variable in dataset.metadata.variables}
    stages = Stages()
    stages.run("publish.xpt", lambda: xpt.write(dataset, path, created, "sdtm"), lambda _: rows)
    size = path.stat().st_size
    stages.run("plain write of the bytes", lambda: write_plainly(folder / "plain.bin", size), lambda _: rows)
    stages.run(
        "pyreadstat.write_xport",
        lambda: pyreadstat.write_xport(
            dataset.frame, folder / "other.xpt", table_name="LB", column_labels=labels, file_format_version=5
        ),
        lambda _: rows,
    )
    stages.run("read back and compare", lambda: readback.verify(dataset, path, created), lambda _: rows)
    same = path.read_bytes()[-size // 2 :] == (folder / "other.xpt").read_bytes()[-size // 2 :]
    return {"stages": stages.as_list(), "bytes": size, "same rows": same}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(int(sys.argv[1]), Path(sys.argv[2]))))
