"""A listing as HTML, written by columns: each distinct text is escaped and aligned once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape

from reports.layout.alignment import aligned, text_cell
from reports.layout.table import Listing, TableColumn

# A column of text with values of so many letters may break its lines; a date has fewer.
LONG = 12


def listing_html(shown: Listing) -> Markup:
    """The listing as a table; values of grouped columns are printed where they change."""
    caption = f"<caption>{escape(shown.caption)}</caption>\n" if shown.caption else ""
    heads = "".join(f'<th scope="col">{escape(column.label)}</th>' for column in shown.columns)
    body = "\n".join(_rows(shown)) if shown.size else _empty(shown)
    table = f'<table class="listing">\n{caption}<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>'
    return Markup(table)  # noqa: S704 all texts escaped


def _rows(shown: Listing) -> Iterator[str]:
    changed = shown.changes()
    columns: list[Sequence[str]] = []
    for place, (column, texts) in enumerate(zip(shown.columns, shown.texts, strict=True)):
        cells = _cells(column, texts)
        if place < shown.grouped:
            cells = [cell if new else "<td></td>" for cell, new in zip(cells, changed[place], strict=True)]
        columns.append(cells)
    starts = ["<tr class=first>" if new else "<tr>" for new in changed[0]] if changed else ["<tr>"] * shown.size
    return map("".join, zip(starts, *columns, strict=True))


def _cells(column: TableColumn, texts: Sequence[str]) -> list[str]:
    distinct = list(dict.fromkeys(texts))
    shown = [text_cell(text) for text in distinct] if column.text else aligned(distinct)
    pairs = list(zip(distinct, map(str, shown), strict=True))
    if max(map(len, distinct), default=0) > LONG:
        made = {text: f"<td class=w>{cell.replace('/', '/<wbr>')}</td>" for text, cell in pairs}
    else:
        made = {text: f"<td>{cell}</td>" for text, cell in pairs}
    return list(map(made.__getitem__, texts))


def _empty(shown: Listing) -> str:
    return f'<tr><td class="none" colspan="{len(shown.columns)}">{escape(shown.empty)}</td></tr>'
