"""Traces a value or a result of a finished package back, step by step, to the fields of the REDCap forms.

In a package that was made from datasets the way ends at their records.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from metadata.condition import Condition
from metadata.condition_filter import read_filter
from metadata.condition_tests import VariableTest
from metadata.errors import StudyError, UsageError, nearest
from metadata.frame_columns import FrameColumns
from metadata.schema_errors import no_variable
from metadata.variable_kind import is_number
from publish.disk import outside
from publish.lineage import REDCAP
from publish.record_key import column_text, key_texts, split_pairs
from publish.result_cells import read_results

WHOLE = "*"
RESULTS = "RESULTS"
SUBJECT = "USUBJID"
STEP_COLUMNS = (
    "level",
    "dataset",
    "record_key",
    "variable",
    "value",
    "source",
    "source_key",
    "source_variable",
    "method",
)
PAIR = re.compile(r"\s*\w+=(?!=)")
"""The beginning of a record's key."""
NAMED = re.compile(r"\b(?:([A-Z][A-Z0-9]{1,7})\.)?([A-Z][A-Z0-9]{1,7})\b")


@dataclass
class TracedPackage:
    """The lineage and the data of a finished package's folder, read when they are first needed."""

    folder: Path
    _edges: dict[str, pd.DataFrame] = field(default_factory=dict)
    _frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    _methods: dict[str, dict[str, str]] = field(default_factory=dict)

    def datasets(self) -> list[str]:
        """Return the names of the datasets that have a lineage."""
        return sorted(path.stem.upper() for path in (self.folder / "lineage").glob("*.parquet"))

    def edges(self, dataset: str) -> pd.DataFrame:
        """Return the edges of a dataset, as the file has them."""
        if dataset not in self._edges:
            path = self.folder / "lineage" / f"{dataset.lower()}.parquet"
            with outside(f"read {path}"):
                self._edges[dataset] = pq.read_table(path).to_pandas()
        return self._edges[dataset]

    def frame(self, dataset: str) -> pd.DataFrame:
        """Return the dataset indexed by the key text of its records."""
        if dataset not in self._frames:
            path = next(self.folder.glob(f"parquet/*/{dataset.lower()}.parquet"))
            with outside(f"read {path}"):
                table = pq.read_table(path)
            frame = table.to_pandas()
            frame.index = pd.Index(key_texts(table.schema.metadata[b"keys"].decode().split(), frame).to_numpy(False))
            self._frames[dataset] = frame
            self._methods[dataset] = {item.name: item.metadata[b"method"].decode() for item in table.schema}
        return self._frames[dataset]

    def has(self, dataset: str, variable: str) -> bool:
        """Return whether a dataset has a variable."""
        return variable in self.frame(dataset).columns

    def blank(self, dataset: str, variable: str, keys: pd.Series) -> np.ndarray:
        """Return True for each record in which the variable has no value."""
        frame = self.frame(dataset)
        texts = pd.Series(column_text(frame[variable]).to_numpy(False), index=frame.index)
        return texts[~texts.index.duplicated()].reindex(keys).fillna("").eq("").to_numpy()

    def method(self, dataset: str, variable: str) -> str:
        """Return the sentence that says how a variable comes about."""
        return self._methods[dataset].get(variable, "") if self.has(dataset, variable) else ""


def trace(package: Path, dataset: str, where: Mapping[str, str] | str, variable: str | None = None) -> pd.DataFrame:
    """Return the steps from records of ``dataset`` in a package's folder down to REDCap.

    ``where`` is a filter as results.csv has it, ``PARAMCD == 'EDSS' and AVISITN in (0, 12)``, or gives variables and
    their values as the key of a record does, ``USUBJID=..;LBSEQ=12``, or as a mapping; ``variable`` limits the first
    step to one variable. One row a step: level (1 is the dataset asked for), dataset, record_key, variable, value (as
    text, where the step is about one variable), source, source_key, source_variable and method, the sentence of the
    variable's metadata.

    A variable is followed by edges of its own. Where it has none, the variables that its method names are followed: in
    the same record, in the records from which its record was made, and in the one record that its subject has in a
    dataset named with the variable (DM.RFSTDTC). Where its method names none, all that its record was made from; a
    variable without a value ends there. A filter may have no records, as that of a count of nobody; ``results`` as the
    dataset means rows of results.csv, of which each leads to its own records. Raises UsageError for a dataset or
    variable that does not exist, and for a key that no record has.
    """
    opened, name = TracedPackage(package), dataset.upper()
    if name == RESULTS:
        return trace_results(
            package, chosen_records(FrameColumns(read_results(package)), "results.csv", where), variable
        )
    if name not in opened.datasets():
        raise UsageError(f"the package has no lineage of {name}{nearest(name, opened.datasets())}")
    frame = chosen_records(FrameColumns(opened.frame(name)), name, where)
    if variable is not None and variable not in frame.columns:
        raise UsageError(no_variable(name, variable, frame.columns))
    asked = pd.DataFrame({"dataset": name, "record_key": frame.index, "variable": variable or WHOLE})
    return _with_values(_steps(opened, asked), opened)


def trace_results(package: Path, results: pd.DataFrame, variable: str | None = None) -> pd.DataFrame:
    """Return the steps from the records behind rows of results.csv, as ``trace`` gives them.

    Where no ``variable`` is asked for, that of a result is followed if its dataset has it; of a count of subjects the
    whole records.
    """
    opened, parts = TracedPackage(package), []
    asked = results[["dataset", "filter", "variable"]].drop_duplicates()
    for name, text, analysed in zip(*(asked[column].tolist() for column in asked), strict=True):
        if name.upper() == RESULTS:
            parts.append(trace(package, name, text, variable))
            continue
        frame = opened.frame(name)
        own = analysed if analysed in frame.columns and analysed != SUBJECT else None
        parts.append(trace(package, name, text, variable if variable in frame.columns else own))
    return pd.concat(parts, ignore_index=True).drop_duplicates(ignore_index=True)


def redcap_places(steps: pd.DataFrame) -> pd.DataFrame:
    """Return the values that ``steps`` end at, once each: record, event, form, instance and field.

    Of values from files beside REDCap, if there are any, also the file and its row.
    """
    ends = steps.loc[steps["source"] == REDCAP, ["source_key", "source_variable"]].drop_duplicates()
    places = [split_pairs(key) for key in ends["source_key"]]
    parts = ["record", "event", "form", "instance", *(("file", "row") if any("file" in one for one in places) else ())]
    columns = {name: [place.get(name, "") for place in places] for name in parts}
    return pd.DataFrame({**columns, "field": ends["source_variable"].tolist()}, dtype="str")


def received_places(package: Path, steps: pd.DataFrame) -> pd.DataFrame:
    """Return the records that ``steps`` end at in datasets that were received, which lead no further, once each.

    Columns dataset, record, variable (* for the whole record) and value. A package made from REDCap has none.
    """
    opened = TracedPackage(package)
    sources = [name for name in steps["source"].unique() if name not in ("", REDCAP) and opened.edges(name).empty]
    names = ["source", "source_key", "source_variable"]
    ends = steps.loc[steps["source"].isin(sources), names].drop_duplicates(ignore_index=True)
    places = ends.set_axis(["dataset", "record_key", "variable"], axis=1)
    valued = _with_values(places.assign(level=0, source="", source_key="", source_variable=""), opened)
    return valued[["dataset", "record_key", "variable", "value"]].rename(columns={"record_key": "record"})


def chosen_records(columns: FrameColumns, dataset: str, where: Mapping[str, str] | str) -> pd.DataFrame:
    """Return the records that are asked for; raises UsageError for what does not fit, or a key that none has."""
    asked = where if isinstance(where, str) else ", ".join(f"{name}={value}" for name, value in where.items())
    is_filter = isinstance(where, str) and not PAIR.match(where)
    if isinstance(where, str) and is_filter:
        condition = read_filter(where)
    else:
        condition = _condition_of(split_pairs(where) if isinstance(where, str) else where, columns.kinds)
    try:
        condition.check(columns.kinds, dataset)
    except StudyError as error:
        raise UsageError(error.message) from None
    frame = columns.frame[condition.holds(columns, len(columns))]
    if frame.empty and not (is_filter and asked):
        raise UsageError(f"{dataset} has no record with {asked}" if asked else f"{dataset} has no records")
    return frame


def _condition_of(pairs: Mapping[str, str], kinds: Mapping[str, str]) -> Condition:
    """Return the condition of names and values as a record key writes them, numbers as texts."""
    numbers = {name: _number(value) for name, value in pairs.items() if is_number(kinds.get(name, ""))}
    values = {**pairs, **numbers}
    return Condition((tuple(VariableTest(name, "is", (value,)) for name, value in values.items()),))


def _number(text: str) -> float | str:
    """Return the number that a text is, else the text, which the condition then refuses; an empty text is missing."""
    try:
        return float(text)
    except ValueError:
        return text


def _steps(package: TracedPackage, asked: pd.DataFrame) -> pd.DataFrame:
    """Follow the edges breadth first; a place already followed is not followed again."""
    levels: list[pd.DataFrame] = []
    followed = asked.iloc[:0]
    while len(asked):
        found = [
            _edges_of(package, str(dataset), str(variable), part["record_key"])
            for (dataset, variable), part in asked.groupby(["dataset", "variable"], sort=True)
        ]
        level = pd.concat(found, ignore_index=True).assign(level=len(levels) + 1)
        levels.append(level)
        followed = pd.concat([followed, asked], ignore_index=True)
        beyond = level[~level["source"].isin(["", REDCAP])]
        places = beyond[["source", "source_key", "source_variable"]].set_axis(asked.columns, axis=1).drop_duplicates()
        seen = pd.MultiIndex.from_frame(places).isin(pd.MultiIndex.from_frame(followed))
        asked = places[~seen]
    nothing = pd.DataFrame(columns=list(STEP_COLUMNS), dtype=object)
    return pd.concat(levels, ignore_index=True) if levels else nothing


def _edges_of(package: TracedPackage, dataset: str, variable: str, keys: pd.Series) -> pd.DataFrame:
    """Return the edges to follow from one variable of some records of a dataset."""
    edges = package.edges(dataset)
    edges = edges[edges["record_key"].isin(keys)].astype(object)
    if variable == WHOLE or not package.has(dataset, variable):
        return edges
    own = edges[edges["variable"] == variable]
    without = keys[~keys.isin(own["record_key"])]
    rest = edges[edges["record_key"].isin(without)]
    return pd.concat([own, _by_method(package, dataset, variable, rest, without)], ignore_index=True)


def _by_method(
    package: TracedPackage, dataset: str, variable: str, edges: pd.DataFrame, keys: pd.Series
) -> pd.DataFrame:
    """Return the edges of records whose variable has none of its own: to what its method names, or else to all."""
    method = package.method(dataset, variable)
    named = [(owner, name) for owner, name in NAMED.findall(method) if name != variable or owner not in ("", dataset)]
    inside = [name for owner, name in named if owner in ("", dataset) and package.has(dataset, name)]
    records = edges[edges["variable"] == WHOLE]
    parts = [_within(dataset, variable, keys, list(dict.fromkeys(inside)))]
    for source in sorted(set(records["source"]) - {REDCAP}):
        names = [name for owner, name in named if owner == source or (not owner and name not in inside)]
        known = [name for name in dict.fromkeys(names) if package.has(source, name)]
        parts += [
            records[records["source"] == source].assign(variable=variable, source_variable=name) for name in known
        ]
    parts += [_of_subject(package, dataset, variable, keys, owner, name) for owner, name in dict.fromkeys(named)]
    found = pd.concat(parts, ignore_index=True)
    if found.empty:
        valued = keys[~package.blank(dataset, variable, keys)]
        whole = records if len(records) else edges
        found = whole[whole["record_key"].isin(valued)].assign(variable=variable)
    if found.empty and len(keys):
        return _step(dataset, variable, keys, "", "", "")
    return found


def _of_subject(
    package: TracedPackage, dataset: str, variable: str, keys: pd.Series, owner: str, name: str
) -> pd.DataFrame:
    """Return edges from a variable to one of the subject's only record in a dataset that its method names."""
    nothing = _step(dataset, variable, keys.iloc[:0], "", "", "")
    if owner in ("", dataset) or owner not in package.datasets() or not package.has(owner, name):
        return nothing
    subjects, own = package.frame(owner), package.frame(dataset)
    if SUBJECT not in own or SUBJECT not in subjects or subjects[SUBJECT].duplicated().any():
        return nothing
    key_of = pd.Series(subjects.index, index=subjects[SUBJECT].astype(str))
    places = own.loc[~own.index.duplicated(), SUBJECT].astype(str).reindex(keys).map(key_of)
    sources = pd.Series(places.to_numpy(object), index=keys.index).dropna()
    return _step(dataset, variable, keys.loc[sources.index], owner, sources, name)


def _within(dataset: str, variable: str, keys: pd.Series, names: Sequence[str]) -> pd.DataFrame:
    """Return edges from a variable to others of the same record."""
    parts = [_step(dataset, variable, keys, dataset, keys, name) for name in names]
    return pd.concat(parts, ignore_index=True) if parts else _step(dataset, variable, keys.iloc[:0], "", "", "")


def _step(
    dataset: str, variable: str, keys: pd.Series, source: str, source_key: pd.Series | str, source_variable: str
) -> pd.DataFrame:
    made = {"dataset": dataset, "record_key": keys, "variable": variable}
    rest = {"source": source, "source_key": source_key, "source_variable": source_variable}
    return pd.DataFrame({**made, **rest}, index=keys.index, dtype=object)


def _with_values(steps: pd.DataFrame, package: TracedPackage) -> pd.DataFrame:
    """Add value and method at each step that is about one variable of a dataset."""
    steps = (
        steps.drop_duplicates(ignore_index=True).assign(value="", method="").astype({"value": object, "method": object})
    )
    for (dataset, variable), part in steps.groupby(["dataset", "variable"], sort=True):
        if package.has(str(dataset), str(variable)):
            frame = package.frame(str(dataset))
            texts = pd.Series(column_text(frame[variable]).to_numpy(False), index=frame.index)
            texts = texts[~texts.index.duplicated()]
            steps.loc[part.index, "value"] = texts.reindex(part["record_key"]).fillna("").to_numpy()
            steps.loc[part.index, "method"] = package.method(str(dataset), str(variable))
    return steps[list(STEP_COLUMNS)]
