"""The files of a report from the results data: those of each output, an index, the analysis plan and the data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import pandas as pd
from markupsafe import Markup

from metadata.dataset import Dataset
from metadata.study import Study
from reports.compute import write_csv
from reports.exchange.ars import reporting_event
from reports.exchange.dataset_json import dataset_json
from reports.html.output_page import Head, Report, page_template, write_file, write_output
from reports.results.index import Rows, rows_by_output
from reports.results.plan import Plan, read_plan
from reports.results.specification import Output, ReportSpecification, read_specification
from reports.templates import KEYS, TEMPLATES

FIRST_PAGE, RECORDS_PAGE = "../index.html", "../browse/records.html"
SCROLLED = '<table tabindex="0">'  # on a phone a table of the plan is wider than the page, and scrolled by keys
KINDS = {"T": "Table", "F": "Figure", "L": "Listing"}
NOTHING: Mapping[str, Dataset] = {}
Files = Callable[[], list[Path]]
"""Waits until files are written, and returns them."""


class Start(Protocol):
    """Starts ``function(datasets, *values)``, here or in another process, with the datasets of the report."""

    def __call__(self, function: Callable[..., list[Path]], *values: object) -> Files: ...


def write(
    study: Study, results: pd.DataFrame, folder: Path, snapshot_date: str, snapshot_id: str,
    datasets: Mapping[str, Dataset] = NOTHING, start: Start | None = None, in_package: bool = False,
) -> list[Path]:  # fmt: skip
    """Write index.html, plan.html, results.csv and each output as page and RTF (figures also as SVG and PNG).

    Everything comes from ``results`` and the study's folder, but the records of listings, which come from ``datasets``;
    the same input gives the same bytes. The files of outputs and results are written by calls that ``start`` starts,
    without it here. ``in_package`` says that the study's pages are around the folder: then a cell leads to the page
    that shows the records behind it. Returns the files.
    """
    specification, plan = read_specification(study, KEYS), read_plan(study)
    folder.mkdir(parents=True, exist_ok=True)
    own = rows_by_output(results)
    shown = _shown(study, specification)
    heads = _heads(specification, plan, own)
    page = RECORDS_PAGE if in_package and study.shows_patients else ""
    about = _study(study, snapshot_date, snapshot_id)
    report = Report(specification, about, heads, folder, page, frozenset(output.id for output in shown))
    start = start or _starts_here(datasets)
    calls = [start(write_output, report, i, own.get(head.id, [])) for i, head in enumerate(heads)]
    calls += [start(_write_results, study, report, results, snapshot_date), start(_write_events, study, report, own)]
    pages = [_write_index(report, len(results), in_package), _write_plan(report, plan)]
    written = [call() for call in reversed(calls)]  # what nobody has begun is done here: from the other end
    return [*pages, *(path for files in reversed(written) for path in files)]


def output_heads(study: Study, results: pd.DataFrame) -> list[Head]:
    """Return the headings of the outputs that have a page, in their order."""
    specification = read_specification(study, KEYS)
    shown = {output.id for output in _shown(study, specification)}
    return [head for head in _heads(specification, read_plan(study), rows_by_output(results)) if head.id in shown]


def _heads(specification: ReportSpecification, plan: Plan, own: Mapping[str, Rows]) -> list[Head]:
    return [_head(specification, plan, output, own.get(output.id, [])) for output in specification.outputs]


def _shown(study: Study, specification: ReportSpecification) -> list[Output]:
    """Return the outputs that have a page: where no single patient may be seen, those that show none."""
    every = specification.outputs
    return [output for output in every if study.shows_patients or not TEMPLATES[output.template].patients]


def _starts_here(datasets: Mapping[str, Dataset]) -> Start:
    return lambda function, *values: lambda: function(datasets, *values)


def _write_index(report: Report, rows: int, in_package: bool) -> Path:
    heads = [head for head in report.heads if head.id in report.shown]
    text = page_template("index.html.jinja").render(
        study=report.study, kinds=_kinds(heads), rows=rows, patients=report.whole,
        first_page=FIRST_PAGE if in_package else "",
    )  # fmt: skip
    return write_file(report.folder / "index.html", [text])


def _write_plan(report: Report, plan: Plan) -> Path:
    text = page_template("plan.html.jinja").render(study=report.study, body=_scrolled(plan))
    return write_file(report.folder / "plan.html", [text])


def _scrolled(plan: Plan) -> Markup:
    """Return the plan's text with tables that can be scrolled by keys."""
    return Markup(plan.html.replace("<table>", SCROLLED))  # noqa: S704 the reader lets no HTML through


def _write_results(
    _: Mapping[str, Dataset], study: Study, report: Report, results: pd.DataFrame, date: str
) -> list[Path]:
    """Write the results data as CSV and as Dataset-JSON."""
    path = report.folder / "results.csv"
    write_csv(results, path)
    return [path, write_file(report.folder / "results.json", dataset_json(results, study.studyid, date))]


def _write_events(_: Mapping[str, Dataset], study: Study, report: Report, own: Mapping[str, Rows]) -> list[Path]:
    """Write the results data as a reporting event of CDISC ARS."""
    footnotes = {output.id: output.footnotes for output in report.specification.outputs}
    return [write_file(report.folder / "ars.json", reporting_event(study, report.specification, own, footnotes))]


def _kinds(heads: list[Head]) -> list[tuple[str, list[Head]]]:
    """Tables, figures and listings, each in the order of their numbers."""
    named = [(f"{kind}s", [head for head in heads if head.id.startswith(letter)]) for letter, kind in KINDS.items()]
    other = [head for head in heads if head.id[0] not in KINDS]
    ordered = [(kind, sorted(members, key=lambda head: _numbers(head.id))) for kind, members in named]
    return [(kind, members) for kind, members in [*ordered, ("Other outputs", other)] if members]


def _numbers(identifier: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", identifier)]


def _study(study: Study, snapshot_date: str, snapshot_id: str) -> dict[str, str]:
    declared = study.declared.study
    return {
        "id": study.studyid, "title": declared.short_title or declared.title, "long_title": declared.title,
        "notice": study.notice,
        "cutoff": study.cutoff, "date": snapshot_date, "snapshot": snapshot_id[:16],
    }  # fmt: skip


def _head(specification: ReportSpecification, plan: Plan, output: Output, own: Rows) -> Head:
    label = specification.population(output.population, output.node).label
    sizes = [row["text"] for row in own if row["statistic"] == "N"]
    size = f" (N = {sizes[-1]})" if sizes else ""
    kind = KINDS.get(output.id[0], "")
    number = f"{kind} {output.id[1:]}".strip() if kind else output.id
    return Head(output.id, number, output.title, label + size, output.plan, plan.section(output.plan))
