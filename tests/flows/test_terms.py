"""Terms and test codes are looked up by codelist, variable and text, in the shipped package or the study's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.flows.conftest import Answer

STUDY = """study: {id: TINY, title: Tiny}
standards: {sdtm: "1.7", sdtmig: "3.3", sdtm_ct: 2019-09-27}
cutoff: 2024-12-31
redcap: {base_url: "https://redcap.example.org/"}
identity: {subject: subj, site: {"": "01"}}
visits: []
"""


def test_a_codelist_is_listed_by_its_name_and_by_its_variable(command: Callable[..., Answer]) -> None:
    answer = command("terms", "dm.sex")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines() == [
        "SEX (C66731, sdtm-ct-2019-09-27): Sex; not extensible; 4 of 4 terms",
        "  C16576   F  (Female)",
        "  C20197   M  (Male)",
        "  C17998   U  (Unknown; U; UNK)",
        "  C45908   UNDIFFERENTIATED  (Intersex)",
    ]
    assert command("terms", "C66731").out == answer.out


def test_a_test_code_is_found_by_what_it_is_called(command: Callable[..., Answer]) -> None:
    rows = json.loads(command("terms", "--find", "prealbumin", "--json").out)
    found = {(row["codelist"], row["term"], row["extensible"]) for row in rows}
    assert {("LBTESTCD", "PREALB", True), ("LBTEST", "Prealbumin", True)} <= found
    assert all("prealbumin" in json.dumps(row).lower() for row in rows)


def test_a_study_s_own_terms_are_found_too(command: Callable[..., Answer], tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    text = "extensions: {LBTESTCD: {KTV: Dialysis adequacy}}\n"
    (tmp_path / "terminology.yaml").write_text(text, encoding="utf-8")
    answer = command("terms", "LBTESTCD", "--find", "dialysis", "--study", tmp_path)
    assert answer.code == 0, answer.err
    assert "  study    KTV  (Dialysis adequacy)" in answer.out.splitlines()


def test_what_is_not_there_is_said(command: Callable[..., Answer]) -> None:
    for arguments, said in (
        (("RACES",), "'RACES' is neither a codelist of sdtm-ct-2019-09-27 nor a variable of SDTMIG 3.3 (did you mean"),
        (("RACE", "--find", "multiple"), "no term of RACE (sdtm-ct-2019-09-27) has 'multiple'"),
        (("AETERM",), "AETERM has no codelist in SDTMIG 3.3"),
        ((), "say a codelist or a variable"),
    ):
        answer = command("terms", *arguments)
        assert answer.code != 0 and said in " ".join(answer.err.split()), answer.err
