"""The datasets that lie in a folder: SDTM, ADaM or both, in any layout, made by anyone.

Of a dataset that lies there in several forms the transport file counts, then Dataset-JSON, parquet, SAS. Parts of a
split dataset (folder ``split``) are left out where the whole is there. What cannot be read is kept as a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from metadata.dataset import ANALYSIS_CLASSES, Dataset, DatasetMetadata, Variable
from metadata.errors import OutsideError, StudyError, UsageError
from metadata.standards import sdtm_dataset
from publish import define_reading
from publish.comparison_tables import StoredTable, read_table
from publish.dataset_json_reading import SUFFIXES as JSON
from publish.define_reading import DefinedDataset, DefinedStudy, DefinedVariable

Kind = Literal["sdtm", "adam"]
ORDER = (".xpt", *JSON, ".parquet", ".sas7bdat")
DATASET_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
NOT_DATASETS = ("manifest", "conformance", "acceptance", "results", "package")
LEFT_OUT = ("split", "lineage", "reports", "validation", "programs", ".git")
ANALYSIS = re.compile(r"(^|[/\\_-])(adam|analysis)($|[/\\_-])")
OCCURRENCE = re.compile(r"[A-Z]{2}(?:TERM|TRT|DECOD)")
SUBJECT_LEVEL, BASIC, OCCURRENCES, OTHER = ANALYSIS_CLASSES
GUIDE = "3.3"


@dataclass(frozen=True)
class FoundFile:
    """One file of a dataset, with what it says of itself."""

    path: Path
    kind: Kind
    table: StoredTable


@dataclass(frozen=True)
class FoundDatasets:
    """The datasets by name, the files from which they were read, and what could not be read or lies there twice."""

    sdtm: dict[str, Dataset]
    adam: dict[str, Dataset]
    files: dict[str, FoundFile]
    defines: dict[Kind, DefinedStudy]
    problems: tuple[tuple[str, str], ...] = field(default=())
    copies: tuple[Path, ...] = field(default=())
    """Files of the same datasets in other forms, which were not read."""

    @property
    def studyid(self) -> str:
        """STUDYID of DM, else of ADSL, else of the first dataset: the commonest; blank if there is none."""
        order = [*(one for one in (self.sdtm.get("DM"), self.adam.get("ADSL")) if one), *self.sdtm.values()]
        for dataset in [*order, *self.adam.values()]:
            if "STUDYID" in dataset.frame.columns and len(dataset.frame):
                return str(dataset.frame["STUDYID"].value_counts().index[0])
        return ""


def find(folder: Path, define: Path | None = None) -> FoundDatasets:
    """Read all datasets below a folder and the define.xml of their folder, or the one that is given.

    Raises UsageError if no dataset is there, OutsideError if the disk fails.
    """
    problems: list[tuple[str, str]] = []
    defines = _defines(folder, define, problems)
    tables: dict[str, FoundFile] = {}
    chosen, copies = _chosen(folder, problems)
    for path in chosen:
        try:
            table = read_table(path)
        except (UsageError, OutsideError) as error:
            problems.append((path.stem.upper(), str(error).replace(str(folder), ".")))
            continue
        kind = _kind(path.relative_to(folder), table, defines)
        if table.name in tables:
            problems.append((table.name, f"{_shown(folder, path)} is a second dataset of this name."))
            continue
        tables[table.name] = FoundFile(path, kind, table)
    if not tables and not problems:
        raise UsageError(f"{folder} holds no datasets ({', '.join(ORDER)})")
    made = {name: _dataset(one, defines.get(one.kind)) for name, one in sorted(tables.items())}
    by_kind: dict[Kind, dict[str, Dataset]] = {"sdtm": {}, "adam": {}}
    for name, dataset in made.items():
        by_kind[tables[name].kind][name] = dataset
    return FoundDatasets(by_kind["sdtm"], by_kind["adam"], tables, defines, tuple(problems), copies)


def _shown(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _chosen(folder: Path, problems: list[tuple[str, str]]) -> tuple[list[Path], tuple[Path, ...]]:
    """Return one file for each dataset (of a package those below m5, of several forms the first), and its copies."""
    root = folder / "m5" if (folder / "m5").is_dir() else folder
    found: dict[str, list[Path]] = {}
    for path in sorted(_candidates(root)):
        found.setdefault(path.stem.lower(), []).append(path)
    chosen, copies = [], list[Path]()
    for paths in found.values():
        paths.sort(key=lambda path: (ORDER.index(path.suffix.lower()), path))
        same = [path for path in paths if path.suffix.lower() == paths[0].suffix.lower()]
        copies += paths[len(same) :]
        chosen.append(paths[0])
        problems += [
            (
                path.stem.upper(),
                f"{_shown(folder, path)} is there, and {_shown(folder, paths[0])}; one was judged.",
            )
            for path in same[1:]
        ]
    return chosen, tuple(copies)


def _candidates(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts[:-1]
        is_data = path.suffix.lower() in ORDER and DATASET_NAME.fullmatch(path.stem) and path.is_file()
        if is_data and not set(parts) & set(LEFT_OUT) and path.stem not in NOT_DATASETS:
            yield path


def _defines(folder: Path, given: Path | None, problems: list[tuple[str, str]]) -> dict[Kind, DefinedStudy]:
    if given is not None and not given.is_file():
        raise UsageError(f"--define {given}: the file does not exist")
    found: dict[Kind, DefinedStudy] = {}
    for path in [given] if given else sorted(folder.rglob("define*.xml")):
        try:
            read = define_reading.read(path)
        except UsageError as error:
            problems.append(("", str(error).replace(str(folder), ".")))
            continue
        is_analysis = any(name.upper().startswith("ADAM") for name, *_ in read.standards) or "ADSL" in read.datasets
        found.setdefault("adam" if is_analysis else "sdtm", read)
    return found


def _kind(path: Path, table: StoredTable, defines: Mapping[Kind, DefinedStudy]) -> Kind:
    """Return the standard of a dataset: by define.xml, else by folder, name and variables."""
    for kind, define in defines.items():
        if table.name in define.datasets:
            return kind
    if ANALYSIS.search(path.parent.as_posix().lower()):
        return "adam"
    names = set(table.variables)
    if "DOMAIN" not in names and "RDOMAIN" not in names and (table.name.startswith("AD") or "PARAMCD" in names):
        return "adam"
    return "sdtm"


def _dataset(found: FoundFile, define: DefinedStudy | None) -> Dataset:
    """Return the dataset with what its file says of it, and what define.xml adds."""
    table = found.table
    defined = define.datasets.get(table.name) if define else None
    described = {one.name: one for one in defined.variables} if defined else {}
    metadata = DatasetMetadata(
        table.name,
        table.label or (defined.label if defined else ""),
        _class(found, defined),
        defined.structure if defined else "",
        defined.keys if defined else table.keys,
        tuple(_variable(table, name, described.get(name)) for name in table.variables),
    )
    return Dataset(metadata, table.frame)


def _variable(table: StoredTable, name: str, defined: DefinedVariable | None) -> Variable:
    stored = table.variables[name]
    length = int(stored.length) if stored.length.isdigit() else None
    terms = defined.terms if defined else None
    return Variable(
        name,
        stored.label or (defined.label if defined else ""),
        "Num" if stored.type == "Num" else "Char",
        length,
        codelist=(terms.code or None) if terms else None,
        format=f"{stored.format}." if stored.format and "." not in stored.format else stored.format or None,
        origin=defined.origin if defined else "",
        method=defined.method if defined else "",
        terms=terms.terms if terms and stored.type != "Num" else (),
    )


def _class(found: FoundFile, defined: DefinedDataset | None) -> str:
    """Return the class, of SDTM by the guide and of ADaM by define.xml or by the variables that make it."""
    name, names = found.table.name, set(found.table.variables)
    if found.kind == "sdtm":
        return _sdtm_class(name, names)
    declared = defined.dataset_class.upper() if defined else ""
    if declared in ANALYSIS_CLASSES:
        return declared
    if name == "ADSL":
        return SUBJECT_LEVEL
    if "PARAMCD" in names:
        return BASIC
    return OCCURRENCES if any(map(OCCURRENCE.fullmatch, names)) else OTHER


def _sdtm_class(name: str, names: set[str]) -> str:
    if name.startswith("SUPP") or name.startswith("SQ"):
        return "Relationship"
    for wanted in (name, name[:2]):
        try:
            return sdtm_dataset(GUIDE, wanted).dataset_class
        except StudyError:
            continue
    if f"{name[:2]}TESTCD" in names:
        return "Findings"
    return "Events" if f"{name[:2]}TERM" in names else "Interventions" if f"{name[:2]}TRT" in names else ""
