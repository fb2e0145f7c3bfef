"""SUPP-- datasets: qualifiers that the domain's table has no variable for (SDTMIG 3.3, section 8.4)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metadata.coded_text import CodedText
from metadata.dataset import Dataset, DatasetMetadata, Edges, Value
from metadata.standards import sdtm_dataset
from metadata.units import text_of
from sdtm.build.finish import Finished
from sdtm.build.linking_variables import linking_variables
from sdtm.mapping.domain_mapping import DomainMapping
from sdtm.mapping.value_level import supplemental_values

KEYS = ("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM")
METHODS = {
    "STUDYID": ("Protocol", ""),
    "USUBJID": ("Derived", "As in the parent domain."),
    "IDVARVAL": ("Derived", "Sequence number of the parent record."),
    "QVAL": ("Collected", ""),
}


def supplemental(
    version: str, mapping: DomainMapping, made: Finished, studyid: str
) -> tuple[Dataset, list[Edges]] | None:
    """Return SUPP-- of a finished domain with its edges (rows of the dataset), or None if there is nothing to say."""
    rows = [extra.rows[made.position[extra.rows] >= 0] for extra in made.extras]
    table_row = np.concatenate([np.empty(0, np.int64), *rows])
    if not len(table_row):
        return None
    columns = _columns(mapping, made, table_row, studyid) | _qualifiers(made)
    order = np.lexsort([columns[name].ranks() for name in reversed(KEYS)])
    sorted_columns = {name: values.take(order) for name, values in columns.items()}
    names = sorted_columns["QNAM"].in_order()
    metadata = _metadata(version, mapping, supplemental_values(mapping, made.extras, set(names.texts)))
    frame = {name: sorted_columns[name].categorical() for name in metadata.names}
    return Dataset(metadata, pd.DataFrame(frame)), _edges(made, names, table_row[order])


def _columns(mapping: DomainMapping, made: Finished, table_row: np.ndarray, studyid: str) -> dict[str, CodedText]:
    """Return who each value belongs to, and the parent record by --SEQ where the domain has it."""
    parent, at = made.dataset, made.position[table_row]
    sequence = mapping.prefixed("SEQ")
    has = sequence in parent.columns
    number = text_of(parent.columns.numbers(sequence)[at]) if has else CodedText.constant("", len(at))
    constants = {"STUDYID": studyid, "RDOMAIN": mapping.domain, "IDVAR": sequence if has else ""}
    columns = {name: CodedText.constant(value, len(at)) for name, value in constants.items()}
    return columns | {"USUBJID": parent.coded("USUBJID").take(at), "IDVARVAL": number}


def _qualifiers(made: Finished) -> dict[str, CodedText]:
    """Return the values of all qualifiers one below the other, with name, label, origin and evaluator of each."""
    kept = [made.position[extra.rows] >= 0 for extra in made.extras]
    pairs = list(zip(made.extras, kept, strict=True))
    columns = {
        column: CodedText.stack([CodedText.constant(getattr(extra, name), int(keep.sum())) for extra, keep in pairs])
        for column, name in (("QNAM", "qnam"), ("QLABEL", "label"), ("QORIG", "qorig"), ("QEVAL", "qeval"))
    }
    return columns | {"QVAL": CodedText.stack([extra.texts.take(keep) for extra, keep in pairs])}


def _metadata(version: str, mapping: DomainMapping, values: tuple[Value, ...]) -> DatasetMetadata:
    guide = sdtm_dataset(version, "SUPPQUAL")
    variables = linking_variables(version, "SUPPQUAL", METHODS)
    label = f"Supplemental Qualifiers for {mapping.domain}"
    return DatasetMetadata(
        f"SUPP{mapping.domain}", label, guide.dataset_class, guide.structure, KEYS, variables, values
    )


def _edges(made: Finished, names: CodedText, table_row: np.ndarray) -> list[Edges]:
    """Return the lineage of QVAL: that of the value in the domain's table, moved to the row of SUPP--."""
    given: dict[str, list[Edges]] = {}
    for edge in made.edges:
        given.setdefault(edge.variable, []).append(edge)
    edges = []
    for code, qnam in enumerate(names.texts):
        rows = np.flatnonzero(names.codes == code)
        place = np.full(len(made.position), -1)
        place[table_row[rows]] = rows
        for edge in given.get(f"+{qnam}", []) if len(rows) else []:
            at = place[edge.row]
            edges.append(Edges(at[at >= 0], "QVAL", edge.source, edge.source_row[at >= 0], edge.source_variable))
    return edges
