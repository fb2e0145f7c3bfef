"""The last step of a domain: text made plain, variables in the guide's order, rows sorted, --SEQ."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from metadata.coded_matching import place_within
from metadata.coded_text import CodedText
from metadata.dataset import Dataset, DatasetMetadata, Edges, Variable
from metadata.standards import DICTIONARIES, GuideVariable
from sdtm.columns.table import REDCAP, DomainTable, SupplementalRows
from sdtm.columns.text import (
    TextChange,
    continued_name,
    split_long,
    written_plain,
)
from sdtm.mapping.domain_mapping import DomainMapping
from sdtm.mapping.value_level import category_values, origin_and_method, test_values
from sdtm.operations.value_sets import value_set

ALWAYS = ("Req", "Exp")


@dataclass
class Finished:
    """A domain as a dataset, where each of its table's rows went (-1: withheld), and its supplemental values."""

    dataset: Dataset
    position: np.ndarray
    edges: list[Edges]
    extras: list[SupplementalRows]
    changes: list[TextChange] = field(default_factory=list)


def finish(mapping: DomainMapping, table: DomainTable) -> Finished:
    """Return the dataset of a domain, its lineage still in positions of the tables."""
    import pandas as pd

    changes: list[TextChange] = []
    for name in list(table.texts):
        table.texts[name], more = written_plain(table.texts[name], name)
        changes += more
    extras, more = _extras(table)
    extras += _continued(mapping, table)
    order = sorted_rows(mapping, table)
    sequence = mapping.prefixed("SEQ")
    if mapping.has(sequence):
        table.put(sequence, number_within_subject(table, order))
    variables = used_variables(mapping, table)
    frame = pd.DataFrame({name: _values(mapping, table, name, order) for name in (v.name for v in variables)})
    position = np.full(table.count, -1, np.int64)
    position[order] = np.arange(len(order))
    metadata = DatasetMetadata(
        mapping.domain,
        mapping.guide.label,
        mapping.guide.dataset_class,
        mapping.guide.structure,
        tuple(name for name in mapping.keys if name in frame.columns),
        tuple(variables),
        test_values(mapping) if mapping.is_findings else category_values(mapping),
        unused=tuple(_variable(mapping, table, one) for one in mapping.variables if one.name not in frame.columns),
    )
    return Finished(Dataset(metadata, frame), position, table.edges, extras, changes + more)


def _values(mapping: DomainMapping, table: DomainTable, name: str, order: np.ndarray) -> object:
    """Return a variable's values in their order."""
    if mapping.by_name[name].type == "Num":
        return table.number(name)[order]
    return table.text(name).take(order).categorical()


def sorted_rows(mapping: DomainMapping, table: DomainTable) -> np.ndarray:
    """Return the kept rows in the order of the keys, null first as SAS sorts, ties in the order of the records."""
    rows = np.flatnonzero(table.kept())
    levels = []
    for name in mapping.keys:
        if mapping.by_name[name].type == "Num":
            levels.append(np.nan_to_num(table.number(name)[rows], nan=-np.inf))
        else:
            levels.append(table.text(name).ranks()[rows])
    return rows[np.lexsort(levels[::-1])] if levels else rows


def number_within_subject(table: DomainTable, order: np.ndarray) -> np.ndarray:
    """Return --SEQ: 1, 2, ... within each subject in the order of the dataset."""
    codes = table.subject.codes[order]
    made = np.full(table.count, np.nan)
    made[order] = place_within(codes) + 1.0
    return made


def used_variables(mapping: DomainMapping, table: DomainTable) -> list[Variable]:
    """Return Required and Expected variables, and the Permissible ones that the study uses, in the guide's order."""
    rows = table.kept()
    made = []
    for guide in mapping.variables:
        mapped = guide.name in mapping.operations
        if guide.core in ALWAYS or mapped or (table.has(guide.name) and bool((table.present(guide.name) & rows).any())):
            made.append(_variable(mapping, table, guide))
    return made


def _variable(mapping: DomainMapping, table: DomainTable, guide: GuideVariable) -> Variable:
    read = any(edge.variable == guide.name and edge.source == REDCAP for edge in table.edges)
    origin, method = origin_and_method(mapping, guide.name)
    codelist = codelist_of(mapping, guide)
    return Variable(
        guide.name,
        guide.label.rstrip("."),
        "Num" if guide.type == "Num" else "Char",
        core=guide.core,
        role=guide.role,
        codelist=codelist,
        origin=origin or ("Collected" if read else ""),
        method=method,
        dictionary=guide.described if guide.described in DICTIONARIES else "",
        terms=() if codelist else _own_list(mapping, guide.name),
    )


def codelist_of(mapping: DomainMapping, guide: GuideVariable) -> str | None:
    """Return the codelists of a variable: the guide's, or those that the tests declare for codes and names.

    Where one of the tests has none (a scale of the sponsor's next to a questionnaire), no codelist holds all of them.
    """
    if guide.codelist or guide.name not in (mapping.prefixed("TESTCD"), mapping.prefixed("TEST")):
        return guide.codelist or None
    place = int(guide.name == mapping.prefixed("TEST"))
    named = [test.codelists[place] for block in mapping.blocks for test in block.tests]
    return ";".join(dict.fromkeys(named)) if all(named) and named else None


def _own_list(mapping: DomainMapping, name: str) -> tuple[tuple[str, str], ...]:
    """Return the values of a variable without a codelist and what they mean, where these are known and several."""
    tests = [test for block in mapping.blocks for test in block.tests]
    if tests and name == mapping.prefixed("TESTCD"):
        return tuple({test.testcd: (test.testcd, test.name) for test in tests}.values())
    return value_set(mapping.operations.get(name, ()))


def _extras(table: DomainTable) -> tuple[list[SupplementalRows], list[TextChange]]:
    """Return the supplemental values that the mapping declares, in plain text of at most 200 bytes each."""
    made: list[SupplementalRows] = []
    changes: list[TextChange] = []
    for supplement in table.supplements:
        texts, more = written_plain(supplement.texts, f"SUPP{table.domain}.{supplement.qnam}")
        changes += more
        for number, part in enumerate(split_long(texts)):
            qnam = supplement.qnam if not number else continued_name(supplement.qnam, number)
            held = np.flatnonzero(part.present())
            made.append(replace(supplement, qnam=qnam, rows=supplement.rows[held], texts=part.take(held)))
    return made, changes


def _continued(mapping: DomainMapping, table: DomainTable) -> list[SupplementalRows]:
    """Cut texts of more than 200 bytes and return the rest as supplemental values of the same label."""
    made = []
    for name in list(table.texts):
        if name not in mapping.by_name:
            continue
        first, *rest = split_long(table.text(name))
        table.texts[name] = first
        for number, part in enumerate(rest, start=1):
            if mapping.has(f"{name}{number}"):
                _go_on(table, name, f"{name}{number}", part)
                continue
            rows = np.flatnonzero(part.present())
            qnam = continued_name(name, number)
            made.append(
                SupplementalRows(qnam, mapping.by_name[name].label.rstrip("."), "CRF", "", rows, part.take(rows))
            )
            edges = [edge for edge in table.edges if edge.variable == name]
            for edge in edges:
                at = np.isin(edge.row, rows)
                table.edges.append(
                    Edges(edge.row[at], f"+{qnam}", edge.source, edge.source_row[at], edge.source_variable)
                )
    return made


def _go_on(table: DomainTable, name: str, further: str, part: CodedText) -> None:
    """Set a variable that continues the text of another, with its lineage."""
    table.texts[further] = part
    held = part.present()
    for edge in [edge for edge in table.edges if edge.variable == name]:
        at = held[edge.row]
        table.edges.append(Edges(edge.row[at], further, edge.source, edge.source_row[at], edge.source_variable))
