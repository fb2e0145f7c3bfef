"""Which records each record was made from, as script files next to the parts of its table.

The edges of a record that lead to one record of one source differ from record to record in nothing but their place, so
each is written as the place of the source and the number of a bundle of pairs of variables, of which there are few.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from metadata.dataset import Dataset
from publish.disk import write_bytes
from publish.lineage import REDCAP
from publish.study_page.tables import ROWS, packed, script

RECORDS = "REDCap"
"""The table of what is of a REDCap record and of no form, such as its data access group."""


def form_table(form: str) -> str:
    """Return the table of a form: also where letters have no case, its file is not that of a dataset."""
    return f"{RECORDS}.{form}" if form else RECORDS


@dataclass(frozen=True)
class FormPlaces:
    """Where REDCap's values are: the form of each field, and the positions of the records in each form's table."""

    form_of: Mapping[str, str]
    positions: Mapping[str, np.ndarray]

    def table(self, field: str) -> str:
        """Return the table that has a field."""
        return form_table(self.form_of.get(field, ""))


@dataclass(frozen=True)
class SourceEdges:
    """Edges with the tables of the page in place of REDCap: of equal length, in the order of the rows."""

    row: np.ndarray
    pair: np.ndarray
    place: np.ndarray
    pairs: tuple[tuple[str, str, str], ...]
    """Table, variable of the source and variable made of it, of each number in ``pair``."""


def source_edges(lineage: pd.DataFrame, forms: FormPlaces) -> SourceEdges:
    """Return a dataset's edges with places in the tables of the page."""
    kinds = [lineage[name].cat for name in ("source", "source_variable", "variable")]
    sizes = [max(len(kind.categories), 1) for kind in kinds]
    codes = np.ravel_multi_index([kind.codes.to_numpy().astype(np.int64) for kind in kinds], sizes)
    pair, used = pd.factorize(codes, sort=True)
    names = [
        [str(kind.categories[code]) for code in own]
        for kind, own in zip(kinds, np.unravel_index(used, sizes), strict=True)
    ]
    row, place, pairs = lineage["row"].to_numpy(), lineage["source_row"].to_numpy().copy(), []
    for number, (source, field, variable) in enumerate(zip(*names, strict=True)):
        table = forms.table(field) if source == REDCAP else source
        pairs.append((table, field, variable))
        if source == REDCAP:
            mine = pair == number
            place[mine] = np.searchsorted(forms.positions[table], place[mine])
    return SourceEdges(row, pair, place, tuple(pairs))


def write_sources(folder: Path, dataset: Dataset, forms: FormPlaces) -> None:
    """Write ``<name>-from-<part>.js`` for each part of a dataset that was made from something; raises OutsideError."""
    edges = source_edges(dataset.lineage, forms)
    tables = list(dict.fromkeys(table for table, _, _ in edges.pairs))
    table_of = np.array([tables.index(table) for table, _, _ in edges.pairs] or [0])
    span = int(edges.place.max(initial=0)) + 1
    record = (edges.row.astype(np.int64) * max(len(tables), 1) + table_of[edges.pair]) * span + edges.place
    order = np.argsort(record, kind="stable")
    record, pair = record[order], edges.pair[order]
    starts = np.flatnonzero(np.append(True, record[1:] != record[:-1])) if len(record) else np.empty(0, np.int64)
    bundle, bundles = _bundles(pair, starts, len(edges.pairs))
    row = record[starts] // span // max(len(tables), 1)
    place = record[starts] % span
    listed = [[edges.pairs[one[0]][0], [list(edges.pairs[each][1:]) for each in one]] for one in bundles]
    for number, first in enumerate(range(0, len(dataset.frame), ROWS)):
        rows = min(ROWS, len(dataset.frame) - first)
        begin, end = np.searchsorted(row, (first, first + rows))
        counts = np.bincount(row[begin:end] - first, minlength=rows)
        content = {
            "table": dataset.name, "part": number, "bundles": listed,
            "most": [int(counts.max(initial=0)), max(len(listed) - 1, 0), span - 1],
            "counts": packed(counts, int(counts.max(initial=0))),
            "bundle": packed(bundle[begin:end], max(len(listed) - 1, 0)),
            "place": packed(place[begin:end], span - 1),
        }  # fmt: skip
        write_bytes(folder / f"{dataset.name}-from-{number}.js", script("studySources", content))


def _bundles(pair: np.ndarray, starts: np.ndarray, pairs: int) -> tuple[np.ndarray, list[list[int]]]:
    """Return the number of each run of pairs, and the pairs of each number; runs of the same pairs share one.

    ``pair`` has the pairs of each run, which begins at ``starts``, in any order: a run is known by the sum of random
    numbers of 62 bits that stand for its pairs, so that nothing is sorted run by run.
    """
    if not len(starts):
        return np.empty(0, np.int64), []
    ends = np.append(starts[1:], len(pair))
    marks = np.random.default_rng(0).integers(1, 1 << 62, pairs, dtype=np.uint64)  # the same in every run
    sums = np.add.reduceat(marks[pair], starts)
    number, _ = pd.factorize(sums)
    first = np.full(int(number.max()) + 1, -1, np.int64)
    first[number[::-1]] = np.arange(len(number))[::-1]
    return number, [sorted(set(pair[starts[one] : ends[one]].tolist())) for one in first.tolist()]
