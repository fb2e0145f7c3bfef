"""One extraction at a time from each REDCap server, over all flows of one Prefect server, whatever machine they run on.

It is Prefect's global concurrency limit ``redcap-HOST``. It is made with one slot where there is none; who changes its
slots in Prefect has that many extractions. What a killed flow held is free again after five minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

SLOTS = 1
LEASE_SECONDS = 300


def limit_name(address: str) -> str:
    """Return the name of the limit of the server at an address: ports of one host are one server."""
    return f"redcap-{(urlsplit(address).hostname or 'server').replace(':', '.')}"


@contextmanager
def server_turn(address: str) -> Iterator[None]:
    """Wait until the server at an address has a slot, and hold it."""
    from prefect.concurrency.sync import concurrency

    name = limit_name(address)
    make_limit(name)
    with concurrency(name, lease_duration=LEASE_SECONDS, raise_on_lease_renewal_failure=False):
        yield


def make_limit(name: str) -> None:
    """Make a limit where there is none."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
    from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

    with get_client(sync_client=True) as client:
        try:
            client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            try:
                client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=SLOTS))
            except ObjectAlreadyExists:  # another flow made it meanwhile
                return
