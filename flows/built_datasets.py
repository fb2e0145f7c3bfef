"""The datasets of a build, ready to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metadata.dataset import Dataset
from metadata.study import LARGEST_FILE

if TYPE_CHECKING:
    from metadata.study_declaration import JsonForm
    from publish.refusals import Standard

Datasets = Mapping[str, Dataset]


@dataclass(frozen=True)
class BuiltDatasets:
    """Datasets of both standards, ready to be written; ``mark`` is what their labels end with, or blank.

    SDTM that was received is not written again: its files are copied.
    """

    sdtm: Datasets
    adam: Datasets
    mark: str = ""
    largest_file: int = LARGEST_FILE
    json_forms: tuple[JsonForm, ...] | None = None
    is_received: bool = False

    @property
    def everything(self) -> dict[str, Dataset]:
        """All datasets by name."""
        return {**self.sdtm, **self.adam}

    @property
    def standards(self) -> list[tuple[Standard, Datasets]]:
        """The datasets of each standard that has any, as they are written: with the mark in their labels."""
        from publish.part import labelled

        both: list[tuple[Standard, Datasets]] = [("sdtm", self.sdtm), ("adam", self.adam)]
        return [
            (standard, {name: labelled(one, self.mark) for name, one in datasets.items()})
            for standard, datasets in both
            if datasets
        ]

    @property
    def written(self) -> list[tuple[Standard, Datasets]]:
        """Those of the standards whose files are written here."""
        return [one for one in self.standards if one[0] != "sdtm" or not self.is_received]
