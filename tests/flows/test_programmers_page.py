"""The pieces of code that docs/programmers.md shows work as they are printed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from adam.build.examples import PATH as EXAMPLES
from adam.build.examples import derived, table_of
from adam.build.specification import read_steps
from adam.language.derivation import DERIVATIONS
from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.study import Study
from metadata.yaml_source import load
from tests.validation.seeding import seed
from validation.checks.examples import run_example
from validation.checks.kind import KINDS
from validation.conformance.rule import RULES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "programmers.md"


def blocks_of(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def made() -> Iterator[dict[str, Any]]:
    """What the modules of the page define; each is a whole module, as it would be saved."""
    registers: tuple[MutableMapping[str, Any], ...] = (DERIVATIONS, KINDS, RULES)  # type: ignore[assignment]
    before = [dict(register) for register in registers]
    names: dict[str, Any] = {}
    modules = [block for block in blocks_of("python") if block.startswith('"""')]
    assert len(modules) == 3
    for place, block in enumerate(modules):
        module = ModuleType(f"shown_{place}")
        sys.modules[module.__name__] = module
        exec(compile(block, str(PAGE), "exec", dont_inherit=True), module.__dict__)
        names |= vars(module)
    yield names
    for place in range(len(modules)):
        del sys.modules[f"shown_{place}"]
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


def test_the_example_of_the_page_runs(made: dict[str, Any], tmp_path: Path) -> None:
    (text,) = [block for block in blocks_of("yaml") if "midpoint:" in block]
    (tmp_path / "middle.yaml").write_text(text)
    (example,) = load(tmp_path / "middle.yaml").values()
    frame = derived(read_steps(example["derivation"]), table_of(example["input"]), {}, Study.open("hta_duo"))
    np.testing.assert_array_equal(frame["MIDBP"], [105.0, np.nan])
    assert example["section"] in load(EXAMPLES)["sections"] and example["source"]


def test_the_seed_of_the_page_breaks_the_rule_of_the_page(made: dict[str, Any]) -> None:
    (line,) = [block for block in blocks_of("python") if block.strip().startswith('("age.limit"')]
    metadata = DatasetMetadata("DM", "Demographics", "", "", (), (Variable("AGE", "Age", "Num"),))
    sound = {"DM": Dataset(metadata, pd.DataFrame({"AGE": [50.0]}))}
    ((rule, dataset, variable, change),) = eval(f"[{line.strip()}]", {"seed": seed})
    broken = change(sound)
    ages = {name: datasets["DM"].frame["AGE"].to_numpy() for name, datasets in (("sound", sound), ("broken", broken))}
    assert (rule in RULES, dataset, variable) == (True, "DM", "AGE")
    assert (ages["sound"] >= 120).tolist() == [False] and (ages["broken"] >= 120).tolist() == [True]


def test_the_check_of_the_page_objects_in_its_example(made: dict[str, Any], tmp_path: Path) -> None:
    (text,) = [block for block in blocks_of("yaml") if "not_negative:" in block]
    (tmp_path / "signs.yaml").write_text(text)
    (node,) = load(tmp_path / "signs.yaml").values()
    example = run_example("not_negative", node, tmp_path / "signs.yaml")
    assert example.found == example.expected == (1,)
    assert example.problems == ("The value -1 is below zero.",)


def test_the_rule_of_the_page_finds(made: dict[str, Any]) -> None:
    class Domain:
        name = "DM"

        def has(self, name: str) -> bool:
            return True

        def number(self, name: str) -> np.ndarray:
            return np.array([119.0, 120.0])

    data = type("Data", (), {"of_domain": lambda self, name: [Domain()]})()
    assert [hit.rows.tolist() for hit in made["age_limit"](data) if hit.rows is not None] == [[False, True]]


def test_what_the_page_says_is_in_a_file_is_there() -> None:
    page, root = PAGE.read_text(encoding="utf-8"), PAGE.parents[1]
    paths = set(re.findall(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.py)`", page))
    assert len(paths) > 15 and [path for path in paths if not (root / path).is_file()] == []
    named = re.findall(r"((?:`\w+`(?:, | and )?)+) in `((?:\w+/)+\w+\.py)`", page)
    assert len(named) > 8
    for names, path in named:
        text = (root / path).read_text(encoding="utf-8")
        for name in re.findall(r"\w{3,}", names.replace(" and ", " ")):
            assert re.search(rf"^((def|class) )?{name}\b", text, re.MULTILINE), name
