"""Fields named alike are mapped once: tests by pattern, time points of several tests, units in free text."""

from __future__ import annotations

from typing import Any

import pytest

from flows.check import problems_of

FIELDS = """chem_dt,chem,text,Date,,date_ymd
alt,chem,text,ALT,,number
alt_u,chem,text,Unit,,
alt_lo,chem,text,Lower limit,,number
ast,chem,text,AST,,number
ast_u,chem,text,Unit,,
ast_lo,chem,text,Lower limit,,number
glu_t0,chem,text,Glucose before,,number
glu_t120,chem,text,Glucose after,,number
ins_t0,chem,text,Insulin before,,number
ins_t120,chem,text,Insulin after,,number
"""
LAB = """domain: LB
keys: [STUDYID, USUBJID, LBTESTCD, LBTPTNUM, VISITNUM, LBDTC, LBSPID]
unit_terms: {u/l: U/L, ukat/l: ukat/L}
variables: {LBDTC: {date: chem_dt}}
records:
  - form: chem
    for_each: {alt: {test: ALT}, ast: {test: AST}}
    tests:
      "{test}":
        result: "{each}"
        unit: "{each}_u"
        standard_unit: U/L
        unit_factors: {ukat/L: 60}
        variables: {LBORNRLO: {field: "{each}_lo"}}
  - form: chem
    for_each: {t0: {number: "0", name: BEFORE}, t120: {number: "120", name: AFTER}}
    variables: {LBTPTNUM: {constant: "{number}"}, LBTPT: {constant: "{name}"}}
    tests: {GLUC: {result: "glu_{each}"}, INSULIN: {result: "ins_{each}"}}
"""


@pytest.fixture
def patterns(small: Any) -> Any:
    """The small study with a form of chemistry in the place of its laboratory."""
    for name, more in (("dictionary", FIELDS), ("form_event_mapping", "1,start_arm_1,chem\n")):
        path = small.folder / "redcap" / f"{name}.csv"
        path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    small.write("lb", LAB)
    look = ["hb", "hb_u", "hb_nd", "wc", "wc_u", "house"]
    left = "".join(f"  {name}: Not here\n" for name in look)
    small.write("not_submitted", f"status: Book-keeping\nfields:\n  rec: The record's name\n{left}")
    small.subject()
    return small


def test_fields_named_alike_and_time_points_are_mapped_once(patterns: Any) -> None:
    assert problems_of(str(patterns.folder)) == []
    taken = {"alt": "20", "alt_u": "u/l", "alt_lo": "5", "ast": "0.5", "ast_u": "ukat/L", "ast_lo": "0.1"}
    patterns.row("1", "start", chem_dt="2000-03-02", **taken, glu_t0="5", glu_t120="7", ins_t120="40")
    made = patterns.frame("LB")
    names = ["LBTESTCD", "LBTPT", "LBORRES", "LBORRESU", "LBSTRESN", "LBORNRLO"]
    assert made[names].fillna(-1).to_numpy().tolist() == [
        ["ALT", "", "20", "U/L", 20.0, "5"],
        ["AST", "", "0.5", "ukat/L", 30.0, "0.1"],
        ["GLUC", "BEFORE", "5", "", 5.0, ""],
        ["GLUC", "AFTER", "7", "", 7.0, ""],
        ["INSULIN", "AFTER", "40", "", 40.0, ""],
    ]


def test_a_unit_that_is_written_otherwise_is_asked_about(patterns: Any) -> None:
    patterns.row("1", "start", chem_dt="2000-03-02", alt="20", alt_u="units")
    made = patterns.tabulate()
    assert made.withheld["field"].tolist() == ["alt", "alt_u"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("ast: {test: AST}", "ast: {}", "the item 'ast' has no word 'test', which the others have"),
        ("alt: {test: ALT}, ast: {test: AST}", "alt: {test: ALT, odd: x}, ast: {test: AST, odd: x}", "the place {odd}"),
        ('"glu_{each}"', '"gul_{each}"', "the dictionary has no field 'gul_t0'"),
        ("u/l: U/L", "u/l: U/l", "'U/l' is not a term of UNIT"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_pattern_is_said_with_its_line(patterns: Any, old: str, new: str, problem: str) -> None:
    assert old in LAB
    patterns.write("lb", LAB.replace(old, new))
    found = [one for one in problems_of(str(patterns.folder)) if one.file.endswith("lb.yaml")]
    assert any(problem in one.message and one.line for one in found), found


def test_words_may_tell_the_items_apart_without_their_own_names(patterns: Any) -> None:
    block = LAB.replace("{t0: {number", "{t0: {end: t0, number").replace("t120: {number", "t120: {end: t120, number")
    block = block.replace('"glu_{each}"', '"glu_{end}"').replace('"ins_{each}"', '"ins_{end}"')
    patterns.write("lb", block)
    assert problems_of(str(patterns.folder)) == []
    for old, new in (("end: t120", "end: t0"), ('"120"', '"0"'), ("AFTER", "BEFORE")):
        block = block.replace(old, new)
    patterns.write("lb", block)
    told = "nothing has the place {each}, and 't0' and 't120' have the same words: they give the same records"
    assert told in [problem.message for problem in problems_of(str(patterns.folder))]
