"""What Prefect does by itself: a run whose process died becomes Crashed, and of each run that ended badly it tells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.events.schemas.automations import AutomationCore

HEARTBEAT = 30
"""Seconds between two signs of life of a run, the shortest that Prefect allows."""
SILENCE = timedelta(seconds=90)
"""So long without a sign of life, a run counts as dead: with the worst timing it is noticed after two minutes."""
NOT_STARTED = timedelta(seconds=150)
"""So long after a worker took it, a run that has not begun counts as dead."""
ONCE = timedelta(seconds=30)
"""Within this a run is told of once: Prefect may look twice at an event that it had to put in order."""
RUN: dict[str, str | list[str]] = {"prefect.resource.id": "prefect.flow-run.*"}
ENDED = ("Completed", "Failed", "Cancelled", "Crashed", "Paused", "Suspended", "Scheduled", "AwaitingRetry", "Late")
SUBJECT = "{{ flow_run.name or 'a run' }}: {{ flow_run.state.name or 'ended badly' }}"
BODY = (
    "Deployment {{ deployment.name or 'none' }}, run {{ flow_run.name }}: {{ flow_run.state.name }}."
    " {{ flow_run.state.message or '' }} {{ flow_run|ui_url }}"
)


def _states(names: Iterable[str]) -> set[str]:
    return {f"prefect.flow-run.{name}" for name in names}


def automations(block: UUID) -> list[AutomationCore]:
    """Return the automations of a place; ``block`` is the notification block that alerts go to."""
    from prefect.client.schemas.objects import StateType
    from prefect.events.actions import ChangeFlowRunState, SendNotification
    from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

    died = ChangeFlowRunState(
        state=StateType.CRASHED,
        name="Crashed",
        force=False,
        message="The process of the run ended without a word (killed, out of memory, or its machine stopped).",
    )
    beat = "prefect.flow-run.heartbeat"
    silent = EventTrigger(
        match=RUN,
        after={beat},
        expect={beat, *_states(ENDED)},
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=SILENCE,
    )
    unstarted = EventTrigger(
        match=RUN,
        after=_states(["Pending"]),
        expect=_states(["Running", *ENDED]),
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=NOT_STARTED,
    )
    badly = EventTrigger(
        match=RUN,
        expect=_states(["Failed", "Crashed"]),
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=1,
        within=ONCE,
    )
    told = SendNotification(block_document_id=block, subject=SUBJECT, body=BODY)
    return [
        AutomationCore(name="redcap-cdisc: a silent run is Crashed", trigger=silent, actions=[died]),
        AutomationCore(name="redcap-cdisc: a run that did not begin is Crashed", trigger=unstarted, actions=[died]),
        AutomationCore(name="redcap-cdisc: tell of runs that ended badly", trigger=badly, actions=[told]),
    ]


def bring(client: SyncPrefectClient, wanted: Iterable[AutomationCore]) -> None:
    """Make automations, or change those of the same name that are not as wanted; one that is off stays off."""
    for automation in wanted:
        mark = _fingerprint(automation.model_dump(mode="json"))
        automation.description = f"Made by redcap-cdisc ({mark})."
        there = client.read_automations_by_name(automation.name)
        for surplus in there[1:]:
            client.delete_automation(surplus.id)
        if not there:
            client.create_automation(automation)
        elif there[0].description != automation.description:
            automation.enabled = there[0].enabled
            client.update_automation(there[0].id, automation.model_copy(update={}))


def _fingerprint(found: Mapping[str, Any]) -> str:
    """Return what tells two definitions apart: all but the ids that Prefect gives, and in a fixed order."""
    return hashlib.sha256(json.dumps(_settled(found), sort_keys=True).encode()).hexdigest()[:8]


def _settled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _settled(one) for name, one in value.items() if name not in ("id", "enabled")}
    if isinstance(value, list | tuple | set):
        return sorted((_settled(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    return value
