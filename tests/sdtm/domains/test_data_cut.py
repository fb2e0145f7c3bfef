"""What the data cut-off leaves in the data, worked out by hand, and that nothing disappears without being listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.check import problems_of
from tests.sdtm.test_no_value_is_lost import RECORD, SETTINGS, tabulated, written
from validation.datasets.reconciliation import reconcile

if TYPE_CHECKING:
    from sdtm.build.tabulate import Tabulation
    from tests.sdtm.conftest import SmallStudy

CUT = """cut:
  subjects: {earliest: DM.RFICDTC}
  by_date: [AE, EX, LB, SV]
  ongoing: {EX: {EXTRT: B}}
"""
COMMENTS = """domain: CO
keys: [STUDYID, USUBJID, RDOMAIN, IDVARVAL, COVAL]
records: {form: event, about: AE, where: {told: {missing: false}}, variables: {COVAL: {field: told}}}
"""
DEATH_DETAILS = """domain: DD
records: {form: event, tests: {PRCDTH: {result: told}}}
"""
DEATHS = """    RFPENDTC: {date: end_dt, match: subject, event: month_arm_1}
    DTHDTC: {date: end_dt, match: subject, event: month_arm_1}
    DTHFL: {assign: Y, when: {DTHDTC: {missing: false}}}
"""


def cut(small: SmallStudy, cutoff: str = "2000-06-30", declared: str = CUT) -> None:
    path = small.folder / "study.yaml"
    body = path.read_text(encoding="utf-8").partition("cut:")[0]
    day = body.partition("cutoff: ")[2][:10]
    path.write_text(body.replace(f"cutoff: {day}", f"cutoff: {cutoff}") + declared, encoding="utf-8")


def outcomes(made: Tabulation, domain: str) -> list[tuple[str, str, str]]:
    """Return record, value and the first two words of the outcome."""
    listed = made.data_cut[made.data_cut["domain"] == domain]
    first = [" ".join(text.split()[:2]) for text in listed["outcome"]]
    return sorted(zip(listed["record"], listed["value"], first, strict=True))


def event(small: SmallStudy, number: int, year: str, month: str, day: str, told: str = "Fall") -> None:
    small.row("1", "log", "event", str(number), told=told, from_y=year, from_m=month, from_d=day, bad="0")


def test_records_that_begin_later_are_left_out_and_those_without_a_date_stay(small: Any) -> None:
    cut(small)
    small.subject()
    event(small, 1, "2000", "6", "30", "Last day")
    event(small, 2, "2000", "7", "1", "Next day")
    event(small, 3, "2000", "6", "", "June")
    event(small, 4, "2000", "7", "", "July")
    event(small, 5, "2000", "", "", "That year")
    event(small, 6, "", "", "", "Some day")
    event(small, 7, "2001", "", "", "Next year")
    made = small.tabulate()
    assert sorted(made.datasets["AE"].frame["AETERM"]) == ["June", "Last day", "Some day", "That year"]
    assert outcomes(made, "AE") == [
        ("1", "", "kept: it"), ("1", "2000", "kept: it"), ("1", "2000-07", "left out:"),
        ("1", "2000-07-01", "left out:"), ("1", "2001", "left out:"),
    ]  # fmt: skip
    assert set(made.cut_values["field"]) >= {"told", "from_y", "from_m", "from_d", "bad"}
    assert made.withheld.empty


def test_who_consents_after_the_cut_off_is_in_no_dataset(small: Any) -> None:
    cut(small)
    small.subject("1")
    small.subject("2", start="2000-07-10", end="2000-08-01", cons="2000-07-01")
    small.subject("3", start="", cons="")
    small.row("2", "log", "event", "1", told="Ache", bad="0")
    made = small.tabulate()
    named = {name: set(one.frame["USUBJID"]) for name, one in made.datasets.items() if "USUBJID" in one.frame}
    assert set(named["DM"]) == {"SMALL-01-1", "SMALL-01-3"}
    assert all("01-2" not in str(subject) for subjects in named.values() for subject in subjects)
    assert ("3", "", "kept: it") in outcomes(made, "DM") and made.without_subject.empty
    assert [outcome for record, _, outcome in outcomes(made, "AE") if record == "2"] == ["left out:"]


def test_what_ends_later_goes_on_and_what_is_derived_knows_nothing_of_it(small: Any) -> None:
    cut(small)
    small.subject("1", end="2000-06-30")
    small.subject("2", end="2000-07-01")
    small.row("2", "log", "dose", "2", drug="1", amount="5", dose_st="2000-07-02", dose_en="2000-08-01")
    made = small.tabulate()
    frame = made.datasets["EX"].frame.astype({"EXENDTC": "str", "EXTRT": "str", "EXSTDTC": "str"})
    assert frame["EXENDTC"].tolist() == ["2000-06-30", ""] and frame["EXTRT"].tolist() == ["A", "B"]
    subjects = made.datasets["DM"].frame.astype({"RFXENDTC": "str"})
    assert subjects["RFXENDTC"].tolist() == ["2000-06-30", ""]  # without the cut it were 2000-08-01
    assert made.datasets["EX"].frame["EXENDY"].isna().tolist() == [False, True]
    gone = made.cut_values[made.cut_values["domain"] == "EX"]
    assert {"dose_en", "dose_st", "drug", "amount"} == set(gone["field"])


@pytest.mark.parametrize(("cutoff", "died"), [("2000-06-09", ""), ("2000-06-10", "2000-06-10")])
def test_a_later_death_is_cleared(small: Any, cutoff: str, died: str) -> None:
    small.write("dm", (small.folder / "sdtm" / "dm.yaml").read_text().replace(DEATHS.splitlines(True)[0], DEATHS))
    cut(small, cutoff)
    small.subject(end="2000-06-01")
    small.row("1", "month", end_dt="2000-06-10")
    frame = small.tabulate().datasets["DM"].frame.astype({"DTHDTC": "str", "DTHFL": "str", "RFPENDTC": "str"})
    assert frame[["DTHDTC", "DTHFL", "RFPENDTC"]].iloc[0].tolist() == [died, "Y" if died else "", died]


@pytest.mark.parametrize(("cutoff", "causes"), [("2000-06-09", []), ("2000-06-10", ["Fall"])])
def test_the_details_of_a_later_death_are_left_out(small: Any, cutoff: str, causes: list[str]) -> None:
    small.write("dm", (small.folder / "sdtm" / "dm.yaml").read_text().replace(DEATHS.splitlines(True)[0], DEATHS))
    small.write("dd", DEATH_DETAILS)
    cut(small, cutoff, CUT.replace("  ongoing", "  by_subject: [DD]\n  ongoing"))
    small.subject(end="2000-06-01")
    small.row("1", "month", end_dt="2000-06-10")
    small.row("1", "log", "event", "1", told="Fall", bad="0")
    made = small.tabulate()
    found = made.datasets["DD"].frame if "DD" in made.datasets else pd.DataFrame({"DDORRES": []})
    assert found["DDORRES"].astype("str").tolist() == causes
    assert outcomes(made, "DD") == ([] if causes else [("1", "", "left out:")])


def test_a_comment_on_a_record_that_is_left_out_is_left_out(small: Any) -> None:
    small.write("co", COMMENTS)
    cut(small, declared=CUT.replace("  ongoing", "  by_subject: [CO]\n  ongoing"))
    small.subject()
    event(small, 1, "2000", "6", "30", "Known")
    event(small, 2, "2000", "7", "1", "Not yet known")
    made = small.tabulate()
    assert made.datasets["CO"].frame["COVAL"].astype("str").tolist() == ["Known"]
    assert outcomes(made, "CO") == [("1", "", "left out:")]


@SETTINGS
@given(records=st.lists(RECORD, min_size=1, max_size=3), cutoff=st.sampled_from(["2000-03-09", "2000-04-07"]))
def test_every_value_is_accounted_for_and_no_kept_date_is_certainly_later(
    small: SmallStudy, records: list[Any], cutoff: str
) -> None:
    cut(small, cutoff)
    data = written(small, records)
    study = small.study()
    made = tabulated(small, data)
    edges = [one.lineage for one in made.datasets.values()]
    assert reconcile(data, edges, made.withheld, made.not_submitted, made.cut_values)["reconciled"].all()
    last = pd.Timestamp(study.cutoff)
    for domain in ("DM", "AE", "EX", "LB", "SV"):
        if domain in made.datasets:
            frame = made.datasets[domain].frame
            for name in [name for name in frame if name.endswith("DTC")]:
                known = [text for text in frame[name].astype("str") if len(text) >= 10]
                assert all(pd.Timestamp(text) <= last for text in known), (domain, name)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (CUT.replace("[AE, EX", "[AE"), "the domain EX is mapped, and neither 'by_date' nor 'by_subject' says how"),
        (CUT.replace("AE,", "AD,"), "no mapped domain AD can be cut so"),
        (CUT.replace("  ongoing", "  by_subject: [LB]\n  ongoing"), "the domain LB is under 'by_subject' as well"),
        (CUT.replace("DM.RFICDTC", "DM.RFXSTDTC"), "no field gives a date to DM.RFXSTDTC"),
        (CUT.replace("DM.RFICDTC", "RFICDTC"), "'RFICDTC' is not a variable of a mapped domain"),
        (CUT.replace("EX: {EXTRT", "LB: {LBNAM"), "LB is not a domain with ends"),
        (CUT.replace("EXTRT: B", "EXTRTT: B"), "no field gives a value to EX.EXTRTT (did you mean 'EXTRT'?)"),
        (CUT.replace("by_date", "by_dates"), "'cut' has no key 'by_dates' (did you mean 'by_date'?)"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_data(small: Any, declared: str, said: str) -> None:
    cut(small, declared=declared)
    assert any(said in problem.message for problem in problems_of(str(small.folder))), problems_of(str(small.folder))
