"""Outputs from datasets that are files: those of a package again, and a set that was made elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from tests.flows.conftest import STUDY, Answer

pytestmark = pytest.mark.xdist_group("package")

STUDY_FILE = """
study: {id: ELSEWHERE, title: A study analysed elsewhere}
standards: {sdtmig: '3.3', sdtm_ct: 2019-09-27, adamig: '1.1'}
redcap: {}
cutoff: 2014-12-31
visits: []
"""
REPORTS = """
populations:
  Safety: {label: Safety population, flag: SAFFL}
columns: {by: TRTA, total: Total}
outputs:
  - id: T14.3.2
    template: incidence
    title: Adverse events by body system and term
    population: Safety
    plan: safety
    dataset: ADAE
    where: {TRTEMFL: "Y"}
    any: Any event
    term: AEDECOD
"""


def test_the_outputs_of_a_package_come_again_from_its_transport_files(
    command: Callable[..., Answer], package: Path, tmp_path: Path
) -> None:
    answer = command("report", STUDY, "--datasets", package / "m5", "--out", tmp_path / "again")
    assert answer.code == 0, answer.err
    assert "start at" in answer.out
    again, first = tmp_path / "again", package / "reports"
    assert sorted(path.name for path in again.iterdir()) == sorted(path.name for path in first.iterdir())
    assert (again / "results.csv").read_bytes() == (first / "results.csv").read_bytes()


@pytest.mark.parametrize(
    ("datasets", "out", "part"),
    [
        ("m5", ".", "is a package; choose another folder"),
        ("reports", "../outputs", "holds no transport files"),
        ("m5", "m5", "holds the datasets; choose another folder"),
    ],
)
def test_a_folder_that_does_not_fit_is_said(
    command: Callable[..., Answer], package: Path, datasets: str, out: str, part: str
) -> None:
    answer = command("report", STUDY, "--datasets", package / datasets, "--out", package / out)
    answer.assert_one_sentence(2, part)


def test_a_dataset_that_is_there_twice_is_said(command: Callable[..., Answer], package: Path, tmp_path: Path) -> None:
    folders = ("--datasets", package / "m5", "--datasets", package / "m5")
    command("report", STUDY, *folders, "--out", tmp_path / "out").assert_one_sentence(2, "ADAE was found twice")


def test_datasets_made_elsewhere_are_tabulated_by_a_study_of_three_files(
    command: Callable[..., Answer], tmp_path: Path
) -> None:
    study, adam = tmp_path / "elsewhere", tmp_path / "adam"
    study.mkdir()
    (study / "study.yaml").write_text(STUDY_FILE, encoding="utf-8")
    (study / "reports.yaml").write_text(REPORTS, encoding="utf-8")
    (study / "sap.md").write_text("# Plan\n\n## Safety {#safety}\n\nEvents under treatment.\n", encoding="utf-8")
    write_adam(adam)
    answer = command("report", study, "--datasets", adam, "--out", tmp_path / "tables")
    assert answer.code == 0, answer.err
    results = pd.read_csv(tmp_path / "tables" / "results.csv", dtype="str", keep_default_na=False)
    assert shown(results, "Headache", "count") == {"A": "2", "B": "1", "Total": "3"}
    assert shown(results, "Headache", "percent") == {"A": "66.7", "B": "50.0", "Total": "60.0"}
    assert shown(results, "Headache", "events") == {"A": "3", "B": "1", "Total": "4"}
    assert shown(results, "Nausea", "count") == {"A": "0", "B": "2", "Total": "2"}


def shown(results: pd.DataFrame, term: str, statistic: str) -> dict[str, str]:
    """A statistic of a term by treatment."""
    rows = results[(results["level"] == term) & (results["statistic"] == statistic)]
    return dict(zip(rows["group"], rows["text"], strict=True))


def write_adam(folder: Path) -> None:
    """Five treated subjects: one with two headaches, which count once."""
    folder.mkdir()
    subjects = [f"S{number}" for number in range(1, 6)]
    arms = dict(zip(subjects, ["A", "A", "A", "B", "B"], strict=True))
    adsl = pd.DataFrame({"USUBJID": subjects, "SAFFL": "Y", "TRTA": [arms[subject] for subject in subjects]})
    events = [
        ("S1", "Headache"),
        ("S1", "Headache"),
        ("S2", "Headache"),
        ("S4", "Headache"),
        ("S4", "Nausea"),
        ("S5", "Nausea"),
    ]
    adae = pd.DataFrame(events, columns=["USUBJID", "AEDECOD"])
    adae = adae.assign(SAFFL="Y", TRTA=adae["USUBJID"].map(arms), TRTEMFL="Y", ASEQ=range(1, 7))
    for name, frame in (("ADSL", adsl), ("ADAE", adae)):
        pyreadstat.write_xport(frame, str(folder / f"{name.lower()}.xpt"), table_name=name, file_format_version=5)
