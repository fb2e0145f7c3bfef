"""The parquet copy as a reader sees it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metadata.dataset import Dataset, DatasetMetadata, Variable
from publish import parquet

VARIABLES = (
    Variable("USUBJID", "Subject", "Char", 2),
    Variable("AETERM", "Term", "Char", 8),
    Variable("AESEQ", "Number", "Num", 8),
)


@pytest.mark.parametrize("kind", ["str", "category"])
def test_texts_are_strings_with_their_labels_however_the_column_holds_them(tmp_path: Path, kind: str) -> None:
    terms = ["Rash", "", "Rash", "Ache"]
    frame = pd.DataFrame({"USUBJID": ["1", "1", "2", "2"], "AETERM": terms, "AESEQ": [1.0, 2.0, 1.0, float("nan")]})
    metadata = DatasetMetadata("AE", "Adverse Events", "Events", "", ("USUBJID", "AESEQ"), VARIABLES)
    parquet.write(Dataset(metadata, frame.astype({"AETERM": kind, "USUBJID": kind})), tmp_path / "ae.parquet")
    read = pq.read_table(tmp_path / "ae.parquet")
    assert read.schema.types == [pa.string(), pa.string(), pa.float64()]
    assert read["AETERM"].to_pylist() == terms
    assert read["AESEQ"].to_pylist() == [1.0, 2.0, 1.0, None]
    assert read.schema.field("AETERM").metadata[b"label"] == b"Term"
    assert read.schema.metadata[b"name"] == b"AE"
    assert pd.read_parquet(tmp_path / "ae.parquet")["AETERM"].tolist() == terms


def test_the_same_texts_give_the_same_bytes_as_strings_and_as_codes(tmp_path: Path) -> None:
    metadata = DatasetMetadata("AE", "Adverse Events", "Events", "", (), VARIABLES[:2])
    frame = pd.DataFrame({"USUBJID": ["2", "1"], "AETERM": ["b", "a"]}, dtype="str")
    for kind in ("str", "category"):
        parquet.write(Dataset(metadata, frame.astype(kind)), tmp_path / f"{kind}.parquet")
    assert (tmp_path / "str.parquet").read_bytes() == (tmp_path / "category.parquet").read_bytes()
