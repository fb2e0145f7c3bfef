"""Conditions in SDTM mappings: on fields as REDCap stores them, and on tabulated variables."""

from __future__ import annotations

import re
from typing import Any

import pytest

from metadata.errors import StudyError

AE = """domain: AE
records:
  form: event
  variables:
    AETERM: {field: told}
    AEDECOD: {first_of: [{constant: MET, when: %s}, {constant: NOT MET}]}
    AESTDTC: {date: [from_y, from_m, from_d]}
  supplemental:
    AEBAD: {field: bad, label: Serious}
    AELINKA: {field: link_a, label: Related to A}
    AELINKB: {field: link_b, label: Related to B}
"""
EVENTS = (
    {"from_y": "1999", "from_m": "9", "told": "2001-01-31", "bad": "1", "link_a": "1"},
    {"from_y": "2001", "from_m": "10", "told": "2001-02-01", "bad": "0", "link_a": "UNK"},
    {"from_y": "UNK", "from_m": "", "told": "b", "bad": "", "link_a": "3"},
    {"from_y": "", "from_m": "", "told": "a", "bad": "1", "link_a": ""},
)


def met(small: Any, condition: str) -> list[int]:
    """Numbers of the events for which a condition holds."""
    small.write("ae", AE % condition)
    small.subject()
    for number, row in enumerate(EVENTS, start=1):
        small.row("1", "log", "event", str(number), **row)
    frame = small.frame("AE")
    return sorted(
        int(spid.rsplit("/", 1)[1]) for spid, found in zip(frame["AESPID"], frame["AEDECOD"], strict=True)
        if found == "MET"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "events"),
    [
        ("{bad: 1}", [1, 4]),
        ('{bad: "1"}', [1, 4]),
        ("{bad: [0, 1]}", [1, 2, 4]),
        ('{bad: [0, ""]}', [2, 3]),
        ("{bad: {not: 1}}", [2, 3]),
        ("{bad: {missing: true}}", [3]),
        ("{bad: {missing: false}}", [1, 2, 4]),
        # A missing-data code is a stored answer, and one of the values that may be asked for.
        ("{link_a: {missing: false}}", [1, 2, 3]),
        ("{link_a: UNK}", [2]),
        ("{link_a: {not: [1, UNK]}}", [3, 4]),
        # Numbers are compared as numbers: 9 is below 10, and 1999.0 is 1999.
        ("{from_m: {below: 10}}", [1]),
        ("{from_m: {at_least: 9, at_most: 10}}", [1, 2]),
        ("{from_y: 1999.0}", [1]),
        ("{from_y: {not: 1999}}", [2, 3, 4]),
        ("{from_y: [2001, UNK]}", [2, 3]),
        ("{from_y: {above: {variable: from_m, plus: 1990}}}", [2]),
        # A comparison holds for no missing-data code; texts are compared with texts, by code point.
        ("{from_y: {above: 0}}", [1, 2]),
        ('{told: {below: "2001-02-01"}}', [1]),
        ('{told: {at_least: "2001-02-01"}}', [2, 3, 4]),
        ("[{bad: 0}, {from_y: 1999, told: {missing: false}}]", [1, 2]),
    ],
)
def test_fields_are_tested_by_what_is_stored(small: Any, condition: str, events: list[int]) -> None:
    assert met(small, condition) == events


@pytest.mark.parametrize(
    ("condition", "subjects"),
    [
        ("{origin: 1}", ["1", "3"]),
        ("{origin: [1, 2]}", ["1", "2", "3"]),
        ("{origin: {not: 1}}", ["2", "4"]),
        ("{origin: {missing: true}}", ["4"]),
        ("{origin: {missing: false, not: 2}}", ["1"]),
    ],
)
def test_a_checkbox_is_tested_by_what_is_ticked(small: Any, condition: str, subjects: list[str]) -> None:
    path = small.folder / "sdtm" / "dm.yaml"
    path.write_text(
        path.read_text().replace("COUNTRY: {constant: ESP}", f"COUNTRY: {{constant: ESP, when: {condition}}}")
    )
    ticks = {"1": "1", "2": "2", "3": "1 2", "4": ""}
    for record, codes in ticks.items():
        boxes = {f"origin___{code}": str(int(code in codes)) for code in "129"}
        small.subject(record, **boxes)
    frame = small.frame("DM")
    assert [name[-1] for name, country in zip(frame["SUBJID"], frame["COUNTRY"], strict=True) if country] == subjects


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("{badd: 1}", "key 'badd': the dictionary has no field 'badd' (did you mean 'bad'?)"),
        ("{seen: {missing: false}}", "field 'seen' is on form 'look', not on 'event'"),
        ("{bad: 7}", "key 'bad': field 'bad' has no choice '7'"),
        ("{bad: {above: 0}}", "key 'above': field 'bad' has choices, whose codes have no order"),
        ("{from_y: {abov: 1}}", "key 'abov': 'abov' is not a test (did you mean 'above'?)"),
        ('{from_y: {above: "1"}}', "key 'above': from_y is a number, '1' is not"),
        ("{from_y: early}", "key 'from_y': from_y is a number, 'early' is not"),
        ("{told: 5}", "key 'told': told is text: write \"5\" in quotes"),
        ("{told: {above: 5}}", "key 'above': told holds text; a number is needed to compare with 5"),
        ("{told: {above: {variable: from_y}}}", "told is text, from_y is a number: they cannot be compared"),
        ("{told: {above: {variable: tld}}}", "key 'told': the dictionary has no field 'tld' (did you mean 'told'?)"),
        ("{told: present, bad: absent}", "field 'bad' has no choice 'absent'"),
        ("told", "key 'when': a condition names variables and what must hold"),
    ],
)
def test_what_cannot_hold_is_refused_with_its_place(small: Any, condition: str, said: str) -> None:
    with pytest.raises(StudyError, match=r"sdtm/ae.yaml, line 6, ") as error:
        met(small, condition)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("when", "made"),
    [
        ("{AGE: {missing: false}}", ["YEARS", ""]),
        ("{AGE: {above: 40}}", ["", ""]),
        ("{AGE: {at_least: 40}}", ["YEARS", ""]),
        ("{SEX: [F, M], AGE: {not: 41}}", ["YEARS", "YEARS"]),
        ('{RFICDTC: {below: "2000-03-02"}, AGE: 40}', ["YEARS", ""]),
    ],
)
def test_tabulated_variables_are_tested_by_their_kind(small: Any, when: str, made: list[str]) -> None:
    path = small.folder / "sdtm" / "dm.yaml"
    path.write_text(
        path.read_text().replace("    COUNTRY:", f"    AGEU: {{assign: YEARS, when: {when}}}\n    COUNTRY:")
    )
    small.subject("1")
    small.subject("2", years="")
    assert small.frame("DM")["AGEU"].tolist() == made


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{assign: A, when: {RFXSTDTC: {missing: false}}}", "{assign: A, when: {RFXSTDT: {missing: false}}}",
         "key 'RFXSTDT': DM has no variable RFXSTDT (did you mean 'RFXSTDTC'?)"),
        ("{assign: A, when: {RFXSTDTC: {missing: false}}}", "{assign: A, when: {AGE: old}}",
         "key 'AGE': DM.AGE is a number, 'old' is not"),
        ("{assign: A, when: {RFXSTDTC: {missing: false}}}", "{assign: A, when: [RFXSTDTC]}",
         "key 'when': a condition names variables and what must hold"),
        ("RFSTDTC: {earliest: EX.EXSTDTC}", "RFSTDTC: {earliest: EX.EXSTDTC, where: {EXDOSE: A}}",
         "key 'EXDOSE': EX.EXDOSE is a number, 'A' is not"),
        ("RFSTDTC: {earliest: EX.EXSTDTC}",
         "RFSTDTC: {earliest: EX.EXSTDTC, where: {EXTRT: {above: {variable: EXDOSE}}}}",
         "EX.EXTRT is text, EX.EXDOSE is a number: they cannot be compared"),
    ],
)  # fmt: skip
def test_variables_are_those_of_the_guide_with_their_kinds(small: Any, old: str, new: str, said: str) -> None:
    path = small.folder / "sdtm" / "dm.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    small.subject()
    with pytest.raises(StudyError, match=re.escape(said)) as error:
        small.tabulate()
    assert "sdtm/dm.yaml, line " in str(error.value)


def test_the_first_dose_above_a_limit(small: Any) -> None:
    path = small.folder / "sdtm" / "dm.yaml"
    text = path.read_text().replace(
        "RFSTDTC: {earliest: EX.EXSTDTC}", "RFSTDTC: {earliest: EX.EXSTDTC, where: {EXDOSE: {above: 5}}}"
    )
    path.write_text(text)
    small.subject()
    small.row("1", "log", "dose", "2", drug="1", amount="10", dose_st="2000-04-01", dose_en="2000-04-30")
    assert small.frame("DM")["RFSTDTC"].tolist() == ["2000-04-01"]
    sentences = {one.name: one.method for one in small.tabulate().datasets["DM"].metadata.variables}
    assert sentences["RFSTDTC"] == "The earliest of EX.EXSTDTC of the subject where EXDOSE is above 5."
