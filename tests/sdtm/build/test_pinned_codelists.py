"""The codelists that a study uses stay with it; synonyms count only where the mapping says so."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

import metadata.terminology
from metadata.errors import StudyError
from metadata.study import Study
from metadata.terminology import Terminology, pinned_path, whole_package
from metadata.terminology_package import read_package
from sdtm.build.mapping_check import check_mappings
from sdtm.build.pinned_codelists import codelists_used, pin, unpinned
from tests.bundled_studies import OF_RECORDS


def lists_in(path: Path) -> dict[str, set[str]]:
    held: dict[str, set[str]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(line for line in lines if not line.startswith("#")):
            held.setdefault(row["codelist"], set()).add(row["term"])
    return held


def test_the_lists_in_use_are_pinned_whole(small: Any) -> None:
    path, count = pin(small.study())
    assert path == small.folder / "terminology" / "sdtm-ct-2019-09-27.csv"
    held = lists_in(path)
    assert len(held) == count < 100
    whole = Terminology.open(small.study(), pinned=False)
    for name in ("SEX", "AESEV", "LBTESTCD", "UNIT", "NY"):
        assert held[name] == set(whole.codelist(name).terms)
    assert "VSTESTCD" not in held


def test_pinning_twice_gives_the_same_bytes(small: Any) -> None:
    first = pin(small.study())[0].read_bytes()
    assert pin(small.study())[0].read_bytes() == first


def test_an_old_study_runs_when_its_package_is_shipped_no_more(
    small: Any, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    small.subject()
    small.row("1", "log", "event", "1", told="Headache", from_y="2000", bad="1", link_a="2", link_b="3")
    before = small.frame("AE")
    pin(small.study())
    monkeypatch.setattr(metadata.terminology, "FOLDER", tmp_path_factory.mktemp("nothing_shipped"))
    assert small.frame("AE").equals(before)
    with pytest.raises(StudyError, match="has no codelist 'VSTESTCD'"):
        Terminology.open(small.study()).codelist("VSTESTCD")


def test_the_pinned_terms_are_preferred(small: Any) -> None:
    path = pin(small.study())[0]
    text = path.read_text(encoding="utf-8")
    assert ",C20197,M," in text
    path.write_text(text.replace(",C20197,M,", ",C20197,MAN,"), encoding="utf-8")
    terminology = Terminology.open(small.study())
    assert "MAN" in terminology.codelist("SEX").terms and "M" not in terminology.codelist("SEX").terms
    assert "PULSE" in terminology.codelist("VSTESTCD").terms, "a list that the subset lacks comes from the package"


def test_a_mapping_that_does_not_fit_is_not_pinned(small: Any) -> None:
    small.write("ae", "domain: AE\nrecords: {form: event, variables: {AETERM: {field: tolld}}}\n")
    with pytest.raises(StudyError, match="no field 'tolld'"):
        pin(small.study())
    assert not pinned_path(small.study()).exists()


@pytest.mark.parametrize("name", OF_RECORDS)
def test_the_bundled_studies_have_their_terms(name: str) -> None:
    study = Study.open(name)
    held = set(read_package(pinned_path(study), "pinned"))
    whole = whole_package(study)
    used = {whole[code].code for code in codelists_used(study) if code in whole}
    assert used <= held
    assert all(whole[code].terms == read_package(pinned_path(study), "pinned")[code].terms for code in used)


def test_a_list_that_the_pinned_terms_lack_is_said(small: Any) -> None:
    path = pin(small.study())[0]
    text = path.read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if ",SEX," not in line]
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    study = small.study()
    terminology = Terminology.open(study)
    assert check_mappings(study, study.project(), terminology) == []
    assert unpinned(study, terminology) == ["C66731"]


VS = """domain: VS
records:
  form: look
  variables:
    VSDTC: {date: seen}
  tests:
    HEIGHT: {result: wc, unit: {field: why@}, standard_unit: cm}
"""


def test_synonyms_count_only_where_the_mapping_says_so(small: Any) -> None:
    small.subject()
    dictionary = small.folder / "redcap" / "dictionary.csv"
    lines = dictionary.read_text(encoding="utf-8")
    assert "1, Fall | 2, Other" in lines
    dictionary.write_text(lines.replace("1, Fall | 2, Other", "1, Centimeter"), encoding="utf-8")
    small.write("sv", (small.folder / "sdtm" / "sv.yaml").read_text().split("  variables:")[0])
    small.write("vs", VS.replace("@", ""))
    with pytest.raises(StudyError, match=r"'Centimeter' is not a term of VSRESU .*did you mean 'cm'"):
        small.tabulate()
    small.write("vs", VS.replace("@", ", synonyms: true"))
    small.row("1", "start", seen="2000-03-10", wc="171", why="1")
    assert small.frame("VS")["VSORRESU"].tolist() == ["cm"]


def test_a_text_that_is_a_synonym(small: Any) -> None:
    small.subject()
    small.write("vs", VS.replace("result: wc", "result: hb").replace("why@", "wc, synonyms: true"))
    small.row("1", "start", seen="2000-03-10", hb="171", wc="centimeter")
    assert small.frame("VS")["VSORRESU"].tolist() == ["cm"]


def test_synonyms_need_a_codelist(small: Any) -> None:
    path = small.folder / "sdtm" / "ae.yaml"
    path.write_text(path.read_text().replace("AETERM: {field: told}", "AETERM: {field: told, synonyms: true}"))
    with pytest.raises(StudyError, match="key 'synonyms': AETERM has no codelist"):
        small.tabulate()
