"""Value level of define.xml: which records a definition applies to, and lists of such definitions."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from odmlib.arm_1_0 import model

from metadata.analysis_result import RecordCriterion
from metadata.dataset import Dataset, Value
from publish.define_codelists import DefineCodelists

Where = tuple[tuple[str, str], ...]


def item_oid(dataset: str, variable: str, where: Where = ()) -> str:
    """Return the OID of a variable, or of its values in some records."""
    return ".".join(["IT", dataset, variable, *_parts(where)])


def value_list_oid(dataset: str, variable: str) -> str:
    """Return the OID of the value list of a variable."""
    return f"VL.{dataset}.{variable}"


def _parts(where: Where) -> list[str]:
    return [_readable(value) for _, value in where]


def _readable(value: str) -> str:
    """Return a value as it may be part of an OID: other characters than letters and digits by their code point."""
    return re.sub(r"[^A-Za-z0-9]", lambda found: "_" if found[0] == " " else f"_{ord(found[0]):X}_", value)


class WhereClauses:
    """Conditions, each written once; they name variables of their dataset."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[str, tuple[RecordCriterion, ...]]] = {}
        self._known: dict[tuple[str, tuple[RecordCriterion, ...]], str] = {}

    def oid(self, dataset: str, where: Where) -> str:
        """Return the OID of a condition of the value level."""
        names = [part for name, value in where for part in (name, _readable(value))]
        oid = ".".join(["WC", dataset, *names])
        self._made[oid] = dataset, tuple(RecordCriterion(name, "EQ", (value,)) for name, value in where)
        return oid

    def of_criteria(self, dataset: str, criteria: tuple[RecordCriterion, ...]) -> str:
        """Return the OID of the condition that all criteria hold, numbered within its dataset."""
        key = dataset, criteria
        if key not in self._known:
            number = sum(known == dataset for known, _ in self._known) + 1
            self._known[key] = f"WC.AR.{dataset}.{number:03d}"
            self._made[self._known[key]] = key
        return self._known[key]

    def elements(self) -> list[model.WhereClauseDef]:
        """Return all conditions in the order of their OIDs."""
        made = []
        for oid, (dataset, criteria) in sorted(self._made.items()):
            clause = model.WhereClauseDef(OID=oid)
            for one in criteria:
                item = item_oid(dataset, one.variable)
                check = model.RangeCheck(Comparator=one.comparator, SoftHard="Soft", ItemOID=item)
                check.CheckValue.extend(model.CheckValue(_content=value) for value in one.values)
                clause.RangeCheck.append(check)
            made.append(clause)
        return made


class Rows:
    """Rows of a dataset by condition, each condition looked up once."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.all = np.ones(len(dataset.frame), bool)
        self._one: dict[tuple[str, str], np.ndarray] = {}

    def __call__(self, where: Where) -> np.ndarray:
        """Return True for the rows that fulfil a condition."""
        found = self.all
        for pair in where:
            if pair not in self._one:
                self._one[pair] = self.dataset.coded(pair[0]).isin([pair[1]])
            found = found & self._one[pair]
        return found


def values_in_use(dataset: Dataset, rows: Rows) -> dict[str, list[Value]]:
    """Return by variable the declared values whose condition holds in some row.

    Numbers and analysis values only where there are any.
    """
    made: dict[str, list[Value]] = {}
    names = set(dataset.metadata.names)
    for value in dataset.metadata.values:
        if value.variable not in names:
            continue
        found = rows(value.where)
        is_text = dataset.columns.is_text(value.variable) and not dataset.metadata.is_analysis
        if found.any() and (is_text or dataset.columns.filled(value.variable)[found].any()):
            made.setdefault(value.variable, []).append(value)
    return made


def by_category(
    dataset: Dataset, name: str, codes: Sequence[str], codelists: DefineCodelists
) -> list[tuple[Where, str]]:
    """Return which of several codelists a variable takes by --CAT, blank where none has all its values.

    Nothing is returned if all categories take the same list.
    """
    category = f"{dataset.name}CAT"
    if category not in dataset.frame.columns:
        return []
    made: list[tuple[Where, str]] = []
    for found in sorted(dataset.coded(category).held):
        values = set(dataset.coded(name).among(dataset.coded(category).isin([found]))) - {""}
        fitting = [code for code in codes if values <= set(codelists.terms(code))]
        if not found:
            return []
        made.append((((category, found),), fitting[0] if fitting else ""))
    return made if len({code for _, code in made}) > 1 else []


def coverage(dataset: Dataset, variable: str, wheres: Sequence[Where], rows: Rows) -> str:
    """Return a sentence if a value of the variable fulfils no condition, or several; else an empty text."""
    count = sum((rows(where).astype(int) for where in wheres), start=np.zeros(len(dataset.frame), int))
    wrong = dataset.columns.filled(variable) & (count != 1)
    sentence = f"{dataset.name}.{variable}: {int(wrong.sum())} values are described by no condition or by several"
    return sentence if wrong.any() else ""
