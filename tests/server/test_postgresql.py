"""Prefect on a real PostgreSQL: two workers, one is killed, the database restarts; nothing is lost or done twice."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest

from flows.place.home import Choices, Home
from flows.place.parts import settings
from tests.server.ledger_flow import GATE, counted

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("place")]
RUNS, AT_ONCE = 20, 3
SETTLED = 10
"""Seconds after which a sign of life is stored: what comes while the database is away is lost."""


class Cluster:
    """A PostgreSQL cluster of its own on loopback, run by a user who is not root."""

    def __init__(self, programs: Path) -> None:
        self.programs, self.port = programs, free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="cluster-"))
        self.user = "postgres" if os.getuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        self.data = self.folder / "data"
        self._call("initdb", "-D", self.data, "-U", "prefect", "-A", "trust", "-E", "UTF8", "--locale", "C")
        self.start()
        self._call("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "prefect", "prefect")

    @property
    def address(self) -> str:
        return f"postgresql+asyncpg://prefect@127.0.0.1:{self.port}/prefect"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        self._call("pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "-o", options, "start")

    def stop(self) -> None:
        self._call("pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")

    def _call(self, program: str, *arguments: object) -> None:
        command = [str(self.programs / program), *map(str, arguments)]
        done = subprocess.run(
            command, user=self.user, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    programs = found[-1].parent if found else Path(shutil.which("initdb") or "").parent
    if not (programs / "pg_ctl").is_file():
        pytest.skip("PostgreSQL (initdb, pg_ctl) is not on this machine")
    made = Cluster(programs)
    yield made
    made.stop()
    shutil.rmtree(made.folder)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(log: Path, *module: str) -> Iterator[psutil.Popen]:
    """Run a module in a process of its own, and end it with all that it started."""
    with log.open("ab") as output:
        started = psutil.Popen(
            [sys.executable, "-P", "-m", *module], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield started
    finally:
        kill(started)


def kill(one: psutil.Popen) -> None:
    """Kill a process and its children at once, as a machine that stops does."""
    if not one.is_running():
        return
    family = [one, *one.children(recursive=True)]
    for member in family:
        member.suspend()
    for member in family:
        member.kill()
    psutil.wait_procs(family, timeout=10)


def wait(what: str, when: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if when():
                return
        except Exception as error:  # the server may not answer while its database is away
            what = f"{what.split(' (')[0]} ({error!r})"
        assert time.monotonic() < deadline, what
        time.sleep(1)


def test_nothing_is_lost_or_done_twice(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    home = Home.at(tmp_path / "home")
    home.make()
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)
    kept = {**settings(home, Choices(server=free_port())), "PREFECT_API_DATABASE_CONNECTION_URL": cluster.address}
    for name, value in kept.items():
        monkeypatch.setenv(name, value)
    port = kept["PREFECT_API_URL"].rsplit(":", 1)[1].removesuffix("/api")
    ledger = tmp_path / "ledger"
    with process(tmp_path / "server.log", "prefect", "server", "start", "--no-ui", "--port", port):
        wait("the server answers", lambda: health(kept["PREFECT_API_URL"]), 120)
        with client_of(kept["PREFECT_API_URL"]) as client:
            runs = submit(client, ledger)
            with worker(tmp_path, "first") as first, worker(tmp_path, "second"):
                wait("both work", lambda: len(counted(ledger)["begin"]) == 2 * AT_ONCE, 240)
                time.sleep(SETTLED)
                kill(first)
                time.sleep(SETTLED)
                cluster.stop()
                time.sleep(3)
                cluster.start()
                ledger.with_name(GATE).touch()
                wait("every run ends", lambda: all(state in FINAL for state in states(client, runs).values()), 900)
                ended = states(client, runs)
                check_first_ends(ended, counted(ledger))
                for run in [run for run, state in ended.items() if state == "CRASHED"]:
                    retry(client, run)
                wait("those of the dead worker end", lambda: set(states(client, runs).values()) == {"COMPLETED"}, 400)
    done = Counter(counted(ledger)["end"])
    assert done == Counter(range(RUNS)), "each was done, and once"


FINAL = ("COMPLETED", "CRASHED", "FAILED")


def check_first_ends(ended: dict[UUID, str], lines: dict[str, list[int]]) -> None:
    """What the killed worker had is Crashed, all else Completed; nothing was begun twice."""
    assert Counter(ended.values()) == {"COMPLETED": RUNS - AT_ONCE, "CRASHED": AT_ONCE}
    assert len(lines["end"]) == len(set(lines["end"])) == RUNS - AT_ONCE
    assert len(lines["begin"]) == len(set(lines["begin"]))


def health(api: str) -> bool:
    from flows.prefect_server import answers

    return answers(f"{api}/health")


def client_of(api: str) -> Any:
    from prefect.client.orchestration import SyncPrefectClient

    return SyncPrefectClient(api)


def submit(client: Any, ledger: Path) -> dict[UUID, int]:
    """Make pool, deployment and the place's automations, and submit the runs; messages go to no block at all."""
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.workers.process import ProcessWorker

    from flows.place.automations import automations, bring

    template = ProcessWorker.get_default_base_job_template()
    client.create_work_pool(WorkPoolCreate(name="ledger", type="process", base_job_template=template))
    bring(client, automations(uuid4()))
    flow = client.create_flow_from_name("ledger")
    code = ledger.parent / "code"  # Prefect copies the folder of the code for each run
    code.mkdir()
    shutil.copy(Path(__file__).with_name("ledger_flow.py"), code)
    deployment = client.create_deployment(
        flow, "ledger", entrypoint="ledger_flow.py:keep_ledger", work_pool_name="ledger", path=str(code)
    )
    found = {}
    for number in range(RUNS):
        run = client.create_flow_run_from_deployment(
            deployment, parameters={"ledger": str(ledger), "number": number}, name=str(number)
        )
        found[run.id] = number
    return found


def worker(folder: Path, name: str) -> Any:
    command = ("prefect", "worker", "start", "--pool", "ledger", "--type", "process", "--name", name)
    return process(folder / f"{name}.log", *command, "--limit", str(AT_ONCE))


def states(client: Any, runs: dict[UUID, int]) -> dict[UUID, str]:
    from prefect.client.schemas.filters import FlowRunFilter

    which = FlowRunFilter.model_validate({"id": {"any_": [str(run) for run in runs]}})
    return {run.id: run.state_type.value for run in client.read_flow_runs(flow_run_filter=which)}


def retry(client: Any, run: UUID) -> None:
    """As a person does in Prefect's pages."""
    from prefect.states import AwaitingRetry

    client.set_flow_run_state(run, AwaitingRetry(), force=True)
