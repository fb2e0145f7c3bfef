"""A snapshot made of the last one and of what changed since is the one that a full load makes, whatever happened."""

import io
import json
import os
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from extract.api import take
from extract.connection import Patience
from extract.snapshot import open_snapshot
from metadata.study import Study
from redcap_sandbox.contents import answer
from redcap_sandbox.project import SandboxProject
from redcap_sandbox.request import ApiRequest
from tests.extract.histories import ACTS, BEGIN, Act, ClockedClient, after
from tests.extract.random_projects import random_trial
from tests.extract.test_random_extractions import cells, held
from tests.redcap_sandbox.small_projects import TOKEN

ADDRESS = "http://127.0.0.1:9/"
PATIENCE = Patience(connect=2, answer=20, attempts=2, first_wait=0, pause=0)
ACT = st.builds(Act, st.sampled_from(sorted(ACTS)), st.integers(0, 6), st.integers(0, 9), st.sampled_from([0, 0, 0, 9]))
NIGHTS = st.lists(st.tuples(st.integers(1, 60), st.lists(ACT, max_size=4)), min_size=1, max_size=3)


PROJECTS: dict[str, SandboxProject] = {}


def answered(adapter: HTTPAdapter, request: requests.PreparedRequest, **__: Any) -> requests.Response:
    """Answer a request in this thread as the sandbox does over the network."""
    _, given = answer(PROJECTS, ApiRequest.from_pairs(parse_qsl(str(request.body), keep_blank_values=True)))
    response = requests.Response()
    response.status_code, response.request, response.url = given.status, request, ADDRESS
    response.headers["content-type"] = given.media
    response.raw = HTTPResponse(io.BytesIO(given.body), preload_content=False)
    return response


@pytest.fixture(autouse=True)
def without_network_and_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HTTPAdapter, "send", answered)
    monkeypatch.setattr(os, "fsync", lambda _: None)


class Nights:
    """A study, its project, and the snapshots that were taken of it night by night."""

    def __init__(self, study: Study, served: SandboxProject, root: Path, group: str = "") -> None:
        self.study, self.served, self.root, self.group = study, served, root, group
        self.now = BEGIN

    def change(self, *acts: Act) -> None:
        for act in acts:
            self.served = after(self.served, act, self.now)

    def take(self, root: str = "changes", days: float = 1000) -> Path:
        PROJECTS[TOKEN] = self.served
        client = ClockedClient(ADDRESS, TOKEN, PATIENCE, progress=False)
        client.now = self.now
        return take(self.study, client, self.root / root, self.group, days)

    def take_both(self) -> dict[str, Any]:
        """Take a snapshot by its changes and a full one, which must be the same; return how the first was made."""
        made, whole = self.take(), self.take("full", 0)
        assert made.name == whole.name, how(made)
        return how(made)


def how(path: Path) -> dict[str, Any]:
    return dict(json.loads((path / "extraction.json").read_bytes()))


def histories(examples: int, part: int) -> None:
    """Assert for random histories that changes lead where a full load leads, and that they seldom need one."""
    loads: list[str] = []

    @seed(part)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(project=st.integers(0, 400), nights=NIGHTS, grouped=st.booleans())
    def holds(project: int, nights: list[tuple[int, list[Act]]], grouped: bool) -> None:
        with TemporaryDirectory() as name:
            trial = random_trial(project, Path(name) / "study")
            group = "south" if grouped and trial.served.project.dags else ""
            taken = Nights(Study.open(trial.folder), trial.served.as_user("owner"), Path(name), group)
            taken.take()
            for hours, acts in nights:
                taken.now += timedelta(hours=hours)
                known = set((Path(name) / "changes").rglob("snapshot.json"))
                taken.change(*acts)
                path = taken.take()
                stored = open_snapshot(path)
                assert held(stored.keeping(stored.snapshot.blanked)) == cells(taken.served, group), how(path)
                if path / "snapshot.json" not in known:
                    loads.append(how(path)["load"])
            assert taken.take("full").name == path.name

    holds()
    changes = [load for load in loads if load.startswith("changes")]
    assert len(changes) > 0.9 * len(loads) and len(changes) > examples / 4, (len(changes), len(loads))


def test_changes_lead_where_a_full_load_leads() -> None:
    histories(15, 0)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(1, 11))
def test_a_thousand_histories(part: int) -> None:
    """A hundred each, so that two workers share them."""
    histories(100, part)
