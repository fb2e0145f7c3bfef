"""A small invented study in a temporary folder and hand-made SDTM datasets for the tests of adam."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from adam.build.analyse import build
from adam.build.specification import read_specification, read_specifications
from adam.build.table import AnalysisTable
from adam.build.variable_kinds import kinds_by_dataset
from adam.columns.columns import Values, finished
from adam.language.derivation import Derivation, DerivationContext
from metadata.coded_text import CodedText
from metadata.dataset import Dataset, DatasetMetadata, Variable
from metadata.frame_columns import FrameColumns
from metadata.study import Study
from metadata.variable_kind import ClosedText
from metadata.yaml_source import load
from sdtm.build.mapping_check import kinds_of_tabulated
from sdtm.build.study_mapping import StudyMapping

STUDY = """
study: {id: DEMO, title: Demonstration}
standards: {sdtmig: "3.3", sdtm_ct: 2019-09-27, adamig: "1.3", occds: "1.1", adam_ct: 2026-03-27}
redcap: {base_url: "https://redcap.example.org/"}
cutoff: 2001-12-31
visits:
  - {visitnum: 1, visit: SCREENING, event: s, day: -14, window: [-7, 7]}
  - {visitnum: 2, visit: BASELINE, event: b, day: 1, window: [0, 0], predose: true}
  - {visitnum: 3, visit: WEEK 2, event: w, day: 15, window: [-3, 3]}
  - {visitnum: 4, visit: MONTH 3, event: m, day: 91, window: [-7, 7]}
  - {visitnum: 5, visit: EARLY TERMINATION, event: e}
"""


def study_in(folder: Path, **files: str) -> Study:
    """Write a study with the given adam/<name>.yaml files and open it."""
    (folder / "adam").mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    for name, text in files.items():
        (folder / "adam" / f"{name}.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    return Study(folder)


def impossible_texts(study: Study, mapping: StudyMapping, datasets: Mapping[str, Dataset]) -> dict[str, list[str]]:
    """Return the texts of each DATASET.VARIABLE that a check says it never has; raises if no variable has a list."""
    tabulated = kinds_of_tabulated(study, mapping)
    kinds = {**tabulated, **kinds_by_dataset(read_specifications(study), study, tabulated)}
    closed = {
        f"{name}.{variable}": [text for text in made.frame[variable].astype("str").unique() if not kind.has(text)]
        for name, made in datasets.items()
        for variable, kind in kinds[name].items()
        if isinstance(kind, ClosedText) and variable in made.frame
    }
    assert len(closed) > 100
    return {name: texts for name, texts in closed.items() if texts}


def dataset(name: str, keys: tuple[str, ...] = ("USUBJID",), **columns: list) -> Dataset:
    """Return a dataset as tabulation makes it, from columns of texts or numbers."""
    made, variables = {}, []
    for column, values in columns.items():
        text = any(isinstance(value, str) for value in values)
        made[column] = pd.Series(values, dtype="str") if text else pd.Series(np.array(values, float))
        variables.append(Variable(column, f"Label of {column}", "Char" if text else "Num"))
    metadata = DatasetMetadata(name, name, "FINDINGS", "One record", keys, tuple(variables))
    return Dataset(metadata, pd.DataFrame(made))


def displayed(given: Dataset, **formats: str) -> Dataset:
    """Return a dataset whose variables have display formats, which say which numbers are dates and datetimes."""
    variables = tuple(replace(one, format=formats.get(one.name)) for one in given.metadata.variables)
    return given.with_metadata(given.metadata.with_variables(variables))


def derived(folder: Path, text: str, *sources: Dataset) -> Dataset:
    """Build the one dataset that ``text`` declares from the given sources."""
    study = study_in(folder)
    path = folder / "adam" / "dataset.yaml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    specification = read_specification(load(path, "demo/adam/dataset.yaml"))
    return build(specification, study, {source.name: source for source in sources})


def day(text: str) -> float:
    """Return a date as SAS days."""
    return float((np.datetime64(text) - np.datetime64("1960-01-01")) / np.timedelta64(1, "D"))


def texts(values: Values | pd.Series) -> list[str]:
    """Return a Char column as a list of texts."""
    return values.array().tolist() if isinstance(values, CodedText) else [str(value) for value in values.astype("str")]


def columns(**given: list) -> dict[str, Values]:
    """Return columns as derivations see them; texts where any value is a text."""
    frame = {
        name: pd.Series(values, dtype="str")
        if any(isinstance(v, str) for v in values)
        else pd.Series(values, dtype=float)
        for name, values in given.items()
    }
    made = FrameColumns(pd.DataFrame(frame))
    return {name: made[name] for name in made.names}


def context(folder: Path, *sources: Dataset, cutoff: str = "2001-12-31") -> DerivationContext:
    """Return the context of derivations in a study with the given datasets and data cut-off."""
    study = study_in(folder)
    study.declared = replace(study.declared, cutoff=cutoff)
    return DerivationContext(study, {source.name: source for source in sources}, "", False)


def made_by(word: Derivation, folder: Path, *sources: Dataset, **given: list) -> dict[str, Values]:
    """Return the columns that a word makes from given ones, with a data cut-off that lies far off."""
    count = len(next(iter(given.values())))
    outcome = word.derive(columns(**given), count, context(folder, *sources, cutoff="2099-12-31"))
    return dict(outcome.columns)


def added_by(word: Derivation, folder: Path, *sources: Dataset, **given: list) -> pd.DataFrame:
    """Return the records that a word adds to given ones, as a dataset holds them."""
    source = FrameColumns(pd.DataFrame({name: finished(values) for name, values in columns(**given).items()}))
    table = AnalysisTable(source, np.arange(len(source)))
    old = table.count
    table.apply(word, context(folder, *sources, cutoff="2099-12-31"))
    names = [*given, *(name for name in table.columns if name not in given)]
    frame = pd.DataFrame({name: finished(table.columns[name]) for name in names})
    return frame.iloc[old:].reset_index(drop=True)


def numbers(values: np.ndarray | pd.Series) -> list[float | None]:
    """Return a Num column as a list, None where missing."""
    return [None if np.isnan(value) else float(value) for value in values]


def second(text: str) -> float | None:
    """Return a datetime as SAS seconds."""
    if not text:
        return None
    return float((np.datetime64(text) - np.datetime64("1960-01-01T00:00:00")) / np.timedelta64(1, "ms")) / 1000


def days(*dates: str) -> list[float | None]:
    """Return dates as SAS days, None for a blank."""
    return [day(one) if one else None for one in dates]


def np_array(values: list) -> np.ndarray:
    """Return numbers as an array, NaN for None."""
    return np.array([np.nan if value is None else value for value in values], float)
