"""Puts the rows of files beside REDCap into the records: by the subject's number and the visit, or not at all.

A row whose subject or visit is not the project's is in no dataset; a query asks about each
(``validation.raw.source_findings``), so that no row is lost in silence and none is counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metadata.other_sources import ROW, UNKNOWN_SUBJECT, UNKNOWN_VISIT
from metadata.project import Project
from metadata.records import ACCESS_GROUP, EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT, OtherRows
from metadata.study import Study
from metadata.study_declaration import OtherSource
from metadata.text_table import TextTable

COLUMNS = ("form", "field", "rule", "value", "problem", "expected")
KEY_SEPARATOR = "/"
SUBJECTS = "the number of a subject of the project, in the file or in REDCap"


@dataclass(frozen=True)
class PlacedRows:
    """The records with the rows of other sources; ``left_out`` are warnings on rows that are not of this part."""

    table: TextTable
    other: OtherRows
    left_out: tuple[str, ...]


def place(study: Study, project: Project, table: TextTable, sources: Mapping[str, TextTable]) -> PlacedRows:
    """Return REDCap's records, and after them the rows of each declared source whose subject and visit are known.

    ``project`` has the forms of the sources (``metadata.other_sources``). In a part of a study that has one data access
    group, rows of unknown subjects are those of other groups: they are left out, with a warning that counts them.
    """
    parts, unplaced = [table], list[pd.DataFrame]()
    numbers: list[np.ndarray] = [np.zeros(len(table), np.int32)]
    left_out = []
    for form, source in study.sources.items():
        rows, wrong = _placed(study, project, table, form, source, sources[form].frame())
        if study.group:
            others = wrong["rule"] == UNKNOWN_SUBJECT
            wrong = wrong[~others]
            left_out += [f"{others.sum()} row(s) of '{form}' are of subjects outside this group"] * bool(others.any())
        parts.append(TextTable.of_frame(rows.drop(columns=ROW)))
        numbers.append(rows[ROW].astype(np.int32).to_numpy())
        unplaced.append(wrong)
    stacked = TextTable.stack(parts).filled()
    other = OtherRows(np.concatenate(numbers), pd.concat(unplaced, ignore_index=True))
    return PlacedRows(stacked, other, tuple(left_out))


def _placed(
    study: Study, project: Project, table: TextTable, form: str, source: OtherSource, frame: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of one source as records have them with their ``ROW``, and what is wrong with the others."""
    numbers = frame[source.subject].str.strip()
    record, problem = _records_of(study, project, table, source, numbers)
    visits = frame[source.visit.column].str.strip() if source.visit else pd.Series("", frame.index, dtype="str")
    known = source.visit.events if source.visit else {"": source.event}
    event = visits.map(known)
    key = _joined([frame[name].str.strip() for name in source.key])
    good = problem.eq("") & event.notna()
    made = {project.dictionary.record_id: record, EVENT: event, REPEAT_INSTRUMENT: form, REPEAT_INSTANCE: key}
    if ACCESS_GROUP in table:
        made[ACCESS_GROUP] = record.map(_groups(project, table)).fillna("")
    made |= {name: frame[one.column] for name, one in source.fields.items()}
    rows = pd.DataFrame({**made, ROW: frame[ROW]}, index=frame.index)[good.to_numpy(bool)].astype("str")
    wrong_visit = "The visit '" + visits + "' is none that study.yaml has an event for"
    wrong = pd.DataFrame(
        {
            "form": form,
            "field": next(
                (name for name, one in source.fields.items() if one.column == source.key[0]), next(iter(source.fields))
            ),
            "rule": np.where(problem != "", UNKNOWN_SUBJECT, UNKNOWN_VISIT),
            "value": key,
            "problem": problem.mask(problem == "", wrong_visit) + " (" + source.file + ", row " + frame[ROW] + ").",
            "expected": np.where(problem != "", SUBJECTS, f"one of {', '.join(known)}"),
        },
        index=frame.index,
    )
    return rows, wrong[~good.to_numpy(bool)].astype("str")[list(COLUMNS)]


def _joined(parts: list[pd.Series]) -> pd.Series:
    made = parts[0]
    for part in parts[1:]:
        made = made + KEY_SEPARATOR + part
    return made


def _records_of(
    study: Study, project: Project, table: TextTable, source: OtherSource, numbers: pd.Series
) -> tuple[pd.Series, pd.Series]:
    """Return the record of each subject's number, and a sentence where there is not exactly one."""
    record_id = project.dictionary.record_id
    field = source.subject_field or study.identity.subject
    stored = table.frame(dict.fromkeys([record_id, field])).drop_duplicates()
    stored = pd.DataFrame({"record": stored[record_id], "number": stored[field].str.strip()}).drop_duplicates()
    of_number = stored[stored["number"] != ""].groupby("number", sort=False)["record"].agg(["first", "size"])
    count = numbers.map(of_number["size"]).fillna(0)
    record = numbers.map(of_number["first"]).where(count.eq(1), "").fillna("")
    problem = pd.Series("", numbers.index, dtype="str")
    problem = problem.mask(count.eq(0), "No record of the project has the subject '" + numbers + "'")
    problem = problem.mask(count.gt(1), "Several records of the project have the subject '" + numbers + "'")
    return record.astype("str"), problem.mask(numbers.eq(""), "The row has no subject")


def _groups(project: Project, table: TextTable) -> pd.Series:
    named = table.frame([project.dictionary.record_id, ACCESS_GROUP])
    named = named[named[ACCESS_GROUP] != ""].drop_duplicates(project.dictionary.record_id)
    return named.set_index(project.dictionary.record_id)[ACCESS_GROUP]
