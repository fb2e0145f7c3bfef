"""Transport files above a size are also given in parts, in the folder ``split`` next to the whole file.

The parts are consecutive records of nearly equal number under the same metadata, so their lengths are equal, and each
is at most as large as allowed. Source: FDA Study Data Technical Conformance Guide, section 3.3.2 (file size limits:
split files in a subfolder ``split``, the whole file next to it, and both named in define.xml and the guide).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from metadata.dataset import Dataset
from metadata.errors import StudyError
from publish.xpt_layout import file_size

FOLDER = "split"
LONGEST_NAME = 8


def parts(dataset: Dataset, largest: int, taken: Collection[str] = ()) -> list[Dataset]:
    """Return the parts of a dataset whose file would take more than ``largest`` bytes, in order; none of another.

    A part is called as the dataset with a number from 1, its name cut so that both have 8 characters. Raises
    StudyError if one record alone is too large, or if a name is that of a dataset in ``taken``.
    """
    metadata, count = dataset.metadata, len(dataset.frame)
    if file_size(metadata, count) <= largest:
        return []
    if not count or file_size(metadata, 1) > largest:
        raise StudyError(f"{dataset.name}: a file of one record takes more than the {largest:,} bytes allowed")
    most = _most_rows(dataset, largest)
    number = -(-count // most)
    names = part_names(dataset.name, number)
    for name in names:
        if name in taken:
            raise StudyError(f"{dataset.name} has to be split, and its part {name} has the name of another dataset")
    bounds = bounds_of(count, number)
    return [
        Dataset(replace(metadata, name=name), dataset.frame.iloc[start:stop].reset_index(drop=True))
        for name, start, stop in zip(names, bounds, bounds[1:], strict=False)
    ]


def bounds_of(count: int, parts: int) -> list[int]:
    """Return where each part of so many records begins, and the end of the last."""
    return [count * place // parts for place in range(parts + 1)]


def parts_beside(whole: Path, dataset: str) -> list[Path]:
    """Return the transport files in the folder ``split`` next to a whole file that are named as the dataset's parts."""
    return sorted((whole.parent / FOLDER).glob(f"{dataset.lower()[: LONGEST_NAME - 2]}*.xpt"))


def _most_rows(dataset: Dataset, largest: int) -> int:
    """Return how many records a file of at most ``largest`` bytes has."""
    low, high = 1, len(dataset.frame)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if file_size(dataset.metadata, middle) <= largest else (low, middle - 1)
    return low


def part_names(dataset: str, number: int) -> list[str]:
    """Return what the parts of a dataset in so many parts are called, in order."""
    width = len(str(number))
    return [f"{dataset[: LONGEST_NAME - width]}{place:0{width}}" for place in range(1, number + 1)]


def files(dataset: Dataset, largest: int) -> list[str]:
    """Return the files of the parts of a dataset, as one refers to them from the folder of the whole file."""
    return [f"{FOLDER}/{part.name.lower()}.xpt" for part in parts(dataset, largest)]


def sentence(names: list[str]) -> str:
    """Say of a dataset in which parts it is given as well."""
    return f"The records are also given in {len(names)} parts of equal lengths, in order: {', '.join(names)}."
