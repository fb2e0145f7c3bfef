"""Tables, figures and listings from datasets in files, of a package or made elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from flows.run_request import relative
from flows.stage_summaries import counted
from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.errors import UsageError
from metadata.study import Study

if TYPE_CHECKING:
    from publish.comparison_tables import StoredTable

FILES = ("*.xpt", "*.parquet")


def show_report(study: str, folders: Iterable[Path], out: Path) -> None:
    """Make the outputs and say where they are."""
    files = report(Study.open(study), folders, out)
    pages = sum(path.suffix == ".html" for path in files)
    print(f"{counted(pages, 'page')} in {relative(out)}: start at {relative(out / 'index.html')}")  # noqa: T201


def report(study: Study, folders: Iterable[Path], out: Path) -> list[Path]:
    """Compute the study's declared results from the datasets in the folders, and write its outputs into ``out``.

    Only study.yaml, reports.yaml and sap.md of the study are read. Outputs bear the study's cut-off as their date and
    the hash of the files as their source. Raises UsageError for folders without datasets, StudyError where reports.yaml
    does not fit them.
    """
    from reports.compute import compute
    from reports.html.pages import write

    paths = dataset_files(folders)
    _refuse(out, paths.values())
    datasets = {name: _read(path) for name, path in paths.items()}
    results = compute(study, datasets)
    return write(study, results, out, study.cutoff, _digest(paths.values()), datasets)


def dataset_files(folders: Iterable[Path]) -> dict[str, Path]:
    """Return the transport files under the folders by dataset name, or a folder's parquet files if it has no others."""
    found: dict[str, Path] = {}
    for folder in folders:
        files = next((files for kind in FILES if (files := sorted(folder.rglob(kind)))), [])
        if not files:
            raise UsageError(f"{folder} holds no transport files (*.xpt) and no parquet files")
        for path in files:
            name = path.stem.upper()
            if name in found:
                raise UsageError(f"{name} was found twice, as {found[name]} and as {path}; give a narrower folder")
            found[name] = path
    return found


def _refuse(out: Path, sources: Iterable[Path]) -> None:
    """Refuse to write outputs among the files they are made from, or into a package."""
    if out.is_symlink() or (out / "manifest.json").exists():
        raise UsageError(f"{relative(out)} is a package; choose another folder")
    if any(path.resolve().is_relative_to(out.resolve()) for path in sources):
        raise UsageError(f"{relative(out)} holds the datasets; choose another folder")


def _read(path: Path) -> Dataset:
    from publish.comparison_tables import read_table

    table = read_table(path)
    metadata = DatasetMetadata(path.stem.upper(), table.label, "", "", table.keys, tuple(_variables(table)))
    return Dataset(metadata, table.frame)


def _variables(table: StoredTable) -> Iterable[Variable]:
    for name, one in table.variables.items():
        yield Variable(name, one.label, "Num" if one.type == "Num" else "Char", format=one.format or None)


def _digest(paths: Iterable[Path]) -> str:
    whole = sha256()
    for path in paths:
        whole.update(path.name.encode() + sha256(path.read_bytes()).digest())
    return whole.hexdigest()
