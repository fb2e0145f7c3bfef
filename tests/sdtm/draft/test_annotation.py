"""Annotations in SDTM style, as people write them."""

from __future__ import annotations

import pytest

from sdtm.draft.annotation import Seed, seeds


@pytest.mark.parametrize(
    ("annotation", "found"),
    [
        ("SDTM:AE.AETERM;", [Seed("AE", "AETERM")]),
        ("SDTM:IT.DM.SEX;", [Seed("DM", "SEX")]),
        ("SDTM:IT.LB.LBORRES.ALT;", [Seed("LB", "LBORRES", "ALT")]),
        ("sdtm: ae.aeterm", [Seed("AE", "AETERM")]),
        ("SDTM: AETERM", [Seed("AE", "AETERM")]),
        ("SDTM=AE.AETERM", [Seed("AE", "AETERM")]),
        ("SDTM:LB.LBORRES.ALT", [Seed("LB", "LBORRES", "ALT")]),
        ("SDTM: LBORRES where LBTESTCD = ALT;", [Seed("LB", "LBORRES", "ALT")]),
        ("SDTM: VS.VSORRES when VSTESTCD='SYSBP'", [Seed("VS", "VSORRES", "SYSBP")]),
        ("SDTM:DM.BRTHDTC; DM.AGE", [Seed("DM", "BRTHDTC"), Seed("DM", "AGE")]),
        ("SDTM:DM.BRTHDTC; SDTM:DM.AGE", [Seed("DM", "BRTHDTC"), Seed("DM", "AGE")]),
        ("SDTM:SUPPAE.AERELX", [Seed("AE", "AERELX", supplemental=True)]),
        ("SDTM: not submitted", [Seed(not_submitted=True)]),
        ("@NOMISSING @HIDDEN-PDF SDTM:AE.AESEV; @DEFAULT='1'", [Seed("AE", "AESEV")]),
        ("@DEFAULT='SDTM'", []),
        ("[SDTM:AE.AESER]", [Seed("AE", "AESER")]),
        ("", []),
    ],
)
def test_what_is_named(annotation: str, found: list[Seed]) -> None:
    assert seeds(annotation) == (found, [])


def test_what_cannot_be_read_is_said() -> None:
    assert seeds("SDTM: the severity; AE.AESEV") == ([Seed("AE", "AESEV")], ["the severity"])
