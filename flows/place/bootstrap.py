"""What Prefect must know before a data manager comes: pool, queues, blocks, variables, deployments, automations.

Everything is made where it is not there and left as it is where it is, so that it can be done again at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

from flows.place.automations import automations, bring
from flows.place.connections import Connection
from flows.place.deployments import deploy
from flows.server_limit import limit_name, make_limit

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

POOL = "redcap-cdisc"
NOTIFICATION = "redcap-cdisc-alerts"
KEEP_RUNS, KEEP_BUILDS = "redcap_cdisc_keep_runs_days", "redcap_cdisc_keep_builds"
DEFAULTS = {KEEP_RUNS: 90, KEEP_BUILDS: 5}
"""Prefect variables that the clean-up reads: days that runs are kept, and builds of a package besides the current."""


def bootstrap(connections: Callable[[Callable[[str], bool]], Sequence[Connection]], notify: str) -> list[Connection]:
    """Make all that Prefect needs for the studies; returns the connections.

    ``connections`` is called with what says whether a Secret block is there. ``notify`` is the address to which alerts
    are posted; a notification block that a person changed in Prefect stays.
    """
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        connected = list(connections(lambda name: _has_block(client, "secret", name)))
        _make_pool(client)
        for connection in connected:
            _make_queue(client, connection.study.name)
            for state, token in connection.tokens.items():
                _keep_token(client, connection.block(state), token)
            if connection.address:
                make_limit(limit_name(connection.address))
        for name, value in DEFAULTS.items():
            _make_variable(client, name, value)
        deploy(client, connected)
        bring(client, automations(_notification(client, notify)))
    return connected


def _make_pool(client: SyncPrefectClient) -> None:
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectNotFound
    from prefect.workers.process import ProcessWorker

    try:
        client.read_work_pool(POOL)
    except ObjectNotFound:
        template = ProcessWorker.get_default_base_job_template()
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process", base_job_template=template))


def _make_queue(client: SyncPrefectClient, study: str) -> None:
    """Make a study's queue, in which one build runs at a time; its limit is a person's to change afterwards."""
    from prefect.exceptions import ObjectAlreadyExists

    with suppress(ObjectAlreadyExists):
        client.create_work_queue(study, f"Builds of {study}, one at a time", concurrency_limit=1, work_pool_name=POOL)


def _make_variable(client: SyncPrefectClient, name: str, value: int) -> None:
    from prefect.client.schemas.actions import VariableCreate

    if client.read_variable_by_name(name) is None:
        client.create_variable(VariableCreate(name=name, value=value))


def _has_block(client: SyncPrefectClient, kind: str, name: str) -> bool:
    from prefect.exceptions import ObjectNotFound

    try:
        client.read_block_document_by_name(name, kind)
    except ObjectNotFound:
        return False
    return True


def _keep_token(client: SyncPrefectClient, block: str, token: str) -> None:
    """Save a token of the sandbox as a Secret block, unless it is there already."""
    from prefect.blocks.system import Secret

    if _has_block(client, "secret", block):
        kept = client.read_block_document_by_name(block, "secret", include_secrets=True)
        if kept.data.get("value") == token:
            return
    Secret(value=token).save(block, overwrite=True)  # type: ignore[arg-type]


def _notification(client: SyncPrefectClient, notify: str) -> UUID:
    """Return the id of the notification block, made where there is none or where its address was ours."""
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    kind = CustomWebhookNotificationBlock.get_block_type_slug()
    if not _has_block(client, kind, NOTIFICATION):
        CustomWebhookNotificationBlock(  # type: ignore[call-arg]
            name="alerts", url=notify, json_data={"subject": "{{subject}}", "body": "{{body}}"}
        ).save(NOTIFICATION)
    return client.read_block_document_by_name(NOTIFICATION, kind).id
