"""A word, operation, kind of check, rule or template that lies in its folder is registered, documented and tried."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

import adam.build.specification  # noqa: F401 registers the words
import sdtm.mapping.schema  # noqa: F401 registers the operations
import validation.conformance.check  # noqa: F401 registers the rules
from adam.language.derivation import DERIVATIONS
from metadata.study import Study
from reports.templates import TEMPLATES
from sdtm.operations.operation import RECORD_OPERATIONS, TABLE_OPERATIONS
from validation.checks.declaration import load_checks  # noqa: F401 registers the kinds
from validation.checks.kind import KINDS
from validation.conformance.rule import RULES

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = {**RECORD_OPERATIONS, **TABLE_OPERATIONS}


def modules(folder: str) -> set[str]:
    found = {path.stem for path in (ROOT / folder).glob("*.py")} - {"__init__"}
    assert found, f"{folder} has no module"
    return found


def homes(registered: Iterable[object]) -> set[str]:
    return {str(one.__module__).rpartition(".")[2] for one in registered}


@pytest.mark.parametrize(
    ("folder", "registered", "shared"),
    [
        ("adam/derivations", list(DERIVATIONS.values()), set()),
        (
            "sdtm/operations",
            list(OPERATIONS.values()),
            {"operation", "value_sets", "field_condition", "variable_condition"},
        ),
        ("validation/checks/kinds", [kind.judge for kind in KINDS.values()], set()),
        ("validation/conformance/rules", [rule.check for rule in RULES.values()], set()),
        ("reports/templates", [template.compute for template in TEMPLATES.values()], set()),
    ],
)
def test_every_module_of_a_family_registers_something(folder: str, registered: list[object], shared: set[str]) -> None:
    assert homes(registered) == modules(folder) - shared


def test_every_template_is_a_line_of_the_page_and_an_output_of_a_bundled_study() -> None:
    page = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    outputs = [Study.open(name).read_yaml("reports.yaml")["outputs"] for name in Study.bundled()]
    used = {output["template"] for listed in outputs for output in listed}
    for name in TEMPLATES:
        assert f"| `{name}` |" in page, f"docs/reports.md does not say what {name} shows"
        assert name in used, f"no bundled study has an output of {name}"


def test_every_operation_says_what_it_does() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for name in OPERATIONS:
        assert f"### {name}\n" in page


def test_every_rule_is_tried_by_a_seeded_error() -> None:
    files = sorted((ROOT / "tests" / "validation").glob("test_conformance*.py"))
    tests = "".join(path.read_text(encoding="utf-8") for path in files)
    forgotten = [rule for rule in RULES if f'"{rule}"' not in tests]
    assert not forgotten, f"no test seeds an error for {forgotten}"
