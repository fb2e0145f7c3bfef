"""``make bench``: the whole build of a generated study by stage, at several sizes, and the commands users wait for.

    python -m benchmarks [--study STUDY] [--patients 10 100 1000]

``--patients 10000`` needs up to 12 GB and half an hour. Each size is built twice, each time in a new process: on one
core, where the seconds and the peak memory of each stage are its own, and on all cores, where only the whole counts.
Seconds depend on the machine; the ratios within one run are what to quote. The floor of a size is pandas reading its
raw records and a plain write of as many bytes as its transport files have.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.processes import Usage, watch
from benchmarks.tables import print_commands, print_growth, print_size
from mappings import DEMO
from metadata.study import Study

SIZES = (10, 100, 1000)


def main() -> None:
    """Run the benchmarks and print their tables."""
    given = _arguments()
    study, console = Study.open(given.study or DEMO).folder, Console(width=110)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        sizes = {}
        for patients in sorted(given.patients):
            sizes[patients] = _measure(study, patients, Path(name) / str(patients))
            print_size(console, patients, *sizes[patients])
        print_growth(console, {patients: measured for patients, (measured, _) in sizes.items()})
        print_commands(console, _commands(study, Path(name)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--study", help="bundled name or folder of a study with a synthetic/ folder")
    parser.add_argument("--patients", type=int, nargs="+", default=SIZES)
    return parser.parse_args()


def _measure(study: Path, patients: int, folder: Path) -> tuple[dict[str, Any], Usage]:
    """Build so many patients on one core and on all; return the stages of the first and the usage of the second."""
    exports = folder / "exports"
    shutil.copytree(study / "redcap", exports, ignore=shutil.ignore_patterns("records_*", "log*.csv"))
    generate = [sys.executable, "-m", "redcap_sandbox.generator", str(study), "--patients", str(patients)]
    subprocess.run([*generate, "--out", str(exports)], check=True, stdout=subprocess.DEVNULL)
    build = [sys.executable, "-m", "benchmarks.build", str(study), str(exports)]
    by_stage = json.loads(watch([*build, str(folder / "one" / "package"), "--stages"]).output)
    whole = watch([*build, str(folder / "all" / "package")])
    shutil.rmtree(folder)
    return by_stage, whole


def _commands(study: Path, folder: Path) -> dict[str, Usage]:
    """Return what the second run of each command takes as a whole process, from start to exit."""
    command, out = str(Path(sys.executable).with_name("redcap-cdisc")), str(folder / "run" / "package")
    commands = {
        "run (declared patients)": ["run", str(study), "--source", str(study / "redcap"), "--out", out, "--json"],
        "check": ["check", str(study)],
        "--help": ["--help"],
    }
    found = {}
    for name, arguments in commands.items():
        watch([command, *arguments])
        found[name] = watch([command, *arguments])
    return found


main()
