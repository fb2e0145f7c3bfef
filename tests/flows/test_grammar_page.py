"""docs/grammar.md says what the schemas have, every test of a condition, and examples that find what it says."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest
import yaml

from flows.schemas import FILES, schemas
from metadata.condition import read_condition
from metadata.condition_filter import filter_parts
from metadata.condition_tests import TESTS
from metadata.frame_columns import FrameColumns
from metadata.variable_kind import DATE
from tests.flows.conftest import ROOT

PAGE = (ROOT / "docs" / "grammar.md").read_text(encoding="utf-8")
# The trial design, trial summary and relations are files of sdtm/ with schemas of their own.
SCHEMAS = {name: files[0] for name, files in FILES.items()}


def table(head: str) -> list[list[str]]:
    """The cells of the rows beneath a head of the page."""
    assert PAGE.count(f"\n{head}\n") == 1, head
    lines = PAGE.split(f"\n{head}\n")[1].split("\n\n")[0].splitlines()[1:]
    rows = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in lines]
    return [[cell.strip() for cell in row] for row in rows]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def keys_in(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(keys_in, schema))
    if not isinstance(schema, dict):
        return set()
    own = schema.get("properties", {})
    return {name for name, value in own.items() if isinstance(value, dict | bool)} | keys_in(list(schema.values()))


def test_each_key_is_in_the_schemas_of_just_the_files_that_the_page_names() -> None:
    known = {SCHEMAS[name]: keys_in(schema) for name, schema in schemas().items()}
    rows = table("| key | its role | in |")
    assert len(rows) >= 15
    for name, role, files in rows:
        [key] = quoted(name)
        assert role
        assert set(quoted(files)) == {file for file, keys in known.items() if key in keys}, key


def test_each_file_of_a_study_is_on_the_page() -> None:
    named = {file for row in table("| file | declares | page |") for file in quoted(row[0])}
    parts = {file for file in SCHEMAS.values() if file.startswith("sdtm/")}
    assert named == set(SCHEMAS.values()) - parts | {"sdtm/*.yaml"}


def test_each_test_of_a_condition_is_on_the_page() -> None:
    rows = table("| test | holds for | operand | kinds |")
    assert [quoted(row[0]) for row in rows] == [[name] for name in TESTS]


def subjects() -> pd.DataFrame:
    head = "| USUBJID | SEX | AGE | GRADE | BASE | ADT |"
    lines = PAGE.split(f"\n{head}\n")[1].split("\n\n")[0].splitlines()[1:]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    frame = pd.DataFrame(cells, columns=[name.strip() for name in head.strip("|").split("|")], dtype="str")
    days = (pd.to_datetime(frame["ADT"].replace("", None)) - pd.Timestamp("1960-01-01")).dt.days
    return frame.assign(AGE=pd.to_numeric(frame["AGE"]).astype("float64"), ADT=days.astype("float64"))


@pytest.mark.parametrize("row", table("| condition | finds | and is the filter |"), ids=lambda row: row[0])
def test_an_example_finds_what_the_page_says(row: list[str]) -> None:
    [text], [written] = quoted(row[0]), quoted(row[2])
    frame, condition = subjects(), read_condition(yaml.safe_load(text), None, "where")
    columns = FrameColumns(frame, {"ADT": DATE})
    condition.check(columns.kinds)
    found = row[1].split(", ")
    assert frame["USUBJID"][condition.holds(columns, len(frame))].tolist() == found
    assert " and ".join(filter_parts(condition, columns.is_text, columns.kinds)) == written
    assert frame.query(written)["USUBJID"].tolist() == found
