"""The results of each output as a script file: its cells, its statistics, and the conditions of their records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from metadata.condition_filter import read_filter, split_filter
from metadata.condition_tests import OtherVariable, VariableTest
from publish.disk import write_bytes
from publish.study_page.tables import script

RESULTS = "results"
SHOWN = (
    "analysis",
    "population",
    "group",
    "subset",
    "variable",
    "level",
    "statistic",
    "text",
    "method",
    "n",
    "warning",
)
"""Columns of the results data that the page shows."""


@dataclass
class NumberedTests:
    """The tests of filters, each written once however many filters have it; lists of subjects are long."""

    listed: list[list[object]] = field(default_factory=list)
    _numbers: dict[VariableTest, int] = field(default_factory=dict)
    _parts: dict[str, list[list[int]]] = field(default_factory=dict)

    def filter(self, text: str) -> list[list[list[int]]]:
        """Return what must hold all: of each part alternatives, each the numbers of tests that must hold all."""
        return [self._part(part) for part in split_filter(text)]

    def _part(self, part: str) -> list[list[int]]:
        if part not in self._parts:
            self._parts[part] = [[self._number(test) for test in tests] for tests in read_filter(part).alternatives]
        return self._parts[part]

    def _number(self, test: VariableTest) -> int:
        if test not in self._numbers:
            self._numbers[test] = len(self.listed)
            self.listed.append([test.variable, test.name, _operand(test)])
        return self._numbers[test]


def _operand(test: VariableTest) -> object:
    """Return what a test compares with as JSON; another variable is an object."""
    if isinstance(test.operand, OtherVariable):
        return {"variable": test.operand.name, "plus": test.operand.plus}
    return list(test.operand) if isinstance(test.operand, tuple) else test.operand


def write_results(
    results: pd.DataFrame, cells: Mapping[str, list[dict[str, Any]]], titles: Mapping[str, str], folder: Path
) -> list[Path]:
    """Write ``<output>.js`` for each output that has results; raises OutsideError."""
    own = {str(output): rows for output, rows in results.groupby("output", sort=False)}
    return [
        _write_output(folder / f"{output}.js", output, rows, cells.get(output, []), titles.get(output, output))
        for output, rows in own.items()
    ]


def _write_output(path: Path, output: str, rows: pd.DataFrame, cells: list[dict[str, Any]], title: str) -> Path:
    """Write the results of one output and return the file."""
    tests = NumberedTests()
    sources: dict[tuple[str, str], int] = {}
    used = [sources.setdefault(key, len(sources)) for key in zip(rows["dataset"], rows["filter"], strict=True)]
    referred = dict(zip(rows["filter"], rows["referred"], strict=True))
    content = {
        "output": output, "title": title, "columns": SHOWN,
        "cells": [[one[name] for name in ("table", "row", "column", "text", "results")] for one in cells],
        "results": [[*values, source] for values, source in zip(_texts(rows), used, strict=True)],
        "sources": [[name, referred[text] if name == RESULTS else tests.filter(text)] for name, text in sources],
        "tests": tests.listed,
    }  # fmt: skip
    write_bytes(path, script("studyOutput", content))
    return path


def _texts(rows: pd.DataFrame) -> Iterator[list[str]]:
    return iter(rows[list(SHOWN)].astype("str").to_numpy().tolist())
