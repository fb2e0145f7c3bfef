"""Values that are in no dataset: those that could not be tabulated, and those of people who were screened again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metadata.dataset import Dataset
from metadata.records import Records
from sdtm.build.engine import SUPERSEDED
from sdtm.build.relations import Related
from sdtm.columns.table import REDCAP, DomainTable, Withheld

WITHHELD = ("source_row", "field", "domain", "reason")


def withheld_by_domain(tables: dict[str, DomainTable], linked: Related, unused: set[str]) -> list[tuple[str, Withheld]]:
    """Return the withheld values of domains and relations, without those of ``unused`` fields."""
    items = [(domain, item) for domain, table in tables.items() for item in table.withheld]
    items += [(linked.domain, item) for item in linked.withheld]
    return [(domain, item) for domain, item in items if not (item.without_record and item.field in unused)]


def cut_by_domain(tables: dict[str, DomainTable], linked: Related) -> list[tuple[str, Withheld]]:
    """Return the values of domains and relations that the data cut-off leaves out."""
    items = [(domain, item) for domain, table in tables.items() for item in table.cut_off]
    return [*items, *((linked.domain, item) for item in linked.cut_off)]


def list_withheld(items: list[tuple[str, Withheld]], datasets: dict[str, Dataset]) -> pd.DataFrame:
    """Return the withheld values that are in no dataset, and those from which another variable could not be made."""
    counts = [len(item.source_rows) for _, item in items]
    texts = {
        name: np.repeat(np.array([str(value) for value in values], dtype=object), counts)
        for name, values in (
            ("field", [item.field for _, item in items]),
            ("domain", [domain for domain, _ in items]),
            ("reason", [item.reason for _, item in items]),
        )
    }
    rows = np.concatenate([np.empty(0, np.int32), *(item.source_rows for _, item in items)]).astype(np.int32)
    columns = {name: pd.array(values, dtype="str") for name, values in texts.items()}
    elsewhere = np.repeat(np.array([item.elsewhere for _, item in items], bool), counts)
    listed = pd.DataFrame({"source_row": rows, **columns, "elsewhere": elsewhere})
    fields = {name: code for code, name in enumerate(dict.fromkeys(item.field for _, item in items))}
    places = listed["source_row"].to_numpy(np.int64) * len(fields) + listed["field"].map(fields).to_numpy(np.int64)
    found = [_tabulated(dataset, fields) for dataset in datasets.values()]
    nowhere = ~np.isin(places, np.concatenate([np.empty(0, np.int64), *found]))
    gravest = listed[nowhere | elsewhere].sort_values("elsewhere", kind="stable")  # a whole record before a variable
    kept = gravest[list(WITHHELD)].drop_duplicates(["source_row", "field", "domain"])
    return kept.sort_values(list(WITHHELD), kind="stable", ignore_index=True)


def split_superseded(records: Records, listed: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the withheld values, and those not submitted because the person has a later record."""
    superseded = listed["reason"].eq(SUPERSEDED).to_numpy(bool)
    known = records.project.dictionary.fields
    chosen = listed[superseded & listed["field"].isin(list(known)).to_numpy(bool)]
    made = pd.DataFrame(
        {
            "form": chosen["field"].map({name: found.form for name, found in known.items()}),
            "field": chosen["field"],
            "reason": chosen["reason"],
            "record": records.table.texts_at(records.project.dictionary.record_id, chosen["source_row"].to_numpy()),
        },
        dtype="str",
    )
    return listed[~superseded].reset_index(drop=True), made.drop_duplicates(ignore_index=True)


def _tabulated(dataset: Dataset, fields: dict[str, int]) -> np.ndarray:
    """Return the places of the values that lead to a dataset: row of the records times the fields, plus the field."""
    lineage = dataset.lineage
    names, sources = lineage["source_variable"].array, lineage["source"].array
    field = np.array([*(fields.get(name, -1) for name in names.categories), -1])[names.codes]
    received = np.array([*(name == REDCAP for name in sources.categories), False])[sources.codes]
    at = received & (field >= 0)
    return lineage["source_row"].to_numpy(np.int64)[at] * len(fields) + field[at]
