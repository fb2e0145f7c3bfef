"""A figure of many subjects: all its pages are files, shown in the page and in the print, each subject once."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from reports.compute import compute
from reports.html.pages import write
from tests.reports.small_study import dataset, small_study

STUDY = """
study: {id: OTHER-05, title: A trial, synthetic: true}
standards: {sdtmig: '3.3', sdtm_ct: 2019-09-27}
redcap: {}
cutoff: 2024-06-30
visits: []
"""
REPORTS = """
populations: {Everybody: {label: All subjects, flag: ENRLFL}}
columns: {by: TRT01P, total: All}
outputs:
  - id: F1
    template: timeline_figure
    title: Courses
    population: Everybody
    plan: all
    x: {label: Day, ticks: [0, 10]}
    layers: [{label: Drug, dataset: ADEX, start: ASTDY, end: AENDY, track: 1}]
"""
# 7.2 inches hold 36 lanes of one track.
SUBJECTS, PAGES = 100, 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = small_study(tmp_path_factory.mktemp("study"), STUDY, REPORTS)
    subjects = [f"X-{number:03d}" for number in range(SUBJECTS)]
    frame = pd.DataFrame({"USUBJID": subjects, "SUBJID": subjects, "ENRLFL": "Y", "TRT01P": "A"})
    exposure = pd.DataFrame({"USUBJID": subjects, "ASTDY": 1.0, "AENDY": 9.0})
    datasets = {"ADSL": dataset("ADSL", frame), "ADEX": dataset("ADEX", exposure)}
    folder = tmp_path_factory.mktemp("out")
    files = write(study, compute(study, datasets), folder, "2024-06-30", "abc", datasets)
    assert sorted(files) == sorted(folder.iterdir())
    return folder


def test_each_page_is_two_files_named_by_its_number(folder: Path) -> None:
    names = {f"{name}.{kind}" for name in ("F1", "F1-2", "F1-3") for kind in ("svg", "png")}
    assert {path.name for path in folder.glob("F1*.[sp][vn]g")} == names


def test_the_page_shows_every_subject_once_and_links_to_every_file(folder: Path) -> None:
    text = (folder / "F1.html").read_text()
    assert re.findall(r">(X-\d{3})<", text) == [f"X-{number:03d}" for number in range(SUBJECTS)]
    assert text.count("<svg") == PAGES
    labels = re.findall(r'aria-label="([^"]+)"', text)
    assert [label.rsplit("Page", 1)[1] for label in labels] == [
        " 1 of 3: X-000 to X-032", " 2 of 3: X-033 to X-065", " 3 of 3: X-066 to X-099"
    ]  # fmt: skip
    for number, name in enumerate(("F1", "F1-2", "F1-3"), start=1):
        assert f'page {number} <a href="{name}.svg">SVG</a>, <a href="{name}.png">PNG</a>' in text


def test_the_print_has_a_picture_a_page(folder: Path) -> None:
    text = (folder / "F1.rtf").read_text()
    assert text.count("\\pngblip") == PAGES
    assert [part.count("\\pngblip") for part in text.split("\\page\\par")] == [1] * PAGES


def test_identifiers_are_unique_in_the_page(folder: Path) -> None:
    found = re.findall(r'\bid="([^"]+)"', (folder / "F1.html").read_text())
    assert found and len(found) == len(set(found))
