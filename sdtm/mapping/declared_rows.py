"""Datasets that no record makes: rows declared in a study's files, checked against the guide and the terminology."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from metadata.coded_text import CodedText
from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.declaration import read_document
from metadata.declaration_schema import document_schema
from metadata.errors import Gather, nearest
from metadata.schema_errors import none_of
from metadata.standards import GuideVariable, sdtm_dataset, sdtm_variables
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.yaml_source import LocatedDict, complain
from sdtm.columns.number import plain_number
from sdtm.columns.text import LIMIT, transliterated
from sdtm.mapping.domain_mapping import codelists
from sdtm.mapping.guide_variables import with_continuations
from sdtm.operations.operation import Target, check_term

if TYPE_CHECKING:
    import pandas as pd

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


@dataclass(frozen=True)
class RowsFile:
    """A dataset of trial design that is written row by row: variables and values."""

    domain: Literal["TI", "TM"]
    rows: list[dict[str, str | int | float | None]]


def rows_schema() -> dict[str, Any]:
    """Return the JSON Schema of sdtm/ti.yaml and sdtm/tm.yaml."""
    return document_schema(RowsFile, "a dataset of trial design")


def file_of(domain: str) -> str:
    """Return the file in which a study declares a dataset's rows."""
    return f"sdtm/{domain.lower()}.yaml"


def declared_rows(study: Study, domain: str) -> list[LocatedDict]:
    """Return the rows that a study declares for a dataset, none if it has no such file; raises StudyError."""
    if not study.path(file_of(domain)).is_file():
        return []
    body = study.read_yaml(file_of(domain))
    declared = read_document(RowsFile, body, f"{study.name}/{file_of(domain)}")
    if declared.domain != domain:
        raise none_of(body, "domain", declared.domain, [domain])
    return list(body["rows"])


def declared_dataset(study: Study, terminology: Terminology, domain: str, rows: Sequence[Row]) -> Dataset:
    """Return a dataset of declared rows, sorted by its keys; raises StudyError for all that does not fit.

    A row maps variables of the guide to values. STUDYID and DOMAIN are the engine's.
    """
    import pandas as pd

    version = study.standards["sdtmig"]
    variables = with_continuations(domain, sdtm_variables(version, domain))
    full = checked_rows(study, terminology, domain, rows)
    used = [item for item in variables if item.core in ALWAYS or any(_has_value(row, item.name) for row in full)]
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
            target = Target(domain, name, codelists=codelists(known[name]), dictionary=known[name].described)
            check_term(node, name, text, target, terminology)
            if known[name].type == "Num" and text and isnan(plain_number(text)):
                raise complain(node, name, f"{name} is a number, '{text}' is not")
            if unknown := transliterated(text)[1]:
                raise complain(node, name, f"{name} holds characters that have no place in a dataset: {unknown}")
            if len(text) > LIMIT:
                raise complain(node, name, f"{name} has {len(text)} characters; a variable holds {LIMIT}")
    for variable in variables:
        with gather.part():
            if variable.core == "Req" and not _has_value(made, variable.name) and variable.name != f"{domain}SEQ":
                raise complain(node, None, f"{variable.name} ({variable.label}) is required")


def _has_value(row: Row, name: str) -> bool:
    return row.get(name) is not None and str(row[name]) != ""


def _column(variable: GuideVariable, rows: Sequence[Row]) -> pd.Series:
    import pandas as pd

    values = [row.get(variable.name) for row in rows]
    if variable.type == "Num":
        return pd.Series([np.nan if value in (None, "") else float(value) for value in values], dtype="float64")
    texts = ["" if value is None else transliterated(str(value))[0] for value in values]
    return pd.Series(CodedText.of_codes(np.arange(len(texts)), texts).categorical())


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
