"""What a mapping's author is told: file, line, key and the nearest right name."""

from __future__ import annotations

from typing import Any

import pytest

from metadata.errors import StudyError


def refused(small: Any, name: str, old: str, new: str) -> str:
    path = small.folder / "sdtm" / f"{name}.yaml"
    body = path.read_text(encoding="utf-8")
    assert old in body
    path.write_text(body.replace(old, new), encoding="utf-8")
    small.subject()
    with pytest.raises(StudyError) as error:
        small.tabulate()
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "ae",
            "{field: told}",
            "{field: tolld}",
            "line 5, key 'field': the dictionary has no field 'tolld' (did you mean 'told'?)",
        ),
        (
            "ae",
            "{field: told}",
            "{field: seen}",
            "line 5, key 'field': field 'seen' is on form 'look', not on 'event'",
        ),
        (
            "ae",
            "AETERM:",
            "AETREM:",
            "line 5, key 'AETREM': AE has no variable AETREM in the guide or in its class of the model (did you mean"
            " 'AETERM'?)",
        ),
        (
            "ae",
            "{field: told}",
            "{feild: told}",
            "line 5, key 'feild': AETERM has no operation (did you mean 'field'?)",
        ),
        ("ae", "{field: bad}", "{field: bad, term: {1: Y}}", "'field' has no key 'term' (did you mean 'terms'?)"),
        ("ae", "form: event", "form: events", "the dictionary has no form 'events' (did you mean 'event'?)"),
        ("ae", "domain: AE", "domain: AX", "SDTMIG 3.3 has no domain AX"),
        ("ae", "  form: event", "  from: event", "'records' has no key 'from' (did you mean 'form'?)"),
        ("ae", "AERELA: {field: link_a, label: Related to A}", "AERELA: {field: link_a}", "AERELA needs a label"),
        ("ae", "AERELA: {", "AERELATED: {", "QNAM is at most 8"),
        ("dm", "terms: {1: M, 2: F}", "terms: {1: M, 2: FEMALE}", "'FEMALE' is not a term of SEX (C66731"),
        ("dm", "terms: {1: M, 2: F}", "terms: {1: M, 2: X}", "choose one of its terms: F, M, U, UNDIFFERENTIATED"),
        ("dm", "terms: {1: M, 2: F}", "terms: {1: M}", "choice '2' (Woman) of field 'sexe' has no term"),
        (
            "dm",
            "terms: {1: M, 2: F}",
            "terms: {1: M, 3: F}",
            "field 'sexe' has no choice '3'; it offers 1 (Man), 2 (Woman)",
        ),
        ("sv", "each: visit", "each: visit\n  events: [start_arm_1]", "write form, or leave out events"),
        ("dm", "{field: years}", "{checkbox: years, code: 1}", "field 'years' is not a checkbox: write field"),
        ("dm", "multiple: MULTIPLE, ", "", "say what several ticks give"),
        (
            "dm",
            "{earliest: EX.EXSTDTC}",
            "{earliest: EX.EXSTDT}",
            "EX has no variable EXSTDT (did you mean 'EXSTDTC'?)",
        ),
        ("dm", "when: {in_study: 1}", "when: {in_study: 2}", "field 'in_study' has no choice '2'"),
        ("dm", ", event: month_arm_1", ", event: mnth_arm_1", "form 'last' is not filled in event 'mnth_arm_1'"),
        ("lb", "unit_factors: {g/dL: 10}", "unit_factors: {mg/dL: 0.01}", "HGB has no factor from g/dL to g/L"),
        (
            "lb",
            "unit_factors: {g/dL: 10}",
            "unit_factors: {g/dL: 0}",
            "line 12, key 'g/dL': must be a number above 0, not 0",
        ),
        ("lb", "    HGB:", "    HGBX:", "'HGBX' is not a term of LBTESTCD"),
        ("lb", "toxicity: Hemoglobin", "toxicity: Haemoglobin", "no item 'Haemoglobin' (did you mean 'Hemoglobin'?)"),
        ("lb", "hb_nd,", "{field: hb_nd, code: 2},", "field 'hb_nd' has no choice '2'"),
        ("lb", "unit: hb_u", "unit: hbu", "no field 'hbu' (did you mean 'hb_u'?)"),
        (
            "ae",
            "AESER: {field: bad}",
            "AESER: {field: bad, terms: {1: Y, 0: No}}",
            "write yes, no, on and off in quotes",
        ),
        ("ae", "AESER: {field: bad}", "AESER: bad", "write an operation, for example {field: NAME}"),
        ("ae", 'order: ["No", Perhaps, "Yes"]', 'order: [Perhaps, "Yes"]', "the term 'No' has no place in the order"),
    ],
)
def test_an_author_is_told_where_and_what(small: Any, name: str, old: str, new: str, said: str) -> None:
    message = refused(small, name, old, new)
    assert f"/sdtm/{name}.yaml" in message
    assert said in message


def test_a_variable_that_no_mapping_makes_is_named(small: Any) -> None:
    (small.folder / "sdtm" / "ex.yaml").unlink()
    small.write("not_submitted", "forms: {dose: left out}\nfields: {rec: name}\n")
    small.subject()
    with pytest.raises(StudyError, match=r"DM\.RFXSTDTC needs EX\.EXSTDTC, which no mapping makes"):
        small.tabulate()


def test_mappings_that_need_one_another_in_a_circle_are_refused(small: Any) -> None:
    path = small.folder / "sdtm" / "ex.yaml"
    path.write_text(path.read_text().replace("EXSTDTC: {date: dose_st}", "EXSTDTC: {subject: DM.RFXSTDTC}"))
    small.write("not_submitted", "fields: {rec: name, dose_st: left out}\n")
    small.subject()
    with pytest.raises(StudyError, match="need one another in a circle"):
        small.tabulate()


QS = """domain: QS
records:
  form: look
  variables:
    QSDTC: {date: seen}
  tests:
    EDSS0101: {result: wc, category: EDSS, codelists: {testcd: C112439, test: C112438}}
"""


def test_a_questionnaire_that_the_pinned_terminology_lacks_is_refused(small: Any) -> None:
    small.subject()
    small.write("qs", QS.replace("category: EDSS", "category: EDSSX"))
    with pytest.raises(StudyError, match=r"'EDSSX' is not a term of QSCAT \(C100129, sdtm-ct-2019-09-27\)"):
        small.tabulate()


def test_a_questionnaire_that_it_has_is_tabulated(small: Any) -> None:
    small.subject()
    small.write("qs", QS)
    small.row("1", "start", seen="2000-03-10", wc="4.5")
    row = small.frame("QS").iloc[0]
    assert (row["QSTEST"], row["QSCAT"], row["QSSTRESN"]) == ("EDSS01-Expanded Disability Score", "EDSS", 4.5)
