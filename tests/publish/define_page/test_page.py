"""The page of define.xml: every link leads somewhere, nothing is left out, and nobody's document can run a script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree, html

from metadata.errors import StudyError
from publish import define
from publish.define_documents import CRF, GUIDES, PLAN, Documents
from publish.define_page.page import define_page
from publish.refusals import Standard
from reports.compute import compute
from reports.exchange.arm import result_displays
from tests.publish.conftest import CREATED, BuiltStudy

MINIMAL = (Path(__file__).parents[1] / "define_minimal.xml").read_bytes()
NS = {"o": "http://www.cdisc.org/ns/odm/v1.3", "d": "http://www.cdisc.org/ns/def/v2.1"}


@pytest.fixture(scope="module", params=["sdtm", "adam"])
def made(request: pytest.FixtureRequest, built: Callable[[str], BuiltStudy]) -> tuple[etree._Element, html.HtmlElement]:
    """Document and page of one standard of the second study."""
    standard: Standard = request.param
    one = built("hta_duo")
    datasets = one.datasets[standard]
    displays = ()
    if standard == "adam":
        results = compute(one.study, {**one.datasets["sdtm"], **datasets})
        displays = result_displays(one.study, results, datasets)
    pages = {("DM", "SEX", ""): (3, 5)}
    documents = (
        Documents((CRF, GUIDES["sdtm"]), pages)
        if standard == "sdtm"
        else Documents((GUIDES["adam"], PLAN), sections={"efficacy": 2})
    )
    content = define.render(one.study, one.content(standard), datasets, CREATED, documents, displays)
    assert define_page(content) == define_page(content)
    return etree.fromstring(content), html.fromstring(define_page(content))


def links(page: html.HtmlElement) -> list[str]:
    return [str(node.get("href")) for node in page.iter("a")]


def test_every_link_leads_to_one_place_of_the_page_or_to_a_file_beside_it(
    made: tuple[etree._Element, html.HtmlElement],
) -> None:
    root, page = made
    places = Counter(str(node.get("id")) for node in page.iter() if node.get("id"))
    assert {place: count for place, count in places.items() if count > 1} == {}
    inside = {link.removeprefix("#") for link in links(page) if link.startswith("#")}
    assert len(inside) > 200
    assert sorted(inside - set(places)) == []
    files = {link.partition("#")[0] for link in links(page) if not link.startswith("#")}
    leaves = {leaf.get("{http://www.w3.org/1999/xlink}href") for leaf in root.iterfind(".//d:leaf", NS)}
    assert files == leaves


def test_nothing_is_loaded_and_nothing_runs(made: tuple[etree._Element, html.HtmlElement]) -> None:
    _, page = made
    assert not [node.tag for node in page.iter("script", "link", "img", "iframe", "object", "form")]
    assert not [name for node in page.iter() for name in node.attrib if name.startswith("on") or name == "src"]


def test_each_definition_is_on_the_page(made: tuple[etree._Element, html.HtmlElement]) -> None:
    root, page = made
    places = {str(node.get("id")) for node in page.iter() if node.get("id")}
    count = {name: len(root.findall(f".//{name}", NS)) for name in ("o:ItemRef", "o:CodeList", "o:MethodDef")}
    rows = [place for place in places if place.startswith(("IG.", "VL.")) and ".IT." in place]
    assert len(rows) == count["o:ItemRef"]
    assert sum(place.startswith("CL.") for place in places) == count["o:CodeList"]
    assert sum(place.startswith("MT.") for place in places) == count["o:MethodDef"]
    shown = " ".join(page.text_content().split())
    for node in root.iterfind(".//o:TranslatedText", NS):
        assert " ".join((node.text or "").split()).rpartition(": ")[2] in shown
    for node in root.iter("{http://www.cdisc.org/ns/arm/v1.0}AnalysisResult"):
        assert str(node.get("OID")) in places


def test_pages_of_the_crf_and_places_in_the_plan_are_linked(made: tuple[etree._Element, html.HtmlElement]) -> None:
    found = links(made[1])
    if "acrf.pdf" in found:
        assert "acrf.pdf#page=3" in found and "acrf.pdf#page=5" in found
    else:
        assert "sap.pdf#page=2" in found


def changed(old: str, new: str) -> html.HtmlElement:
    text = MINIMAL.decode()
    assert old in text
    return html.fromstring(define_page(text.replace(old, new).encode()))


def test_texts_of_a_document_stay_texts() -> None:
    page = changed("Demographics", "&lt;script&gt;alert(1)&lt;/script&gt;")
    assert not list(page.iter("script"))
    assert "<script>alert(1)</script>" in page.text_content()


@pytest.mark.parametrize(
    "href",
    [
        "javascript:x()",
        "JavaScript:x()",
        " javascript:x()",
        "java&#9;script:x()",
        "data:text/html,x",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_no_file_beside_the_page_is_no_link(href: str) -> None:
    page = changed('xlink:href="dm.xpt"', f'xlink:href="{href}"')
    assert all(link.startswith("#") for link in links(page))
    assert "dm.xpt" in page.text_content()


def test_what_nothing_defines_is_said_and_no_link() -> None:
    page = changed('CodeListOID="CL.SEX"', 'CodeListOID="CL.ELSE"')
    assert "CL.ELSE (not defined)" in page.text_content()
    assert set(links(page)) >= {"#IG.DM", "dm.xpt"}


def test_a_document_of_define_xml_2_0_is_read() -> None:
    older = MINIMAL.decode().replace("def/v2.1", "def/v2.0").replace('<def:Class Name="SPECIAL PURPOSE"/>', "")
    older = older.replace("<ItemGroupDef ", '<ItemGroupDef def:Class="SPECIAL PURPOSE" ')
    older = older.replace("<MetaDataVersion ", '<MetaDataVersion def:StandardName="SDTM-IG" def:StandardVersion="3.2" ')
    text = " ".join(html.fromstring(define_page(older.encode())).text_content().split())
    for said in ("SPECIAL PURPOSE", "The earliest EXSTDTC.", "Female", "C16576", "Derived, Sponsor", "SDTM-IG3.2"):
        assert said in text, said


def test_an_item_that_is_referred_to_twice_has_two_places() -> None:
    page = changed('<def:Class Name="SPECIAL PURPOSE"/>', '<ItemRef ItemOID="IT.DM.AGE" Mandatory="No"/>')
    places = [str(node.get("id")) for node in page.iter() if node.get("id")]
    assert {"IG.DM.IT.DM.AGE", "IG.DM.IT.DM.AGE.2"} <= set(places)
    assert len(places) == len(set(places))


def test_two_oids_that_differ_in_a_sign_only_have_places_of_their_own() -> None:
    page = changed('OID="CL.SEX" Name="Sex"', 'OID="CL SEX" Name="Sex"')
    twice = changed(
        "<MethodDef ",
        '<CodeList OID="CL-SEX" Name="x" DataType="text"/><CodeList OID="CL SEX" Name="y" DataType="text"/><MethodDef ',
    )
    places = [str(node.get("id")) for node in twice.iter() if node.get("id")]
    assert len(places) == len(set(places))
    assert "CL-SEX" in places and "CL-SEX-2" in places
    assert any(node.get("id") == "CL-SEX" for node in page.iter())


def test_entities_are_not_resolved() -> None:
    entity = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    document = entity + b"<ODM><Study><GlobalVariables><StudyName>&x;</StudyName></GlobalVariables></Study></ODM>"
    hostname = Path("/etc/hostname")
    text = define_page(document).decode()
    assert not hostname.is_file() or hostname.read_text().strip() not in text


@pytest.mark.parametrize(
    ("document", "said"),
    [(b"<ODM>", "line 1: this is not an XML document"), (b"<html/>", "the document begins with html, not with ODM")],
)
def test_what_is_no_define_is_refused_in_a_sentence(document: bytes, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        define_page(document)
