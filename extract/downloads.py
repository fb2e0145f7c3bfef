"""Finds the files of exports in a folder or ZIP, under the API's names or those that REDCap's web pages give."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path, PurePosixPath

from metadata.errors import StudyError

LARGEST = 4 << 30
"""Bytes of all files of a ZIP together when they are unpacked."""
LINK = 0xA  # the kind of file in the upper four bits of a Unix mode
DATED = r"_\d{4}-\d\d-\d\d(?:_\d{4,6})?\.csv"
WEB_NAMES = {
    "dictionary": "DataDictionary",
    "arms": "Arms",
    "events": "Events",
    "form_event_mapping": "InstrumentDesignations",
    "dags": "DAGs",
    "records": "DATA",
    "log": "Logging",
}
"""The part between the project's name and the date in the names of files that REDCap's web pages give."""
LABELLED = re.compile(f".*_DATA_LABELS{DATED}")


def find(folder: Path, name: str) -> Path | None:
    """Return the file of a folder that holds the structure, records or log of a name, or None if there is none.

    Raises StudyError if two files could be it.
    """
    own = folder / f"{name}.csv"
    if own.is_file() or name not in WEB_NAMES:
        return own if own.is_file() else None
    pattern = re.compile(f".*_{WEB_NAMES[name]}{DATED}")
    found = sorted(path for path in folder.iterdir() if pattern.fullmatch(path.name))
    if len(found) > 1:
        raise StudyError(f"'{found[0].name}' and '{found[1].name}' could both be it: leave the one that is meant", own)
    return found[0] if found else None


def refuse_labels(folder: Path) -> None:
    """Raise StudyError if the folder has records with labels in place of codes, and none with codes."""
    labelled = next((path for path in sorted(folder.iterdir()) if LABELLED.fullmatch(path.name)), None)
    if labelled is not None:
        raise StudyError("the records have labels in place of codes: export them as raw data", labelled)


def members(archive: Path) -> list[str]:
    """Return the names of all files in a ZIP, without the folders that they are in."""
    with zipfile.ZipFile(archive) as opened:
        return [PurePosixPath(one.filename).name for one in opened.infolist() if not one.is_dir()]


def unpack(archive: Path, folder: Path, endings: tuple[str, ...] = (".csv",)) -> Path:
    """Unpack the files of a ZIP with some endings into a folder, without the folders that they are in; return it.

    Raises StudyError for a file that is not a ZIP, a member outside it or a link, two files of one name, or more than
    4 GB.
    """
    folder.mkdir(parents=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            taken = [one for one in opened.infolist() if not one.is_dir() and one.filename.lower().endswith(endings)]
            _refuse_members(archive, taken)
            for one in taken:
                with opened.open(one) as source, (folder / PurePosixPath(one.filename).name).open("xb") as target:
                    shutil.copyfileobj(source, target)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        raise StudyError("the file is not a whole ZIP without password", archive) from None
    return folder


def _refuse_members(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    for one in members:
        path = PurePosixPath(one.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or (one.external_attr >> 28) == LINK:
            raise StudyError(f"the member '{one.filename}' is not a file inside the ZIP", archive)
    names = [PurePosixPath(one.filename).name.lower() for one in members]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise StudyError(f"the file '{twice}' is in two folders of the ZIP", archive)
    if sum(one.file_size for one in members) > LARGEST:
        raise StudyError(f"the files have more than {LARGEST >> 30} GB: unpack them and give the folder", archive)
