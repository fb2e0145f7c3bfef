"""Datasets that no record makes: rows declared in a study's files, checked against the guide and the terminology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.errors import Gather, StudyError, nearest
from metadata.standards import GuideVariable, sdtm_dataset, sdtm_variables
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.yaml_source import LocatedDict, LocatedList, complain
from sdtm.columns.text import LIMIT, transliterated
from sdtm.mapping.domain_mapping import codelists
from sdtm.mapping.guide_variables import with_continuations
from sdtm.operations.operation import Target, check_term

DECLARED = ("TI", "TM")
"""Datasets of trial design that a study writes row by row: ``sdtm/ti.yaml`` and ``sdtm/tm.yaml``."""
KEYS = {
    "TA": ("STUDYID", "ARMCD", "TAETORD"),
    "TE": ("STUDYID", "ETCD"),
    "TV": ("STUDYID", "ARMCD", "VISITNUM"),
    "TI": ("STUDYID", "IETESTCD", "TIVERS"),
    "TM": ("STUDYID", "MIDSTYPE"),
    "TS": ("STUDYID", "TSPARMCD", "TSSEQ"),
}
ALWAYS = ("Req", "Exp")
Row = Mapping[str, Any]


def file_of(domain: str) -> str:
    """Return the file in which a study declares a dataset's rows."""
    return f"sdtm/{domain.lower()}.yaml"


def declared_rows(study: Study, domain: str) -> list[LocatedDict]:
    """Return the rows that a study declares for a dataset, none if it has no such file; raises StudyError."""
    if not study.path(file_of(domain)).is_file():
        return []
    body = study.read_yaml(file_of(domain))
    file = f"{study.name}/{file_of(domain)}"
    if not isinstance(body, LocatedDict) or not isinstance(body.get("rows"), LocatedList):
        raise StudyError(f"{domain} is declared row by row: write rows: and a list", file)
    for key in body:
        if key not in ("domain", "rows"):
            raise complain(body, key, f"there is no such key here{nearest(key, ('domain', 'rows'))}")
    for number, row in enumerate(body["rows"]):
        if not isinstance(row, LocatedDict):
            raise complain(body["rows"], number, "write each row as variables and values")
    return list(body["rows"])


def declared_dataset(study: Study, terminology: Terminology, domain: str, rows: Sequence[Row]) -> Dataset:
    """Return a dataset of declared rows, sorted by its keys; raises StudyError for all that does not fit.

    A row maps variables of the guide to values. STUDYID and DOMAIN are the engine's.
    """
    version = study.standards["sdtmig"]
    variables = with_continuations(domain, sdtm_variables(version, domain))
    full = checked_rows(study, terminology, domain, rows)
    used = [item for item in variables if item.core in ALWAYS or any(_said(row, item.name) for row in full)]
    frame = pd.DataFrame({item.name: _column(item, full) for item in used})
    keys = tuple(name for name in KEYS[domain] if name in frame)
    guide = sdtm_dataset(version, domain)
    metadata = DatasetMetadata(
        domain, guide.label, guide.dataset_class, guide.structure, keys, tuple(_variable(item) for item in used)
    )
    return Dataset(metadata, frame.sort_values(list(keys), kind="stable").reset_index(drop=True))


def checked_rows(study: Study, terminology: Terminology, domain: str, rows: Sequence[Row]) -> list[Row]:
    """Return rows with STUDYID and DOMAIN; raises StudyError for all that does not fit guide or terminology."""
    variables = with_continuations(domain, sdtm_variables(study.standards["sdtmig"], domain))
    full: list[Row] = [{"STUDYID": study.studyid, "DOMAIN": domain, **row} for row in rows]
    with Gather() as gather:
        for row, made in zip(rows, full, strict=True):
            check_row(domain, variables, row, made, terminology, gather)
    return full


def check_row(
    domain: str, variables: Sequence[GuideVariable], row: Row, made: Row, terminology: Terminology, gather: Gather
) -> None:
    """Find what is wrong with one row: unknown variables, terms, texts over 200 bytes, Required values not there."""
    node = row if isinstance(row, LocatedDict) else LocatedDict(row)
    known = {variable.name: variable for variable in variables}
    for name, value in row.items():
        with gather.part():
            if name not in known:
                raise complain(node, name, f"{domain} has no variable {name} in the guide{nearest(name, known)}")
            text = "" if value is None else str(value)
            check_term(node, name, text, Target(domain, name, codelists=codelists(known[name])), terminology)
            if len(text) > LIMIT:
                raise complain(node, name, f"{name} has {len(text)} characters; a variable holds {LIMIT}")
    for variable in variables:
        with gather.part():
            if variable.core == "Req" and not _said(made, variable.name) and variable.name != f"{domain}SEQ":
                raise complain(node, None, f"{variable.name} ({variable.label}) is required")


def _said(row: Row, name: str) -> bool:
    return row.get(name) is not None and str(row[name]) != ""


def _column(variable: GuideVariable, rows: Sequence[Row]) -> pd.Series:
    values = [row.get(variable.name) for row in rows]
    if variable.type == "Num":
        return pd.Series([np.nan if value in (None, "") else float(value) for value in values], dtype="float64")
    return pd.Series(["" if value is None else transliterated(str(value))[0] for value in values], dtype="str")


def _variable(guide: GuideVariable) -> Variable:
    assigned = guide.name == "DOMAIN" or guide.name.endswith("SEQ")
    return Variable(
        guide.name,
        guide.label.rstrip("."),
        "Num" if guide.type == "Num" else "Char",
        core=guide.core,
        role=guide.role,
        codelist=guide.codelist or None,
        origin="Assigned" if assigned else "Protocol",
    )
