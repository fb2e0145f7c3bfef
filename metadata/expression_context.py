"""Finds what an expression refers to in a project's records: the same row, another form, event or instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from metadata.dictionary import Field, checkbox_column
from metadata.expression import Reference
from metadata.expression_column import ExpressionColumn
from metadata.expression_references import check_reference, export_column, referred_field
from metadata.expression_rows import smart_column, source_rows
from metadata.labels import plain_label
from metadata.records_lookup import RecordsLookup

if TYPE_CHECKING:
    import pandas as pd

TICKED = "1"


class FormContext:
    """The rows of one form: the columns of any reference, aligned to them.

    ``rows`` has source_row, record, event, instrument, instance and dag of each row.
    """

    def __init__(self, lookup: RecordsLookup, form: str, rows: pd.DataFrame) -> None:
        self.lookup, self.project, self.form = lookup, lookup.project, form
        self.rows = rows
        self._columns: dict[Reference, ExpressionColumn] = {}

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def column(self, reference: Reference) -> ExpressionColumn:
        """Return the values of a reference, one a row; raises LookupError with a sentence if there can be none."""
        if reference not in self._columns:
            self._columns[reference] = self._read(reference)
        return self._columns[reference]

    def _read(self, reference: Reference) -> ExpressionColumn:
        check_reference(self.project, reference)
        if reference.is_smart:
            return smart_column(self.lookup, self.form, self.rows, reference)
        field = referred_field(self.project, reference)
        if field.name == self.project.dictionary.record_id:
            return ExpressionColumn.stored(self.rows["record"].reset_index(drop=True))
        positions = source_rows(self.lookup, self.form, self.rows, field, reference)
        if reference.option in ("checked", "unchecked"):
            return ExpressionColumn.stored(self._boxes(field, positions, reference.option == "checked"))
        text = self._taken(export_column(self.project, field, reference), positions)
        if field.type == "checkbox":
            text = np.where(text == "", "0", text)
        if reference.option == "label":
            return ExpressionColumn.stored(_labels(field, reference, text))
        return ExpressionColumn.stored(text, self.project.missing_codes, "comma" in field.validation)

    def _boxes(self, field: Field, positions: np.ndarray, ticked: bool) -> np.ndarray:
        """Return the labels of the options that are ticked, or of those that are not, joined as REDCap pipes them."""
        made = np.full(len(positions), "", object)
        for code, label in field.choices.items():
            held = (self._taken(checkbox_column(field.name, code), positions) == TICKED) == ticked
            made = np.where(held, np.where(made == "", "", made + ", ") + plain_label(label), made)
        return made

    def _taken(self, column: str, positions: np.ndarray) -> np.ndarray:
        table = self.lookup.records.table
        if column not in table and column in self.project.dictionary.column_field:
            raise LookupError(f"the records received have no column '{column}'")
        if column not in table:  # a missing-data code that no checkbox holds
            return np.full(len(positions), "", object)
        return table.texts_at(column, positions)


def _labels(field: Field, reference: Reference, text: np.ndarray) -> np.ndarray:
    """Return the labels of stored codes; of one option of a checkbox its label where it is ticked."""
    import pandas as pd

    if reference.code is not None:
        return np.where(text == TICKED, plain_label(field.choices[reference.code]), "")
    labels = {code: plain_label(label) for code, label in field.choices.items()}
    return pd.Series(text, dtype="str").map(labels).fillna("").to_numpy(object)
