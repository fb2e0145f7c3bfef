"""The patients: those whose course is declared, and any number of further ones drawn from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from metadata.errors import StudyError
from metadata.records_csv import read_csv
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

    The declared patients come first and unchanged. Each further one follows a declared patient drawn at random (of all
    but those in ``without``), with the declared variation put on its own values.
    """
    count, known = draws.patients, len(declared)
    own = np.arange(count)
    followed = _followed(declared[plan["id"]], plan["further"].get("without", []))
    drawn = followed[np.minimum((draws.uniform("template") * len(followed)).astype(int), len(followed) - 1)]
    template = np.where(own < known, own, drawn)
    patients = declared.iloc[template].reset_index(drop=True).assign(template=template)
    further = own >= known
    named = pd.Series([plan["further"]["name"].format(number + 1) for number in own], dtype="str")
    patients[plan["id"]] = patients[plan["id"]].where(~further, named)
    for column, written in _texts(patients, plan).items():
        patients[column] = patients[column].where(~further, written)
    for column, change in plan["further"].get("vary", {}).items():
        patients[column] = patients[column].where(~further, _varied(patients[column], column, change, draws))
    return patients


def _followed(names: pd.Series, without: Sequence[str]) -> np.ndarray:
    """Return the positions of the declared patients whom a further one may follow."""
    unknown = sorted(set(without) - set(names))
    if unknown:
        raise StudyError(f"'without' names a patient who is not declared: {unknown[0]}", f"{FOLDER}/generator.yaml")
    return np.flatnonzero(~names.isin(without))


def _texts(patients: pd.DataFrame, plan: Mapping[str, Any]) -> dict[str, pd.Series]:
    """Return the declared texts of all patients, filled in by column.

    A text names columns of the patients in braces; ``{name}`` is the record's name, ``{count}`` the patient's number
    among those with the same value in the column ``count_within`` (among all, without one).
    """
    within = plan["further"].get("count_within")
    numbers = patients.groupby(within).cumcount() + 1 if within else pd.Series(np.arange(len(patients)) + 1)
    rows = patients.assign(name=patients[plan["id"]], count=numbers).to_dict("records")
    texts = plan["further"].get("texts", {})
    return {column: pd.Series([text.format_map(row) for row in rows], dtype="str") for column, text in texts.items()}


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
