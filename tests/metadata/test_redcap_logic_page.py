"""The page on REDCap's logic names what is evaluated, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from metadata.expression_evaluator import FUNCTIONS
from metadata.smart_variables import AGGREGATES, EVENTS, INSTANCES, OF_ROW

PAGE = Path(__file__).resolve().parents[2] / "docs" / "redcap-logic.md"


def _names(heading: str) -> set[str]:
    section = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("| ")]
    return {name for line in table for name in re.findall(r"`([a-z_-]+)`", line.split("|")[2])}


def test_all_functions_are_named() -> None:
    assert _names("Functions") == set(FUNCTIONS)


def test_all_smart_variables_that_the_data_decide_are_named() -> None:
    assert _names("Smart variables") == {*OF_ROW, *EVENTS, *INSTANCES, *AGGREGATES}
