"""define.xml of the bundled study, read by other means than it was written and compared with the data."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from lxml import etree
from odmlib.schema_manager import get_schema_path

from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.study import Study
from publish import define
from publish.define_checks import problems, read
from publish.define_documents import CRF, GUIDES, Documents
from publish.define_standards import DefineContent
from publish.refusals import Standard
from tests.bundled_studies import OF_RECORDS
from tests.publish.conftest import CREATED, BuiltStudy

BUNDLED = Path(__file__).resolve().parents[2] / "mappings"
NS = {"o": "http://www.cdisc.org/ns/odm/v1.3", "d": "http://www.cdisc.org/ns/def/v2.1"}
REFERENCES = ("OID", "leafID", "LocationID")
DEF = "{http://www.cdisc.org/ns/def/v2.1}"


@dataclass(frozen=True)
class Made:
    study: Study
    datasets: dict[str, Dataset]
    content: DefineContent
    folder: Path
    root: etree._Element

    def find(self, path: str) -> list[etree._Element]:
        return list(self.root.iterfind(path, NS))

    def item(self, oid: str) -> etree._Element:
        (found,) = self.find(f".//o:ItemDef[@OID='{oid}']")
        return found

    def codelist(self, item: str) -> etree._Element:
        reference = self.item(item).find("o:CodeListRef", NS)
        assert reference is not None
        (found,) = self.find(f".//o:CodeList[@OID='{reference.get('CodeListOID')}']")
        return found

    def origin(self, item: str) -> list[tuple[str | None, str | None]]:
        return [(node.get("Type"), node.get("Source")) for node in self.item(item).findall("d:Origin", NS)]

    def said(self, kind: str, oid: str) -> str:
        (found,) = self.find(f".//{kind}[@OID='{oid}']/o:Description/o:TranslatedText")
        return found.text or ""

    def frame(self, name: str) -> pd.DataFrame:
        return pyreadstat.read_xport(self.folder / f"{name.lower()}.xpt")[0]


@pytest.fixture(scope="session")
def made(built: Callable[[str], BuiltStudy], tmp_path_factory: pytest.TempPathFactory) -> Made:
    one, folder = built("spms_aza"), tmp_path_factory.mktemp("define")
    root = one.write("sdtm", folder)
    return Made(one.study, one.datasets["sdtm"], one.content("sdtm"), folder, root)


@pytest.mark.parametrize("standard", ["sdtm", "adam"])
@pytest.mark.parametrize("name", OF_RECORDS)
def test_every_bundled_study_has_a_valid_define(
    name: str, standard: Standard, built: Callable[[str], BuiltStudy]
) -> None:
    one = built(name)
    content = define.render(one.study, one.content(standard), one.datasets[standard], CREATED, Documents())
    root = read(content)
    assert problems(root) == []
    assert len(root.findall(".//o:ItemGroupDef", NS)) == len(one.datasets[standard])


def coded(codelist: etree._Element) -> dict[str | None, str | None]:
    """Coded value to NCI code."""
    items = [*codelist.findall("o:CodeListItem", NS), *codelist.findall("o:EnumeratedItem", NS)]
    aliases = [node.find("o:Alias", NS) for node in items]
    return {
        node.get("CodedValue"): alias.get("Name") if alias is not None else None
        for node, alias in zip(items, aliases, strict=True)
    }


def decoded(codelist: etree._Element) -> dict[str | None, str | None]:
    path = "o:Decode/o:TranslatedText"
    return {node.get("CodedValue"): node.findtext(path, None, NS) for node in codelist.findall("o:CodeListItem", NS)}


def test_it_is_valid_against_the_schema_of_define_2_1(made: Made) -> None:
    schema = etree.XMLSchema(etree.parse(get_schema_path("define", "2.1")))
    schema.assertValid(made.root)


def test_every_reference_leads_somewhere_and_every_definition_is_referred_to(made: Made) -> None:
    attributes = [(str(name), str(value)) for node in made.root.iter("*") for name, value in node.attrib.items()]
    defined = [value for name, value in attributes if name in ("OID", "ID")]
    used = {value for name, value in attributes if name.endswith(REFERENCES) and name not in ("OID", "FileOID")}
    assert len(defined) == len(set(defined))
    assert used <= set(defined)
    idle = [oid for oid in set(defined) - used if not oid.startswith(("IG.", "STDY.", "MDV."))]
    assert idle == []


def test_the_stylesheet_is_named_first_and_shows_every_dataset(made: Made) -> None:
    first = (made.folder / "define.xml").read_text("utf-8").splitlines()[:2]
    assert first == [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<?xml-stylesheet type="text/xsl" href="define2-1.xsl"?>',
    ]
    page = etree.XSLT(etree.parse(made.folder / "define2-1.xsl"))(made.root)
    text = " ".join(page.xpath("//body//text()"))
    assert all(f"{name} (" in text or name in text for name in made.datasets)
    assert page.xpath("//*[@class='unresolved']") == []


def test_datasets_and_variables_are_those_of_the_transport_files(made: Made) -> None:
    groups = made.find(".//o:ItemGroupDef")
    assert {group.get("Name") for group in groups} == {path.stem.upper() for path in made.folder.glob("*.xpt")}
    for group in groups:
        name = str(group.get("Name"))
        frame, transport = pyreadstat.read_xport(made.folder / f"{name.lower()}.xpt")
        items = [made.item(str(node.get("ItemOID"))) for node in group.findall("o:ItemRef", NS)]
        assert [item.get("Name") for item in items] == list(frame.columns)
        label = [item.findtext("o:Description/o:TranslatedText", None, NS) for item in items]
        assert label == transport.column_labels
        assert group.findtext("o:Description/o:TranslatedText", None, NS) == transport.file_label
        for item in items:
            if item.get("DataType") == "text":
                assert int(str(item.get("Length"))) == transport.variable_storage_width[str(item.get("Name"))]


def test_keys_are_numbered_in_the_order_of_the_sort(made: Made) -> None:
    refs = made.find(".//o:ItemGroupDef[@OID='IG.LB']/o:ItemRef")
    keys = {int(str(ref.get("KeySequence"))): str(ref.get("ItemOID")) for ref in refs if ref.get("KeySequence")}
    assert [keys[number].split(".")[-1] for number in sorted(keys)] == list(made.datasets["LB"].metadata.keys)


def test_the_length_of_aeterm_is_that_of_the_longest_term_on_the_forms(made: Made) -> None:
    with (made.study.folder / "redcap/records_locked.csv").open(encoding="utf-8-sig", newline="") as lines:
        longest = max(len(row["ae_term"]) for row in csv.DictReader(lines))
    assert made.item("IT.AE.AETERM").get("Length") == str(longest)


def test_partial_dates_are_said_to_be_partial(made: Made) -> None:
    starts = made.frame("AE")["AESTDTC"]
    assert (starts.str.len() < 10).any()
    assert made.item("IT.AE.AESTDTC").get("DataType") == "partialDate"
    assert made.item("IT.DM.RFICDTC").get("DataType") == "date"
    assert made.item("IT.DM.RFICDTC").get("Length") is None


def test_terms_have_the_codes_of_the_pinned_terminology(made: Made) -> None:
    yes_no = made.codelist("IT.AE.AESER")
    assert yes_no.find("o:Alias", NS).get("Name") == "C66742"  # type: ignore[union-attr]
    assert (coded(yes_no), decoded(yes_no)) == ({"N": "C49487", "Y": "C49488"}, {"N": "No", "Y": "Yes"})
    assert coded(made.codelist("IT.DM.SEX")) == {"F": "C16576", "M": "C20197"}
    assert yes_no.get(f"{DEF}StandardOID") == "STD.CT.SDTM"
    standards = {node.get("Name"): node.get("Version") for node in made.find(".//d:Standard")}
    assert standards == {"SDTMIG": "3.3", "CDISC/NCI": "2019-09-27"}


def test_lists_hold_the_terms_in_use_and_no_other(made: Made) -> None:
    frame = made.frame("EX")
    assert set(coded(made.codelist("IT.EX.EXDOSU"))) == set(frame["EXDOSU"]) - {""}
    assert set(coded(made.codelist("IT.EX.EXROUTE"))) == set(frame["EXROUTE"]) - {""}


def test_test_codes_are_decoded_and_coded(made: Made) -> None:
    codes = made.codelist("IT.LB.LBTESTCD")
    assert decoded(codes)["WBC"] == "Leukocytes"
    assert coded(codes)["WBC"] == "C51948"
    assert set(decoded(codes)) == set(made.frame("LB")["LBTESTCD"])


def conditions(made: Made, dataset: str, variable: str) -> list[tuple[str, dict[str, str]]]:
    """Items of a value list with their conditions, read from the document."""
    rows = []
    for ref in made.find(f".//d:ValueListDef[@OID='VL.{dataset}.{variable}']/o:ItemRef"):
        oid = ref.find("d:WhereClauseRef", NS).get("WhereClauseOID")  # type: ignore[union-attr]
        checks = made.find(f".//d:WhereClauseDef[@OID='{oid}']/o:RangeCheck")
        assert {check.get("Comparator") for check in checks} == {"EQ"}
        where = {
            str(check.get(f"{DEF}ItemOID")).split(".")[-1]: check.findtext("o:CheckValue", "", NS) for check in checks
        }
        rows.append((str(ref.get("ItemOID")), where))
    return rows


@pytest.mark.parametrize(
    ("dataset", "variable"),
    [(name, f"{name}{suffix}") for name in ("LB", "QS", "MO") for suffix in ("ORRES", "STRESC", "STRESN")]
    + [("SUPPAE", "QVAL"), ("SUPPLB", "QVAL"), ("DS", "DSDECOD")],
)
def test_the_value_level_speaks_of_every_value_once(made: Made, dataset: str, variable: str) -> None:
    frame = made.frame(dataset)
    count = pd.Series(0, index=frame.index)
    for oid, where in conditions(made, dataset, variable):
        here = pd.Series(True, index=frame.index)
        for name, value in where.items():
            here &= frame[name] == value
        count += here
        texts = frame.loc[here, variable].astype(str)
        if made.item(oid).get("DataType") == "text":
            assert texts.str.len().max() <= int(str(made.item(oid).get("Length")))
        elif made.item(oid).get("DataType") == "integer":
            assert pd.to_numeric(texts[texts != ""]).dropna().mod(1).eq(0).all()
    has_value = frame[variable].notna() & (frame[variable] != "")
    assert (count[has_value] == 1).all()


def test_a_test_of_two_specimens_is_told_apart(made: Made) -> None:
    found = {
        tuple(where.items()): oid for oid, where in conditions(made, "LB", "LBSTRESC") if where["LBTESTCD"] == "PROT"
    }
    serum = found[("LBTESTCD", "PROT"), ("LBCAT", "CHEMISTRY")]
    urine = found[("LBTESTCD", "PROT"), ("LBCAT", "URINALYSIS")]
    assert len(found) == 2
    assert made.item(serum).find("o:CodeListRef", NS) is None
    listed = made.codelist(urine)
    assert listed.find("o:Alias", NS).get("Name") == "C102580"  # type: ignore[union-attr]
    extended = {
        node.get("CodedValue"): node.get(f"{DEF}ExtendedValue") for node in listed.iter(f"{{{NS['o']}}}EnumeratedItem")
    }
    assert extended["NEGATIVE"] is None
    assert extended["1+"] == "Yes"


def test_conversions_are_said_by_test(made: Made) -> None:
    refs = made.find(".//d:ValueListDef[@OID='VL.LB.LBSTRESC']/o:ItemRef[@ItemOID='IT.LB.LBSTRESC.HGB']")
    assert (
        made.said("o:MethodDef", str(refs[0].get("MethodOID")))
        == "LBORRES in g/L: multiplied by 10 where LBORRESU is g/dL."
    )


def test_the_answers_of_a_form_are_the_list_of_a_result(made: Made) -> None:
    assert decoded(made.codelist("IT.QS.QSSTRESC.KFSS102"))["2"] == "Mild ataxia"
    assert made.codelist("IT.QS.QSSTRESC.KFSS102").get(f"{DEF}IsNonStandard") == "Yes"
    assert "Mild ataxia" in coded(made.codelist("IT.QS.QSORRES.KFSS102"))


def test_a_variable_bound_to_several_lists_takes_one_by_category(made: Made) -> None:
    lists = {where["QSCAT"]: oid for oid, where in conditions(made, "QS", "QSTESTCD")}
    code = {name: made.codelist(oid).find("o:Alias", NS).get("Name") for name, oid in lists.items()}  # type: ignore[union-attr]
    assert code["EDSS"] == "C112439"
    assert code["KFSS"] == "C112443"


def test_origins_name_the_source(made: Made) -> None:
    assert made.origin("IT.AE.AETERM") == [("Collected", "Investigator")]
    assert made.origin("IT.MO.MOORRES.T2LSVOL") == [("Collected", "Vendor")]  # read by an independent assessor
    assert made.origin("IT.DM.RFSTDTC") == [("Derived", "Sponsor")]
    assert made.origin("IT.AE.STUDYID") == [("Protocol", "Sponsor")]
    assert made.origin("IT.AE.AELLT") == [("Not Available", None)]
    assert made.origin("IT.DS.DSDECOD.DISPOSITION_EVENT") == [("Collected", "Investigator")]
    assert made.origin("IT.DS.DSDECOD.PROTOCOL_MILESTONE") == [("Assigned", "Sponsor")]


def test_what_is_derived_has_a_method_and_what_is_not_meddra_says_so(made: Made) -> None:
    (ref,) = made.find(".//o:ItemRef[@ItemOID='IT.DM.RFSTDTC']")
    assert made.said("o:MethodDef", str(ref.get("MethodOID"))) == "The earliest of EX.EXSTDTC of the subject."
    assert "not MedDRA" in made.said("d:CommentDef", str(made.item("IT.AE.AEDECOD").get(f"{DEF}CommentOID")))


def test_a_variable_without_data_is_marked(made: Made) -> None:
    (ref,) = made.find(".//o:ItemRef[@ItemOID='IT.AE.AELLT']")
    assert ref.get(f"{DEF}HasNoData") == "Yes"
    assert made.said("d:CommentDef", str(made.item("IT.AE.AELLT").get(f"{DEF}CommentOID"))) == "Null in every record."


def test_the_country_is_coded_by_a_dictionary_that_is_published_elsewhere(made: Made) -> None:
    (external,) = made.codelist("IT.DM.COUNTRY").findall("o:ExternalCodeList", NS)
    assert external.get("Dictionary") == "ISO 3166"


def test_the_bytes_hang_on_the_data_and_the_date_alone(made: Made) -> None:
    backwards = dict(reversed(made.datasets.items()))
    again = define.render(made.study, made.content, backwards, CREATED, Documents())
    assert again == (made.folder / "define.xml").read_bytes()
    assert made.root.get("CreationDateTime") == "2001-12-31T00:00:00"
    later = define.render(made.study, made.content, made.datasets, "2002-01-01", Documents())
    assert later.replace(b"2002-01-01T", b"2001-12-31T") == again


def test_documents_are_referred_to_once_they_are_there(made: Made) -> None:
    assert made.find(".//d:AnnotatedCRF") == []
    assert not any("PDF" in str(node.tag) for node in made.root.iter("*"))
    pages = {("AE", "AETERM", ""): (12, 7), ("LB", "LBORRES", "WBC"): (3,)}
    content = define.render(made.study, made.content, made.datasets, CREATED, Documents((CRF, GUIDES["sdtm"]), pages))
    found = replace(made, root=etree.fromstring(content))
    assert [node.get("ID") for node in found.find(".//o:MetaDataVersion/d:leaf")] == ["LF.acrf", "LF.csdrg"]
    assert [node.get("leafID") for node in found.find(".//d:SupplementalDoc/d:DocumentRef")] == ["LF.csdrg"]
    reference = found.item("IT.AE.AETERM").find("d:Origin/d:DocumentRef/d:PDFPageRef", NS)
    assert reference is not None
    assert (reference.get("Type"), reference.get("PageRefs")) == ("PhysicalRef", "7 12")
    assert found.item("IT.LB.LBORRES.WBC").find("d:Origin/d:DocumentRef", NS) is not None
    assert found.item("IT.LB.LBORRES.LYM").find("d:Origin/d:DocumentRef", NS) is None
    etree.XMLSchema(etree.parse(get_schema_path("define", "2.1"))).assertValid(found.root)


def test_a_study_without_records_has_a_valid_define(made: Made) -> None:
    empty = {name: replace(dataset, frame=dataset.frame.iloc[:0]) for name, dataset in made.datasets.items()}
    for name, dataset in empty.items():
        empty[name] = replace(dataset, lineage=dataset.lineage.iloc[:0])
    content = define.render(made.study, made.content, empty, CREATED, Documents())
    groups = etree.fromstring(content).iterfind(".//o:ItemGroupDef", NS)
    assert {group.get(f"{DEF}HasNoData") for group in groups} == {"Yes"}


def test_a_dataset_that_was_not_written_stops_the_document(made: Made, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"LF\.TA points at ta\.xpt, which is not in the folder of define\.xml"):
        define.write(made.study, made.content, made.datasets, CREATED, tmp_path, Documents())
    assert list(tmp_path.iterdir()) == []


def test_values_that_no_condition_covers_stop_the_document(made: Made) -> None:
    laboratory = made.datasets["LB"]
    fewer = tuple(value for value in laboratory.metadata.values if ("LBTESTCD", "WBC") not in value.where)
    wrong = {**made.datasets, "LB": laboratory.with_metadata(replace(laboratory.metadata, values=fewer))}
    with pytest.raises(StudyError, match=r"LB\.LBORRES: \d+ values are described by no condition or by several"):
        define.render(made.study, made.content, wrong, CREATED, Documents())


def test_a_visit_number_is_whole_where_no_visit_of_the_dataset_was_unplanned(made: Made) -> None:
    """SDTMIG 3.3, section 4.4.5: visits between planned ones have fractions, and only they."""
    seen = {}
    for oid in (f"IT.{name}.VISITNUM" for name in sorted(made.datasets) if "VISITNUM" in made.frame(name)):
        item, numbers = made.item(oid), made.frame(oid.split(".")[1])["VISITNUM"]
        is_whole = bool((numbers.dropna() % 1 == 0).all())
        seen[item.get("DataType")] = item.get("SignificantDigits")
        assert item.get("DataType") == ("integer" if is_whole else "float"), oid
        assert made.codelist(oid).get("DataType") == item.get("DataType")
        listed = {float(str(term)) for term in decoded(made.codelist(oid))}
        assert set(numbers.dropna()) <= listed
    assert seen == {"integer": None, "float": "1"}
