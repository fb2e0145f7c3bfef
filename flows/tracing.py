"""Showing the way of a value from a finished package back to the form."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from metadata.errors import UsageError

PLACES = ("record", "event", "form", "instance", "field")


def show_trace(package: Path, dataset: str, where: str, variable: str | None, as_json: bool) -> None:
    """Print the steps of a trace and the REDCap fields at its end, as tables or as JSON."""
    from publish.trace import redcap_places, trace

    if not (package / "lineage").is_dir():
        raise UsageError(f"{package} is not a finished package: it has no lineage folder")
    steps = trace(package, dataset, where, variable)
    places = redcap_places(steps)
    if as_json:
        content = {"steps": steps.to_dict("records"), "redcap": places.to_dict("records")}
        print(json.dumps(content, indent=2, default=str))  # noqa: T201
        return
    console = Console(highlight=False)
    console.print(_table("Steps", _short(steps)))
    console.print(_table("REDCap fields at the end", places))


def _short(steps: pd.DataFrame) -> pd.DataFrame:
    shown = ["dataset", "record_key", "variable", "value", "source", "source_key", "source_variable"]
    return steps[shown].rename(columns=lambda name: name.replace("_", " "))


def _table(title: str, frame: pd.DataFrame) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", expand=False)
    for column in frame.columns:
        table.add_column(str(column), overflow="fold")
    for row in frame.astype("str").to_numpy().tolist():
        table.add_row(*(Text(cell) for cell in row))
    return table
