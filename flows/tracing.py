"""Showing the way of a value from a finished package back to the form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from metadata.errors import UsageError

MOST_LINES = 150
MOST_LINKS = 40
WHOLE = "*"


class TracePlace(NamedTuple):
    """A variable of one record of a dataset, or a field of a form."""

    dataset: str
    record_key: str
    variable: str


def show_trace(package: Path, dataset: str, where: str, variable: str | None, as_json: bool) -> None:
    """Print the way of the values and the REDCap fields at its end, as a tree and a table or as JSON."""
    from publish.trace import trace

    _check_finished(package)
    _show(package, trace(package, dataset, where, variable), {}, as_json)


def show_cell(package: Path, output: str, cell: str, variable: str | None, as_json: bool) -> None:
    """Print what a cell of a table shows, the records behind it, and their way to the REDCap fields."""
    from publish.result_cells import find_cell
    from publish.trace import trace_results

    _check_finished(package)
    found = find_cell(package, output, cell)
    shown = ["statistic", "text", "group", "variable", "level", "method", "n", "dataset", "filter"]
    about = {
        "cell": {"output": found.output, "line": found.row, "column": found.column, "text": found.text},
        "results": found.results[shown].to_dict("records"),
    }
    _show(package, trace_results(package, found.results, variable), about, as_json)


def _check_finished(package: Path) -> None:
    if not (package / "lineage").is_dir():
        raise UsageError(f"{package} is not a finished package: it has no lineage folder")


def _show(package: Path, steps: pd.DataFrame, about: Mapping[str, Any], as_json: bool) -> None:
    """Print the steps and the fields or records at their end, after what is known of the cell that they begin at."""
    from publish.study_page.stored_forms import with_values
    from publish.trace import received_places, redcap_places

    places, received = with_values(package, redcap_places(steps)), received_places(package, steps)
    if as_json:
        ends = {"redcap": places.to_dict("records")} | (
            {"received": received.to_dict("records")} if len(received) else {}
        )
        content = {**about, "steps": steps.to_dict("records"), **ends}
        print(json.dumps(content, indent=2, default=str))  # noqa: T201
        return
    console = Console(highlight=False)
    if about:
        cell = about["cell"]
        console.print(
            Text(
                f"{cell['output']}: {cell['line']} | {cell['column']}".rstrip(" |") + f" = {cell['text']}", style="bold"
            )
        )
        for one in about["results"]:
            console.print(Text(f"  {one['statistic']} {one['text']}: {one['dataset']} where {one['filter'] or 'all'}"))
    if steps.empty:
        console.print("No record fits: there is nothing to follow.")
        return
    for tree in _trees(steps):
        console.print(tree)
    if len(received):
        console.print(_table(received, "Records at the end"))
    if len(places) or not len(received):
        console.print(_table(places.drop(columns="link"), "Fields at the end"))
    for form, link in places.loc[places["link"].ne(""), ["form", "link"]].drop_duplicates().head(MOST_LINKS).to_numpy():
        console.print(Text(f"{form}: {link}", style=f"link {link}"), soft_wrap=True)


def _trees(steps: pd.DataFrame) -> list[Tree]:
    """Return one tree for each value asked for; a place that was followed before is named and not followed again."""
    sources: dict[TracePlace, list[TracePlace]] = {}
    values: dict[TracePlace, str] = {}
    columns = ["dataset", "record_key", "variable", "source", "source_key", "source_variable", "value"]
    for *names, value in steps[columns].astype("str").to_numpy().tolist():
        here, source = TracePlace(*names[:3]), TracePlace(*names[3:])
        sources.setdefault(here, []).append(source)
        values[here] = value
    first = steps.loc[steps["level"] == 1, columns[:3]].astype("str").drop_duplicates()
    followed: set[TracePlace] = set()
    trees = []
    for names in first.to_numpy().tolist():
        tree = Tree(_line(TracePlace(*names), values, None))
        _grow(tree, TracePlace(*names), sources, values, followed)
        trees.append(tree)
        if len(followed) > MOST_LINES:
            trees.append(Tree(Text("... more: name fewer records, --variable, or --json for all", style="yellow")))
            break
    return trees


def _grow(
    tree: Tree,
    place: TracePlace,
    sources: Mapping[TracePlace, list[TracePlace]],
    values: Mapping[TracePlace, str],
    followed: set[TracePlace],
) -> None:
    followed.add(place)
    for source in dict.fromkeys(one for one in sources.get(place, []) if one.dataset):
        branch = tree.add(_line(source, values, place))
        if source in followed and source in sources:
            branch.add(Text("as above", style="dim"))
        elif source != place:
            _grow(branch, source, sources, values, followed)


def _line(place: TracePlace, values: Mapping[TracePlace, str], above: TracePlace | None) -> Text:
    """Return a place with its value; the key of the record only where it is another one than above."""
    line = Text(f"{place.dataset} ", style="bold")
    line.append("record" if place.variable == WHOLE else place.variable, style="cyan")
    if values.get(place):
        line.append(f" = {values[place]}")
    if above is None or (above.dataset, above.record_key) != (place.dataset, place.record_key):
        line.append(f"  {place.record_key.replace(';', '; ')}", style="dim")
    return line


def _table(frame: pd.DataFrame, title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in frame.columns:
        table.add_column(str(column), overflow="fold")
    for row in frame.astype("str").to_numpy().tolist():
        table.add_row(*(Text(cell) for cell in row))
    return table
