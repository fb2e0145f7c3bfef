"""The parts of a place: how each is started, and how one sees that it answers."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flows.place import processes
from flows.place.automations import HEARTBEAT
from flows.place.bootstrap import POOL
from flows.place.environment import BUILDS, PAGES, STUDIES
from flows.place.home import Choices, Home
from flows.prefect_server import HOST, LONGEST_START, answers, own_settings
from metadata.errors import OutsideError, UsageError

OPTIONS = {"server": "--port", "sandbox": "--sandbox-port", "pages": "--pages-port"}
PROXY = ("NO_PROXY", "no_proxy")
WORKER_RUNS = 4
"""Flow runs that the worker has at once: builds of different studies, checks, the clean-up."""


@dataclass(frozen=True)
class Part:
    """One part: its process, the port that it listens on (none for the worker), and the address that answers."""

    name: str
    module: tuple[str, ...]
    port: int = 0
    health: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def runs(self, home: Home) -> bool:
        """Return True if the part's process is there and answers."""
        return processes.head(home, self.name) is not None and self.answers()

    def answers(self) -> bool:
        """Return True if the part answers at its address, or at least listens on its port, if it has one."""
        return answers(self.health) if self.health else not self.port or listens(self.port)


def parts_of(home: Home, choices: Choices) -> list[Part]:
    """Return the parts of a place in the order in which they are started."""
    address, root = f"http://{HOST}:{choices.server}", str(home.root)
    prefect = {**settings(home, choices), "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "INFO"}
    builds = {BUILDS: root, STUDIES: choices.studies, PAGES: f"http://{HOST}:{choices.pages}/"}
    server = ("prefect", "server", "start", "--host", HOST, "--port", str(choices.server))
    worker = ("prefect", "worker", "start", "--pool", POOL, "--name", POOL, "--type", "process")
    return [
        Part("server", server, choices.server, f"{address}/api/health", prefect),
        Part("sandbox", ("flows.place.sandbox_part", root, str(choices.sandbox)), choices.sandbox),
        Part(
            "pages", ("flows.place.pages", root, str(choices.pages)), choices.pages, f"http://{HOST}:{choices.pages}/"
        ),
        Part("worker", (*worker, "--limit", str(WORKER_RUNS)), environment={**prefect, **builds}),
    ]


def settings(home: Home, choices: Choices) -> dict[str, str]:
    """Return Prefect's settings for all parts, and for what speaks to its server."""
    return {
        **own_settings(home.prefect),
        "PREFECT_API_URL": f"http://{HOST}:{choices.server}/api",
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home.prefect / "ui"),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT),
        "PREFECT_WORKER_QUERY_SECONDS": "5",
        "PREFECT_CLIENT_RETRY_EXTRA_CODES": "500",  # the server's answer while its database restarts
        **{name: ",".join(filter(None, [os.environ.get(name, ""), HOST, "localhost"])) for name in PROXY},
    }


def start_part(home: Home, part: Part) -> None:
    """Start a part of which no process is left, and return without waiting; raises UsageError if its port is taken."""
    if part.port:
        check_port(part)
    processes.start(home, part.name, part.module, part.environment)


def check_port(part: Part) -> None:
    """Raise UsageError if another program listens on a part's port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, part.port))
        except OSError:
            taken = f"port {part.port} is taken by another program"
            raise UsageError(f"{taken}: choose another for the {part.name} with {OPTIONS[part.name]}") from None


def listens(port: int) -> bool:
    """Return True if something listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def wait_for(home: Home, part: Part, ready: Callable[[], bool] | None = None) -> None:
    """Return once a part is up; raises OutsideError, with the end of its log, if it ends or takes too long."""
    deadline = time.monotonic() + LONGEST_START
    log = home.log(part.name)
    while time.monotonic() < deadline:
        if processes.head(home, part.name) is None:
            raise OutsideError(f"the {part.name} ended while it started: {processes.log_end(log)} ({shown(log)})")
        if part.runs(home) and (ready is None or ready()):
            return
        time.sleep(0.3)
    raise OutsideError(f"the {part.name} did not answer within {LONGEST_START:.0f} s; its log is {shown(log)}")


def shown(path: Path) -> str:
    """Return a path as a user would type it."""
    from flows.run_request import relative

    return relative(path)
