"""A laboratory in free text that has no ranges, and limits on a form that are no limits, are asked about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sdtm.columns.number import plain_number

SETTINGS = settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def free_text(small: Any, *more: str) -> None:
    """Make the laboratory a text, and add fields to the form of results."""
    path: Path = small.folder / "redcap" / "dictionary.csv"
    text = path.read_text(encoding="utf-8").replace('house,look,dropdown,Laboratory,"1, Málaga | 2, Other",',
                                                    "house,look,text,Laboratory,,")  # fmt: skip
    path.write_text(text + "".join(f"{name},look,text,Limit,,\n" for name in more), encoding="utf-8")


@pytest.fixture
def limited(small: Any) -> Any:
    """The small study with limits on the form in place of a table of ranges."""
    free_text(small, "lo", "hi")
    path: Path = small.folder / "sdtm" / "lb.yaml"
    body = path.read_text(encoding="utf-8").replace("ranges: {file: ranges.csv, laboratory: LBNAM}\n", "")
    body = body.replace("toxicity: who-1979-lab-grades\n", "").replace(", toxicity: Hemoglobin", "")
    body = body.replace(", toxicity: Leukocytes", "")
    name = "    LBNAM: {field: house}\n"
    body = body.replace(name, f"{name}    LBORNRLO: {{field: lo}}\n    LBORNRHI: {{field: hi}}\n")
    path.write_text(body, encoding="utf-8")
    return small


def test_a_laboratory_that_the_table_lacks_is_asked_about(small: Any) -> None:
    free_text(small)
    small.subject()
    small.row("1", "month", seen="2000-04-10", house="Malaga", wc="5", wc_u="1")
    made = small.tabulate()
    assert made.datasets["LB"].frame["LBNAM"].tolist() == ["Malaga"]
    assert made.withheld[["field", "reason"]].to_numpy().tolist() == [
        ["house", "the table of reference ranges has no such laboratory, so that its results have no range"]
    ]


def test_ranges_that_hold_for_no_result_are_listed(small: Any) -> None:
    small.subject()
    small.row("1", "month", seen="2000-04-10", house="1", wc="5", wc_u="1", hb="12,5", hb_u="6")
    assert small.tabulate().unused_rows.to_numpy().tolist() == [["ranges.csv", 3, "Málaga, HGB, M"]]
    small.subject("2", sexe="1")
    small.row("2", "month", seen="2000-04-10", house="1", hb="12,5", hb_u="6")
    assert small.tabulate().unused_rows.empty


def test_a_laboratory_of_the_table_is_not_asked_about(small: Any) -> None:
    free_text(small)
    small.subject()
    small.row("1", "month", seen="2000-04-10", house="Málaga", wc="5", wc_u="1")
    assert small.tabulate().withheld.empty


HEADER = "laboratory,test,sex,age_from,age_to,valid_from,valid_to,unit,low,high\n"
OF_NOBODY = "the table of reference ranges has ranges of its test, but none of its laboratory"
NOT_IN_FORCE = "no range of its test and laboratory holds for the subject's sex and age and the date of the sample"


@SETTINGS
@given(
    rows=st.lists(
        st.sampled_from(
            [
                "Málaga,WBC,,,39,,,10^9/L,4,11",
                "Málaga,WBC,M,40,,,,10^9/L,4,11",
                "Málaga,WBC,F,40,,,2000-04-09,10^9/L,4,",
                "Málaga,WBC,F,40,,2000-04-10,,10^9/L,,11",
                "Other,WBC,,,,,,10^9/L,4,11",
                "Málaga,HGB,,,,,,g/L,120,160",
            ]
        ),
        unique=True,
    ),
    house=st.sampled_from(["1", "2", ""]),
    day=st.sampled_from(["2000-04-09", "2000-04-10", ""]),
    result=st.sampled_from(["5", "<5"]),
)
def test_a_result_has_limits_or_is_asked_about(small: Any, rows: list[str], house: str, day: str, result: str) -> None:
    """The subject is a woman of 40."""
    (small.folder / "ranges.csv").write_text(HEADER + "\n".join(rows), encoding="utf-8")
    small.rows.clear()
    small.subject()
    small.row("1", "month", seen=day, house=house, wc=result, wc_u="1")
    made = small.tabulate()
    row = made.datasets["LB"].frame.iloc[0]
    asked = made.withheld.loc[made.withheld["field"] == "wc", "reason"].tolist()
    of_test = [one for one in rows if ",WBC," in one]
    mine = [one for one in of_test if one.startswith({"1": "Málaga", "2": "Other", "": "None"}[house])]
    fits = house == "2" and bool(mine)
    fits |= house == "1" and any(one.endswith({"2000-04-09": "4,", "2000-04-10": ",11"}.get(day, "-")) and ",F," in one
                                 for one in mine)  # fmt: skip
    assert bool(row["LBORNRLO"] or row["LBORNRHI"]) == fits
    assert asked == ([] if fits or not of_test or result == "<5" else [NOT_IN_FORCE if mine else OF_NOBODY])


LIMITS = ["4", "11", "131", "0.5", "<150", "", "4-11"]


@SETTINGS
@given(low=st.sampled_from(LIMITS), high=st.sampled_from(LIMITS))
def test_limits_are_used_or_asked_about(limited: Any, low: str, high: str) -> None:
    limited.rows.clear()
    limited.subject()
    limited.row("1", "month", seen="2000-04-10", wc="5000", wc_u="2", lo=low, hi=high)
    made = limited.tabulate()
    row = made.datasets["LB"].frame.iloc[0]
    ends = {"lo": plain_number(low), "hi": plain_number(high)}
    wrong = {name for name, text in (("lo", low), ("hi", high)) if text and np.isnan(ends[name])}
    if ends["lo"] > ends["hi"]:
        wrong |= {"lo", "hi"}
        assert (row["LBNRIND"], np.isnan(row["LBSTNRLO"]), np.isnan(row["LBSTNRHI"])) == ("", True, True)
    assert set(made.withheld["field"]) == wrong
    assert (row["LBORNRLO"], row["LBORNRHI"]) == (low, high)
    for name, variable in (("lo", "LBSTNRLO"), ("hi", "LBSTNRHI")):
        assert name in wrong or np.array_equal(row[variable], ends[name] / 1000, equal_nan=True)
