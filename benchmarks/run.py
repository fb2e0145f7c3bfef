"""``make bench``: rows, seconds and peak memory by stage at three sizes, as ratios to the floor of the same run.

    python -m benchmarks [--study STUDY] [--patients 10 100 1000] [--rows 300000]

Each size runs in a process of its own, so that its peak memory is its own. Times depend on the machine and on what else
it does; the ratios within one run are what to look at.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from metadata.study import Study

READ_BACK = "read back"
LABORATORY = {"sdtm": ("dm", "ex", "ds", "sv", "se", "lb"), "adam": ("adsl", "adlb")}  # LB and what dates its records
RECORDS = "records_locked.csv"


def main() -> None:
    """Run the benchmarks and print their tables."""
    given = _arguments()
    console = Console(width=100)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        work = Path(name)
        _transport(console, given.rows, work)
        study = Study.open(given.study or Study.bundled()[0]).folder
        cut = _laboratory_study(study, work / "laboratory" / study.name)
        whole, laboratory = {}, {}
        for patients in given.patients:
            raw = _generate(study, patients, work / f"raw{patients}")
            whole[patients] = _measure("benchmarks.stages", str(study), str(raw), str(work / "whole"))
            laboratory[patients] = _measure("benchmarks.stages", str(cut), str(raw), str(work / "lb"))
            _print_stages(console, f"{patients} patients, all datasets", whole[patients])
            _print_stages(console, f"{patients} patients, LB and ADLB path", laboratory[patients])
            shutil.rmtree(raw.parent)
        _print_growth(console, whole, laboratory)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--study", help="bundled name or folder of a study with a synthetic/ folder")
    parser.add_argument("--patients", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--rows", type=int, default=300_000, help="rows for the transport writer alone")
    return parser.parse_args()


def _laboratory_study(study: Path, target: Path) -> Path:
    """Copy a study with only those mappings that LB and ADLB need; fields of the others are declared not submitted."""
    shutil.copytree(study, target, ignore=shutil.ignore_patterns("records_*", "log.csv"))
    for folder, kept in LABORATORY.items():
        for path in (target / folder).glob("*.yaml"):
            if path.stem.lower() not in kept:
                path.unlink()
    reasons = dict.fromkeys(Study.open(target).project().dictionary.forms, "not in this benchmark")
    declared = {"status": "form status", "forms": reasons}
    (target / "sdtm" / "not_submitted.yaml").write_text(yaml.safe_dump(declared), "utf-8")
    return target


def _generate(study: Path, patients: int, folder: Path) -> Path:
    command = [sys.executable, "-m", "redcap_sandbox.generator", str(study), "--patients", str(patients), "--out"]
    subprocess.run([*command, str(folder)], check=True, stdout=subprocess.DEVNULL)
    return folder / RECORDS


def _measure(program: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", program, *arguments], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def _transport(console: Console, rows: int, folder: Path) -> None:
    found = _measure("benchmarks.transport", str(rows), str(folder))
    base = found["stages"][0]["processor"]
    table = Table(
        "", "seconds", "CPU seconds", "ratio of CPU", "peak MB", title=f"Transport file, {rows:,} LB-like rows"
    )
    for stage in found["stages"]:
        table.add_row(
            stage["name"],
            f"{stage['seconds']:.2f}",
            f"{stage['processor']:.2f}",
            f"{stage['processor'] / base:.1f}",
            f"{stage['peak']:.0f}",
        )
    _right_align(table)
    console.print(table)
    console.print(
        f"{found['bytes']:,} bytes; pyreadstat wrote the same rows: {'yes' if found['same rows'] else 'NO'}\n"
    )


def _right_align(table: Table) -> None:
    for column in table.columns[1:]:
        column.justify = "right"


def floor_seconds(measured: dict[str, Any]) -> float:
    """Return the seconds of reading the raw file with pandas and writing the bytes plainly."""
    return sum(stage["seconds"] for stage in measured["floor"])


def path_seconds(measured: dict[str, Any]) -> float:
    """Return the seconds of all stages but the read-back, which is reported apart."""
    return sum(stage["seconds"] for stage in measured["stages"] if stage["name"] != READ_BACK)


def peak(measured: dict[str, Any]) -> float:
    """Return the peak memory of all stages in MB."""
    return max(stage["peak"] for stage in measured["stages"])


def _print_stages(console: Console, title: str, measured: dict[str, Any]) -> None:
    floor = floor_seconds(measured)
    table = Table("stage", "rows", "seconds", "x floor", "peak MB", title=title)
    for stage in measured["stages"]:
        rows = f"{stage['rows']:,}" if stage["rows"] else ""
        seconds = stage["seconds"]
        table.add_row(stage["name"], rows, f"{seconds:.2f}", f"{seconds / floor:.2f}", f"{stage['peak']:.0f}")
    table.add_section()
    total = path_seconds(measured)
    table.add_row("all but read back", "", f"{total:.2f}", f"{total / floor:.2f}", f"{peak(measured):.0f}")
    parts = " + ".join(f"{stage['name']} {stage['seconds']:.2f}" for stage in measured["floor"])
    table.add_row(f"floor: {parts}", "", f"{floor:.2f}", "1.00", "")
    _right_align(table)
    console.print(table)
    counts = ", ".join(f"{name} {rows:,}" for name, rows in measured["datasets"].items())
    console.print(f"{counts}; {measured['bytes']:,} bytes of transport files\n")


def _print_growth(console: Console, whole: dict[int, dict[str, Any]], laboratory: dict[int, dict[str, Any]]) -> None:
    """Print how seconds grow from one size to the next, beside the growth of the patients."""
    sizes = sorted(whole)
    for smaller, larger in itertools.pairwise(sizes):
        for name, measured in (("all datasets", whole), ("LB and ADLB path", laboratory)):
            factor = path_seconds(measured[larger]) / path_seconds(measured[smaller])
            console.print(
                f"{smaller} to {larger} patients, {name}: {larger / smaller:.0f} x patients, {factor:.1f} x seconds"
            )
    largest = laboratory[sizes[-1]]
    ratio = path_seconds(largest) / floor_seconds(largest)
    console.print(
        f"LB and ADLB path at {sizes[-1]} patients: {ratio:.1f} x floor (reach: 8),"
        f" {peak(largest):,.0f} MB (reach: 2,048)"
    )
