"""The annotated CRF in the package agrees with define.xml and with where each value came from."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from lxml import etree
from pypdf import PdfReader

from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.field_uses import form_uses
from sdtm.build.study_mapping import read_mapping

NS = {"o": "http://www.cdisc.org/ns/odm/v1.3", "d": "http://www.cdisc.org/ns/def/v2.1"}
FOLDER = "m5/datasets/*/tabulations/sdtm"


@pytest.fixture(scope="module")
def folder(package: Path) -> Path:
    (found,) = package.glob(FOLDER)
    return found


@pytest.fixture(scope="module")
def noted(folder: Path) -> list[list[str]]:
    """The texts of the annotations, page by page."""
    pages = [page.get("/Annots", []) for page in PdfReader(folder / "acrf.pdf").pages]
    return [[str(one.get_object()["/Contents"]) for one in page] for page in pages]


def test_each_collected_variable_has_pages_that_name_it(folder: Path, noted: list[list[str]]) -> None:
    root = etree.parse(folder / "define.xml").getroot()
    assert [one.get("leafID") for one in root.iterfind(".//d:AnnotatedCRF/d:DocumentRef", NS)] == ["LF.acrf"]
    collected = [
        (str(item.get("OID")), str(item.get("Name")), origin)
        for item in root.iterfind(".//o:ItemDef", NS)
        for origin in item.iterfind("d:Origin[@Type='Collected']", NS)
    ]
    assert len(collected) > 190
    for oid, name, origin in collected:
        reference = origin.find("d:DocumentRef/d:PDFPageRef", NS)
        assert reference is not None, oid
        dataset, variable = oid.split(".")[1:3]
        wanted = {dataset if dataset.startswith("SUPP") else variable, name} - {"QVAL"}
        for page in map(int, str(reference.get("PageRefs")).split()):
            assert any(all(part in text for part in wanted) for text in noted[page - 1]), (oid, page)


def test_each_value_came_from_a_field_that_is_annotated_with_its_variable(package: Path) -> None:
    """The lineage is made from the records, the annotations from the mapping."""
    study = Study.open("spms_aza")
    mapping = read_mapping(study, study.project(), Terminology.open(study))
    field_of = mapping.project.dictionary.column_field
    uses = {(use.dataset, use.variable, use.field) for use in form_uses(mapping).uses}
    read = {(use.domain, use.field) for use in form_uses(mapping).uses}
    seen = 0
    for path in (package / "lineage").glob("*.parquet"):
        table = pq.read_table(path, columns=["dataset", "variable", "source", "source_variable"])
        for edge in table.group_by(table.column_names).aggregate([]).to_pylist():
            field = field_of.get(edge["source_variable"], edge["source_variable"])
            if edge["source"] != "REDCAP" or edge["variable"] == "*" or field not in mapping.project.dictionary.fields:
                continue
            dataset, variable = edge["dataset"], edge["variable"]
            if dataset.startswith("SUPP") or dataset == "RELREC" or variable[-1:].isdigit():
                assert (dataset.removeprefix("SUPP"), field) in read, edge
            else:
                derived = variable.endswith(("STRESC", "STRESN", "STRESU", "USUBJID"))
                known = {(dataset, variable, field), (dataset, variable.replace("STRES", "ORRES"), field)}
                assert known & uses or derived, edge
            seen += 1
    assert seen > 300
