"""Terminology packages in both forms, a study's own file, synonyms, and what is said of a file that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from metadata.errors import StudyError
from metadata.standards import FOLDER
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.terminology_package import COLUMNS, read_package

SHIPPED = FOLDER / "sdtm-ct-2019-09-27.csv"
NCI = (
    "Code\tCodelist Code\tCodelist Extensible (Yes/No)\tCodelist Name\tCDISC Submission Value\tCDISC Synonym(s)\t"
    "CDISC Definition\tNCI Preferred Term\n"
    "C66769\t\tNo\tSeverity/Intensity Scale for Adverse Events\tAESEV\tSeverity Scale\tA scale.\tCDISC Severity\n"
    "C41338\tC66769\t\tSeverity/Intensity Scale for Adverse Events\tMILD\t1; Grade 1\tA mild one.\tMild Adverse Event\n"
    "C41339\tC66769\t\tSeverity/Intensity Scale for Adverse Events\tMODERATE\t2\tMore.\tModerate Adverse Event\n"
    "C71620\t\tYes\tUnit\tUNIT\tUnits\tA unit.\tCDISC Unit\n"
    "C64572\tC71620\t\tUnit\tug/L\tmcg/L; ng/mL\tIn a litre.\tMicrogram per Liter\n"
    "C67306\tC71620\t\tUnit\tng/L\tpg/mL\tIn a litre.\tNanogram per Liter\n"
    "C00001\tC71620\t\tUnit\tone\tshared\tOne.\tFirst\n"
    "C00002\tC71620\t\tUnit\tother\tshared\tTwo.\tSecond\n"
)
STUDY = """
study: {id: S1}
standards: {sdtmig: '3.3', sdtm_ct: 2031-01-01}
redcap: {}
cutoff: 2001-12-31
terminology: {sdtm_ct: terms/SDTM Terminology.txt}
visits: []
"""


@pytest.fixture
def nci(tmp_path: Path) -> Path:
    path = tmp_path / "terms" / "SDTM Terminology.txt"
    path.parent.mkdir()
    path.write_text(NCI, encoding="utf-8")
    return path


def test_the_file_that_nci_publishes(nci: Path) -> None:
    package = read_package(nci, "nci.txt")
    severity = package["AESEV"]
    assert severity is package["C66769"] and not severity.extensible and package["UNIT"].extensible
    assert (severity.label, list(severity.terms)) == (
        "Severity/Intensity Scale for Adverse Events",
        ["MILD", "MODERATE"],
    )
    mild = severity.terms["MILD"]
    assert (mild.code, mild.synonyms, mild.preferred_term) == ("C41338", ("1", "Grade 1"), "Mild Adverse Event")


def test_windows_line_ends_and_characters(nci: Path) -> None:
    nci.write_bytes(NCI.replace("Grade 1", "Grado leve ñ").replace("\n", "\r\n").encode("cp1252"))
    assert read_package(nci, "nci.txt")["AESEV"].terms["MILD"].synonyms == ("1", "Grado leve ñ")


def test_a_study_points_to_its_own_file(tmp_path: Path, nci: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    terminology = Terminology.open(Study.open(tmp_path))
    assert terminology.package == "sdtm-ct-2031-01-01"
    assert set(terminology.codelist("AESEV").terms) == {"MILD", "MODERATE"}
    with pytest.raises(StudyError, match=r"sdtm-ct-2031-01-01 has no codelist 'AESEVX' \(did you mean 'AESEV'\?\)"):
        terminology.codelist("AESEVX")


def test_a_file_that_is_not_there_and_a_version_that_is_not_shipped(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    with pytest.raises(
        StudyError, match=r"study.yaml, line 6, key 'sdtm_ct': the terminology package .* does not exist"
    ):
        Terminology.open(Study.open(tmp_path)).codelist("AESEV")
    (tmp_path / "study.yaml").write_text(STUDY.replace("terminology: {sdtm_ct: terms/SDTM Terminology.txt}\n", ""))
    with pytest.raises(StudyError, match=r"line 3, key 'sdtm_ct': the terminology 'sdtm-ct-2031-01-01' is not among"):
        Terminology.open(Study.open(tmp_path)).codelist("AESEV")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Codelist Code", "List", "nci.txt, line 1: NCI's file lacks the column 'Codelist Code'"),
        ("C41339\tC66769\t", "C41339\tC66770\t", "nci.txt, line 4: the term 'MODERATE' belongs to the codelist C66770"),
        ("C41339\tC66769\t", "C41339\tC66769", "nci.txt, line 4: the row has 7 columns, the header 8"),
    ],
)
def test_a_file_that_is_not_whole(nci: Path, old: str, new: str, said: str) -> None:
    nci.write_text(NCI.replace(old, new), encoding="utf-8")
    with pytest.raises(StudyError) as error:
        read_package(nci, "nci.txt")
    assert said in str(error.value)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(StudyError, match=r"a\.csv, line 1: this is not a terminology package"):
        read_package(tmp_path / "a.csv", "a.csv")


def test_what_a_word_means(nci: Path) -> None:
    unit = read_package(nci, "nci.txt")["UNIT"]
    assert [unit.meant(word) for word in ("ug/L", "UG/L", "ng/mL", "microgram per liter")] == ["ug/L"] * 4
    assert unit.meant("shared") == "", "two terms have the word, so that neither is taken"
    assert unit.meant("") == "" and unit.meant("mg/dL") == ""
    assert unit.nearest("PG/ML") == " (did you mean 'ng/L'?)"


def test_the_shipped_package_says_that_it_is_a_reconstruction_and_counts_the_terms_without_a_code() -> None:
    package = read_package(SHIPPED, SHIPPED.name)
    remarks = " ".join(package.remarks)
    lists = {package[key].code: package[key] for key in package}
    terms = [term for codelist in lists.values() for term in codelist.terms.values()]
    assert "A reconstruction, not NCI's file" in remarks
    assert f"({sum(not term.code for term in terms):,} of {len(terms):,})" in remarks


def test_terms_that_a_reconstruction_could_have_swallowed() -> None:
    package = read_package(SHIPPED, SHIPPED.name)
    assert package["UNIT"].terms["sec"].code == "C42535" and package["UNIT"].terms["msec"].code == "C41140"
    assert package["NCOMPLT"].terms["OTHER"].code == "C17649"


def test_domain_codes_have_two_characters() -> None:
    related = {"POOLDEF", "RELREC", "RELSUB", "APRELSUB"}
    for term in read_package(SHIPPED, SHIPPED.name)["DOMAIN"].terms:
        assert term in related or term.startswith("SUPP") or len(term) == (4 if term.startswith("AP") else 2), term


def test_test_and_parameter_codes_have_at_most_8_characters() -> None:
    package = read_package(SHIPPED, SHIPPED.name)
    coded = [codelist for codelist in package.values() if codelist.label.endswith((" Test Code", " Parameter Code"))]
    assert len(coded) > 200
    assert {term for codelist in coded for term in codelist.terms if len(term) > 8} == set()


def test_a_row_of_a_package_with_remarks_is_named_by_its_line_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("# One remark\n" + ",".join(COLUMNS) + "\na,b\n")
    with pytest.raises(StudyError, match=r"a.csv, line 3: the row has 2 columns, the header 8"):
        read_package(tmp_path / "a.csv", "a.csv")
