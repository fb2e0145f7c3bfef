"""The bundled study: its tabulations against the declared courses of its ten patients and the published numbers."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import Tabulation, tabulate


def tabulated(state: str) -> Tabulation:
    study = Study.open("spms_aza")
    records = Records.read(study.project(), study.path(f"redcap/records_{state}.csv"))
    return tabulate(read_mapping(study, records.project, Terminology.open(study)), records)


@pytest.fixture(scope="module")
def locked() -> Tabulation:
    return tabulated("locked")


@pytest.fixture(scope="module")
def oracle() -> dict[str, dict[str, str]]:
    path: Path = Study.open("spms_aza").path("synthetic/oracle.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["id"]: row for row in csv.DictReader(lines)}


def frame(tabulation: Tabulation, domain: str) -> pd.DataFrame:
    made = tabulation.datasets[domain].frame
    return made.astype({name: "str" for name in made.columns if made[name].dtype.kind != "f"})


def test_ten_subjects_of_whom_six_women(locked: Tabulation, oracle: dict[str, dict[str, str]]) -> None:
    subjects = frame(locked, "DM")
    assert len(subjects) == 10
    assert (subjects["SEX"] == "F").sum() == 6
    found = {row.USUBJID[-3:]: (row.SEX, row.AGE) for row in subjects.itertuples()}
    assert found == {name: (row["sex"], float(row["age"])) for name, row in oracle.items()}


def test_each_disposition_is_the_declared_one(locked: Tabulation, oracle: dict[str, dict[str, str]]) -> None:
    events = frame(locked, "DS")
    ends = events[events["DSCAT"] == "DISPOSITION EVENT"]
    assert dict(zip(ends["USUBJID"].str[-3:], ends["DSDECOD"], strict=True)) == {
        name: row["status"] for name, row in oracle.items()
    }
    assert (ends["DSDECOD"] == "COMPLETED").sum() == 8


@pytest.mark.parametrize(("visit", "column"), [("BASELINE", "edss0"), ("MONTH 12", "edss12"), ("MONTH 24", "edss24")])
def test_edss_is_the_declared_course(
    locked: Tabulation, oracle: dict[str, dict[str, str]], visit: str, column: str
) -> None:
    scores = frame(locked, "QS")
    scores = scores[(scores["QSTESTCD"] == "EDSS0101") & (scores["VISIT"] == visit)]
    declared = {name: float(row[column]) for name, row in oracle.items() if row[column]}
    assert dict(zip(scores["USUBJID"].str[-3:], scores["QSSTRESN"], strict=True)) == declared


@pytest.mark.parametrize(("visit", "column"), [("BASELINE", "t2_0"), ("MONTH 12", "t2_12"), ("MONTH 24", "t2_24")])
def test_lesion_volume_is_the_declared_course_in_millilitres(
    locked: Tabulation, oracle: dict[str, dict[str, str]], visit: str, column: str
) -> None:
    volumes = frame(locked, "MO")
    volumes = volumes[(volumes["MOTESTCD"] == "T2LSVOL") & (volumes["VISIT"] == visit)]
    assert set(volumes["MOSTRESU"]) == {"mL"}
    declared = {name: float(row[column]) for name, row in oracle.items() if row[column]}
    assert dict(zip(volumes["USUBJID"].str[-3:], volumes["MOSTRESN"], strict=True)) == declared


def test_every_subject_has_a_baseline_of_each_kind(locked: Tabulation) -> None:
    flagged = {
        "QS": ("QSLOBXFL", "QSTESTCD", "EDSS0101"),
        "MO": ("MOBLFL", "MOTESTCD", "T2LSVOL"),
        "LB": ("LBLOBXFL", "LBTESTCD", "LYM"),
    }
    for domain, (flag, test, code) in flagged.items():
        made = frame(locked, domain)
        chosen = made[(made[flag] == "Y") & (made[test] == code)]
        assert chosen["USUBJID"].nunique() == len(chosen) == 10, domain


def test_mo_flags_agree(locked: Tabulation) -> None:
    made = frame(locked, "MO")
    assert made["MOBLFL"].tolist() == made["MOLOBXFL"].tolist()


def test_lymphocytes_have_no_who_grade(locked: Tabulation) -> None:
    made = frame(locked, "LB")
    graded = set(made.loc[made["LBTOXGR"] != "", "LBTESTCD"])
    assert graded == {"HGB", "WBC", "NEUT", "PLAT", "BILI", "ALT", "AST", "ALP", "UREA", "CREAT", "PROT"}


def test_both_laboratories_report_in_the_same_standard_units(locked: Tabulation) -> None:
    made = frame(locked, "LB")
    units = made[made["LBSTRESU"] != ""].groupby("LBTESTCD")["LBSTRESU"].unique().map(list)
    assert all(len(found) == 1 for found in units)
    assert set(made.loc[made["LBTESTCD"] == "WBC", "LBORRESU"]) - {""} == {"10^9/L", "10^6/L"}


def test_every_dated_visit_record_lies_in_its_visit(locked: Tabulation) -> None:
    visits = frame(locked, "SV").set_index(["USUBJID", "VISITNUM"])[["SVSTDTC", "SVENDTC"]]
    for domain, date in (("LB", "LBDTC"), ("QS", "QSDTC"), ("MO", "MODTC")):
        made = frame(locked, domain)
        made = made[made["VISITNUM"].notna() & (made[date] != "")].join(visits, on=["USUBJID", "VISITNUM"])
        assert ((made["SVSTDTC"] <= made[date]) & (made[date] <= made["SVENDTC"])).all(), domain


def test_meddra_columns_are_there_and_null(locked: Tabulation) -> None:
    made = frame(locked, "AE")
    for name in ("AELLT", "AEHLT", "AEHLGT", "AESOC"):
        assert set(made[name]) == {""}
    for name in ("AELLTCD", "AEPTCD", "AEHLTCD", "AEHLGTCD", "AEBDSYCD", "AESOCCD"):
        assert made[name].isna().all()
    assert (made["AEDECOD"] != "").all()
    assert (made["AEBODSYS"] != "").all()


def test_nothing_of_the_locked_state_is_withheld(locked: Tabulation) -> None:
    assert locked.withheld.empty


def test_identifiers_are_declared_not_submitted(locked: Tabulation) -> None:
    identifiers = {
        name for name, found in Study.open("spms_aza").project().dictionary.fields.items() if found.is_identifier
    }
    assert identifiers <= set(locked.not_submitted["field"])


def test_as_entered_only_what_cannot_be_represented_is_withheld() -> None:
    listed = tabulated("as_entered").withheld
    assert set(listed["field"]) == {
        "nab_dt",
        "alt",
        "creat_u",
        "ae_st_y",
        "ae_st_m",
        "ae_st_d",
        "vs_pos",
        "cm_relno",
        "creat",
        "mcv_nd",
        "nab_titre",  # no standard result, and a result beside "not done"
    }


def test_text_is_plain_and_fits(locked: Tabulation) -> None:
    for name, dataset in locked.datasets.items():
        for variable in dataset.metadata.variables:
            if variable.type == "Char":
                values = dataset.frame[variable.name].astype("str")
                assert values.str.fullmatch(r"[ -~]{0,200}").all(), f"{name}.{variable.name}"
            assert len(variable.label) <= 40
            assert variable.origin or variable.core == "Exp", f"{name}.{variable.name}"


def test_edges_stay_inside_their_frames(locked: Tabulation) -> None:
    records = len(
        Records.read(Study.open("spms_aza").project(), Study.open("spms_aza").path("redcap/records_locked.csv")).frame
    )
    for dataset in locked.datasets.values():
        lineage = dataset.lineage
        assert lineage["row"].between(0, len(dataset.frame) - 1).all()
        for source, rows in lineage.groupby("source", observed=True)["source_row"]:
            last = records if source == "REDCAP" else len(locked.datasets[str(source)].frame)
            assert rows.between(0, last - 1).all()
        assert set(lineage["variable"].astype("str")) <= {*dataset.metadata.names, "*"}


def test_at_an_earlier_cut_off_an_adverse_event_that_ends_later_goes_on(locked: Tabulation) -> None:
    """Held against the uncut datasets, by the first ten characters of their dates alone."""
    last = "2000-06-30"
    study = Study.open("spms_aza")
    study.declared = replace(study.declared, cutoff=last)
    records = Records.read(study.project(), study.path("redcap/records_locked.csv"))
    made = tabulate(read_mapping(study, records.project, Terminology.open(study)), records)
    keys = ["USUBJID", "AESPID"]
    uncut, cut = (frame(one, "AE").set_index(keys).sort_index() for one in (locked, made))
    begun = uncut[uncut["AESTDTC"].str.ljust(10, "0") <= last]
    assert 0 < len(begun) < len(uncut) and cut.index.equals(begun.index)
    later = begun["AEENDTC"].str.ljust(10, "0") > last
    assert later.sum() == 1
    assert cut.loc[later, ["AEENDTC", "AEOUT", "AEENRTPT", "AEENTPT"]].to_numpy().tolist() == [
        ["", "NOT RECOVERED/NOT RESOLVED", "ONGOING", last]
    ]
    same = ["AETERM", "AESTDTC", "AEENDTC", "AEOUT", "AESTDY"]
    pd.testing.assert_frame_equal(cut.loc[~later, same], begun.loc[~later, same])
    assert set(cut["AEENTPT"]) <= {"", last} | set(frame(locked, "DM")["RFPENDTC"])
    kept = frame(locked, "LB")
    assert len(frame(made, "LB")) == (kept["LBDTC"].str[:10] <= last).sum()
    summary = frame(made, "TS")
    assert summary.loc[summary["TSPARMCD"] == "DCUTDTC", "TSVAL"].tolist() == [last]
