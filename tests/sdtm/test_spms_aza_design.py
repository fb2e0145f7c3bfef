"""The bundled study's trial design, summary, relations, milestones, comments and criteria."""

from __future__ import annotations

import csv

import pandas as pd
import pytest

from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import Tabulation, tabulate


@pytest.fixture(scope="module")
def study() -> Study:
    return Study.open("spms_aza")


@pytest.fixture(scope="module")
def rows(study: Study) -> list[dict[str, str]]:
    with study.path("redcap/records_locked.csv").open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def tabulated(study: Study, records: pd.DataFrame | None = None) -> Tabulation:
    known = Records.read(study.project(), study.path("redcap/records_locked.csv"))
    given = known if records is None else Records.from_frame(known.project, records)
    return tabulate(read_mapping(study, given.project, Terminology.open(study)), given)


@pytest.fixture(scope="module")
def locked(study: Study) -> Tabulation:
    return tabulated(study)


def frame(tabulation: Tabulation, domain: str) -> pd.DataFrame:
    made = tabulation.datasets[domain].frame
    return made.astype({name: "str" for name in made.columns if made[name].dtype.kind != "f"})


def said(tabulation: Tabulation, parameter: str) -> list[str]:
    made = frame(tabulation, "TS")
    return made.loc[made["TSPARMCD"] == parameter, "TSVAL"].tolist()


def test_the_summary_says_that_the_data_are_synthetic(locked: Tabulation) -> None:
    assert "synthetic" in said(locked, "TITLE")[0].lower()
    assert said(locked, "KEYWORD") == ["Synthetic data"]


def test_dates_and_counts_of_the_summary_are_those_of_the_records(
    locked: Tabulation, rows: list[dict[str, str]]
) -> None:
    assert said(locked, "SSTDTC") == [min(row["icf_dtc"] for row in rows if row["icf_dtc"])]
    assert said(locked, "SENDTC") == [max(row["eos_dt"] for row in rows if row["eos_dt"])]
    assert said(locked, "DCUTDTC") == ["2001-12-31"]
    assert said(locked, "ACTSUB") == ["10"]
    lineage = locked.datasets["TS"].lineage
    assert set(lineage["source"].astype("str")) == {"DM"}


def test_a_parameter_without_value_has_a_null_flavor(locked: Tabulation) -> None:
    made = frame(locked, "TS")
    assert (made.loc[made["TSVAL"] == "", "TSVALNF"] != "").all()
    assert (made.loc[made["TSVAL"] != "", "TSVALNF"] == "").all()
    assert set(made.loc[made["TSPARMCD"].isin(["REGID", "STOPRULE"]), "TSVALNF"]) == {"NA", "UNK"}


def test_values_of_a_codelist_carry_their_concept_code(locked: Tabulation) -> None:
    made = frame(locked, "TS").set_index("TSPARMCD")
    assert made.loc["TBLIND", ["TSVAL", "TSVALCD", "TSVCDREF", "TSVCDVER"]].tolist() == [
        "OPEN LABEL",
        "C49659",
        "CDISC",
        "2019-09-27",
    ]


def test_arms_elements_and_visits_are_those_of_the_plan(locked: Tabulation) -> None:
    assert frame(locked, "TA")["ETCD"].tolist() == ["SCRN", "TRT", "FU"]
    assert set(frame(locked, "TE")["ETCD"]) == {"SCRN", "TRT", "FU"}
    visits = frame(locked, "TV")
    assert len(visits) == 14
    made = frame(locked, "SV")
    planned = made[made["VISITNUM"] == made["VISITNUM"].round()]
    assert set(planned["VISITNUM"]) <= set(visits["VISITNUM"])
    week = visits.set_index("VISITNUM").loc[3.0]
    assert week["TVSTRL"] == "Study day 15, from 3 days before to 3 days after it"


def test_nobody_failed_a_criterion_so_that_there_is_no_ie(locked: Tabulation) -> None:
    assert "IE" not in locked.datasets
    assert len(frame(locked, "TI")) == 10


def test_a_criterion_that_is_not_met_gives_one_record_with_the_text_of_ti(study: Study) -> None:
    changed = Records.read(study.project(), study.path("redcap/records_locked.csv")).frame.copy()
    at = changed.index[changed["record_id"].eq("003") & changed["ie_dt"].ne("")]
    changed.loc[at, ["inc03___1", "inc03___2"]] = "0"
    changed.loc[at, "exc02"] = "1"
    made = tabulated(study, changed)
    failed = frame(made, "IE").set_index("IETESTCD")
    assert failed["IEORRES"].to_dict() == {"INCL03": "N", "EXCL02": "Y"}
    criteria = frame(made, "TI").set_index("IETESTCD")
    assert (failed["IETEST"] == criteria.loc[failed.index, "IETEST"]).all()
    assert (failed["IECAT"] == criteria.loc[failed.index, "IECAT"]).all()
    assert made.withheld.empty


def test_each_steroid_course_is_related_to_the_relapse_that_it_treats(
    locked: Tabulation, rows: list[dict[str, str]]
) -> None:
    expected = {
        (row["record_id"], row["redcap_repeat_instance"], row["cm_relno"])
        for row in rows
        if row["cm_relno"] and row["cm_relno"].isdigit()
    }
    assert related_pairs(locked, "CM", "CE") == expected
    assert len(expected) == 14


def test_the_withdrawal_is_related_to_its_adverse_event(locked: Tabulation) -> None:
    pairs = related_pairs(locked, "DS", "AE")
    assert [(subject, event) for subject, _, event in pairs] == [("004", "5")]


def test_medications_are_related_to_the_events_that_they_treat(locked: Tabulation, rows: list[dict[str, str]]) -> None:
    expected = {(row["record_id"], row["redcap_repeat_instance"], row["cm_aeno"]) for row in rows if row["cm_aeno"]}
    assert related_pairs(locked, "CM", "AE") == expected


def related_pairs(tabulation: Tabulation, origin: str, target: str) -> set[tuple[str, str, str]]:
    """Return subject, and the REDCap instances of both records, of every relation between two domains."""
    made = frame(tabulation, "RELREC")
    sides = []
    for domain in (origin, target):
        records = frame(tabulation, domain)
        keyed = records.assign(IDVARVAL=records[f"{domain}SEQ"].astype(int).astype("str"))
        side = made[(made["RDOMAIN"] == domain) & (made["IDVAR"] == f"{domain}SEQ")]
        sides.append(side.merge(keyed[["USUBJID", "IDVARVAL", f"{domain}SPID"]], on=["USUBJID", "IDVARVAL"]))
    both = sides[0].merge(sides[1], on=["USUBJID", "RELID"])
    first, other = (both[f"{domain}SPID"].str.rsplit("/", n=1).str[-1] for domain in (origin, target))
    return set(zip(both["USUBJID"].str[-3:], first, other, strict=True))


def test_procedures_and_their_findings_are_related_as_datasets(locked: Tabulation) -> None:
    made = frame(locked, "RELREC")
    whole = made[made["USUBJID"] == ""].set_index("RDOMAIN")
    assert whole["RELTYPE"].to_dict() == {"PR": "ONE", "MO": "MANY"}
    assert whole["IDVAR"].to_dict() == {"PR": "PRLNKID", "MO": "MOLNKID"}
    assert whole["RELID"].nunique() == 1


def test_a_link_to_nothing_is_withheld(study: Study) -> None:
    changed = Records.read(study.project(), study.path("redcap/records_locked.csv")).frame.copy()
    at = changed.index[changed["record_id"].eq("001") & changed["cm_relno"].eq("2")]
    changed.loc[at, "cm_relno"] = "9"
    made = tabulated(study, changed)
    assert made.withheld[["field", "domain"]].to_numpy().tolist() == [["cm_relno", "RELREC"]]
    assert len(related_pairs(made, "CM", "CE")) == 13


def test_milestones_are_the_relapses_confirmed_without_fever(locked: Tabulation, rows: list[dict[str, str]]) -> None:
    made = frame(locked, "SM")
    assert len(made) == sum(row["rel_conf"] == "1" and row["rel_fever"] == "0" for row in rows)
    assert set(made["MIDSTYPE"]) == set(frame(locked, "TM")["MIDSTYPE"])
    dated = made[made["USUBJID"].str.endswith("002")].sort_values("SMSTDTC")
    assert dated["MIDS"].tolist() == ["RELAPSE1", "RELAPSE2", "RELAPSE3"]


def test_every_comment_is_there_whole_and_leads_to_its_records(locked: Tabulation, rows: list[dict[str, str]]) -> None:
    made = frame(locked, "CO")
    fields = ("ae_narr", "rel_txt", "pe_txt", "edss_com", "hem_com", "cog_com")
    stored = sorted(len(" ".join(row[name].split())) for row in rows for name in fields if row[name])
    texts = [" ".join(part for part in parts if part) for parts in made.filter(regex="^COVAL").to_numpy()]
    assert sorted(map(len, texts)) == stored
    assert max(stored) > 200
    for domain, group in made.groupby("RDOMAIN"):
        parents = frame(locked, str(domain))
        known = set(zip(parents["USUBJID"], parents[f"{domain}SPID"], strict=True))
        assert set(zip(group["USUBJID"], group["IDVARVAL"], strict=True)) <= known
        assert set(group["IDVAR"]) == {f"{domain}SPID"}
