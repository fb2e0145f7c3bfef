"""Requests that change a project: which right each needs, what it changes and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from redcap_sandbox import file_requests, people, structure_import
from redcap_sandbox.answer import Answer, imported_answer, number_answer
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.record_import import import_records
from redcap_sandbox.record_removal import delete_records, rename_record
from redcap_sandbox.request import ApiError, ApiRequest

NO_IMPORT = "You do not have API Import/Update privileges"
NO_DELETE = "You do not have Delete Record privileges"
NO_RENAME = "You do not have Rename Record privileges"
NO_RIGHT = (
    "Insufficient user privileges: You must have 'API Import/Update' privileges and '{}' privileges in the project."
)
PAGES = {
    "design": "Project Design and Setup",
    "user_rights": "User Rights",
    "data_access_groups": "Data Access Groups",
    "file_repository": "File Repository",
}
Outcome = tuple[SandboxProject, Answer]


@dataclass(frozen=True)
class Write:
    """One kind of change; ``right`` is what it needs beside the import by API."""

    make: Callable[[SandboxProject, ApiRequest], Outcome]
    right: str = ""


def _counted(make: Callable[[SandboxProject, ApiRequest], tuple[SandboxProject, int]], right: str = "") -> Write:
    """Return a change that is answered by how many things it changed."""

    def change(served: SandboxProject, request: ApiRequest) -> Outcome:
        changed, count = make(served, request)
        return changed, number_answer(count, request)

    return Write(change, right)


def _records(served: SandboxProject, request: ApiRequest) -> Outcome:
    changed, names = import_records(served, request)
    return changed, imported_answer(names, request)


def _switched(served: SandboxProject, request: ApiRequest) -> Outcome:
    return people.switch_group(served, request), number_answer(1, request)


WRITES = {
    ("record", "import"): Write(_records),
    ("record", "delete"): _counted(delete_records, "record_delete"),
    ("record", "rename"): _counted(rename_record, "record_rename"),
    ("metadata", "import"): _counted(structure_import.import_metadata, "design"),
    ("project_settings", "import"): _counted(structure_import.import_settings, "design"),
    ("arm", "import"): _counted(structure_import.import_arms, "design"),
    ("arm", "delete"): _counted(structure_import.delete_arms, "design"),
    ("event", "import"): _counted(structure_import.import_events, "design"),
    ("event", "delete"): _counted(structure_import.delete_events, "design"),
    ("formEventMapping", "import"): _counted(structure_import.import_form_events, "design"),
    ("repeatingFormsEvents", "import"): _counted(structure_import.import_repeating, "design"),
    ("dag", "import"): _counted(structure_import.import_groups, "data_access_groups"),
    ("dag", "delete"): _counted(structure_import.delete_groups, "data_access_groups"),
    ("dag", "switch"): Write(_switched),
    ("userDagMapping", "import"): _counted(people.import_group_mapping, "data_access_groups"),
    ("user", "import"): _counted(people.import_users, "user_rights"),
    ("user", "delete"): _counted(people.delete_users, "user_rights"),
    ("userRole", "import"): _counted(people.import_roles, "user_rights"),
    ("userRole", "delete"): _counted(people.delete_roles, "user_rights"),
    ("userRoleMapping", "import"): _counted(people.import_role_mapping, "user_rights"),
    ("file", "import"): Write(file_requests.import_file),
    ("file", "delete"): Write(file_requests.delete_file),
    ("fileRepository", "import"): Write(file_requests.import_to_repository, "file_repository"),
    ("fileRepository", "delete"): Write(file_requests.delete_from_repository, "file_repository"),
    ("fileRepository", "createFolder"): Write(file_requests.create_folder, "file_repository"),
}
DENIED = {"record_delete": NO_DELETE, "record_rename": NO_RENAME}


def write_of(request: ApiRequest) -> Write | None:
    """Return the change that a request asks for, or None if it only reads.

    Posted ``data`` make an import of contents that have no action for it.
    """
    content, action = request.text("content"), request.text("action")
    if not action or action == "export":
        action = "import" if "data" in request.values else ""
    return WRITES.get((content, action))


def written(served: SandboxProject, write: Write, request: ApiRequest) -> Outcome:
    """Return the changed project and the answer; raises ApiError (403) if the user has not the rights for it."""
    if write.right in DENIED and not served.user.may(write.right):
        raise ApiError(403, DENIED[write.right])
    if not served.user.may("api_import"):
        raise ApiError(403, NO_IMPORT)
    if write.right and not served.user.may(write.right):
        raise ApiError(403, NO_RIGHT.format(PAGES[write.right]))
    return write.make(served, request)
