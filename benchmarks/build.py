"""One build in one process, by the pipeline that ``redcap-cdisc run`` calls.

    python -m benchmarks.build STUDY EXPORTS OUT [--stages]

With ``--stages`` it uses one core and prints the measures of each stage as JSON, with those of reading and writing the
same data plainly. Without, it builds on all cores and prints nothing: who called it measures the process.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

ALONE = "--stages" in sys.argv
if ALONE and hasattr(os, "sched_setaffinity"):  # before numpy counts the cores
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import pandas as pd  # noqa: E402
import pyreadstat  # noqa: E402

from benchmarks.measure import Stages  # noqa: E402
from extract.exports import records_file  # noqa: E402
from flows.built_datasets import BuiltDatasets  # noqa: E402
from flows.pipeline import build  # noqa: E402
from flows.run_request import RunRequest  # noqa: E402
from metadata.dataset import Dataset  # noqa: E402
from publish import xpt  # noqa: E402

BLOCK = 1 << 20
LENGTHS = "resolve lengths"  # the stage that returns the datasets as they are written


def main(study: str, exports: Path, out: Path) -> None:
    """Build once and print the measures if they are wanted."""
    request, stages = RunRequest.of(study, str(exports), out=out), Stages(keep=(LENGTHS,))
    result = stages.whole("outside the stages", build, request, stages)
    if ALONE:
        rows = sum(count["rows"] for count in result.datasets.values())
        plain, size = _plainly(records_file(exports, "locked"), stages.kept[LENGTHS], out)
        shown = {"stages": stages.as_list(), "plain": plain.as_list(), "rows": rows, "bytes": size}
        print(json.dumps({**shown, "acceptance": result.acceptance}))


def _plainly(records: Path, made: BuiltDatasets, package: Path) -> tuple[Stages, int]:
    """Measure plain ways to read and write the same data; return them and the bytes of all transport files."""
    stages, scratch, texts = Stages(), package.with_name("plain"), [*map(_as_texts, made.everything.values())]
    (scratch / "ours").mkdir(parents=True)
    size = sum(path.stat().st_size for path in package.rglob("*.xpt"))
    stages("pandas reads the raw records", pd.read_csv, records, low_memory=False)
    stages("plain write of the transport files' bytes", plain_write, scratch / "bytes", size)
    stages("transport files by publish.xpt", _write_ours, made, date(2001, 12, 31), scratch / "ours")
    stages("transport files by pyreadstat", _write_others, texts, scratch)
    stages("plain copy of the package", shutil.copytree, package, scratch / "copy")
    return stages, size


def plain_write(path: Path, size: int) -> None:
    """Write so many bytes and force them to disk."""
    with path.open("wb") as file:
        for start in range(0, size, BLOCK):
            file.write(b"x" * min(BLOCK, size - start))
        file.flush()
        os.fsync(file.fileno())


def _write_ours(made: BuiltDatasets, created: date, folder: Path) -> None:
    for standard, datasets in made.standards:
        for dataset in datasets.values():
            xpt.write(dataset, folder / f"{dataset.name.lower()}.xpt", created, standard)


def _write_others(datasets: list[Dataset], folder: Path) -> None:
    for dataset in datasets:
        labels: dict[str, str | None] = {variable.name: variable.label for variable in dataset.metadata.variables}
        path = folder / f"{dataset.name.lower()}.xpt"
        pyreadstat.write_xport(
            dataset.frame, path, table_name=dataset.name, column_labels=labels, file_format_version=5
        )


def _as_texts(dataset: Dataset) -> Dataset:
    """Return the dataset with texts for categories, which pyreadstat does not take."""
    return replace(dataset, frame=dataset.frame.astype(dict.fromkeys(dataset.frame.select_dtypes("category"), "str")))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
