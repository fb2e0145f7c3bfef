"""The deployments of prefect.yaml: one file for Prefect's own command and for ours, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from flows.place import deployments
from flows.place.automations import SILENCE, _fingerprint
from flows.place.connections import ENTERED, LOCKED, Connection, connect, states_of
from flows.place.deployments import definition_file, definitions_for, form_of
from metadata.errors import StudyError
from metadata.study import Study
from tests.flows.conftest import ROOT, STUDY

FLOWS = {
    "flows.study_build.study_build",
    "flows.study_release.study_release",
    "flows.drift_check.drift_check",
    "flows.clean_up.clean_up",
}


def test_the_file_is_one_that_prefect_reads() -> None:
    from prefect.cli.deploy._models import PrefectYamlModel

    text = definition_file().read_text(encoding="utf-8")
    assert definition_file() == ROOT / "prefect.yaml"
    model = PrefectYamlModel.model_validate(yaml.safe_load(text))
    assert [one.name for one in model.deployments] == [one["name"] for one in yaml.safe_load(text)["deployments"]]
    assert {str(one.entrypoint) for one in model.deployments} >= FLOWS


def test_the_wheel_has_the_file() -> None:
    import tomllib

    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"prefect.yaml": deployments.SHIPPED.relative_to(ROOT).as_posix()}


def test_schedules_are_off_and_builds_of_a_study_share_its_queue() -> None:
    found = definitions_for("mine")
    assert not any(one["active"] for definition in found for one in definition["schedules"])
    assert all(one["slug"] and one["timezone"] for definition in found for one in definition["schedules"])
    builds = [one for one in found if one["entrypoint"] == "flows.study_build.study_build"]
    assert [one["name"] for one in builds] == ["mine", "mine-nightly", "mine-weekly"]
    assert {one["work_pool"]["work_queue_name"] for one in builds} == {"mine"}
    assert not any("$STUDY" in str(one) for one in found)
    beats = {one["work_pool"]["job_variables"]["env"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] for one in found}
    assert [2 * int(beat) < SILENCE.total_seconds() for beat in beats] == [True]


def test_the_form_has_choices_and_help_and_no_folders() -> None:
    from prefect.utilities.callables import parameter_schema

    from flows.study_build import study_build

    form = form_of(parameter_schema(study_build).model_dump(), "mine")
    fields: dict[str, Any] = form["properties"]
    assert list(fields)[:6] == ["study", "source", "records", "cutoff", "until", "publish"]
    assert not {"out", "previous"} & set(fields)
    assert all(len(one["description"]) > 10 for one in fields.values())
    assert fields["study"]["enum"] == ["mine"]
    assert fields["source"]["enum"] == ["api", "exports"]
    assert fields["until"]["enum"] == ["snapshot", "queries", "sdtm", "adam", "package"]
    assert fields["cutoff"]["anyOf"][0]["format"] == "date"


def test_defaults_of_deployments_are_parameters_of_their_flow() -> None:
    from inspect import signature

    from prefect.flows import load_flow_from_entrypoint

    for definition in definitions_for("mine"):
        flow: Any = load_flow_from_entrypoint(definition["entrypoint"])
        assert set(definition.get("parameters", {})) <= set(signature(flow.fn).parameters), definition["name"]


def test_a_name_that_prefect_refuses_is_a_sentence() -> None:
    with pytest.raises(StudyError, match="'a&b' cannot be a deployment's"):
        deployments._check_name("a&b")


def test_a_study_is_connected_to_its_redcap_or_to_the_sandbox_and_never_from_one_to_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = Study.open(STUDY)
    assert states_of(study) == [ENTERED, LOCKED]
    tokens = {STUDY: {ENTERED: "A" * 32, LOCKED: "B" * 32}}
    monkeypatch.delenv("REDCAP_TOKEN", raising=False)
    monkeypatch.delenv("REDCAP_URL", raising=False)

    def connected(real: list[str], secret: bool = False) -> Connection:
        (found,) = connect([study], real, tokens, "http://127.0.0.1:1/api/", lambda name: secret)
        return found

    served = connected([])
    assert served.kind == "sandbox"
    assert served.variables(LOCKED) == {
        "REDCAP_URL": "http://127.0.0.1:1/api/",
        "REDCAP_TOKEN": "{{ prefect.blocks.secret.sandbox-spms-aza-locked }}",
    }
    assert "B" * 32 not in str(served.variables(LOCKED))
    real = connected([], secret=True)
    assert (real.kind, real.variables(LOCKED), real.sentence()) == (
        "redcap", {}, "REDCap at https://redcap.example.org/",
    )  # fmt: skip
    lost = connected([STUDY])
    assert lost.kind == "none" and "set REDCAP_TOKEN" in lost.sentence()
    monkeypatch.setenv("REDCAP_TOKEN", "C" * 32)
    assert connected([STUDY]).kind == "redcap"


def test_a_fingerprint_sees_a_change_and_no_id() -> None:
    first = {"id": "1", "trigger": {"id": "2", "expect": ["a", "b"], "within": 90}, "enabled": True}
    same = {"id": "3", "trigger": {"id": "4", "expect": ["b", "a"], "within": 90}, "enabled": False}
    other = {**first, "trigger": {**first["trigger"], "within": 91}}  # type: ignore[dict-item]
    assert _fingerprint(first) == _fingerprint(same) != _fingerprint(other)
