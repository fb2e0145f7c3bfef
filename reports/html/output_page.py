"""The files of one output from its results data: a page and RTF, and of a figure also SVG and PNG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import accumulate, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from metadata.dataset import Dataset
from metadata.html_page import page_templates
from reports.html.listing import listing_html
from reports.html.table_cells import FOLDER as CELLS
from reports.html.table_cells import cells_file, table_cells
from reports.layout.alignment import aligned, text_cell
from reports.layout.figure import Figure
from reports.layout.table import Listing, OutputLayout, OutputTable
from reports.results.analysis_data import AnalysisData
from reports.results.formats import NOT_ESTIMABLE
from reports.results.index import ResultsIndex, ResultText, Rows
from reports.results.specification import Output, ReportSpecification
from reports.rtf import document
from reports.templates import TEMPLATES

if TYPE_CHECKING:
    from jinja2 import Environment, Template

    from reports.figures.files import Picture

FOLDER = Path(__file__).parent / "page"
PIECES = 1000  # of a page, written at once
# Statistics whose method a reader must know; means and counts speak for themselves.
EXPLAINED = ("p_value", "estimate", "lower", "not_shown")


@dataclass(frozen=True)
class Head:
    """The heading of an output, on its page and in the index."""

    id: str
    number: str
    title: str
    population: str
    plan: str
    plan_title: str


@dataclass(frozen=True)
class Report:
    """What the outputs of a report share: ``heads`` are in the order of the specification's outputs.

    ``records_page`` is the address of the page that shows the records behind a cell, blank where there is none.
    ``shown`` are the outputs that have a page.
    """

    specification: ReportSpecification
    study: Mapping[str, str]
    heads: list[Head]
    folder: Path
    records_page: str = ""
    shown: frozenset[str] = frozenset()

    def neighbours(self, identifier: str) -> tuple[str, str]:
        """Return the outputs before and after one that has a page, blank where there is none."""
        names = [head.id for head in self.heads if head.id in self.shown]
        place = names.index(identifier)
        return names[place - 1] if place else "", "".join(names[place + 1 : place + 2])

    @property
    def whole(self) -> bool:
        """Whether every output has a page, also those that show single patients."""
        return len(self.shown) == len(self.heads)


@cache
def _templates() -> Environment:
    return page_templates(FOLDER)


def page_template(name: str) -> Template:
    """Return a template of the report's pages, compiled once a process; what is rendered needs ``study``."""
    return _templates().get_template(name)


def write_file(path: Path, parts: Iterable[str]) -> Path:
    """Write a file part by part, as they come: the pages of a listing may be more than memory holds."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(parts)
    return path


def write_output(datasets: Mapping[str, Dataset], report: Report, position: int, own: Rows) -> list[Path]:
    """Write the files of the output at a position of the report from its ``own`` rows of the results data.

    The records of listings come from ``datasets``. Returns the files; raises StudyError where the declaration does not
    fit the datasets.
    """
    output, head = report.specification.outputs[position], report.heads[position]
    layout = _layout(AnalysisData(report.specification, datasets), output, own)
    notes = _notes(output, own, layout)
    drawn = [(figure.description, picture) for figure in layout.figures
             for picture in _drawn(figure, report.study, head, notes)]  # fmt: skip
    pictures = [picture for _, picture in drawn]
    cells = table_cells(layout.tables, own)
    address = f"{report.records_page}#cell={output.id}/" if report.records_page else ""
    places = iter([f"{address}{cell.number}" for cell in cells] if address else [])
    sheet = _frame(report.study, head, notes)
    printed = document.document(sheet, layout.tables, [picture.bare_png for picture in pictures])
    files = [write_file(report.folder / f"{output.id}.rtf", printed), *_pictures(report.folder, output.id, pictures)]
    if cells:
        (report.folder / CELLS).mkdir(exist_ok=True)
        files.append(write_file(report.folder / CELLS / f"{output.id}.json", [cells_file(cells)]))
    if head.id not in report.shown:
        return files
    before, after = report.neighbours(head.id)
    text = page_template("output.html.jinja").stream(
        study=report.study, head=head, before=before, after=after, patients=report.whole,
        position=position + 1, count=len(report.heads),
        tables=[_table(table, places) for table in layout.tables], notes=notes, records_page=report.records_page,
        figures=[{"svg": Markup(picture.bare_svg), "description": f"{description} {picture.part}".rstrip()}  # noqa: S704 drawn here, texts escaped
                 for description, picture in drawn],
        files=_names(output.id, len(pictures)),
    )  # fmt: skip
    text.enable_buffering(PIECES)
    return [write_file(report.folder / f"{output.id}.html", text), *files]


def _drawn(figure: Figure, study: Mapping[str, str], head: Head, notes: list[str]) -> list[Picture]:
    """The figure's pages; a picture that is copied out of its page carries title, population and footnotes."""
    from reports.figures.picture import Captions, draw  # loads matplotlib

    title = " \N{EN DASH} ".join(filter(None, (f"{head.number}  {head.title}", study["notice"])))
    cut = f"{study['id']}, data cut-off {study['cutoff']}, snapshot {study['snapshot']}."
    return list(draw(figure, Captions(title, head.population, (*notes, cut))))


def _frame(study: Mapping[str, str], head: Head, notes: list[str]) -> document.PageFrame:
    """What is printed around the tables of an output: its title, study, data and footnotes."""
    ended = (*notes, f"Analysis plan: {head.plan_title}. Results data: rows of output {head.id}.",
             f"Snapshot {study['snapshot']}.")  # fmt: skip
    data = f"Data cut-off {study['cutoff']}, data of {study['date']}"
    return document.PageFrame(head.number, head.title, head.population, f"{study['id']}: {study['title']}", data,
                     study["notice"], ended)  # fmt: skip


def _layout(analysis: AnalysisData, output: Output, own: Rows) -> OutputLayout:
    template = TEMPLATES[output.template]
    return template.show(analysis, output) if template.show else template.layout(output, ResultsIndex(own))


def _names(identifier: str, count: int) -> list[str]:
    """What the files of an output's pictures are called, without their ends: F1, F1-2, F1-3."""
    return [identifier if number == 1 else f"{identifier}-{number}" for number in range(1, count + 1)]


def _pictures(folder: Path, identifier: str, pictures: list[Picture]) -> list[Path]:
    files: list[Path] = []
    for name, picture in zip(_names(identifier, len(pictures)), pictures, strict=True):
        files.append(write_file(folder / f"{name}.svg", [picture.svg]))
        files.append(folder / f"{name}.png")
        files[-1].write_bytes(picture.png)
    return files


def _table(table: OutputTable | Listing, places: Iterator[str]) -> dict[str, Any]:
    """Rows with aligned cells, and the heads that span several columns; a listing is made when it is written.

    ``places`` are the addresses of the cells that show results, without any cells lead nowhere.
    """
    if isinstance(table, Listing):
        return {"is_listing": True, "markup": partial(listing_html, table), "caption": table.caption}
    body = [row for row in table.rows if not row.heading]
    blocks = [block for block, row in zip(accumulate(int(row.heading) for row in table.rows), table.rows, strict=True)
              if not row.heading]  # fmt: skip
    columns = [[row.cells[i] for row in body] for i in range(len(table.columns))]
    shown = [
        [text_cell(cell) for cell in cells] if column.text else aligned(cells, blocks)
        for column, cells in zip(table.columns, columns, strict=True)
    ]
    cells = iter(zip(*shown, strict=True))
    spans = [(span, len(list(same))) for span, same in groupby(column.span for column in table.columns)]
    rows = [
        {"label": row.label, "indent": row.indent, "heading": row.heading, "link": row.link,
         "cells": [] if row.heading else _leading(next(cells), row.cells, places)} for row in table.rows
    ]  # fmt: skip
    return {
        "caption": table.caption, "stub": table.stub, "columns": table.columns, "rows": rows,
        "spans": spans if any(span for span, _ in spans) else [], "wordy": all(c.text for c in table.columns[:2]),
        "is_listing": False,
    }  # fmt: skip


def _leading(shown: Sequence[Markup], cells: Sequence[str], places: Iterator[str]) -> list[tuple[Markup, str]]:
    """Return each cell with the address that it leads to, blank for one that shows no result."""
    return [
        (markup, next(places, "") if isinstance(cell, ResultText) and cell.rows and cell else "")
        for markup, cell in zip(shown, cells, strict=True)
    ]


def _notes(output: Output, own: Rows, layout: OutputLayout) -> list[str]:
    """Declared footnotes, then the methods, abbreviations, warnings and source datasets of the results themselves."""
    notes = output.footnotes
    methods = list(dict.fromkeys(row["method"] for row in own if row["statistic"] in EXPLAINED))
    notes += [f"Methods: {'; '.join(methods)}."] if methods else []
    statistics, texts = {row["statistic"] for row in own}, {row["text"] for row in own}
    notes += ["Quartiles as SAS PCTLDEF=5; rounding half away from zero."] if "q1" in statistics else []
    notes += [f"{NOT_ESTIMABLE}: not estimable."] if NOT_ESTIMABLE in texts and layout.tables else []
    notes += [f"{level}: {warning}." for level, warning in _warnings(own)]
    sources = sorted({row["dataset"] for row in own if row["dataset"].isupper()})
    source = f"Source: {', '.join(sources)}." if sources else "Source: the results data of this report."
    return [*notes, f"{source} Program: redcap-cdisc, output template {output.template} of reports.yaml."]


def _warnings(rows: Rows) -> list[tuple[str, str]]:
    """Warnings of tests and estimates by what they are about, each once."""
    about = [row for row in rows if row["warning"] and row["statistic"] in ("p_value", "estimate")]
    named = [f"{row['method']} ({row['level']})" if row["level"] and not row["level"].isdigit() else row["method"]
             for row in about]  # fmt: skip
    return list(dict.fromkeys(zip(named, [row["warning"] for row in about], strict=True)))
