"""Values of supplemental qualifiers for the records that they belong to (SDTMIG 3.3, section 8.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.results.analysis_data import AnalysisData
from reports.results.selection import SUBJECT, Selection

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SupplementalValues:
    """The supplemental qualifiers of the dataset that some rows are of."""

    rows: Selection

    @classmethod
    def of(cls, analysis: AnalysisData, rows: Selection) -> SupplementalValues | None:
        """Those of the rows' dataset, or None if it has none."""
        name = f"SUPP{rows.dataset}"
        return cls(analysis.everything(name)) if name in analysis.datasets else None

    def among(self, names: Iterable[str]) -> list[str]:
        """Those of the names that are qualifiers here."""
        known = self.rows.base.coded("QNAM").places
        return [name for name in names if name in known]

    def values(self, name: str, rows: Selection) -> list[str]:
        """The qualifier's value for each of the rows, empty where it has none.

        A qualifier without IDVAR belongs to the subject; the values of IDVAR are numbers as text.
        """
        own = self.rows.equal("QNAM", name).table(SUBJECT, "IDVAR", "IDVARVAL", "QVAL")
        subjects = rows.column(SUBJECT).tolist()
        values = [""] * rows.size
        for key, part in own.groupby("IDVAR", sort=False):
            found = dict(zip(zip(part[SUBJECT], part["IDVARVAL"], strict=True), part["QVAL"], strict=True))
            keys = _texts(rows.column(str(key))) if key else [""] * rows.size
            values = [
                found.get(pair, value) for pair, value in zip(zip(subjects, keys, strict=True), values, strict=True)
            ]
        return values


def _texts(keys: pd.Series) -> list[str]:
    import pandas as pd

    return [f"{key:g}" for key in keys.tolist()] if pd.api.types.is_numeric_dtype(keys) else keys.tolist()
