"""Sentences of variables that the engine makes name what they are made from, so that each can be traced."""

from __future__ import annotations

import re
from typing import Any

import pytest

from metadata.dataset import Dataset

NAME = re.compile(r"\b(?:([A-Z]{2})\.)?([A-Z][A-Z0-9]{2,7})\b")
MADE_FROM = [
    ("LBSTRESC", {"LBORRES", "LBORRESU"}),
    ("LBSTRESN", {"LBSTRESC"}),
    ("LBSTNRLO", {"LBORNRLO", "LBORRESU"}),
    ("LBSTNRHI", {"LBORNRHI", "LBORRESU"}),
    ("LBNRIND", {"LBSTRESC", "LBSTNRLO", "LBSTNRHI"}),
    ("LBTOXGR", {"LBSTRESC", "LBSTNRHI"}),
    ("LBORNRLO", {"LBNAM", "DM.SEX", "DM.AGE", "LBDTC", "LBORRESU"}),
    ("LBLOBXFL", {"LBORRES", "LBDTC", "VISITNUM", "DM.RFXSTDTC"}),
    ("LBDY", {"LBDTC", "DM.RFSTDTC"}),
    ("EPOCH", {"LBDTC"}),
]


@pytest.fixture
def laboratory(small: Any) -> Dataset:
    small.subject()
    small.row("1", "start", seen="2000-03-10", house="1", hb="11,8", hb_u="6", wc="4", wc_u="1")
    made: Dataset = small.tabulate().datasets["LB"]
    return made


def named(sentence: str) -> set[str]:
    return {f"{owner}.{name}" if owner else name for owner, name in NAME.findall(sentence)}


@pytest.mark.parametrize(("variable", "sources"), MADE_FROM)
def test_a_sentence_names_what_the_variable_is_made_from(laboratory: Dataset, variable: str, sources: set[str]) -> None:
    said = named(laboratory.metadata.variable(variable).method)
    assert {name for name in said if name in laboratory.metadata.names or name.startswith("DM.")} == sources


def test_no_sentence_keeps_the_placeholder_of_the_prefix(laboratory: Dataset) -> None:
    assert not [variable.name for variable in laboratory.metadata.variables if "--" in variable.method]


def test_results_without_units_name_no_unit(small: Any) -> None:
    tests = "  tests:\n    HGB: {result: hb}\n    WBC: {result: wc}\n"
    small.write("lb", f"domain: LB\nrecords:\n  form: look\n  variables:\n    LBDTC: {{date: seen}}\n{tests}")
    left = ", ".join(f"{name}: Not wanted" for name in ("rec", "hb_u", "hb_nd", "wc_u", "house"))
    small.write("not_submitted", f"status: Book-keeping\nfields: {{{left}}}\n")
    small.subject()
    small.row("1", "start", seen="2000-03-10", wc="4")
    method = small.tabulate().datasets["LB"].metadata.variable("LBSTRESC").method
    assert named(method) == {"LBORRES"}


def test_a_sentence_says_how_far_a_result_is_rounded(small: Any) -> None:
    path = small.folder / "sdtm" / "lb.yaml"
    body = path.read_text(encoding="utf-8")
    path.write_text(body.replace("unit_factors: {g/dL: 10},", "unit_factors: {g/dL: 10}, decimals: 1,"), "utf-8")
    small.subject()
    small.row("1", "start", seen="2000-03-10", house="1", hb="11,8", hb_u="6", wc="4", wc_u="1")
    metadata = small.tabulate().datasets["LB"].metadata
    assert "decimals or significant digits declared for the test" in metadata.variable("LBSTRESC").method
    assert "unrounded" not in metadata.variable("LBTOXGR").method
    said = {value.label: value.method for value in metadata.values if value.variable == "LBSTRESC"}
    assert [text for text in said.values() if text.endswith("rounded half up to 1 decimal.")] != []
    assert len([text for text in said.values() if "rounded" in text]) == 1
