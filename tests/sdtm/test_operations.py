"""The operations that the small study's mappings do not use: each tried in a mapping of its own."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

AE = """domain: AE
records:
  form: event
  variables:
    AETERM: {field: told}
    AEDECOD: %s
    AESTDTC: {date: [from_y, from_m]}
  supplemental:
    AEBAD: {field: bad, label: Serious}
    AEDAY: {field: from_d, label: Day}
    AELINKA: {field: link_a, label: Related to A}
    AELINKB: {field: link_b, label: Related to B}
"""


def decoded(small: Any, declared: str) -> list[str]:
    small.write("ae", AE % declared)
    return small.frame("AE")["AEDECOD"].tolist()


def events(small: Any, *rows: dict[str, str]) -> None:
    small.subject()
    for number, row in enumerate(rows, start=1):
        small.row("1", "log", "event", str(number), told=f"T{number}", **row)


def test_first_of_takes_the_first_that_is_there(small: Any) -> None:
    events(small, {"link_a": "2", "link_b": "3"}, {"link_b": "3"}, {})
    declared = "{first_of: [{field: link_a}, {field: link_b}, {constant: NONE}]}"
    assert decoded(small, declared) == ["Perhaps", "Yes", "NONE"]


def test_concat_joins_what_is_there(small: Any) -> None:
    events(small, {"link_a": "2", "link_b": "3"}, {"link_b": "3"})
    declared = "{concat: [{field: told}, {field: link_a}, {field: link_b}], separator: '; '}"
    assert decoded(small, declared) == ["T1; Perhaps; Yes", "T2; Yes"]


def test_common_is_the_shared_value_or_the_declared_one(small: Any) -> None:
    events(small, {"link_a": "2", "link_b": "2"}, {"link_a": "2", "link_b": "3"}, {"link_b": "3"})
    assert decoded(small, "{common: [link_a, link_b], otherwise: MULTIPLE}") == ["Perhaps", "MULTIPLE", "Yes"]


def test_a_constant_under_a_condition(small: Any) -> None:
    events(small, {"bad": "1"}, {"bad": "0"}, {})
    assert decoded(
        small,
        "{first_of: [{constant: BAD, when: {bad: 1}}, {constant: GOOD, when: {bad: {missing: true}}}, "
        "{constant: FAIR, when: {bad: {missing: false}}}]}",
    ) == ["BAD", "FAIR", "GOOD"]


def test_coding_by_the_study_s_own_file(small: Any) -> None:
    (small.folder / "coding.csv").write_text("reported,term\n t1 ,FALL\nT3,ACHE\n")
    events(small, {}, {}, {})
    tabulated = decoded(small, "{coded: told, file: coding.csv, column: term}")
    assert tabulated == ["FALL", "ACHE"]
    withheld = small.tabulate().withheld
    assert set(withheld["field"]) == {"told"}
    assert set(withheld["reason"]) == {
        "AE record withheld: AEDECOD is required and has no value; add the reported term to coding.csv"
    }


def test_rows_of_a_coding_file_that_code_nothing_are_listed(small: Any) -> None:
    (small.folder / "coding.csv").write_text("reported,term\n t1 ,FALL\nNobody,ACHE\nT2,ACHE\n")
    events(small, {}, {})
    assert decoded(small, "{coded: told, file: coding.csv, column: term}") == ["FALL", "ACHE"]
    unused = small.tabulate().unused_rows
    assert unused[unused["file"] == "coding.csv"].to_numpy().tolist() == [["coding.csv", 3, "Nobody"]]


def test_a_value_of_another_form_is_looked_up_by_subject(small: Any) -> None:
    events(small, {})
    assert decoded(small, "{lookup: sexe, match: subject}") == ["Woman"]


def test_a_variable_of_the_subject(small: Any) -> None:
    events(small, {}, {})
    assert decoded(small, "{subject: DM.SEX}") == ["F", "F"]


def test_the_first_of_several_variables(small: Any) -> None:
    small.subject("1", start="")
    small.subject("2")
    for record in ("1", "2"):
        small.row(record, "log", "event", "1", told="T")
    assert decoded(small, "{any_of: [{subject: DM.RFXSTDTC}, {subject: DM.RFICDTC}]}") == ["2000-03-01", "2000-03-10"]


def test_one_record_for_each_option_ticked(small: Any) -> None:
    small.subject("1", origin___1="1", origin___2="0", origin___9="1")
    small.write(
        "mh",
        """domain: MH
records:
  form: base
  each: origin
  variables:
    MHTERM: {option: origin}
""",
    )
    frame = small.frame("MH")
    assert frame["MHTERM"].tolist() == ["Unknown", "White"]
    assert frame["MHSEQ"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [("{checkbox: hb_nd, code: 1}", ["Y", "N"]), ("{checkbox: hb_nd, code: 1, unchecked: null}", ["Y", ""])],
)
def test_a_flag_of_a_checkbox(small: Any, declared: str, wanted: list[str]) -> None:
    small.subject()
    small.row("1", "start", seen="2000-03-10", hb_nd___1="1", wc="5", wc_u="1", house="1")
    small.row("1", "month", seen="2000-04-10", hb_nd___1="0", wc="5", wc_u="1", house="1")
    path = small.folder / "sdtm" / "lb.yaml"
    path.write_text(path.read_text().replace("  tests:", f"    LBFAST: {declared}\n  tests:", 1))
    frame = small.frame("LB")
    assert frame.loc[frame["LBTESTCD"] == "WBC", "LBFAST"].tolist() == wanted


@pytest.mark.parametrize(
    ("born", "consent", "age"),
    [
        ("1960-03-01", "2000-03-01", 40),
        ("1960-03-02", "2000-03-01", 39),
        ("1960-02-29", "2001-02-28", 40),
        ("1960-03", "2000-03-01", None),
    ],
)
def test_an_age_is_counted_in_birthdays_between_complete_dates(
    small: Any, born: str, consent: str, age: int | None
) -> None:
    path = small.folder / "sdtm" / "dm.yaml"
    text = path.read_text(encoding="utf-8")
    words = (
        "    AGE: {age_at: DM.RFICDTC}\n    AGEU: {assign: YEARS, when: {AGE: {missing: false}}}\n"
        "    BRTHDTC: {date: [by, bm, bd]}\n"
    )
    path.write_text(text.replace("    AGE: {field: years}\n", words), encoding="utf-8")
    dictionary = small.folder / "redcap" / "dictionary.csv"
    fields = "".join(f"{name},base,text,Born,,integer\n" for name in ("by", "bm", "bd"))
    dictionary.write_text(dictionary.read_text(encoding="utf-8") + fields, encoding="utf-8")
    small.write("not_submitted", "status: S\nfields: {rec: R, years: derived}\n")
    parts = dict(zip(("by", "bm", "bd"), [*born.split("-"), ""], strict=False))
    small.subject(cons=consent, years="", **parts)
    row = small.tabulate().datasets["DM"].frame.iloc[0]
    assert (None if pd.isna(row["AGE"]) else row["AGE"], str(row["AGEU"])) == (age, "YEARS" if age else "")


def test_choices_that_become_one_term_are_listed(small: Any) -> None:
    events(small, {"link_a": "2"})
    assert decoded(small, "{field: link_a, terms: {1: 'NO', 2: 'YES', 3: 'YES'}}") == ["YES"]
    made = small.tabulate().merged_choices
    assert made[made["field"] == "link_a"].to_numpy().tolist() == [
        ["AE", "AEDECOD", "link_a", "YES", "2, Perhaps | 3, Yes"]
    ]
