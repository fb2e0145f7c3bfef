"""A build of one data access group says so in its files."""

import json
from pathlib import Path

import pandas as pd

from metadata.dataset import Dataset, DatasetMetadata
from publish.part import labelled, mark_files

PART = "Part of the study: data access group north only"


def test_csv_and_json_get_the_sentence(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.csv").write_text('id,note\n1,"say ""no"", twice"\n2,\n', encoding="utf-8")
    (tmp_path / "y.json").write_text('{"counts": [1]}\n', encoding="utf-8")
    mark_files(tmp_path, PART)
    marked = f'id,note,{PART}\n1,"say ""no"", twice",\n2,,\n'
    assert (tmp_path / "a" / "x.csv").read_text(encoding="utf-8") == marked
    assert json.loads((tmp_path / "y.json").read_text(encoding="utf-8")) == {"part": PART, "counts": [1]}


def test_the_whole_study_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id\n1\n", encoding="utf-8")
    mark_files(tmp_path, "")
    assert (tmp_path / "x.csv").read_text(encoding="utf-8") == "id\n1\n"


def test_a_label_has_the_mark_and_at_most_40_characters() -> None:
    metadata = DatasetMetadata("XX", "A label that is nearly forty letters lng", "FINDINGS", "One record", (), ())
    dataset = Dataset(metadata, pd.DataFrame())
    assert labelled(dataset, "north only").metadata.label == "A label that is nearly fort (north only)"
    assert labelled(dataset, "") is dataset
