"""SUPP-- datasets: qualifiers that the domain's table has no variable for (SDTMIG 3.3, section 8.4)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metadata.dataset import Dataset, DatasetMetadata, Value, Variable
from metadata.standards import sdtm_dataset, sdtm_variables
from metadata.units import text_of
from sdtm.finish import Finished
from sdtm.mapping import DomainMapping
from sdtm.table import Edge
from sdtm.value_level import supplemental_values

KEYS = ("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM")
METHODS = {
    "STUDYID": ("Protocol", ""),
    "RDOMAIN": ("Assigned", ""),
    "USUBJID": ("Derived", "As in the parent domain."),
    "IDVAR": ("Assigned", ""),
    "IDVARVAL": ("Derived", "Sequence number of the parent record."),
    "QNAM": ("Assigned", ""),
    "QLABEL": ("Assigned", ""),
    "QVAL": ("Collected", ""),
    "QORIG": ("Assigned", ""),
    "QEVAL": ("Assigned", ""),
}


def supplemental(
    version: str, mapping: DomainMapping, made: Finished, studyid: str
) -> tuple[Dataset, list[Edge]] | None:
    """Return SUPP-- of a finished domain with its edges (rows of the dataset), or None if there is nothing to say."""
    pieces, rows = [], []
    for number, extra in enumerate(made.extras):
        at = made.position[extra.rows]
        keep = at >= 0
        values = np.asarray(extra.values, dtype=object)[keep]
        piece = pd.DataFrame({"QVAL": values, "parent": at[keep], "table_row": extra.rows[keep], "extra": number})
        rows.append(piece.assign(QNAM=extra.qnam, QLABEL=extra.label, QORIG=extra.qorig, QEVAL=extra.qeval))
        pieces.append(piece)
    joined = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()
    if joined.empty:
        return None
    frame = _identified(mapping, made, joined, studyid).sort_values(list(KEYS), kind="stable").reset_index(drop=True)
    metadata = _metadata(version, mapping, supplemental_values(mapping, made.extras, set(frame["QNAM"])))
    edges = _edges(made, frame)
    texts = {name: pd.Series(frame[name].to_numpy(dtype=object), dtype="str") for name in metadata.names}
    return Dataset(metadata, pd.DataFrame(texts)), edges


def _identified(mapping: DomainMapping, made: Finished, joined: pd.DataFrame, studyid: str) -> pd.DataFrame:
    """Add who each value belongs to, and the parent record by --SEQ where the domain has it."""
    parent = made.dataset.frame
    at = joined["parent"].to_numpy()
    sequence = mapping.prefixed("SEQ")
    has = sequence in parent.columns
    return joined.assign(
        STUDYID=studyid,
        RDOMAIN=mapping.domain,
        USUBJID=np.asarray(parent["USUBJID"], dtype=object)[at],
        IDVAR=sequence if has else "",
        IDVARVAL=text_of(parent[sequence].to_numpy(float)[at]) if has else "",
    )


def _metadata(version: str, mapping: DomainMapping, values: tuple[Value, ...]) -> DatasetMetadata:
    guide = sdtm_dataset(version, "SUPPQUAL")
    variables = tuple(
        Variable(
            item.name,
            item.label,
            "Char",
            core=item.core,
            role=item.role,
            codelist=item.codelist or None,
            origin=METHODS[item.name][0],
            method=METHODS[item.name][1],
        )
        for item in sdtm_variables(version, "SUPPQUAL")
    )
    label = f"Supplemental Qualifiers for {mapping.domain}"
    return DatasetMetadata(
        f"SUPP{mapping.domain}", label, guide.dataset_class, guide.structure, KEYS, variables, values
    )


def _edges(made: Finished, frame: pd.DataFrame) -> list[Edge]:
    """Return the lineage of QVAL: that of the value in the domain's table, moved to the row of SUPP--."""
    edges = []
    for qnam, rows in frame.groupby("QNAM", sort=True).indices.items():
        place = np.full(len(made.position), -1)
        place[frame["table_row"].to_numpy()[rows]] = rows
        for edge in made.edges:
            if edge.variable == f"+{qnam}":
                at = place[edge.rows]
                edges.append(Edge("QVAL", edge.source, edge.source_variable, at[at >= 0], edge.source_rows[at >= 0]))
    return edges
