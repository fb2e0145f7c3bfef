"""A Prefect server of our own, with its home in the build folder: the user's profile is neither read nor changed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Self

from metadata.errors import OutsideError

LONGEST_START = 120.0
LONGEST_FLUSH = 15.0
HOST = "127.0.0.1"


def own_settings(home: Path) -> dict[str, str]:
    """Return the settings that keep Prefect to itself: its home, no call outside, a quiet console."""
    return {
        "PREFECT_HOME": str(home.resolve()),
        "PREFECT_PROFILES_PATH": str(home.resolve() / "profiles.toml"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
        "DO_NOT_TRACK": "1",
    }


def isolate(home: Path) -> None:
    """Give this process a Prefect of its own; call it before prefect is imported."""
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ.update(own_settings(home))
    for name in ("NO_PROXY", "no_proxy"):  # a proxy of the user is not asked for this machine
        os.environ[name] = ",".join(filter(None, [os.environ.get(name, ""), HOST, "localhost"]))


class PrefectServer:
    """A server in a process of its own, started without waiting, so that it comes up while other work is done."""

    def __init__(self, home: Path) -> None:
        isolate(home)
        self.address = f"http://{HOST}:{_free_port()}/api"
        self.log = home / "server.log"
        port = self.address.rsplit(":", 1)[1].split("/")[0]
        command = [sys.executable, "-m", "prefect", "server", "start", "--no-ui", "--host", HOST, "--port", port]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603
        os.environ["PREFECT_API_URL"] = self.address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait_until_ready(self) -> None:
        """Return once the server answers; raises OutsideError if it ends or takes too long."""
        deadline = time.monotonic() + LONGEST_START
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise OutsideError(f"Prefect's server ended while it started; its log is {self.log}")
            if answers(f"{self.address}/health"):
                return
            time.sleep(0.1)
        raise OutsideError(f"Prefect's server did not answer within {LONGEST_START:.0f} s; its log is {self.log}")

    def wait_until_recorded(self, flow_run_id: str) -> bool:
        """Return True once every task run of a flow run is recorded as ended: the server writes them in batches."""
        deadline = time.monotonic() + LONGEST_FLUSH
        while time.monotonic() < deadline:
            runs = _post(f"{self.address}/task_runs/filter", {"flow_runs": {"id": {"any_": [flow_run_id]}}})
            if runs and all(run["state_type"] in ("COMPLETED", "FAILED") for run in runs):
                return True
            time.sleep(0.2)
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def answers(url: str) -> bool:
    """Return True if an address answers with status 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310  our own loopback address
            return bool(response.status == 200)
    except OSError:
        return False


def _post(url: str, body: dict[str, object]) -> list[dict[str, object]]:
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310  our own loopback address
    try:
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310
            rows: list[dict[str, object]] = json.load(response)
    except OSError:
        return []
    return rows
