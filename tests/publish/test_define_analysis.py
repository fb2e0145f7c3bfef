"""define.xml of the analysis datasets of the bundled study, compared with the transport files and the declarations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from lxml import etree

from publish.define_checks import problems
from tests.publish.conftest import BuiltStudy

NS = {"o": "http://www.cdisc.org/ns/odm/v1.3", "d": "http://www.cdisc.org/ns/def/v2.1"}
DEF = "{http://www.cdisc.org/ns/def/v2.1}"
TEXT = "o:Description/o:TranslatedText"


@dataclass(frozen=True)
class Defined:
    """The document and the folder that it lies in."""

    root: etree._Element
    folder: Path

    def find(self, path: str) -> list[etree._Element]:
        return list(self.root.iterfind(path, NS))

    def one(self, path: str) -> etree._Element:
        (found,) = self.find(path)
        return found

    def item(self, oid: str) -> etree._Element:
        return self.one(f".//o:ItemDef[@OID='{oid}']")

    def origin(self, oid: str) -> tuple[str | None, str | None]:
        found = self.item(oid).find("d:Origin", NS)
        assert found is not None
        return found.get("Type"), found.findtext(TEXT, None, NS)

    def method(self, oid: str) -> str:
        reference = self.one(f".//o:ItemRef[@ItemOID='{oid}']").get("MethodOID")
        return self.one(f".//o:MethodDef[@OID='{reference}']").findtext(TEXT, "", NS)

    def terms(self, oid: str) -> dict[str | None, str | None]:
        reference = self.item(oid).find("o:CodeListRef", NS)
        assert reference is not None
        listed = self.one(f".//o:CodeList[@OID='{reference.get('CodeListOID')}']")
        return {
            node.get("CodedValue"): node.findtext("o:Decode/o:TranslatedText", None, NS)
            for node in listed
            if node.get("CodedValue")
        }

    def frame(self, name: str) -> pd.DataFrame:
        return pyreadstat.read_xport(self.folder / f"{name.lower()}.xpt")[0]


@pytest.fixture(scope="session")
def made(built: Callable[[str], BuiltStudy], tmp_path_factory: pytest.TempPathFactory) -> Defined:
    folder = tmp_path_factory.mktemp("analysis")
    return Defined(built("spms_aza").write("adam", folder), folder)


def test_the_document_has_nothing_that_we_refuse(made: Defined) -> None:
    assert problems(made.root, made.folder) == []


def test_each_variable_is_that_of_the_transport_file(made: Defined) -> None:
    groups = made.find(".//o:ItemGroupDef")
    assert {group.get("Name") for group in groups} == {path.stem.upper() for path in made.folder.glob("*.xpt")}
    for group in groups:
        frame, transport = pyreadstat.read_xport(made.folder / f"{str(group.get('Name')).lower()}.xpt")
        items = [made.item(str(node.get("ItemOID"))) for node in group.findall("o:ItemRef", NS)]
        names = [str(item.get("Name")) for item in items]
        assert names == list(frame.columns)
        assert [item.findtext(TEXT, None, NS) for item in items] == transport.column_labels
        formats = transport.original_variable_types
        for name, item in zip(names, items, strict=True):
            is_text = item.get("DataType") in ("text", "partialDate", "date", "datetime", "partialDatetime")
            assert is_text == (transport.readstat_variable_types[name] == "string"), name
            if item.get("DataType") == "text":
                assert int(str(item.get("Length"))) == transport.variable_storage_width[name]
            shown = (item.get(f"{DEF}DisplayFormat") or "").rstrip(".")
            assert shown == ("" if formats[name] in ("NULL", None) else formats[name].rstrip(".")) or is_text, name


def test_what_is_mandatory_is_never_null(made: Defined) -> None:
    for group in made.find(".//o:ItemGroupDef"):
        frame = made.frame(str(group.get("Name")))
        for node in group.findall("o:ItemRef[@Mandatory='Yes']", NS):
            column = frame[str(node.get("ItemOID")).split(".")[-1]]
            assert (column.notna() & (column != "")).all(), node.get("ItemOID")


def test_classes_subclasses_and_guides(made: Defined) -> None:
    found = {
        str(group.get("Name")): (
            group.find("d:Class", NS).get("Name"),  # type: ignore[union-attr]
            [one.get("Name") for one in group.findall("d:Class/d:SubClass", NS)],
            group.get(f"{DEF}StandardOID"),
        )
        for group in made.find(".//o:ItemGroupDef")
    }
    assert next(iter(found)) == "ADSL"
    assert found["ADSL"] == ("SUBJECT LEVEL ANALYSIS DATASET", [], "STD.ADAMIG")
    assert found["ADTTE"] == ("BASIC DATA STRUCTURE", ["TIME-TO-EVENT"], "STD.ADAMIG")
    assert found["ADLB"] == ("BASIC DATA STRUCTURE", [], "STD.ADAMIG")
    assert found["ADAE"] == ("OCCURRENCE DATA STRUCTURE", ["ADVERSE EVENT"], "STD.OCCDS")
    assert found["ADCM"] == ("OCCURRENCE DATA STRUCTURE", [], "STD.OCCDS")
    standards = [(one.get("Name"), one.get("PublishingSet"), one.get("Version")) for one in made.find(".//d:Standard")]
    assert standards == [
        ("ADaMIG", None, "1.3"),
        ("ADaM-OCCDSIG", None, "1.1"),
        ("CDISC/NCI", "ADaM", "2026-03-27"),
        ("CDISC/NCI", "SDTM", "2019-09-27"),
    ]


def test_origins_name_their_source(made: Defined) -> None:
    assert made.origin("IT.ADSL.AGE") == ("Predecessor", "DM.AGE")
    assert made.origin("IT.ADLB.TRTA") == ("Predecessor", "ADSL.TRT01A")
    assert made.origin("IT.ADAE.AETERM") == ("Predecessor", "AE.AETERM")
    assert made.origin("IT.ADVS.PARAMCD") == ("Assigned", None)
    assert made.origin("IT.ADSL.TRTDURD") == ("Derived", None)
    assert made.method("IT.ADSL.TRTDURD") == "TRTEDT - TRTSDT + 1, in days."


def test_a_predecessor_is_a_variable_that_exists(made: Defined, built: Callable[[str], BuiltStudy]) -> None:
    both = built("spms_aza").datasets
    known = {f"{one.name}.{name}" for of in both.values() for one in of.values() for name in one.metadata.names}
    named = [
        (item.get("OID"), origin.findtext(TEXT, "", NS))
        for item in made.find(".//o:ItemDef")
        for origin in item.findall("d:Origin[@Type='Predecessor']", NS)
    ]
    assert len(named) > 200
    assert [(oid, said) for oid, said in named if said.partition(" where QNAM is ")[0] not in known] == []


def test_every_method_is_a_sentence(made: Defined) -> None:
    said = [node.findtext(TEXT, "", NS) for node in made.find(".//o:MethodDef")]
    assert len(said) > 100
    assert [text for text in said if not text.strip().endswith((".", ")"))] == []


def test_the_value_level_speaks_of_every_value_once(made: Defined) -> None:
    lists = made.find(".//d:ValueListDef")
    assert {"VL.ADLB.AVAL", "VL.ADFT.AVAL", "VL.ADEDSS.AVALC", "VL.ADTTE.AVAL"} <= {one.get("OID") for one in lists}
    for one in lists:
        _, dataset, variable = str(one.get("OID")).split(".")
        frame = made.frame(dataset)
        count = pd.Series(0, index=frame.index)
        for node in one.findall("o:ItemRef", NS):
            clause = node.find("d:WhereClauseRef", NS)
            assert clause is not None
            check = made.one(f".//d:WhereClauseDef[@OID='{clause.get('WhereClauseOID')}']/o:RangeCheck")
            assert (check.get("Comparator"), check.get(f"{DEF}ItemOID")) == ("EQ", f"IT.{dataset}.PARAMCD")
            count += frame["PARAMCD"] == check.findtext("o:CheckValue", "", NS)
        has_value = frame[variable].notna() & (frame[variable] != "")
        assert (count[has_value] == 1).all(), one.get("OID")


def test_a_parameter_says_how_its_own_values_came_about(made: Defined) -> None:
    assert made.origin("IT.ADFT.AVAL.NHPTDOM") == ("Predecessor", "FT.FTSTRESN")
    assert made.origin("IT.ADFT.AVAL.NHPTMD") == ("Derived", None)
    assert made.method("IT.ADFT.AVAL.NHPTMD") == "NHPTMD: mean of AVAL of NHPTDOM within USUBJID, ADT and VISITNUM."
    assert made.item("IT.ADFT.AVAL.NHPTMD").findtext(TEXT, None, NS) == "9-Hole Peg Test, Dominant Hand (sec)"
    assert made.item("IT.ADTTE.AVAL.CDP3").get("DataType") == "integer"


def test_codes_are_decoded_and_come_from_the_package_that_has_them(made: Defined) -> None:
    assert made.terms("IT.ADTTE.PARAMCD")["CDP3"] == "Time to 3-Month Confirmed Progression (Days)"
    assert made.terms("IT.ADEDSS.AVISITN")["9"] == "Month 12"
    assert made.terms("IT.ADSL.SAFFL") == {"N": "No", "Y": "Yes"} or made.terms("IT.ADSL.SAFFL") == {"Y": "Yes"}
    assert made.one(".//o:CodeList[@OID='CL.DATEFL']").get(f"{DEF}StandardOID") == "STD.CT.ADAM"
    assert made.one(".//o:CodeList[@OID='CL.SEX']").get(f"{DEF}StandardOID") == "STD.CT.SDTM"
    assert made.item("IT.ADLB.SEX").find("o:CodeListRef", NS).get("CodeListOID") == "CL.SEX"  # type: ignore[union-attr]
