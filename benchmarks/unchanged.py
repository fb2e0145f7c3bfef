"""``python -m benchmarks.unchanged BEFORE AFTER``: whether a change of the engine left what it makes as it was.

BEFORE and AFTER are folders with a package of each bundled study (``BEFORE/<study>``), built by two versions of the
engine from the same records. What a regulator or an analyst receives must be the same, byte for byte, but for the
variables that ``DATASETS`` names; every other file may differ only where ``CHANGED`` says why. Both lists say what has
changed since 45fcad8. Exit code 0: nothing else changed; 1: something did, and each file is named.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd

# Byte for byte, unless DATASETS has the dataset.
SAME = ("m5/**/*.xpt", "parquet/**/*.parquet", "lineage/*.parquet")
# Of results.csv all columns but these two, which say how and not what.
RESULTS = "reports/results.csv"
EXPLAINS_ONLY = ("filter", "warning")
# Estimates of an iterative method that was replaced agree to this many significant digits, and print alike.
REPLACED = ("Poisson",)
DIGITS = 10


@dataclass(frozen=True)
class ChangedDataset:
    """Why a dataset is not as it was, and which of its variables may be there, be gone or have other values.

    ``*`` is every one, also of a dataset that was not there. Without variables only the metadata that parquet and
    define.xml carry, or the lineage, may differ.
    """

    why: str
    variables: tuple[str, ...] = ()


def _standard_result(domain: str, *more: str, why: str = "") -> ChangedDataset:
    """Return the change of a domain of findings: a result that is not converted keeps its digits."""
    return ChangedDataset(
        f"a result that is not converted is copied with all its digits{why}", (f"{domain}STRESC", *more)
    )


DATASETS: Mapping[str, ChangedDataset] = {
    # tabulation
    "dd": ChangedDataset("the cause of death is coded", ("DDSTRESC",)),
    "dm": ChangedDataset("methods: an exposure that goes on counts with its start"),
    "ds": ChangedDataset("DSTERM is COMPLETED where DSDECOD is", ("DSTERM",)),
    "fa": _standard_result(
        "FA",
        "FAGRPID",
        "FAORRES",
        "FALOBXFL",
        why="; sites of onset are told apart by their choice, each with its flag",
    ),
    "ft": _standard_result("FT"),
    "lb": _standard_result("LB"),
    "mo": _standard_result("MO"),
    "qs": _standard_result("QS"),
    "relrec": ChangedDataset("a death is related to the event that caused it", ("*",)),
    "suppae": ChangedDataset("the names of qualifiers do not end in FN, as numbers of flags do", ("QNAM",)),
    "ts": ChangedDataset(
        "the enrolled are counted, the sponsor is named, dictionaries have their versions",
        ("TSVAL", "TSVALNF", "TSVALCD", "TSVCDVER"),
    ),
    "vs": _standard_result("VS", "VSLOBXFL", why="; each position has its last observation before exposure"),
    # analysis
    "adae": ChangedDataset(
        "the names of qualifiers do not end in FN", ("AERELIFB", "AERELIFN", "AEACNIFB", "AEACNIFN")
    ),
    "adce": ChangedDataset("methods: a phrase without a full stop"),
    "adedss": ChangedDataset("methods: a criterion is missing where a missing value leaves it open"),
    "adis": ChangedDataset("methods: a criterion is missing where a missing value leaves it open"),
    "adlb": ChangedDataset("what is missing comes last in every order, as the DTYPE of a collected record", ("ASEQ",)),
    "admo": ChangedDataset("methods: a criterion is missing where a missing value leaves it open"),
    "adrelr": ChangedDataset("methods: SRCSEQ is derived; lineage: keys of FA"),
    "adsl": ChangedDataset(
        "the cause of death is coded; methods of an exposure that goes on; keys of FA", ("DTHCAUS",)
    ),
    "advs": ChangedDataset(
        "each position has its last observation before exposure; a criterion's method", ("VSLOBXFL",)
    ),
}
RESULT_ROWS: Mapping[str, str] = {
    "T14.3.9": "lines of grades that no laboratory result of the study can have are gone",
    "T14.2.5": "a paired t test takes the values as they are; the declared precision is for tests of ranks",
    "T14.3.6": "comparisons of treatments take the values as they are recorded, not as they are printed",
}
"""Outputs whose results may be others, and why."""
CHANGED: Mapping[str, str] = {
    "manifest.json": "sizes and hashes of the files below, of the mapping and of the library versions; a seal",
    "index.html": "new: the first page of the package",
    "dataset-json/*": "new: the datasets as Dataset-JSON 1.1",
    "m5/*/define.xml": "Define-XML 2.1 with pages, documents and results; of the analysis datasets as well",
    "m5/*/define.html": "new: define.xml as a page",
    "m5/*/define2-1.xsl": "new for the analysis datasets",
    "m5/*/acrf.pdf": "new: the annotated CRF",
    "m5/*/csdrg.pdf": "new: the reviewer's guide of the tabulations",
    "m5/*/adrg.pdf": "new: the reviewer's guide of the analysis datasets",
    "m5/*/sap.pdf": "new: the analysis plan",
    "m5/*/programs/*.txt": "new: the programs as texts",
    "reports/results.json": "the same rows as results.csv, with filter and warning",
    "reports/ars.json": "where clauses follow the filters of results.csv; valid against its schema",
    "reports/*.html": "the snapshot's id, listings scroll within their part of the page, figures by matplotlib",
    "reports/*.rtf": "the snapshot's id; figures by matplotlib",
    "reports/F*.svg": "drawn by matplotlib",
    "reports/F*.png": "drawn by matplotlib",
    "validation/read_back.csv": "new: the rows of each transport file, and how many of them ReadStat read",
    "validation/sdtm.csv": "the sentence on a text that is not a term of its codelist",
    "validation/unused_rows.csv": "new: rows of a study's tables that nothing uses",
    "validation/merged_choices.csv": "new: choices of a field that become one term",
    "validation/books.csv": "it is reconciliation.csv, the column balanced reconciled",
    "validation/reconciliation.csv": "the same rows as books.csv before",
    "validation/acceptance.json": "the tests of a condition are joined by and, as everywhere else",
    "validation/second_derivation.json": "where as it is declared, and records_compared, which says it",
    "validation/conformance.*": "more rules, in the order of their files, one folder of rules",
    "validation/drift.csv": "the columns code and touches",
    "validation/queries.csv": "the columns site, first_seen, age_days and resolved_on; texts are quoted",
    "validation/queries.xlsx": "new: the queries as a workbook",
    "validation/queries_by_site/*": "new: the queries of each site",
    "validation/*.html": "the pages share one frame: a line end after the notice of synthetic data",
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
        return _judge_dataset(one, other, name)
    if any(fnmatch(name, pattern) for pattern in CHANGED):
        return ""
    return f"{name} {_state(one, other)}, and CHANGED does not say why"


def _state(one: Path, other: Path) -> str:
    return "is gone" if not other.exists() else "is new" if not one.exists() else "differs"


def _judge_dataset(one: Path, other: Path, name: str) -> str:
    """Hold the values of a dataset to what may have changed; its transport file and lineage follow them."""
    change = DATASETS.get(one.stem)
    if change is None:
        return f"{name} must be the same, byte for byte, and {_state(one, other)}"
    if "*" in change.variables:
        return ""
    if not (one.exists() and other.exists()):
        return f"{name} {_state(one, other)}, and DATASETS does not say why"
    if not name.startswith("parquet/"):
        return ""
    wrong = _changed_variables(pd.read_parquet(one), pd.read_parquet(other)) - set(change.variables)
    return f"{name} differs in {', '.join(sorted(wrong))}, which DATASETS does not name" if wrong else ""


def _changed_variables(before: pd.DataFrame, after: pd.DataFrame) -> set[str]:
    """Return the variables that are there on one side only or have other values; all of them for other rows."""
    both = set(before.columns) & set(after.columns)
    if len(before) != len(after):
        return set(before.columns) | set(after.columns)
    texts = [frame.astype("str").fillna("") for frame in (before, after)]
    return (set(before.columns) ^ set(after.columns)) | {
        name for name in both if texts[0][name].to_numpy().tolist() != texts[1][name].to_numpy().tolist()
    }


def compare_results(before: Path, after: Path) -> str:
    """Return what differs between two results.csv, empty if nothing that counts does."""
    one, other = (pd.read_csv(path, dtype=str, keep_default_na=False) for path in (before, after))
    one, other = (rows[~rows["output"].isin(RESULT_ROWS)].reset_index(drop=True) for rows in (one, other))
    if list(one.columns) != list(other.columns) or len(one) != len(other):
        return f"{RESULTS} has other columns or another number of rows"
    same = one.eq(other)
    replaced = one["method"].str.contains("|".join(REPLACED))
    same["value"] |= replaced & _rounded(one["value"]).eq(_rounded(other["value"]))
    judged = [name for name in one.columns if name not in EXPLAINS_ONLY]
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
