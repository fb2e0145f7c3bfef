"""Filters and cells of a finished package lead to the records that were counted, and to the fields behind them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from flows.pipeline import build
from flows.progress import StagePrinter
from flows.run_request import RunRequest
from metadata.errors import UsageError
from metadata.frame_columns import FrameColumns
from metadata.study import BUNDLED
from publish.result_cells import find_cell, read_cells, read_results
from publish.trace import TracedPackage, chosen_records
from tests.flows.conftest import Answer

pytestmark = pytest.mark.xdist_group("package")
Command = Callable[..., Answer]
COUNTED = {"N", "n", "count"}
SUMS = {"Sum of events"}


@pytest.fixture(scope="session")
def second_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the second study."""
    out = tmp_path_factory.mktemp("second") / "hta_duo"
    build(RunRequest.of("hta_duo", source=str(BUNDLED / "hta_duo" / "redcap"), out=out), StagePrinter(quiet=True))
    return out


def assert_each_filter_finds_what_was_counted(package: Path, every: int) -> None:
    """Each filter of results.csv finds as many as its statistic says; of every so many, what pandas finds."""
    results, opened = read_results(package), TracedPackage(package)
    assert len(results) > 3000
    columns = {name: FrameColumns(opened.frame(name)) for name in set(results["dataset"]) - {"results"}}
    sizes = {}
    asked = results.loc[results["dataset"] != "results", ["dataset", "filter"]].drop_duplicates()
    for place, (dataset, text) in enumerate(asked.to_numpy().tolist()):
        found = chosen_records(columns[dataset], dataset, text)
        if place % every == 0:
            rows = columns[dataset].frame.reset_index()
            expected = rows.query(text) if text else rows
            assert found.index.tolist() == expected["index"].tolist(), (dataset, text)
        sizes[dataset, text] = {len(found), found["USUBJID"].nunique()}
    for one in results[results["dataset"] != "results"].itertuples():
        counts = one.statistic in COUNTED or (one.statistic == "events" and one.method not in SUMS)
        assert not counts or one.value in sizes[one.dataset, one.filter], one
    referred = results[results["dataset"] == "results"]
    assert all(len(chosen_records(FrameColumns(results), "results", text)) for text in referred["filter"].head(2))


def test_every_filter_of_the_results_finds_what_was_counted(package: Path) -> None:
    assert_each_filter_finds_what_was_counted(package, 20)


@pytest.mark.soak
def test_so_does_every_filter_of_the_second_study(second_package: Path) -> None:
    assert_each_filter_finds_what_was_counted(second_package, 1)


def test_every_cell_can_be_named_and_shows_its_results(package: Path) -> None:
    """A cell is named by its line and column, and what it shows is made of the texts of its results."""
    results = read_results(package)
    named = 0
    for output, cells in read_cells(package / "reports").items():
        own = results[results["output"] == output].reset_index(drop=True)
        rows = own.to_dict("records")
        names = [f"{cell['row']} | {cell['column']}" for cell in cells]
        for cell in cells:
            assert cell["results"], cell
            known = {str(rows[at][name]) for at in cell["results"] for name in ("text", "n", "population", "method")}
            shown = re.split(r" \(|, |/|\)|%|n=", cell["text"])
            assert cell["text"] in known or any(part in known for part in shown), cell
        if len(set(names)) == len(names) and named < 11:
            found = find_cell(package, output, names[-1])
            assert (found.text, len(found.results)) == (cells[-1]["text"], len(cells[-1]["results"]))
            named += 1
    assert named > 10


def test_a_cell_leads_to_the_form(command: Command, package: Path) -> None:
    answer = command("trace", package, "--output", "T14.1.2", "--cell", "age at entry (years) / MEDIAN", "--json")
    assert answer.code == 0, answer
    shown = json.loads(answer.out)
    ages = pd.read_parquet(package / "parquet" / "adam" / "adsl.parquet")["AGE"]
    assert float(shown["results"][0]["text"]) == ages.median()
    places = shown["redcap"]
    assert sorted(float(place["value"]) for place in places if place["field"] == "age") == sorted(ages)
    assert all(
        f"id={place['record']}&page=demographics&" in place["link"] for place in places if place["field"] == "age"
    )
    printed = command("trace", package, "--output", "T14.1.2", "--cell", "Age at entry (years) / Median")
    assert printed.code == 0 and "DataEntry/index.php" in printed.out


def test_a_count_of_nobody_is_no_mistake(command: Command, package: Path) -> None:
    answer = command("trace", package, "ADSL", "SEX == 'F' and SEX == 'M'")
    assert (answer.code, "nothing to follow" in answer.out) == (0, True)
    command("trace", package, "ADSL", "USUBJID=nobody").assert_one_sentence(2, "nobody")


def test_a_published_statement_leads_through_its_result(command: Command, package: Path) -> None:
    results = read_results(package)
    text = results.loc[results["dataset"] == "results", "filter"].iloc[0]
    answer = command("trace", package, "results", text, "--json")
    assert answer.code == 0 and json.loads(answer.out)["steps"]


@pytest.mark.parametrize(
    ("output", "cell", "parts"),
    [
        ("T14.1.22", "Median", ["no output 'T14.1.22'", "T14.1.2"]),
        ("T14.1.2", "Median", ["several lines 'Median'", "'Age at entry (years) / Median'"]),
        ("T14.1.2", "Age at entry", ["no line 'Age at entry'", "Age at entry (years)"]),
        ("T14.1.2", "Age at entry (years) / Median | Placebo", ["no column 'Placebo'"]),
        ("T14.3.2", "Depression", ["several cells", "Grade 1"]),
        ("F1", "Month 6", ["F1 is no table"]),
    ],
)
def test_a_cell_that_is_not_there_is_said(package: Path, output: str, cell: str, parts: list[str]) -> None:
    with pytest.raises(UsageError) as raised:
        find_cell(package, output, cell)
    assert all(part in str(raised.value) for part in parts), raised.value


def test_a_result_is_named_by_its_id(package: Path) -> None:
    row = read_results(package).query("output == 'F1'").iloc[0]
    found = find_cell(package, "F1", f"{row['analysis']}/{row['statistic']}")
    assert found.results["text"].tolist() == [row["text"]]


@pytest.mark.parametrize("arguments", [(), ("ADSL",), ("ADSL", "X=1", "--cell", "a"), ("--output", "T1")])
def test_what_is_to_be_traced_must_be_clear(command: Command, package: Path, arguments: tuple[str, ...]) -> None:
    command("trace", package, *arguments).assert_one_sentence(2, "--output and --cell")
