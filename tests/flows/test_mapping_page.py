"""docs/mapping.md is a study: its blocks are checked and tabulated, its tables compared; operations.md is current."""

from __future__ import annotations

import io
import re
from pathlib import Path

import jsonschema
import pandas as pd
import pytest

from flows.check import problems_of
from flows.schemas import FILES, schemas
from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.yaml_source import load
from sdtm.operations import RECORD_WORDS, TABLE_WORDS
from sdtm.operations_page import page
from sdtm.tabulate import tabulate

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "mapping.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(?:csv|yaml) (file|result)=(\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [match.groups() for match in BLOCK.finditer(TEXT)]
RESULTS = {name: body for kind, name, body in BLOCKS if kind == "result"}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    for kind, name, body in BLOCKS:
        if kind == "file":
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(body, encoding="utf-8")
    return folder


def test_the_page_has_the_study() -> None:
    assert {name for kind, name, _ in BLOCKS if kind == "file"} >= {"study.yaml", "sdtm/ae.yaml", "sdtm/lb.yaml"}
    assert set(RESULTS) == {"AE", "SUPPAE", "LB"}


def test_check_finds_no_problem(study: Path) -> None:
    assert problems_of(str(study)) == []


def test_the_tables_are_those_of_the_engine(study: Path) -> None:
    opened = Study.open(study)
    records = Records.read(opened.project(), study / "records.csv")
    datasets = tabulate(opened, records, Terminology.open(opened)).datasets
    for name, body in RESULTS.items():
        expected = pd.read_csv(io.StringIO(body), dtype="str", keep_default_na=False)
        frame = datasets[name].frame[list(expected.columns)]
        made = frame.astype("str").replace({"nan": "", "<NA>": ""}).fillna("")
        for column in expected.columns:
            if frame[column].dtype.kind == "f":
                numbers = pd.to_numeric(expected[column])
                assert (numbers.eq(frame[column]) | (numbers.isna() & frame[column].isna())).all(), (name, column)
            else:
                assert made[column].tolist() == expected[column].tolist(), (name, column)


def test_its_files_fit_the_schemas_for_editors(study: Path) -> None:
    known = schemas()
    for kind, files in FILES.items():
        for path in (study / file for file in files if "*" not in file):
            if path.is_file():
                jsonschema.validate(load(path), known[kind])
    for name in ("ae", "lb", "dm", "sv"):
        jsonschema.validate(load(study / "sdtm" / f"{name}.yaml"), known["sdtm"])


def test_the_reference_of_operations_is_up_to_date() -> None:
    assert (DOCS / "operations.md").read_text(encoding="utf-8") == page()


def test_every_operation_is_in_the_reference() -> None:
    named = re.findall(r"^### (\w+)$", page(), re.MULTILINE)
    assert sorted(named) == sorted({**RECORD_WORDS, **TABLE_WORDS})


def test_every_key_of_the_language_is_told_on_the_page() -> None:
    from sdtm.schema import BLOCK as BLOCK_KEYS
    from sdtm.schema import TEST, mapping_schema

    told = set(re.findall(r"`([a-z_]+)`", TEXT)) | set(re.findall(r"\b([a-z_]+):", TEXT))
    assert {*BLOCK_KEYS, *TEST, *mapping_schema()["properties"]} <= told
