"""The derivation basetype_records: records that have several baselines, each under its BASETYPE."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from adam.columns.columns import Columns
from adam.language.derivation import AddedRows, Derivation, DerivationContext, keyed
from metadata.coded_text import CodedText
from metadata.condition import Condition, DatasetKinds
from metadata.errors import StudyError
from metadata.variable_kind import CHAR, ClosedText

BASETYPE = "BASETYPE"


@keyed("basetype_records")
@dataclass(frozen=True, kw_only=True)
class BasetypeRecords(Derivation):
    """Give each record the BASETYPE whose condition it fulfils, and add a copy of it for each further one.

    So a record of the open-label period is compared with the baseline of the trial and with that of its period. A
    record that fulfils no condition has no BASETYPE. Name BASETYPE in the ``by`` of ``baseline`` after it.
    """

    types: dict[str, Condition]

    adds_rows = True

    def check(self) -> None:
        if not self.types:
            raise StudyError("types: name at least one BASETYPE, with the condition of its records")

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        names = list(self.types)
        fits = np.vstack([condition.holds(columns, count) for condition in self.types.values()])
        first = np.where(fits.any(axis=0), fits.argmax(axis=0), -1)
        further = fits & (np.arange(len(names))[:, None] != first)
        place, rows = np.nonzero(further)
        nobody = np.zeros(0, int)
        return AddedRows(
            rows, {BASETYPE: CodedText.of_codes(place, names)}, (nobody, nobody),
            existing={BASETYPE: CodedText.of_codes(first, names)},
        )  # fmt: skip

    def also_makes(self) -> dict[str, str]:
        return {BASETYPE: CHAR}

    def closed_texts(self, variable: str, kinds: DatasetKinds) -> ClosedText | None:
        return ClosedText(self.types) if variable == BASETYPE else None

    def sentence(self, variable: str) -> str:
        types = "; ".join(f"{name} where {condition}" for name, condition in self.types.items())
        return f"{types}; a record to which several apply is repeated for each."
