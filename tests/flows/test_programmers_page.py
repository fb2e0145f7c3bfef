"""The pieces of code that docs/programmers.md shows work as they are printed."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adam.columns.columns import Columns, number
from adam.language.derivation import DERIVATIONS, Derivation, DerivationContext, Outcome, keyed
from adam.language.kinds import NewNumber, NumberColumn
from validation.checks.data import CheckData, CheckRows
from validation.checks.kind import KINDS, Check, CheckFinding, kind
from validation.conformance.rule import RULES, Hit, rule
from validation.conformance.sdtm_datasets import SdtmDatasets

PAGE = Path(__file__).resolve().parents[2] / "docs" / "programmers.md"
NAMES = {
    one.__name__: one
    for one in (
        dataclass, number, keyed, Derivation, DerivationContext, Outcome, kind, Check, CheckRows, CheckData,
        CheckFinding, rule, Hit, SdtmDatasets,
    )
} | {"Columns": Columns, "NumberColumn": NumberColumn, "NewNumber": NewNumber, "Iterator": Iterator}  # fmt: skip


@pytest.fixture(scope="module")
def made() -> Iterator[dict[str, Any]]:
    registers: tuple[MutableMapping[str, Any], ...] = (DERIVATIONS, KINDS, RULES)  # type: ignore[assignment]
    before = [dict(register) for register in registers]
    names: dict[str, Any] = {**NAMES, "__name__": __name__}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        exec(compile(block, str(PAGE), "exec", dont_inherit=True), names)
    yield names
    for register, old in zip(registers, before, strict=True):
        register.clear()
        register.update(old)


def test_the_derivation_of_the_page_derives(made: dict[str, Any]) -> None:
    derivation = made["Midpoint"](low="A", high="B", to="M")
    columns = {"A": np.array([1.0, np.nan]), "B": np.array([4.0, 2.0])}
    outcome = derivation.derive(columns, 2, None)
    np.testing.assert_array_equal(outcome.columns["M"], [2.5, np.nan])
    assert derivation.reads == ("A", "B")
    assert derivation.sentence("M") == "Middle of A and B."


def test_the_check_of_the_page_objects(made: dict[str, Any]) -> None:
    class Rows:
        def column(self, name: str) -> Any:
            return type("Values", (), {"number": np.array([-1.0, 0.0, np.nan])})

    check = type("Declared", (), {"field": "weight"})
    assert made["not_negative"](check, Rows(), None).where.tolist() == [True, False, False]


def test_the_rule_of_the_page_finds(made: dict[str, Any]) -> None:
    class Domain:
        name = "DM"

        def has(self, name: str) -> bool:
            return True

        def number(self, name: str) -> np.ndarray:
            return np.array([119.0, 120.0])

    data = type("Data", (), {"of_domain": lambda self, name: [Domain()]})()
    assert [hit.rows.tolist() for hit in made["age_limit"](data) if hit.rows is not None] == [[False, True]]
