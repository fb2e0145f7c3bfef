"""The demo as a user runs it, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.flows.conftest import ROOT, STUDY

pytestmark = pytest.mark.xdist_group("package")


@pytest.mark.soak
def test_the_demo_makes_everything_and_writes_nowhere_else(tmp_path: Path) -> None:
    home, work, temporary = (tmp_path / name for name in ("home", "work", "temporary"))
    for folder in (home, work, temporary):
        folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MPL", "XDG_"))}
    changed = {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-c", "from flows.command_line import main; main()", "demo"],
        cwd=work, env={**kept, **changed}, capture_output=True, text=True, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    build = work / "build"
    assert f"build/{STUDY}/reports/index.html" in done.stdout
    assert (build / STUDY / "manifest.json").is_file()
    asked = pd.read_csv(build / f"{STUDY}-as-entered" / "queries.csv", dtype=str, keep_default_na=False)
    assert (asked["status"] == "open").sum() > 20
    assert f"{(asked['status'] == 'open').sum()} open" in done.stdout
    assert (build / "prefect" / "prefect.db").is_file()
    assert "  redcap-cdisc up\n" in done.stdout
    assert [path.name for path in work.iterdir()] == ["build"]
    assert [path for path in home.rglob("*") if path.is_file()] == []
    assert [path for path in temporary.rglob("*") if path.is_file()] == []


def test_the_next_commands_are_typed_as_the_demo_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.demo import _command

    program = tmp_path / ".venv" / "bin" / "redcap-cdisc"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(program), "demo"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert _command() == ".venv/bin/redcap-cdisc"
    monkeypatch.setenv("PATH", str(program.parent))
    assert _command() == "redcap-cdisc"
