"""Files of a project: those in fields of type file, and the file repository with its folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class FilePlace(NamedTuple):
    """The field that holds a file: ``instrument`` is blank unless the form repeats by itself."""

    record: str
    event: str
    instrument: str
    instance: str
    field: str


@dataclass(frozen=True)
class StoredFile:
    """A file as it was uploaded; ``number`` is its document id."""

    number: int
    name: str
    media: str
    content: bytes


@dataclass(frozen=True)
class Folder:
    """A folder of the repository; ``parent`` None is the top, ``dag`` and ``role`` limit who sees it."""

    number: int
    name: str
    parent: int | None = None
    dag: str = ""
    role: str = ""


@dataclass(frozen=True)
class Repository:
    """All folders and files; ``folder_of`` has the folder of each file, None for the top."""

    folders: Mapping[int, Folder] = field(default_factory=dict)
    files: Mapping[int, StoredFile] = field(default_factory=dict)
    folder_of: Mapping[int, int | None] = field(default_factory=dict)

    @property
    def next_number(self) -> int:
        """The number that the next folder or file gets."""
        return max([0, *self.folders, *self.files]) + 1
