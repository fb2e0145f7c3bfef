"""The word norm_scores: each raw score set against the mean and standard deviation of a reference group."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from adam.columns.columns import (
    Columns,
    Values,
    coded,
    number,
    text,
)
from adam.derivations.records import changed_columns
from adam.language.derivation import (
    AddedRows,
    Derivation,
    DerivationContext,
    word,
)
from metadata.declaration import Column
from metadata.errors import StudyError, nearest
from metadata.study import Study
from metadata.units import significant

HEAD = ("test", "mean", "sd")


@dataclass(frozen=True)
class Score:
    """One standardised score: the parameter it is made of, its own name and number, and its line of the norms.

    ``better`` low turns the sign, so that a higher score is always the better one (times, errors).
    """

    of: str
    norm: str
    name: str
    number: int
    better: Literal["high", "low"] = "high"


@word("norm_scores")
@dataclass(frozen=True, kw_only=True)
class NormScores(Derivation):
    """Add for each record of a raw score one with z = (score - mean of the norms) / standard deviation of the norms.

    ``norms`` is a CSV file of the study with the columns test, mean and sd (others may stand beside them). The mean of
    several z scores, if enough are there, is made by summary_records. Rao (1990), A manual for the Brief Repeatable
    Battery of Neuropsychological Tests, scores against norms so.
    """

    norms: str
    scores: dict[str, Score]
    parameter: Column = "PARAMCD"
    name: Column = "PARAM"
    number: Column = "PARAMN"
    value: Column = "AVAL"
    texts: dict[Column, str] = field(default_factory=dict)
    blank: tuple[Column, ...] = ()

    adds_rows = True

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        raw, value = text(columns, self.parameter), number(columns, self.value)
        wanted = [score.of for score in self.scores.values()]
        place = raw.of_words(np.array([wanted.index(one) if one in wanted else -1 for one in raw.words], int))
        rows = np.flatnonzero((place >= 0) & ~np.isnan(value))
        chosen = place[rows]
        mean, sd, sign = self._norms(context.study)
        changed: dict[str, Values] = changed_columns(self.texts, {}, self.blank, columns, len(rows))
        changed[self.parameter] = coded(chosen, list(self.scores))
        changed[self.name] = coded(chosen, [score.name for score in self.scores.values()])
        changed[self.number] = np.array([score.number for score in self.scores.values()], float)[chosen]
        changed[self.value] = significant(sign[chosen] * (value[rows] - mean[chosen]) / sd[chosen])
        return AddedRows(rows, changed, (np.arange(len(rows)), rows))

    def _norms(self, study: Study) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        table = read_norms(study, self.norms)
        for score in self.scores.values():
            if score.norm not in table:
                raise StudyError(f"{self.norms} has no test '{score.norm}'{nearest(score.norm, table)}")
        found = np.array([table[score.norm] for score in self.scores.values()], float)
        sign = np.array([1.0 if score.better == "high" else -1.0 for score in self.scores.values()])
        return found[:, 0], found[:, 1], sign

    def changes(self) -> tuple[str, ...]:
        return (self.parameter, self.name, self.number, self.value, *self.texts)

    def sentence(self, variable: str) -> str:
        if variable in (self.parameter, self.name, self.number):
            return f"Assigned by the table of scores in the records of {', '.join(self.scores)}."
        if variable in self.texts:
            return f"'{self.texts[variable]}' in the records of {', '.join(self.scores)}."
        pairs = ", ".join(
            f"{code} of {score.of}{' (sign turned)' if score.better == 'low' else ''}"
            for code, score in self.scores.items()
        )
        return f"({self.value} - mean) / standard deviation of the norms in {self.norms}: {pairs}."


def read_norms(study: Study, name: str) -> dict[str, tuple[float, float]]:
    """Return mean and standard deviation of each test; raises StudyError with file and line."""
    path = study.path(name)
    if not path.is_file():
        raise StudyError(f"the study has no file {name}")
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        lacking = [column for column in HEAD if column not in (reader.fieldnames or ())]
        if lacking:
            raise StudyError(f"{name}, line 1: the columns test, mean and sd are needed; {lacking[0]} is missing")
        return {row["test"]: _norm(row, name, line) for line, row in enumerate(reader, start=2)}


def _norm(row: dict[str, str], name: str, line: int) -> tuple[float, float]:
    try:
        mean, sd = float(row["mean"]), float(row["sd"])
    except (TypeError, ValueError):
        raise StudyError(f"{name}, line {line}: mean and sd of {row['test']} must be numbers") from None
    if not sd > 0:
        raise StudyError(f"{name}, line {line}: the sd of {row['test']} must be above 0, not {sd:g}")
    return mean, sd
