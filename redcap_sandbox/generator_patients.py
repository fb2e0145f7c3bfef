"""The patients: those whose course is declared, and any number of further ones drawn from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from metadata.errors import StudyError
from metadata.records import read_csv
from metadata.study import Study
from redcap_sandbox.generator_draws import Draws

FOLDER = "synthetic"


def read_table(study: Study, name: str) -> pd.DataFrame:
    """Read a CSV of the study's ``synthetic/`` folder; every cell is text."""
    path = study.path(f"{FOLDER}/{name}")
    if not path.is_file():
        raise StudyError("the file does not exist", f"{study.name}/{FOLDER}/{name}")
    return read_csv(path.read_bytes(), path)


def declared_patients(study: Study, plan: Mapping[str, Any]) -> pd.DataFrame:
    """Return the declared patients, one row each: the tables of ``plan`` side by side, joined on their id."""
    key = plan["id"]
    tables = [read_table(study, name).set_index(key) for name in plan["tables"]]
    for name, table in zip(plan["tables"], tables, strict=True):
        if not table.index.is_unique or set(table.index) != set(tables[0].index):
            raise StudyError(f"must have each patient of {plan['tables'][0]} once", f"{study.name}/{FOLDER}/{name}")
    return pd.concat([table.reindex(tables[0].index) for table in tables], axis="columns").reset_index()


def all_patients(declared: pd.DataFrame, plan: Mapping[str, Any], draws: Draws) -> pd.DataFrame:
    """Return ``draws.patients`` rows; ``template`` is the declared patient whose course a row follows.

    The declared patients come first and unchanged. Each further one follows a declared patient drawn at random, with
    the declared variation put on its own values.
    """
    count, known = draws.patients, len(declared)
    own = np.arange(count)
    drawn = np.minimum((draws.uniform("template") * known).astype(int), known - 1)
    template = np.where(own < known, own, drawn)
    patients = declared.iloc[template].reset_index(drop=True).assign(template=template)
    further = own >= known
    named = pd.Series([plan["further"]["name"].format(number + 1) for number in own], dtype="str")
    patients[plan["id"]] = patients[plan["id"]].where(~further, named)
    for column, pattern in plan["further"].get("texts", {}).items():
        written = patients[plan["id"]].map(pattern.format)
        patients[column] = patients[column].where(~further, written)
    for column, change in plan["further"].get("vary", {}).items():
        patients[column] = patients[column].where(~further, _varied(patients[column], column, change, draws))
    return patients


def _varied(values: pd.Series, column: str, change: Mapping[str, Any], draws: Draws) -> pd.Series:
    """Return values times a log-normal factor plus a normal shift, or dates moved by whole weeks; blanks stay."""
    if "weeks" in change:
        weeks = np.round((draws.uniform("vary", column) * 2 - 1) * int(change["weeks"])).astype(int)
        moved = values.to_numpy("datetime64[D]") + (7 * weeks).astype("timedelta64[D]")
        return pd.Series(np.datetime_as_string(moved), dtype="str")
    number = pd.to_numeric(values, errors="coerce").to_numpy(float)
    deviate = draws.normal("vary", column)
    varied = number * np.exp(float(change.get("factor", 0)) * deviate) + float(change.get("shift", 0)) * deviate
    kept = np.clip(varied, float(change.get("min", -np.inf)), float(change.get("max", np.inf)))
    places = int(change.get("decimals", 0))
    written = pd.Series(np.char.mod(f"%.{places}f", np.nan_to_num(np.round(kept, places))), dtype="str")
    return written.where(~np.isnan(number), "")
