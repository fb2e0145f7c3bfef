"""Faults on demand: cut answers of every class of bytes, bans, and what users do meanwhile."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from metadata.errors import UsageError
from redcap_sandbox.bans import Bans
from redcap_sandbox.cutting import PLACES, cut_places
from redcap_sandbox.faults import Fault, Faults
from redcap_sandbox.server import SandboxProject, create_app
from tests.redcap_sandbox.small_projects import LONGITUDINAL, TOKEN, write


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> SandboxProject:
    folder: Path = tmp_path_factory.mktemp("trial")
    return SandboxProject.read(write(folder, LONGITUDINAL))


def api(trial: SandboxProject, *faults: Fault, bans: Bans | None = None) -> TestClient:
    return TestClient(create_app({TOKEN: trial}, Faults(*faults), bans=bans))


def post(client: TestClient, kind: str = "json", token: str = TOKEN, **data: str) -> Response:
    return client.post("/api/", data={"token": token, "content": "record", "format": kind, **data})


@pytest.mark.parametrize("kind", ["json", "csv"])
@pytest.mark.parametrize("where", PLACES)
def test_an_answer_is_cut_at_every_class_of_bytes(trial: SandboxProject, kind: str, where: str) -> None:
    whole = post(api(trial), kind).content
    places = cut_places(whole, kind, where)
    assert places == sorted(set(places)) and places, f"{where} of {kind}"
    assert all(0 < place < len(whole) for place in places)
    for at in (0, len(places) - 1):
        fault = Fault.read(f"cut:where={where},at={at}")
        assert post(api(trial, fault), kind).content == whole[: places[at]]


def test_the_classes_are_what_they_are_called() -> None:
    body = b'a,b\n1,"x ""y"""\n22,\xc3\xa9\n'
    found = {where: [body[:place] for place in cut_places(body, "csv", where)] for where in PLACES}
    assert found == {
        "header": [b"a"],
        "cell": [b'a,b\n1,"x ""y"""\n2', b'a,b\n1,"x ""y"""\n22,\xc3'],
        "quoted": [b'a,b\n1,"x "'],
        "quote": [b'a,b\n1,"'],
        "escape": [b'a,b\n1,"x "', b'a,b\n1,"x ""y"'],
        "delimiter": [b"a,b\n1,", b'a,b\n1,"x ""y"""\n22,'],
        "line": [b"a,b\n", b'a,b\n1,"x ""y"""\n'],
        "character": [b'a,b\n1,"x ""y"""\n22,\xc3'],
        "last": [b'a,b\n1,"x ""y"""\n22,\xc3'],
    }
    for where in PLACES:
        whole = b'[{"a":"x\\"y","n":12},{"a":"\\u00e9","n":3}]'
        for place in cut_places(whole, "json", where):
            with pytest.raises(json.JSONDecodeError):
                json.loads(whole[:place])


def test_bodies_without_rows_or_bytes(trial: SandboxProject) -> None:
    assert post(api(trial, Fault("no_body"))).content == b""
    assert post(api(trial, Fault("empty_body"))).content == b"[]"
    assert post(api(trial, Fault("empty_body")), "csv").content == b"\n"


def test_wrong_names_are_told() -> None:
    with pytest.raises(UsageError, match="did you mean 'quoted'"):
        Fault.read("cut:where=quotes_d")
    with pytest.raises(UsageError, match="did you mean 'banned'"):
        Fault.read("baned")


def test_too_many_wrong_tokens_ban_the_address(trial: SandboxProject) -> None:
    client = api(trial, bans=Bans(wrong_tokens=2))
    assert post(client).status_code == 200
    for _ in range(2):
        assert post(client, token="0" * 32).json()["error"] == "You do not have permissions to use the API"
    assert post(client).status_code == 200, "a right token ends the count"
    assert [post(client, token="0" * 32).status_code for _ in range(2)] == [403, 403]
    banned = post(client, token="0" * 32)
    assert banned.status_code == 403 and "banned due to suspected abuse" in banned.text
    assert "banned" in post(client).text, "the right token does not help any more"


def test_too_many_requests_in_a_minute_ban_the_address(trial: SandboxProject) -> None:
    now = [datetime(2002, 1, 1)]
    client = api(trial, bans=Bans(a_minute=3, clock=lambda: now[0]))
    for _ in range(7):
        assert post(client, fields="study_id").status_code == 200
        now[0] += timedelta(seconds=20)
    assert [post(client, fields="study_id").status_code for _ in range(2)] == [200, 403]


def test_what_a_user_does_meanwhile_is_in_the_log(trial: SandboxProject) -> None:
    changes = ["edit_record:record=1,column=pname,value=Bea", "rename_record:record=2,value=22", "delete_record"]
    client = api(trial, *(Fault.read(text) for text in changes))
    for _ in changes:
        records = {row["study_id"] for row in post(client).json()}
    assert records == {"1", "10"}, "the last record was the renamed one"
    entries = post(client, content="log").json()
    assert [(one["action"], one["details"], one["username"]) for one in entries[:3]] == [
        ("Delete record 22", "", "someone"),
        ("Update record 22", "study_id = '22'", "someone"),
        ("Update record 1", "pname = 'Bea'", "someone"),
    ]
