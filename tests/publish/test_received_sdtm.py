"""SDTM of others as it is read: formats, split domains, keys, labels, and the files that it came in."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metadata.dataset import Dataset
from metadata.errors import StudyError, UsageError
from publish import xpt
from publish.dataset_json import DefinedGroup, write
from publish.received_sdtm import read
from tests.publish.examples import make

GUIDE = "3.3"
DM = pd.DataFrame({"STUDYID": "S", "DOMAIN": "DM", "USUBJID": ["1", "2"], "AGE": [40.0, 50.0]})
LB = pd.DataFrame(
    {
        "STUDYID": "S",
        "DOMAIN": "LB",
        "USUBJID": ["1", "1", "2"],
        "LBSEQ": [1.0, 2, 1],
        "LBTESTCD": ["ALT", "HGB", "ALT"],
    }
)


def plain(folder: Path, **frames: pd.DataFrame) -> Path:
    """Parquet files of another program: no labels, no keys."""
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet")
    return folder


def described() -> Dataset:
    """DM with labels."""
    return make("DM", {str(name): DM[name].tolist() for name in DM}, ["USUBJID"])


def written_as(suffix: str, folder: Path) -> None:
    """Write DM in one form into a folder that is empty otherwise."""
    if suffix == "xpt":
        xpt.write(described(), folder / "dm.xpt", date(2020, 1, 1), "sdtm")
        return
    items = {
        name: (f"IT.DM.{name}", "float" if name == "AGE" else "text", int(name == "USUBJID")) for name in map(str, DM)
    }
    group = DefinedGroup("STDY.S", "MDV.S", "IG.DM", items)
    write(described(), group, folder, "2020-01-01", "../define.xml", [suffix])  # type: ignore[list-item]


def test_labels_that_a_file_lacks_are_those_of_the_guide(tmp_path: Path) -> None:
    found = read(plain(tmp_path, dm=DM), GUIDE).datasets["DM"]
    assert found.metadata.variable("AGE").label == "Age" and found.metadata.keys == ("USUBJID",)
    assert found.frame["AGE"].tolist() == [40, 50]


@pytest.mark.parametrize("suffix", ["xpt", "json", "ndjson", "dsjc"])
def test_each_format_holds_the_same_records(suffix: str, tmp_path: Path) -> None:
    written_as(suffix, tmp_path)
    found = read(tmp_path, GUIDE).datasets["DM"]
    assert found.metadata.variable("AGE").label == "Label of AGE"
    pd.testing.assert_frame_equal(found.frame[list(DM)].astype(DM.dtypes), DM)


def test_parts_of_a_split_domain_become_the_whole(tmp_path: Path) -> None:
    chemistry, hematology = LB[LB["LBTESTCD"] == "ALT"], LB[LB["LBTESTCD"] == "HGB"].assign(LBNRIND="LOW")
    supplement = pd.DataFrame(
        {
            "STUDYID": "S",
            "RDOMAIN": "LB",
            "USUBJID": ["1"],
            "IDVAR": "LBSEQ",
            "IDVARVAL": "1",
            "QNAM": "LBX",
            "QVAL": "y",
        }
    )
    found = read(plain(tmp_path, dm=DM, lbch=chemistry, lbhe=hematology, supplbch=supplement), GUIDE)
    assert sorted(found.datasets) == ["DM", "LB", "SUPPLB"]
    whole = found.datasets["LB"]
    assert whole.metadata.keys == ("USUBJID", "LBSEQ") and whole.metadata.label == "Laboratory Test Results"
    assert whole.frame["LBNRIND"].tolist() == ["", "", "LOW"] and len(whole.frame) == 3
    assert {file.path.name: file.dataset for file in found.files}["lbhe.parquet"] == "LB"


def test_a_domain_whole_and_in_parts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"LB is there whole and in parts \(LBCH\): leave either out"):
        read(plain(tmp_path, dm=DM, lb=LB, lbch=LB), GUIDE)


def test_a_variable_of_two_types_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="LBSEQ is text in one part of LB and a number in another"):
        read(plain(tmp_path, dm=DM, lbch=LB, lbhe=LB.assign(LBSEQ=["1", "2", "3"])), GUIDE)


def test_of_one_dataset_in_two_formats_the_transport_file_is_read_and_the_other_named(tmp_path: Path) -> None:
    written_as("xpt", tmp_path)
    found = read(plain(tmp_path, dm=DM.assign(AGE=1.0)), GUIDE)
    assert found.datasets["DM"].frame["AGE"].tolist() == [40, 50]
    [file] = found.files
    assert file.path.name == "dm.xpt" and file.doubts == ("dm.parquet is there as well and was not read",)


def test_the_hash_is_of_names_and_contents(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two", "three")]
    for folder in folders:
        folder.mkdir()
    same, again = (read(plain(folder, dm=DM), GUIDE).id for folder in folders[:2])
    other = read(plain(folders[2], dm=DM.assign(AGE=[np.nan, 50.0])), GUIDE).id
    assert same == again != other


@pytest.mark.parametrize("content", [None, b"PAR1 and no more"])
def test_nothing_and_what_is_no_dataset_are_said(tmp_path: Path, content: bytes | None) -> None:
    if content is None:
        with pytest.raises(UsageError, match="holds no datasets"):
            read(tmp_path, GUIDE)
    else:
        (tmp_path / "dm.parquet").write_bytes(content)
        with pytest.raises(StudyError, match=r"dm\.parquet is not a parquet file"):
            read(tmp_path, GUIDE)


def test_every_file_of_data_that_is_not_read_is_named(tmp_path: Path) -> None:
    for name in ("split", "reports"):
        (tmp_path / name).mkdir()
        plain(tmp_path / name, lb=LB)
    adsl = pd.DataFrame({"STUDYID": "S", "USUBJID": ["1", "2"], "TRT01P": "A"})
    (tmp_path / "ae.csv").write_text("STUDYID\n", encoding="utf-8")
    found = read(plain(tmp_path, dm=DM, adsl=adsl), GUIDE)
    assert sorted(found.datasets) == ["DM"]
    unread = {file.path.relative_to(tmp_path).as_posix(): file.doubts for file in found.files if not file.dataset}
    reason = ("not read: its place or its form is not that of a tabulation dataset",)
    assert unread == dict.fromkeys(("adsl.parquet", "ae.csv", "reports/lb.parquet", "split/lb.parquet"), reason)
