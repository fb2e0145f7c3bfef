"""Mistakes in monitoring.yaml: each with its file, line, key and what would be right; and what a limit decides."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metadata.errors import StudyError
from metadata.study import BUNDLED, Study
from monitoring.declaration import check_plan, checked_plan
from monitoring.limits import ResultLimit
from monitoring.results import bounds_of
from monitoring.schedule import Phase, after, steps
from tests.monitoring.hand_made import project

MISTAKES = {
    "tests: [MCV]": ("tests: [MVC]", "tests", "there is no test 'MVC' (did you mean 'MCV'?)"),
    "review: {above_upper: 2}": ("reviews: {above_upper: 2}", "reviews", "(did you mean 'review'?)"),
    "during: azathioprine": ("during: azatioprine", "during", "there is no drug 'azatioprine'"),
    "reference: baseline_arm_1": ("reference: baselin_arm_1", "reference", "(did you mean 'baseline_arm_1'?)"),
    "review: {below: 140, unit: *count}": ("review: {below: 140}", None, "the limit of PLAT needs its standard unit"),
    "when: \"[ae_ser] = '1'\"": ("when: \"[ae_serr] = '1'\"", "when", "ae_serr"),
    "rules: [leukocytes, ": ("rules: [leucocytes, ", "rules", "there is no rule 'leucocytes' of the kind limits"),
}


def changed(folder: Path, *changes: tuple[str, str]) -> Study:
    """The first study with another plan."""
    made = folder / "study"
    shutil.copytree(BUNDLED / "spms_aza", made, ignore=shutil.ignore_patterns("synthetic", "records_*", "log*.csv"))
    text = (made / "monitoring.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (made / "monitoring.yaml").write_text(text, encoding="utf-8")
    return Study.open(made)


def test_each_mistake_has_its_place(tmp_path: Path) -> None:
    study = changed(tmp_path, *((old, new) for old, (new, _, _) in MISTAKES.items()))
    lines = study.read_text("monitoring.yaml").splitlines()
    found = check_plan(study, project())
    assert len(found) == len(MISTAKES)
    for new, key, said in MISTAKES.values():
        [error] = [one for one in found if said in one.message]
        assert (error.file, error.key) == ("study/monitoring.yaml", key)
        block = lines[(error.line or 1) - 1 :]
        assert any(new in line for line in block[:12]), (error.line, new)


def test_what_is_no_plan_is_refused(tmp_path: Path) -> None:
    study = changed(tmp_path, ("kind: falls", "kind: fall"), ("id: volume", "id: platelets"))
    with pytest.raises(StudyError) as caught:
        checked_plan(study, project())
    said = sorted(error.message for error in caught.value.each)
    assert len(said) == 2 and "(did you mean 'falls'?)" in said[0] and "'platelets' is in the file already" in said[1]


def test_a_study_needs_no_plan() -> None:
    study = Study.open("hta_duo")
    assert check_plan(study, study.project()) == []


WORDS = ("4", "5", "6", "<5", "<=5", "<6", ">5", ">=5", ">4", "POSITIVE", "")


DECIDED = {"below": "+--+??--???", "above": "--+--?+????", "at_least": "-++-??++???", "above_upper": "--+--?+????"}
"""What a limit of 5 decides of each word, worked out by hand: + met, - not met, ? cannot be said: >4 may be 4.5."""


@pytest.mark.parametrize("limit", [{"below": 5}, {"above": 5}, {"at_least": 5}, {"above_upper": 2.5}], ids=str)
def test_a_limit_is_met_not_met_or_cannot_be_said(limit: dict[str, float]) -> None:
    rows = pd.DataFrame([bounds_of(word) for word in WORDS], columns=["low", "high", "strict"]).assign(upper=2.0)
    met, unknown = ResultLimit(**limit).judge(rows)
    shown = "".join(np.select([met, unknown], ["+", "?"], "-"))
    [kind] = limit
    assert shown == DECIDED[kind], dict(zip(WORDS, shown, strict=True))


def test_a_schedule_has_its_steps_and_months_keep_their_day() -> None:
    phases = [Phase(1, "week", 8), Phase(1, "month", 6), Phase(3, "month")]
    planned = steps(phases, 400)
    assert planned[:8] == [(number, "week") for number in range(1, 9)]
    assert planned[8:] == [(3, "month"), (4, "month"), (5, "month"), (6, "month"), (9, "month"), (12, "month")]
    start = np.array(["1999-01-31", "2000-01-31", "1999-03-15"], "datetime64[D]")
    assert [str(day) for day in after(start, 1, "month")] == ["1999-02-28", "2000-02-29", "1999-04-15"]
