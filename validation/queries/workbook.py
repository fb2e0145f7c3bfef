"""The query listing as a workbook: counts, all queries and those of each site; no cell of it can be a formula."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from metadata.study import Study
from validation.queries.history import AGE_CLASSES, STATUSES, age_class
from validation.queries.listing import LINK

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

LONGEST_TEXT, LONGEST_NAME = 32_767, 31
"""Characters that a cell and the name of a sheet may have."""
MOST_ROWS, MOST_LINKS = 1_000_000, 65_000
"""Rows, and cells with a link, that are put on one sheet; a link more is a text."""
MOST_TWICE = 5_000
"""Queries that are written a second time, on the sheet of their site; each site has a workbook of its own as well."""
ELSEWHERE = "The queries of one site: filter the column site, or open its own workbook in queries_by_site"
CUT = " ... (cut; the whole text is in queries.csv)"
UNUSABLE = re.compile(r"[\[\]:*?/\\']")
WIDTHS = {"problem": 60, "expected": 45, "value": 24, "answer": 40, "query_id": 18, "link": 12, "rule": 24, "field": 20}
DEFAULT_WIDTH = 14
OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def write_workbook(study: Study, listing: pd.DataFrame, path: Path, date: str) -> None:
    """Write the sheets "Counts" and "Queries", and one for each site if there are several and queries are not too many.

    ``date`` is the snapshot's (YYYY-MM-DD) and that of the file. The same listing gives the same bytes.
    """
    from xlsxwriter.workbook import Workbook

    named = sorted(set(listing["site"]))
    twice = len(named) > 1 and len(listing) <= MOST_TWICE
    with _without_collecting(), Workbook(str(path), OPTIONS) as book:
        book.set_properties({"title": "Queries", "created": datetime.fromisoformat(date)})
        head, text = book.add_format({"bold": True, "bottom": 1}), book.add_format({"text_wrap": True, "valign": "top"})
        about = [f"{study.studyid}: queries on the records of {date}", study.notice]
        about += [ELSEWHERE] if len(named) > 1 and not twice else []
        _write_counts(book, listing, [line for line in about if line], head)
        names = {"counts"}
        _write_queries(book, "Queries", listing, names, head, text)
        for site in named if twice else []:
            _write_queries(book, site, listing[listing["site"] == site], names, head, text)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Keep Python from looking for garbage among millions of cells, which are all kept to the end."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _write_counts(book: Workbook, listing: pd.DataFrame, about: list[str], head: Format) -> None:
    """Write what the file is, and how many queries there are by status: by severity, site, form, rule and age."""
    sheet, row = book.add_worksheet("Counts"), len(about) + 1
    _write_column(sheet, 0, 0, about)
    statuses = [name for name in STATUSES if (listing["status"] == name).any()]
    sheet.set_column(0, 0, WIDTHS["value"] * 2)
    listing = listing.assign(age=age_class(listing["age_days"]))
    for name in ("severity", "site", "form", "rule", "age"):
        counts = pd.crosstab(listing[name], listing["status"]).reindex(columns=statuses, fill_value=0)
        counts = counts.reindex([one for one in AGE_CLASSES if one in counts.index]) if name == "age" else counts
        sheet.write_row(row, 0, [name, *statuses, "all"], head)
        for place, column in enumerate([list(counts.index), *(counts[one].tolist() for one in statuses)]):
            _write_column(sheet, row + 1, place, column)
        _write_column(sheet, row + 1, len(statuses) + 1, counts.sum(axis=1).tolist())
        row += len(counts) + 2


def _write_queries(
    book: Workbook, name: str, listing: pd.DataFrame, names: set[str], head: Format, text: Format
) -> None:
    """Write queries to one sheet, or to several if they are more than one holds."""
    for start in range(0, max(len(listing), 1), MOST_ROWS):
        part = listing.iloc[start : start + MOST_ROWS]
        sheet = book.add_worksheet(_sheet_name(name, names))
        sheet.write_row(0, 0, list(part.columns), head)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(len(part), 1), len(part.columns) - 1)
        for place, column in enumerate(part.columns):
            sheet.set_column(place, place, WIDTHS.get(column, DEFAULT_WIDTH), text)
            values = part[column].tolist()
            _write_column(sheet, 1, place, _write_links(sheet, values, place) if column == "link" else values)


def _write_column(sheet: Worksheet, first: int, place: int, values: Sequence[object]) -> None:
    """Write a column of numbers as they are and of texts as texts, whatever they look like; blank cells cost time."""
    for row, value in enumerate(values, start=first):
        if isinstance(value, str):
            if value:
                sheet.write_string(row, place, value if len(value) <= LONGEST_TEXT else _cut(value))
        else:
            sheet.write_number(row, place, float(str(value)))


def _cut(text: str) -> str:
    return text[: LONGEST_TEXT - len(CUT)] + CUT


def _write_links(sheet: Worksheet, links: list[str], place: int) -> list[str]:
    """Write what is a link to http or https as such, and return what is left to be written as texts."""
    left = list(links)
    for row, link in enumerate(links[:MOST_LINKS]):
        if re.fullmatch(LINK, link):
            sheet.write_url(row + 1, place, link, string="open form")
            left[row] = ""
    return left


def _sheet_name(name: str, taken: set[str]) -> str:
    """Return a name that a sheet may have and none has yet; spreadsheets do not tell letters of either case apart."""
    plain = UNUSABLE.sub(" ", name).strip()[:LONGEST_NAME] or "Site"
    made, number = plain, 2
    while made.lower() in taken or made.lower() == "history":
        end = f" {number}"
        made, number = plain[: LONGEST_NAME - len(end)] + end, number + 1
    taken.add(made.lower())
    return made
