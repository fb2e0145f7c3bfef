"""The locked records against the oracle of ten courses, recomputed from the committed CSV by plain arithmetic."""

from __future__ import annotations

import csv
import datetime
import itertools
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "mappings" / "spms_aza"
ORACLE = list(csv.DictReader((FOLDER / "synthetic/oracle.csv").open()))
ROWS = list(csv.DictReader((FOLDER / "redcap/records_locked.csv").open(encoding="utf-8")))
EVENTS = {"0": "baseline_arm_1", "6": "m6_arm_1", "12": "m12_arm_1", "18": "m18_arm_1", "24": "m24_arm_1"}
patients = pytest.mark.parametrize("patient", ORACLE, ids=lambda patient: str(patient["id"]))


def at(record: str, event: str) -> dict[str, str]:
    """The base row of a record in an event; empty if there is none."""
    own = [row for row in ROWS if row["record_id"] == record and row["redcap_event_name"] == event]
    return next((row for row in own if row["redcap_repeat_instance"] == ""), {})


def log(record: str, form: str) -> list[dict[str, str]]:
    """The instances of a repeating form."""
    return [row for row in ROWS if row["record_id"] == record and row["redcap_repeat_instrument"] == form]


def number(text: str) -> float:
    return float(text.replace(",", "."))


def day(record: str, iso: str) -> int:
    """Study day: the day of the baseline visit is 1, the day before is -1."""
    first = datetime.date.fromisoformat(at(record, "baseline_arm_1")["vis_dt"])
    apart = (datetime.date.fromisoformat(iso) - first).days
    return apart + 1 if apart >= 0 else apart


def lymphocytes(record: str) -> Iterator[tuple[int, float]]:
    """Study day and 10^9/L of every count, measured or derived from leukocytes and percentage."""
    factor = {"1": 1.0, "2": 0.001}
    for row in ROWS:
        if row["record_id"] == record:
            for prefix, date in (("", "hem_dt"), ("u_", "u_dt")):
                if row[f"{prefix}lym"]:
                    yield day(record, row[date]), float(row[f"{prefix}lym"]) * factor[row[f"{prefix}lym_u"]]
                elif row[f"{prefix}lympc"]:
                    cells = float(row[f"{prefix}wbc"]) * factor[row[f"{prefix}wbc_u"]]
                    yield day(record, row[date]), cells * float(row[f"{prefix}lympc"]) / 100


def test_ten_enrolled_six_women_eight_completed() -> None:
    first = [at(patient["id"], "screening_arm_1") for patient in ORACLE]
    assert len({row["record_id"] for row in ROWS}) == 10
    assert [row["sex"] for row in first].count("2") == 6
    ends = [row["eos_status"] for row in ROWS if row["eos_status"]]
    assert sorted(ends) == ["1"] * 8 + ["2", "3"]
    assert statistics.median(number(row["edss_scr"]) for row in first) == 4.5


@patients
def test_sex_age_and_status(patient: dict[str, str]) -> None:
    first = at(patient["id"], "screening_arm_1")
    assert first["sex"] == {"M": "1", "F": "2"}[patient["sex"]]
    assert first["age"] == patient["age"]
    born = datetime.date(int(first["birth_yyyy"]), int(first["birth_mm"]), int(first["birth_dd"]))
    signed = datetime.date.fromisoformat(first["icf_dtc"])
    had_birthday = (signed.month, signed.day) >= (born.month, born.day)
    assert signed.year - born.year - (not had_birthday) == int(patient["age"])
    ending = at(patient["id"], "m24_arm_1") or at(patient["id"], "et_arm_1")
    words = {"1": "COMPLETED", "2": "ADVERSE EVENT", "3": "NON-COMPLIANCE WITH STUDY DRUG"}
    assert words[ending["eos_status"]] == patient["status"]


@patients
def test_edss(patient: dict[str, str]) -> None:
    for month in ("0", "12", "24"):
        found = at(patient["id"], EVENTS[month]).get("edss", "")
        assert (number(found) if found else "") == (number(patient[f"edss{month}"]) if patient[f"edss{month}"] else "")
        if found:
            assert at(patient["id"], EVENTS[month])["edss_in_relapse"] == "0"


@patients
def test_relapses_by_period_and_eligibility(patient: dict[str, str]) -> None:
    first = at(patient["id"], "screening_arm_1")
    assert first["relpre_n"] == first["relpre_ster_n"] == patient["rel_pre"]
    onsets = []
    for row in log(patient["id"], "relapse"):
        known = row["rel_st_d"] if row["rel_st_d"] != "UNK" else "15"
        onsets.append(day(patient["id"], f"{row['rel_st_y']}-{int(row['rel_st_m']):02d}-{int(known):02d}"))
        assert row["rel_conf"] == "1"
    assert sum(1 <= onset <= 365 for onset in onsets) == int(patient["rel_y1"])
    assert sum(366 <= onset <= 730 for onset in onsets) == int(patient["rel_y2"] or 0)
    worse = number(first["edss_scr"]) - number(first["edss_prev"]) >= 0.5
    assert (first["inc03___1"], first["inc03___2"]) == (str(int(int(patient["rel_pre"]) >= 2)), str(int(worse)))
    assert int(patient["rel_pre"]) >= 2 or worse


@patients
def test_mri(patient: dict[str, str]) -> None:
    for month in ("0", "12", "24"):
        row = at(patient["id"], EVENTS[month])
        if patient[f"t2_{month}"]:
            litre = {"1": 1.0, "2": 0.001}[row["t2_vol_u"]]
            assert round(float(row["t2_vol"]) * litre, 6) == float(patient[f"t2_{month}"])
            assert row["gd_n"] == patient[f"gd{month}"]
            active = int(row["gd_n"]) + (int(row["newt2_n"]) if row["newt2_n"] != "NA" else 0)
            assert active == 0 or patient["id"] == "006"
        else:
            assert row.get("t2_vol", "") == ""


@patients
def test_peg_test(patient: dict[str, str]) -> None:
    for month in ("0", "12", "24"):
        row = at(patient["id"], EVENTS[month])
        if patient[f"hpt{month}"]:
            hands = [(float(row[f"nhpt_{hand}1"]) + float(row[f"nhpt_{hand}2"])) / 2 for hand in ("dom", "nd")]
            assert round(sum(hands) / 2, 6) == float(patient[f"hpt{month}"])
        else:
            assert row.get("nhpt_dom1", "") == ""


@patients
def test_cognition_composite(patient: dict[str, str]) -> None:
    norms = list(csv.DictReader((FOLDER / "norms.csv").open()))
    assert len(norms) == 6
    for month in ("0", "12", "24"):
        row = at(patient["id"], EVENTS[month])
        if patient[f"np{month}"]:
            scores = [(float(row[norm["test"]]) - float(norm["mean"])) / float(norm["sd"]) for norm in norms]
            assert abs(sum(scores) / 6 - float(patient[f"np{month}"])) < 0.002


@patients
def test_lowest_lymphocytes_after_day_one(patient: dict[str, str]) -> None:
    later = [count for at_day, count in lymphocytes(patient["id"]) if at_day > 1]
    assert round(min(later), 6) == float(patient["lym_nadir"])
    assert min(later) < 1.5
    assert all(count > 1.5 for at_day, count in lymphocytes(patient["id"]) if at_day <= 1)


@patients
def test_neutralising_antibodies(patient: dict[str, str]) -> None:
    for month in EVENTS:
        row = at(patient["id"], EVENTS[month])
        titre = patient[f"nab{month}"]
        assert row.get("nab_titre", "") == ("<20" if titre == "0" else titre)


def test_who_left_and_why() -> None:
    stopped = at("004", "et_arm_1")
    event = log("004", "ae")[int(stopped["eos_aeno"]) - 1]
    assert (event["ae_term"], event["ae_acn_aza"], event["redcap_repeat_instance"]) == ("Epigastric pain", "4", "5")
    assert any(row["dv_cat"] == "3" and row["dv_class"] == "2" for row in log("009", "deviations"))
    missed = [int(row["da_aza_miss"]) for row in ROWS if row["record_id"] == "009" and row["da_aza_miss"]]
    due = [int(row["da_aza_exp"]) for row in ROWS if row["record_id"] == "009" and row["da_aza_miss"]]
    assert sum(missed) / sum(due) > 0.3
    for record in ("004", "009"):
        assert at(record, "m12_arm_1") == at(record, "m24_arm_1") == {}


@patients
def test_exposure_does_not_overlap_and_ends_with_the_last_dose(patient: dict[str, str]) -> None:
    ending = at(patient["id"], "m24_arm_1") or at(patient["id"], "et_arm_1")
    for drug, last in (("1", "last_ifn"), ("2", "last_aza")):
        spans = [(row["ex_st"], row["ex_en"]) for row in log(patient["id"], "exposure") if row["ex_drug"] == drug]
        assert all(start <= end for start, end in spans)
        assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))
        assert (day(patient["id"], spans[0][0]), spans[-1][1]) == (1, ending[last])
    before = log(patient["id"], "cm")[0]
    end = datetime.date(int(before["cm_end_y"]), int(before["cm_end_m"]), int(before["cm_end_d"]))
    assert (before["cm_trt"], before["cm_cat"], day(patient["id"], end.isoformat())) == ("Interferon beta-1b", "1", -1)


@patients
def test_steroids_are_linked_to_relapses(patient: dict[str, str]) -> None:
    treated = {row["redcap_repeat_instance"] for row in log(patient["id"], "relapse") if row["rel_ster"] == "1"}
    courses = [row for row in log(patient["id"], "cm") if row["cm_cat"] == "2"]
    assert {row["cm_relno"] for row in courses} == treated
    assert len(courses) == len(treated)


@patients
def test_functional_systems_fit_the_edss(patient: dict[str, str]) -> None:
    systems = ("fs_pyr", "fs_cbl", "fs_bs", "fs_sens", "fs_bb", "fs_vis", "fs_cer")
    for row in ROWS:
        if row["record_id"] == patient["id"] and row["edss"]:
            grades = [int(row[name]) for name in systems if row[name] != "U"]
            assert max(grades) >= (4 if number(row["edss"]) >= 4.5 else 3) - 1
            assert number(row["edss"]) >= max(grades) - 0.5


def test_texts_of_life() -> None:
    texts = [value for row in ROWS for value in row.values()]
    assert sum(len(text) > 200 for text in texts) >= 4
    assert {"Síndrome pseudogripal", "Cefalea tensional"} <= {row["ae_term"] for row in ROWS}
    assert any("Vélez-Málaga" in row["dv_term"] for row in ROWS)
    assert any("Nº" in row["ae_narr"] for row in ROWS)
    for code in ("UNK", "NA", "NASK", "ND"):
        assert code in texts
