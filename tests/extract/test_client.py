import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.middleware.gzip import GZipMiddleware

from extract.answers import error_text, shown_address
from extract.client import Client, batch_size
from extract.connection import Patience, api_address
from metadata.errors import OutsideError
from redcap_sandbox.faults import Fault, Faults
from redcap_sandbox.server import SandboxProject, create_app, serve
from tests.redcap_sandbox.small_projects import CLASSIC, LONGITUDINAL, TOKEN, write

QUICK = Patience(connect=0.5, answer=0.5, attempts=3, first_wait=0.01, pause=0)
Reach = Callable[..., Client]


@pytest.fixture
def trial(tmp_path: Path) -> SandboxProject:
    return SandboxProject.read(write(tmp_path / "trial", LONGITUDINAL))


@contextmanager
def reach(project: SandboxProject, *faults: Fault, patience: Patience = QUICK, token: str = TOKEN) -> Iterator[Client]:
    with serve(create_app({TOKEN: project}, Faults(*faults))) as address:
        yield Client(address, token, patience)


def fetch_all(client: Client) -> list[tuple[list[str], bytes]]:
    client.structure()
    client.record_names(["study_id"])
    return list(client.batches(["1", "2", "10"], 20, 3))


def assert_one_sentence(error: BaseException, token: str = TOKEN) -> None:
    """An error is one line for a user, exit code 3, and no trace of the token hangs on to it."""
    assert isinstance(error, OutsideError) and error.exit_code == 3
    text = str(error)
    assert text and "\n" not in text and "Traceback" not in text and "<" not in text
    assert error.__cause__ is None and error.__context__ is None
    whole = "".join(traceback.format_exception(error)) + repr(error) + repr(error.__dict__)
    assert token.lower() not in whole.lower()


def test_structure_comes_as_the_server_sent_it(trial: SandboxProject) -> None:
    with reach(trial) as client:
        received = client.structure()
    assert list(received) == [
        "version", "project_info", "dictionary", "export_field_names", "instruments", "events", "arms",
        "form_event_mapping", "repeating", "dags", "log",
    ]  # fmt: skip
    assert received["version"] == b"15.2.1"
    assert received["arms"] == b'[{"arm_num":1,"name":"Arm one"}]'


def test_a_classic_project_has_less_structure(tmp_path: Path) -> None:
    with reach(SandboxProject.read(write(tmp_path, CLASSIC))) as client:
        assert list(client.structure()) == [
            "version", "project_info", "dictionary", "export_field_names", "instruments", "dags", "log",
        ]  # fmt: skip


def test_a_user_without_logging_and_group_rights_is_served(trial: SandboxProject) -> None:
    with reach(trial.as_user("statistician")) as client:
        received = client.structure()
    assert "log" not in received and "dags" not in received and "repeating" in received


def test_repeating_setup_that_may_not_be_seen_is_told(trial: SandboxProject) -> None:
    with (
        reach(trial.as_user("doctor")) as client,
        pytest.raises(OutsideError, match="Project Design and Setup") as told,
    ):
        client.structure()
    assert_one_sentence(told.value)


def test_records_come_in_batches(trial: SandboxProject) -> None:
    with reach(trial) as client:
        client.structure()
        batches = list(client.batches(["1", "2", "10"], columns=250_000, rows_a_record=1.0))
    assert [names for names, _ in batches] == [["1", "2"], ["10"]]
    assert batches[1][1].count(b"\n") == 2


def test_batches_shrink_with_columns() -> None:
    assert batch_size(20, 1) == 500
    assert batch_size(1000, 5) == 100
    assert batch_size(500, 16) == 62
    assert batch_size(10_000_000, 1) == 1


# every way to fail, and what its sentence must say
FAILURES = {
    "token refused": (Fault("forbidden", times=None), "refused the token"),
    "token refused later": (Fault("forbidden", content="log", times=None), "refused the token"),
    "500": (Fault("status", status=500, times=None), "HTTP 500"),
    "502": (Fault("status", status=502, times=None), "HTTP 502"),
    "503": (Fault("status", status=503, times=None), "overloaded or in maintenance"),
    "504": (Fault("status", status=504, content="record", times=None), "HTTP 504"),
    "418": (Fault("status", status=418, times=None), "web page"),
    "truncated JSON": (Fault("truncated", content="metadata", times=None), "cut short"),
    "truncated CSV": (Fault("truncated", content="record", times=None), "cut short"),
    "out of memory": (Fault("memory", content="record", times=None), "ran out of memory"),
    "out of memory on structure": (Fault("memory", content="metadata", times=None), "ran out of memory"),
    "web page": (Fault("html", times=None), "web page instead of data"),
    "web page for records": (Fault("html", content="record", times=None), "web page instead of data"),
    "dropped connection": (Fault("drop", content="metadata", times=None), "closed the connection"),
    "redirect": (Fault("redirect", times=None), "redirects to https://elsewhere.example.org/api/"),
    "not UTF-8": (Fault("not_utf8", content="record", times=None), "not UTF-8"),
    "slow": (Fault("slow", seconds=0.8, times=None), "within 0.5 seconds"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_is_one_sentence(trial: SandboxProject, name: str) -> None:
    fault, words = FAILURES[name]
    with reach(trial, fault) as client, pytest.raises(OutsideError) as told:
        fetch_all(client)
    assert words in str(told.value)
    assert_one_sentence(told.value)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=503, times=2),
        Fault("truncated", content="metadata", times=1),
        Fault("truncated", content="record", times=2),
        Fault("drop", content="event", times=2),
    ],
)
def test_what_passes_is_tried_again(trial: SandboxProject, fault: Fault) -> None:
    with reach(trial, fault) as client:
        assert b"".join(body for _, body in fetch_all(client)).count(b"Headache") == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("memory", content="record", more_than=1, after=1, times=None),
        Fault("status", content="record", more_than=1, after=1, times=None, status=502),
        Fault("slow", content="record", more_than=1, after=1, times=None, seconds=0.8),
    ],
)
def test_a_batch_that_is_too_large_is_halved(trial: SandboxProject, fault: Fault) -> None:
    with reach(trial, fault) as client:
        batches = fetch_all(client)
    assert [names for names, _ in batches] == [["1"], ["2"], ["10"]]


def test_a_token_the_server_does_not_know(trial: SandboxProject) -> None:
    with reach(trial, token="B" * 32) as client, pytest.raises(OutsideError) as told:
        client.structure()
    assert 'refused the token: "You do not have permissions to use the API' in str(told.value)
    assert_one_sentence(told.value, "B" * 32)


@pytest.mark.parametrize("token", ["", "short", "G" * 32, TOKEN + "0"])
def test_a_token_that_is_none_is_not_shown(token: str) -> None:
    with pytest.raises(OutsideError, match="32 hexadecimal characters") as told:
        Client("http://127.0.0.1/", token)
    assert not token or token not in str(told.value)


def test_a_server_that_is_down() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(OutsideError, match="cannot be reached: the connection was refused") as told:
        Client(f"http://127.0.0.1:{port}", TOKEN, QUICK).structure()
    assert_one_sentence(told.value)


def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(OutsideError) as told:
        Client("https://redcap.invalid/", TOKEN, QUICK).structure()
    assert_one_sentence(told.value)


def test_a_wrong_path(trial: SandboxProject) -> None:
    with serve(create_app({TOKEN: trial})) as address, pytest.raises(OutsideError, match="no REDCap API") as told:
        Client(f"{address}redcap/", TOKEN, QUICK).structure()
    assert_one_sentence(told.value)


@pytest.mark.parametrize("address", ["", "redcap.example.org", "ftp://redcap.example.org/", "https://"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(OutsideError, match="not the address of a REDCap server"):
        Client(address, TOKEN)


def test_addresses_of_server_and_api_are_both_taken() -> None:
    for given in ("https://r.org", "https://r.org/", "https://r.org/api", "https://r.org/api/"):
        assert api_address(given) == "https://r.org/api/"
    assert api_address("https://r.org/redcap/") == "https://r.org/redcap/api/"
    assert shown_address("https://me:secret@r.org/api/?token=1#x") == "https://r.org/api/"


def test_a_server_that_trickles_runs_out_of_time() -> None:
    """Each byte comes in time, the answer does not."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def trickle() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
            while not stopped.wait(0.05):
                try:
                    connection.sendall(b"x" * 10)
                except OSError:
                    return

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    started = time.monotonic()
    try:
        port = listener.getsockname()[1]
        with pytest.raises(OutsideError, match="within") as told:
            Client(f"http://127.0.0.1:{port}/", TOKEN, QUICK).structure()
        assert_one_sentence(told.value)
        assert time.monotonic() - started < 5
    finally:
        stopped.set()
        thread.join(timeout=2)
        listener.close()


def test_the_token_is_in_no_representation(trial: SandboxProject) -> None:
    with reach(trial) as client:
        assert TOKEN not in repr(client) and TOKEN not in str(client)


def test_the_servers_own_words_never_repeat_the_token(trial: SandboxProject, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(0), reach(trial) as client:
        client.structure()
        with pytest.raises(OutsideError) as told:
            client.record_names([TOKEN.lower()])
    assert "(token)" in str(told.value)
    assert_one_sentence(told.value)
    assert TOKEN.lower() not in caplog.text.lower()


def test_progress_is_shown_on_request_only(trial: SandboxProject, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(create_app({TOKEN: trial})) as address:
        fetch_all(Client(address, TOKEN, QUICK, progress=False))
        assert capsys.readouterr() == ("", "")
        fetch_all(Client(address, TOKEN, QUICK, progress=True))
    shown = capsys.readouterr()
    assert shown.out == "" and "records" in shown.err


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"error":"No"}', "No"),
        ("ERROR: No", "No"),
        ('<?xml version="1.0" encoding="UTF-8" ?><hash><error>No</error></hash>', "No"),
        ("\ufeff\nerror:No\n", "No"),
        ("record_id,x\n1,error: no\n", ""),
        ('[{"error": "a value"}]', ""),
        ('{"project_id": 1}', ""),
    ],
)
def test_errors_are_told_from_data(body: str, text: str) -> None:
    assert error_text(body) == text


def test_compressed_answers_without_a_length_are_read(trial: SandboxProject) -> None:
    """As a real server behind a web server sends them: gzip, in chunks."""
    app = create_app({TOKEN: trial})
    app.add_middleware(GZipMiddleware, minimum_size=1)

    async def without_length(scope: Any, receive: Any, send: Any) -> None:
        async def passed(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0] != b"content-length"]
                assert (b"content-encoding", b"gzip") in kept
                message = {**message, "headers": kept}
            await send(message)

        await app(scope, receive, passed)

    with serve(without_length) as address:  # type: ignore[arg-type]
        client = Client(address, TOKEN, QUICK)
        assert b"".join(body for _, body in fetch_all(client)).count(b"Headache") == 1


def test_a_proxy_is_not_asked_for_this_machine(trial: SandboxProject, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    with reach(trial) as client:
        assert client.structure()["version"] == b"15.2.1"
