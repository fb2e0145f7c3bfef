"""Requests about files: in fields of type file, and in the file repository."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd

from redcap_sandbox.answer import Answer
from redcap_sandbox.file_store import FilePlace, Folder, Repository, StoredFile
from redcap_sandbox.log_entries import managed, with_entries
from redcap_sandbox.posted_records import NOT_DESIGNATED, PostedRecords, RowKey, event_title
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.record_import import refuse_forms, store
from redcap_sandbox.record_removal import visible_records
from redcap_sandbox.rendering import render_table
from redcap_sandbox.request import ApiError, ApiRequest, Upload
from redcap_sandbox.rights import NO_ACCESS

NO_FIELD = "The field '{}' does not exist or is not a 'file' field"
NO_RECORD = "The record '{}' does not exist"
NO_EVENT = 'The value of the parameter "event" is not valid'
NO_FORM_REPEATS = 'The value of the parameter "repeat_instance" is not valid'
NO_FILE = "There is no file to {} for this record"
NO_UPLOAD = "No valid file was uploaded"
NO_DOCUMENT = "The File Repository file doc_id={} does not exist or else you do not have permission to that file."
NO_FOLDER = (
    "The File Repository folder folder_id={} does not exist or else you do not have permission to that folder because"
    " it is DAG-restricted or Role-restricted."
)
NO_NAME = 'The parameter "name" is missing'
TAKEN = "A folder named '{}' already exists there"
Outcome = tuple[SandboxProject, Answer]
NOTHING = Answer.text("")


def file_answer(file: StoredFile) -> Answer:
    """Return a file as REDCap sends it: its name is in the content type."""
    return Answer(200, file.content, f'{file.media}; name="{file.name}";charset=UTF-8')


def _place(served: SandboxProject, request: ApiRequest) -> FilePlace:
    """Return the field a request is about; raises ApiError (400) if there is no such field, record or event."""
    project, name = served.project, request.text("field")
    field = project.dictionary.fields.get(name)
    if field is None or field.type != "file" or served.user.form_right(field.form) == NO_ACCESS:
        raise ApiError(400, NO_FIELD.format(name))
    record, event = request.text("record"), request.text("event") if project.longitudinal else ""
    if record not in visible_records(served):
        raise ApiError(400, NO_RECORD.format(record))
    if event not in project.event_names:
        raise ApiError(400, NO_EVENT)
    if not project.designated(event, field.form):
        raise ApiError(400, NOT_DESIGNATED.format(name, event_title(served, event)))
    alone = project.repeats(event, field.form)
    instance = request.text("repeat_instance")
    if instance and not (instance.isdecimal() and int(instance) > 0):
        raise ApiError(400, NO_FORM_REPEATS)
    number = str(int(instance or "1")) if alone or project.event_repeats(event) else ""
    return FilePlace(record, event, field.form if alone else "", number, name)


def _stored(served: SandboxProject, place: FilePlace, verb: str) -> StoredFile:
    """Return the file of a field; one that came with a project's records is known by its name only, and is empty."""
    name = served.file_name(place)
    if not name:
        raise ApiError(400, NO_FILE.format(verb))
    return served.files.get(place, StoredFile(0, name, "application/octet-stream", b""))


def export_file(served: SandboxProject, request: ApiRequest) -> Outcome:
    """Return the file of a field."""
    place = _place(served, request)
    return served, file_answer(_stored(served, place, "download"))


def file_info(served: SandboxProject, request: ApiRequest) -> Outcome:
    """Return name, size and type of the file of a field, or only its size."""
    file = _stored(served, _place(served, request), "download")
    if request.text("content") == "filesize":
        return served, Answer.text(str(len(file.content)))
    row = {"doc_id": file.number, "doc_name": file.name, "doc_size": len(file.content), "mime_type": file.media}
    return served, Answer.text(json.dumps([row], separators=(",", ":")), "json")


def _uploaded(request: ApiRequest) -> Upload:
    if request.upload is None or not request.upload.name:
        raise ApiError(400, NO_UPLOAD)
    return request.upload


def import_file(served: SandboxProject, request: ApiRequest) -> Outcome:
    """Return the project with a file in a field; the answer is empty."""
    place, upload = _place(served, request), _uploaded(request)
    refuse_forms(served, {place.field})
    number = max([0, *(file.number for file in served.files.values()), served.repository.next_number - 1]) + 1
    file = StoredFile(number, upload.name, upload.media or "application/octet-stream", upload.content)
    changed = _with_name(served, place, upload.name)
    return replace(changed, files={**served.files, place: file}), NOTHING


def delete_file(served: SandboxProject, request: ApiRequest) -> Outcome:
    """Return the project without the file of a field; the answer is empty."""
    place = _place(served, request)
    refuse_forms(served, {place.field})
    _stored(served, place, "delete")
    changed = _with_name(served, place, "")
    return replace(changed, files={key: file for key, file in served.files.items() if key != place}), NOTHING


def _with_name(served: SandboxProject, place: FilePlace, name: str) -> SandboxProject:
    """Return the project with a file's name in its field, logged."""
    key = RowKey(place.record, place.event, place.instrument, place.instance)
    return store(served, PostedRecords({key: {place.field: name}}), blanks=True)


def _folder(served: SandboxProject, request: ApiRequest, name: str = "folder_id") -> int | None:
    """Return the number of a folder that the user may see, None for the top."""
    given = request.text(name)
    if not given:
        return None
    folder = served.repository.folders.get(int(given)) if given.isdecimal() else None
    if folder is None or not _sees(served, folder):
        raise ApiError(400, NO_FOLDER.format(given))
    return folder.number


def _sees(served: SandboxProject, folder: Folder) -> bool:
    """True if neither the folder nor one that it is in is kept for another group or role."""
    groups, role = served.group_names, served.role_of.get(served.user.name, "")
    if folder.dag and served.user.dag and groups.get(folder.dag, folder.dag) != served.user.dag:
        return False
    if folder.role and role and folder.role != role:
        return False
    above = served.repository.folders.get(folder.parent) if folder.parent is not None else None
    return above is None or _sees(served, above)


def _document(served: SandboxProject, request: ApiRequest) -> StoredFile:
    given = request.text("doc_id")
    number = int(given) if given.isdecimal() else 0
    folder = served.repository.folder_of.get(number)
    there = number in served.repository.files
    if not there or (folder is not None and not _sees(served, served.repository.folders[folder])):
        raise ApiError(400, NO_DOCUMENT.format(given))
    return served.repository.files[number]


def list_repository(served: SandboxProject, request: ApiRequest) -> pd.DataFrame:
    """Return the folders and files of a folder, folders first; ids are integers or blank."""
    inside = _folder(served, request)
    folders = [one for one in served.repository.folders.values() if one.parent == inside and _sees(served, one)]
    files = [file for number, file in served.repository.files.items() if served.repository.folder_of[number] == inside]
    rows = [{"folder_id": one.number, "doc_id": "", "name": one.name} for one in folders]
    rows += [{"folder_id": "", "doc_id": one.number, "name": one.name} for one in files]
    return pd.DataFrame(rows).astype(object)


def export_from_repository(served: SandboxProject, request: ApiRequest) -> Outcome:
    """Return a file of the repository."""
    return served, file_answer(_document(served, request))


def _with_repository(served: SandboxProject, repository: Repository, details: str) -> SandboxProject:
    return with_entries(replace(served, repository=repository), [managed(details)])


def import_to_repository(served: SandboxProject, request: ApiRequest) -> Outcome:
    """Return the project with another file in a folder of its repository; the answer is empty."""
    inside, upload, kept = _folder(served, request), _uploaded(request), served.repository
    number = max([kept.next_number, *(file.number + 1 for file in served.files.values())])
    file = StoredFile(number, upload.name, upload.media or "application/octet-stream", upload.content)
    made = replace(kept, files={**kept.files, number: file}, folder_of={**kept.folder_of, number: inside})
    return _with_repository(served, made, f"Upload document to file repository (API) (doc_id = {number})"), NOTHING


def delete_from_repository(served: SandboxProject, request: ApiRequest) -> Outcome:
    """Return the project without a file of its repository; the answer is empty."""
    gone, kept = _document(served, request).number, served.repository
    made = replace(
        kept,
        files={number: file for number, file in kept.files.items() if number != gone},
        folder_of={number: folder for number, folder in kept.folder_of.items() if number != gone},
    )
    return _with_repository(served, made, f"Delete document from file repository (API) (doc_id = {gone})"), NOTHING


def create_folder(served: SandboxProject, request: ApiRequest) -> Outcome:
    """Return the project with another folder in its repository, and the folder's number."""
    inside, name, kept = _folder(served, request), request.text("name"), served.repository
    if not name:
        raise ApiError(400, NO_NAME)
    if any(one.parent == inside and one.name == name for one in kept.folders.values()):
        raise ApiError(400, TAKEN.format(name))
    number = kept.next_number
    folder = Folder(number, name, inside, request.text("dag_id"), request.text("role_id"))
    made = replace(kept, folders={**kept.folders, number: folder})
    answer = _folder_answer(number, request)
    return _with_repository(served, made, f"Create folder in file repository (API) (folder_id = {number})"), answer


def _folder_answer(number: int, request: ApiRequest) -> Answer:
    kind = request.error_format
    return Answer.text(render_table(pd.DataFrame([{"folder_id": number}]).astype(object), kind), kind)
