"""The records of an endpoint on both sides, paired by their keys: what is missing, and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metadata.condition import EVERY_ROW, Condition
from metadata.errors import StudyError, nearest
from metadata.frame_columns import FrameColumns
from metadata.iso8601 import from_sas_days
from validation.second_derivation.declaration import VerifiedEndpoint
from validation.second_derivation.tables import Second

if TYPE_CHECKING:
    import pandas as pd

MISSING, SURPLUS, DIFFERS = "not derived a second time", "derived a second time only", "differs"
TINY = 1e-12
Columns = Mapping[str, np.ndarray]
Finding = dict[str, str]


@dataclass(frozen=True)
class Compared:
    """What a comparison found: records of both sides, values of which at least one side had one, and findings.

    A finding has endpoint, dataset, keys (as text), variable, finding, ours and second; they are in order of the keys.
    """

    ours: int
    second: int
    judged: int
    findings: list[Finding]


@dataclass(frozen=True)
class Pairs:
    """Positions of records with the same keys on both sides, and of those that one side alone has.

    ``place`` and ``second_place`` number our records and theirs in the order of the keys.
    """

    ours: np.ndarray
    second: np.ndarray
    missing: np.ndarray
    surplus: np.ndarray
    place: np.ndarray
    second_place: np.ndarray


def rows_of(frame: pd.DataFrame, where: Condition | None, kinds: Mapping[str, str] | None = None) -> np.ndarray:
    """Return the positions of the records that fulfil a condition, of all without one."""
    return np.flatnonzero((where or EVERY_ROW).holds(FrameColumns(frame, kinds), len(frame)))


def compare(
    endpoint: VerifiedEndpoint, whole: pd.DataFrame, second: Second, place: str, kinds: Mapping[str, str] | None = None
) -> Compared:  # fmt: skip
    """Compare our dataset's records with those of the query (its file is ``place``), by the endpoint's keys.

    ``kinds`` are those of our variables, as far as they are known (which of them are dates).

    Raises StudyError if the query lacks a column or gives it in another type, or if nothing would be compared: no
    records on either side while the dataset has some, none on the other side, or no value in any of them.
    """
    rows = rows_of(whole, endpoint.where, kinds)
    ours = {name: _plain(whole[name], rows) for name in (*endpoint.keys, *endpoint.variables)}
    theirs = _checked(endpoint, ours, second, place)
    _check_records(endpoint, len(rows), len(second), place)
    pairs = _paired([ours[name] for name in endpoint.keys], [theirs[name] for name in endpoint.keys])
    found = [*_lone(endpoint, ours, theirs, pairs)]
    judged = 0
    for number, name in enumerate(endpoint.variables):
        one, other = ours[name][pairs.ours], theirs[name][pairs.second]
        judged += int((_present(one) | _present(other)).sum())
        at = np.flatnonzero(_differ(one, other, endpoint.tolerance))
        parts = _written(one[at], name in second.dates), _written(other[at], name in second.dates)
        keys = _keys(endpoint, ours, pairs.ours[at])
        places = pairs.place[pairs.ours[at]].tolist()
        found += [
            ((at_place, number), _finding(endpoint, key, name, DIFFERS, mine, second_one))
            for at_place, key, mine, second_one in zip(places, keys, *parts, strict=True)
        ]
    if not judged and not found and not endpoint.may_be_empty:
        sentence = f"nothing is compared: {', '.join(endpoint.variables)} are missing on both sides"
        raise endpoint.error(sentence, "variables")
    return Compared(len(rows), len(second), judged, [finding for _, finding in sorted(found, key=lambda one: one[0])])


def _plain(column: pd.Series, rows: np.ndarray) -> np.ndarray:
    """Return the rows of a column as float64 or as texts."""
    import pandas as pd

    if pd.api.types.is_float_dtype(column):
        return column.to_numpy(float)[rows]
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.categories.to_numpy(object)[column.cat.codes.to_numpy()[rows]]
    return column.iloc[rows].astype("str").to_numpy(object)


def _checked(endpoint: VerifiedEndpoint, ours: Columns, second: Second, place: str) -> dict[str, np.ndarray]:
    """Return the query's columns in our types; raises StudyError where they do not have them."""
    made = {}
    for name, values in ours.items():
        if name not in second.columns:
            raise StudyError(f"the query gives no column {name}{nearest(name, second.columns)}", place)
        found = second.columns[name]
        number, numeric = values.dtype != object, found.dtype != object
        if number != numeric and _present(found).any():
            kinds = ("a number or date", "text") if number else ("text", "a number or date")
            raise StudyError(f"{endpoint.dataset}.{name} is {kinds[0]}, in the query it is {kinds[1]}", place)
        made[name] = found if number == numeric else np.full(len(found), np.nan if number else "", values.dtype)
    return made


def _check_records(endpoint: VerifiedEndpoint, ours: int, second: int, place: str) -> None:
    if not ours and not second and not endpoint.may_be_empty:
        sentence = f"nothing is compared: {endpoint.dataset} has no such record and the query gives none"
        raise endpoint.error(sentence, "where" if endpoint.where else "query")
    if ours and not second:
        raise StudyError(f"nothing is compared: the query gives no record, {endpoint.dataset} has {ours}", place)


def _paired(ours: list[np.ndarray], second: list[np.ndarray]) -> Pairs:
    """Pair records by their keys; the n-th record of ours with some keys is paired with the n-th of theirs."""
    import pandas as pd

    size = len(ours[0])
    codes = np.zeros(size + len(second[0]), np.int64)
    for one, other in zip(ours, second, strict=True):
        code, values = pd.factorize(np.concatenate([one, other]), sort=True, use_na_sentinel=False)
        codes = pd.factorize(codes * len(values) + code, sort=True)[0]
    place, second_place = (_numbered(part, len(codes)) for part in (codes[:size], codes[size:]))
    both, at, second_at = np.intersect1d(place, second_place, assume_unique=True, return_indices=True)
    alone, second_alone = np.isin(place, both, invert=True), np.isin(second_place, both, invert=True)
    return Pairs(at, second_at, np.flatnonzero(alone), np.flatnonzero(second_alone), place, second_place)


def _numbered(codes: np.ndarray, scale: int) -> np.ndarray:
    """Return a number of its own for each record: by its keys' code, then by its occurrence among those."""
    order = np.argsort(codes, kind="stable")
    ranked = codes[order]
    starts = np.searchsorted(ranked, ranked, side="left")
    made = np.empty(len(codes), np.int64)
    made[order] = ranked * (scale + 1) + np.arange(len(codes)) - starts
    return made


def _present(values: np.ndarray) -> np.ndarray:
    return values != "" if values.dtype == object else ~np.isnan(values)


def _differ(one: np.ndarray, other: np.ndarray, tolerance: float) -> np.ndarray:
    """Return True where two values differ; numbers are equal within the relative tolerance, missing equals missing."""
    if one.dtype == object:
        return one != other
    return ~np.isclose(one, other, rtol=tolerance, atol=TINY, equal_nan=True)


def _lone(
    endpoint: VerifiedEndpoint, ours: Columns, theirs: Columns, pairs: Pairs
) -> Iterator[tuple[tuple[int, int], Finding]]:
    """Yield a finding for each record that one side alone has."""
    for columns, rows, places, problem in (
        (ours, pairs.missing, pairs.place, MISSING),
        (theirs, pairs.surplus, pairs.second_place, SURPLUS),
    ):
        for place, key in zip(places[rows].tolist(), _keys(endpoint, columns, rows), strict=True):
            yield (place, -1), _finding(endpoint, key, "", problem, "", "")


def _finding(endpoint: VerifiedEndpoint, keys: str, variable: str, finding: str, ours: str, second: str) -> Finding:
    return {
        "endpoint": endpoint.id,
        "dataset": endpoint.dataset,
        "keys": keys,
        "variable": variable,
        "finding": finding,
        "ours": ours,
        "second": second,
    }


def _keys(endpoint: VerifiedEndpoint, columns: Columns, rows: np.ndarray) -> list[str]:
    """Return the keys of records as text."""
    parts = [[f"{name} is {value}" for value in _written(columns[name][rows], False)] for name in endpoint.keys]
    return [", ".join(words) for words in zip(*parts, strict=True)]


def _written(values: np.ndarray, is_date: bool) -> list[str]:
    """Return values as texts: numbers in twelve digits, days as dates, missing as an empty text."""
    if values.dtype == object:
        return [str(value) for value in values.tolist()]
    if is_date:
        return ["" if day == "NaT" else day for day in from_sas_days(values).astype("str").tolist()]
    return ["" if np.isnan(value) else f"{value:.12g}" for value in values.tolist()]
