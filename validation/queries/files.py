"""The files of a query listing: CSV, workbook and page, of all sites and of each; their owner alone can read them."""

from __future__ import annotations

import csv
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from metadata.project import Project
from metadata.spreadsheet import guarded_frame
from metadata.study import Study
from validation.queries.page import write_page
from validation.queries.workbook import write_workbook

FOLDER_MODE = 0o700
BY_SITE = "queries_by_site"


def write_files(study: Study, project: Project, listing: pd.DataFrame, folder: Path, date: str) -> None:
    """Write queries.csv, queries.xlsx and queries.html, and the same for each site if there are several.

    ``listing`` has the columns of ``validation.queries.history.LISTED``, ``date`` is the snapshot's. The files of a
    site are in ``queries_by_site`` under the site's name; files of sites that have no queries any more are removed.
    Each file is whole at any time, since the next run may begin with it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(study, project, listing, folder, "queries", date)
    by_site = folder / BY_SITE
    shutil.rmtree(by_site, ignore_errors=True)
    sites = sorted(set(listing["site"]))
    if len(sites) > 1:
        by_site.mkdir(mode=FOLDER_MODE)
        for site, name in zip(sites, file_names(sites), strict=True):
            own = listing[listing["site"] == site].reset_index(drop=True)
            _write(study, project, own, by_site, name, date)


def file_names(sites: Iterable[str]) -> list[str]:
    """Return for each site a name that any disk can have and no other site has: ASCII letters, digits and hyphens."""
    made: list[str] = []
    for site in sites:
        letters = unicodedata.normalize("NFKD", site).encode("ascii", "ignore").decode().lower()
        plain = re.sub("[^a-z0-9]+", "-", letters).strip("-")[:60] or "site"
        number = 2
        name = plain
        while name in made:
            name, number = f"{plain}-{number}", number + 1
        made.append(name)
    return made


def _write(study: Study, project: Project, listing: pd.DataFrame, folder: Path, name: str, date: str) -> None:
    _write_aside(folder / f"{name}.csv", lambda path: write_csv(listing, path))
    _write_aside(folder / f"{name}.xlsx", lambda path: write_workbook(study, listing, path, date))
    _write_aside(folder / f"{name}.html", lambda path: write_page(study, project, listing, path, date))


def _write_aside(path: Path, write: Callable[[Path], None]) -> None:
    """Let a file be written under another name, for its owner from the beginning, and put it in its place."""
    descriptor, aside = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)  # mode 0600
    os.close(descriptor)
    try:
        write(Path(aside))
        Path(aside).replace(path)
    finally:
        Path(aside).unlink(missing_ok=True)


def write_csv(listing: pd.DataFrame, path: Path) -> None:
    """Write the listing as CSV (UTF-8, LF) whose cells no spreadsheet takes for formulas; texts are quoted."""
    guarded_frame(listing).to_csv(
        path, index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC, encoding="utf-8"
    )
