"""Conditions are one language in all files of a study: ``check`` refuses the same slips with the same sentences."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.check import CheckProblem, problems_of
from metadata.study import BUNDLED


@dataclass(frozen=True)
class Place:
    """A condition in a file of hta_duo, and a text and a number variable of the dataset that it looks at."""

    file: str
    old: str
    dataset: str
    text: str
    number: str


PLACES = {
    "operation": Place("sdtm/dm.yaml", "where: {DSDECOD: INFORMED CONSENT OBTAINED}", "DS", "DSTERM", "DSSEQ"),
    "source of an analysis": Place("adam/adlb.yaml", "where: {LBSTRESN: {missing: false}}", "LB", "LBORRES", "LBSEQ"),
    "derivation": Place("adam/adae.yaml", "where: {TRTEMFL: Y}", "ADAE", "AEDECOD", "AESEQ"),
    "derivation on another dataset": Place("adam/adsl.yaml", "where: {DSDECOD: RANDOMIZED}", "DS", "DSTERM", "DSSEQ"),
    "output": Place("reports.yaml", 'where: {TRTEMFL: "Y"}', "ADAE", "AEDECOD", "AESEQ"),
    "expectation": Place("acceptance.yaml", "where: {ARMCD: CAND}", "DM", "SEX", "AGE"),
    "second derivation": Place("verify/verify.yaml", 'where: {ABLFL: "Y"}', "ADVS", "USUBJID", "AVAL"),
}
SLIPS = {
    "unknown variable": ("{{{text}Q: F}}", "{dataset} has no variable {text}Q (did you mean '{text}'?)"),
    "number compared with a text": ("{{{number}: old}}", "{dataset}.{number} is a number, 'old' is not"),
    "number among texts": ('{{{number}: {{not: [1, "2"]}}}}', "{dataset}.{number} is a number, '2' is not"),
    "text compared with a number": ("{{{text}: 5}}", '{dataset}.{text} is text: write "5" in quotes'),
    "text above a number": (
        "{{{text}: {{above: 5}}}}",
        '{dataset}.{text} holds text; a number is needed to compare with 5, or write "5" to compare texts',
    ),
    "unknown test": (
        "{{{number}: {{abov: 1}}}}",
        "'abov' is not a test (did you mean 'above'?); there are is, not, missing, below, at_most, above, at_least,"
        " from, to",
    ),
    "a bare text where a variable is meant": (
        "{{{text}: {{above: {text}}}}}",
        "'{text}' is a text here; write {{variable: {text}}} to compare with the variable",
    ),
    "variables of two kinds": (
        "{{{text}: {{above: {{variable: {number}}}}}}}",
        "{dataset}.{text} is text, {dataset}.{number} is a number: they cannot be compared",
    ),
}
RIGHT = "{{{text}: [F, M], {number}: {{above: 1}}}}"


def changed(folder: Path, written: str) -> dict[str, int]:
    """Copy the study with another condition in each place; return the line of each."""
    shutil.copytree(BUNDLED / "hta_duo", folder, ignore=shutil.ignore_patterns("synthetic", "records_*", "log*.csv"))
    lines = {}
    for name, place in PLACES.items():
        path = folder / place.file
        before, found, after = path.read_text(encoding="utf-8").partition(place.old)
        assert found, f"{place.file} has no {place.old}"
        condition = written.format(dataset=place.dataset, text=place.text, number=place.number)
        if written == RIGHT and name == "operation":
            condition = "{DSTERM: [F, M]}"  # DS has no number when DM is made
        path.write_text(f"{before}where: {condition}{after}", encoding="utf-8")
        lines[name] = before.count("\n") + 1
    return lines


def of_conditions(problems: list[CheckProblem]) -> dict[tuple[str, int | None], str]:
    return {(problem.file, problem.line): problem.message for problem in problems}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_refused_in_every_language_by_the_same_sentence(tmp_path: Path, slip: str) -> None:
    written, said = SLIPS[slip]
    lines = changed(tmp_path / "trial", written)
    found = of_conditions(problems_of(str(tmp_path / "trial")))
    for name, place in PLACES.items():
        names = {"dataset": place.dataset, "text": place.text, "number": place.number}
        assert found.get((f"trial/{place.file}", lines[name])) == said.format(**names), name


def test_a_condition_that_fits_is_taken_in_every_language(tmp_path: Path) -> None:
    changed(tmp_path / "trial", RIGHT)
    assert problems_of(str(tmp_path / "trial")) == []
