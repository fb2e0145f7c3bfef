"""Taking a whole project by its API: processor time and memory of the client, as ratios to PyCap's bare export.

    python -m benchmarks.extraction [--records 10000] [--fields 500]

A classic project of one row a record is served by a process of its own: numbers, texts, choices and dates, a tenth of
them blank. One client takes a snapshot, proven to be whole; the others are PyCap alone, which asks for the same records
in batches of the same size and proves nothing: as its bare ``export_records()`` gives them, a list of mappings, and as
frames (``format_type="df"``), which pandas reads from CSV; each batch is dropped before the next.
100,000 records of 500 fields are 50,000,000 values; their server takes about 6 GB.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.processes import Usage, watch
from extract.api import take
from extract.client import Client, batch_size
from extract.snapshot import RECORDS_FILE
from metadata.project import Project
from metadata.records import Records
from metadata.study import Study
from metadata.text_table import TextTable
from redcap_sandbox.project import LOG_COLUMNS, SandboxProject
from redcap_sandbox.server import create_app, serve

TOKEN = "0123456789ABCDEF" * 2
FORMS = 10
CLIENTS = ("pycap", "pycap-df", "snapshot")
KINDS = ("number", "text", "radio", "date")
MODULE = "benchmarks.extraction"
STUDY = """study: {id: LARGE, title: A large project}
standards: {sdtmig: "3.3", sdtm_ct: 2019-09-27}
cutoff: 2001-12-31
redcap: {base_url: https://redcap.example.org/}
visits: []
"""


def main() -> None:
    """Measure both clients against one server, and print what each took."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {MODULE}", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--fields", type=int, default=500)
    parser.add_argument("--as", dest="role", choices=(*CLIENTS, "server"), help=argparse.SUPPRESS)
    parser.add_argument("--address", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.role is None:
        _compare(given.records, given.fields)
    elif given.role == "server":
        _serve(given.records, given.fields)
    elif given.role == "snapshot":
        _snapshot(given.address, given.fields)
    else:
        _bare(given.address, given.records, given.fields, as_frames=given.role == "pycap-df")


def _compare(records: int, fields: int) -> None:
    with _server(records, fields) as address:
        used = {role: _client(role, address, records, fields) for role in CLIENTS}
    for role, usage in used.items():
        taken = json.loads(usage.output.splitlines()[-1])
        if taken != [records, fields]:
            raise SystemExit(f"{role} has {taken[0]} records and {taken[1]} fields")
        print(f"{role:9} {usage.wall:7.1f} s, {usage.processor:7.1f} CPU s, peak {usage.peak:6.0f} MB")
    bare, frames = (used["snapshot"].processor / used[role].processor for role in CLIENTS[:2])
    print(
        f"{records:,} records of {fields} fields: a snapshot takes {bare:.2f} times the CPU of PyCap's bare export,"
        f" {frames:.2f} times that of its export as frames"
    )


def _command(role: str, records: int, fields: int) -> list[str]:
    return [sys.executable, "-m", MODULE, "--as", role, "--records", str(records), "--fields", str(fields)]


def _client(role: str, address: str, records: int, fields: int) -> Usage:
    return watch([*_command(role, records, fields), "--address", address])


@contextlib.contextmanager
def _server(records: int, fields: int) -> Iterator[str]:
    """Start the server as another process and yield its address."""
    with subprocess.Popen(_command("server", records, fields), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _serve(records: int, fields: int) -> None:
    rows = dictionary(fields)
    project = Project.from_payloads(
        {
            "dictionary": rows,
            "project_info": [{"project_id": "1", "is_longitudinal": "0", "has_repeating_instruments_or_events": "0"}],
            "instruments": [
                {"instrument_name": form, "instrument_label": form}
                for form in dict.fromkeys(row["form_name"] for row in rows)
            ],
        }
    )
    created = [["2001-01-01 08:00", "owner", "Create record 1", "", "1"]]
    served = SandboxProject(
        project,
        Records.of(project, table_of(project, records)),
        log=pd.DataFrame(created, columns=LOG_COLUMNS, dtype="str"),
    )
    with serve(create_app({TOKEN: served})) as address:
        print(f"{address}api/", flush=True)
        threading.Event().wait()


def dictionary(fields: int) -> list[dict[str, str]]:
    """Return the rows of a dictionary of so many fields besides the record id, in ten forms."""
    rows = [{"field_name": "record_id", "form_name": "form0", "field_type": "text", "field_label": "Record"}]
    for place in range(fields):
        kind = KINDS[place % len(KINDS)]
        rows.append(
            {
                "field_name": f"f{place}",
                "form_name": f"form{place * FORMS // fields}",
                "field_type": "radio" if kind == "radio" else "text",
                "field_label": f"Field {place}",
                "select_choices_or_calculations": "1, Yes | 2, No | 3, Unknown" if kind == "radio" else "",
                "text_validation_type_or_show_slider_number": {"number": "number", "date": "date_ymd"}.get(kind, ""),
            }
        )
    return rows


def table_of(project: Project, records: int) -> TextTable:
    """Return records whose values repeat as those of a trial do; a tenth of them blank."""
    random = np.random.default_rng(1)
    days = pd.date_range("1998-01-01", periods=900).strftime("%Y-%m-%d").tolist()
    texts = {
        "number": ["", *(f"{value / 10:.1f}" for value in range(1500))],
        "": ["", *(f"Remark {number} of the site" for number in range(400))],
        "radio": ["", "1", "2", "3"],
        "date_ymd": ["", *days],
    }
    columns = {project.dictionary.record_id: _dictionary(np.arange(records), [str(n + 1) for n in range(records)])}
    for field in list(project.dictionary.fields.values())[1:]:
        known = texts["radio" if field.type == "radio" else field.validation]
        codes = random.integers(1, len(known), records)
        columns[field.name] = _dictionary(np.where(random.random(records) < 0.1, 0, codes), known)
    for form in project.dictionary.forms:
        columns[f"{form}_complete"] = _dictionary(random.integers(0, 3, records), ["0", "1", "2"])
    return TextTable(columns, records)


def _dictionary(codes: np.ndarray, texts: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(texts, pa.large_string()))


def _snapshot(address: str, fields: int) -> None:
    """Take the snapshot as the command does, for a study that knows nothing of the project but its name."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name) / "study"
        folder.mkdir()
        (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
        path = take(Study.open(folder), Client(address, TOKEN), Path(name) / "snapshots")
        records = pq.read_metadata(path / RECORDS_FILE)
        print(json.dumps([records.num_rows, len(_fields_in(records.schema.names))]))


def _fields_in(columns: list[str]) -> list[str]:
    return [name for name in columns if name[0] == "f" and name[1:].isdigit()]


def _bare(address: str, records: int, fields: int, as_frames: bool) -> None:
    """Read all records by PyCap alone, in batches of the size that the snapshot's client asks for."""
    from redcap import Project as Remote

    remote, count, names = Remote(address, TOKEN), 0, set()
    size = batch_size(fields + FORMS, 1.0)
    for start in range(1, records + 1, size):
        batch = [str(number) for number in range(start, min(start + size, records + 1))]
        came = remote.export_records(format_type="df" if as_frames else "json", records=batch)
        count += len(came)
        names |= set(came) if as_frames else set(came[0])
    print(json.dumps([count, len(_fields_in(sorted(names)))]))


if __name__ == "__main__":
    main()
