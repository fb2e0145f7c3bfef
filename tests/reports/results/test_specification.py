"""A wrong reports.yaml gives one sentence with its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.study import Study
from reports.compute import compute
from reports.html.pages import write


@pytest.fixture
def copied(study: Study, tmp_path: Path) -> Path:
    for name in ("study.yaml", "reports.yaml", "sap.md"):
        shutil.copy(study.folder / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("template: mixed_summary", "template: mixed_sumary", "no output template 'mixed_sumary' (did you mean"),
        ("events: Events", "event: Events", "'subject_counts' has no key 'event' (did you mean 'events'?)"),
        ("population: Safety", "population: Safty", "there is no population 'Safty' (did you mean 'Safety'?)"),
        ("dataset: ADEDSS", "dataset: ADEDS", "there is no dataset 'ADEDS' (did you mean 'ADEDSS'?)"),
        ("id: T14.1.2", "id: T14.1.1", "the output T14.1.1 is declared twice"),
        ("{test: page,", "{test: pagee,", "'pagee' is not one of"),
        ("visits: [Baseline, Month 12]", "visits: [Baseline, Month 13]", "'Month 13' is not among the visits of"),
        ("{output: T14.1.1, level: Enrolled", "{output: T14.1.7, level: Enrolled", "there is no output T14.1.7"),
        ("variable: BEDSS, statistic", "variable: AGE, level: x, statistic", None),
        ('show: "{0} ({1}%)"', 'show: "{0} ({2}%)"', "write {0} to {1} where the values go"),
    ],
)  # fmt: skip
def test_mistakes(copied: Path, adam: dict[str, Dataset], was: str, becomes: str, message: str | None) -> None:
    file = copied / "reports.yaml"
    text = file.read_text()
    assert was in text
    file.write_text(text.replace(was, becomes, 1))
    if message is None:
        results = compute(Study(copied), adam)
        assert (results["text"] == "no such result").sum() == 1
        return
    with pytest.raises(StudyError) as error:
        compute(Study(copied), adam)
    assert message in str(error.value)
    assert "reports.yaml, line " in str(error.value)


def test_an_output_must_name_a_section_of_the_plan(copied: Path, adam: dict[str, Dataset], tmp_path: Path) -> None:
    plan = copied / "sap.md"
    plan.write_text(plan.read_text().replace("{#edss}", "{#edsss}"))
    study = Study(copied)
    with pytest.raises(StudyError, match=r"there is no section \{#edss\} \(did you mean 'edsss'\?\)"):
        write(study, compute(study, adam), tmp_path / "pages", "2001-12-31", "snapshot")
