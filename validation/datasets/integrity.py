"""The gate over a finished dataset: a pandera schema made from its own metadata, one sentence a finding."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pandera.pandas as pa

from metadata.coded_matching import first_of_each
from metadata.coded_text import CodedText
from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.terminology import Codelist, Terminology
from validation.frame_schema import frame_schema

COLUMNS = ("dataset", "variable", "rule", "severity", "rows", "finding")
TYPE, REQUIRED, KEY = "integrity.type", "integrity.required", "integrity.key"
TERM, EXTENDED = "integrity.term", "integrity.term_extended"
STRUCTURE, LINEAGE = "integrity.structure", "integrity.lineage"
OF_THE_STUDY = "Trial Design"
"""Class of datasets whose rows the study's own files declare, so that no record is their source."""
SHOWN_TERMS = 3
NUMBER, NOTHING = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII), re.compile("(?!)")
MULTIPLE = "MULTIPLE"  # SDTMIG 3.3, section 4.2.8.3: there are several values, which are in SUPP--
Row = tuple[str, str, str, str, int, str]


def check_datasets(datasets: Iterable[Dataset], terminology: Terminology | None = None) -> pd.DataFrame:
    """Return what is wrong with datasets: dataset, variable, rule, severity, rows (their number), finding (a sentence).

    Checked are the variables and their order, Char and Num, Required values, terms of codelists (where
    ``terminology`` is given; a term that extends an extensible codelist is a note), unique keys, and lineage that leads
    every row to a source.
    """
    found = [row for dataset in datasets for row in _one(dataset, terminology)]
    made = pd.DataFrame(found, columns=list(COLUMNS))
    return made.astype({"rows": "int64", **{name: "str" for name in COLUMNS if name != "rows"}})


def _row(dataset: Dataset, variable: str, rule: str, rows: int, sentence: str) -> Row:
    return (dataset.name, variable, rule, "note" if rule == EXTENDED else "error", rows, sentence)


def _one(dataset: Dataset, terminology: Terminology | None) -> list[Row]:
    structure = _structure(dataset)
    if structure:
        return [structure]
    schema = dataset_schema(dataset.metadata, terminology)
    wrong = [_sentence(dataset, *case) for case in _failures(schema, dataset.frame)]
    return [*wrong, *_keys(dataset), *_lineage(dataset)]


def dataset_schema(metadata: DatasetMetadata, terminology: Terminology | None = None) -> pa.DataFrameSchema:
    """Return the pandera schema of a dataset: each variable in its order with its type, Required values and terms."""
    never_null = set(metadata.never_null)
    checks = {item.name: _checks(item, item.name in never_null, terminology) for item in metadata.variables}
    return frame_schema(checks, metadata.name, nullable=True, strict=True, ordered=True)


def _checks(variable: Variable, not_null: bool, terminology: Terminology | None) -> list[pa.Check]:
    wanted = is_text if variable.type == "Char" else is_number
    checks = [pa.Check(lambda s: bool(wanted(s)), error=TYPE, ignore_na=False)]
    if not_null:
        checks.append(pa.Check(lambda s: ~is_null(s), error=REQUIRED, ignore_na=False))
    codelist = _codelist(variable, terminology)
    if codelist is not None:
        error = EXTENDED if codelist.extensible else TERM
        checks.append(pa.Check(lambda s: _is_term(s, codelist), error=error, ignore_na=False))
    return checks


def _codelist(variable: Variable, terminology: Terminology | None) -> Codelist | None:
    """Return the codelist of a Char variable; None if it has none that this terminology defines."""
    if terminology is None or not variable.codelist or variable.type != "Char":
        return None
    return terminology.codelists.get(variable.codelist)


def _is_term(values: pd.Series, codelist: Codelist) -> pd.Series:
    """Return True where a value is blank, a term, MULTIPLE or, in a list that may be extended, a number (a result)."""
    if not is_text(values):  # a finding of its own
        return pd.Series(True, values.index)
    known = {*codelist.terms, "", MULTIPLE}
    result = NUMBER if codelist.extensible else NOTHING
    fits = CodedText.of_series(values).test(lambda text: text in known or result.fullmatch(text) is not None)
    return pd.Series(fits, values.index)


def is_null(values: pd.Series) -> pd.Series:
    """Return True where there is no value: NaN, or an empty text."""
    return pd.Series(~CodedText.of_series(values).present(), values.index) if is_text(values) else values.isna()


def is_text(values: pd.Series) -> bool:
    """Return True for a column of texts without NaN, categories of texts included."""
    kind = values.dtype
    texts = kind.categories.dtype if isinstance(kind, pd.CategoricalDtype) else kind
    return bool(pd.api.types.is_string_dtype(texts)) and not values.hasnans


def is_number(values: pd.Series) -> bool:
    """Return True for a float64 column."""
    return values.dtype == np.float64


def _structure(dataset: Dataset) -> Row | None:
    names, columns = dataset.metadata.names, list(dataset.frame.columns)
    if columns == names:
        return None
    missing = [name for name in names if name not in columns]
    extra = [name for name in columns if name not in names]
    parts = [f"lacks {', '.join(missing)}" if missing else "", f"has {', '.join(extra)} too many" if extra else ""]
    sentence = " and ".join(part for part in parts if part) or "has its variables in another order than its metadata"
    return _row(dataset, "", STRUCTURE, 0, f"{dataset.name} {sentence}")


def _failures(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> list[tuple[str, str, np.ndarray]]:
    """Return variable, rule and positions of the rows that fail (none for a finding about the whole column)."""
    try:
        schema.validate(frame.reset_index(drop=True), lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases[["column", "check", "index"]].drop_duplicates()
        grouped = cases.groupby(["column", "check"], sort=False)["index"]
        return [(str(name), str(rule), rows.dropna().to_numpy(np.int64)) for (name, rule), rows in grouped]  # type: ignore[misc]
    return []


def _sentence(dataset: Dataset, name: str, rule: str, rows: np.ndarray) -> Row:
    if rule == TYPE:
        kind = (
            "Char: texts, blank as an empty text" if dataset.metadata.variable(name).type == "Char" else "Num: float64"
        )
        return _row(dataset, name, rule, 0, f"{dataset.name}.{name} is not {kind}")
    first = f"first where {key_of(dataset, int(rows[0]))}"
    if rule == REQUIRED:
        sentence = f"{dataset.name}.{name} is Required and null in {len(rows)} row{'s' * (len(rows) != 1)}, {first}"
        return _row(dataset, name, rule, len(rows), sentence)
    values = dataset.frame[name].iloc[rows].astype("str").drop_duplicates()
    shown = ", ".join(f"'{value}'" for value in values.iloc[:SHOWN_TERMS])
    more = f" and {len(values) - SHOWN_TERMS} more" if len(values) > SHOWN_TERMS else ""
    codelist = dataset.metadata.variable(name).codelist
    extension = " (an extension)" if rule == EXTENDED else ""
    sentence = (
        f"{dataset.name}.{name} holds {shown}{more}, which is not a term of codelist {codelist}{extension}, {first}"
    )
    return _row(dataset, name, rule, len(rows), sentence)


def key_of(dataset: Dataset, row: int) -> str:
    """Return the keys of a row as text."""
    return ", ".join(f"{name} is {dataset.frame[name].iloc[row]}" for name in dataset.metadata.keys)


def _keys(dataset: Dataset) -> list[Row]:
    """Return a finding if the keys do not tell the rows apart, or name what the dataset lacks."""
    keys = list(dataset.metadata.keys)
    lacking = [name for name in keys if name not in dataset.frame.columns]
    if lacking:
        return [_row(dataset, lacking[0], KEY, 0, f"{dataset.name} lacks its key {lacking[0]}")]
    try:
        columns = [dataset.coded(name) for name in keys]
    except TypeError:  # a finding of its own
        return []
    repeated = _others(len(dataset.frame), first_of_each(columns)) if keys else np.empty(0, int)
    if not len(repeated):
        return []
    sentence = f"{dataset.name} has {len(repeated)} row{'s' * (len(repeated) != 1)} whose keys occur already"
    cure = "; declare keys in the dataset's file that tell its rows apart, or correct the records"
    return [_row(dataset, "", KEY, len(repeated), f"{sentence}, first {key_of(dataset, int(repeated[0]))}{cure}")]


def _lineage(dataset: Dataset) -> list[Row]:
    """Return findings about edges that leave the dataset and rows that no edge leads to a source."""
    rows, size = dataset.lineage["row"].to_numpy(), len(dataset.frame)
    outside = int(((rows < 0) | (rows >= size)).sum())
    if outside:
        sentence = f"{dataset.name} has {outside} lineage edges of rows that it does not have"
        return [_row(dataset, "", LINEAGE, outside, sentence)]
    without = _others(size, rows)
    if not len(without) or dataset.metadata.dataset_class == OF_THE_STUDY:
        return []
    sentence = f"{dataset.name} has {len(without)} rows without a source, first {key_of(dataset, int(without[0]))}"
    return [_row(dataset, "", LINEAGE, len(without), sentence)]


def _others(size: int, rows: np.ndarray) -> np.ndarray:
    """Return the positions of all rows that are not among ``rows``."""
    others = np.ones(size, bool)
    others[rows] = False
    return np.flatnonzero(others)
