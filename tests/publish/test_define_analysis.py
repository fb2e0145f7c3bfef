"""define.xml of the analysis datasets of the bundled study, compared with the transport files and the declarations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
import yaml
from lxml import etree

from publish import define
from publish.define_checks import problems, read
from publish.define_documents import PLAN, Documents
from reports.compute import compute
from reports.exchange.arm import result_displays
from tests.publish.conftest import CREATED, BuiltStudy

NS = {"o": "http://www.cdisc.org/ns/odm/v1.3", "d": "http://www.cdisc.org/ns/def/v2.1"}
DEF = "{http://www.cdisc.org/ns/def/v2.1}"
ARM = "{http://www.cdisc.org/ns/arm/v1.0}"
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


@pytest.fixture(scope="session")
def with_results(built: Callable[[str], BuiltStudy]) -> tuple[Defined, pd.DataFrame]:
    one = built("hta_duo")
    results = compute(one.study, {**one.datasets["sdtm"], **one.datasets["adam"]})
    displays = result_displays(one.study, results, one.datasets["adam"])
    documents = Documents((PLAN,), sections={"efficacy": 2})
    content = define.render(one.study, one.content("adam"), one.datasets["adam"], CREATED, documents, displays)
    return Defined(read(content), Path()), results


def test_key_results_are_valid_and_resolve(with_results: tuple[Defined, pd.DataFrame]) -> None:
    assert problems(with_results[0].root) == []


def test_each_key_result_is_in_the_results_data(with_results: tuple[Defined, pd.DataFrame]) -> None:
    made, results = with_results
    displays = list(made.root.iter(f"{ARM}ResultDisplay"))
    assert [one.get("OID") for one in displays] == [
        f"RD.{name}" for name in ("T14.2.1", "T14.2.2", "T14.2.3", "T14.2.4", "T14.3.1", "T14.3.1.1", "T14.3.2",
                                  "T14.3.4", "T14.3.6")
    ]  # fmt: skip
    for display in displays:
        output = str(display.get("OID")).removeprefix("RD.")
        own = results[(results["output"] == output) & (results["statistic"] != "N")]
        named: set[str] = set()
        for one in display.iter(f"{ARM}AnalysisResult"):
            code = next(one.iter(f"{ARM}Code")).text or ""
            named |= set(code.partition("\n")[0].removeprefix("# results.csv: ").split(", "))
            assert yaml.safe_load(code)["id"] == output
        assert named == set(own.loc[own["dataset"].str.startswith("AD"), "analysis"])


def test_the_criteria_of_a_result_choose_the_records_that_it_was_computed_from(
    with_results: tuple[Defined, pd.DataFrame], built: Callable[[str], BuiltStudy]
) -> None:
    made, results = with_results
    (one,) = (node for node in made.root.iter(f"{ARM}AnalysisResult") if node.get("OID") == "AR.T14.2.4.03")
    assert one.findtext(TEXT, "", NS) == (
        "Candesartan compared with amlodipine at week 12: Welch's t test, Candesartan 8-16 mg / Amlodipine 5-10 mg."
        " All randomised patients."
    )
    assert (one.get("AnalysisReason"), one.get("AnalysisPurpose")) == ("SPECIFIED IN SAP", "PRIMARY OUTCOME MEASURE")
    assert one.get("ParameterOID") == "IT.ADVS.PARAMCD"
    own, subjects = one.iter(f"{ARM}AnalysisDataset")
    assert [node.get("ItemOID") for node in own.iter(f"{ARM}AnalysisVariable")] == ["IT.ADVS.CHG"]
    assert subjects.get("ItemGroupOID") == "IG.ADSL"
    clause = own.find("d:WhereClauseRef", NS).get("WhereClauseOID")  # type: ignore[union-attr]
    chosen = built("hta_duo").datasets["adam"]["ADVS"].frame
    for check in made.find(f".//d:WhereClauseDef[@OID='{clause}']/o:RangeCheck"):
        assert check.get("Comparator") in ("EQ", "IN")
        values = [node.text for node in check.findall("o:CheckValue", NS)]
        chosen = chosen[chosen[str(check.get(f"{DEF}ItemOID")).split(".")[-1]].isin(values)]
    (expected,) = results.loc[results["analysis"] == "An_T14_2_4_01_welch_t", "n"].unique()
    assert chosen["CHG"].notna().sum() == expected


def test_the_section_of_the_plan_is_on_the_page_that_is_named(with_results: tuple[Defined, pd.DataFrame]) -> None:
    made, _ = with_results
    documentation = next(made.root.iter(f"{ARM}Documentation"))
    assert documentation.findtext(TEXT, "", NS) == "Statistical analysis plan, section Efficacy."
    reference = documentation.find("d:DocumentRef", NS)
    assert reference is not None
    assert reference.get("leafID") == "LF.sap"
    place = reference.find("d:PDFPageRef", NS)
    assert place is not None
    assert (place.get("Type"), place.get("PageRefs"), place.get("Title")) == ("PhysicalRef", "2", "Efficacy")
