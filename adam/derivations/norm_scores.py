"""The derivation norm_scores: each raw score set against the mean and standard deviation of a reference group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isnan
from typing import Literal

import numpy as np

from adam.columns.columns import Columns, number, text
from adam.language.added_records import AddedRecords
from adam.language.derivation import (
    AddedRows,
    DerivationContext,
    ParameterLabel,
    keyed,
)
from adam.language.kinds import KnownParameter, NumberColumn, ParameterCode
from metadata.coded_text import CodedText
from metadata.condition import DatasetKinds
from metadata.declaration import Column, Place
from metadata.errors import Gather, StudyError, nearest
from metadata.study import Study
from metadata.study_table import TableRow, read_table
from metadata.units import significant
from metadata.variable_kind import ClosedText

HEAD = ("test", "mean", "sd")
FURTHER = ("source",)
"""A remark of the study's own: where the norms were published."""
PARAMETER = ("PARAMCD", "PARAM", "PARAMN")


@dataclass(frozen=True)
class Score:
    """One standardised score: the parameter it is made of, its own label and number, and its line of the norms.

    ``better`` low turns the sign, so that a higher score is always the better one (times, errors).
    """

    from_paramcd: KnownParameter
    norm: str
    param: str
    paramn: int
    better: Literal["high", "low"] = "high"
    node: Place = field(default=None, compare=False, repr=False)


@keyed("norm_scores")
@dataclass(frozen=True, kw_only=True)
class NormScores(AddedRecords):
    """Add for each record of a raw score one with z = (score - mean of the norms) / standard deviation of the norms.

    ``norms`` is a CSV file of the study with the columns test, mean and sd, and source for a remark. The mean of
    several z scores, if enough are there, is made by summary_records. Rao (1990), A manual for the Brief Repeatable
    Battery of Neuropsychological Tests, scores against norms so.
    """

    norms: str
    paramcd: dict[ParameterCode, Score]
    parcat1: str = ""
    value: NumberColumn = "AVAL"
    blank: tuple[Column, ...] = ()

    def add(self, columns: Columns, count: int, context: DerivationContext) -> AddedRows:
        raw, value = text(columns, "PARAMCD"), number(columns, self.value)
        known = ~np.isnan(value)
        rows_of = [np.flatnonzero(known & raw.isin([score.from_paramcd])) for score in self.paramcd.values()]
        rows = np.concatenate(rows_of)
        chosen = np.repeat(np.arange(len(rows_of)), [len(one) for one in rows_of])
        mean, sd, sign = self._norms(context.study)
        changed = self.changed(columns, len(rows), self.blank)
        changed["PARAMCD"] = CodedText.of_codes(chosen, list(self.paramcd))
        changed["PARAM"] = CodedText.of_codes(chosen, [score.param for score in self.paramcd.values()])
        changed["PARAMN"] = np.array([score.paramn for score in self.paramcd.values()], float)[chosen]
        changed[self.value] = significant(sign[chosen] * (value[rows] - mean[chosen]) / sd[chosen])
        return AddedRows(rows, changed, (np.arange(len(rows)), rows))

    def check_files(self, study: Study) -> None:
        self._norms(study)

    def _norms(self, study: Study) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        table = read_norms(study, self.norms)
        for score in self.paramcd.values():
            if score.norm not in table:
                raise StudyError(f"{self.norms} has no test '{score.norm}'{nearest(score.norm, table)}")
        found = np.array([table[score.norm] for score in self.paramcd.values()], float)
        sign = np.array([1.0 if score.better == "high" else -1.0 for score in self.paramcd.values()])
        return found[:, 0], found[:, 1], sign

    def own(self) -> dict[str, str | float]:
        return {**({"PARCAT1": self.parcat1} if self.parcat1 else {}), **self.set}

    def changes(self) -> tuple[str, ...]:
        return (*PARAMETER, self.value, *self.own())

    def closed_texts(self, variable: str, kinds: DatasetKinds) -> ClosedText | None:
        labels = ClosedText(score.param for score in self.paramcd.values())
        return labels if variable == "PARAM" else super().closed_texts(variable, kinds)

    def parameters_made(self) -> tuple[str, ...]:
        return tuple(self.paramcd)

    def parameter_labels(self) -> list[ParameterLabel]:
        return [ParameterLabel(code, one.param, one.paramn, one.node) for code, one in self.paramcd.items()]

    def also_reads(self) -> tuple[str, ...]:
        return (*PARAMETER, *self.own())

    def sentence(self, variable: str) -> str:
        if variable in PARAMETER:
            return f"Assigned by the table of scores in the records of {', '.join(self.paramcd)}."
        if variable in self.own():
            return f"'{self.own_texts()[variable]}' in the records of {', '.join(self.paramcd)}."
        pairs = ", ".join(
            f"{code} of {score.from_paramcd}{' (sign turned)' if score.better == 'low' else ''}"
            for code, score in self.paramcd.items()
        )
        return f"({self.value} - mean) / standard deviation of the norms in {self.norms}: {pairs}."


def read_norms(study: Study, name: str) -> dict[str, tuple[float, float]]:
    """Return mean and standard deviation of each test; raises StudyError with file and line."""
    if not study.path(name).is_file():
        raise StudyError(f"the study has no file {name}")
    table = read_table(study.path(name), f"{study.name}/{name}")
    table.check_columns(HEAD, FURTHER)
    norms: dict[str, tuple[float, float]] = {}
    with Gather() as gather:
        for row in table.rows:
            with gather.part():
                if row["test"] in norms:
                    raise row.error(f"the test {row['test']} is in two rows")
                norms[row["test"]] = _norm(row)
    return norms


def check_norms_used(scores: Iterable[NormScores], study: Study) -> None:
    """Raise one StudyError for all rows of tables of norms that no score of the study is set against."""
    used: dict[str, set[str]] = {}
    for one in scores:
        used.setdefault(one.norms, set()).update(score.norm for score in one.paramcd.values())
    with Gather() as gather:
        for name, tests in used.items():
            if not study.path(name).is_file():
                continue
            table = read_table(study.path(name), f"{study.name}/{name}")
            for row in table.rows if "test" in table.columns else ():  # check_files says what else is wrong with it
                with gather.part():
                    if row["test"] not in tests:
                        raise row.error(f"no score has the norm '{row['test']}'{nearest(row['test'], tests)}", "test")


def _norm(row: TableRow) -> tuple[float, float]:
    mean, sd = row.number("mean"), row.number("sd")
    for column, given in (("mean", mean), ("sd", sd)):
        if isnan(given):
            raise row.error(f"the {column} of {row['test']} is missing", column)
    if not sd > 0:
        raise row.error(f"the sd of {row['test']} must be above 0, not {sd:g}")
    return mean, sd
