"""docs/mapping.md and docs/study.md are studies: their blocks are checked and tabulated, their tables compared."""

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
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import tabulate
from sdtm.mapping.operations_page import page
from sdtm.operations.operation import RECORD_OPERATIONS, TABLE_OPERATIONS

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = (DOCS / "mapping.md").read_text(encoding="utf-8")
REFERENCE = (DOCS / "study.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(?:csv|yaml) (file|result)=(\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = {
    page: [match.groups() for match in BLOCK.finditer(text)] for page, text in (("mapping", TEXT), ("study", REFERENCE))
}


@pytest.fixture(scope="module", params=sorted(PAGES))
def page_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def study(page_name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(page_name)
    for kind, name, body in PAGES[page_name]:
        if kind == "file":
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(body, encoding="utf-8")
    return folder


def results(page: str) -> dict[str, str]:
    return {name: body for kind, name, body in PAGES[page] if kind == "result"}


def test_the_pages_have_their_studies() -> None:
    files = {name for kind, name, _ in PAGES["mapping"] if kind == "file"}
    assert files >= {"study.yaml", "sdtm/ae.yaml", "sdtm/lb.yaml"}
    assert set(results("mapping")) == {"AE", "SUPPAE", "LB"}
    assert set(results("study")) == {"DM", "SE", "LB", "VS"}


def test_check_finds_no_problem(study: Path) -> None:
    assert problems_of(str(study)) == []


def test_the_tables_are_those_of_the_engine(page_name: str, study: Path) -> None:
    opened = Study.open(study)
    records = Records.read(opened.project(), study / "records.csv")
    made_of = tabulate(read_mapping(opened, records.project, Terminology.open(opened)), records)
    assert made_of.withheld.empty
    datasets = made_of.datasets
    for name, body in results(page_name).items():
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
    companions = {Path(file).name for kind, files in FILES.items() if kind != "sdtm" for file in files}
    for path in sorted(study.glob("sdtm/*.yaml")):
        if path.name not in companions:
            jsonschema.validate(load(path), known["sdtm"])


def test_the_reference_of_operations_is_up_to_date() -> None:
    assert (DOCS / "operations.md").read_text(encoding="utf-8") == page()


def test_every_operation_is_in_the_reference() -> None:
    named = re.findall(r"^### (\w+)$", page(), re.MULTILINE)
    assert sorted(named) == sorted({**RECORD_OPERATIONS, **TABLE_OPERATIONS})


def test_every_key_of_the_language_is_told_on_the_page() -> None:
    from metadata.declaration import key_of, parameters
    from sdtm.mapping.schema import MappingFile, RecordsBlock, TestKeys

    named = set(re.findall(r"`([a-z_]+)`", TEXT)) | set(re.findall(r"\b([a-z_]+):", TEXT))
    keys = {key_of(name) for declared in (RecordsBlock, TestKeys, MappingFile) for name in parameters(declared)}
    assert len(keys) > 30
    assert keys <= named
