"""Dataset-JSON of others, read with its metadata: plain, by lines, compressed, and files that are none."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metadata.errors import UsageError
from publish.comparison_tables import read_table
from publish.dataset_json_reading import read_parts

COLUMNS: list[dict[str, Any]] = [
    {"name": "USUBJID", "label": "Unique Subject Identifier", "dataType": "string", "length": 3, "keySequence": 2},
    {"name": "PARAMCD", "label": "Parameter Code", "dataType": "string", "keySequence": 1},
    {
        "name": "ADT",
        "label": "Analysis Date",
        "dataType": "date",
        "targetDataType": "integer",
        "displayFormat": "DATE9.",
    },
    {"name": "AVAL", "label": "Analysis Value", "dataType": "decimal"},
    {"name": "ASEQ", "label": "Number", "dataType": "integer"},
]
ROWS = [["S-1", "A", "1960-01-11", "0.10", 1], ["S-2", None, None, None, None]]
ABOUT = {"datasetJSONVersion": "1.1.0", "records": 2, "name": "ADXX", "label": "A Dataset", "columns": COLUMNS}
LINES = "\n".join(json.dumps(one) for one in [ABOUT, *ROWS]).encode()


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".json", json.dumps({**ABOUT, "rows": ROWS}).encode()),
        (".ndjson", LINES),
        (".dsjc", gzip.compress(LINES)),
        (".dsjc", zlib.compress(LINES)),
    ],
)
def test_all_forms_are_read(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"adxx{suffix}"
    path.write_bytes(content)
    read = read_table(path)
    assert (read.name, read.label, read.keys) == ("ADXX", "A Dataset", ("PARAMCD", "USUBJID"))
    assert read.variables["ADT"].type == "Num" and read.variables["ADT"].format == "DATE9"
    assert read.frame["PARAMCD"].tolist() == ["A", ""]
    assert read.frame["ADT"].iloc[0] == 10.0 and np.isnan(read.frame["ADT"].iloc[1])
    assert read.frame["AVAL"].iloc[0] == 0.1 and np.isnan(read.frame["AVAL"].iloc[1])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_parts_are_the_whole(tmp_path: Path, size: int) -> None:
    path = tmp_path / "adxx.dsjc"
    path.write_bytes(gzip.compress(LINES))
    parts = list(read_parts(path, size))
    assert [row for _, rows in parts for row in rows] == ROWS and all(about == ABOUT for about, _ in parts)
    assert [len(rows) for _, rows in parts] == ([1, 1] if size == 1 else [2])
    path.write_bytes(gzip.compress(LINES[: LINES.rindex(b"\n")]))
    with pytest.raises(UsageError, match="says that it has 2 records, and has 1"):
        list(read_parts(path, size))


@pytest.mark.parametrize(
    ("about", "rows", "why"),
    [
        ({"records": 2}, ROWS, "no datasetJSONVersion"),
        ({**ABOUT, "records": 3}, ROWS, "says that it has 3 records, and has 2"),
        (ABOUT, [ROWS[0], ROWS[1][:4]], "row 2 does not have the 5 values"),
        (ABOUT, [ROWS[0], ["S-2", 5, None, None, None]], "PARAMCD has values that are not of the type string"),
        (ABOUT, [ROWS[0], ["S-2", "A", None, "much", None]], "AVAL has values that are not of the type decimal"),
    ],
)
def test_what_is_no_dataset_is_refused_in_a_sentence(
    tmp_path: Path, about: dict[str, Any], rows: list[list[Any]], why: str
) -> None:
    (tmp_path / "adxx.json").write_text(json.dumps({**about, "rows": rows}))
    with pytest.raises(UsageError, match=why):
        read_table(tmp_path / "adxx.json")


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "adxx.dsjc").write_bytes(b"\x1f\x8bnothing")
    with pytest.raises(UsageError, match="is not Dataset-JSON"):
        read_table(tmp_path / "adxx.dsjc")
