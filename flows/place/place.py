"""``redcap-cdisc up``, ``down`` and ``status``: the whole of a place on one machine."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from flows.place import processes
from flows.place.connections import Connection, connect, sandbox_tokens
from flows.place.environment import studies_in
from flows.place.home import Choices, Home
from flows.place.pages import ALERTS, kept_alerts
from flows.place.parts import Part, parts_of, settings, shown, start_part, wait_for
from flows.prefect_server import HOST
from metadata.errors import OutsideError, UsageError
from metadata.study import Study

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient

NAMES = ("server", "sandbox", "pages", "worker")
GONE = "The process of the run had gone when the place was started."
STOPPED = "The place was stopped (redcap-cdisc down) while the run was at work."


@dataclass(frozen=True)
class Asked:
    """What the command line chose; what is None stays as it was, or is the usual."""

    studies: Path | None = None
    server: int | None = None
    sandbox: int | None = None
    pages: int | None = None
    notify: str | None = None


@dataclass(frozen=True)
class Standing:
    """What runs: the parts and whether each does, the connections of studies (none if Prefect does not answer)."""

    home: Home
    choices: Choices
    parts: dict[str, bool]
    connections: Sequence[Connection] = ()
    started: Sequence[str] = ()

    @property
    def whole(self) -> bool:
        """True if every part runs."""
        return all(self.parts.values())

    @property
    def address(self) -> str:
        """Where Prefect's pages are."""
        return f"http://{HOST}:{self.choices.server}"


def up(root: Path, asked: Asked) -> Standing:
    """Start what does not run, and bring studies, blocks and automations to Prefect; done twice it is one place.

    Raises UsageError for a taken port or an empty folder of studies, OutsideError for a part that does not start.
    """
    home = Home.at(root)
    home.make()
    with _alone(home):
        choices = _chosen(home, asked)
        studies = studies_of(choices.studies)
        tokens = sandbox_tokens(home, studies)
        home.keep(choices)
        os.environ.update(settings(home, choices))
        started = []
        *first, worker = parts_of(home, choices)
        needed = [part for part in first if part.name != "sandbox" or tokens]
        for part in needed:
            if _start(home, part):
                started.append(part.name)
        for part in needed:
            wait_for(home, part)
        connections = _bootstrap(home, choices, studies, tokens)
        if _start(home, worker, meanwhile=lambda: _end_dead_runs(home, GONE)):
            started.append(worker.name)
        wait_for(home, worker, _worker_is_seen)
    return replace(_standing(home, choices, connections), started=started)


def down(root: Path) -> list[str]:
    """Stop every process of a place, the runs at work too, and tell Prefect of these; returns the parts that ran."""
    home = Home.at(root)
    choices = home.choices()
    if choices is None:
        return []
    with _alone(home):
        os.environ.update(settings(home, choices))
        ran = [name for name in NAMES if processes.head(home, name) is not None]
        processes.stop(processes.members(home, "worker"))
        if "server" in ran and parts_of(home, choices)[0].answers():
            with suppress(Exception):  # a server that fails at this point is stopped all the same
                _end_dead_runs(home, STOPPED)
        processes.stop(processes.members(home))
    return ran


def status(root: Path) -> Standing | None:
    """Return what runs of a place; None if there never was one."""
    home = Home.at(root)
    choices = home.choices()
    return None if choices is None else _standing(home, choices, ())


def _standing(home: Home, choices: Choices, connections: Sequence[Connection]) -> Standing:
    needed = [part for part in parts_of(home, choices) if part.name != "sandbox" or home.tokens.is_file()]
    return Standing(home, choices, {part.name: part.runs(home) for part in needed}, connections)


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Let one command at a time start or stop the parts of a place."""
    with (home.own / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutsideError(
                f"another redcap-cdisc starts or stops {shown(home.root)}; wait until it is done"
            ) from None
        yield


def _chosen(home: Home, asked: Asked) -> Choices:
    """Return the choices of before with what is asked now; raises UsageError if a running part would have to move."""
    before = home.choices() or Choices()
    new = {
        name: value for name in ("server", "sandbox", "pages", "notify") if (value := getattr(asked, name)) is not None
    }
    if asked.studies is not None:
        new["studies"] = str(asked.studies.absolute())
    choices = replace(before, **new)
    ports = [choices.server, choices.sandbox, choices.pages]
    if len({*ports}) < len(ports):
        raise UsageError("the server, the sandbox and the pages need three different ports")
    changed = [
        name for name in ("server", "sandbox", "pages", "studies") if getattr(before, name) != getattr(choices, name)
    ]
    if changed and processes.members(home):
        what = " and ".join(
            "its folder of studies" if name == "studies" else f"the port of its {name}" for name in changed
        )
        raise UsageError(
            f"the place in {shown(home.root)} is running: stop it with redcap-cdisc down before {what} changes"
        )
    return choices


def studies_of(folder: str) -> list[Study]:
    """Return the studies of a folder, or of the software if it is blank; raises UsageError if there is none."""
    studies = studies_in(Path(folder) if folder else None)
    if not studies:
        raise UsageError(f"--studies {folder}: no folder in it has a study.yaml")
    return studies


def _start(home: Home, part: Part, meanwhile: Callable[[], object] = lambda: None) -> bool:
    """Start a part that does not run or answer; ``meanwhile`` is called before. Returns False if it runs already."""
    if part.runs(home):
        return False
    if processes.head(home, part.name) is not None:  # it is there and does not answer
        processes.stop(processes.members(home, part.name))
    meanwhile()
    start_part(home, part)
    return True


def _bootstrap(
    home: Home, choices: Choices, studies: Sequence[Study], tokens: Mapping[str, Mapping[str, str]]
) -> list[Connection]:
    from flows.place.bootstrap import bootstrap

    api = f"http://{HOST}:{choices.sandbox}/api/"
    notify = choices.notify or f"http://{HOST}:{choices.pages}/{ALERTS}"
    connections = bootstrap(lambda has: connect(studies, choices.real, tokens, api, has), notify)
    real = sorted({*choices.real, *(one.study.name for one in connections if one.kind == "redcap")})
    home.keep(replace(choices, real=real))
    return connections


def _worker_is_seen() -> bool:
    """Return True if Prefect has heard of a worker of the pool, and it is online."""
    from prefect.client.orchestration import get_client

    from flows.place.bootstrap import POOL

    with get_client(sync_client=True) as client:
        names = {"work_pool_name": POOL}
        answer = client.request("POST", "/work_pools/{work_pool_name}/workers/filter", path_params=names, json={})
    return any(one["status"] == "ONLINE" for one in answer.json())


def _end_dead_runs(home: Home, reason: str) -> None:
    """Make runs Crashed that Prefect takes for alive and that no process of the place executes."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter
    from prefect.states import Crashed

    at_work = {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}}
    alive = processes.runs(home)
    with get_client(sync_client=True) as client:
        for run in _runs_of_pool(client, FlowRunFilter.model_validate(at_work)):
            if str(run) not in alive:
                client.set_flow_run_state(run, Crashed(message=reason), force=True)


def _runs_of_pool(client: SyncPrefectClient, which: object) -> list[UUID]:
    from prefect.client.schemas.filters import WorkPoolFilter

    from flows.place.bootstrap import POOL

    pool = WorkPoolFilter.model_validate({"name": {"any_": [POOL]}})
    return [run.id for run in client.read_flow_runs(flow_run_filter=which, work_pool_filter=pool)]  # type: ignore[arg-type]


def alerts_of(standing: Standing) -> int:
    """Return how many alerts were posted to the place itself."""
    return len(kept_alerts(standing.home.alerts))
