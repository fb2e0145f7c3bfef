"""An exported project folder, opened for serving."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from metadata.dictionary import Field, checkbox_column
from metadata.errors import UsageError, nearest
from metadata.project import Project
from metadata.records import Records
from metadata.redcap_csv import read_rows
from redcap_sandbox.rights import User

VERSION = "15.2.1"
STATES = {"locked": "records_locked.csv", "as-entered": "records_as_entered.csv"}
LOG_COLUMNS = ["timestamp", "username", "action", "details", "record"]


@dataclass(frozen=True)
class ExportColumn:
    """One data column of a flat export: its form, its field (None for the form's status), and a checkbox's code."""

    name: str
    form: str
    field: Field | None
    code: str = ""


@dataclass(frozen=True)
class SandboxProject:
    """A project to serve: structure, records, users and log, seen by ``user`` (everything, unless one is named).

    ``doubled_quotes`` says how CSV is written: every quote inside a cell doubled, or as PHP does it, which leaves a
    quote after a backslash single.
    """

    project: Project
    records: Records
    users: list[dict[str, str]] = field(default_factory=list)
    log: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=LOG_COLUMNS, dtype="str"))
    user: User = field(default_factory=User)
    version: str = VERSION
    doubled_quotes: bool = False

    @classmethod
    def read(cls, folder: str | Path, records: str = "locked") -> SandboxProject:
        """Read a project folder in one of its record states, ``locked`` or ``as-entered``.

        Raises UsageError if there is no such state, StudyError if a file is not fit.
        """
        base = Path(folder)
        project = Project.read(base)
        users = read_rows(base / "users.csv") if (base / "users.csv").is_file() else []
        file = records_file(base, records)
        return cls(project, Records.read(project, file), users, read_log(log_file(file)))

    def as_user(self, username: str) -> SandboxProject:
        """Return the same project under a token of ``username``; raises UsageError if there is no such user."""
        rows = {row["username"]: row for row in self.users}
        if username not in rows:
            raise UsageError(f"the project has no user '{username}'{nearest(username, rows)}")
        return replace(self, user=User.from_row(rows[username], self.group_names))

    @cached_property
    def group_names(self) -> dict[str, str]:
        """Unique name of each data access group, found under its name, its unique name and its id."""
        found: dict[str, str] = {}
        for group in self.project.dags:
            keys = ("data_access_group_name", "unique_group_name", "data_access_group_id")
            found |= {str(group[key]): group["unique_group_name"] for key in keys if group.get(key)}
        return found

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
