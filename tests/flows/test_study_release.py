"""The release as a flow: it waits in Prefect's database, asks again, records each answer once, and then releases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flows.release_answers import take_answers
from release.log import read_log
from release.recording import Decision
from release.releasing import Candidate
from tests.flows.conftest import ROOT
from tests.release.candidates import small_package, small_study

QUERY = "e98a38564f47,warning,dictionary.range,vs,sys,open\n"
ANA = {"name": "Ana Ruiz", "role": "data manager", "reason": "I read it."}
BORIS = {"name": "Boris Stein", "role": "statistician", "reason": "I read it."}
WAIVED = {**ANA, "meaning": "waived", "item": "query:e98a38564f47"}


@pytest.fixture
def candidate(tmp_path: Path) -> Candidate:
    study = small_study(tmp_path / "study")
    made = Candidate.of(small_package(tmp_path / "p", study, queries=QUERY), study)
    made.record(Decision("Boris Stein", "builder", "built", "r", "flow run 1"))
    return made


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "the name is blank"),
        ({"name": "Somebody"}, "nobody named 'Somebody'"),
        ({"role": "statistician"}, "has not the role"),
        ({"meaning": "built"}, "'built' is none of"),
        ({"meaning": ""}, "'' is none of"),
        ({"reason": " "}, "the reason is blank"),
        ({"item": "query:e98a38564f47"}, "the item is what is waived"),
        ({"meaning": "approved", "name": "Somebody"}, "nobody named 'Somebody'"),
        ({"meaning": "approved"}, "an approval comes after the waivers"),
    ],
)
def test_an_answer_that_is_wrong_is_not_recorded(candidate: Candidate, change: dict[str, str], words: str) -> None:
    before = read_log(candidate.log)
    assert words in take_answers(candidate, [{**ANA, "meaning": "reviewed", **change}])
    assert read_log(candidate.log) == before


def test_no_answer_is_one_that_is_wrong(candidate: Candidate) -> None:
    assert "'' is none of" in take_answers(candidate, [{}])


def test_each_answer_is_recorded_once_however_often_the_run_starts_anew(candidate: Candidate) -> None:
    answers: list[dict[str, Any]] = []
    for answer in ({**ANA, "name": "X", "meaning": "approved"}, WAIVED, *_twice(), {**BORIS, "meaning": "approved"}):
        answers.append(answer)
        first = take_answers(candidate, answers)
        assert take_answers(candidate, answers) == first
    assert [(one.name, one.meaning) for one in read_log(candidate.log)[1:]] == [
        ("Ana Ruiz", "waived"),
        ("Ana Ruiz", "approved"),
        ("Ana Ruiz", "rejected"),
        ("Ana Ruiz", "approved"),
        ("Boris Stein", "approved"),
    ]
    assert candidate.standing("final").obstacles == ()


def _twice() -> list[dict[str, Any]]:
    """The same approval, taken back between."""
    return [{**ANA, "meaning": meaning} for meaning in ("approved", "rejected", "approved")]


@pytest.mark.soak
def test_a_deployed_run_waits_and_goes_on(tmp_path: Path) -> None:
    small_study(tmp_path / "study")
    script = [sys.executable, "-m", "tests.flows.released_run", str(tmp_path)]
    done = subprocess.run(script, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["states"] == ["Suspended"] * 4 + ["Completed"], told
    assert told["refused"] == [True, True]
    assert "Somebody" in told["description"] and "was not taken" in told["description"]
    assert told["filled"] == {"item": ""}
    assert (tmp_path / "p.builds").read_text().split() == ["built"]
    release = json.loads((tmp_path / "releases" / "study" / "1.0" / "release.json").read_text())
    assert [one["name"] for one in release["approvals"]] == ["Ana Ruiz", "Boris Stein"]
    assert release["meaning"].startswith("Recorded, not proved")
    made = {f"{name}-release{part}" for name in ("study", "signed") for part in ("", "-differences", "-open")}
    assert set(told["artifacts"]) == made
    assert told["signed"] == ["Suspended"] * 3 + ["Completed"]
    signed = json.loads((tmp_path / "releases" / "signed" / "1.0" / "release.json").read_text())
    assert signed["meaning"].startswith("Signed:")
