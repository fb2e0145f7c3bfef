"""Lineage as a table of edges: which record and variable came from which, down to the REDCap field.

In the pipeline an edge holds positions of rows; here they become the keys of records, which stay the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from metadata.coded_matching import first_used
from metadata.dataset import Dataset
from metadata.errors import StudyError
from metadata.records import EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT, Records
from publish.parquet import write_tables
from publish.record_key import escape, one_array, record_keys

REDCAP = "REDCAP"
PIECE = 1 << 22
"""Most edges that are rendered at a time."""


def write(datasets: Mapping[str, Dataset], records: Records | None, folder: Path) -> None:
    """Write ``<dataset>.parquet`` with the edges of each dataset, of which each may be a source of the others.

    Datasets that were received have no edges, and then there are no ``records``. Raises StudyError for an edge without
    a source, and OutsideError.
    """
    needed = {name: _named(dataset) & set(datasets) | {name} for name, dataset in datasets.items()}
    keys: dict[str, pa.Array] = {}  # from the first dataset that needs them to the last: they are large
    for number, (name, dataset) in enumerate(datasets.items()):
        for other in sorted(needed[name] - set(keys)):
            keys[other] = record_keys(datasets[other].metadata, datasets[other].frame)
        write_tables(_pieces(dataset, keys, records), folder / f"{dataset.name.lower()}.parquet")
        later = set().union(*list(needed.values())[number + 1 :])
        keys = {other: texts for other, texts in keys.items() if other in later}
        pa.default_memory_pool().release_unused()


def _named(dataset: Dataset) -> set[str]:
    """Return the sources that a dataset's edges name."""
    return set(map(str, dataset.lineage["source"].cat.categories))


def _pieces(dataset: Dataset, keys: Mapping[str, pa.Array], records: Records | None) -> Iterator[pa.Table]:
    """Yield the edges of a dataset, so many at a time that their keys take little memory; one piece if it has few."""
    edges = _in_row_order(dataset.lineage)
    for start in range(0, max(len(edges), 1), PIECE):
        yield _rendered(dataset, edges.iloc[start : start + PIECE], keys, records)


def render(dataset: Dataset, keys: Mapping[str, pa.Array], records: Records | None) -> pa.Table:
    """Return the edges of ``dataset`` with the keys of records in place of positions.

    Columns, all dictionary-encoded text: dataset, record_key, variable, source, source_key, source_variable. The key of
    a dataset's record is ``NAME=value;NAME=value`` over its metadata's keys; that of a REDCap value is
    ``record=..;event=..;form=..;instance=..`` without the parts that it lacks. Edges are in the order of the records.
    ``keys`` has the key texts of the records of this dataset and of all that it names, by dataset. Raises StudyError if
    an edge names a dataset that is not among them or a row that does not exist.
    """
    return _rendered(dataset, _in_row_order(dataset.lineage), keys, records)


def _rendered(dataset: Dataset, edges: pd.DataFrame, keys: Mapping[str, pa.Array], records: Records | None) -> pa.Table:
    _refuse_position(dataset, edges["row"].to_numpy(), len(dataset.frame), dataset.name)
    columns = {
        "dataset": _encoded(np.zeros(len(edges), np.int32), pa.array([dataset.name], pa.string())),
        "record_key": _encoded_keys(edges["row"].to_numpy(), keys[dataset.name]),
        "variable": _category(edges["variable"]),
        "source": _category(edges["source"]),
        "source_key": _source_keys(dataset, edges, keys, records),
        "source_variable": _category(edges["source_variable"]),
    }
    metadata = {"dataset": dataset.name, "keys": " ".join(dataset.metadata.keys)}
    return pa.table(columns).replace_schema_metadata(metadata)


def _in_row_order(edges: pd.DataFrame) -> pd.DataFrame:
    rows = edges["row"].to_numpy()
    return edges if bool(np.all(rows[1:] >= rows[:-1])) else edges.iloc[np.argsort(rows, kind="stable")]


def _refuse_position(dataset: Dataset, positions: np.ndarray, rows: int, source: str) -> None:
    if len(positions) and (positions.min() < 0 or positions.max() >= rows):
        raise StudyError(f"the lineage of {dataset.name} names a row that {source} does not have; it has {rows}")


def _encoded(indices: np.ndarray, distinct: pa.Array) -> pa.DictionaryArray:
    """Return dictionary-encoded text that keeps only entries in use, in the order of first use."""
    codes, used = first_used(indices, len(distinct))
    return pa.DictionaryArray.from_arrays(pa.array(codes), distinct.take(pa.array(used)))


def _encoded_keys(indices: np.ndarray, keys: pa.Array) -> pa.DictionaryArray:
    """Return dictionary-encoded keys of records, of which several may be the same."""
    codes, used = first_used(indices, len(keys))
    texts = keys.take(pa.array(used)).dictionary_encode()
    return pa.DictionaryArray.from_arrays(pa.array(texts.indices.to_numpy().take(codes)), texts.dictionary)


def _category(column: pd.Series) -> pa.DictionaryArray:
    return _encoded(column.cat.codes.to_numpy(), _text(column.cat.categories))


def _source_keys(
    dataset: Dataset, edges: pd.DataFrame, keys: Mapping[str, pa.Array], records: Records | None
) -> pa.DictionaryArray:
    """Return the key text of every edge's source record."""
    sources, rows = edges["source"].array, edges["source_row"].to_numpy()
    fields = edges["source_variable"].array
    indices, texts = np.zeros(len(edges), np.int32), list[pa.Array]()
    for code in np.flatnonzero(np.bincount(sources.codes, minlength=len(sources.categories))).tolist():
        source, mine = str(sources.categories[code]), sources.codes == code
        codes, own = (
            _redcap_keys(dataset, rows[mine], fields[mine], records)
            if source == REDCAP and records is not None
            else _keys(dataset, rows[mine], keys, source)
        )
        indices[mine] = codes + sum(len(text) for text in texts)
        texts.append(own)
    return _encoded_keys(indices, pa.concat_arrays(texts) if texts else pa.array([], pa.string()))


def _keys(dataset: Dataset, rows: np.ndarray, keys: Mapping[str, pa.Array], source: str) -> tuple[np.ndarray, pa.Array]:
    if source not in keys:
        raise StudyError(f"the lineage of {dataset.name} names {source}, which is not among the datasets of this study")
    _refuse_position(dataset, rows, len(keys[source]), source)
    return rows, keys[source]


def _redcap_keys(
    dataset: Dataset, positions: np.ndarray, fields: pd.Categorical, records: Records
) -> tuple[np.ndarray, pa.Array]:
    _refuse_position(dataset, positions, len(records), "the REDCap records")
    forms, form_codes = _forms(fields, records)
    several = len(records) * len(forms)
    pairs = positions.astype(np.min_scalar_type(-several))  # there are tens of millions: no wider than need be
    pairs *= len(forms)
    pairs += form_codes
    codes, used = first_used(pairs, several)
    del pairs
    rows, form = used // len(forms), np.array(forms, object)[used % len(forms)]
    name = records.project.dictionary.record_id
    frame = records.table.select([name, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE]).take(rows).frame()
    form = np.where(form == "", frame[REPEAT_INSTRUMENT].to_numpy(object), form)
    return codes, redcap_keys(frame[name], frame[EVENT], form, frame[REPEAT_INSTANCE], *_files(rows, form, records))


def _files(rows: np.ndarray, form: np.ndarray, records: Records) -> tuple[pd.Series, ...]:
    """Return the file and its row of each row that does not come from REDCap, blank for the others."""
    if records.other is None:
        return ()
    file = pd.Series(form, dtype="str").map(dict(records.project.sources)).fillna("").astype("str")
    number = pd.Series(records.other.file_row[rows]).astype("str")
    return file, number.where(file != "", "")


def _forms(variables: pd.Categorical, records: Records) -> tuple[list[str], np.ndarray]:
    """Return forms and, for every edge, which of them has its field; a blank form if it is not a field."""
    dictionary = records.project.dictionary
    names = [str(name) for name in variables.categories]
    fields = [dictionary.fields.get(dictionary.column_field.get(name, name)) for name in names]
    status = {f"{form}_complete": form for form in dictionary.forms}
    of_name = [field.form if field else status.get(name, "") for name, field in zip(names, fields, strict=True)]
    forms = sorted(set(of_name)) or [""]
    return forms, np.array([forms.index(form) for form in of_name], np.int16)[variables.codes]


def redcap_keys(
    record: pd.Series, event: pd.Series, form: np.ndarray, instance: pd.Series, *file_and_row: pd.Series
) -> pa.Array:
    """Return ``record=..;event=..;form=..;instance=..`` row by row, without the parts that are blank.

    A row of a file beside REDCap, whose instance is its key, has ``;file=..;row=..`` as well.
    """
    parts = [pc.binary_join_element_wise("record=", escape(_text(record)), "")]
    named = {"event": event, "form": pd.Series(form), "instance": instance}
    for name, values in {**named, **dict(zip(("file", "row"), file_and_row, strict=False))}.items():
        text = _text(values)
        parts.append(pc.if_else(pc.equal(text, ""), "", pc.binary_join_element_wise(f";{name}=", escape(text), "")))
    return pc.binary_join_element_wise(*parts, "")


def _text(values: pd.Series | pd.Index) -> pa.Array:
    return one_array(pa.array(values.astype("str"))).cast(pa.string())
