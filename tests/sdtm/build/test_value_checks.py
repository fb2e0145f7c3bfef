"""Values are checked as soon as a step has made them, before another domain reads them."""

from __future__ import annotations

from typing import Any

DOSES = """domain: EX
records:
  form: event
  variables:
    EXTRT: {field: told}
    EXSTDTC: {date: [from_y, from_m, from_d]}
    EXENDTC: {date: [from_y, from_m, from_d]}
"""
EXPOSURE = """domain: EX
records:
  form: dose
  variables: {EXTRT: {constant: A}, EXSTDTC: {date: dose_st}, EXENDTC: {date: dose_en}}
"""
# Forms that a test's mapping leaves aside, and the record's name.
LEFT = "status: Book-keeping\nforms: {dose: left aside}\nfields: {rec: name, bad: -, link_a: -, link_b: -}\n"
LEFT_OF_NOTES = """fields:
  {rec: name, bad: -, link_a: -, link_b: -, from_y: -, from_m: -, from_d: -, drug: -}
"""
NOTES = """domain: AE
records:
  - form: event
    variables: {AETERM: {constant: Event}, AEDECOD: {constant: Event}}
    supplemental: {NOTE: {field: told, label: Note}}
  - form: dose
    variables: {AETERM: {constant: Dose}, AEDECOD: {constant: Dose}}
    supplemental: {NOTE: {field: amount, label: Note}}
"""


def test_a_record_that_is_withheld_gives_no_other_domain_a_date(small: Any) -> None:
    small.write("ex", DOSES)
    small.write(
        "ae", "domain: AE\nrecords: {form: event, variables: {AETERM: {constant: A}, AEDECOD: {constant: A}}}\n"
    )
    small.write("not_submitted", LEFT)
    small.subject(start="")
    small.row("1", "log", "event", "1", told="疼", from_y="2000", from_m="3", from_d="1")
    small.row("1", "log", "event", "2", told="A", from_y="2000", from_m="3", from_d="5")
    tabulation = small.tabulate()
    assert tabulation.datasets["EX"].frame["EXTRT"].tolist() == ["A"]
    assert tabulation.datasets["DM"].frame["RFXSTDTC"].tolist() == ["2000-03-05"]
    assert set(tabulation.withheld["source_row"]) == {1}


def test_a_supplemental_value_that_is_withheld_leaves_others_of_its_name_their_lineage(small: Any) -> None:
    small.write("ae", NOTES)
    small.write("ex", EXPOSURE)
    small.write("not_submitted", LEFT_OF_NOTES)
    small.subject()
    small.row("1", "log", "event", "1", told="疼")
    tabulation = small.tabulate()
    made = tabulation.datasets["SUPPAE"]
    assert made.frame[["QNAM", "QVAL"]].to_numpy().tolist() == [["NOTE", "5"]]
    edges = made.lineage[["variable", "source_row", "source_variable"]].astype({"variable": "str"})
    assert edges.to_numpy().tolist() == [["QVAL", 1, "amount"]]
    reason = tabulation.withheld.loc[tabulation.withheld["field"] == "told", "reason"]
    assert reason.tolist() == ["+NOTE is null: no transliteration is declared for U+75BC"]


def test_every_required_variable_of_a_kept_record_has_a_value(small: Any) -> None:
    small.subject("1")
    small.subject("2", sexe="", start="")
    small.row("1", "start", seen="2000-03-10", hb="12,5", hb_u="6")
    small.row("1", "log", "event", "1", told="")
    small.row("1", "log", "event", "2", told="Fall")
    for dataset in small.tabulate().datasets.values():
        for variable in dataset.metadata.variables:
            if variable.core == "Req":
                assert dataset.columns.filled(variable.name).all(), f"{dataset.name}.{variable.name}"


def test_changes_of_supplemental_texts_are_counted_in_records_that_are_kept(small: Any) -> None:
    small.write("ae", NOTES)
    small.write("ex", EXPOSURE)
    small.write("not_submitted", LEFT_OF_NOTES)
    small.subject()
    small.row("1", "log", "event", "1", told="año")
    small.row("1", "log", "event", "2", told="año")
    changes = small.tabulate().transliterations
    assert changes.to_numpy().tolist() == [["AE", "SUPPAE.NOTE", "año", "ano", 2]]
