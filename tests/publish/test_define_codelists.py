"""Codelists of define.xml over a small terminology."""

from odmlib.define_2_1 import model

from metadata.terminology import Codelist, Term
from publish.define_codelists import DefineCodelists
from publish.define_sentences import Sentences
from publish.define_standards import TermsPackage

NY = Codelist(
    "C66742", "NY", "No Yes Response", False, {"N": Term("N", "C49487", "No"), "Y": Term("Y", "C49488", "Yes")}
)
UNIT = Codelist(
    "C71620", "UNIT", "Unit", True, {"g/L": Term("g/L", "C42576", "Gram per Liter"), "IU": Term("IU", "C48579")}
)
REASON = Codelist(
    "C66727",
    "NCOMPLT",
    "Completion/Reason for Non-Completion",
    True,
    {"DEATH": Term("DEATH", "C28554"), "OTHER": Term("OTHER", preferred_term="Another reason", extended=True)},
)
SPONSOR = Codelist(
    "", "GRADE", "Grade", True, {"LIGHT": Term("LIGHT", preferred_term="It does not hinder", extended=True)}
)


BODY = Codelist("C66734", "DOMAIN", "Domain", True, {"AE": Term("AE", "C49562"), "ZZ": Term("ZZ")})
DATEFL = Codelist("C81223", "DATEFL", "Date Imputation Flag", False, {"D": Term("D", "C81212")})


def lists() -> DefineCodelists:
    known = {item.code or item.name: item for item in (NY, UNIT, REASON, SPONSOR, BODY)}
    packages = [TermsPackage("STD.CT.ADAM", {"C81223": DATEFL}), TermsPackage("STD.CT", known)]
    return DefineCodelists(packages, Sentences())


def only(codelists: DefineCodelists) -> model.CodeList:
    (made,) = codelists.elements()
    return made


def test_a_closed_list_stands_once_with_the_terms_in_use_anywhere() -> None:
    codelists = lists()
    assert codelists.of_terminology("C66742", "AE", ["Y"], {}, "text") == "CL.NY"
    assert codelists.of_terminology("C66742", "LB", ["N"], {}, "text") == "CL.NY"
    made = only(codelists)
    assert [item.CodedValue for item in made.CodeListItem] == ["N", "Y"]
    assert [item.Alias[0].Name for item in made.CodeListItem] == ["C49487", "C49488"]
    assert [str(item.Decode.TranslatedText[0]) for item in made.CodeListItem] == ["No", "Yes"]
    assert (made.StandardOID, made.Alias[0].Context, made.Alias[0].Name) == ("STD.CT", "nci:ExtCodeID", "C66742")


def test_an_extensible_list_stands_once_a_dataset_with_its_own_terms() -> None:
    codelists = lists()
    oids = [codelists.of_terminology("C71620", dataset, ["g/L"], {}, "text") for dataset in ("EX", "LB")]
    codelists.of_terminology("C71620", "LB", ["IU"], {}, "text")
    assert oids == ["CL.UNIT.EX", "CL.UNIT.LB"]
    exposure, laboratory = codelists.elements()
    assert [item.CodedValue for item in exposure.EnumeratedItem + exposure.CodeListItem] == ["g/L"]
    assert [item.CodedValue for item in laboratory.EnumeratedItem + laboratory.CodeListItem] == ["IU", "g/L"]


def test_a_variable_of_all_datasets_has_one_list_though_it_is_extensible() -> None:
    assert lists().of_terminology("C71620", "", ["g/L"], {}, "text") == "CL.UNIT"


def test_extensions_are_flagged_and_have_no_code() -> None:
    codelists = lists()
    codelists.of_terminology("C66727", "DS", ["DEATH", "OTHER", "MULTIPLE"], {}, "text")
    items = {item.CodedValue: item for item in only(codelists).EnumeratedItem}
    assert {value: item.ExtendedValue for value, item in items.items()} == {
        "DEATH": None,
        "MULTIPLE": "Yes",
        "OTHER": "Yes",
    }
    assert [len(items[value].Alias) for value in ("DEATH", "MULTIPLE", "OTHER")] == [1, 0, 0]


def test_lists_of_the_study_are_not_of_a_standard_and_keep_the_order_of_the_form() -> None:
    codelists = lists()
    oid = codelists.of_study("QS.QSSTRESC.X", "Question", {"1": "Mild", "0": "None", "U": ""}, "text")
    made = only(codelists)
    assert (oid, made.IsNonStandard, made.StandardOID) == ("CL.QS.QSSTRESC.X", "Yes", None)
    assert [(item.CodedValue, str(item.Decode.TranslatedText[0])) for item in made.CodeListItem] == [
        ("1", "Mild"),
        ("0", "None"),
        ("U", "U"),
    ]
    assert not any(item.ExtendedValue for item in made.CodeListItem)


def test_a_sponsor_list_of_the_terminology_is_not_flagged_as_an_extension_of_a_standard() -> None:
    codelists = lists()
    codelists.of_terminology("GRADE", "AE", ["LIGHT"], {}, "text")
    made = only(codelists)
    assert (made.IsNonStandard, made.EnumeratedItem[0].ExtendedValue, made.Alias) == ("Yes", None, [])


def test_numbers_stand_by_size() -> None:
    codelists = lists()
    codelists.of_study(
        "ALL.VISITNUM", "Visit Number", {"10": "MONTH 15", "9": "MONTH 12", "9.1": "UNSCHEDULED"}, "float"
    )
    assert [item.CodedValue for item in only(codelists).CodeListItem] == ["9", "9.1", "10"]


def test_a_dictionary_is_external_with_its_version() -> None:
    codelists = lists()
    codelists.external("MedDRA 27.0")
    codelists.external("ISO 3166-1 Alpha-3")
    found = [(item.ExternalCodeList.Dictionary, item.ExternalCodeList.Version) for item in codelists.elements()]
    assert found == [("ISO 3166", "ISO 3166-1:2020, alpha-3"), ("MedDRA", "27.0")]


def test_the_package_that_has_the_list_is_its_standard() -> None:
    codelists = lists()
    codelists.of_terminology("C81223", "", ["D"], {}, "text")
    codelists.of_terminology("C66742", "", ["Y"], {}, "text")
    assert [item.StandardOID for item in codelists.elements()] == ["STD.CT.ADAM", "STD.CT"]


def test_a_list_with_a_term_that_has_no_code_names_no_standard_and_says_why() -> None:
    sentences = Sentences()
    codelists = DefineCodelists(lists().packages, sentences)
    codelists.of_terminology("C66734", "DM", ["AE"], {}, "text")
    codelists.of_terminology("C66734", "TS", ["AE", "ZZ"], {}, "text")
    coded, uncoded = codelists.elements()
    assert (coded.StandardOID, coded.CommentOID) == ("STD.CT", None)
    assert (uncoded.StandardOID, uncoded.IsNonStandard, uncoded.Alias) == (None, "Yes", [])
    assert [item.ExtendedValue for item in [*uncoded.CodeListItem, *uncoded.EnumeratedItem]] == [None, None]
    (comment,) = sentences.comments()
    assert uncoded.CommentOID == comment.OID
    assert "DOMAIN (C66734)" in str(comment.Description.TranslatedText[0])
    assert str(comment.Description.TranslatedText[0]).endswith("no concept code of ZZ.")
