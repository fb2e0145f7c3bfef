"""The reviewer's guides in the package, read by pypdf and held against the files that they describe."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from pypdf import PdfReader
from pypdf.generic import Destination

from publish.xpt import read

PLACES = {"csdrg": "m5/datasets/*/tabulations/sdtm", "adrg": "m5/datasets/*/analysis/adam/datasets"}
SECTIONS = {
    "csdrg": (
        "1.1 Purpose", "1.2 Acronyms", "1.3 Study Data Standards and Dictionary Inventory",
        "2.1 Protocol Number and Title",
        "2.2 Protocol Design", "2.3 Trial Design Datasets", "3.1 Overview", "3.2 Traceability Flow Diagram",
        "3.3 Annotated CRFs", "3.4 SDTM Subject Domains", "4.1 Conformance Inputs", "4.2 Issues Summary",
        "4.3 Additional Conformance Details", "Appendix I: Inclusion and Exclusion Criteria",
    ),
    "adrg": (
        "1.4 Source Data Used for Analysis Dataset Creation", "2.2 Protocol Design in Relation to ADaM Concepts",
        "3.1 Core Variables", "3.2 Treatment Variables", "3.3 Subject Issues that Require Special Analysis Rules",
        "3.4 Use of Visit Windowing, Unscheduled Visits, and Record Selection", "3.5 Imputation and Derivation Methods",
        "4.1 Split Datasets", "4.2 Data Dependencies", "4.3 Intermediate Datasets", "5.1 Overview",
        "5.2 Analysis Datasets",
        "6.1 Conformance Inputs", "6.2 Issues Summary", "7.1 Description", "7.2 ADaM Programs",
        "7.3 Analysis Output Programs",
    ),
}  # fmt: skip


class Guide:
    def __init__(self, package: Path, name: str) -> None:
        (self.folder,) = package.glob(PLACES[name])
        self.name, self.package = name, package
        self.reader = PdfReader(self.folder / f"{name}.pdf")
        self.pages = [squeezed(page.extract_text()) for page in self.reader.pages]
        self.text = "".join(self.pages)

    def bookmarks(self) -> list[tuple[str, int]]:
        return [(str(one.title), self.reader.get_destination_page_number(one)) for one in flat(self.reader.outline)]

    def links(self) -> list[Any]:
        found = [one.get_object() for page in self.reader.pages for one in page.get("/Annots", [])]
        return [one for one in found if one["/Subtype"] == "/Link"]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def flat(entries: list[Any]) -> list[Destination]:
    return [one for entry in entries for one in (flat(entry) if isinstance(entry, list) else [entry])]


@pytest.fixture(scope="module", params=sorted(PLACES))
def guide(request: pytest.FixtureRequest, package: Path) -> Guide:
    return Guide(package, request.param)


def test_the_sections_of_the_template_are_bookmarked_where_they_are(guide: Guide) -> None:
    found = dict(guide.bookmarks())
    assert set(SECTIONS[guide.name]) <= set(found)
    for title, page in found.items():
        assert squeezed(title) in guide.pages[page], title


def test_the_table_of_contents_leads_to_the_pages_that_it_says(guide: Guide) -> None:
    contents = list(guide.reader.pages[0].get("/Annots", []))
    assert len(contents) >= len(SECTIONS[guide.name])
    found = dict(guide.bookmarks())
    for title in SECTIONS[guide.name]:
        assert f".{found[title] + 1}{squeezed(title)}" in guide.pages[0], title  # the number is drawn first


def test_each_dataset_is_in_the_inventory_with_records_and_size(guide: Guide) -> None:
    files = sorted(guide.folder.glob("*.xpt"))
    assert files
    for file in files:
        name, size = file.stem.upper(), -(-file.stat().st_size // 1024)
        records = read(file).rows
        assert re.search(rf"{name}\D.{{0,120}}?{records}.{{0,24}}?{size:,}", guide.text), (name, records, size)


def test_each_finding_is_there_with_its_explanation(guide: Guide) -> None:
    result = json.loads((guide.package / "validation" / "conformance.json").read_text())
    own = {file.stem.upper() for file in guide.folder.glob("*.xpt")}
    for finding in result["findings"]:
        said = finding["explained"] or ("For information" if finding["severity"] == "note" else "Not explained")
        assert (squeezed(said) in guide.text) or finding["dataset"] not in own, finding
    assert squeezed(f"{result['counts']['rules']} rules") in guide.text


def test_it_says_on_each_page_that_the_data_are_synthetic(guide: Guide) -> None:
    assert all("Syntheticdata" in page for page in guide.pages)
    assert "thepatientsofthisstudyareinvented" in guide.text


def test_what_people_must_write_is_there_or_said_not_to_be(guide: Guide) -> None:
    given = {"csdrg": "azathioprinewasaddedtointerferonbeta-1b", "adrg": "Onetreatmentisgiventoallsubjects"}[guide.name]
    absent = {"csdrg": "csdrg:conformance", "adrg": "adrg:visit_windows"}[guide.name]
    assert given in guide.text
    assert f"Notgivenbythestudy(guides.yaml,{absent})." in guide.text


def test_it_says_how_the_package_is_made_again(guide: Guide) -> None:
    manifest = json.loads((guide.package / "manifest.json").read_text())
    assert f"package{manifest['package']}" in guide.text
    assert manifest["snapshot"]["id"] in guide.text
    for name, version in {**manifest["versions"], **manifest["installed"]}.items():
        assert f"{name}{version}" in guide.text


def test_links_lead_to_files_beside_it_and_to_headings(guide: Guide) -> None:
    outer = [one["/A"]["/URI"] for one in guide.links() if "/A" in one and "/URI" in one["/A"]]
    assert all((guide.folder / str(uri)).is_file() for uri in outer)
    assert guide.name != "csdrg" or "acrf.pdf" in outer
    inner = [one for one in guide.links() if "/Dest" in one]
    assert len(inner) > len(SECTIONS[guide.name])


def test_define_refers_to_it(guide: Guide) -> None:
    root = etree.parse(guide.folder / "define.xml").getroot()
    namespaces = {"d": "http://www.cdisc.org/ns/def/v2.1"}
    referred = [one.get("leafID") for one in root.iterfind(".//d:SupplementalDoc/d:DocumentRef", namespaces)]
    assert f"LF.{guide.name}" in referred
