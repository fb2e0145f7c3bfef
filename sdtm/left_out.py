"""What is in no dataset: values that could not be tabulated, and those of people who were screened again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metadata.dataset import Dataset
from metadata.records import Records
from sdtm.engine import SUPERSEDED
from sdtm.relations import Related
from sdtm.table import REDCAP, Table, Withheld

WITHHELD = ("source_row", "field", "domain", "reason")


def left_out(tables: dict[str, Table], linked: Related, unused: set[str]) -> list[tuple[str, Withheld]]:
    """Return what the domains and the relations could not use, without what need not make a record (``unused``)."""
    items = [(domain, item) for domain, table in tables.items() for item in table.withheld]
    items += [(linked.domain, item) for item in linked.withheld]
    return [(domain, item) for domain, item in items if not (item.without_record and item.field in unused)]


def withheld(left: list[tuple[str, Withheld]], datasets: dict[str, Dataset]) -> pd.DataFrame:
    """Return the values left out that stand in no dataset, and those of which something else could not be made."""
    pieces = [
        pd.DataFrame(
            {"source_row": item.source_rows, "field": item.field, "domain": domain, "reason": item.reason}
        ).assign(elsewhere=item.elsewhere)
        for domain, item in left
    ]
    if not pieces:
        return pd.DataFrame({"source_row": np.empty(0, np.int32), **{name: [] for name in WITHHELD[1:]}}).astype(
            dict.fromkeys(WITHHELD[1:], "str")
        )
    listed = pd.concat(pieces, ignore_index=True).drop_duplicates(["source_row", "field", "domain"])
    tabulated = pd.concat(
        [_tabulated(dataset, set(listed["field"])) for dataset in datasets.values()]
    ).drop_duplicates()
    known = listed.merge(tabulated, on=["source_row", "field"], how="left", indicator=True)
    kept = known.loc[(known["_merge"] == "left_only").to_numpy() | known["elsewhere"].to_numpy(bool), list(WITHHELD)]
    made = kept.astype({"source_row": np.int32, **dict.fromkeys(WITHHELD[1:], "str")})
    return made.sort_values(list(WITHHELD), kind="stable").reset_index(drop=True)


def parted(records: Records, listed: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what is withheld, and apart what is not submitted because the person has a later record."""
    superseded = listed["reason"].eq(SUPERSEDED).to_numpy(bool)
    known = records.project.dictionary.fields
    chosen = listed[superseded & listed["field"].isin(list(known)).to_numpy(bool)]
    made = pd.DataFrame(
        {
            "form": chosen["field"].map({name: found.form for name, found in known.items()}),
            "field": chosen["field"],
            "reason": chosen["reason"],
            "record": records.record.to_numpy(object)[chosen["source_row"].to_numpy()],
        },
        dtype="str",
    )
    return listed[~superseded].reset_index(drop=True), made.drop_duplicates(ignore_index=True)


def _tabulated(dataset: Dataset, fields: set[str]) -> pd.DataFrame:
    lineage = dataset.lineage
    at = (lineage["source"] == REDCAP).to_numpy() & lineage["source_variable"].isin(fields).to_numpy()
    chosen = lineage.loc[at, ["source_row", "source_variable"]]
    return chosen.astype({"source_variable": "str"}).rename(columns={"source_variable": "field"})
