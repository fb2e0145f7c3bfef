"""Each line of the first study's plan, on both sides of its limits: a patient a case, all of them judged at once."""

from __future__ import annotations

from functools import cache

import pandas as pd
import pytest

from tests.monitoring.hand_made import AS_OF, CONTROL, Patient, day, found, parts, plan

NONE: list[str] = []
Case = tuple[str, list[str], Patient]
CASES: list[Case] = []


def case(rule: str, levels: list[str] | str, sex: str = "2", tpmt: str = "1") -> Patient:
    """Add a patient of whom a rule must find just these levels."""
    patient = Patient(f"{len(CASES) + 1:03d}", sex, tpmt)
    CASES.append((rule, [levels] if isinstance(levels, str) else levels, patient))
    return patient


# Counts: the limit itself is not below it.
for rule, test, steps in (
    ("leukocytes", "wbc", [("3.5", ""), ("3.49", "review"), ("3.0", "review"), ("2.99", "halve"), ("2.0", "halve"),
                           ("1.99", "hold both")]),
    ("neutrophils", "neut", [("1.6", ""), ("1.59", "review"), ("1.0", "review"), ("0.99", "hold"), ("0.75", "hold"),
                             ("0.74", "hold both")]),
    ("lymphocytes", "lym", [("1.49", ""), ("0.8", ""), ("0.79", "review"), ("0.6", "review"), ("0.59", "halve"),
                            ("0.5", "halve"), ("0.49", "hold")]),
    ("platelets", "plat", [("140", ""), ("139", "review"), ("100", "review"), ("99", "hold"), ("50", "hold"),
                           ("49", "hold both")]),
    ("amylase", "amylase", [("200", ""), ("200.1", "review")]),
    ("transaminases", "alt", [("87.5", ""), ("87.6", "review"), ("175", "review"), ("175.1", "hold"), ("280", "hold"),
                              ("280.1", "hold both")]),
    ("transaminases", "ast", [("80", ""), ("80.1", "review")]),
):  # fmt: skip
    for value, level in steps:
        case(rule, level or NONE).labs(10, **{test: value, **({"bili": "0.6"} if test == "alt" else {})})
# As the other laboratory reports: cells per mm3, and ukat/L of which 0.58 is the upper limit.
case("leukocytes", "review").labs(10, units={"wbc": "2"}, wbc="3490")
case("leukocytes", NONE).labs(10, units={"wbc": "2"}, wbc="3500")
case("transaminases", NONE).labs(10, lab="1", units={"alt": "12"}, alt="1.45")
case("transaminases", "review").labs(10, lab="1", units={"alt": "12"}, alt="1.46")
# More than 100 U/L, where 2.5 times a man's limit is more.
case("transaminases", NONE, sex="1").labs(10, alt="100")
case("transaminases", "review", sex="1").labs(10, alt="100.1")
# More than 5 times the limit for two weeks, each result between as well.
case("transaminases", ["hold"] * 2).labs(10, alt="176").labs(23, alt="176", bili="0.6").labs(10, bili="0.6")
case("transaminases", ["hold", "hold both"]).labs(10, alt="176", bili="1").labs(24, alt="176", bili="1")
case("transaminases", ["hold", "hold", "review"]).labs(10, alt="176", bili="1").labs(17, alt="170", bili="1").labs(
    24, alt="176", bili="1"
)
# More than 3 times the limit with bilirubin above twice its own, of the same day.
case("transaminases", "review").labs(10, alt="106", bili="2.2")
case("transaminases", "hold both").labs(10, alt="106", bili="2.3")
case("transaminases", "hold both").labs(10, alt="106").labs(10, bili="2.3")
case("transaminases", "review").labs(10, alt="105", bili="2.3")
case("transaminases/not judged", "review").labs(10, alt="106").labs(11, bili="2.3")
case("transaminases/not judged", NONE).labs(10, alt="105")
for volume, level in (("105", NONE), ("105.1", "review")):
    case("volume", level).at("w2_arm_1", hem_dt=day(14), hem_lab="2", mcv=volume, mcv_u="10")
# A fall of more than 10 % at three controls running.
for last, level in (("7.11", "review"), ("7.12", NONE)):
    falling = case("falls", level).labs(1, wbc="10").labs(8, wbc="8.9").labs(15, wbc="7.91")
    falling.labs(22, wbc=last)
case("falls", NONE).labs(1, wbc="10").labs(8, wbc="8").labs(15, wbc="8").labs(22, wbc="6").labs(29, wbc="4.5")

# Fever, and neutrophils of at most three days before or after.
for degrees, count, apart, level in (
    ("38,0", "1.49", 3, "hold both"), ("37,9", "1.49", 0, NONE), ("38,0", "1.5", 0, NONE),
    ("38,5", "1.4", 0, "hold both"),
):  # fmt: skip
    feverish = case("fever", level).at("w2_arm_1", vs_dt=day(14), temp=degrees)
    feverish.labs(14 - apart, neut=count)
case("fever", "hold both").at("w2_arm_1", vs_dt=day(14), temp="39,0").labs(17, neut="1.4")
case("fever", NONE).at("w2_arm_1", vs_dt=day(14), temp="39,0").labs(18, neut="1.4")
case("fever/not judged", "review").at("w2_arm_1", vs_dt=day(14), temp="39,0").labs(10, neut="1.4")
case("fever/not judged", NONE).at("w2_arm_1", vs_dt=day(14), temp="37,9")

# EDSS: from the last one on or before the first day of azathioprine.
for worse, level in (("5,0", "review"), ("4,5", NONE)):
    case("edss", level).takes().at("baseline_arm_1", edss_dt=day(0), edss="4,0").at(
        "m3_arm_1", edss_dt=day(90), edss=worse
    )
case("edss", NONE).takes().at("baseline_arm_1", edss_dt=day(-1), edss="4,0").at("m3_arm_1", edss_dt=day(0), edss="6,0")
case("edss/not judged", "review").takes().at("m3_arm_1", edss_dt=day(90), edss="4,0")

# What is reported.
for serious, level in (("1", "review"), ("0", NONE)):
    case("serious", level).log("ae", ae_term="Fall", ae_ser=serious, **parts("ae_st", 20))
case("serious/not judged", "review").log("ae", ae_term="Fall", **parts("ae_st", 20))
case("serious", "review").log("ae", ae_term="Not coded, and without a date", ae_ser="1")
for medicine, start, end, level in (
    ("Allopurinol", -30, 0, "hold"), ("Allopurinol", -30, -1, NONE), ("ALOPURINÓL 100", 100, 120, "hold"),
    ("Allopurinol", 101, 120, NONE), ("Paracetamol", 10, 20, NONE),
):  # fmt: skip
    case("allopurinol", level).takes(end=100).log(
        "cm", cm_trt=medicine, **parts("cm_st", start), **parts("cm_end", end)
    )

# Thiopurine methyltransferase: 75 mg a day at most with half of it, nothing without it.
for result, dose, level in (
    ("1", "50", NONE), ("2", "25", NONE), ("2", "26", "hold"), ("3", "0", NONE), ("3", "1", "hold"),
):  # fmt: skip
    case("tpmt", level, tpmt=result).takes(dose=dose)
case("tpmt/not judged", "review", tpmt="").takes()
case("tpmt/not judged", NONE, tpmt="")

# Visits: the window of week 2 ends on study day 18; one that is accounted for is not overdue.
for offset, level in ((17, NONE), (18, "review")):
    case("visits", level).visit("baseline_arm_1", 0).visit("w2_arm_1", offset).at("et_arm_1", eos_dt=day(20))
case("visits", "review").visit("baseline_arm_1", 0).at("et_arm_1", eos_dt=day(20))
case("visits", NONE).visit("baseline_arm_1", 0).at("w2_arm_1", vis_done="0").at("et_arm_1", eos_dt=day(20))
case("visits", NONE).visit("baseline_arm_1", 0).at("et_arm_1", eos_dt=day(14))

# Controls: three days of grace, all tests, and a schedule that begins anew.
for offset, level in ((10, NONE), (11, "review")):
    case("controls", level).takes(end=13).labs(offset, **CONTROL)
case("controls", "review").takes(end=13).labs(7, **{name: value for name, value in CONTROL.items() if name != "ast"})
case("controls", NONE).takes(end=13).labs(6, wbc="6", neut="4", lym="2", plat="200").labs(
    9, alt="20", ast="20", bili="1"
)
case("controls", NONE).takes(end=6)
case("controls", ["review"] * 2).takes(end=6).takes(start=20, end=27, dose="25").takes(start=28, end=35)
case("controls", "review").takes(end=6).takes(start=7, end=40, dose="25").at("et_arm_1", eos_dt=day(17))
case("controls", ["review"] * 2).takes(end=6).takes(start=7, end=40, dose="25").at("et_arm_1", eos_dt=day(18))
case("controls", NONE).takes(end=8).takes(start=9, end=13, drug="1", dose="8", freq="1").labs(4, **CONTROL)

# After a hold: repeated within three days, resumed at half of the dose after two good controls.
LOW = {**CONTROL, "plat": "99"}
for repeat, level in ((13, NONE), (14, "hold")):
    case("after-hold/repeat", level).labs(10, **LOW).labs(repeat, **CONTROL)
case("after-hold/repeat", NONE).labs(10, **CONTROL)
case("after-hold/repeat", NONE).labs(10, **LOW).at("et_arm_1", eos_dt=day(13))
for controls, level in (((13, 20), NONE), ((13,), "hold"), ((11, 12, 13), NONE)):
    resumed = case("after-hold/resumed early", level).takes(end=10).labs(10, **LOW).takes(start=21, freq="4")
    for offset in controls:
        resumed.labs(offset, **CONTROL)
between = case("after-hold/resumed early", "hold").takes(end=10).labs(10, **LOW).takes(start=21, freq="4")
between.labs(12, **CONTROL).labs(13, **{**CONTROL, "plat": "139"}).labs(20, **CONTROL)
for dose, level in (("25", NONE), ("26", "hold")):
    case("after-hold/dose", level).takes(end=10).labs(10, **LOW).labs(13, **CONTROL).labs(20, **CONTROL).takes(
        21, dose=dose
    )
case("after-hold/dose", NONE).takes(end=10).labs(10, **CONTROL).takes(start=21)

# What cannot be judged is an alert, and no grade 0.
case("doses", "review").takes(freq="9")
case("doses", NONE).takes(freq="4")
case("leukocytes/not judged", "review").labs(10, units={"wbc": ""}, wbc="6")
case("leukocytes/not judged", "review").labs(10, units={"wbc": "99"}, wbc="6")
case("leukocytes/not judged", "review").labs(10, wbc="clotted")
case("leukocytes/not judged", "review").labs(10, wbc="<2")  # the form takes numbers only
case("transaminases/not judged", "review").labs(10, lab="", alt="20")
case("transaminases", "review").labs(10, lab="", alt="101")
case("leukocytes/not judged", "review").log("labs_unsched", u_lab="2", u_wbc="6", u_wbc_u="1")
case("leukocytes/not judged", "review").log("labs_unsched", u_dt="2009-01-04", u_lab="2", u_wbc="6", u_wbc_u="1")
case("leukocytes/not judged", NONE).log("labs_unsched", u_dt=day(10), u_lab="2", u_wbc_nd___1="1")


@cache
def everything() -> pd.DataFrame:
    return found(patient for _, _, patient in CASES)


@pytest.mark.parametrize(
    ("rule", "levels", "patient"), CASES, ids=[f"{i:03d}-{rule}" for i, (rule, *_) in enumerate(CASES, 1)]
)
def test_a_line_is_met_on_its_side_of_the_limit_only(rule: str, levels: list[str], patient: Patient) -> None:
    rows = everything()
    own = rows[(rows["record"] == patient.record) & (rows["rule"] == rule)]
    assert sorted(own["level"]) == levels
    assert set(own["subject"]) <= {f"02-{patient.record}"}


def test_every_line_has_a_case_on_either_side() -> None:
    rules, _ = plan()
    for rule in rules.rules:
        sides = {bool(levels) for name, levels, _ in CASES if name.split("/")[0] == rule.id}
        assert sides == {True, False}, rule.id
        assert rule.source


def test_a_level_counts_from_the_day_on_which_it_could_be_known() -> None:
    patient = Patient("001").at("w2_arm_1", vs_dt=day(14), temp="39,0").labs(16, neut="1.4")
    rows = found([patient]).set_index("rule")
    assert str(rows.loc["fever", "since"].date()) == day(16)
    assert str(rows.loc["fever/not judged", "since"].date()) == day(14)
    assert list(found([patient], as_of=day(15), dated=AS_OF)["rule"]) == ["fever/not judged"]


def test_a_record_without_a_number_is_still_watched() -> None:
    rows = found([Patient("007", subject="").labs(10, wbc="1")])
    assert list(rows["subject"].unique()) == ["record 007"]


def test_findings_hold_no_values() -> None:
    rows = everything()
    texts = rows[["rule", "level", "key", "event", "form", "instance", "about"]].stack()
    assert not texts.str.contains(r"1\.99|280\.1|38,0|clotted|Allopurinol", regex=True).any()


def test_nothing_is_due_and_nothing_found_without_records() -> None:
    assert found([Patient("001")]).empty
