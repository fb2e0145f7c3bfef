"""``python -m tests.flows.deployed_runs HOME RUNS``: deploy the failing flow on a server of its own and run it.

RUNS is a JSON list of environments, one a run, each with the key ``parameters``. The runs are executed as a worker does
it, each in a process of its own, with settings that let Prefect keep as much as it can. Prints the final states as
JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from flows.prefect_server import PrefectServer

ENTRYPOINT = "tests/flows/failing_build.py:study_build"
HERE = {"prefect.deployments.steps.set_working_directory": {"directory": str(Path.cwd())}}  # as prefect deploy has it
KEEPS_MUCH = {
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "true",
    "PREFECT_TASKS_DEFAULT_PERSIST_RESULT": "true",
    "PREFECT_LOGGING_LEVEL": "DEBUG",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "DEBUG",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,extract,sdtm,adam,validation,publish,reports",
}


def main(home: Path, runs: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return name and message of the final state of each run."""
    temporary = home / "temporary"
    temporary.mkdir(parents=True)
    os.environ["TMPDIR"] = str(temporary)
    with PrefectServer(home) as server:
        server.wait_until_ready()
        from prefect.client.orchestration import get_client

        states = []
        with get_client(sync_client=True) as client:
            flow = client.create_flow_from_name("study-build")
            deployment = client.create_deployment(flow, "failing", entrypoint=ENTRYPOINT, pull_steps=[HERE])
            for number, environment in enumerate(runs):
                parameters = environment.pop("parameters")
                run = client.create_flow_run_from_deployment(deployment, parameters=parameters)
                with (home / f"run-{number}.log").open("wb") as log:
                    execute = [sys.executable, "-m", "prefect", "flow-run", "execute", str(run.id)]
                    subprocess.run(execute, env={**os.environ, **KEEPS_MUCH, **environment}, stdout=log, stderr=log)
                server.wait_until_recorded(str(run.id))
                state = client.read_flow_run(run.id).state
                states.append({"name": state.name, "message": str(state.message)} if state else {})
    return states


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), json.loads(sys.argv[2]))))
