"""A project's structure from wherever a user has it: its XML, a dictionary, a folder or ZIP of exports, or the API."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from metadata.errors import StudyError, UsageError

if TYPE_CHECKING:
    from extract.client import Client
    from metadata.study import Study

API = "api"
XML = ".xml"
UNUSED = ("export_field_names",)
"""What an export of a structure may hold that a mapping is not made from."""
Structure = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class FoundStructure:
    """A project's structure; of a folder or ZIP also the names of the files that it is of, and of those not read."""

    structure: Structure
    read: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """Say which files of a folder or ZIP were read and which were not, with the names that would be read."""
        if not self.read:
            return []
        said = [f"Read: {', '.join(self.read)}"]
        if self.left:
            of_xml = any(name.lower().endswith(XML) for name in self.read)
            why = "the project's XML has the whole structure" if of_xml else _names_read(self.read)
            said.append(f"Not read: {', '.join(self.left)} ({why})")
        return said


def _names_read(read: tuple[str, ...]) -> str:
    from extract.exports import STRUCTURE_FILES

    names = [f"{name}.csv" for name in STRUCTURE_FILES if name not in UNUSED and f"{name}.csv" not in read]
    return f"read would be a project's XML, {', '.join(names)}, or these under the names that REDCap's pages give"


def structure_from(source: str) -> Structure:
    """Return the structure's payloads by name, as ``redcap/NAME.csv`` has them (see find_structure)."""
    return find_structure(source).structure


def find_structure(source: str) -> FoundStructure:
    """Return a project's structure, dictionary and project_info always, with the names of the files it was read from.

    ``source`` is ``api`` (address and token in REDCAP_URL and REDCAP_TOKEN), a project's XML, a dictionary as CSV, or a
    folder or ZIP of exports, under our names or those of REDCap's web pages. Of a folder or ZIP with the project's XML
    that is read, since it has everything. Raises UsageError if it is none of them, or if there are two such XMLs.
    """
    if source == API:
        return FoundStructure(_of_api())
    path = Path(source)
    if path.is_file() and path.suffix.lower() == XML:
        return FoundStructure(_of_xml(path))
    if path.is_file() and path.suffix.lower() == ".zip":
        from extract import downloads

        with TemporaryDirectory() as name:
            folder = downloads.unpack(path, Path(name) / path.name, (".csv", XML))
            return _of_folder(folder, path, downloads.members(path))
    if path.is_dir():
        return _of_folder(path, path, [one.name for one in path.iterdir() if one.is_file()])
    if path.is_file():
        return FoundStructure(_completed({"dictionary": _read("dictionary", path)}, path.stem))
    raise _nothing(path)


def _nothing(path: Path) -> UsageError:
    return UsageError(f"{path} is neither a dictionary, a project's XML nor a folder or ZIP with dictionary.csv")


def _structure_in(path: Path) -> Structure | None:
    """Return the structure in a project's XML; None if it has data only. Raises StudyError if it is no such file."""
    from extract.odm.document import read_document
    from extract.odm.structure import structure_of

    return structure_of(read_document(path), path)


def _of_xml(path: Path) -> Structure:
    structure = _structure_in(path)
    if structure is None:
        raise UsageError(f"{path} has data only: export the project's XML with its metadata")
    return structure


def _of_folder(folder: Path, shown: Path, names: Iterable[str]) -> FoundStructure:
    """Return the structure in a folder; ``names`` are of all files in it, or in the ZIP that it was unpacked from."""
    structure, paths = _of_whole_project(folder, shown) or _of_exports(folder, shown)
    read = {path.name for path in paths}
    return FoundStructure(structure, tuple(sorted(read)), tuple(sorted({*names} - read)))


def _of_whole_project(folder: Path, shown: Path) -> tuple[Structure, list[Path]] | None:
    """Return what the one project's XML in a folder has; raises UsageError if two could be it."""
    found = {}
    for path in sorted(one for one in folder.iterdir() if one.suffix.lower() == XML):
        try:
            structure = _structure_in(path)
        except StudyError:
            continue  # another kind of XML, which is listed as not read
        if structure is not None:
            found[path] = structure
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UsageError(f"{shown} has {len(found)} XMLs of projects, {names}: give the one that is meant")
    return next(((structure, [path]) for path, structure in found.items()), None)


def _of_exports(folder: Path, shown: Path) -> tuple[Structure, list[Path]]:
    """Return what the CSV files of exports in a folder have, and these files."""
    from extract import downloads
    from extract.exports import STRUCTURE_FILES

    found = {name: downloads.find(folder, name) for name in STRUCTURE_FILES if name not in UNUSED}
    paths = {name: path for name, path in found.items() if path is not None}
    if "dictionary" not in paths:
        raise _nothing(shown)
    structure = {name: _read(name, path) for name, path in paths.items()}
    records = next((path for name in RECORDS if (path := downloads.find(folder, name)) is not None), None)
    if records is not None:
        seen = _of_records(records)
        structure |= {name: rows for name, rows in seen.items() if rows and name not in structure}
    name = shown.resolve().parent.name if shown.name == "redcap" else shown.stem
    return _completed(structure, name), [*paths.values(), *([records] if records else [])]


RECORDS = ("records_locked", "records_as_entered", "records")


def _read(name: str, path: Path) -> list[dict[str, Any]]:
    from extract.exports import api_headers
    from metadata.redcap_csv import read_rows

    rows = read_rows(path)
    return [api_headers(row) for row in rows] if name == "dictionary" else rows


def _of_records(records: Path) -> Structure:
    """Return what repeats, and the data access groups, as the records show them, where the exports do not say so."""
    from metadata.redcap_csv import read_rows

    rows = read_rows(records)
    pairs = {
        (row.get("redcap_event_name") or "", row.get("redcap_repeat_instrument") or "")
        for row in rows
        if row.get("redcap_repeat_instance")
    }
    groups = sorted({row.get("redcap_data_access_group") or "" for row in rows} - {""})
    return {
        "repeating": [
            {"event_name": event, "form_name": form, "custom_form_label": ""} for event, form in sorted(pairs)
        ],
        "dags": [{"data_access_group_name": group, "unique_group_name": group} for group in groups],
    }


def _completed(structure: Structure, title: str) -> Structure:
    """Return a structure with the project's information where there is none: longitudinal if it has events."""
    info = {"project_title": title, "is_longitudinal": int("events" in structure), "missing_data_codes": ""}
    return {"project_info": [info], **structure}


def _of_api() -> Structure:
    """Return what the API answers; the address and the token are in the environment."""
    from extract.client import Client
    from flows.redcap_access import DEFAULT_TOKEN_VARIABLE, DEFAULT_URL_VARIABLE

    given = {name: os.environ.get(name, "").strip() for name in (DEFAULT_URL_VARIABLE, DEFAULT_TOKEN_VARIABLE)}
    for name, value in given.items():
        if not value:
            raise UsageError(f"the environment variable {name} is not set: it is needed to ask REDCap for the project")
    return _asked(Client(given[DEFAULT_URL_VARIABLE], given[DEFAULT_TOKEN_VARIABLE]))


def structure_of_study(study: Study) -> Structure:
    """Return what a study's REDCap answers on the project's structure; no record is read."""
    from extract.client import Client
    from flows.redcap_access import api_url, patience, token

    return _asked(Client(api_url(study), token(study), patience(study), encoding=study.encoding))


def _asked(client: Client) -> Structure:
    received = client.structure()
    parsed = {name: client.parsed(body) for name, body in received.items() if name not in ("version", "log")}
    rows = {name: body if isinstance(body, list) else [body] for name, body in parsed.items()}
    return {name: body for name, body in rows.items() if body and name != "export_field_names"}
