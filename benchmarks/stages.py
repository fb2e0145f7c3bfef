"""One size in one process: from the records of so many patients to the files of a package.

    python -m benchmarks.stages STUDY RECORDS_CSV OUT_FOLDER

Prints one JSON object: the stages, and the floor beneath them. The floor reads the same raw file with pandas and writes
as many bytes as the transport files have, plainly.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pandas as pd

from adam.analyse import analyse
from benchmarks.floor import write_plainly
from benchmarks.measure import Stages
from metadata.dataset import Dataset
from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from publish import lengths, manifest
from publish.package import Build, Layout, verify_transport, write_lineage, write_transport
from sdtm.tabulate import tabulate

Datasets = Mapping[str, Dataset]


def rows_of(datasets: Datasets) -> int:
    return sum(len(dataset.frame) for dataset in datasets.values())


def run(study: Study, raw: Path, out: Path) -> dict[str, object]:
    """Run the stages once and return their measures, the floor's and the size of the transport files."""
    stages, created = Stages(), date.fromisoformat(study.cutoff)
    project, terminology = study.project(), Terminology.open(study)
    records = stages.run("read records", lambda: Records.read(project, raw), lambda found: len(found.frame))
    sdtm: Datasets = stages.run(
        "tabulate", lambda: tabulate(study, records, terminology).datasets, lambda found: rows_of(found)
    )
    adam: Datasets = stages.run("analyse", lambda: analyse(study, sdtm, terminology), rows_of)
    inputs = manifest.Inputs(study, "0" * 64, study.cutoff)
    with Build(out, manifest.package_id(inputs), study.studyid) as build:
        sized = stages.run("lengths", lambda: lengths.resolve({**sdtm, **adam}), rows_of)
        parts = {"sdtm": {name: sized[name] for name in sdtm}, "adam": {name: sized[name] for name in adam}}
        stages.run("transport and parquet", lambda: _write(build.layout, parts, created), lambda _: rows_of(sized))
        stages.run("lineage", lambda: write_lineage(build.layout, sized, records), lambda _: _edges(sized))
        stages.run("manifest and switch", lambda: _finish(build, inputs))
        stages.run("read back", lambda: _verify(build.layout, parts, created), lambda _: rows_of(sized))
        size = sum(path.stat().st_size for path in build.layout.root.rglob("*.xpt"))
    floor = Stages()
    floor.run("pandas.read_csv", lambda: pd.read_csv(raw, low_memory=False), len)
    floor.run("plain write", lambda: write_plainly(out.with_name("plain.bin"), size))
    datasets = {name: len(dataset.frame) for name, dataset in sized.items()}
    return {"stages": stages.as_list(), "floor": floor.as_list(), "bytes": size, "datasets": datasets}


def _write(layout: Layout, parts: Mapping[str, Datasets], created: date) -> None:
    write_transport(layout, "sdtm", parts["sdtm"], created)
    write_transport(layout, "adam", parts["adam"], created)


def _verify(layout: Layout, parts: Mapping[str, Datasets], created: date) -> None:
    verify_transport(layout, "sdtm", parts["sdtm"], created)
    verify_transport(layout, "adam", parts["adam"], created)


def _finish(build: Build, inputs: manifest.Inputs) -> None:
    manifest.write(build.layout.root, inputs)
    build.publish()


def _edges(datasets: Datasets) -> int:
    return sum(len(dataset.lineage) for dataset in datasets.values())


if __name__ == "__main__":
    given, raw_file, folder = sys.argv[1:4]
    sys.stdout.write(json.dumps(run(Study.open(given), Path(raw_file), Path(folder))))
