"""The examples of the derivations, run in a small study that exists only while they run."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import adam.derivations
from adam.build.specification import FOLDER, DerivationStep, read_steps
from adam.build.table import AnalysisTable
from adam.columns.columns import finished
from adam.language.derivation import DerivationContext
from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.frame_columns import FrameColumns
from metadata.iso8601 import SAS_EPOCH
from metadata.study import Study
from metadata.variable_kind import DATE, DATETIME, DISPLAY
from metadata.yaml_source import line_of, load

PATH = Path(__file__).with_name("examples.yaml")
FAMILIES = Path(adam.derivations.__path__[0])
"""The folder with the examples of each family of derivations, in the file next to it."""
GAP = re.compile(r" {2,}")


@dataclass(frozen=True)
class Example:
    """One example that was run: its heading, source of the rule, tables before and after, text of its declaration.

    ``sentences`` say by variable how what was made came about, as define.xml has it.
    """

    key: str
    section: str
    source: str
    given: pd.DataFrame
    datasets: dict[str, pd.DataFrame]
    files: dict[str, str]
    declared: str
    made: pd.DataFrame
    sentences: dict[str, str]


def all_examples() -> dict[str, Example]:
    """Run every example and return them by the key of their derivation."""
    page = load(PATH, PATH.name)
    with _study(page) as study:
        return {
            key: _run(key, node, path, page["files"], study)
            for path in sorted(FAMILIES.glob("*.yaml"))
            for key, node in load(path, path.name).items()
        }


def sections(examples: Mapping[str, Example]) -> dict[str, list[str]]:
    """Return the derivations under their headings; raises ValueError for an example under none of them."""
    headings: dict[str, list[str]] = {heading: [] for heading in load(PATH, PATH.name)["sections"]}
    for key, example in examples.items():
        if example.section not in headings:
            raise ValueError(f"the example of {key} names the section '{example.section}': {PATH.name} has no such one")
        headings[example.section].append(key)
    return headings


@contextmanager
def _study(page: Any) -> Iterator[Study]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / FOLDER).mkdir()
        for name, text in {"study.yaml": page["study"], **page["files"]}.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        yield Study(Path(folder))


def _run(key: str, node: Any, path: Path, texts: dict[str, str], study: Study) -> Example:
    given = table_of(node["input"])
    datasets = {name: table_of(text) for name, text in node.get("datasets", {}).items()}
    steps = read_steps(node["derivation"])
    made = derived(steps, given, datasets, study)
    files = {name: texts[name] for name in node.get("files", [])}
    declared = _declared(node, path.read_text(encoding="utf-8").splitlines())
    return Example(key, node["section"], node["source"], given, datasets, files, declared, made, _sentences(key, steps))


def _sentences(key: str, steps: list[DerivationStep]) -> dict[str, str]:
    """Return how each variable that the example's derivation makes or changes came about."""
    said: dict[str, str] = {}
    for derivation in (step.derivation for step in steps if step.derivation.key == key):
        said |= {name: derivation.sentence(name) for name in (*derivation.makes, *derivation.changes())}
    return said


def derived(
    steps: list[DerivationStep], given: pd.DataFrame, datasets: dict[str, pd.DataFrame], study: Study
) -> pd.DataFrame:
    """Return the table that derivations make of a given one: with the new variables, or the added records alone."""
    context = DerivationContext(study, {name: _dataset(name, frame) for name, frame in datasets.items()}, "", True)
    kinds = _dataset("", given).metadata.kinds
    table = AnalysisTable(FrameColumns(given), np.arange(len(given)), kinds)
    for name in given:
        table.columns[str(name)]
    for step in steps:
        table.apply(step.derivation, context)
    made = pd.DataFrame({name: finished(values) for name, values in table.columns.items()})
    return made.iloc[len(given) :] if steps[-1].derivation.adds_rows else made


def _dataset(name: str, frame: pd.DataFrame) -> Dataset:
    variables = tuple(
        Variable(name, name, "Num" if frame[name].dtype.kind == "f" else "Char", format=DISPLAY.get(_kind(name)))
        for name in map(str, frame)
    )
    return Dataset(DatasetMetadata(name, name, "", "", (), variables), frame)


def table_of(text: str) -> pd.DataFrame:
    """Read a table with two or more spaces between its columns; a full stop is a missing value, quotes make a text."""
    head, *rows = [GAP.split(line.strip()) for line in text.splitlines()]
    columns = {name: ["" if row[place] == "." else row[place] for row in rows] for place, name in enumerate(head)}
    return pd.DataFrame({name: _column(name, values) for name, values in columns.items()})


def _column(name: str, values: list[str]) -> pd.Series:
    kind = _moment(name)
    if kind:
        return pd.Series([_number_of(value, kind) for value in values], dtype="float64")
    try:
        return pd.Series([float(value or "nan") for value in values])
    except ValueError:
        return pd.Series([value.strip('"') for value in values], dtype="str")


def _kind(name: str) -> str:
    """Return the kind that ADaM's names of dates and datetimes say, an empty text for all others."""
    return DATETIME if name.endswith("DTM") else DATE if name.endswith("DT") else ""


def _moment(name: str) -> str:
    return {DATETIME: "s", DATE: "D"}.get(_kind(name), "")


def _number_of(value: str, kind: str) -> float:
    return float((np.datetime64(value, kind) - SAS_EPOCH) / np.timedelta64(1, kind)) if value else np.nan  # type: ignore[call-overload]


def shown_value(name: str, value: object) -> str:
    """Return one value of a variable as the page shows it."""
    if not isinstance(value, float):
        return str(value)
    if np.isnan(value):
        return ""
    kind = _moment(name)
    if kind:
        return str(SAS_EPOCH + np.timedelta64(int(value), kind))  # type: ignore[call-overload]
    return f"{value:.0f}" if value == int(value) else f"{value:.6g}"


def _declared(node: Any, lines: list[str]) -> str:
    """Return the text of a declaration as it is in the file, without its indent."""
    start = line_of(node, "derivation") or 0
    block = []
    for line in lines[start:]:
        if not line.startswith("    "):
            break
        block.append(line[4:])
    return "\n".join(block)
