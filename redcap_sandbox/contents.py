"""One request in, one answer out: permission, content, format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from redcap_sandbox import structure
from redcap_sandbox.activity import export_log
from redcap_sandbox.faults import Fault, spoiled
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.project_xml import project_xml
from redcap_sandbox.records import export_records
from redcap_sandbox.rendering import MEDIA, render_error, render_object, render_table
from redcap_sandbox.request import ApiError, ApiRequest

NO_API = "You do not have permissions to use the API"
NO_EXPORT = "You do not have API Export privileges"
NO_IMPORT = "You do not have API Import/Update privileges"
NO_DELETE = "You do not have Delete Record privileges"
NO_RIGHT = "Insufficient user privileges: You must have 'API Export' privileges and '{}' privileges in the project."
WRITING = ("import", "delete", "rename", "randomize", "switch", "createFolder")
NOT_SERVED = (
    "appRightsCheck", "file", "fileinfo", "filesize", "fileRepository", "generateNextRecordName", "participantList",
    "pdf", "project_settings", "report", "surveyAccessCode", "surveyLink", "surveyQueueLink",
    "surveyReturnCode", "userDagMapping", "userRole", "userRoleMapping",
)  # fmt: skip


@dataclass(frozen=True)
class ContentTable:
    """How one tabular content is made and written; ``right`` is what its export needs in addition to API Export."""

    make: Callable[[SandboxProject, ApiRequest], pd.DataFrame]
    root: str
    item: str = "item"
    last_newline: bool = True
    right: tuple[str, str] | None = None


TABLES = {
    "metadata": ContentTable(structure.metadata, "records"),
    "exportFieldNames": ContentTable(structure.export_field_names, "fields", "field"),
    "instrument": ContentTable(structure.instruments, "instruments"),
    "event": ContentTable(structure.events, "events", last_newline=False),
    "arm": ContentTable(structure.arms, "arms", last_newline=False),
    "formEventMapping": ContentTable(structure.form_event_mapping, "items", last_newline=False),
    "repeatingFormsEvents": ContentTable(structure.repeating, "items", right=("design", "Project Design and Setup")),
    "dag": ContentTable(structure.access_groups, "dags", right=("data_access_groups", "Data Access Groups")),
    "user": ContentTable(structure.users, "users", right=("user_rights", "User Rights")),
    "log": ContentTable(export_log, "records", right=("logging", "Logging")),
}


@dataclass(frozen=True)
class Answer:
    """Status, body and media type of what goes back."""

    status: int
    body: str
    media: str


def error_answer(status: int, text: str, request: ApiRequest) -> Answer:
    """Return an error in the format the request asked for."""
    kind = request.error_format
    return Answer(status, render_error(text, kind), MEDIA[kind])


def answer(projects: Mapping[str, SandboxProject], request: ApiRequest, fault: Fault | None = None) -> Answer:
    """Return the answer to one request; ``projects`` are keyed by token, in upper case.

    ``fault`` is one that changes the rows or columns of a table, or None.
    """
    try:
        served = projects.get(request.text("token").upper())
        if served is None or _expired(served):
            raise ApiError(403, NO_API)
        return _content(served, request, fault)
    except ApiError as error:
        return error_answer(error.status, error.text, request)


def _expired(served: SandboxProject) -> bool:
    """True if the user's account has run out; a server, unlike the pipeline, goes by the clock."""
    expiration = (served.user.rights or {}).get("expiration") or ""
    return bool(expiration) and expiration[:10] <= date.today().isoformat()


def _content(served: SandboxProject, request: ApiRequest, fault: Fault | None) -> Answer:
    content = request.text("content")
    if content not in (*TABLES, *NOT_SERVED, "record", "project", "project_xml", "version"):
        raise ApiError(400, 'The value of the parameter "content" is not valid')
    _refuse_writing(request, content)
    if content in NOT_SERVED:
        raise ApiError(400, f"This sandbox does not serve content={content}")
    if not served.user.may("api_export"):
        raise ApiError(403, NO_EXPORT)
    if content == "version":
        return Answer(200, served.version, MEDIA["text"])
    kind = request.format
    if content == "project":
        return Answer(200, render_object(structure.project_info(served), kind, served.doubled_quotes), MEDIA[kind])
    if content == "project_xml":
        return Answer(200, _project_xml(served, request), MEDIA["xml"])
    if content == "record":
        body = _records(served, request, kind, fault)
    else:
        body = _table(served, request, TABLES[content], kind, fault)
    return Answer(200, body, MEDIA[kind])


def _project_xml(served: SandboxProject, request: ApiRequest) -> str:
    """Return the whole project; without its records for returnMetadataOnly."""
    if request.flag("returnMetadataOnly"):
        return project_xml(served.project, None, served.version)
    records, _ = export_records(served, request)
    return project_xml(served.project, records, served.version)


def _refuse_writing(request: ApiRequest, content: str) -> None:
    """The sandbox is read-only: every write meets REDCap's refusal for a user without that right."""
    action = request.text("action")
    if content == "record" and action == "delete":
        raise ApiError(403, NO_DELETE)
    if action in WRITING or request.text("data"):
        raise ApiError(403, NO_IMPORT)


def _table(served: SandboxProject, request: ApiRequest, table: ContentTable, kind: str, fault: Fault | None) -> str:
    if table.right and not served.user.may(table.right[0]):
        raise ApiError(403, NO_RIGHT.format(table.right[1]))
    frame = table.make(served, request)
    frame = spoiled(fault, frame) if fault else frame
    newline, doubled = table.last_newline, served.doubled_quotes
    return render_table(frame, kind, root=table.root, item=table.item, last_newline=newline, doubled=doubled)


def _records(served: SandboxProject, request: ApiRequest, kind: str, fault: Fault | None) -> str:
    delimiter = request.delimiter
    frame, headers = export_records(served, request)
    frame = spoiled(fault, frame) if fault else frame
    doubled = served.doubled_quotes
    return render_table(frame, kind, root="records", delimiter=delimiter, headers=headers, doubled=doubled)
