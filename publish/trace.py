"""Following a value of a finished package back, step by step, to the fields of the REDCap forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from metadata.errors import UsageError, nearest
from publish.disk import outside
from publish.lineage import REDCAP
from publish.record_key import column_text, key_texts, split_pairs

WHOLE = "*"
STEP_COLUMNS = ("level", "dataset", "record_key", "variable", "value", "source", "source_key", "source_variable")


@dataclass
class _Package:
    """The lineage and the data of a package, read when they are first needed."""

    folder: Path
    _edges: dict[str, pd.DataFrame] = field(default_factory=dict)
    _frames: dict[str, pd.DataFrame] = field(default_factory=dict)

    def datasets(self) -> list[str]:
        return sorted(path.stem.upper() for path in (self.folder / "lineage").glob("*.parquet"))

    def edges(self, dataset: str) -> pd.DataFrame:
        if dataset not in self._edges:
            path = self.folder / "lineage" / f"{dataset.lower()}.parquet"
            with outside(f"read {path}"):
                self._edges[dataset] = pq.read_table(path).to_pandas() if path.is_file() else pd.DataFrame()
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
        return self._frames[dataset]


def trace(package: Path, dataset: str, where: Mapping[str, str] | str, variable: str | None = None) -> pd.DataFrame:
    """Return the steps from records of ``dataset`` in a package's folder down to REDCap.

    ``where`` gives variables and the values that the records have, as a mapping or as ``USUBJID=..;LBSEQ=12``;
    ``variable`` limits the first step to one variable. One row a step: level (1 is the dataset asked for), dataset,
    record_key, variable, value (as text, where the step is about one variable), source, source_key, source_variable.
    An edge of a variable is followed in preference to the edges of its whole record, which stand for every variable
    without edges of its own. Raises UsageError if dataset, variable or record is not there.
    """
    opened, name = _Package(package), dataset.upper()
    if name not in opened.datasets():
        raise UsageError(f"the package has no lineage of {name}{nearest(name, opened.datasets())}")
    conditions = split_pairs(where) if isinstance(where, str) else dict(where)
    frame = _chosen(opened.frame(name), name, conditions)
    if variable is not None and variable not in frame.columns:
        raise UsageError(f"{name} has no variable {variable}{nearest(variable, frame.columns)}")
    asked = pd.DataFrame({"dataset": name, "record_key": frame.index, "variable": variable or WHOLE})
    return _with_values(_steps(opened, asked), opened)


def redcap_places(steps: pd.DataFrame) -> pd.DataFrame:
    """Return the REDCap values that ``steps`` end at, once each: record, event, form, instance and field."""
    ends = steps.loc[steps["source"] == REDCAP, ["source_key", "source_variable"]].drop_duplicates()
    places = [split_pairs(key) for key in ends["source_key"]]
    columns = {name: [place.get(name, "") for place in places] for name in ("record", "event", "form", "instance")}
    return pd.DataFrame({**columns, "field": ends["source_variable"].tolist()}, dtype="str")


def _chosen(frame: pd.DataFrame, dataset: str, conditions: Mapping[str, str]) -> pd.DataFrame:
    for name, value in conditions.items():
        if name not in frame.columns:
            raise UsageError(f"{dataset} has no variable {name}{nearest(name, frame.columns)}")
        frame = frame[pc.equal(column_text(frame[name]), str(value)).to_numpy(False)]
    if frame.empty:
        asked = ", ".join(f"{name}={value}" for name, value in conditions.items())
        raise UsageError(f"{dataset} has no record with {asked}" if asked else f"{dataset} has no records")
    return frame


def _steps(package: _Package, asked: pd.DataFrame) -> pd.DataFrame:
    """Follow the edges breadth first; a place already followed is not followed again."""
    levels: list[pd.DataFrame] = []
    followed = asked.iloc[:0]
    while len(asked):
        found = [_edges_of(package, str(name), part) for name, part in asked.groupby("dataset", sort=True)]
        level = pd.concat(found, ignore_index=True).assign(level=len(levels) + 1)
        levels.append(level)
        followed = pd.concat([followed, asked], ignore_index=True)
        beyond = level[level["source"] != REDCAP]
        places = beyond[["source", "source_key", "source_variable"]].set_axis(asked.columns, axis=1).drop_duplicates()
        seen = pd.MultiIndex.from_frame(places).isin(pd.MultiIndex.from_frame(followed))
        asked = places[~seen]
    return pd.concat(levels, ignore_index=True)


def _edges_of(package: _Package, dataset: str, asked: pd.DataFrame) -> pd.DataFrame:
    """Return the edges of the places asked for: all of a record, or a variable's own, or else the record's."""
    edges = package.edges(dataset)
    if edges.empty:
        return pd.DataFrame(columns=list(STEP_COLUMNS), dtype=object)
    edges = edges[edges["record_key"].isin(asked["record_key"])].astype(object)
    wanted = asked.rename(columns={"variable": "asked"})[["record_key", "asked"]]
    joined = wanted.merge(edges, on="record_key", how="inner", sort=False)
    own = joined["variable"] == joined["asked"]
    has_own = own.groupby([joined["record_key"], joined["asked"]]).transform("any") if len(joined) else own
    keep = (joined["asked"] == WHOLE) | own | (~has_own & (joined["variable"] == WHOLE))
    joined["variable"] = joined["variable"].where(joined["variable"] != WHOLE, joined["asked"])
    return joined[keep].drop(columns="asked").drop_duplicates()


def _with_values(steps: pd.DataFrame, package: _Package) -> pd.DataFrame:
    """Add the value that the package holds at each step that is about one variable."""
    steps = steps.assign(value="").astype({"value": object})
    for (dataset, variable), part in steps.groupby(["dataset", "variable"], sort=True):
        if variable != WHOLE:
            frame = package.frame(str(dataset))
            texts = pd.Series(column_text(frame[variable]).to_numpy(False), index=frame.index)
            texts = texts[~texts.index.duplicated()]
            steps.loc[part.index, "value"] = texts.reindex(part["record_key"]).fillna("").to_numpy()
    return steps[list(STEP_COLUMNS)]
