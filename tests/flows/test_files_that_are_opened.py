"""A check opens every file of a study that a run opens: what a run could stumble over is read before there are data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from metadata.study import BUNDLED
from tests.flows.test_other_sources_page import write

ROOT = Path(__file__).resolve().parents[2]
HOOK = """
import os, sys

folder, log = os.environ["FOLDER_WATCHED"], os.open(os.environ["OPENED_FILES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def note(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, os.PathLike)):
        path = os.path.abspath(os.fspath(arguments[0]))
        if path.startswith(folder + os.sep):
            os.write(log, (path + "\\n").encode())


sys.addaudithook(note)
"""
"""Every process of the command, workers too, notes the files that it opens below a folder (a sitecustomize module)."""


def opened(folder: Path, notes: Path, *command: str) -> set[str]:
    """Return the files below a folder, relative to it, that a command opens; the command must succeed."""
    (notes / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
    log = notes / f"{command[0]}.txt"
    paths = os.pathsep.join([str(notes), str(ROOT)])
    there = {**os.environ, "PYTHONPATH": paths, "FOLDER_WATCHED": str(folder), "OPENED_FILES": str(log)}
    program = "from flows.command_line import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *command], cwd=notes, env=there, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {Path(line).relative_to(folder).as_posix() for line in log.read_text(encoding="utf-8").splitlines()}


@pytest.mark.soak
@pytest.mark.parametrize("name", ["hta_duo", "spms_aza"])
def test_a_check_opens_every_file_that_a_run_opens(name: str, tmp_path: Path) -> None:
    study, notes = tmp_path / name, tmp_path / "notes"
    notes.mkdir()
    shutil.copytree(BUNDLED / name, study, ignore=shutil.ignore_patterns("synthetic", "records_*", "log*.csv"))
    run = opened(
        study, notes, "run", str(study), "--source", str(BUNDLED / name / "redcap"), "--out", str(tmp_path / "out")
    )
    check = opened(study, notes, "check", str(study))
    assert {"study.yaml", "answers.csv", "laboratory_ranges.csv", "conformance.yaml", "acceptance.yaml"} <= run
    assert run <= check, f"a run opens {sorted(run - check)}, a check does not"


def test_a_check_opens_the_files_beside_redcap(tmp_path: Path) -> None:
    study, notes = write(tmp_path / "parts"), tmp_path / "notes"
    notes.mkdir()
    exports = tmp_path / "redcap"
    shutil.copytree(study / "redcap", exports)
    (study / "redcap" / "records.csv").unlink()
    run = opened(
        study, notes, "run", str(study), "--source", str(exports), "--until", "queries", "--out", str(tmp_path / "out")
    )
    check = opened(study, notes, "check", str(study))
    assert {"study.yaml", "checks.yaml", "sources/central.csv", "sources/safety.csv"} <= run
    assert run <= check, f"a run opens {sorted(run - check)}, a check does not"
