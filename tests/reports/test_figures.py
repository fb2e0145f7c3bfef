"""Templates of figures: what is drawn is in the results, and the values are worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.study import Study
from reports.compute import compute
from reports.layout.figure import ProfileFigure, TimelineFigure
from reports.results.index import ResultsIndex, rows_by_output
from reports.results.specification import read_specification
from reports.templates import KEYS, TEMPLATES
from reports.templates.box_figure import BoxFigure
from reports.templates.mean_figure import MeanFigure
from tests.reports.small_study import dataset, small_study

STUDY = """
study: {id: OTHER-04, title: A trial, synthetic: true}
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
    x: {unit_days: 10, label: Tens of days, ticks: [0, 10]}
    layers:
      - {label: Drug, dataset: ADEX, start: ASTDY, end: AENDY, track: 1}
      - {label: Attack, dataset: ADCE, where: {CONFFL: "Y"}, day: ASTDY, mark: diamond, track: 2, colour: 7}
  - id: F2
    template: profile_figure
    title: Titres
    population: Everybody
    plan: all
    dataset: ADIS
    where: {PARAMCD: NAB}
    x: {variable: ADY, label: Day, ticks: [0, 20]}
    y: {variable: AVAL, label: Titre, scale: log, ticks: [10, 100, 1000]}
    hollow: {where: {AVALC: "<20"}, label: Below 20}
    median: {visits: {Visit 1: 1}}
  - id: F3
    template: profile_figure
    title: Changes
    population: Everybody
    plan: all
    dataset: ADIS
    where: {PARAMCD: NAB}
    x: {variable: ADY, label: Day, ticks: [0, 20]}
    y: {variable: CHG, label: Change, ticks: [0, 100]}
    origin: {where: {ABLFL: "Y"}, value: 0}
    median: {visits: {Visit 2: 11}}
  - id: F4
    template: mean_figure
    title: Means
    population: Everybody
    plan: all
    dataset: ADIS
    where: {PARAMCD: NAB}
    variable: AVAL
    visits: {Visit 1: 0, Visit 2: 1}
    x: {label: Visit}
    y: {label: Titre, ticks: [0, 1000]}
  - id: F5
    template: box_figure
    title: Boxes
    population: Everybody
    plan: all
    dataset: ADIS
    where: {PARAMCD: NAB}
    variable: AVAL
    visits: {Visit 1: 0, Visit 2: 1}
    x: {label: Visit}
    y: {label: Titre, ticks: [0, 1000]}
"""


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return small_study(tmp_path, STUDY, REPORTS)


@pytest.fixture
def datasets() -> dict[str, Dataset]:
    """Subject 3 has a baseline and nothing more; the drug of subject 2 has no end."""
    nan = float("nan")
    frames = {
        "ADSL": pd.DataFrame({"USUBJID": ["X-1", "X-2", "X-3"], "SUBJID": ["1", "2", "3"], "ENRLFL": "Y",
                              "TRT01P": ["A", "A", "B"]}),
        "ADEX": pd.DataFrame({"USUBJID": ["X-1", "X-1", "X-2"], "ASTDY": [31.0, 1.0, 1.0], "AENDY": [50.0, 20.0, nan]}),
        "ADCE": pd.DataFrame({"USUBJID": ["X-1", "X-2", "X-2"], "ASTDY": [40.0, 80.0, 5.0], "CONFFL": ["Y", "Y", "N"]}),
        "ADIS": pd.DataFrame(
            [("X-1", 1.0, 10.0, "<20", nan, "Y", "Visit 1"), ("X-1", 11.0, 100.0, "", 90.0, "", "Visit 2"),
             ("X-2", 1.0, 1000.0, "", nan, "Y", "Visit 1"), ("X-2", 12.0, 200.0, "", -800.0, "", "Visit 2"),
             ("X-3", 2.0, 20.0, "", nan, "Y", "Visit 1")],
            columns=["USUBJID", "ADY", "AVAL", "AVALC", "CHG", "ABLFL", "AVISIT"],
        ).assign(PARAMCD="NAB"),
    }  # fmt: skip
    return {name: dataset(name, frame) for name, frame in frames.items()}


def laid(study: Study, datasets: dict[str, Dataset], identifier: str) -> object:
    results = compute(study, datasets)
    output = next(o for o in read_specification(study, KEYS).outputs if o.id == identifier)
    book = ResultsIndex(rows_by_output(results)[identifier])
    return TEMPLATES[output.template].layout(output, book).figures[0]


def test_spans_and_marks_in_order_of_days(study: Study, datasets: dict[str, Dataset]) -> None:
    figure = laid(study, datasets, "F1")
    assert isinstance(figure, TimelineFigure)
    assert figure.subjects == ("1", "2", "3")
    drug, attack = figure.layers
    # A span without an end lasts to the last day of its subject: the attack of day 80.
    assert drug.spans == ((0, 0.1, 2.0), (0, 3.1, 5.0), (1, 0.1, 8.0))
    assert attack.points == ((0, 4.0), (1, 8.0))
    results = compute(study, datasets)
    end = results[(results["subset"] == "2") & (results["statistic"] == "end")].iloc[0]
    assert (end["text"], end["warning"]) == ("NE", "no end is recorded")


def test_a_logarithmic_axis_and_values_below_a_limit(study: Study, datasets: dict[str, Dataset]) -> None:
    figure = laid(study, datasets, "F2")
    assert isinstance(figure, ProfileFigure)
    first, second, third = figure.lines
    assert (first.x, first.y, first.hollow) == ((1, 11), (1, 2), (True, False))
    assert second.y == pytest.approx((3, 2.30103))
    assert third.hollow == (False,)
    assert (figure.y_ticks, figure.y_names, figure.y_limits) == ((1, 2, 3), ("10", "100", "1000"), (1, 3))


def test_a_value_that_a_logarithm_lacks_is_refused(study: Study, datasets: dict[str, Dataset]) -> None:
    (study.folder / "reports.yaml").write_text(REPORTS.replace("ticks: [10, 100, 1000]", "ticks: [0, 100, 1000]"))
    with pytest.raises(StudyError, match="a logarithmic axis has no place for 0"):
        laid(Study(study.folder), datasets, "F2")


def test_changes_start_at_the_origin_where_there_is_a_change(study: Study, datasets: dict[str, Dataset]) -> None:
    figure = laid(study, datasets, "F3")
    assert isinstance(figure, ProfileFigure)
    assert [(line.label, line.x, line.y) for line in figure.lines] == [
        ("1", (1, 11), (0, 90)),
        ("2", (1, 12), (0, -800)),
    ]
    assert figure.median.y == (-355,)


def test_boxes_of_quartiles_by_treatment(study: Study, datasets: dict[str, Dataset]) -> None:
    """On arm A 10 and 1000 at visit 1, 100 and 200 at visit 2; arm B has one value, at visit 1."""
    figure = laid(study, datasets, "F5")
    assert isinstance(figure, BoxFigure) and figure.x_names == ((0, "Visit 1"), (1, "Visit 2"))
    first, second = figure.series
    assert (first.label, first.x, first.counts) == ("A", (0, 1), ("2", "2"))
    drawn = [{name: box[name] for name in ("min", "q1", "median", "q3", "max", "mean")} for box in first.boxes]
    assert drawn[0] == {"min": 10, "q1": 10, "median": 505, "q3": 1000, "max": 1000, "mean": 505}
    assert drawn[1] == {"min": 100, "q1": 100, "median": 150, "q3": 200, "max": 200, "mean": 150}
    assert (second.label, second.x, second.counts) == ("B", (0,), ("1",))
    assert "Boxes" in figure.description and "A, B" in figure.description


def test_means_by_treatment(study: Study, datasets: dict[str, Dataset]) -> None:
    figure = laid(study, datasets, "F4")
    assert isinstance(figure, MeanFigure)
    first, second = figure.lines
    assert (first.label, first.means, first.counts) == ("A", (505, 150), ("2", "2"))
    # Standard error 495 of the first visit, t(0.975, 1) = 12.7062.
    assert first.lower[0] == pytest.approx(505 - 495 * 12.7062, rel=1e-5)
    assert (second.x, second.means, second.counts) == ((0,), (20,), ("1",))
    assert second.lower[0] != second.lower[0]
