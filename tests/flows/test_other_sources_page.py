"""docs/other-sources.md is a study: it is checked, built and traced, and its tables are those that come."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from lxml import etree

from flows.check import problems_of
from flows.pipeline import build
from flows.progress import StagePrinter
from flows.run_request import RunRequest, RunResult
from publish.trace import redcap_places, trace

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "other-sources.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(?:csv|yaml) (file|result)=(\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [match.groups() for match in BLOCK.finditer(PAGE)]
RESULTS = {
    name: pd.read_csv(io.StringIO(body), dtype="str", keep_default_na=False)
    for kind, name, body in BLOCKS
    if kind == "result"
}


def write(folder: Path) -> Path:
    """Write the study of the page."""
    for kind, name, body in BLOCKS:
        if kind == "file":
            (folder / name).parent.mkdir(exist_ok=True, parents=True)
            (folder / name).write_text(body, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("parts") / "parts")


@pytest.fixture(scope="module")
def built(study: Path, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    out = tmp_path_factory.mktemp("built") / "package"
    return build(RunRequest.of(str(study), source=str(study / "redcap"), out=out), StagePrinter(quiet=True))


def texts(frame: pd.DataFrame) -> list[list[str]]:
    return frame.map(lambda value: f"{value:g}" if isinstance(value, float) else str(value)).to_numpy().tolist()


def test_check_finds_no_problem(study: Path) -> None:
    assert problems_of(str(study)) == []


def test_the_queries_are_those_of_the_page(built: RunResult) -> None:
    assert built.out
    found = pd.read_csv(built.out / "validation" / "queries.csv", dtype="str", keep_default_na=False)
    expected = RESULTS["queries"]
    assert sorted(texts(found[list(expected.columns)])) == sorted(texts(expected))
    assert (found["link"] != "").tolist() == found["form"].isin(["base", "blood", "events"]).tolist()
    unplaced = found[found["rule"].str.startswith("source.")]
    assert unplaced["problem"].tolist() == [
        "No record of the project has the subject '099' (sources/central.csv, row 5).",
        "The visit 'V9' is none that study.yaml has an event for (sources/central.csv, row 6).",
    ]


def test_the_results_are_those_of_the_page(built: RunResult) -> None:
    assert built.out
    for name in ("LB", "DM"):
        expected = RESULTS[name]
        frame = pq.read_table(built.out / "parquet" / "sdtm" / f"{name.lower()}.parquet").to_pandas()
        assert texts(frame[list(expected.columns)]) == texts(expected)


def test_a_value_is_traced_to_file_and_row(built: RunResult) -> None:
    assert built.out
    steps = trace(built.out, "LB", "LBREFID == 'A-18'", "LBORRES")
    places = redcap_places(steps)
    expected = RESULTS["trace"]
    assert texts(places[list(expected.columns)]) == texts(expected)


def test_a_vendor_is_the_source_and_no_page_is_named(built: RunResult) -> None:
    assert built.out
    [define] = built.out.rglob("sdtm/define.xml")
    root = etree.parse(str(define)).getroot()
    odm = "{http://www.cdisc.org/ns/odm/v1.3}"
    origins = {
        str(item.get("OID")): [(one.get("Type"), one.get("Source"), len(one)) for one in item.iter("{*}Origin")]
        for item in root.iter(f"{odm}ItemDef")
    }
    [reference] = [found for oid, found in origins.items() if oid.endswith("LB.LBREFID")]
    assert reference == [("Collected", "Vendor", 0)]
    [term] = [found for oid, found in origins.items() if oid.endswith("AE.AETERM")]
    assert term == [("Collected", "Investigator", 1)]


def test_a_snapshot_has_the_files_and_a_run_reads_those(
    built: RunResult, study: Path, tmp_path: Path, command: Callable[..., object]
) -> None:
    held = {path.name for path in (built.snapshot / "sources").iterdir()}
    assert held == {f"{name}.{kind}" for name in ("central", "list", "safety") for kind in ("parquet", "received.csv")}
    again = write(tmp_path / "parts")
    table = again / "sources" / "central.csv"
    table.write_text(table.read_text("utf-8").replace("131", "132"), "utf-8")
    from_snapshot = RunRequest.of(str(again), source=str(built.snapshot), out=tmp_path / "a", until="snapshot")
    assert build(from_snapshot, StagePrinter(quiet=True)).snapshot_id == built.snapshot_id
    from_files = RunRequest.of(str(again), source=str(again / "redcap"), out=tmp_path / "b", until="snapshot")
    assert build(from_files, StagePrinter(quiet=True)).snapshot_id != built.snapshot_id
