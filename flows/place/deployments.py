"""The deployments of prefect.yaml, for each study: read from the one file that says them, and brought to Prefect.

What a person changed in Prefect stays: which schedules are on and when, and the limit of a queue. A deployment that is
as it should be is left alone, since Prefect drops scheduled runs where one is written anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from flows.place.automations import bring
from flows.place.connections import ENTERED, LOCKED, Connection
from metadata.errors import StudyError

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.responses import DeploymentResponse
    from prefect.events.schemas.automations import AutomationCore

STUDY = "{{ $STUDY }}"
SHIPPED, CHECKOUT = Path(__file__).parent / "prefect.yaml", Path(__file__).parents[2] / "prefect.yaml"
SAFETY, PLAN = "safety", "monitoring.yaml"
CLEANED = {"build", "weekly", "release"}
"""Tags of deployments that the sandbox gives the records after cleaning: those that build a package."""
HIDDEN = ("out", "previous", "releases")
"""Parameters of a flow that are no matter of a form: folders of the machine that runs it."""


def definition_file() -> Path:
    """Return prefect.yaml: beside this module in an installed package, at the root in a checkout."""
    return SHIPPED if SHIPPED.is_file() else CHECKOUT


def definitions_for(study: str) -> list[dict[str, Any]]:
    """Return the deployments of one study as prefect.yaml has them, with the study's name filled in."""
    text = definition_file().read_text(encoding="utf-8").replace(STUDY, study)
    found: list[dict[str, Any]] = yaml.safe_load(text)["deployments"]
    return found


def deploy(client: SyncPrefectClient, connections: Sequence[Connection]) -> None:
    """Bring the deployments of all studies to Prefect, and the automations that start one after another.

    Raises StudyError for a study whose name Prefect cannot take.
    """
    for connection in connections:
        _check_name(connection.study.name)
        for definition in definitions_for(connection.study.name):
            if SAFETY in definition["tags"] and not connection.study.path(PLAN).is_file():
                continue  # a study without a plan is not monitored
            number = _deploy_one(client, definition, connection)
            bring(client, chained(definition, number))


def chained(definition: Mapping[str, Any], deployment: UUID) -> list[AutomationCore]:
    """Return the automations by which a deployment is started when an event of another comes."""
    from prefect.events import DeploymentEventTrigger

    found = []
    for one in definition.get("triggers", []):
        trigger = DeploymentEventTrigger.model_validate(one)
        trigger.set_deployment_id(deployment)
        found.append(trigger.as_automation())
    return found


def _check_name(name: str) -> None:
    if any(letter in name for letter in "/%&<>"):
        raise StudyError(f"the folder's name '{name}' cannot be a deployment's: it has one of / % & < >", name)


def _deploy_one(client: SyncPrefectClient, definition: Mapping[str, Any], connection: Connection) -> UUID:
    from prefect.exceptions import ObjectNotFound
    from prefect.flows import load_flow_from_entrypoint
    from prefect.utilities.callables import parameter_schema

    flow: Any = load_flow_from_entrypoint(definition["entrypoint"])
    form = form_of(parameter_schema(flow).model_dump(), connection.study.name)
    pool = definition["work_pool"]
    variables = dict(pool["job_variables"])
    if connection.study.name in definition["tags"]:
        state = LOCKED if CLEANED & set(definition["tags"]) else ENTERED
        variables["env"] = {**variables["env"], **connection.variables(state)}
    version = hashlib.sha256(json.dumps([definition, form, variables], sort_keys=True).encode()).hexdigest()[:12]
    full = f"{flow.name}/{definition['name']}"
    try:
        there = client.read_deployment_by_name(full)
    except ObjectNotFound:
        there = None
    if there is not None and there.version == version:
        return there.id
    return client.create_deployment(
        client.create_flow_from_name(flow.name),
        definition["name"],
        version=version,
        description=definition["description"],
        entrypoint=definition["entrypoint"],
        tags=definition["tags"],
        parameters=definition.get("parameters", {}),
        parameter_openapi_schema=form,
        enforce_parameter_schema=True,
        schedules=schedules_of(definition, there),
        work_pool_name=pool["name"],
        work_queue_name=pool["work_queue_name"],
        job_variables=variables,
        pull_steps=[],
    )


def form_of(schema: dict[str, Any], study: str) -> dict[str, Any]:
    """Return the parameters that a person is asked for; no other study, since the token is this one's."""
    asked = {name: dict(one) for name, one in schema["properties"].items() if name not in HIDDEN}
    if "study" in asked:
        asked["study"]["enum"] = [study]
    return {**schema, "properties": asked}


def schedules_of(definition: Mapping[str, Any], there: DeploymentResponse | None) -> list[DeploymentScheduleCreate]:
    """Return a deployment's schedules: those that it has already, as they are, and the others of the file."""
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.schedules import CronSchedule

    kept = [
        DeploymentScheduleCreate(
            schedule=one.schedule, active=one.active, parameters=one.parameters or {}, slug=one.slug
        )
        for one in (there.schedules if there else [])
    ]
    known = {one.slug for one in kept}
    new = [
        DeploymentScheduleCreate(
            schedule=CronSchedule(cron=one["cron"], timezone=one["timezone"]), active=one["active"], slug=one["slug"]
        )
        for one in definition["schedules"]
        if one["slug"] not in known
    ]
    return [*kept, *new]
