"""An instrument as the Online Designer exchanges it: a ZIP with instrument.csv, which is the dictionary of one form."""

from __future__ import annotations

import io
import tempfile
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

from metadata.dictionary import Dictionary, Field
from metadata.errors import UsageError
from metadata.redcap_csv import read_rows
from redcap_sandbox.log_entries import managed, with_entries
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.structure_import import in_production, with_project

CONTENT = "instrument.csv"
BESIDE = ("OriginID.txt", "AuthorID.txt", "InstrumentID.txt")
"""Members that say where an instrument comes from, of which nothing is kept."""
LARGEST = 1 << 24
"""Bytes of an unpacked instrument."""


def with_instrument(served: SandboxProject, content: bytes, name: str) -> SandboxProject:
    """Return the project with the instrument of a ZIP as its last form, as the Online Designer takes it.

    A new form is designated for no event of a longitudinal project; its label is made of its name. A first field that
    is the project's record id is left out. Raises UsageError, naming the file ``name``, if it is no such ZIP, has more
    than one form, attachments (they are not kept here), a form or fields that the project has already (which REDCap
    would rename), or if the project is in production, where new forms are drafted; StudyError for a faulty dictionary.
    """
    if in_production(served.project):
        raise UsageError(f"{name}: the project is in production, where new instruments are only drafted")
    fields = _fields(content, name)
    record_id, own = served.project.dictionary.record_id, served.project.dictionary
    fields = fields[1:] if fields[0].name == record_id else fields
    forms = list(dict.fromkeys(one.form for one in fields))
    if len(forms) != 1:
        raise UsageError(f"{name}: {CONTENT} must have the fields of one form, not of {len(forms)}: {', '.join(forms)}")
    taken = [forms[0]] if forms[0] in own.forms else [one.name for one in fields if one.name in own.fields]
    if taken:
        raise UsageError(f"{name}: the project has {', '.join(taken)} already; REDCap would take it under another name")
    dictionary = Dictionary([*own.fields.values(), *fields])
    label = {"instrument_name": forms[0], "instrument_label": forms[0].replace("_", " ").title()}
    project = replace(served.project, dictionary=dictionary, instruments=[*served.project.instruments, label])
    return with_entries(with_project(served, project), [managed(f"Upload instrument {forms[0]} (ZIP)")])


def _fields(content: bytes, name: str) -> list[Field]:
    """Return the fields of a ZIP's instrument."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {one.filename: one for one in archive.infolist() if not one.is_dir()}
            strange = [member for member in members if member not in (CONTENT, *BESIDE)]
            if strange:
                raise UsageError(f"{name}: it has a file that is not kept here: {strange[0]}")
            if CONTENT not in members:
                raise UsageError(f"{name}: it has no {CONTENT}; give the ZIP of one instrument")
            if members[CONTENT].file_size > LARGEST:
                raise UsageError(f"{name}: {CONTENT} is larger than {LARGEST >> 20} MB")
            rows = archive.read(CONTENT)
    except (zipfile.BadZipFile, zlib.error):
        raise UsageError(f"{name}: it is not the ZIP of an instrument") from None
    with tempfile.TemporaryDirectory(prefix="instrument-") as folder:
        path, shown = Path(folder) / CONTENT, f"{name}/{CONTENT}"
        path.write_bytes(rows)
        return list(Dictionary.from_rows(read_rows(path, shown=shown), shown).fields.values())
