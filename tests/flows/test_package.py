"""The whole way: what a fresh run on the bundled study must give."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pandas as pd
import pyreadstat
import pytest
from lxml import html

from publish.verification import verify
from redcap_sandbox.server import SandboxProject, create_app, serve

pytestmark = pytest.mark.xdist_group("package")
ROOT = Path(__file__).resolve().parents[2]
STUDY = "spms_aza"
TOKEN = "FEDCBA9876543210FEDCBA9876543210"


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def transport(package: Path, name: str) -> pd.DataFrame:
    frame: pd.DataFrame = pyreadstat.read_xport(next(package.glob(f"m5/**/{name}.xpt")))[0]
    return frame


def test_subjects_are_those_of_the_publication(package: Path) -> None:
    subjects = transport(package, "dm")
    assert len(subjects) == 10
    assert (subjects["SEX"] == "F").sum() == 6
    assert subjects["USUBJID"].is_unique
    disposition = transport(package, "ds")
    assert disposition.loc[disposition["DSDECOD"] == "COMPLETED", "USUBJID"].nunique() == 8
    analysed = transport(package, "adsl")
    assert (analysed["EOSSTT"] == "COMPLETED").sum() == 8


def test_the_package_has_what_the_design_lists(package: Path) -> None:
    assert package.is_symlink()
    assert package.resolve().parent == package.with_name(f"{STUDY}.d")
    names = set(hashes(package.resolve()))
    for name in ("dm", "ae", "lb", "qs", "mo", "ex", "ds", "sv", "se"):
        assert f"m5/datasets/spmsaza-synth/tabulations/sdtm/{name}.xpt" in names
        assert f"parquet/sdtm/{name}.parquet" in names
        assert f"lineage/{name}.parquet" in names
        assert {f"dataset-json/sdtm/{name}{form}" for form in (".json", ".ndjson", ".dsjc")} <= names
    for name in ("adsl", "adae", "adlb", "adedss", "admo"):
        assert f"m5/datasets/spmsaza-synth/analysis/adam/datasets/{name}.xpt" in names
    wanted = {"queries.csv", "queries.html", "acceptance.json", "acceptance.html", "reconciliation.csv", "drift.csv"}
    wanted |= {"read_back.csv"}
    wanted |= {"second_derivation.json", "second_derivation.html"}
    assert {f"validation/{name}" for name in wanted} <= names
    assert {"index.html", "reports/index.html", "reports/results.csv", "manifest.json"} <= names


def test_every_link_of_the_first_page_leads_to_a_file(package: Path) -> None:
    links = [link.get("href") for link in html.parse(package / "index.html").getroot().iter("a")]
    assert len(links) > 200
    files = {urldefrag(link).url or "index.html" for link in links}
    assert [file for file in files if not (package / unquote(file)).is_file()] == []


def test_the_package_is_as_it_was_built(package: Path) -> None:
    assert verify(package).findings == ()


def test_the_manifest_lists_every_file_with_its_hash(package: Path) -> None:
    manifest = json.loads((package / "manifest.json").read_text())
    listed = {entry["path"]: entry["sha256"] for entry in manifest["files"]}
    found = hashes(package.resolve())
    del found["manifest.json"]
    assert listed == found
    assert manifest["synthetic"] is True


def test_every_row_was_read_back(package: Path) -> None:
    table = pd.read_csv(package / "validation" / "read_back.csv").set_index("file")
    assert sorted(table.index) == sorted(path.name for path in package.glob("m5/**/*.xpt"))
    assert table["rows_compared"]["dm.xpt"] == 10
    assert (table["rows_read_by_readstat"] == table["rows_compared"]).all()


def test_the_acceptance_suite_is_met(package: Path) -> None:
    result = json.loads((package / "validation" / "acceptance.json").read_text())
    assert result["success"] is True
    assert result["met"] == result["expectations"] > 100


def test_locked_records_have_no_open_query(package: Path) -> None:
    listing = pd.read_csv(package / "validation" / "queries.csv", dtype=str, keep_default_na=False)
    assert len(listing) > 0
    assert set(listing["status"]) == {"answered"}


def test_values_are_reconciled_form_by_form(package: Path) -> None:
    reconciliation = pd.read_csv(package / "validation" / "reconciliation.csv")
    parts = reconciliation["tabulated"] + reconciliation["not_submitted"] + reconciliation["withheld"]
    assert (reconciliation["received"] == parts).all()
    assert reconciliation["tabulated"].sum() > 5000


@pytest.mark.soak
def test_a_second_run_elsewhere_gives_the_same_bytes(package: Path, tmp_path: Path) -> None:
    """Another process, folder, port, time zone, locale and hash seed, and one core."""
    out = tmp_path / "elsewhere" / STUDY
    project = SandboxProject.read(ROOT / "mappings" / STUDY / "redcap", "locked")
    with serve(create_app({TOKEN: project})) as address:
        changed = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "77", "PYTHONPATH": str(ROOT)}
        changed |= {"REDCAP_URL": f"{address}api/", "REDCAP_TOKEN": TOKEN}
        one_core = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
        command = [sys.executable, "-c", f"{one_core}; from flows.command_line import main; main()", "run", STUDY]
        done = subprocess.run(
            [*command, "--out", str(out), "--json"],
            cwd=tmp_path, env={**os.environ, **changed}, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["datasets"]["DM"]["rows"] == 10
    assert out.resolve().name == package.resolve().name
    assert hashes(out.resolve()) == hashes(package.resolve())


def test_nothing_of_the_server_or_the_token_is_in_the_package(package: Path) -> None:
    for path in package.resolve().rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"127.0.0.1" not in content, path
            assert TOKEN.encode() not in content.upper(), path


def test_snapshots_are_for_the_owner_alone(package: Path) -> None:
    held = list((package.parent / "snapshots" / STUDY).iterdir())
    assert sum(path.is_dir() for path in held) == 1
    assert [path for path in held if path.stat().st_mode & 0o077] == []


@pytest.mark.soak
def test_exports_and_several_workers_give_the_same_package_as_the_api(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import pipeline
    from flows.pipeline import build
    from flows.progress import StagePrinter
    from flows.run_request import RunRequest

    monkeypatch.setattr(pipeline, "FEW_ROWS", 0)
    monkeypatch.setattr(pipeline, "cores", lambda: 3)
    out = tmp_path / STUDY
    build(RunRequest.of(STUDY, source=str(ROOT / "mappings" / STUDY / "redcap"), out=out), StagePrinter(quiet=True))
    assert hashes(out.resolve()) == hashes(package.resolve())
