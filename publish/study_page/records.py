"""The page of records: tables of datasets and forms, what each record was made from, and the results' conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from metadata.condition_filter import read_filter
from metadata.dataset import Dataset, Variable
from metadata.frame_columns import FrameColumns
from metadata.html_page import page_templates
from publish.disk import write_bytes
from publish.lineage import REDCAP
from publish.result_cells import read_cells
from publish.study_page.forms import KeptForms
from publish.study_page.results import RESULTS, write_results
from publish.study_page.sources import write_sources
from publish.study_page.tables import (
    DATA,
    ShownTable,
    dataset_columns,
    shown_dataset,
    tables_script,
    write_parts,
)

FOLDER = Path(__file__).resolve().parent
BROWSE, PAGE, SCRIPT, TABLES = "browse", "records.html", "records.js", "tables.js"
GROUPS = {"sdtm": "SDTM", "adam": "ADaM"}


def withheld_variables(datasets: Mapping[str, Dataset], identifiers: frozenset[str]) -> dict[str, frozenset[str]]:
    """Return the variables of each dataset that were made from an identifier, or from such a variable."""
    held: dict[str, frozenset[str]] = dict.fromkeys(datasets, frozenset())
    while True:
        found = {name: _holding(dataset, held, identifiers) for name, dataset in datasets.items()}
        if found == held:
            return held
        held = found


def _holding(dataset: Dataset, held: Mapping[str, frozenset[str]], identifiers: frozenset[str]) -> frozenset[str]:
    edges = dataset.lineage[["variable", "source", "source_variable"]]
    secret = {REDCAP: identifiers, **held}
    known = [(source, name) for source, names in secret.items() for name in names]
    if not known:
        return frozenset()
    mine = np.zeros(len(edges), bool)
    for source, names in secret.items():
        if names:
            mine |= (edges["source"].eq(source) & edges["source_variable"].isin(names)).to_numpy()
    made = {str(name) for name in edges["variable"][mine].unique()} - {"*"}
    copied = {one.name for one in dataset.metadata.variables if _copies(one, known)}
    return frozenset((made | copied) & set(dataset.metadata.names))


def _copies(variable: Variable, known: Sequence[tuple[str, str]]) -> bool:
    """Whether the sentence of a variable names one that is withheld."""
    return any(re.search(rf"\b{source}\.{name}\b", variable.method) for source, name in known if source != REDCAP)


def write_datasets(root: Path, standards: Mapping[str, Mapping[str, Dataset]], forms: KeptForms) -> None:
    """Write the tables of all datasets and what their records were made from; raises OutsideError."""
    everything = {name: dataset for datasets in standards.values() for name, dataset in datasets.items()}
    withheld, folder = withheld_variables(everything, forms.identifiers), root / BROWSE / DATA
    tables: list[ShownTable] = []
    for standard, datasets in standards.items():
        for name, dataset in datasets.items():
            tables.append(shown_dataset(dataset, GROUPS[standard], withheld[name]))
            write_parts(folder, name, tables[-1].rows, dataset_columns(dataset, tables[-1]))
            write_sources(folder, dataset, forms.places)
    tables.sort(key=lambda table: (table.group != "ADaM", table.name))
    write_bytes(root / BROWSE / TABLES, tables_script([*tables, *(table for table in forms.tables if table.rows)]))


def write_page(
    root: Path, about: Mapping[str, object], results: pd.DataFrame | None, titles: Mapping[str, str]
) -> Path:
    """Write the page itself and the results of each output; raises OutsideError."""
    folder = root / BROWSE
    if results is not None:
        places = folder / RESULTS
        places.mkdir(parents=True, exist_ok=True)
        write_results(_with_referred(results), read_cells(root / "reports"), titles, places)
    text = page_templates(FOLDER).get_template(f"{PAGE}.jinja").render(about=about)
    write_bytes(folder / PAGE, text.encode())
    write_bytes(folder / SCRIPT, (FOLDER / SCRIPT).read_bytes())
    return folder / PAGE


def _with_referred(results: pd.DataFrame) -> pd.DataFrame:
    """Add the results from which a result was computed: output, position among its results, and what it is."""
    columns, position = FrameColumns(results), results.groupby("output", sort=False).cumcount()
    known = results.assign(
        position=position, said=results["analysis"] + ", " + results["statistic"] + " " + results["text"]
    )
    referred = {}
    for text in results.loc[results["dataset"].eq(RESULTS), "filter"].unique():
        rows = read_filter(text).holds(columns, len(results))
        referred[text] = known.loc[rows, ["output", "position", "said"]].to_numpy(object).tolist()
    of_results = results["filter"].where(results["dataset"].eq(RESULTS))
    return results.assign(referred=pd.Series([referred.get(text, []) for text in of_results], results.index))
