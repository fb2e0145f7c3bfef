"""Writing a transport file in batches: seconds, and the memory that it adds, at a million rows or more.

    python -m benchmarks.streaming [--rows 1000000 10000000]

A laboratory dataset of 18 texts and 7 numbers, 207 bytes a row; 10,000,000 rows are 2.07 GB. The memory that is added
is the peak while the file is written less the peak before, with one batch of rows in place. The plain write is of as
many bytes. The file is removed at the end.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.build import plain_write
from benchmarks.measure import Stages
from metadata.dataset import Dataset, DatasetMetadata, Variable
from publish import xpt

BATCH = 100_000
WIDTHS = (9, 2, 20, 8, 8, 20, 10, 10, 5, 10, 5, 5, 3, 10, 8, 6, 10, 2)
NUMBERS = 7
ALLOWED = 300
"""MB that writing may add."""


def main() -> None:
    """Write files of several sizes and print what each took."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.streaming", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    for rows in parser.parse_args().rows:
        print(measured(rows))


def measured(rows: int) -> str:
    """Write so many rows and return a line that says what it took."""
    stages, batch = Stages(), laboratory(min(rows, BATCH))
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        path = Path(name) / "lb.xpt"
        stages("before", len, batch.frame)
        stages("batches", xpt.write_batches, batches(batch, rows), path, date(2001, 12, 31), "sdtm")
        size = path.stat().st_size
        path.unlink()
        stages("plain", plain_write, path, size)
    before, ours, plain = stages.measured
    added = ours.peak - before.peak
    verdict = "within" if added <= ALLOWED else "above"
    return (
        f"{rows:,} rows, {size / 1e9:.2f} GB: {ours.wall:.1f} s, {ours.wall / plain.wall:.1f} times a plain write;"
        f" {added:.0f} MB added, {verdict} the {ALLOWED} MB allowed"
    )


def batches(batch: Dataset, rows: int) -> Iterator[Dataset]:
    """Yield copies of the batch, the last one cut, until they have ``rows`` rows in all."""
    for start in range(0, rows, BATCH):
        yield Dataset(batch.metadata, batch.frame.head(rows - start).copy())


def laboratory(rows: int) -> Dataset:
    """Return rows of texts that differ as results of a laboratory do, and of numbers."""
    random = np.random.default_rng(1)
    variables: list[Variable] = []
    frame: dict[str, object] = {}
    for place, width in enumerate(WIDTHS):
        terms = [f"{number:0{width}}"[:width] for number in range(min(10**width, 200))]
        frame[f"C{place}"] = pd.Categorical.from_codes(random.integers(0, len(terms), rows), pd.Index(terms))
        variables.append(Variable(f"C{place}", f"Text {place}", "Char", width))
    for place in range(NUMBERS):
        frame[f"N{place}"] = np.round(random.normal(100, 20, rows), 2)
        variables.append(Variable(f"N{place}", f"Number {place}", "Num", 8))
    metadata = DatasetMetadata(
        "LB", "Laboratory Test Results", "FINDINGS", "One record per test", ("C0",), (*variables,)
    )
    return Dataset(metadata, pd.DataFrame(frame))


if __name__ == "__main__":
    main()
