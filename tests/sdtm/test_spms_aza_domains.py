"""The bundled study's events, interventions and findings beside the first nine domains, against the records by csv."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict

import pandas as pd
import pytest

from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import Tabulation, tabulate


@pytest.fixture(scope="module")
def locked() -> Tabulation:
    study = Study.open("spms_aza")
    records = Records.read(study.project(), study.path("redcap/records_locked.csv"))
    return tabulate(read_mapping(study, records.project, Terminology.open(study)), records)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with Study.open("spms_aza").path("redcap/records_locked.csv").open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def oracle() -> dict[str, dict[str, str]]:
    with Study.open("spms_aza").path("synthetic/oracle.csv").open(encoding="utf-8", newline="") as lines:
        return {row["id"]: row for row in csv.DictReader(lines)}


def frame(tabulation: Tabulation, domain: str) -> pd.DataFrame:
    made = tabulation.datasets[domain].frame
    plain = made.astype({name: "str" for name in made.columns if made[name].dtype.kind != "f"})
    return plain.assign(subject=plain["USUBJID"].str[-3:]) if "USUBJID" in plain else plain


def test_relapses_on_study_are_the_declared_ones(locked: Tabulation, oracle: dict[str, dict[str, str]]) -> None:
    declared = {name: int(row["rel_y1"] or 0) + int(row["rel_y2"] or 0) for name, row in oracle.items()}
    found = Counter(frame(locked, "CE")["subject"])
    assert {name: found[name] for name in declared} == declared


def test_relapses_before_the_study_are_the_declared_ones(locked: Tabulation, oracle: dict[str, dict[str, str]]) -> None:
    made = frame(locked, "FA")
    made = made[made["FATESTCD"] == "NUMRLPS"]
    assert dict(zip(made["subject"], made["FASTRESN"], strict=True)) == {
        name: float(row["rel_pre"]) for name, row in oracle.items()
    }
    assert set(made["FAEVLINT"]) == {"-P1Y"}
    assert set(made["FAOBJ"]) == {"MULTIPLE SCLEROSIS RELAPSE"}


def test_an_onset_of_which_only_the_month_is_known_stays_partial_and_has_its_epoch(locked: Tabulation) -> None:
    made = frame(locked, "CE")
    partial = made[(made["subject"] == "006") & (made["CESTDTC"] == "2000-08")]
    assert partial["CESTDY"].isna().all()
    assert partial["EPOCH"].tolist() == ["TREATMENT"]


def test_every_relapse_says_whether_it_was_confirmed_and_treated(locked: Tabulation) -> None:
    extra = frame(locked, "SUPPCE")
    for name in ("CECONF", "CESTER", "CEFEVER", "CEHOSP"):
        assert (extra["QNAM"] == name).sum() == 16
    hospital = extra[(extra["QNAM"] == "CEHOSP") & (extra["QVAL"] == "Y")]
    assert sorted(hospital["subject"]) == ["002", "006"]


def test_steroid_courses_treat_relapses(locked: Tabulation, rows: list[dict[str, str]]) -> None:
    made = frame(locked, "CM")
    courses = Counter(made.loc[made["CMCAT"] == "RELAPSE TREATMENT", "subject"])
    assert courses == Counter(row["record_id"] for row in rows if row["cm_cat"] == "2")
    assert set(made.loc[made["CMCAT"] == "RELAPSE TREATMENT", "CMINDC"]) == {"Multiple sclerosis relapse"}


def test_interferon_before_the_study_ends_the_day_before_day_one(locked: Tabulation) -> None:
    made = frame(locked, "CM")
    before = made[made["CMCAT"] == "PRIOR MS THERAPY"]
    assert len(before) == 10
    assert set(before["CMENDY"]) == {-1.0}
    assert set(before["CMSTRTPT"]) == {"BEFORE"}


def test_ongoing_medication_is_related_to_the_end_of_participation(locked: Tabulation) -> None:
    made, subjects = frame(locked, "CM"), frame(locked, "DM").set_index("USUBJID")
    ongoing = made[made["CMENRTPT"] == "ONGOING"]
    assert (ongoing["CMENDTC"] == "").all()
    assert (ongoing["CMENTPT"] == ongoing["USUBJID"].map(subjects["RFPENDTC"])).all()
    assert (made.loc[made["CMENRTPT"] == "", "CMENTPT"] == "").all()


def test_the_disease_has_three_dated_milestones_before_entry(locked: Tabulation) -> None:
    made = frame(locked, "MH")
    disease = made[made["MHCAT"] == "PRIMARY DIAGNOSIS"]
    first = disease[disease["subject"] == "001"].set_index("MHEVDTYP")["MHSTDTC"].to_dict()
    assert first == {"SYMPTOM ONSET": "1986-04", "DIAGNOSIS": "1988-02", "ONSET OF PROGRESSION": "1995"}
    assert len(disease) == 30
    assert (made["MHCAT"] == "GENERAL").sum() == 22


def test_mean_of_four_peg_trials_is_the_declared_one(locked: Tabulation, oracle: dict[str, dict[str, str]]) -> None:
    made = frame(locked, "FT")
    trials = made[(made["FTTESTCD"] == "NHPT0101") & (made["VISIT"] == "BASELINE")]
    assert sorted(trials["FTREPNUM"].unique()) == [1.0, 2.0]
    assert set(trials["FTSCAT"]) == {"DOMINANT HAND", "NON-DOMINANT HAND"}
    means = trials.groupby("subject")["FTSTRESN"].mean()
    for name, row in oracle.items():
        assert means[name] == pytest.approx(float(row["hpt0"]), abs=0.06), name


def test_each_trial_of_both_hands_has_its_own_baseline(locked: Tabulation) -> None:
    made = frame(locked, "FT")
    flagged = made[(made["FTTESTCD"] == "NHPT0101") & (made["FTLOBXFL"] == "Y")]
    assert set(flagged.groupby("subject").size()) == {4}
    assert set(flagged["VISIT"]) == {"BASELINE"}


def test_tests_not_done_say_why(locked: Tabulation) -> None:
    for domain in ("FT", "VS", "PE", "DA", "SC", "IS", "FA"):
        made = frame(locked, domain)
        if f"{domain}STAT" not in made:
            continue
        missed = made[made[f"{domain}STAT"] == "NOT DONE"]
        assert (missed[f"{domain}ORRES"] == "").all()
        assert (missed[f"{domain}REASND"] != "").all(), domain
    tests = frame(locked, "FT")
    coded = tests[(tests["FTTESTCD"] == "SRTDR") & (tests["FTREASND"] == "NOT DONE")]
    assert len(coded) == 1  # a missing-data code stands for the result


def test_titres_are_the_declared_courses(locked: Tabulation, oracle: dict[str, dict[str, str]]) -> None:
    made = frame(locked, "IS").set_index(["subject", "VISIT"])
    visits = {"nab0": "BASELINE", "nab6": "MONTH 6", "nab12": "MONTH 12", "nab18": "MONTH 18", "nab24": "MONTH 24"}
    for name, row in oracle.items():
        for column, visit in visits.items():
            if row[column] and (name, visit) in made.index:
                assert made.loc[(name, visit), "ISSTRESC"] == (row[column] if row[column] != "0" else "<20")
    below = made["ISORRES"] == "<20"
    assert below.sum() == 34
    assert made.loc[below, "ISSTRESN"].isna().all()
    assert set(made["ISLLOQ"]) == {20.0}


def test_procedures_that_took_place_lead_to_their_findings(locked: Tabulation) -> None:
    procedures, findings = frame(locked, "PR"), frame(locked, "MO")
    assert procedures["PROCCUR"].value_counts().to_dict() == {"Y": 26, "N": 2}
    assert set(findings["MOLNKID"]) == set(procedures["PRLNKID"])
    assert procedures.loc[procedures["PROCCUR"] == "Y", "PRLNKID"].is_unique


def test_vital_signs_keep_the_number_as_it_was_measured(locked: Tabulation, rows: list[dict[str, str]]) -> None:
    made = frame(locked, "VS")
    expected: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row["temp"].replace(",", "").isdigit():
            expected[row["record_id"]].append(float(row["temp"].replace(",", ".")))
    temperatures = made[(made["VSTESTCD"] == "TEMP") & made["VSSTRESN"].notna()]
    found = {name: sorted(group["VSSTRESN"]) for name, group in temperatures.groupby("subject")}
    assert found == {name: sorted(values) for name, values in expected.items()}
    assert made["VSDTC"].str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d").all()


def test_accountability_sums_to_what_the_forms_say(locked: Tabulation, rows: list[dict[str, str]]) -> None:
    made = frame(locked, "DA")
    for drug, test, column in (
        ("AZATHIOPRINE", "DISPAMT", "da_aza_disp"),
        ("AZATHIOPRINE", "MISSAMT", "da_aza_miss"),
        ("INTERFERON BETA-1B", "RETAMT", "da_ifn_ret"),
    ):
        chosen = made[(made["DASCAT"] == drug) & (made["DATESTCD"] == test)]
        assert chosen["DASTRESN"].sum() == sum(float(row[column]) for row in rows if row[column].isdigit())
    assert made.groupby("DASCAT")["DAORRESU"].agg(lambda unit: "/".join(sorted(set(unit) - {""}))).to_dict() == {
        "AZATHIOPRINE": "TABLET",
        "INTERFERON BETA-1B": "VIAL",
    }


def test_a_long_deviation_goes_on_in_a_supplemental_value(locked: Tabulation, rows: list[dict[str, str]]) -> None:
    longest = max((row["dv_term"] for row in rows), key=len)
    made = frame(locked, "DV")
    start = made[made["DVTERM"].str.len() > 150]["DVTERM"].max()
    rest = frame(locked, "SUPPDV").query("QNAM == 'DVTERM1'")["QVAL"].tolist()
    assert len(longest) > 200
    assert any(f"{begin} {end}" == longest for begin in made["DVTERM"] for end in rest), start


def test_characteristics_of_the_subject(locked: Tabulation) -> None:
    made = frame(locked, "SC")
    hands = made[made["SCTESTCD"] == "HANDDOM"]
    assert hands["SCSTRESC"].value_counts().to_dict() == {"RIGHT": 8, "LEFT": 1, "AMBIDEXTROUS": 1}
    unknown = made[(made["SCTESTCD"] == "EDUYRNUM") & (made["SCSTAT"] == "NOT DONE")]
    assert unknown["SCREASND"].tolist() == ["UNKNOWN"]
