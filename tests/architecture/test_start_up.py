"""What starting a command costs: libraries for data are not imported where only declarations are read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STARTS = {
    "help": (
        "import sys; sys.argv[1:] = ['--help']\n"
        "from flows.command_line import main\n"
        "try: main()\nexcept SystemExit: pass"
    ),
    "check": (
        "import flows\n"
        "from flows.check import problems_of\n"
        "assert problems_of('spms_aza') == problems_of('hta_duo') == []"
    ),
    "schema": "from flows.schemas import schemas\nassert schemas()",
    "pure stages": (
        "import flows.pipeline, flows.quality_gates, flows.stage_summaries, flows.run_request, flows.progress\n"
        "import extract.snapshot, extract.client, sdtm.build.tabulate, adam.build.analyse\n"
        "import validation.queries.listing, validation.datasets.reconciliation\n"
        "import validation.datasets.integrity, publish.package, reports.compute\n"
        "import reports.html.pages, redcap_sandbox.server"
    ),
}
DATA = ("pandas", "pandera", "scipy", "pyarrow", "pyreadstat", "statsmodels", "PIL", "matplotlib", "lxml", "odmlib")
SERVERS = ("prefect", "great_expectations", "fastapi", "redcap")
# DuckDB judges the queries of the second derivation also without data, so check has it where a study has such queries.
UNWANTED = {
    "help": (*DATA, *SERVERS, "duckdb", "numpy"),
    "check": (*DATA, *SERVERS),
    "schema": (*DATA, *SERVERS, "duckdb"),
    "pure stages": ("prefect", "great_expectations", "PIL", "matplotlib"),
}


@pytest.mark.parametrize("start", STARTS)
def test_a_start_leaves_heavy_libraries_alone(start: str) -> None:
    tell = "\nimport sys; print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", STARTS[start] + tell], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = done.stdout.rsplit("LOADED", 1)[1].split()
    assert "flows" in loaded
    assert not set(loaded) & set(UNWANTED[start])
