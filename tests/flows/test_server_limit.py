"""Flows read from one REDCap server one after the other."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flows.server_limit import limit_name
from tests.flows.test_study_build import prefect_home

__all__ = ["prefect_home"]
pytestmark = pytest.mark.xdist_group("package")


def test_a_server_has_one_limit_whatever_its_port_and_path() -> None:
    names = {limit_name(f"https://{one}") for one in ("redcap.example.org/api/", "redcap.example.org:8443/redcap/api/")}
    assert names == {"redcap-redcap.example.org"} and limit_name("http://[::1]:80/api/") == "redcap-..1"


@pytest.mark.soak
def test_extractions_from_a_server_wait_for_one_another(prefect_home: Path) -> None:
    from prefect import get_client

    from flows.server_limit import server_turn

    at_once: list[int] = []
    running: list[int] = []

    def extract(number: int) -> None:
        with server_turn(f"https://redcap.example.org:{number}/api/"):
            running.append(number)
            at_once.append(len(running))
            time.sleep(0.2)
            running.remove(number)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(extract, range(3)))
    assert at_once == [1, 1, 1]
    with get_client(sync_client=True) as client:
        made = client.read_global_concurrency_limit_by_name("redcap-redcap.example.org")
        assert (made.limit, made.active_slots) == (1, 0)
