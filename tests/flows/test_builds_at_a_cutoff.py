"""Builds at cut-offs through a whole trial: nobody has come far yet, and still every stage says what there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.pipeline import build
from flows.progress import StagePrinter
from flows.run_request import RunRequest
from metadata.study import Study

pytestmark = pytest.mark.soak
DATES = [
    ("spms_aza", "2000-03-15"), ("spms_aza", "2001-01-31"), ("hta_duo", "2018-11-01"), ("hta_duo", "2019-03-01"),
]  # fmt: skip


@pytest.mark.parametrize(("study", "cutoff"), DATES)
def test_a_build_ends_and_both_derivations_agree(study: str, cutoff: str, tmp_path: Path) -> None:
    exports = str(Study.open(study).folder / "redcap")
    result = build(RunRequest.of(study, exports, None, cutoff, tmp_path / study), StagePrinter(quiet=True))
    assert result.out == tmp_path / study
    second = json.loads((tmp_path / study / "validation" / "second_derivation.json").read_text())
    assert second["counts"]["differences"] == 0 and second["counts"]["values"] > 0
    conformance = json.loads((tmp_path / study / "validation" / "conformance.json").read_text())
    wrong = {(one["rule"], one["dataset"]) for one in conformance["findings"] if not one["explained"]}
    assert not {pair for pair in wrong if pair[0] in ("adam.date_order", "death.recorded", "adam.death", "date.cutoff")}
