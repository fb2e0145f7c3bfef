"""An exported project folder, opened for serving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pandas as pd

from metadata.dictionary import Field, checkbox_column
from metadata.errors import UsageError, nearest
from metadata.project import Project
from metadata.records import EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT, Records
from metadata.redcap_csv import read_rows
from redcap_sandbox.file_store import FilePlace, Repository, StoredFile
from redcap_sandbox.rights import User

VERSION = "15.2.1"
STATES = {"locked": "records_locked.csv", "as-entered": "records_as_entered.csv"}
LOG_COLUMNS = ["timestamp", "username", "action", "details", "record"]


def utc_now() -> datetime:
    """Return the time by the clock of a server in UTC, without a zone as REDCap's times are."""
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class ExportColumn:
    """One data column of a flat export: its form, its field (None for the form's status), and a checkbox's code.

    ``is_time`` marks the time at which a survey was answered, which is no field either.
    """

    name: str
    form: str
    field: Field | None
    code: str = ""
    is_time: bool = False


@dataclass(frozen=True)
class Report:
    """A saved report. Each of its ``fields`` is a field of the dictionary or a form's status, ``<form>_complete``."""

    number: int
    title: str
    fields: tuple[str, ...]
    logic: str = ""


@dataclass(frozen=True)
class SandboxProject:
    """A project to serve: structure, records, users and log, seen by ``user`` (everything, unless one is named).

    ``doubled_quotes`` says how CSV is written: every quote inside a cell doubled, or as PHP does it, which leaves a
    quote after a backslash single. ``clock`` gives the server's time, ``log_exports`` says whether reading is logged
    as well, as on a real server. ``role_of`` is the role of each user who has one. It is never changed: whoever writes
    to a project makes another.
    """

    project: Project
    records: Records
    users: list[dict[str, str]] = field(default_factory=list)
    log: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=LOG_COLUMNS, dtype="str"))
    user: User = field(default_factory=User)
    version: str = VERSION
    doubled_quotes: bool = False
    roles: list[dict[str, str]] = field(default_factory=list)
    role_of: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[FilePlace, StoredFile] = field(default_factory=dict)
    repository: Repository = field(default_factory=Repository)
    reports: tuple[Report, ...] = ()
    surveys: tuple[str, ...] = ()
    clock: Callable[[], datetime] = utc_now
    log_exports: bool = False

    @classmethod
    def read(cls, folder: str | Path, records: str = "locked") -> SandboxProject:
        """Read a project folder in one of its record states, ``locked`` or ``as-entered``.

        Raises UsageError if there is no such state, StudyError if a file is not fit.
        """
        base = Path(folder)
        project = Project.read(base)
        users = read_rows(base / "users.csv") if (base / "users.csv").is_file() else []
        file = records_file(base, records)
        stored = Records.read(project, file)
        surveys = tuple(form for form in project.dictionary.forms if f"{form}_timestamp" in stored.table)
        return cls(project, stored, users, read_log(log_file(file)), surveys=surveys)

    def as_user(self, username: str) -> SandboxProject:
        """Return the same project under a token of ``username``; raises UsageError if there is no such user."""
        rows = {row["username"]: row for row in self.users}
        if username not in rows:
            raise UsageError(f"the project has no user '{username}'{nearest(username, rows)}")
        return replace(self, user=User.from_row(self.rights_of(rows[username]), self.group_names))

    def rights_of(self, user: dict[str, str]) -> dict[str, str]:
        """Return a user's row with the rights of his role, if he has one, in place of his own."""
        named = {role["unique_role_name"]: role for role in self.roles}
        role = named.get(self.role_of.get(user["username"], ""), {})
        return user | {name: value for name, value in role.items() if name in user}

    def with_frame(self, frame: pd.DataFrame) -> SandboxProject:
        """Return the project with other records."""
        return replace(self, records=Records.from_frame(self.project, frame))

    @cached_property
    def group_names(self) -> dict[str, str]:
        """Unique name of each data access group, found under its name, its unique name and its id."""
        found: dict[str, str] = {}
        for group in self.project.dags:
            keys = ("data_access_group_name", "unique_group_name", "data_access_group_id")
            found |= {str(group[key]): group["unique_group_name"] for key in keys if group.get(key)}
        return found

    def is_since(self, version: str) -> bool:
        """True if the server's version is this one or a newer one."""
        return [int(part) for part in self.version.split(".")] >= [int(part) for part in version.split(".")]

    def file_name(self, place: FilePlace) -> str:
        """Return the text of the field of a file, blank if there is none."""
        frame = self.records.frame
        row = (
            (self.records.record == place.record)
            & (frame[EVENT] == place.event)
            & (frame[REPEAT_INSTRUMENT] == place.instrument)
            & (frame[REPEAT_INSTANCE] == place.instance)
        )
        return str(frame.loc[row, place.field].iloc[0]) if place.field in frame and row.any() else ""

    @property
    def group_number(self) -> str:
        """The number of the user's data access group, blank if he is in none."""
        own = [group for group in self.project.dags if group["unique_group_name"] == self.user.dag]
        return str(own[0].get("data_access_group_id", "")) if own else ""

    @cached_property
    def columns(self) -> list[ExportColumn]:
        """All data columns in export order; options of missing-data codes appear only where the records use them."""
        made: list[ExportColumn] = []
        for form in self.project.dictionary.forms:
            for item in self.project.dictionary.form_fields(form):
                made += self._field_columns(item)
            made.append(ExportColumn(f"{form}_complete", form, None))
        return made

    def _field_columns(self, item: Field) -> list[ExportColumn]:
        if item.type != "checkbox":
            return [ExportColumn(column, item.form, item) for column in item.columns]
        options = [
            ExportColumn(name, item.form, item, code) for name, code in zip(item.columns, item.choices, strict=True)
        ]
        coded = {checkbox_column(item.name, code): code for code in self.project.missing_codes}
        used = [name for name in coded if name in self.records.frame.columns and name not in item.columns]
        return options + [ExportColumn(name, item.form, item, coded[name]) for name in used]


def records_file(folder: Path, state: str) -> Path:
    """Return the records file of a project folder in one state; a folder with a plain records.csv has one state."""
    if state not in STATES:
        raise UsageError(f"records are 'locked' or 'as-entered', not '{state}'{nearest(state, STATES)}")
    named, plain = folder / STATES[state], folder / "records.csv"
    if named.is_file() or not plain.is_file():
        return named
    return plain


def log_file(records: Path) -> Path:
    """Return the log of the records' state (records_locked.csv: log_locked.csv) if it has one, else the project's."""
    own = records.with_name(records.name.replace("records", "log", 1))
    return own if own.is_file() else records.with_name("log.csv")


def read_log(path: Path) -> pd.DataFrame:
    """Return the project's log, newest first, all text; a project without a log has an empty one."""
    rows = read_rows(path) if path.is_file() else []
    frame = pd.DataFrame(rows, columns=LOG_COLUMNS, dtype="str").fillna("")
    return frame.sort_values("timestamp", ascending=False, kind="stable", ignore_index=True)
