"""Showing what two datasets or packages differ in: counts and keys, and the values themselves only on request."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from metadata.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from publish.comparison import DatasetComparison, Tolerance, Tolerances
    from publish.comparison_folders import FolderComparison


def show_comparison(
    first: Path, second: Path, keys: Sequence[str], tolerances: Sequence[str], ignored: Sequence[str], values: bool,
    rows: int, as_json: bool, page: Path | None = None,
) -> int:  # fmt: skip
    """Print the comparison, write it as a page if one is named, and return the exit code: 0 equal, 1 different."""
    from publish.comparison import IGNORABLE
    from publish.comparison_folders import compare_places

    for attribute in ignored:
        if attribute not in IGNORABLE:
            raise UsageError(f"--ignore takes {', '.join(IGNORABLE)}, not '{attribute}'")
    found = compare_places(first, second, list(keys), read_tolerances(tolerances), list(ignored))
    content = as_dict(first, second, found, values, rows)
    if page:
        from publish.comparison_page.page import write

        write(page, content)
    if as_json:
        print(json.dumps(content, indent=2))  # noqa: T201
    else:
        _print(Console(highlight=False), first, second, found, values, rows)
    return 0 if found.equal else 1


def read_tolerances(texts: Sequence[str]) -> Tolerances:
    """``0.001`` or ``0.1%`` for all variables, ``AVAL=0.001`` or ``AVAL=0.1%`` for one; raises UsageError."""
    from publish.comparison import Tolerance, Tolerances

    absolute, relative, single = 0.0, 0.0, dict[str, Tolerance]()
    for text in texts:
        name, equals, amount = text.rpartition("=")
        tolerance = _tolerance(text, amount)
        if equals:
            known = single.get(name, Tolerance())
            single[name] = Tolerance(tolerance.absolute or known.absolute, tolerance.relative or known.relative)
        else:
            absolute, relative = tolerance.absolute or absolute, tolerance.relative or relative
    return Tolerances(Tolerance(absolute, relative), single)


def _tolerance(text: str, amount: str) -> Tolerance:
    from publish.comparison import Tolerance

    try:
        number = float(amount.removesuffix("%"))
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise UsageError(f"'{text}' is not a tolerance: write 0.001, 0.1%, AVAL=0.001 or AVAL=0.1%")
    return Tolerance(relative=number / 100) if amount.endswith("%") else Tolerance(absolute=number)


def as_dict(first: Path, second: Path, found: FolderComparison, values: bool, rows: int) -> dict[str, Any]:
    """The comparison for programs; values of the rows are left out unless asked for."""
    return {
        "first": str(first),
        "second": str(second),
        "equal": found.equal,
        "only_first": list(found.only_first),
        "only_second": list(found.only_second),
        "files": list(found.files),
        "datasets": [_dataset(dataset, values, rows) for dataset in found.datasets],
        "findings": [{**vars(one), "kind": one.kind} for one in found.findings],
    }


def _dataset(found: DatasetComparison, values: bool, rows: int) -> dict[str, Any]:
    return {
        "dataset": found.name,
        "equal": found.equal,
        "keys": list(found.keys),
        "rows": list(found.sizes),
        "matched": found.matched,
        "records": {"added": len(found.rows_second), "changed": found.changed, "gone": len(found.rows_first)},
        "variables_only_first": list(found.only_first),
        "variables_only_second": list(found.only_second),
        "attributes": [vars(difference) for difference in found.attributes],
        "rows_only_first": {"count": len(found.rows_first), "keys": _records(found.rows_first.head(rows))},
        "rows_only_second": {"count": len(found.rows_second), "keys": _records(found.rows_second.head(rows))},
        "values": [
            {"variable": value.variable, "compared": value.compared, "different": value.count,
             "largest": None if math.isnan(value.largest) else value.largest,
             "rows": _records(_shown(value.rows, values).head(rows))} for value in found.differences
        ],
    }  # fmt: skip


def _shown(rows: pd.DataFrame, values: bool) -> pd.DataFrame:
    """Keys alone, or with both values."""
    return rows.rename(columns={"_first": "A", "_second": "B"}) if values else rows.drop(columns=["_first", "_second"])


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(rows.to_json(orient="records", double_precision=15))
    return found


def _print(console: Console, first: Path, second: Path, found: FolderComparison, values: bool, rows: int) -> None:
    console.print(Text(f"A  {first}\nB  {second}\n"))
    _print_summary(console, found)
    for dataset in found.datasets:
        if not dataset.equal:
            _print_dataset(console, dataset, values, rows)
    for title, names in (("Only in A", found.only_first), ("Only in B", found.only_second)):
        if names:
            console.print(Text(f"{title}: {', '.join(names)}"))
    if found.findings:
        cells = [(one.rule, f"{one.dataset} {one.variable}".strip(), one.severity, one.kind,
                  "" if one.first is None else f"{one.first:,}", "" if one.second is None else f"{one.second:,}")
                 for one in found.findings]  # fmt: skip
        heads = ("Rule", "Where", "Severity", "", "Records A", "Records B")
        _print_table(console, "Conformance findings that differ", heads, cells)
    if found.files:
        console.print(Text(f"Other files that differ: {', '.join(found.files)}"))
    console.print(Text("A and B are equal." if found.equal else "A and B differ.", style="bold"))


def _print_summary(console: Console, found: FolderComparison) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for head in ("Dataset", "Rows A", "Rows B", "Added", "Changed", "Gone", "Variables", "Attributes", "Values", ""):
        table.add_column(head, justify="left" if head in ("Dataset", "") else "right", no_wrap=True)
    for dataset in found.datasets:
        counts = (
            *dataset.sizes, len(dataset.rows_second), dataset.changed, len(dataset.rows_first),
            len(dataset.only_first) + len(dataset.only_second), len(dataset.attributes),
            sum(value.count for value in dataset.differences),
        )  # fmt: skip
        verdict = Text("equal") if dataset.equal else Text("differs", style="bold red")
        table.add_row(Text(dataset.name), *(Text(f"{count:,}") for count in counts), verdict)
    console.print(table, end="\n\n")


def _print_dataset(console: Console, found: DatasetComparison, values: bool, rows: int) -> None:
    keys = f"rows matched by {' '.join(found.keys)}" if found.keys else "no keys: rows matched by position"
    console.print(Text(f"{found.name}", style="bold"), Text(f"({found.matched:,} {keys})"))
    for title, names in (("Variables only in A", found.only_first), ("Variables only in B", found.only_second)):
        if names:
            console.print(Text(f"{title}: {', '.join(names)}"))
    if found.attributes:
        cells = [(d.variable or "(dataset)", d.attribute, d.first, d.second) for d in found.attributes]
        _print_table(console, "Attributes", ("Variable", "Attribute", "A", "B"), cells)
    for title, frame in (("Rows only in A", found.rows_first), ("Rows only in B", found.rows_second)):
        if len(frame):
            _print_rows(console, title, frame, rows)
    if found.differences:
        cells = [(v.variable, f"{v.compared:,}", f"{v.count:,}", "" if math.isnan(v.largest) else f"{v.largest:.6g}")
                 for v in found.differences]  # fmt: skip
        heads = ("Variable", "Rows compared", "Different", "Largest difference")
        _print_table(console, "Values that differ", heads, cells)
    for value in found.differences:
        _print_rows(console, value.variable, _shown(value.rows, values), rows)


def _print_rows(console: Console, title: str, frame: pd.DataFrame, rows: int) -> None:
    shown = frame.head(rows)
    more = f" (first {len(shown)} of {len(frame):,})" if len(frame) > len(shown) else f" ({len(frame)})"
    cells = [[_cell(value) for value in row] for row in shown.astype("object").to_numpy().tolist()]
    _print_table(console, title + more, tuple(str(name) for name in shown), cells)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.15g}"
    return str(value)


def _print_table(console: Console, title: str, heads: tuple[str, ...], rows: Sequence[Sequence[str]]) -> None:
    table = Table(title=title, title_justify="left", title_style="", box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table, end="\n\n")
