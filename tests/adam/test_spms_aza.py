"""The SPMS study from its locked records: expected values are the courses its patients were invented with."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from adam.build.analyse import analyse
from metadata.records import Records
from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.build.study_mapping import read_mapping
from sdtm.build.tabulate import tabulate
from tests.adam.trial import day, impossible_texts

BDS = ["ADEDSS", "ADLB", "ADMO"]


@pytest.fixture(scope="module")
def study():
    return Study.open("spms_aza")


@pytest.fixture(scope="module")
def sdtm(study):
    records = Records.read(study.project(), study.path("redcap/records_locked.csv"))
    return tabulate(read_mapping(study, records.project, Terminology.open(study)), records).datasets


@pytest.fixture(scope="module")
def adam(study, sdtm):
    return analyse(study, sdtm)


@pytest.fixture(scope="module")
def oracle(study):
    return pd.read_csv(study.path("synthetic/oracle.csv"), dtype={"id": str}).set_index("id")


def patients(dataset):
    """Return a dataset's frame with plain texts and the patient's number."""
    texts = {v.name: dataset.frame[v.name].astype("str") for v in dataset.metadata.variables if v.type == "Char"}
    return dataset.frame.assign(**texts, id=texts["USUBJID"].str[-3:])


def at_visit(dataset, parameter, visit):
    frame = patients(dataset)
    frame = frame[(frame["PARAMCD"] == parameter) & (frame["ANL01FL"] == "Y") & (frame["AVISIT"] == visit)]
    return frame.set_index("id")["AVAL"]


def check_against(found, expected):
    expected = expected.dropna()
    assert dict(found.round(9)) == dict(expected), found.name


@pytest.mark.parametrize(("visit", "column"), [("Baseline", "edss0"), ("Month 12", "edss12"), ("Month 24", "edss24")])
def test_edss(adam, oracle, visit, column):
    check_against(at_visit(adam["ADEDSS"], "EDSS", visit), oracle[column])


@pytest.mark.parametrize(("parameter", "stem"), [("T2LSVOL", "t2_"), ("GDLSCNT", "gd")])
def test_lesions(adam, oracle, parameter, stem):
    for visit, month in (("Baseline", 0), ("Month 12", 12), ("Month 24", 24)):
        check_against(at_visit(adam["ADMO"], parameter, visit), oracle[f"{stem}{month}"])


def test_lymphocyte_nadir_and_lymphopenia(adam, oracle):
    frame = patients(adam["ADLB"])
    frame = frame[frame["PARAMCD"] == "LYM"]
    nadir = frame[frame["DTYPE"] == "MINIMUM"].set_index("id")["AVAL"]
    check_against(nadir, oracle["lym_nadir"])
    low = frame[(frame["CRIT1FL"] == "Y") & (frame["ONTRTFL"] == "Y")]
    assert sorted(set(low["id"])) == sorted(oracle.index)


def test_disposition_and_populations(adam, oracle):
    frame = patients(adam["ADSL"]).set_index("id")
    status = frame["EOSSTT"].where(frame["EOSSTT"] == "COMPLETED", frame["DCSREAS"])
    assert dict(status) == dict(oracle["status"])
    assert dict(frame["SEX"]) == dict(oracle["sex"])
    assert dict(frame["AGE"]) == dict(oracle["age"])
    assert dict(frame["BEDSS"]) == dict(oracle["edss0"])
    assert dict(frame["BT2VOL"].round(9)) == dict(oracle["t2_0"])
    assert list(frame["SAFFL"]) == ["Y"] * 10
    assert (frame["COMPLFL"] == "Y").sum() == 8


def test_treatment_dates_are_first_and_last_day_of_azathioprine(adam):
    frame = patients(adam["ADSL"]).set_index("id")
    assert frame.loc["004", "TRTSDT"] == day("1999-01-12")
    assert frame.loc["004", "TRTEDT"] == day("1999-03-04")  # interferon went on to 10 March
    assert frame.loc["002", "TRTEDT"] == day("2000-10-17")  # three intervals of dosing
    assert frame.loc["004", "TRTDURD"] == 52


@pytest.mark.parametrize(
    ("patient", "number", "start", "flag", "end", "end_flag"),
    [
        ("001", "6", "2000-03-01", "D", "2000-03-31", "D"),  # 2000-03 to 2000-03
        ("005", "3", "1999-02-03", "M", None, ""),  # 1999, ongoing: the first dose was on 3 February 1999
        ("008", "6", "1999-02-18", "M", None, ""),  # 1999, ongoing: the first dose was on 18 February 1999
        ("001", "1", "1998-10-08", "", "1998-12-03", ""),
    ],
)
def test_imputed_dates_of_adverse_events(adam, patient, number, start, flag, end, end_flag):
    frame = patients(adam["ADAE"])
    (event,) = frame[(frame["id"] == patient) & frame["AESPID"].str.endswith(f"/{number}")].to_dict("records")
    assert (event["ASTDT"], event["ASTDTF"]) == (day(start), flag)
    assert event["AENDTF"] == end_flag
    assert event["AENDT"] == day(end) if end else np.isnan(event["AENDT"])
    assert event["TRTEMFL"] == "Y"


def test_relatedness_by_drug(adam):
    frame = patients(adam["ADAE"])
    nausea = frame[(frame["id"] == "004") & (frame["AETERM"].str.upper() == "NAUSEA")].iloc[0]
    assert (nausea["RELGR1"], nausea["RELGR2"], nausea["AREL"]) == ("RELATED", "NOT RELATED", "RELATED")
    assert nausea["AEACNAZA"] == "DRUG WITHDRAWN"
    assert (nausea["ASEVN"], nausea["ATOXGRN"]) == (3, 3)


@pytest.mark.parametrize(("name", "flag"), [("ADLB", "LBLOBXFL"), ("ADEDSS", "QSLOBXFL"), ("ADMO", "MOLOBXFL")])
def test_the_baseline_agrees_with_tabulation(adam, name, flag):
    frame = patients(adam[name])
    tabulated = frame[(frame.get("DTYPE", "") == "") & (frame["PARAMCD"] != "ACTLSCNT")]
    assert (tabulated["ABLFL"] == "Y").any()
    assert tabulated["ABLFL"].equals(tabulated[flag])


def test_who_grades_agree_with_tabulation(adam, sdtm):
    frame, lineage = patients(adam["ADLB"]), adam["ADLB"].lineage
    own = lineage[(lineage["variable"] == "*") & (lineage["source"] == "LB")].drop_duplicates("row", keep="first")
    tabulated = sdtm["LB"].frame["LBTOXGR"].astype("str").to_numpy()[own.sort_values("row")["source_row"]]
    who = (frame["ATOXSCH"] == "WHO 1979").to_numpy()
    assert who.sum() > 1000
    assert list(frame["ATOXGR"][who]) == list(tabulated[who])
    assert set(tabulated[~who]) == {""}
    assert set(frame["ATOXSCH"][frame["PARAMCD"] == "LYM"]) == {"NCI CTC v1"}


@pytest.mark.parametrize("name", BDS)
def test_names_and_numbers_are_one_to_one(adam, name):
    frame = patients(adam[name])
    for one, other in (("PARAMCD", "PARAM"), ("PARAMCD", "PARAMN"), ("AVISIT", "AVISITN")):
        pairs = frame[[one, other]].drop_duplicates()
        assert pairs[one].is_unique, (one, other)
        assert pairs[other].is_unique, (one, other)


@pytest.mark.parametrize("name", BDS)
def test_baseline_and_change_are_consistent(adam, name):
    frame = patients(adam[name])
    groups = frame.groupby(["id", "PARAMCD"])
    assert (groups["ABLFL"].agg(lambda flags: (flags == "Y").sum()) <= 1).all()
    assert (groups["BASE"].nunique() <= 1).all()
    flagged = frame[frame["ABLFL"] == "Y"]
    assert (flagged["AVAL"] == flagged["BASE"]).eq(flagged["AVAL"].notna()).all()
    changed = frame[frame["CHG"].notna()]
    assert len(changed)
    assert np.allclose(changed["CHG"], changed["AVAL"] - changed["BASE"], rtol=0, atol=1e-9)
    assert (changed["ADY"] > 1).all()


@pytest.mark.parametrize("name", BDS)
def test_one_analysed_record_a_visit(adam, name):
    frame = patients(adam[name])
    assert frame[frame["ANL01FL"] == "Y"].groupby(["id", "PARAMCD", "AVISIT"]).size().eq(1).all()
    placed = frame[(frame["AVISIT"] != "") & frame["AWTARGET"].notna()]
    assert (placed["AWLO"].isna() | (placed["AWLO"] <= placed["ADY"])).all()
    assert (placed["AWHI"].isna() | (placed["ADY"] <= placed["AWHI"])).all()
    assert ((placed["AWTARGET"] <= 1) == (placed["ADY"] <= 1)).all()


@pytest.mark.parametrize("name", ["ADSL", "ADAE", *BDS])
def test_every_variable_is_described(adam, name):
    for variable in adam[name].metadata.variables:
        assert 0 < len(variable.label) <= 40, variable.name
        assert len(variable.name) <= 8
        assert variable.origin in ("Predecessor", "Derived", "Assigned")
        assert variable.method, variable.name


@pytest.mark.parametrize("name", ["ADSL", "ADAE", *BDS])
def test_every_row_leads_to_its_source(adam, sdtm, name):
    dataset = adam[name]
    lineage = dataset.lineage
    assert set(lineage["row"]) == set(range(len(dataset.frame)))
    assert set(lineage["variable"]) <= {"*", *dataset.metadata.names}
    for source, rows in lineage.groupby("source", observed=True)["source_row"]:
        assert rows.between(0, len({**sdtm, **adam}[source].frame) - 1).all()


def test_analysis_values_are_copies_of_the_tabulated_ones(adam, sdtm):
    for name, domain, value in (("ADLB", "LB", "LBSTRESN"), ("ADEDSS", "QS", "QSSTRESN")):
        frame, lineage = adam[name].frame, adam[name].lineage
        own = lineage[(lineage["variable"] == "*") & (lineage["source"] == domain)]
        own = own[own["row"].map(own["row"].value_counts()) == 1]
        source = sdtm[domain].frame[value].to_numpy()[own["source_row"]]
        assert np.array_equal(frame["AVAL"].to_numpy()[own["row"]], source, equal_nan=True)
        assert len(own) > 900


def test_edss_worsening_by_its_declared_step(adam):
    frame = patients(adam["ADEDSS"])
    frame = frame[(frame["PARAMCD"] == "EDSS") & (frame["ANL01FL"] == "Y")]
    at_end = frame[frame["AVISIT"] == "Month 24"].set_index("id")["CRIT1FL"]
    # Change 1.0 from 3.5, 4.0 and 4.5 reaches the step of 1.0; 0.5 from 4.0, 5.0 and 5.5 does not; 0.5 from 6.0 does.
    expected = {"001": "Y", "002": "N", "003": "Y", "005": "N", "006": "Y", "007": "N", "008": "N", "010": "Y"}
    assert dict(at_end) == expected


def test_same_input_same_output(study, sdtm, adam):
    again = analyse(study, sdtm)
    for name, dataset in adam.items():
        assert dataset.metadata == again[name].metadata
        assert patients(dataset).equals(patients(again[name]))
        assert dataset.lineage.astype(str).equals(again[name].lineage.astype(str))


def test_datasets_without_records_keep_their_variables(study, sdtm, adam):
    empty = {name: replace(one, frame=one.frame.iloc[:0].reset_index(drop=True)) for name, one in sdtm.items()}
    for name, dataset in analyse(study, empty).items():
        assert len(dataset.frame) == 0
        assert dataset.metadata == replace(adam[name].metadata, values=())


def test_active_lesions_have_no_change_because_new_lesions_are_not_counted_at_baseline(adam):
    frame = patients(adam["ADMO"])
    assert frame.loc[frame["PARAMCD"] == "ACTLSCNT", ["CHG", "PCHG"]].isna().all(axis=None)
    assert frame.loc[frame["PARAMCD"] == "GDLSCNT", "CHG"].notna().any()


def test_no_variable_has_a_text_that_the_check_says_it_never_has(study, sdtm, adam):
    mapping = read_mapping(study, study.project(), Terminology.open(study))
    datasets = {name: made for name, made in sdtm.items() if not name.startswith("SUPP")}
    assert impossible_texts(study, mapping, {**datasets, **adam}) == {}
