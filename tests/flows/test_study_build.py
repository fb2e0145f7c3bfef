"""The Prefect flow: the same package as without Prefect, and no patient's value in what Prefect keeps."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from redcap_sandbox.faults import Fault
from tests.flows.conftest import STUDY, TOKEN

pytestmark = pytest.mark.xdist_group("package")
SUBJECT = "SPMSAZA-SYNTH-01-0"


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Prefect of its own: home, database and server, with no call outside."""
    home = tmp_path_factory.mktemp("prefect")
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("PREFECT_")]:
            environment.delenv(name)
        for name, value in {
            "PREFECT_HOME": str(home),
            "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }.items():
            environment.setenv(name, value)
        from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
        from prefect.testing.utilities import prefect_test_harness

        with (
            prefect_test_harness(server_startup_timeout=120),
            temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
        ):
            yield home


def runs_and_artifacts() -> tuple[list[Any], list[Any]]:
    from prefect import get_client

    async def read() -> tuple[list[Any], list[Any]]:
        async with get_client() as client:
            return await client.read_task_runs(), await client.read_artifacts()

    return asyncio.run(read())


def database() -> Path:
    from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL

    return Path(str(PREFECT_API_DATABASE_CONNECTION_URL.value()).split("///", 1)[1])


def everything_stored(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        return "\n".join(connection.iterdump())


@pytest.mark.soak
def test_the_flow_gives_the_same_package_and_keeps_no_value(
    prefect_home: Path, sandbox: Callable[..., str], package: Path, tmp_path: Path
) -> None:
    from flows.study_build import study_build
    from tests.flows.test_package import hashes

    sandbox()
    made = study_build(STUDY, out=str(tmp_path / "out" / STUDY))
    assert hashes((tmp_path / "out" / STUDY).resolve()) == hashes(package.resolve())
    assert made["datasets"]["DM"] == {"standard": "sdtm", "rows": 10, "variables": made["datasets"]["DM"]["variables"]}
    assert 10 <= len(made["seconds"]) <= 30
    _, artifacts = runs_and_artifacts()
    assert {"spms-aza-stages", "spms-aza-queries", "spms-aza-datasets"} <= {one.key for one in artifacts}
    (page,) = [one.data for one in artifacts if one.key == "spms-aza-run"]
    assert page.startswith("# spms_aza, package: done")
    for said in ("| open snapshot | 10 records", "| check conformance |", "## Queries by site", "| Malaga |"):
        assert said in page, page
    assert any(one.type == "progress" and one.data == 100.0 for one in artifacts)
    stored = everything_stored(database())
    assert "tabulate" in stored
    assert SUBJECT not in stored
    assert TOKEN not in stored.upper()


@pytest.mark.soak
def test_a_flow_that_fails_says_so_without_values(
    prefect_home: Path, sandbox: Callable[..., str], tmp_path: Path
) -> None:
    from flows.error_messages import NeutralError, explain
    from flows.study_build import study_build

    sandbox(Fault("forbidden", times=None))
    state = study_build(STUDY, out=str(tmp_path / "out"), return_state=True)
    assert state.is_failed()
    assert "refused the token" in str(state.message)
    assert TOKEN not in str(state.message).upper()
    with pytest.raises(NeutralError) as raised:
        state.result()
    assert explain(raised.value)[1] == 3
    _, artifacts = runs_and_artifacts()
    assert any("**Why:** REDCap" in str(one.data) and "refused the token" in str(one.data) for one in artifacts)


@pytest.mark.soak
def test_findings_stay_out_of_what_prefect_keeps(prefect_home: Path, tmp_path: Path) -> None:
    from prefect import flow

    from flows.error_messages import NeutralError, explain
    from flows.run_request import RunRequest
    from flows.study_build import TaskSteps
    from metadata.errors import StudyError

    def find() -> None:
        raise StudyError("record 007, field brthdat: '1951-02-03' is not a date")

    @flow(name="findings")
    def findings() -> None:
        steps = TaskSteps(RunRequest.of(STUDY, out=tmp_path / "out"))
        try:
            steps("find", find)
        except StudyError as error:  # the pipeline itself sees what was raised
            raise NeutralError.of(error) from None

    state = findings(return_state=True)
    assert state.is_failed()
    with pytest.raises(NeutralError) as raised:
        state.result()
    assert explain(raised.value) == ("record 007, field brthdat: '1951-02-03' is not a date", 1)
    stored = everything_stored(database())
    assert "record ..., field brthdat: ''...'' is not a date" in stored  # as SQL writes quotes
    assert "1951-02-03" not in stored


@pytest.mark.soak
def test_the_token_comes_from_the_secret_block(
    prefect_home: Path, sandbox: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.blocks.system import Secret

    from flows.redcap_access import token
    from metadata.study import Study

    study = Study.open(STUDY)
    sandbox()
    assert token(study) == TOKEN
    monkeypatch.delenv("REDCAP_TOKEN")
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", "any")
    Secret(value="A" * 32).save("redcap-token", overwrite=True)
    assert token(study) == "A" * 32
