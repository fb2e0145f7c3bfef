"""Comparing two packages, or two folders of datasets: dataset by dataset, then the other files byte by byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from metadata.errors import UsageError
from publish.comparison import DatasetComparison, Tolerances, compare
from publish.comparison_findings import FindingDifference, compare_findings
from publish.comparison_tables import SUFFIXES, StoredTable, read_table
from publish.disk import outside, sha256

RESULTS = "reports/results.csv"
RESULT_KEYS = ("output", "analysis", "population", "subset", "group", "variable", "level", "statistic")
# Copies of the datasets, and what names the files: they differ where the datasets do.
DERIVED = ("parquet/", "dataset-json/", "manifest.json", RESULTS)
PAGE = "define.html"  # made from define.xml, which is compared


@dataclass(frozen=True)
class FolderComparison:
    """Datasets compared, datasets and files only in one, other files whose bytes differ, and findings that do."""

    datasets: tuple[DatasetComparison, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    files: tuple[str, ...]
    findings: tuple[FindingDifference, ...] = ()

    @property
    def equal(self) -> bool:
        found = (self.only_first, self.only_second, self.files, self.findings)
        return not any(found) and all(dataset.equal for dataset in self.datasets)


def compare_places(
    first: Path, second: Path, keys: Sequence[str], tolerances: Tolerances, ignored: Sequence[str] = ()
) -> FolderComparison:
    """Compare two datasets, two folders of datasets, or two packages.

    Raises UsageError for any other place, or for a file against a folder.
    """
    for place in (first, second):
        if not place.exists():
            raise UsageError(f"{place} does not exist")
    if first.is_dir() != second.is_dir():
        raise UsageError(f"{first} and {second} are a folder and a file; compare two of a kind")
    if first.is_dir():
        return _compare_folders(first, second, keys, tolerances, ignored)
    found = compare(read_table(first), read_table(second), keys, tolerances, ignored)
    return FolderComparison((found,), (), (), ())


def _compare_folders(
    first: Path, second: Path, keys: Sequence[str], tolerances: Tolerances, ignored: Sequence[str]
) -> FolderComparison:
    one, two = _datasets(first), _datasets(second)
    if not one or not two:
        raise UsageError(f"{second if one else first} holds no datasets ({', '.join(SUFFIXES)})")
    both = [name for name in one if name in two]
    compared = [_compare_pair(one[name], two[name], keys, tolerances, ignored) for name in both]
    files_one, files_two = (_other_files(place, found) for place, found in ((first, one), (second, two)))
    return FolderComparison(
        tuple(compared),
        tuple([name for name in one if name not in two] + [name for name in files_one if name not in files_two]),
        tuple([name for name in two if name not in one] + [name for name in files_two if name not in files_one]),
        tuple(name for name in files_one if name in files_two and not _same(files_one[name], files_two[name])),
        compare_findings(first, second),
    )


def _compare_pair(
    first: Path, second: Path, keys: Sequence[str], tolerances: Tolerances, ignored: Sequence[str]
) -> DatasetComparison:
    """In a folder of many datasets, keys and tolerances speak of those that have the variables."""
    one, two = read_table(first), read_table(second)
    known = [name for name in one.variables if name in two.variables]
    single = {name: value for name, value in tolerances.single.items() if name in known}
    fitting = list(keys) if keys and set(keys) <= set(known) else [] if one.keys else _result_keys(one)
    return compare(one, two, fitting, Tolerances(tolerances.general, single), ignored)


def _result_keys(table: StoredTable) -> list[str]:
    """The results data of a package have keys that their file cannot declare."""
    return list(RESULT_KEYS) if set(RESULT_KEYS) <= set(table.variables) else []


def _datasets(folder: Path) -> dict[str, Path]:
    """Datasets by a name that two packages share: transport files and results of a package, else all at the top."""
    if (folder / "m5").is_dir():
        found = {
            f"{path.parent.name.replace('datasets', 'adam')}/{path.name}": path for path in folder.glob("m5/**/*.xpt")
        }
        found |= {RESULTS: folder / RESULTS} if (folder / RESULTS).is_file() else {}
    else:
        found = {path.name: path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES}
    return dict(sorted(found.items()))


def _other_files(folder: Path, datasets: dict[str, Path]) -> dict[str, Path]:
    """All files of a package that are not datasets; none of another folder."""
    if not (folder / "m5").is_dir():
        return {}
    taken = set(datasets.values())
    found = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file() and path not in taken
    }
    return {name: found[name] for name in sorted(found) if not name.startswith(DERIVED) and found[name].name != PAGE}


def _same(first: Path, second: Path) -> bool:
    with outside(f"read {first} and {second}"):
        return first.stat().st_size == second.stat().st_size and sha256(first) == sha256(second)
