"""From SDTM to the analysis datasets that a study declares."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from adam.build.dataset_metadata import metadata_of
from adam.build.derivation_order import in_order, with_copies
from adam.build.lineage import lineage
from adam.build.specification import AnalysisSpecification, DerivationStep, needed_first, read_specifications
from adam.build.table import AnalysisTable
from adam.build.unit_check import check_units
from adam.columns.columns import Values, finished, take
from adam.columns.grouping import group_codes, sorted_by
from adam.derivations.values import value_text
from adam.language.derivation import DerivationContext
from metadata.dataset import Dataset
from metadata.errors import StudyError, nearest
from metadata.frame_columns import FrameColumns
from metadata.schema_errors import no_variable
from metadata.study import Study


def analyse(study: Study, sdtm: Mapping[str, Dataset]) -> dict[str, Dataset]:
    """Make the analysis datasets declared in the study's ``adam`` folder, in the order in which they need each other.

    Raises StudyError (file, line, key) where a declaration is not fit or the data do not allow what it asks for.
    """
    made: dict[str, Dataset] = {}
    for specification in needed_first(read_specifications(study)):
        made[specification.name] = build(specification, study, {**sdtm, **made})
    return made


def build(specification: AnalysisSpecification, study: Study, datasets: Mapping[str, Dataset]) -> Dataset:
    """Make one analysis dataset with its metadata and lineage."""
    source = specification.header.source
    if source.dataset not in datasets:
        raise specification.error(
            f"this build has no dataset {source.dataset}{nearest(source.dataset, datasets)}", "source"
        )
    check_units(specification, study)
    columns = datasets[source.dataset].columns
    context = DerivationContext(study, datasets, source.dataset, specification.header.guide == "ADSL")
    specification = with_copies(specification, columns)
    steps = in_order(specification, columns.names)
    kinds = datasets[source.dataset].metadata.kinds
    table = AnalysisTable(columns, _source_rows(specification, columns), kinds)
    _derive(specification, steps, table, context)
    _check_variables(specification, table)
    return _finished(specification, steps, table, context)


def _derive(
    specification: AnalysisSpecification, steps: list[DerivationStep], table: AnalysisTable, context: DerivationContext
) -> None:
    templates = table.count if specification.header.source.as_template else 0
    if specification.header.source.as_template and not any(step.derivation.adds_rows for step in steps):
        raise specification.error("as_template leaves no records: no derivation adds any", "source")
    for step in steps:
        with step.place():
            table.apply(step.derivation, context)
        if templates and step.derivation.adds_rows:
            table.drop_first(templates)
            templates = 0


def _source_rows(specification: AnalysisSpecification, columns: FrameColumns) -> np.ndarray:
    where = specification.header.source.where
    if where is None:
        return np.arange(len(columns))
    unknown = [name for name in where.reads if name not in columns]
    if unknown:
        raise specification.error(no_variable(specification.header.source.dataset, unknown[0], columns.names), "source")
    try:
        return np.flatnonzero(where.holds(columns, len(columns)))
    except StudyError as error:
        raise error if error.line else specification.error(error.message, "source") from None


def _check_variables(specification: AnalysisSpecification, table: AnalysisTable) -> None:
    for name in [*specification.variables, *specification.header.keys]:
        if name not in table.columns:
            raise specification.error(f"no derivation makes {name}{nearest(name, table.columns)}", "variables")


def _finished(
    specification: AnalysisSpecification, steps: list[DerivationStep], table: AnalysisTable, context: DerivationContext
) -> Dataset:
    keys = [table.columns[name] for name in specification.header.keys]
    rows = sorted_by(keys)
    _check_unique(specification, keys)
    place = np.empty(table.count, np.int64)
    place[rows] = np.arange(table.count)
    metadata = metadata_of(specification, steps, table.columns, context)
    frame = pd.DataFrame({name: finished(take(table.columns[name], rows)) for name in metadata.names}, copy=False)
    traced = lineage(table, context.source, steps, metadata.names, place, context.subject_level)
    return Dataset(metadata, frame, traced)


def _check_unique(specification: AnalysisSpecification, keys: list[Values]) -> None:
    codes = group_codes(keys)
    repeated = np.flatnonzero(np.bincount(codes) > 1)
    if len(repeated):
        row = int(np.flatnonzero(codes == repeated[0])[0])
        values = ", ".join(
            f"{n} {value_text(key, row)}" for n, key in zip(specification.header.keys, keys, strict=True)
        )
        raise specification.error(f"{len(repeated)} key(s) have more than one record, first: {values}", "keys")
