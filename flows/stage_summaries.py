"""Summaries of what each stage returned: counts and names of datasets, never a value of a patient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from metadata.dataset import Dataset

if TYPE_CHECKING:
    from extract.snapshot import StoredSnapshot
    from publish.crf.annotations import CrfPages
    from publish.received_sdtm import ReceivedSdtm
    from publish.study_page.forms import KeptForms
    from sdtm.build.tabulate import Tabulation
    from validation.queries.history import Queries

SEVERITIES = ("error", "warning", "note")


def nothing(_: object) -> str:
    """Return an empty summary."""
    return ""


def counted(number: int, thing: str, things: str = "") -> str:
    """Return a number with its noun: 1 row, 1,204 rows."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def of_folder(folder: Path) -> str:
    """Name a folder."""
    return folder.name


def of_snapshot(stored: StoredSnapshot) -> str:
    """Count records, rows and forms."""
    snapshot = stored.snapshot
    records = snapshot.records.record.nunique()
    forms = len(snapshot.project.dictionary.forms)
    parts = [counted(records, "record"), counted(len(snapshot.records), "row"), counted(forms, "form")]
    part = f"; data access group {snapshot.group} only" if snapshot.group else ""
    warned = f"; {counted(len(snapshot.warnings), 'warning')} in drift.csv" if snapshot.warnings else ""
    return f"{', '.join(parts)}; data of {snapshot.date}{part}{warned}"


def of_received(received: ReceivedSdtm) -> str:
    """Count files, datasets, rows, and files that leave something open."""
    doubtful = sum(bool(one.doubts) for one in received.files)
    doubts = f"; {counted(doubtful, 'file')} with doubts in received.csv" if doubtful else ""
    parts = [counted(len(received.files), "file"), counted(len(received.datasets), "dataset")]
    return f"{', '.join([*parts, counted(received.rows, 'row')])}{doubts}"


def count_queries(listing: pd.DataFrame) -> dict[str, int]:
    """Count queries: all that the records have, the open and of these the new ones, each severity; and the resolved."""
    status = listing["status"].value_counts()
    new, resolved = (int(status.get(name, 0)) for name in ("new", "resolved"))
    severity = listing.loc[listing["status"] != "resolved", "severity"].value_counts()
    counts = {"all": len(listing) - resolved, "open": int(status.get("open", 0)) + new, "new": new}
    return counts | {name: int(severity.get(name, 0)) for name in SEVERITIES} | {"resolved": resolved}


def of_queries(queries: Queries) -> str:
    """Count queries, open ones, errors, and what is new or resolved."""
    counts = count_queries(queries.listed)
    since = ", ".join(f"{counts[name]} {name}" for name in ("new", "resolved") if counts[name])
    sentence = f"{counted(counts['all'], 'query', 'queries')}, {counts['open']} open"
    severities = ", ".join(f"{counts[name]} {name}" for name in SEVERITIES)
    return "; ".join(part for part in (sentence, severities, since) if part)


def count_datasets(standards: Iterable[tuple[str, Mapping[str, Dataset]]]) -> dict[str, dict[str, Any]]:
    """Count rows and variables of each dataset of each standard."""
    return {
        name: {"standard": standard, "rows": len(one.frame), "variables": len(one.metadata.variables)}
        for standard, datasets in standards
        for name, one in datasets.items()
    }


def of_datasets(datasets: Mapping[str, Dataset]) -> str:
    """Count datasets and rows."""
    rows = sum(len(one.frame) for one in datasets.values())
    return f"{counted(len(datasets), 'dataset')}, {counted(rows, 'row')}"


def of_forms(forms: KeptForms) -> str:
    """Say how many entries of how many forms there are."""
    kept = [state.entries for state in forms.states if state.entries]
    return f"{sum(kept):,} entries of {len(kept)} forms"


def of_tabulation(tabulation: Tabulation) -> str:
    """Count datasets, rows, withheld values, rows of tables that nothing uses, and terms of several choices."""
    withheld = counted(len(tabulation.withheld), "value")
    unused = f"; {counted(len(tabulation.unused_rows), 'row')} of tables unused" if len(tabulation.unused_rows) else ""
    merged = len(tabulation.merged_choices)
    several = f"; {counted(merged, 'term')} of several choices" if merged else ""
    return f"{of_datasets(tabulation.datasets)}; {withheld} withheld{unused}{several}"


def of_paths(paths: list[Path]) -> str:
    """Count files and their size."""
    size = sum(path.stat().st_size for path in paths if path.is_file())
    return f"{counted(len(paths), 'file')}, {size / 1e6:.1f} MB"


def of_crf(pages: CrfPages, unshown: Sequence[str] = ()) -> str:
    """Count the variables that are annotated, the pages on which they are, and fields that it cannot show whole."""
    variables = {key[:2] for key in pages}
    numbers = {number for found in pages.values() for number in found}
    said = f"{counted(len(variables), 'variable')} on {counted(len(numbers), 'page')}"
    return f"{said}; letters that its font lacks: {', '.join(unshown)}" if unshown else said


def of_results(results: pd.DataFrame) -> str:
    """Count statistics."""
    return counted(len(results), "statistic")


def of_checks(count: int) -> str:
    """Count checks that passed."""
    return f"{counted(count, 'check')} held"


def count_acceptance(result: Mapping[str, Any]) -> dict[str, int]:
    """Count expectations, those that were met, and those that were not judged."""
    return {name: int(result[name]) for name in ("expectations", "met", "not_judged")}


def of_acceptance(result: Mapping[str, Any]) -> str:
    """Count expectations that were met, and those that were not judged, if any."""
    left = int(result["not_judged"])
    sentence = f"{result['met']} of {int(result['expectations']) - left} expectations met"
    return f"{sentence}, {left} not judged" if left else sentence


def count_conformance(counts: Mapping[str, int]) -> dict[str, int]:
    """Count the findings that the study does not explain, and the errors among them."""
    return {"unexplained": int(counts["unexplained"]), "errors": int(counts["errors"])}


def of_conformance(counts: Mapping[str, int]) -> str:
    """Count rules, findings, and findings that the study does not explain."""
    parts = [counted(counts["rules"], "rule"), counted(counts["findings"], "finding")]
    return ", ".join([*parts, f"{counts['unexplained']} not explained"])


def of_second_derivation(counts: Mapping[str, int]) -> str:
    """Count endpoints and the values that agree; say so where an endpoint has no records yet."""
    if not counts["endpoints"]:
        return "the study declares no endpoint"
    empty = f"; {counts['empty']} without records" if counts["empty"] else ""
    return f"{counted(counts['endpoints'], 'endpoint')}, {counted(counts['values'], 'value')} agree{empty}"


def of_drift(changes: pd.DataFrame) -> str:
    """Count changes of the project."""
    return f"{counted(len(changes), 'change')} since it was mapped"
