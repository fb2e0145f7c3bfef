"""An extraction that was killed, or whose server failed, goes on where it ended, and its snapshot is whole."""

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from extract import client as client_module
from extract.api import take
from extract.client import Client
from extract.connection import Patience
from extract.receiving import Received, ServerFailure
from metadata.errors import OutsideError
from metadata.study import Study
from redcap_sandbox.changes import deleted, edited
from redcap_sandbox.faults import Fault, Faults
from redcap_sandbox.server import SandboxProject, create_app, serve
from tests.extract.random_projects import random_trial
from tests.redcap_sandbox.small_projects import DICTIONARY, LONGITUDINAL, TOKEN, write, write_study

QUICK = Patience(connect=2, answer=10, attempts=1, first_wait=0, pause=0)
PATIENT = Patience(connect=2, answer=10, attempts=2, first_wait=0, pause=0)
KILLED = """
import os, sys
from pathlib import Path
from extract import client
from extract.api import take
from extract.receiving import Received
from metadata.study import Study
client.MOST_RECORDS, proved = 1, Received.prove
def prove(self, names):
    proved(self, names)
    if len(self.paths) == 2:
        os.kill(os.getpid(), 9)
Received.prove = prove
take(Study.open(sys.argv[1]), client.Client(sys.argv[2], sys.argv[3]), Path(sys.argv[4]))
"""


@pytest.fixture(autouse=True)
def one_record_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MOST_RECORDS", 1)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study.open(write_study(tmp_path / "small"))


@contextmanager
def served(project: SandboxProject, *faults: Fault) -> Iterator[str]:
    with serve(create_app({TOKEN: project}, Faults(*faults))) as address:
        yield address


@contextmanager
def at_one_address(project: SandboxProject) -> Iterator[tuple[str, dict[str, SandboxProject]]]:
    """Serve a project at an address at which it may change."""
    app = create_app({TOKEN: project})
    with serve(app) as address:
        yield address, app.state.tenants.projects


def extraction(path: Path) -> dict[str, Any]:
    return dict(json.loads((path / "extraction.json").read_bytes()))


def fail_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server fail when two batches were proven."""
    prove, failed = Received.prove, []

    def then_fail(self: Received, names: Sequence[str]) -> None:
        prove(self, names)
        if len(self.paths) == 2 and not failed:
            failed.append(self)
            raise ServerFailure("REDCap is overloaded or in maintenance (HTTP 503)")

    monkeypatch.setattr(Received, "prove", then_fail)


def left(root: Path) -> list[Path]:
    return sorted((root / "small").glob(".receiving-*"))


def test_after_a_kill_only_what_is_missing_is_asked_for(study: Study, tmp_path: Path) -> None:
    root = tmp_path / "snapshots"
    with served(SandboxProject.read(study.path("redcap"))) as address:
        command = [sys.executable, "-c", KILLED, str(study.folder), address, TOKEN, str(root)]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        (folder,) = left(root)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
        path = take(study, Client(address, TOKEN, QUICK), root)
        whole = take(study, Client(address, TOKEN, QUICK), tmp_path / "whole")
    made = extraction(path)
    assert (made["resumed"], made["records_read"], made["batches"]) == (True, 1, 3)
    assert path.name == whole.name and extraction(whole)["records_read"] == 3
    assert not left(root) and len(list((path / "received").glob("records-*.csv"))) == 3


def test_after_a_failure_of_the_server_it_goes_on_with_what_others_changed_meanwhile(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "snapshots"
    fail_once(monkeypatch)
    with at_one_address(SandboxProject.read(study.path("redcap"))) as (address, projects):
        with pytest.raises(OutsideError, match="HTTP 503"):
            take(study, Client(address, TOKEN, QUICK), root)
        (folder,) = left(root)
        proven = [name for path in folder.glob("*.json") for name in json.loads(path.read_bytes())["records"]]
        assert 0 < len(proven) < 3
        projects[TOKEN] = edited(deleted(projects[TOKEN], proven[0]), "10", "smoker", "0")
        path = take(study, Client(address, TOKEN, QUICK), root)
        whole = take(study, Client(address, TOKEN, QUICK), tmp_path / "whole")
    assert extraction(path)["resumed"] and path.name == whole.name


def test_what_was_received_of_another_structure_is_not_taken_and_not_kept(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "snapshots"
    fail_once(monkeypatch)
    with at_one_address(SandboxProject.read(study.path("redcap"))) as (address, projects):
        with pytest.raises(OutsideError, match="HTTP 503"):
            take(study, Client(address, TOKEN, QUICK), root)
        assert left(root)
        files = {**LONGITUDINAL, "dictionary.csv": DICTIONARY.replace("2, Severe", "2, Grave")}
        projects[TOKEN] = SandboxProject.read(write(tmp_path / "changed", files))
        path = take(study, Client(address, TOKEN, QUICK), root)
    assert not extraction(path)["resumed"] and extraction(path)["records_read"] == 3 and not left(root)


@pytest.mark.parametrize("damage", ["begun", "0001.json", "0001"])
def test_what_was_not_written_to_its_end_is_read_again(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    root = tmp_path / "snapshots"
    fail_once(monkeypatch)
    with at_one_address(SandboxProject.read(study.path("redcap"))) as (address, _):
        with pytest.raises(OutsideError, match="HTTP 503"):
            take(study, Client(address, TOKEN, QUICK), root)
        file = left(root)[0] / damage
        kept = 0 if damage == "begun" else len(list(file.parent.glob("*.json"))) - 1
        file.write_bytes(file.read_bytes()[:-5])
        path = take(study, Client(address, TOKEN, QUICK), root)
        whole = take(study, Client(address, TOKEN, QUICK), tmp_path / "whole")
    assert path.name == whole.name and extraction(path)["records_read"] == 3 - kept


def test_random_failures_on_the_way_change_nothing(tmp_path: Path) -> None:
    """The server fails at each request for records in turn; the run after it makes the snapshot of an unbroken one."""
    resumed = 0
    for seed in range(6):
        trial = random_trial(seed, tmp_path / str(seed) / "study")
        fault = Fault("status", status=502, content="record", after=2 * seed + 1, times=1)
        study, root = Study.open(trial.folder), tmp_path / str(seed)
        with served(trial.served.as_user("owner"), fault) as address:
            try:
                path = take(study, Client(address, TOKEN, QUICK), root / "snapshots")
            except OutsideError:
                path = take(study, Client(address, TOKEN, QUICK), root / "snapshots")
            resumed += extraction(path)["resumed"]
            assert path.name == take(study, Client(address, TOKEN, PATIENT), root / "whole").name
    assert resumed
