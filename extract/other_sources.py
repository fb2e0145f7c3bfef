"""Reads the files beside REDCap that study.yaml declares: every cell as a text, every column and key accounted for."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from extract.workbook import read_workbook
from metadata.errors import StudyError, nearest
from metadata.other_sources import ROW
from metadata.redcap_csv import read_lines
from metadata.study import Study
from metadata.study_declaration import OtherSource
from metadata.text_table import TextTable
from metadata.yaml_source import complain

LARGEST = 200 << 20
"""Bytes of a file."""


def read_sources(study: Study) -> dict[str, TextTable]:
    """Return the table of each declared source, of a blinded study the dummy: its columns as written, and ``ROW``.

    Raises StudyError for a file that is missing, too large or no such file, for a column that is missing or not
    declared, and for a row whose key is blank or that of another row.
    """
    return {form: read_source(study, source) for form, source in study.stored_sources.items()}


def read_source(study: Study, source: OtherSource) -> TextTable:
    """Return the table of one source (see ``read_sources``)."""
    path, shown = study.path(source.file), f"{study.name}/{source.file}"
    if not path.is_file():
        raise StudyError("the file does not exist", shown)
    if path.stat().st_size > LARGEST:
        raise StudyError(f"the file has more than {LARGEST >> 20} MB", shown)
    if path.suffix.lower() == ".xlsx":
        header, rows = read_workbook(path, shown, source.sheet)
    else:
        header, rows = read_lines(path, study.encoding, shown)
    if not header:
        raise StudyError("the file is empty: it needs a header", shown, 1)
    header = [name.strip() for name in header]
    _check_header(source, header, shown)
    frame = pd.DataFrame([cells for _, cells in rows], columns=header, dtype="str")
    frame[ROW] = pd.Series([str(row) for row, _ in rows], dtype="str")
    _check_keys(source, frame, shown)
    return TextTable.of_frame(frame)


def columns_of(source: OtherSource) -> list[str]:
    """Return the columns that a source is declared to have, those that are ignored as well."""
    visit = [source.visit.column] if source.visit else []
    return list(
        dict.fromkeys([source.subject, *visit, *(one.column for one in source.fields.values()), *source.ignored])
    )


def _check_header(source: OtherSource, header: list[str], shown: str) -> None:
    declared = columns_of(source)
    for name in source.key:
        if name not in declared:
            raise complain(source.node, "key", f"no field is made from the column '{name}'{nearest(name, declared)}")
    for name in header:
        if header.count(name) > 1 or name == ROW:
            raise StudyError(f"the column '{name}' is named twice in the header", shown, 1)
        if name not in declared:
            lacking = [one for one in declared if one not in header]
            advice = nearest(name, lacking) or "; name it under fields, or under ignored with the reason"
            raise StudyError(f"study.yaml does not declare the column '{name}'{advice}", shown, 1)
    for name in declared:
        if name not in header:
            raise StudyError(f"the column '{name}' is missing", shown, 1)


def _check_keys(source: OtherSource, frame: pd.DataFrame, shown: str) -> None:
    key = frame[list(source.key)].assign(**{name: frame[name].str.strip() for name in source.key})
    named = ", ".join(source.key)
    blank = frame.index[(key == "").all(axis="columns")]
    if len(blank):
        raise StudyError(f"the row has no key ({named})", shown, int(frame[ROW][blank[0]]))
    twice = frame.index[key.duplicated()]
    if len(twice):
        texts = key.loc[twice[0]]
        first = frame[ROW][key.index[(key == texts).all(axis="columns")][0]]
        problem = f"the row has the key of row {first} ({named}: {', '.join(texts)}): each row needs its own"
        raise StudyError(problem, shown, int(frame[ROW][twice[0]]))


def check_files(study: Study) -> list[StudyError]:
    """Return what is wrong with the files of sources that are there; one that is yet to come is no mistake."""
    found = []
    for source in study.stored_sources.values():  # the real list of a blinded study is not opened
        try:
            if study.path(source.file).is_file():
                read_source(study, source)
        except StudyError as error:
            found.append(error)
    return found


def treatment_as_asked(study: Study, tables: Mapping[str, TextTable]) -> Mapping[str, TextTable]:
    """Return a snapshot's tables with the list of treatments that the study asks for: the dummy, or the real one.

    Raises StudyError for a snapshot that holds another list than the dummy of study.yaml, which may be the real one.
    """
    blinding = study.declared.blinding
    if blinding is None:
        return tables
    dummy = read_source(study, study.stored_sources[blinding.list_])
    if not tables[blinding.list_].frame().equals(dummy.frame()):
        raise StudyError(f"the snapshot has another list than {blinding.dummy}: take it again, blinded")
    return {**tables, blinding.list_: read_source(study, study.sources[blinding.list_])}


def check_declared(study: Study, tables: Mapping[str, TextTable]) -> tuple[str, ...]:
    """Return a warning for each source of a snapshot that study.yaml no longer declares.

    Raises StudyError for a declared source that the snapshot lacks, or has with other columns.
    """
    declared = study.declared.sources or {}
    for form, source in declared.items():
        if form not in tables or set(tables[form].names) - {ROW} != set(columns_of(source)):
            lacks = "lacks the source" if form not in tables else "has other columns in the source"
            raise StudyError(f"the snapshot {lacks} '{form}' of study.yaml: take it again")
    unread = sorted(set(tables) - set(declared))
    return tuple(f"the snapshot has the source '{form}', which study.yaml does not declare" for form in unread)
