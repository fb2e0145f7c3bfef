"""The stages of a study that begins with SDTM made elsewhere: read it, check it, and copy it into the package."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from flows import quality_gates
from flows.built_datasets import BuiltDatasets
from flows.run_request import RunRequest
from metadata.dataset import Dataset
from metadata.errors import Gather, StudyError
from metadata.study import Study

if TYPE_CHECKING:
    from publish.package import PackageLayout
    from publish.received_sdtm import ReceivedSdtm

SUBJECT, DEMOGRAPHICS, RELATED = "USUBJID", "DM", "RELREC"
LISTING = "received.csv"


def receive(request: RunRequest) -> ReceivedSdtm:
    """Read the datasets of the folder that the user or study.yaml names; raises StudyError for what cannot be read."""
    from publish.received_sdtm import read

    return read(Path(request.source), request.study.standards["sdtmig"])


def check(study: Study, received: ReceivedSdtm, folder: Path) -> int:
    """List the files received, and check that they are this study's and have each subject once, in DM.

    Writes received.csv into ``folder``. Raises StudyError for all that stops a build; returns the number of datasets.
    """
    quality_gates.write_findings(_listing(received), folder / LISTING)
    with Gather() as gather:
        gather.found += faults(study, received.datasets)
    return len(received.datasets)


def _listing(received: ReceivedSdtm) -> pd.DataFrame:
    """Return one row for each file: where it was, the dataset, rows, hash and what it leaves open."""
    rows = [
        (one.path.relative_to(received.folder).as_posix(), one.dataset, one.rows, one.sha256, "; ".join(one.doubts))
        for one in received.files
    ]
    return pd.DataFrame(rows, columns=["file", "dataset", "rows", "sha256", "doubts"])


def faults(study: Study, datasets: dict[str, Dataset]) -> Iterator[StudyError]:
    """Yield why datasets cannot be this study's: no DM, subjects twice or unknown to DM, another STUDYID."""
    level = datasets.get(DEMOGRAPHICS)
    if level is None or not len(level.frame) or SUBJECT not in level.metadata.names:
        yield StudyError(f"the SDTM has no {DEMOGRAPHICS} with the subjects ({SUBJECT}), of which all else speaks")
        return
    subjects = level.frame[SUBJECT].astype("str")
    twice = subjects[subjects.duplicated()]
    if len(twice):
        yield StudyError(f"{DEMOGRAPHICS} has {len(twice)} subjects twice, first {SUBJECT} {twice.iloc[0]}")
    for name, dataset in datasets.items():
        yield from _foreign(study, name, dataset)
        if SUBJECT in dataset.metadata.names:
            of_rows = dataset.frame[SUBJECT].astype("str")
            of_datasets = (name == RELATED) & (of_rows == "")  # a relation of whole datasets names no subject
            unknown = of_rows[~of_rows.isin(subjects) & ~of_datasets]
            if len(unknown):
                count = f"{len(unknown)} record{'s' * (len(unknown) != 1)}"
                yield StudyError(f"{name} has {count} of subjects that {DEMOGRAPHICS} lacks, first {unknown.iloc[0]!r}")


def _foreign(study: Study, name: str, dataset: Dataset) -> Iterator[StudyError]:
    if "STUDYID" not in dataset.metadata.names:
        return
    others = sorted(set(dataset.coded("STUDYID").held) - {study.studyid})
    if others:
        problem = f"{name} is of the study {', '.join(map(repr, others))}, and study.yaml is of '{study.studyid}'"
        yield StudyError(problem, f"{study.name}/study.yaml", None, "id")


def copy(layout: PackageLayout, received: ReceivedSdtm, built: BuiltDatasets) -> list[Path]:
    """Copy the files received, as they are, into the package, and write its parquet files; return the copies."""
    from publish import parquet
    from publish.disk import outside

    folder, parquet_folder = layout.transport("sdtm"), layout.parquet("sdtm")
    layout.make(folder, parquet_folder)
    copies = []
    for path in [*(one.path for one in received.files if one.dataset), *received.documents]:
        with outside(f"write to {folder}"):
            copies.append(Path(shutil.copyfile(path, folder / path.name.lower())))
    for name, dataset in built.sdtm.items():
        parquet.write(dataset, parquet_folder / f"{name.lower()}.parquet")
    return copies
