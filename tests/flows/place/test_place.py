"""A place as a data manager has it: started twice, looked at, used, a part killed, stopped; in a home of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from flows.place import processes
from flows.place.home import Home
from flows.server_limit import LEASE_SECONDS
from tests.flows.conftest import STUDY

pytestmark = [pytest.mark.xdist_group("place"), pytest.mark.soak]
COMMAND = [sys.executable, "-c", "from flows.command_line import main; main()"]


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Place:
    """The commands with their ``--home``, and Prefect's API."""

    def __init__(self, root: Path) -> None:
        self.home = Home.at(root)
        self.server, self.sandbox, self.pages = free_ports(3)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "REDCAP_"))}
        self.environment = {**kept, "COLUMNS": "200"}

    def call(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments, "--home", str(self.home.root)],
            env={**self.environment, **variables}, capture_output=True, text=True, timeout=300,
            cwd=self.home.root.parent,
        )  # fmt: skip

    def up(self, *more: str) -> subprocess.CompletedProcess[str]:
        ports = ("--port", self.server), ("--sandbox-port", self.sandbox), ("--pages-port", self.pages)
        return self.call("up", *(str(one) for pair in ports for one in pair), *more)

    def status(self) -> tuple[int, dict[str, bool]]:
        done = self.call("status", "--json")
        return done.returncode, json.loads(done.stdout)["parts"]

    def heads(self) -> dict[str, int]:
        """The process of each part; a part starts others for a moment, which are nobody's matter here."""
        found = {part: processes.head(self.home, part) for part in ("server", "sandbox", "pages", "worker")}
        return {part: one.pid for part, one in found.items() if one is not None}

    def api(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.server}/api/{path}", data, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def page(self, path: str, host: str = "") -> tuple[int, str]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.pages}/{path}")
        if host:
            request.add_header("Host", host)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""

    def start(self, deployment: str, **parameters: Any) -> str:
        number = self.api(f"deployments/name/{deployment}")["id"]
        return str(self.api(f"deployments/{number}/create_flow_run", {"parameters": parameters})["id"])

    def state(self, run: str) -> dict[str, Any]:
        state: dict[str, Any] = self.api(f"flow_runs/{run}")["state"]
        return state

    def wait(self, run: str, when: Callable[[str], bool], seconds: float = 180) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while not when((state := self.state(run))["type"]):
            assert time.monotonic() < deadline, state
            time.sleep(0.5)
        return state

    def run(self, deployment: str, **parameters: Any) -> dict[str, Any]:
        """Run a deployment to its end; what a run killed by another test held of its server is free after a lease."""
        return self.wait(self.start(deployment, **parameters), lambda kind: kind in FINAL, LEASE_SECONDS + 180)

    def everything(self) -> dict[str, Any]:
        """All that bootstrapping makes, by kind: what a second time must not change."""
        listed = {
            "deployments": [(one["name"], one["id"], one["version"]) for one in self.api("deployments/filter", {})],
            "automations": [(one["name"], one["id"], one["updated"]) for one in self.api("automations/filter", {})],
            "blocks": [(one["name"], one["id"]) for one in self.api("block_documents/filter", {})],
            "variables": [(one["name"], one["value"]) for one in self.api("variables/filter", {})],
            "limits": [(one["name"], one["limit"]) for one in self.api("v2/concurrency_limits/filter", {})],
            "queues": [
                (one["name"], one["concurrency_limit"]) for one in self.api("work_pools/redcap-cdisc/queues/filter", {})
            ],
        }
        return {kind: sorted(found, key=str) for kind, found in listed.items()}


FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    found = Place(tmp_path_factory.mktemp("place") / "home")
    try:
        done = found.up()
        assert done.returncode == 0, done.stdout + done.stderr
        found.said = done.stdout  # type: ignore[attr-defined]
        yield found
    finally:
        found.call("down")
        processes.stop(processes.members(found.home))


def test_it_is_up_and_says_where_to_click(place: Place) -> None:
    said = place.said  # type: ignore[attr-defined]
    assert f"http://127.0.0.1:{place.server}/deployments" in said and f"http://127.0.0.1:{place.pages}/" in said
    assert place.status() == (0, {"server": True, "sandbox": True, "pages": True, "worker": True})
    names = {(one["name"], one["paused"]) for one in place.api("deployments/filter", {})}
    assert {(STUDY, False), (f"{STUDY}-nightly", False), (f"{STUDY}-weekly", False), ("clean-up", False)} <= names
    assert (place.home.own.stat().st_mode & 0o077, place.home.tokens.stat().st_mode & 0o077) == (0, 0)


def test_up_twice_is_one_place_and_keeps_what_a_person_changed(place: Place) -> None:
    nightly = place.api(f"deployments/name/study-build/{STUDY}-nightly")
    schedule = nightly["schedules"][0]["id"]
    change = urllib.request.Request(
        f"http://127.0.0.1:{place.server}/api/deployments/{nightly['id']}/schedules/{schedule}",
        b'{"active": true}', {"content-type": "application/json"}, method="PATCH",
    )  # fmt: skip
    urllib.request.urlopen(change, timeout=30).close()
    before, numbers = place.everything(), place.heads()
    done = place.up()
    assert done.returncode == 0 and "was running" in done.stdout, done
    assert place.everything() == before
    assert place.heads() == numbers and len(numbers) == 4
    again = place.api(f"deployments/name/study-build/{STUDY}-nightly")
    assert [one["active"] for one in again["schedules"]] == [True]


def test_another_port_is_refused_while_it_runs(place: Place) -> None:
    done = place.call("up", "--port", str(free_ports(1)[0]))
    assert (
        done.returncode == 2 and "stop it with redcap-cdisc down before the port of its server changes" in done.stderr
    )


def test_a_run_is_built_and_its_pages_are_served_but_nothing_else(place: Place) -> None:
    assert place.run(f"study-build/{STUDY}-nightly")["type"] == "COMPLETED"
    assert (place.home.root / f"{STUDY}-queries" / "queries.csv").is_file()
    assert place.page(f"{STUDY}-queries/queries.html")[0] == 200
    assert f"{STUDY}-queries/queries.html" in place.page("")[1]
    snapshot = next(path for path in (place.home.root / "snapshots" / STUDY).glob("*/*") if path.is_file())
    for path in (snapshot, place.home.tokens, place.home.prefect / "prefect.db"):
        assert path.is_file() and place.page(path.relative_to(place.home.root).as_posix())[0] == 404
    assert place.page(f"{STUDY}-queries/../place/sandbox.json")[0] == 404
    assert place.page(f"{STUDY}-queries/queries.html", host="evil.example")[0] == 400


def test_a_dead_part_is_started_again(place: Place) -> None:
    head = processes.head(place.home, "sandbox")
    assert head is not None
    head.kill()
    psutil.wait_procs([head], timeout=10)
    assert place.status() == (1, {"server": True, "sandbox": False, "pages": True, "worker": True})
    done = place.up()
    assert done.returncode == 0 and "started again: sandbox" in done.stdout, done
    assert place.status()[0] == 0


def test_a_parameter_that_is_no_choice_is_refused(place: Place) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        place.start(f"study-build/{STUDY}", until="everything")
    assert refused.value.code == 409 and "everything" in refused.value.read().decode()


def test_a_run_whose_process_is_killed_is_crashed_and_told_within_three_minutes(place: Place) -> None:
    """The worker is killed first, so that nobody but Prefect's automation can notice."""
    run = place.start(f"study-build/{STUDY}")
    place.wait(run, lambda kind: kind == "RUNNING")
    time.sleep(2)  # the first sign of life is sent at the start
    began = time.monotonic()
    doomed = processes.members(place.home, "worker")
    assert any(run in str(one.environ()) for one in doomed)
    for one in doomed:
        one.kill()
    state = place.wait(run, lambda kind: kind == "CRASHED", 180)
    assert "ended without a word" in state["message"]
    while not any("Crashed" in line and run in line for line in alerts(place)):
        assert time.monotonic() - began < 180, alerts(place)
        time.sleep(1)
    time.sleep(3)
    assert sum(run in line for line in alerts(place)) == 1, "it is told of once"
    assert place.status()[1]["worker"] is False
    assert "started again: worker" in place.up().stdout


def alerts(place: Place) -> list[str]:
    return place.home.alerts.read_text(encoding="utf-8").splitlines() if place.home.alerts.is_file() else []


def test_down_stops_a_run_too_and_prefect_knows(place: Place) -> None:
    run = place.start(f"study-build/{STUDY}")
    place.wait(run, lambda kind: kind == "RUNNING")
    done = place.call("down")
    assert done.returncode == 0 and done.stdout == "stopped: server, sandbox, pages, worker\n"
    assert processes.members(place.home) == []
    assert place.status()[0] == 1
    assert place.call("down").stdout.startswith("nothing runs in ")
    assert place.up().returncode == 0
    state = place.state(run)  # the worker that is stopped may tell of it first, in its own words
    assert state["type"] == "CRASHED" and state["message"], state


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    other = Place(tmp_path / "home")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", other.server))
        taken.listen()
        done = other.up()
    assert done.returncode == 2
    assert done.stderr == (
        f"redcap-cdisc: port {other.server} is taken by another program: choose another for the server with --port\n"
    )
    assert processes.members(other.home) == []
