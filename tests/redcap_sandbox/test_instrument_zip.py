"""Instruments as ZIPs are imported as they were written; production and rights on forms refuse changes."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from metadata.dictionary import FIELD_ATTRIBUTES
from metadata.errors import RedcapCdiscError
from redcap_sandbox.instrument_zip import with_instrument
from redcap_sandbox.rights import User
from redcap_sandbox.server import SandboxProject, create_app
from sdtm.draft.bundled_forms import bundled_forms
from tests.redcap_sandbox.small_projects import CLASSIC, LONGITUDINAL, TOKEN, write


@pytest.fixture(scope="module")
def classic(tmp_path_factory: pytest.TempPathFactory) -> SandboxProject:
    return SandboxProject.read(write(tmp_path_factory.mktemp("projects") / "classic", CLASSIC))


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> SandboxProject:
    return SandboxProject.read(write(tmp_path_factory.mktemp("projects") / "trial", LONGITUDINAL))


def packed(**members: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), text)
    return made.getvalue()


def post(served: SandboxProject, token: str = TOKEN, **data: str) -> Response:
    api = TestClient(create_app({token: served}))
    return api.post("/api/", data={"token": token, "format": "json", **data})


@pytest.mark.parametrize("name", sorted(bundled_forms()))
def test_our_forms_come_back_field_by_field(classic: SandboxProject, name: str) -> None:
    one = bundled_forms()[name]
    served = with_instrument(classic, one.instrument(), f"{one.name}.zip")
    found = post(served, content="metadata", **{"forms[0]": one.name}).json()
    of_form = [row for row in found if row["form_name"] == one.name]
    assert [{key: row[key] for key in FIELD_ATTRIBUTES} for row in of_form] == one.fields()
    assert [row["instrument_name"] for row in post(served, content="instrument").json()][-1] == one.name
    assert len(served.records.frame) == len(classic.records.frame)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no ZIP", "f.zip: it is not the ZIP of an instrument"),
        (packed(other_csv="a"), "f.zip: it has a file that is not kept here: other.csv"),
        (packed(instrument_csv="x", attachments__a="b"), "f.zip: it has a file that is not kept here: attachments/a"),
        (packed(), "f.zip: it has no instrument.csv; give the ZIP of one instrument"),
        (packed(instrument_csv="a,b\n1,2\n"), "the column 'field_name' is missing"),
        (
            packed(instrument_csv="field_name,form_name\na,f\nb,g\n"),
            "f.zip: instrument.csv must have the fields of one form, not of 2: f, g",
        ),
        (
            packed(instrument_csv="field_name,form_name\npname,new\n"),
            "f.zip: the project has pname already; REDCap would take it under another name",
        ),
    ],
)
def test_what_is_no_instrument_is_refused(trial: SandboxProject, content: bytes, message: str) -> None:
    with pytest.raises(RedcapCdiscError) as error:
        with_instrument(trial, content, "f.zip")
    assert message in str(error.value)


def test_a_form_added_to_a_trial_is_in_no_event(trial: SandboxProject) -> None:
    served = with_instrument(trial, bundled_forms()["vs"].instrument(), "vs.zip")
    assert "vital_signs" in served.project.dictionary.forms
    assert not any(row["form"] == "vital_signs" for row in served.project.form_events)


def test_production_refuses_what_destroys(trial: SandboxProject) -> None:
    project = replace(trial.project, info=trial.project.info | {"in_production": "1"})
    served = replace(trial, project=project)
    rows = [{"field_name": "study_id", "form_name": "demo"}]
    for content, data in (("metadata", rows), ("arm", [{"arm_num": "9", "name": "X"}])):
        answer = post(served, content=content, action="import", data=json.dumps(data))
        assert (answer.status_code, answer.json()["error"]) == (
            400,
            "This method is only available for projects in Development status",
        )
    answer = post(served, content="event", action="delete", **{"events[0]": "scr_arm_1"})
    assert answer.status_code == 400
    with pytest.raises(RedcapCdiscError, match="in production, where new instruments are only drafted"):
        with_instrument(served, bundled_forms()["vs"].instrument(), "vs.zip")
    row = '[{"study_id":"1","redcap_event_name":"scr_arm_1","pname":"Ada"}]'
    assert post(served, content="record", data=row).json() == {"count": 1}  # data go on


def test_who_may_not_edit_a_form_changes_nothing_on_it(trial: SandboxProject) -> None:
    rights = {row["username"]: row | {"api_import": "1"} for row in trial.users}
    served = replace(trial, users=list(rights.values())).as_user("statistician")  # reads demo, does not see vitals
    row = {"study_id": "1", "redcap_event_name": "scr_arm_1"}
    refused = post(served, content="record", data=json.dumps([row | {"pname": "Ada"}]))
    assert (refused.status_code, refused.json()["error"]) == (
        403,
        "You do not have edit rights on the instrument(s): demo",
    )
    assert post(served, content="record", data=json.dumps([row | {"pname": ""}])).status_code == 200  # nothing changes
    erased = post(served, content="record", data=json.dumps([row | {"pname": ""}]), overwriteBehavior="overwrite")
    assert erased.status_code == 403


@pytest.mark.parametrize(
    ("right", "edits"),
    [(0, False), (1, True), (2, False), (3, True), (128, False), (129, False), (130, True), (138, True), (154, True)],
)
def test_rights_on_a_form_by_old_and_new_numbers(right: int, edits: bool) -> None:
    assert User(form_rights={"demo": right}).may_edit("demo") is edits
