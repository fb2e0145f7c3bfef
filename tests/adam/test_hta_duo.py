"""Exposure, medication, history and times to event of the hypertension trial, worked out by hand or from SDTM."""

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


@pytest.fixture(scope="module")
def study():
    return Study.open("hta_duo")


@pytest.fixture(scope="module")
def sdtm(study):
    records = Records.read(study.project(), study.path("redcap/records_locked.csv"))
    return tabulate(read_mapping(study, records.project, Terminology.open(study)), records).datasets


@pytest.fixture(scope="module")
def adam(study, sdtm):
    return analyse(study, sdtm)


def plain(dataset):
    """Return a dataset's frame with plain texts and the patient's number."""
    texts = {v.name: dataset.frame[v.name].astype("str") for v in dataset.metadata.variables if v.type == "Char"}
    return dataset.frame.assign(**texts, id=texts["USUBJID"].str[-6:])


def test_exposure(adam):
    frame = plain(adam["ADEX"])
    values = frame[frame["EXSEQ"].isna()].pivot(index="id", columns="PARAMCD", values="AVAL")
    # 10-001: candesartan 8 mg for 28 days, then 16 mg for 54. The plan is 8 mg on each of the 82 days.
    assert dict(values.loc["10-001", ["EXDUR", "CUMDOSE"]]) == {"EXDUR": 82, "CUMDOSE": 8 * 28 + 16 * 54}
    assert values.loc["10-001", "AVGDOSE"] == pytest.approx(1088 / 82)
    assert values.loc["10-001", "DOSEINT"] == pytest.approx(100 * 1088 / (8 * 82))
    # 10-002: amlodipine 5 mg for 81 days, never titrated.
    assert dict(values.loc["10-002"]) == {"EXDUR": 81, "CUMDOSE": 405, "AVGDOSE": 5, "DOSEINT": 100}
    assert len(values) == 35 and values.notna().all(axis=None)
    intervals = frame[frame["EXSEQ"].notna()]
    assert len(intervals) == 45 and (intervals["AVAL"] == intervals["EXDOSE"] * intervals["ADURN"]).all()


def test_medication_on_treatment(adam, sdtm):
    frame = plain(adam["ADCM"])
    assert len(frame) == len(sdtm["CM"].frame)
    mine = frame[frame["id"] == "10-009"].set_index("CMTRT")
    # Treated from 26 March to 18 June 2019: a gel from June 2018 to April 2019, paracetamol from 20 April.
    flags = mine[["PREFL", "ONTRTFL", "FUPFL"]].agg("".join, axis=1)
    assert flags["Diclofenaco, gel"] == "YY" and flags["Paracetamol"] == "Y"
    assert mine.loc["Paracetamol", "PREFL"] == ""
    assert mine.loc["Diclofenaco, gel", "ASTDT"] == day("2018-06-01")
    assert mine.loc["Diclofenaco, gel", "AENDT"] == day("2019-04-30")
    assert (mine.loc["Diclofenaco, gel", ["ASTDTF", "AENDTF"]] == "D").all()
    assert np.isnan(mine.loc["Ibuprofeno", "AENDT"]) and mine.loc["Ibuprofeno", "ASTDTF"] == "M"


def test_history_is_dated_by_the_first_day_of_its_year(adam, sdtm):
    frame = plain(adam["ADMH"])
    assert len(frame) == len(sdtm["MH"].frame)
    first = frame[(frame["id"] == "10-001") & (frame["MHTERM"] == "HYPERTENSION")].iloc[0]
    assert (first["ASTDT"], first["ASTDTF"], first["ASTDY"]) == (day("2015-01-01"), "M", -1411)
    assert frame.loc[frame["MHTERM"] == "OBESITY", "ASTDT"].isna().all()


def test_time_to_the_first_controlled_pressure(adam, sdtm):
    signs, levels = sdtm["VS"].frame, plain(adam["ADSL"]).set_index("USUBJID")
    sitting = signs[(signs["VSTESTCD"] == "SYSBP") & signs["VSSTRESN"].notna()]
    days = pd.Series([day(text) for text in sitting["VSDTC"]], index=sitting.index)
    frame = plain(adam["ADTTE"])
    times = frame[frame["PARAMCD"] == "CONTROL"].set_index("USUBJID")
    assert len(times) == 36
    for subject, found in times.iterrows():
        own = sitting["USUBJID"].astype("str") == subject
        started = levels.loc[subject, "TRTSDT"]
        controlled = days[own & (sitting["VSSTRESN"] < 140) & (days > started)]
        event = not controlled.empty
        assert found["CNSR"] == (0 if event else 1)
        wanted = controlled.min() if event else max(days[own].max(), levels.loc[subject, "RANDDT"])
        assert (found["ADT"], found["AVAL"]) == (wanted, wanted - levels.loc[subject, "RANDDT"] + 1)


def test_time_to_withdrawal_has_an_event_for_who_left(adam):
    frame = plain(adam["ADTTE"])
    times = frame[frame["PARAMCD"] == "WITHDRAW"].set_index("USUBJID")
    left = plain(adam["ADSL"]).set_index("USUBJID").loc[times.index, "EOSSTT"] == "DISCONTINUED"
    assert dict(times["CNSR"] == 0) == dict(left) and left.sum() == 6


def test_the_cause_of_the_death_stands_beside_its_date(adam):
    (died,) = plain(adam["ADSL"]).query("DTHFL == 'Y'").to_dict("records")
    assert (died["id"], died["DTHDT"]) == ("20-006", day("2019-04-01"))
    assert died["DTHCAUS"] == "ACUTE MYOCARDIAL INFARCTION"


def test_no_variable_has_a_text_that_the_check_says_it_never_has(study, sdtm, adam):
    mapping = read_mapping(study, study.project(), Terminology.open(study))
    datasets = {name: made for name, made in sdtm.items() if not name.startswith("SUPP")}
    assert impossible_texts(study, mapping, {**datasets, **adam}) == {}
