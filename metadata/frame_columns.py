"""The columns of a frame as codes and numbers, each read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from metadata.coded_text import CodedText
from metadata.variable_kind import CHAR, NUM, is_number

if TYPE_CHECKING:
    import pandas as pd


class FrameColumns:
    """The columns of a frame, which is never changed in place, each read once.

    ``known`` are the kinds of its variables (see ``variable_kind``), as far as they are known; ``unused`` those of them
    that the frame lacks because nobody has a value: all of their rows are missing.
    """

    def __init__(
        self, frame: pd.DataFrame, known: Mapping[str, str] | None = None, unused: Iterable[str] = ()
    ) -> None:  # fmt: skip
        self.frame = frame
        self._known = known or {}
        self._unused = frozenset(unused).difference(frame.columns)
        self._texts: dict[str, CodedText] = {}
        self._numbers: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.frame)

    def __contains__(self, name: object) -> bool:
        return name in self._kinds

    def __getitem__(self, name: str) -> CodedText | np.ndarray:
        """Return a column as a condition looks at it: coded texts, or float64 with NaN where missing."""
        return self.coded(name) if self.is_text(name) else self.numbers(name)

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return list(self._kinds)

    @cached_property
    def _kinds(self) -> dict[str, bool]:
        import pandas as pd

        found = {str(name): pd.api.types.is_numeric_dtype(kind) for name, kind in self.frame.dtypes.items()}
        return found | {name: is_number(self._known.get(name, CHAR)) for name in sorted(self._unused)}

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Kind of each column, as a condition is checked against them."""
        known = {name: kind for name, kind in self._known.items() if is_number(kind)}
        return {name: known.get(name, NUM) if numeric else CHAR for name, numeric in self._kinds.items()}

    def is_text(self, name: str) -> bool:
        """Whether the column holds texts, not numbers."""
        return not self._kinds[name]

    def coded(self, name: str) -> CodedText:
        """Return a column as codes into the texts that its rows hold, and blank; numbers as their shortest texts."""
        if name not in self._texts:
            self._texts[name] = self._coded(name).in_use()
        return self._texts[name]

    def _coded(self, name: str) -> CodedText:
        if not self.is_text(name):
            return CodedText.of_numbers(self.numbers(name), "{:.15g}".format)
        return CodedText.constant("", len(self)) if name in self._unused else CodedText.of_series(self.frame[name])

    def filled(self, name: str) -> np.ndarray:
        """Return True for the rows that have a value."""
        return self.coded(name).present() if self.is_text(name) else ~np.isnan(self.numbers(name))

    def numbers(self, name: str) -> np.ndarray:
        """Return a column of numbers as float64, NaN where missing."""
        if name not in self._numbers:
            missing = name in self._unused
            self._numbers[name] = (
                np.full(len(self), np.nan) if missing else self.frame[name].to_numpy(float, na_value=np.nan)
            )
        return self._numbers[name]
