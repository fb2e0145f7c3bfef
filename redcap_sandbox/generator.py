"""Makes the synthetic records of a study: its declared patients in two states, and any number of further ones.

The generator knows no study. Everything comes from the study's ``synthetic/`` folder: patients and their courses, how
each field's values arise, and the problems planted into the records as entered.

    python -m redcap_sandbox.generator mappings/STUDY [--patients N] [--out DIR]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from metadata.errors import RedcapCdiscError, UsageError
from metadata.records import EVENT
from metadata.study import Study
from redcap_sandbox.generated import generate_shares
from redcap_sandbox.generator_log import COLUMNS, newest_places, stamped
from redcap_sandbox.generator_records import csv_lines, header, joined

AS_ENTERED, LOCKED = "records_as_entered.csv", "records_locked.csv"
LOG_AS_ENTERED, LOG = "log_as_entered.csv", "log.csv"
SHARE = 500  # patients whose records are in memory at once
BLOCK = 50_000  # lines of the log that are written at once


def write(study: Study, folder: Path, patients: int | None = None, share: int = SHARE) -> list[Path]:
    """Write the records and the log of both states (see ``generate``) and return their paths.

    Records are written ``share`` patients at a time; of the log, which is in the order of time, the lines are kept.
    Nothing is written if the study's ``synthetic/`` folder is not fit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        draft = Path(name)
        saved, corrected = _write_records(study, draft, patients, share)
        lines = pa.chunked_array([csv_lines(stamped(one)) for one in [*saved, corrected]])
        keys = pd.concat([one[["time", "day", "record"]] for one in saved])
        _write_log(draft / LOG_AS_ENTERED, lines, newest_places(keys, corrected[:0]))
        _write_log(draft / LOG, lines, newest_places(keys, corrected))
        return [(draft / file).replace(folder / file) for file in (AS_ENTERED, LOCKED, LOG_AS_ENTERED, LOG)]


def _write_records(
    study: Study, folder: Path, patients: int | None, share: int
) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    """Write the records of both states; return the entries of the log: saved, share by share, and corrected."""
    saved: list[pd.DataFrame] = []
    corrected = pd.DataFrame()
    with (folder / AS_ENTERED).open("wb") as as_entered, (folder / LOCKED).open("wb") as locked:
        for made in generate_shares(study, patients, share):
            clean = _records(made.locked, study, first=not saved)
            locked.write(clean)
            as_entered.write(_records(made.as_entered, study, first=not saved) if made.problems else clean)
            corrected = corrected if saved else made.corrected
            saved.append(made.saved)
    return saved, corrected


def _records(frame: pd.DataFrame, study: Study, first: bool) -> bytes:
    """Return the lines of records, below the line of names if they are the first; a classic project has no event."""
    shown = frame if study.project().longitudinal else frame.drop(columns=EVENT, errors="ignore")
    return (header(shown.columns) if first else b"") + joined(csv_lines(shown))


def _write_log(path: Path, lines: pa.ChunkedArray, places: np.ndarray) -> None:
    with path.open("wb") as file:
        file.write(header(COLUMNS))
        for start in range(0, len(places), BLOCK):
            file.write(joined(lines.take(pa.array(places[start : start + BLOCK]))))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    program = "python -m redcap_sandbox.generator"
    parser = argparse.ArgumentParser(prog=program, description="Make a study's synthetic records.")
    parser.add_argument("study", help="a bundled study's name, or the path of a study's folder")
    parser.add_argument("--patients", type=int, help="number of patients (default: those declared)")
    parser.add_argument("--out", type=Path, help="folder to write to (default: the study's redcap/)")
    given = parser.parse_args(arguments)
    try:
        study = Study.open(given.study)
        if given.patients is not None and given.out is None:
            raise UsageError("--patients needs --out: the study's own redcap/ holds the declared patients only")
        for path in write(study, given.out or study.path("redcap"), given.patients):
            sys.stdout.write(f"{path}\n")
    except RedcapCdiscError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
