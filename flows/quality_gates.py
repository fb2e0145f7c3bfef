"""The checks that stop a build between its stages: findings are written first, and then stop the build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.records import Records
from metadata.spreadsheet import guarded_frame
from metadata.study import Study
from metadata.terminology import Terminology

if TYPE_CHECKING:
    from extract.snapshot import Snapshot
    from sdtm.build.tabulate import Tabulation


LISTING_MODE = 0o600
"""Values of patients are for the user who asked for them."""


def find_drift(study: Study, snapshot: Snapshot, folder: Path) -> pd.DataFrame:
    """Compare the project received with the study's own copy; write the changes as drift.csv and return them."""
    from flows.drift import drift_of

    found = drift_of(study, snapshot.project, snapshot.not_exported, snapshot.warnings)
    write_findings(found, folder / "drift.csv")
    return found


def stop_at_drift(changes: pd.DataFrame) -> None:
    """Raise StudyError for changes at error level."""
    errors = changes[changes["severity"] == "error"]
    _stop_at(
        [
            f"the REDCap project is no longer the one that was mapped: {finding}{_first_line(touches)}"
            for finding, touches in zip(errors["finding"], errors["touches"], strict=True)
        ]
    )


def _first_line(touches: str) -> str:
    """Return where a change is read first, in brackets."""
    lines = touches.splitlines()
    more = f" and {len(lines) - 1} more lines" if len(lines) > 1 else ""
    return f" (read in {lines[0]}{more})" if lines else ""


def stop_without_subjects(tabulation: Tabulation, records: Records, folder: Path) -> None:
    """Raise StudyError if DM is empty although the project has records; withheld.csv then says why."""
    subjects, count = tabulation.datasets.get("DM"), records.record.nunique()
    if subjects is None or len(subjects.frame) or not count:
        return
    write_findings(tabulation.withheld, folder / "withheld.csv")
    reasons = tabulation.withheld.loc[tabulation.withheld["domain"].eq("DM"), "reason"].value_counts()
    why = f": {reasons.index[0]}" if len(reasons) else ""
    raise StudyError(f"DM has no subject although the project has {count} records{why}")


def stop_release(tabulation: Tabulation) -> None:
    """Raise StudyError if rows were withheld because their subject is not in DM: a package would lack them."""
    lost = tabulation.without_subject
    parts = lost["rows"].astype("str") + " in " + lost["domain"]
    of_record = parts.groupby(lost["record"], sort=True).agg(", ".join)
    _stop_at(
        [
            f"the subject of record {name} has no record in DM, so that rows of it are withheld ({held})"
            for name, held in of_record.items()
        ]
    )


def check_sdtm(study: Study, tabulation: Tabulation, records: Records, folder: Path) -> int:
    """Check the SDTM datasets, and reconcile them with the records.

    Writes sdtm.csv, withheld.csv, reconciliation.csv, not_submitted.csv, transliterations.csv and, if there are any,
    without_subject.csv, unused_rows.csv, merged_choices.csv and data_cut.csv into ``folder``; raises StudyError where a
    key is broken or a form's values are not all accounted for.
    """
    from sdtm.build.limited_fields import limited_fields
    from sdtm.build.study_mapping import read_mapping
    from validation.datasets.reconciliation import reconcile, unreconciled

    checked = _check_datasets(study, tabulation.datasets, folder / "sdtm.csv")
    edges = [one.lineage for one in tabulation.datasets.values()]
    reconciliation = reconcile(records, edges, tabulation.withheld, tabulation.not_submitted, tabulation.cut_values)
    write_findings(reconciliation, folder / "reconciliation.csv")
    write_findings(tabulation.withheld, folder / "withheld.csv")
    write_findings(tabulation.not_submitted, folder / "not_submitted.csv")
    write_findings(tabulation.transliterations, folder / "transliterations.csv")
    if len(tabulation.without_subject):
        write_findings(tabulation.without_subject, folder / "without_subject.csv")
    if len(tabulation.unused_rows):
        write_findings(tabulation.unused_rows, folder / "unused_rows.csv")
    if len(tabulation.merged_choices):
        write_findings(tabulation.merged_choices, folder / "merged_choices.csv")
    if len(tabulation.data_cut):
        write_findings(tabulation.data_cut, folder / "data_cut.csv")
    if unreconciled(reconciliation):
        mapping = read_mapping(study, records.project, Terminology.open(study))
        _stop_at(unreconciled(reconciliation, limited_fields(mapping)))
    return checked + len(reconciliation)


def check_adam(study: Study, datasets: Mapping[str, Dataset], folder: Path) -> int:
    """Check the analysis datasets and write adam.csv into ``folder``; raises StudyError for a finding that stops."""
    return _check_datasets(study, datasets, folder / "adam.csv")


def derive_a_second_time(
    study: Study,
    sdtm: Mapping[str, Dataset],
    adam: Mapping[str, Dataset],
    results: pd.DataFrame | None,
    folder: Path,
    snapshot_date: str,
) -> Mapping[str, int]:
    """Derive the study's key endpoints again in SQL and compare; return the counts; ``results`` may be None.

    Writes second_derivation.json and its page into ``folder``; raises StudyError where anything differs.
    """
    from validation.second_derivation.check import second_derivation, stop_at_differences, write_json
    from validation.second_derivation.page import write_page

    result = second_derivation(study, sdtm, adam, results)
    write_json(result, folder / "second_derivation.json")
    write_page(study, result, folder / "second_derivation.html", snapshot_date)
    stop_at_differences(result)
    counts: Mapping[str, int] = result["counts"]
    return counts


def _check_datasets(study: Study, datasets: Mapping[str, Dataset], path: Path) -> int:
    """Check datasets against their own metadata; a value outside its codelist is a finding that stops nothing."""
    from validation.datasets import integrity

    found = integrity.check_datasets(datasets.values(), Terminology.open(study))
    write_findings(found, path)
    _stop_at(found.loc[(found["severity"] == "error") & (found["rule"] != integrity.TERM), "finding"].tolist())
    return len(datasets)


def _stop_at(sentences: list[str]) -> None:
    if sentences:
        more = f" (and {len(sentences) - 1} more)" if len(sentences) > 1 else ""
        raise StudyError(f"{sentences[0]}{more}")


def write_findings(findings: pd.DataFrame, path: Path) -> None:
    """Write findings as CSV, for their owner alone, whose cells no spreadsheet takes for formulas."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(LISTING_MODE)
    path.chmod(LISTING_MODE)
    guarded_frame(findings).to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
