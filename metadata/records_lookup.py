"""Finds rows of a project's records by what names them: record, event, repeating form and instance."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from metadata.records import EVENT, REPEAT_INSTANCE, REPEAT_INSTRUMENT, Records

if TYPE_CHECKING:
    import pandas as pd

SEPARATOR = "\x1f"


class RecordsLookup:
    """Positions of a project's rows by record, event, repeating form and instance.

    ``form_keys`` is for who reads the records form by form: the keys of a form's rows, kept once they were found.
    """

    def __init__(self, records: Records) -> None:
        self.records, self.project = records, records.project
        self.form_keys: dict[str, pd.DataFrame] = {}
        self._instances: dict[str, pd.DataFrame] = {}

    @cached_property
    def _positions(self) -> pd.Series:
        """Positions of rows by their key; of rows that have one key the first."""
        import pandas as pd

        columns = [self.project.dictionary.record_id, EVENT, REPEAT_INSTRUMENT, REPEAT_INSTANCE]
        frame = self.records.table.select(columns).frame()
        positions = pd.Series(np.arange(len(frame)), index=self.key(*(frame[name] for name in columns)))
        return positions[~positions.index.duplicated()]

    @staticmethod
    def key(record: pd.Series, event: pd.Series, instrument: pd.Series, instance: pd.Series) -> pd.Index:
        """Return the text that names a row."""
        import pandas as pd

        parts = [record.array, event.array, instrument.array, instance.array]
        return pd.Index(parts[0] + SEPARATOR + parts[1] + SEPARATOR + parts[2] + SEPARATOR + parts[3])

    def positions(self, record: pd.Series, event: pd.Series, instrument: pd.Series, instance: pd.Series) -> np.ndarray:
        """Return row positions in the records, -1 where there is no such row."""
        found = self._positions.index.get_indexer(self.key(record, event, instrument, instance))
        return np.where(found < 0, -1, self._positions.to_numpy()[found] if len(self._positions) else -1)

    def instances(self, form: str) -> pd.DataFrame:
        """Return record, event and number of the instances in which the form may be, itself or with its event."""
        import pandas as pd

        if form not in self._instances:
            columns = [self.project.dictionary.record_id, EVENT, REPEAT_INSTANCE]
            rows = self.records.table.where(REPEAT_INSTRUMENT, {"": True, form: True}, False)
            frame = (
                self.records.table.select(columns).take(rows).frame().set_axis(["record", "event", "number"], axis=1)
            )
            numbered = frame.assign(number=pd.to_numeric(frame["number"], errors="coerce"))
            self._instances[form] = numbered.dropna(subset=["number"])
        return self._instances[form]
