"""Three hundred generated patients of two arms: nothing is unexplained, what is expected is met or not judged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from adam.build.analyse import analyse
from metadata.dataset import Dataset
from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from redcap_sandbox.generator import write
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import tabulate
from validation.acceptance.judge import accept
from validation.conformance.check import conformance

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("many patients of two arms")]
STUDY, PATIENTS, DECLARED = "hta_duo", 300, 41


@pytest.fixture(scope="module")
def study() -> Study:
    return Study.open(STUDY)


@pytest.fixture(scope="module")
def terminology(study: Study) -> Terminology:
    return Terminology.open(study)


@pytest.fixture(scope="module")
def sdtm(study: Study, terminology: Terminology, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Dataset]:
    folder: Path = tmp_path_factory.mktemp("generated")
    write(study, folder, PATIENTS)
    records = Records.read(study.project(), folder / "records_locked.csv")
    return tabulate(read_mapping(study, records.project, terminology), records).datasets


@pytest.fixture(scope="module")
def adam(study: Study, sdtm: Mapping[str, Dataset]) -> Mapping[str, Dataset]:
    return analyse(study, sdtm)


def test_nothing_is_left_unexplained(
    study: Study, terminology: Terminology, sdtm: Mapping[str, Dataset], adam: Mapping[str, Dataset]
) -> None:
    result = conformance(study, sdtm, terminology, adam)
    assert [one for one in result["findings"] if not one["explained"] and one["severity"] != "note"] == []
    assert result["counts"]["explained"] == 1


def test_every_expectation_is_met_or_declared_of_the_41_records(
    study: Study, terminology: Terminology, sdtm: Mapping[str, Dataset], adam: Mapping[str, Dataset]
) -> None:
    result = accept(study, {**sdtm, **adam}, terminology, PATIENTS)
    entries = [entry for one in result["datasets"] for entry in one["expectations"]]
    assert [entry for entry in entries if entry["met"] is False] == []
    left = [entry["observed"] for entry in entries if entry["met"] is None]
    reason = f"not judged: it is declared of {DECLARED} records, and the snapshot has {PATIENTS}"
    assert left == [reason] * result["not_judged"]
    assert len(left) < result["met"] / 5
