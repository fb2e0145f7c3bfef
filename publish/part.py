"""What says in each file of a build that it has a part of the study only: the records of one data access group."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

from metadata.dataset import Dataset

ENTRY = "part"
DATASETS = "dataset-json"
LABEL_LENGTH = 40


def labelled(dataset: Dataset, mark: str) -> Dataset:
    """Return a dataset whose label, of at most 40 characters, ends with the mark; without one as it is."""
    if not mark:
        return dataset
    end = f" ({mark})"
    label = dataset.metadata.label[: LABEL_LENGTH - len(end)].rstrip() + end
    return dataset.with_metadata(replace(dataset.metadata, label=label))


def mark_files(folder: Path, part: str) -> None:
    """Add a blank column with this name to each CSV below ``folder``, an entry to each JSON object; nothing if blank.

    A CSV without rows says it as well. Pages, RTF, define.xml and datasets, also as Dataset-JSON, say it themselves.
    """
    for path in sorted(folder.rglob("*")) if part else ():
        if path.relative_to(folder).parts[0] == DATASETS:
            continue
        if path.suffix == ".csv":
            _mark_csv(path, part)
        elif path.suffix == ".json":
            _mark_json(path, part)


def _mark_csv(path: Path, part: str) -> None:
    with path.open(encoding="utf-8", newline="") as source:
        header, *rows = csv.reader(source)
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow([*header, part])
        writer.writerows([*row, ""] for row in rows)


def _mark_json(path: Path, part: str) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        text = json.dumps({ENTRY: part, **content}, indent=1, ensure_ascii=False)
        path.write_text(f"{text}\n", encoding="utf-8", newline="\n")
