"""Surveys: links, access and return codes, queues and the list of participants."""

from __future__ import annotations

import pandas as pd

from metadata.records import EVENT
from redcap_sandbox.answer import Answer
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.record_removal import visible_records
from redcap_sandbox.request import ApiError, ApiRequest
from redcap_sandbox.unique_names import code_of

NO_RECORD = 'The record "{}" does not exist'
NO_SURVEY = "The instrument '{}' is not enabled as a survey"
NO_FORM = 'The value of the parameter "instrument" is not valid'
NO_EVENT = 'The value of the parameter "event" is not valid'
NO_QUEUE = "The Survey Queue is not enabled in this project"
LINK, ACCESS_CODE, RETURN_CODE = 10, 9, 8
NOT_FINISHED = "[not completed]"
UNSENT = {"email_occurrence": 1, "invitation_sent_status": 0, "invitation_send_time": ""}


def survey_answer(served: SandboxProject, request: ApiRequest) -> Answer:
    """Return a link or a code as plain text; each always follows from project, record, instrument and event."""
    content, record = request.text("content"), request.text("record")
    if record not in visible_records(served):
        raise ApiError(400, NO_RECORD.format(record))
    if content == "surveyQueueLink":
        if not served.surveys:
            raise ApiError(400, NO_QUEUE)
        return Answer.text(f"{request.base}surveys/?sq={_code(served, LINK, 'queue', record)}")
    place = (*_survey(served, request), record, request.text("repeat_instance") or "1")
    if content == "surveyLink":
        return Answer.text(f"{request.base}surveys/?s={_code(served, LINK, *place)}")
    length = ACCESS_CODE if content == "surveyAccessCode" else RETURN_CODE
    return Answer.text(_code(served, length, content, *place))


def _code(served: SandboxProject, length: int, *parts: str) -> str:
    return code_of(length, served.project.info.get("project_id", ""), *parts)


def _survey(served: SandboxProject, request: ApiRequest) -> tuple[str, str]:
    """Return the instrument and the event of a request; raises ApiError (400) unless it is a survey there."""
    form, event = request.text("instrument"), request.text("event") if served.project.longitudinal else ""
    if form not in served.project.dictionary.forms:
        raise ApiError(400, NO_FORM)
    if form not in served.surveys:
        raise ApiError(400, NO_SURVEY.format(form))
    if not served.project.designated(event, form):
        raise ApiError(400, NO_EVENT)
    return form, event


def participants(served: SandboxProject, request: ApiRequest) -> pd.DataFrame:
    """Return the participants of a survey: a row for each record of the event's arm, who have no e-mail address here.

    The status of a response is 2 when it is complete, 1 when it was begun, else 0.
    """
    form, event = _survey(served, request)
    project, frame = served.project, served.records.frame
    same_arm = [one for one in project.event_names if one == event or not project.in_different_arms([one, event])]
    seen = set(visible_records(served))
    names = served.records.record[frame[EVENT].isin(same_arm)].drop_duplicates()
    names = names[names.isin(seen)]
    own = frame[frame[EVENT] == event].drop_duplicates(project.dictionary.record_id)
    answered = own.set_index(project.dictionary.record_id).get(f"{form}_timestamp")
    rows = []
    for record in names:
        time = "" if answered is None else answered.get(record, "")
        parts = (form, event, record, "1")
        rows.append(
            {"email": "", **UNSENT, "identifier": "", "record": record}
            | {"response_status": 0 if not time else 1 if time == NOT_FINISHED else 2}
            | {"survey_access_code": _code(served, ACCESS_CODE, "surveyAccessCode", *parts)}
            | {"survey_link": f"{request.base}surveys/?s={_code(served, LINK, *parts)}"}
        )
    columns = ["email", "email_occurrence", "identifier", "record", "invitation_sent_status", "invitation_send_time"]
    columns += ["response_status", "survey_access_code", "survey_link"]
    return pd.DataFrame(rows, columns=columns).astype(object)
