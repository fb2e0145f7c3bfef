"""Every study's analysis plan says of each output in whom, what, how and by which scheme."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from metadata.study import Study

STUDIES = sorted(path.parent for path in (Path(__file__).parents[2] / "mappings").glob("*/sap.md"))
SUMMARISED = {"F": "Figures", "L": "Listings"}


def rows(plan: str) -> dict[str, list[str]]:
    """The cells of the plan's table of outputs, by the name of the output."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in plan.splitlines() if line[:1] == "|"]
    return {name: cells for name, *cells in lines}


@pytest.mark.parametrize("folder", STUDIES, ids=lambda folder: folder.name)
def test_each_output_stands_in_the_plan_with_its_population(folder: Path) -> None:
    outputs = Study.open(folder).read_yaml("reports.yaml")["outputs"]
    planned = rows((folder / "sap.md").read_text(encoding="utf-8"))
    for output in outputs:
        cells = planned[SUMMARISED.get(output["id"][0], output["id"])]
        assert len(cells) == 5 and all(cells), output["id"]
        if output["id"] in planned:
            assert cells[0].split(" (")[0] == output["population"], output["id"]
    known = {output["id"] for output in outputs}
    assert [name for name in planned if re.match("T[0-9]", name) and name not in known] == []


@pytest.mark.parametrize("folder", STUDIES, ids=lambda folder: folder.name)
def test_populations_of_tests_are_named_in_the_plan(folder: Path) -> None:
    planned = rows((folder / "sap.md").read_text(encoding="utf-8"))
    for output in Study.open(folder).read_yaml("reports.yaml")["outputs"]:
        others = {test["population"] for test in output.get("tests", []) if "population" in test}
        for population in others - {output["population"]}:
            assert population in planned[output["id"]][0], output["id"]


def test_the_trial_of_multiple_sclerosis_says_what_its_endpoints_hang_on() -> None:
    plan = " ".join((Path(STUDIES[0]).parent / "spms_aza" / "sap.md").read_text(encoding="utf-8").split())
    for sentence in (
        "part of any fall is regression to the mean",
        "a fixed effect of the patient",
        "91 days after the onset (3 months; 183 days for 6 months)",
        "Relapse exclusion: at onset and at confirmation both",
    ):
        assert sentence in plan
