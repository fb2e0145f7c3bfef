"""--LOBXFL: one flag a subject and baseline group, which is the test, where it is done, and what the mapping declares.

The flags are worked out by hand.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.coded_text import CodedText
from metadata.errors import StudyError
from sdtm.columns.table import DomainTable
from sdtm.domains.timing import last_before_exposure

STUDY: Any = SimpleNamespace(visits=[SimpleNamespace(visitnum=2.0, predose=True)])


def flags(rows: list[dict[str, Any]], baseline_by: tuple[str, ...] = ()) -> list[str]:
    """Return VSLOBXFL of results of one subject who was first treated on 10 May 2000."""
    table, subjects = DomainTable("VS", len(rows)), DomainTable("DM", 1)
    subjects.put("USUBJID", CodedText.constant("S", 1))
    subjects.put("RFXSTDTC", CodedText.constant("2000-05-10", 1))
    texts = {"USUBJID": "S", "VSTESTCD": "SYSBP", "VSORRES": "120", "VSDTC": "2000-05-09"}
    texts |= dict.fromkeys(("VSPOS", "VSLOC", "VSLAT", "VSDIR", "VSSPEC", "VSTPT", "VSMETHOD", "VSEVAL"), "")
    for name, default in texts.items():
        table.put(name, CodedText.stack([CodedText.constant(str(row.get(name, default)), 1) for row in rows]))
    for name in ("VISITNUM", "VSREPNUM"):
        table.put(name, np.array([row.get(name, np.nan) for row in rows], float))
    mapping: Any = SimpleNamespace(prefixed=lambda suffix: f"VS{suffix}", baseline_by=baseline_by)
    return [str(one) for one in last_before_exposure(STUDY, mapping, table, subjects).array()]


@pytest.mark.parametrize("name", ["VSPOS", "VSLOC", "VSLAT", "VSDIR", "VSSPEC"])
def test_what_is_measured_elsewhere_has_a_baseline_of_its_own(name: str) -> None:
    assert flags([{name: "A"}, {name: "B"}]) == ["Y", "Y"]


@pytest.mark.parametrize("name", ["VSTPT", "VSMETHOD", "VSEVAL"])
def test_time_points_methods_and_evaluators_share_a_flag_unless_declared(name: str) -> None:
    assert flags([{name: "A"}, {name: "B"}]) == ["", "Y"]
    assert flags([{name: "A"}, {name: "B"}], (name,)) == ["Y", "Y"]


def test_replicates_share_a_flag_unless_declared() -> None:
    rows = [{"VSREPNUM": 2.0}, {"VSREPNUM": 1.0}, {"VSREPNUM": 3.0, "VSDTC": "2000-05-08"}]
    assert flags(rows) == ["Y", "", ""]
    assert flags(rows, ("VSREPNUM",)) == ["Y", "Y", "Y"]


ROWS = st.fixed_dictionaries(
    {
        "VSPOS": st.sampled_from(["", "SITTING", "SUPINE"]),
        "VSTPT": st.sampled_from(["", "1 MIN", "3 MIN"]),
        "VSDTC": st.sampled_from(["2000-05-07", "2000-05-09", "2000-05-10", "2000-05-11", "2000-05", ""]),
        "VSORRES": st.sampled_from(["120", ""]),
        "VISITNUM": st.sampled_from([1.0, 2.0]),
    }
)


@given(st.lists(ROWS, min_size=1, max_size=12), st.booleans())
def test_each_group_with_a_result_before_treatment_has_one_flag(rows: list[dict[str, Any]], by_point: bool) -> None:
    names = ["VSPOS", "VSTPT"] if by_point else ["VSPOS"]
    made = flags(rows, tuple(names))

    def counts(row: dict[str, Any]) -> bool:
        before = row["VSDTC"] in ("2000-05-07", "2000-05-09")
        return bool(row["VSORRES"]) and (before or (row["VSDTC"] == "2000-05-10" and row["VISITNUM"] == 2))

    for group in {tuple(row[name] for name in names) for row in rows}:
        inside = [at for at, row in enumerate(rows) if tuple(row[name] for name in names) == group]
        fit = [at for at in inside if counts(rows[at])]
        flagged = [at for at in inside if made[at]]
        assert len(flagged) == bool(fit)
        assert all(rows[at]["VSDTC"] == max(rows[one]["VSDTC"] for one in fit) for at in flagged)


@pytest.mark.parametrize(("name", "said"), [("LBTPTT", "LB has no variable LBTPTT"), ("LBTPT", "LBTPT is not mapped")])
def test_a_mapping_names_what_tells_baselines_apart(small: Any, name: str, said: str) -> None:
    path = small.folder / "sdtm" / "lb.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("domain: LB\n", f"domain: LB\nbaseline_by: [{name}]\n"), encoding="utf-8")
    small.subject()
    with pytest.raises(StudyError, match=said):
        small.frame("LB")
