"""A server that fails at random: the whole content under its own id, or one sentence and nothing on the disk."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from extract import client as client_module
from extract.api import take
from extract.client import Client, Patience
from extract.snapshot import open_snapshot
from metadata.errors import OutsideError
from metadata.study import Study
from redcap_sandbox.faults import Fault, Faults
from redcap_sandbox.server import SandboxProject, create_app, serve
from tests.redcap_sandbox.small_projects import TOKEN, write_study

SAMPLE, ALL = 10, 120
KINDS = (
    *("forbidden", "status", "status", "status", "truncated", "truncated", "memory", "html", "slow", "drop", "drop"),
    *("redirect", "not_utf8", "missing_records"),
)
CONTENTS = ("", "record", "record", "record", "metadata", "event", "log", "dag", "repeatingFormsEvents", "project")
STATUSES = (500, 502, 503, 504, 408, 429, 404)
QUICK = Patience(connect=1, answer=0.5, attempts=3, first_wait=0.001, pause=0)


def drawn(random: Random) -> list[Fault]:
    """One to four faults, most of which pass."""
    return [
        Fault(
            random.choice(KINDS),  # type: ignore[arg-type]
            content=random.choice(CONTENTS),
            times=random.choice((1, 1, 1, 2, None)),
            after=random.choice((0, 0, 1, 2)),
            more_than=random.choice((None, None, 1)),
            status=random.choice(STATUSES),
            seconds=0.7,
        )
        for _ in range(random.randint(1, 4))
    ]


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.soak] if seed >= SAMPLE else []) for seed in range(ALL)]
)
def test_all_or_one_sentence(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, faults = Study.open(write_study(tmp_path / "small")), drawn(Random(seed))
    project = SandboxProject.read(study.path("redcap"), "locked")
    with serve(create_app({TOKEN: project})) as address:
        whole = take(study, Client(address, TOKEN, Patience()), tmp_path / "whole")
    monkeypatch.setattr(client_module, "CELLS_A_BATCH", 1)  # so that each record is a batch
    with serve(create_app({TOKEN: project}, Faults(*faults))) as address:
        try:
            taken = take(study, Client(address, TOKEN, QUICK), tmp_path / "taken")
        except OutsideError as error:
            said = str(error)
            assert said.strip() and "\n" not in said, faults
            assert TOKEN.lower() not in said.lower() and "Headache" not in said, faults
            assert not list((tmp_path / "taken").rglob("*.csv")), faults
            return
    optional = any(fault.kind in ("forbidden", "status") for fault in faults)
    opened, expected = open_snapshot(taken).snapshot, open_snapshot(whole).snapshot
    assert opened.records.frame.equals(expected.records.frame), faults
    assert taken.name == whole.name or (optional and opened.project.dags != expected.project.dags), faults
