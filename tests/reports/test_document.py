"""docs/reports.md names every key that reports.yaml may use."""

from __future__ import annotations

from pathlib import Path

from metadata.declaration import needed
from reports.results.specification import OutputKeys
from reports.template_parts.group_comparisons import COMPARISONS
from reports.templates import KEYS, rates_by_period

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reports.md"


def test_it_names_every_template_and_method() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in (*KEYS, *COMPARISONS, *rates_by_period.METHODS):
        assert f"`{name}`" in text, name


def test_it_names_what_each_template_needs() -> None:
    shown = DOCUMENT.read_text(encoding="utf-8").split("## Rates")[0]
    lines = {line.split("`")[1]: line for line in shown.splitlines() if line.startswith("| `")}
    general = {"dataset", "where", "variable", "any", "values", "unit", "event"}
    for name, keys in KEYS.items():
        for key in set(needed(keys)) - set(needed(OutputKeys)) - general:
            assert f"`{key}`" in lines[name], (name, key)
