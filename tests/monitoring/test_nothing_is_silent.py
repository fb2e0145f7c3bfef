"""Any result of a test with limits is at a level, at none for certain, or an alert that it cannot be judged."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.monitoring.hand_made import AS_OF, Patient, day, found

LEVELS = {3.5: "review", 3.0: "halve", 2.0: "hold both"}
FACTORS = {"1": 1.0, "2": 0.001, "3": 1.0}
VALUES = st.one_of(
    st.decimals(0, 12, places=2).map(str), st.sampled_from(["", "<2", ">9", "3,1", "lost", "2000", "UNK", "-1", " 3 "])
)
UNITS = st.sampled_from(["1", "2", "3", "", "99"])
DATES = st.sampled_from([day(9), day(200), "", "2009-05-01"])
RESULTS = st.lists(st.tuples(VALUES, UNITS, DATES), min_size=12, max_size=12)


def expected(value: str, unit: str, taken: str) -> str | None:
    """The level of leukocytes (blank for none), or None where it cannot be judged; worked out apart from the engine."""
    try:
        number = float(value) * FACTORS[unit]
    except (ValueError, KeyError):
        return None
    if not taken or taken > AS_OF:
        return None
    return next((level for limit, level in sorted(LEVELS.items()) if round(number, 9) < limit), "")


@settings(max_examples=2, deadline=None)
@given(RESULTS)
def test_every_result_is_judged_or_said_not_to_be(results: list[tuple[str, str, str]]) -> None:
    patients = []
    for place, (value, unit, taken) in enumerate(results):
        patient = Patient(f"{place:03d}")
        patient.log("labs_unsched", u_dt=taken, u_lab="2", u_reason="5", u_wbc=value, u_wbc_u=unit)
        patients.append(patient)
    rows = found(patients)
    for patient, (value, unit, taken) in zip(patients, results, strict=True):
        own = rows[(rows["record"] == patient.record) & rows["rule"].str.startswith("leukocytes")]
        told = list(zip(own["rule"], own["level"], strict=True))
        if value in ("", "UNK"):  # no result: a missing-data code says that there is none
            assert told == []
            continue
        level = expected(value, unit, taken)
        if level is None:
            assert told == [("leukocytes/not judged", "review")], (value, unit, taken)
        else:
            assert told == ([("leukocytes", level)] if level else []), (value, unit, taken)


@pytest.mark.soak
def test_the_engine_day_by_day_finds_what_it_finds_at_once() -> None:
    """Each finding is there from its day on, if the records of each day are those that were dated until then."""
    patient = (
        Patient("001").takes(end=20).labs(3, plat="99", alt="20", bili="0.5").labs(7, plat="250").labs(9, plat="40")
    )
    patient.takes(start=22).visit("baseline_arm_1", 0)
    whole = found([patient], as_of=day(26))
    for offset in (2, 6, 8, 15, 23, 26):
        known = Patient("001")
        known.rows = [row for row in patient.rows if _day_of(row) <= day(offset)]
        today = found([known], as_of=day(offset))
        then = whole[whole["since"] <= pd.Timestamp(day(offset))].reset_index(drop=True)
        assert {*today["key"] + today["rule"] + today["level"]} == {*then["key"] + then["rule"] + then["level"]}, offset


def _day_of(row: dict[str, str]) -> str:
    return next((row[name] for name in ("u_dt", "vis_dt", "ex_st", "icf_dtc") if name in row), "")
