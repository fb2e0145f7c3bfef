"""What extraction holds in memory grows with the coded records, not with their texts."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from metadata.study import Study
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.server import create_app, serve
from tests.redcap_sandbox.small_projects import DICTIONARY_HEAD, STUDY, TOKEN, write

ROWS, COLUMNS = 1_500, 300
MOST_BYTES = 6
"""Of memory for each further cell: one for its code, and what the keys and the list of records take (as texts: 20)."""
EXTRACTION = """
import json, sys, tracemalloc
from pathlib import Path
import pyarrow as pa
from extract import records_file
from extract.api import take
from extract.client import Client
from extract.connection import Patience
from extract.exports import snapshot_of
from extract.snapshot import open_snapshot
from metadata import records_csv, text_table
from metadata.study import Study

folder, source, root, token = sys.argv[1:]
# small parts show at a small size what is not one
records_csv.PART, records_file.CELLS_A_GROUP, text_table.CELLS_TOGETHER = 1 << 17, 200_000, 50_000
study = Study.open(Path(folder))
tracemalloc.start()
if source.startswith("http"):
    taken = take(study, Client(source, token, Patience(pause=0)), Path(root))
else:
    taken = snapshot_of(study, Path(source), Path(root))
opened = open_snapshot(taken)
peak = tracemalloc.get_traced_memory()[1] + pa.default_memory_pool().max_memory()
print(json.dumps([len(opened.snapshot.records), peak]))
"""


def wide_study(folder: Path, rows: int) -> Study:
    """A study whose records have hundreds of fields, one in ten with a value."""
    names = [f"f{number}" for number in range(COLUMNS)]
    fields = "".join(f"{name},visit,,text,{name}{',' * 13}\n" for name in ["rec", *names])
    records = pd.DataFrame({"rec": [str(number) for number in range(1, rows + 1)]}, dtype="str")
    values = {
        name: [str(row % 90) if (row + at) % 10 == 0 else "" for row in range(rows)] for at, name in enumerate(names)
    }
    records = records.assign(**values, visit_complete="2")
    write(folder, {"study.yaml": STUDY})
    write(
        folder / "redcap",
        {
            "dictionary.csv": DICTIONARY_HEAD + fields,
            "project_info.csv": "project_id,is_longitudinal,has_repeating_instruments_or_events\n1,0,0\n",
            "instruments.csv": "instrument_name,instrument_label\nvisit,Visit\n",
            "records_locked.csv": records.to_csv(index=False),
            "log.csv": "timestamp,username,action,details,record\n"
            + "".join(f"2001-01-01 08:00,owner,Create record {name},,{name}\n" for name in records["rec"]),
        },
    )
    return Study.open(folder)


def peak_of(study: Study, source: str, root: Path, rows: int) -> int:
    """Bytes at the peak of taking a snapshot and opening it, in a process of its own."""
    command = [sys.executable, "-c", EXTRACTION, str(study.folder), source, str(root), TOKEN]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found, peak = json.loads(done.stdout)
    assert found == rows
    return int(peak)


@pytest.mark.soak
@pytest.mark.parametrize("way", ["api", "exports"])
def test_more_records_take_no_more_than_their_codes(way: str, tmp_path: Path) -> None:
    peaks = {}
    for rows in (ROWS, 4 * ROWS):
        study = wide_study(tmp_path / str(rows), rows)
        with serve(create_app({TOKEN: SandboxProject.read(study.path("redcap"))})) as address:
            source = address if way == "api" else str(study.path("redcap"))
            peaks[rows] = peak_of(study, source, tmp_path / "snapshots" / str(rows), rows)
    assert peaks[4 * ROWS] - peaks[ROWS] < MOST_BYTES * 3 * ROWS * COLUMNS
