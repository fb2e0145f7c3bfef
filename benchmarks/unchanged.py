"""``python -m benchmarks.unchanged BEFORE AFTER``: whether a change of the engine left what it makes as it was.

BEFORE and AFTER are folders with a package of each bundled study (``BEFORE/<study>``), built by two versions of the
engine from the same records. What a regulator or an analyst receives must be the same, byte for byte; every other file
may differ only where ``CHANGED`` says why. Exit code 0: nothing else changed; 1: something did, and each file is named.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd

# Byte for byte. Of results.csv all columns but these two, which say how and not what.
SAME = ("m5/**/*.xpt", "m5/**/define.xml", "parquet/**/*.parquet", "lineage/*.parquet")
RESULTS = "reports/results.csv"
SAID_ONLY = ("filter", "warning")
# Estimates of an iterative method that was replaced agree to this many significant digits, and print alike.
REPLACED = ("Poisson",)
DIGITS = 10
# Pattern of files that may differ, and why.
CHANGED = {
    "manifest.json": "sizes and hashes of the files below, of the mapping and of the library versions",
    "reports/results.json": "the same rows as results.csv, with filter and warning",
    "validation/read_back.csv": "new: the rows of each transport file, and how many of them ReadStat read",
    "validation/books.csv": "it is reconciliation.csv, the column balanced reconciled",
    "validation/reconciliation.csv": "the same rows as books.csv before",
    "validation/acceptance.json": "the tests of a condition are joined by and, as everywhere else",
    "validation/second_derivation.json": "where as it is declared, and records_compared, which says it",
    "validation/conformance.*": "rules come in the order of their files, one folder of rules",
    "validation/*.html": "the pages share one frame: a line end after the notice of synthetic data",
    "reports/F*.svg": "drawn by matplotlib",
    "reports/F*.png": "drawn by matplotlib",
    "reports/*.html": "listings scroll within their part of the page; figures are drawn by matplotlib",
    "reports/F*.rtf": "drawn by matplotlib",
    "reports/ars.json": "where clauses follow the filters of results.csv",
}


def differences(before: Path, after: Path) -> list[str]:
    """Return one sentence for each file of a package that is not as it was and need not have changed."""
    files = sorted({path.relative_to(root) for root in (before, after) for path in root.rglob("*") if path.is_file()})
    found = [_judge(before, after, file) for file in files]
    return [sentence for sentence in found if sentence]


def _judge(before: Path, after: Path, file: Path) -> str:
    name = file.as_posix()
    one, other = before / file, after / file
    if name == RESULTS and one.exists() and other.exists():
        return compare_results(one, other)
    if one.exists() and other.exists() and one.read_bytes() == other.read_bytes():
        return ""
    if any(fnmatch(name, pattern.replace("**/", "*")) for pattern in SAME):
        return f"{name} must be the same, byte for byte"
    if any(fnmatch(name, pattern) for pattern in CHANGED):
        return ""
    state = "is gone" if not other.exists() else "is new" if not one.exists() else "differs"
    return f"{name} {state}, and CHANGED does not say why"


def compare_results(before: Path, after: Path) -> str:
    """Return what differs between two results.csv, empty if nothing that counts does."""
    one, other = (pd.read_csv(path, dtype=str, keep_default_na=False) for path in (before, after))
    if list(one.columns) != list(other.columns) or len(one) != len(other):
        return f"{RESULTS} has other columns or another number of rows"
    same = one.eq(other)
    replaced = one["method"].str.contains("|".join(REPLACED))
    same["value"] |= replaced & _rounded(one["value"]).eq(_rounded(other["value"]))
    judged = [name for name in one.columns if name not in SAID_ONLY]
    wrong = [name for name in judged if not same[name].all()]
    rows = (~same[judged].all(axis=1)).sum()
    return f"{RESULTS}: {rows} rows differ in {', '.join(wrong)}" if wrong else ""


def _rounded(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values, errors="coerce").map(f"{{:.{DIGITS}g}}".format)


def main(arguments: list[str]) -> int:
    """Compare the packages of every study that BEFORE has; return the exit code."""
    before, after = map(Path, arguments)
    studies = sorted(path.name for path in before.iterdir() if (path / "manifest.json").is_file())
    found = [
        f"{study}/{sentence}"
        for study in studies
        for sentence in (differences(before / study, after / study) if (after / study).is_dir() else ["was not built"])
    ]
    print("\n".join(found) or f"nothing changed but what is listed, in {', '.join(studies)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
