"""The columns of a frame as codes and numbers, each read once."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from metadata.coded_text import CodedText


class FrameColumns:
    """The columns of a frame, which is never changed in place, each read once."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self._texts: dict[str, CodedText] = {}
        self._numbers: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.frame)

    def __contains__(self, name: str) -> bool:
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
        return {str(name): pd.api.types.is_numeric_dtype(kind) for name, kind in self.frame.dtypes.items()}

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Char or Num for each column, as a condition is checked against them."""
        return {name: "Num" if numeric else "Char" for name, numeric in self._kinds.items()}

    def is_text(self, name: str) -> bool:
        """Whether the column holds texts, not numbers."""
        return not self._kinds[name]

    def coded(self, name: str) -> CodedText:
        """Return a column as codes into the texts that its rows hold, and blank; numbers as their shortest texts."""
        if name not in self._texts:
            made = (
                CodedText.of_series(self.frame[name])
                if self.is_text(name)
                else CodedText.of_numbers(self.numbers(name), "{:.15g}".format)
            )
            self._texts[name] = made.in_use()
        return self._texts[name]

    def filled(self, name: str) -> np.ndarray:
        """Return True for the rows that have a value."""
        return self.coded(name).present() if self.is_text(name) else ~np.isnan(self.numbers(name))

    def numbers(self, name: str) -> np.ndarray:
        """Return a column of numbers as float64, NaN where missing."""
        if name not in self._numbers:
            self._numbers[name] = self.frame[name].to_numpy(float, na_value=np.nan)
        return self._numbers[name]
