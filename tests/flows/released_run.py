"""``python -m tests.flows.released_run FOLDER``: release a small study on a server of its own, answer by answer.

Each start of the run is a process of its own, as a worker has it. Prints the states, what Prefect refused, the text of
the form after an answer that was wrong, what its fields are filled with, and the artifacts, as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from flows.prefect_server import PrefectServer
from release.recording import Decision
from release.releasing import Candidate
from tests.flows.test_study_release import ANA, BORIS, WAIVED
from tests.release.candidates import key_pair, signed_approvers, small_study

HERE = {"prefect.deployments.steps.set_working_directory": {"directory": str(Path.cwd())}}
ANSWERS = ({**ANA, "name": "Somebody", "meaning": "approved"}, WAIVED, ANA, BORIS)


def main(folder: Path) -> dict[str, Any]:
    """Run it to its end."""
    with PrefectServer(folder / "home") as server:
        server.wait_until_ready()
        from prefect.client.orchestration import get_client

        with get_client(sync_client=True) as client:
            flow = client.create_flow_from_name("study-release")
            entrypoint = "tests/flows/small_release.py:study_release"
            deployment = client.create_deployment(flow, "release", entrypoint=entrypoint, pull_steps=[HERE])
            parameters = {
                "study": str(folder / "study"), "version": "1.0", "builder": "Boris Stein", "reason": "First.",
                "source": str(folder), "out": str(folder / "p"), "releases": str(folder / "releases"),
            }  # fmt: skip
            run = client.create_flow_run_from_deployment(deployment, parameters=parameters)
            told: dict[str, Any] = {"states": [_started(client, folder, run.id)]}
            told["refused"] = [
                _resume(client, run.id, answer) == "REJECT" for answer in ({}, {**ANSWERS[0], "name": ""})
            ]
            for number, answer in enumerate(ANSWERS, start=1):
                assert _resume(client, run.id, {"meaning": "approved", **answer}) == "ACCEPT"
                told["states"].append(_started(client, folder, run.id))
                if number == 1:
                    told["description"] = _input(client, run.id, "suspended-decision-2-description")
                    schema = _input(client, run.id, "suspended-decision-2-schema")
                    filled = {name: one.get("default") for name, one in schema["properties"].items()}
                    told["filled"] = {name: text for name, text in filled.items() if text is not None}
            told["signed"] = _signed(client, deployment, folder)
            told["artifacts"] = sorted({one.key for one in client.read_artifacts() if "-release" in str(one.key)})
    return told


def _signed(client: Any, deployment: Any, folder: Path) -> list[str]:
    """Return the states of a run whose approvals are signatures: at first, resumed too early, and when all signed."""
    keys = {name: key_pair(folder, name.split()[0]) for name in ("Ana Ruiz", "Boris Stein")}
    study = small_study(folder / "signed", signed_approvers({name: key for name, (_, key) in keys.items()}))
    parameters = {
        "study": str(study.folder), "version": "1.0", "builder": "Boris Stein", "reason": "First.",
        "source": str(folder), "out": str(folder / "s"), "releases": str(folder / "releases"),
    }  # fmt: skip
    run = client.create_flow_run_from_deployment(deployment, parameters=parameters).id
    states = [_started(client, folder, run)]
    for _ in range(2):
        assert _resume(client, run, {}) == "ACCEPT"
        states.append(_started(client, folder, run))
    candidate = Candidate.of(folder / "s", study)
    query = candidate.standing("final").opened[0].id
    for answer in ({**ANA, "meaning": "waived", "item": query}, {**ANA}, {**BORIS}):
        said = {"meaning": "approved", **answer}
        candidate.record(Decision(**said, key=keys[answer["name"]][0]))  # type: ignore[arg-type]
    assert _resume(client, run, {}) == "ACCEPT"
    return [*states, _started(client, folder, run)]


def _started(client: Any, folder: Path, run: Any) -> str:
    with (folder / "run.log").open("ab") as log:
        execute = [sys.executable, "-m", "prefect", "flow-run", "execute", str(run)]
        subprocess.run(execute, env=os.environ, stdout=log, stderr=log, check=False)
    state = client.read_flow_run(run).state
    return str(state.name)


def _resume(client: Any, run: Any, answer: dict[str, str]) -> str:
    made = client.request("POST", "/flow_runs/{id}/resume", path_params={"id": run}, json={"run_input": answer})
    return str(made.json()["status"])


def _input(client: Any, run: Any, key: str) -> Any:
    return client.request("GET", "/flow_runs/{id}/input/{key}", path_params={"id": run, "key": key}).json()


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
