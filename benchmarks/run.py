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

from rich.console import Console
from rich.table import Table

from benchmarks.laboratory import ANALYSIS, cut
from mappings import DEMO
from metadata.study import Study

READ_BACK = "read back"
WALL, CPU = "seconds", "processor"
WHOLE, LABORATORY, BENEATH = "all datasets", "LB and ADLB with all they stand on", "all they stand on"
Measured = dict[str, Any]
RECORDS = "records_locked.csv"


def main() -> None:
    """Run the benchmarks and print their tables."""
    given = _arguments()
    console = Console(width=100)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        work = Path(name)
        _transport(console, given.rows, work)
        study = Study.open(given.study or DEMO)
        sizes = {patients: _measure_size(console, study, patients, work) for patients in sorted(given.patients)}
        _print_growth(console, sizes)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--study", help="bundled name or folder of a study with a synthetic/ folder")
    parser.add_argument("--patients", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--rows", type=int, default=300_000, help="rows for the transport writer alone")
    return parser.parse_args()


def _measure_size(console: Console, study: Study, patients: int, work: Path) -> dict[str, Measured]:
    """Measure one number of patients: the whole study, and the two cut ones whose difference is the laboratory path."""
    folder = work / str(patients)
    raw = _generate(study.folder, patients, folder / "raw")
    studies = {
        WHOLE: study.folder,
        LABORATORY: cut(study, folder / "with" / study.name, [ANALYSIS]),
        BENEATH: cut(study, folder / "without" / study.name, ["ADSL"]),
    }
    found = {}
    for name, place in studies.items():
        found[name] = _measure("benchmarks.stages", str(place), str(raw), str(folder / "out"))
        if name != BENEATH:
            _print_stages(console, f"{patients} patients: {name}", found[name])
    shutil.rmtree(folder)
    return found


def _generate(study: Path, patients: int, folder: Path) -> Path:
    command = [sys.executable, "-m", "redcap_sandbox.generator", str(study), "--patients", str(patients), "--out"]
    subprocess.run([*command, str(folder)], check=True, stdout=subprocess.DEVNULL)
    return folder / RECORDS


def _measure(program: str, *arguments: str) -> Measured:
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


def floor(measured: Measured, clock: str = WALL) -> float:
    """Return the seconds of reading the raw file with pandas and writing the bytes plainly."""
    return sum(stage[clock] for stage in measured["floor"])


def path(measured: Measured, clock: str = WALL) -> float:
    """Return the seconds of all stages but the read-back, which is reported apart."""
    return sum(stage[clock] for stage in measured["stages"] if stage["name"] != READ_BACK)


def peak(measured: Measured) -> float:
    """Return the peak memory of all stages in MB."""
    return max(stage["peak"] for stage in measured["stages"])


def _print_stages(console: Console, title: str, measured: Measured) -> None:
    beneath = floor(measured)
    table = Table("stage", "rows", "seconds", "CPU", "x floor", "peak MB", title=title)
    for stage in measured["stages"]:
        rows = f"{stage['rows']:,}" if stage["rows"] else ""
        _add(table, stage["name"], rows, stage[WALL], stage[CPU], beneath, f"{stage['peak']:,.0f}")
    table.add_section()
    _add(table, "all but read back", "", path(measured), path(measured, CPU), beneath, f"{peak(measured):,.0f}")
    parts = " + ".join(f"{stage['name']} {stage[WALL]:.2f}" for stage in measured["floor"])
    _add(table, f"floor: {parts}", "", beneath, floor(measured, CPU), beneath, "")
    _right_align(table)
    console.print(table)
    counts = ", ".join(f"{name} {rows:,}" for name, rows in measured["datasets"].items())
    console.print(f"{counts}; {measured['bytes']:,} bytes of transport files\n")


def _add(table: Table, name: str, rows: str, wall: float, processor: float, beneath: float, memory: str) -> None:
    table.add_row(name, rows, f"{wall:.2f}", f"{processor:.2f}", f"{wall / beneath:.2f}", memory)


def _print_growth(console: Console, sizes: dict[int, dict[str, Measured]]) -> None:
    """Print how seconds grow from one size to the next, and the laboratory path of the largest beside its floor."""
    for smaller, larger in itertools.pairwise(sizes):
        for name in (WHOLE, LABORATORY):
            wall, processor = (
                path(sizes[larger][name], clock) / path(sizes[smaller][name], clock) for clock in (WALL, CPU)
            )
            console.print(
                f"{smaller} to {larger} patients: {larger / smaller:.0f} x patients, {wall:.1f} x seconds,"
                f" {processor:.1f} x CPU, {name}"
            )
    largest = sizes[max(sizes)]
    console.print(f"\nLB and ADLB path at {max(sizes)} patients (reach: 8 x floor, 2,048 MB)")
    for clock in (WALL, CPU):
        made, beneath = laboratory_path(largest, clock)
        whole = path(largest[LABORATORY], clock) / floor(largest[LABORATORY], clock)
        console.print(
            f"  {clock}: {made:.2f} s over a floor of {beneath:.2f} s = {made / beneath:.1f} x;"
            f" with all that they stand on {whole:.1f} x"
        )
    console.print(f"  peak {peak(largest[LABORATORY]):,.0f} MB; whole study {peak(largest[WHOLE]):,.0f} MB")


def laboratory_path(size: dict[str, Measured], clock: str = WALL) -> tuple[float, float]:
    """Return the seconds of the path of LB and ADLB and of the floor beneath it.

    The path is what the two add to the datasets that they stand on, and the reading of the raw file; its floor reads
    that file with pandas and writes the bytes that the two add.
    """
    given, beneath = size[LABORATORY], size[BENEATH]
    reading, writing = (stage[clock] for stage in given["floor"])
    share = 1 - beneath["bytes"] / given["bytes"]
    return path(given, clock) - path(beneath, clock) + beneath["stages"][0][clock], reading + writing * share
