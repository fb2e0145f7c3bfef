"""The points of an inspection: passed, failed, or not judged where something is lacking; a package of ours passes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.inspecting import POINTS, inspected
from tests.flows.conftest import Answer
from validation.conformance.check import RULES

pytestmark = pytest.mark.xdist_group("package")


def points(answer: Answer) -> dict[str, str]:
    return {one["point"]: one["verdict"] for one in json.loads(answer.out)["points"]}


def test_every_point_names_rules_that_there_are() -> None:
    named = [rule for _, rules in POINTS for rule in rules]
    assert [rule for rule in named if rule not in RULES] == [] and len(set(named)) == len(named)


def test_our_own_package_passes_and_a_damaged_one_fails(
    package: Path, tmp_path: Path, command: Callable[..., Answer]
) -> None:
    answer = command("inspect", package, "--json")
    verdicts = points(answer)
    assert answer.code == 0 and set(verdicts.values()) == {"passed", "not judged"}
    assert [name[:24] for name, verdict in verdicts.items() if verdict == "not judged"] == [
        "Technical rejection 1735",
        "Technical rejection 1789",
    ]
    shutil.copytree(package, tmp_path / "package")
    next((tmp_path / "package").glob("m5/datasets/*/tabulations/sdtm/ts.xpt")).unlink()
    answer = command("inspect", tmp_path / "package", "--json")
    failed = {name for name, verdict in points(answer).items() if verdict == "failed"}
    assert answer.code == 1
    assert {POINTS[0][0], "Datasets of define.xml are there, and the reverse"} <= failed


def test_a_sentence_is_said_once_with_all_its_places() -> None:
    rules = [{"rule": rule, "not_judged": ""} for _, named in POINTS for rule in named]
    finding = {
        "rule": "label.sound",
        "severity": "error",
        "explained": "",
        "sentence": "A label is sound.",
        "detail": "",
    }
    findings = [
        {**finding, "dataset": "AE", "variable": "AESEV"},
        {**finding, "dataset": "DM", "variable": "SEX", "detail": "It is blank."},
        {**finding, "dataset": "TS", "variable": "", "rule": "dataset.label", "sentence": "A dataset has a label."},
    ]
    [point] = [one for one in inspected({"rules": rules, "findings": findings}) if one["point"] == "Labels"]
    assert point["found"] == ["A label is sound. AE AESEV, DM SEX (It is blank)", "A dataset has a label. TS"]
