"""SDTM that was made elsewhere, as a study receives it: read whole, the parts of split domains joined.

A file is not changed: the package has it as it came. What the files leave open (special missing values, copies in other
forms, records that no variables tell apart) is kept as a doubt, one of each file.
Source: SDTMIG 3.3, section 4.1.6 (splitting domains: names of up to four characters that begin with the domain's).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from metadata.dataset import Dataset, DatasetMetadata
from metadata.errors import Gather, StudyError, UsageError
from metadata.standards import sdtm_dataset, sdtm_variables
from publish import found_datasets
from publish.disk import outside, sha256
from publish.found_datasets import FoundDatasets, FoundFile

SUBJECT = "USUBJID"
SUPPLEMENTAL = "SUPP"
QUALIFIER_KEYS = ("USUBJID", "IDVAR", "IDVARVAL", "QNAM")
DEMOGRAPHICS = "DM"
NAME = re.compile(r"[A-Z][A-Z0-9]{1,7}")


@dataclass(frozen=True)
class ReceivedFile:
    """One file as it came: the dataset that it is or is a part of, its rows, its hash and what it leaves open.

    A file that was not read has no ``dataset``.
    """

    path: Path
    dataset: str
    rows: int
    sha256: str
    doubts: tuple[str, ...]


@dataclass(frozen=True)
class ReceivedSdtm:
    """All datasets of a folder by name, in which split domains are whole, and the files that they came in.

    ``documents`` are define.xml and its stylesheets. ``id`` is a hash over names and contents of all files.
    """

    folder: Path
    datasets: dict[str, Dataset]
    files: tuple[ReceivedFile, ...]
    documents: tuple[Path, ...]
    id: str

    @property
    def rows(self) -> int:
        """The number of records of all datasets."""
        return sum(len(dataset.frame) for dataset in self.datasets.values())


def read(folder: Path, version: str) -> ReceivedSdtm:
    """Read the SDTM below a folder; ``version`` is that of the SDTMIG, whose labels joined datasets take.

    Raises UsageError if there is none, StudyError for all files that cannot be read or stand for one dataset twice, and
    OutsideError if the disk fails.
    """
    found = found_datasets.find(folder)
    with Gather() as gather:
        for name, problem in found.problems:
            gather.found.append(StudyError(f"{name}: {problem}".removeprefix(": "), str(folder)))
    if not found.sdtm:
        raise UsageError(f"{folder} holds no SDTM datasets")
    parts = _by_domain(found)
    joined = {name: _joined(name, members, version) for name, members in sorted(parts.items())}
    datasets = {name: _keyed(_labelled(dataset, version)) for name, dataset in joined.items()}
    files = [_file(found, member.name, name) for name, members in sorted(parts.items()) for member in members]
    known = {*(one.path for one in files), *found.copies}
    files += [_unread(path) for path in sorted(_data_files(folder)) if path not in known]
    documents = _documents(found)
    paths = [one.path for one in files if one.dataset]
    return ReceivedSdtm(folder, datasets, tuple(files), documents, _id(folder, [*paths, *documents]))


def _by_domain(found: FoundDatasets) -> dict[str, list[Dataset]]:
    """Return the datasets of each domain; raises StudyError where a domain is there whole and in parts."""
    domains: dict[str, list[Dataset]] = {}
    with Gather() as gather:
        for name, dataset in found.sdtm.items():
            with gather.part():
                if not NAME.fullmatch(name):
                    raise StudyError(f"'{name}' is not the name of a dataset", str(found.files[name].path))
                domains.setdefault(_domain(name, dataset), []).append(dataset)
        for domain, members in domains.items():
            names = [member.name for member in members]
            with gather.part():
                if len(names) > 1 and domain in names:
                    parts = ", ".join(name for name in names if name != domain)
                    raise StudyError(f"{domain} is there whole and in parts ({parts}): leave either out")
    return domains


def _domain(name: str, dataset: Dataset) -> str:
    """Return the dataset of which this one is a part: LB of LBCH, SUPPLB of SUPPLBCH; itself if it is whole."""
    prefix, variable = (SUPPLEMENTAL, "RDOMAIN") if name.startswith(SUPPLEMENTAL) else ("", "DOMAIN")
    if variable not in dataset.metadata.names:
        return name
    values = [text for text in dataset.coded(variable).held if text]
    own = name.removeprefix(prefix)
    return f"{prefix}{values[0]}" if len(values) == 1 and own.startswith(values[0]) else name


def _joined(name: str, parts: Sequence[Dataset], version: str) -> Dataset:
    """Return the records of all parts, with the variables of each; one that a part lacks is missing in its records.

    Raises StudyError for a variable that is a text in one part and a number in another.
    """
    if [part.name for part in parts] == [name]:
        return parts[0]
    variables = {one.name: one for part in reversed(parts) for one in reversed(part.metadata.variables)}
    ordered = list(dict.fromkeys(one for part in parts for one in part.metadata.names))
    for part in parts:
        for one in part.metadata.variables:
            if one.type != variables[one.name].type:
                raise StudyError(f"{one.name} is text in one part of {name} and a number in another ({part.name})")
    frame = pd.DataFrame({one: _stacked(one, variables[one].type, parts) for one in ordered})
    lengths = {one: max(part.metadata.variable(one).length or 0 for part in parts if one in part.metadata.names)
               for one in ordered}  # fmt: skip
    described = tuple(replace(variables[one], length=lengths[one] or None) for one in ordered)
    first = parts[0].metadata
    keys = tuple(dict.fromkeys(key for part in parts for key in part.metadata.keys))
    label = _label(name, version) or first.label
    return Dataset(DatasetMetadata(name, label, first.dataset_class, first.structure, keys, described), frame)


def _stacked(name: str, kind: str, parts: Sequence[Dataset]) -> pd.Series:
    empty = np.nan if kind == "Num" else ""
    columns = [
        part.frame[name].astype("float64" if kind == "Num" else "str")
        if name in part.frame
        else pd.Series(empty, range(len(part.frame)), "float64" if kind == "Num" else "str")
        for part in parts
    ]
    return pd.concat(columns, ignore_index=True)


def _labelled(dataset: Dataset, version: str) -> Dataset:
    """Return the dataset with the SDTMIG's labels where its file has none, such as another program's parquet."""
    if all(one.label for one in dataset.metadata.variables):
        return dataset
    try:
        labels = {one.name: one.label for one in sdtm_variables(version, dataset.name)}
    except StudyError:
        return dataset
    variables = tuple(
        one if one.label else replace(one, label=labels.get(one.name, "")) for one in dataset.metadata.variables
    )
    return dataset.with_metadata(replace(dataset.metadata, variables=variables))


def _label(name: str, version: str) -> str:
    try:
        return sdtm_dataset(version, name).label
    except StudyError:
        return ""


def _keyed(dataset: Dataset) -> Dataset:
    """Return the dataset with keys that tell its records apart: those declared, or the usual ones, or as near as is."""
    metadata = dataset.metadata
    usual = [(SUBJECT,), (SUBJECT, f"{dataset.name[:2]}SEQ"), QUALIFIER_KEYS, (SUBJECT, "VISITNUM"), (SUBJECT, "ETCD")]
    usual += [(SUBJECT, *(name for name in metadata.names if name.endswith(("TESTCD", "DTC", "SEQ"))))]
    tried = [metadata.keys, *usual, tuple(metadata.names)]
    possible = [keys for keys in tried if keys and set(keys) <= set(metadata.names)]
    keys = next((keys for keys in possible if not is_repeated(dataset.frame, keys)), possible[0])
    return dataset.with_metadata(replace(metadata, keys=keys))


def is_repeated(frame: pd.DataFrame, keys: Iterable[str]) -> bool:
    """Return True if several records of a frame have the same keys."""
    return bool(frame.duplicated(list(keys)).any())


def _file(found: FoundDatasets, name: str, dataset: str) -> ReceivedFile:
    file: FoundFile = found.files[name]
    copies = sorted(path.name for path in found.copies if path.stem.lower() == file.path.stem.lower())
    doubts = [*file.table.doubts, *(f"{copy} is there as well and was not read" for copy in copies)]
    with outside(f"read {file.path}"):
        return ReceivedFile(file.path, dataset, len(file.table.frame), sha256(file.path), tuple(doubts))


def _data_files(folder: Path) -> Iterator[Path]:
    suffixes = (*found_datasets.ORDER, ".csv")
    return (path for path in folder.rglob("*") if path.suffix.lower() in suffixes and path.is_file())


def _unread(path: Path) -> ReceivedFile:
    """Return a file of data that was not read, with why: a loss would not be seen otherwise."""
    named = found_datasets.DATASET_NAME.fullmatch(path.stem)
    why = "its place or its form is not that of a tabulation dataset" if named else "its name is not that of a dataset"
    with outside(f"read {path}"):
        return ReceivedFile(path, "", 0, sha256(path), (f"not read: {why}",))


def _documents(found: FoundDatasets) -> tuple[Path, ...]:
    """Return the define.xml of the SDTM, and the stylesheets and PDF files (annotated CRF, guide) next to it."""
    define = found.defines.get("sdtm")
    if define is None:
        return ()
    beside = (path for path in define.path.parent.iterdir() if path.suffix.lower() in (".xsl", ".pdf"))
    return (define.path, *sorted(beside))


def _id(folder: Path, paths: Iterable[Path]) -> str:
    """Return a hash over the names and contents of files, in the order of their names."""
    whole = hashlib.sha256()
    with outside(f"read {folder}"):
        for path in sorted(paths, key=lambda path: path.relative_to(folder).as_posix()):
            whole.update(f"{path.relative_to(folder).as_posix()}\0{sha256(path)}\n".encode())
    return whole.hexdigest()
