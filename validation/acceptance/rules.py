"""What is expected of the final datasets, in a closed vocabulary: by acceptance.yaml and by their own metadata."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from metadata.dataset import Dataset
from metadata.errors import Gather, StudyError, nearest
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.yaml_source import LocatedDict, complain
from validation.datasets.integrity import required

FILE = "acceptance.yaml"
ARGUMENTS = {
    "min": "min_value",
    "max": "max_value",
    "pattern": "regex",
    "columns": "column_list",
    "then": "column_A",
    "first": "column_B",
}
FIXED: dict[str, dict[str, Any]] = {
    "unique": {"ignore_row_if": "never"},
    "ordered": {"or_equal": True, "ignore_row_if": "either_value_is_missing"},
}
STUDY, METADATA = "study", "metadata"
LONGEST_LIST = 12
PARTS = ("definitions", "datasets")  # definitions hold what the others take by an anchor of YAML


@dataclass(frozen=True)
class Word:
    """A word of the vocabulary: the expectation of Great Expectations behind it, its keys and its sentence."""

    expectation: str
    keys: tuple[str, ...]
    sentence: str


VOCABULARY = {
    "row_count": Word("ExpectTableRowCountToEqual", ("value",), "there are {value} rows"),
    "row_count_between": Word("ExpectTableRowCountToBeBetween", ("min", "max"), "there are {min} to {max} rows"),
    "distinct_count": Word(
        "ExpectColumnUniqueValueCountToBeBetween", ("column", "value"), "{column} has {value} different values"
    ),
    "between": Word("ExpectColumnValuesToBeBetween", ("column", "min", "max"), "{column} lies from {min} to {max}"),
    "mean_between": Word(
        "ExpectColumnMeanToBeBetween", ("column", "min", "max"), "the mean of {column} is {min} to {max}"
    ),
    "median_between": Word(
        "ExpectColumnMedianToBeBetween", ("column", "min", "max"), "the median of {column} is {min} to {max}"
    ),
    "values_in": Word("ExpectColumnValuesToBeInSet", ("column", "values"), "{column} is one of {values}"),
    "values_from": Word("ExpectColumnValuesToBeInSet", ("column", "dataset"), "{column} is one that {dataset} has"),
    "not_null": Word("ExpectColumnValuesToNotBeNull", ("column",), "{column} is never null"),
    "matches": Word("ExpectColumnValuesToMatchRegex", ("column", "pattern"), "{column} is written as {pattern}"),
    "ordered": Word("ExpectColumnPairValuesAToBeGreaterThanB", ("first", "then"), "{then} is not before {first}"),
    "columns": Word(
        "ExpectTableColumnsToMatchOrderedList", ("columns",), "the variables are those of the metadata, in order"
    ),
    "unique": Word("ExpectCompoundColumnsToBeUnique", ("columns",), "{columns} tell the rows apart"),
    "unique_column": Word("ExpectColumnValuesToBeUnique", ("column",), "{column} tells the rows apart"),
    "terms": Word("ExpectColumnValuesToBeInSet", ("column", "codelist"), "{column} is a term of codelist {codelist}"),
}
DECLARABLE = [word for word in VOCABULARY if word not in ("columns", "unique", "unique_column", "terms")]


@dataclass(frozen=True)
class Expectation:
    """One expectation: dataset, word and its keys, rows it looks at, and who asked for it (study or metadata)."""

    dataset: str
    word: str
    keys: Mapping[str, Any]
    where: Mapping[str, Any] = field(default_factory=dict)
    source: str = STUDY

    @property
    def sentence(self) -> str:
        """The expectation in words."""
        shown = {key: _listed(value) for key, value in self.keys.items()}
        rows = ", ".join(f"{name} is {value}" for name, value in self.where.items())
        said = VOCABULARY[self.word].sentence.format(**shown)
        return f"where {rows}, {said}" if rows else said


def _listed(value: object) -> str:
    if not isinstance(value, list | tuple):
        return str(value)
    more = f" and {len(value) - LONGEST_LIST} more" if len(value) > LONGEST_LIST else ""
    return ", ".join(map(str, value[:LONGEST_LIST])) + more


def metadata_rules(dataset: Dataset, terminology: Terminology | None) -> Iterator[Expectation]:
    """Yield what a dataset's metadata say: variables in order, unique keys, Required values, closed codelists."""
    metadata = dataset.metadata
    yield Expectation(dataset.name, "columns", {"columns": metadata.names}, source=METADATA)
    if len(metadata.keys) == 1:
        yield Expectation(dataset.name, "unique_column", {"column": metadata.keys[0]}, source=METADATA)
    else:
        yield Expectation(dataset.name, "unique", {"columns": list(metadata.keys)}, source=METADATA)
    for name in required(metadata):
        yield Expectation(dataset.name, "not_null", {"column": name}, source=METADATA)
    for variable in metadata.variables:
        codelist = terminology.codelists.get(variable.codelist or "") if terminology else None
        if codelist is not None and not codelist.extensible and variable.type == "Char":
            yield Expectation(
                dataset.name, "terms", {"column": variable.name, "codelist": variable.codelist}, source=METADATA
            )


def declared_rules(study: Study, datasets: Mapping[str, Dataset]) -> list[Expectation]:
    """Return what acceptance.yaml declares; raises StudyError with line and nearest name for what does not fit.

    A dataset that was not made keeps its rules: they are not met.
    """
    columns = {name: dataset.metadata.names for name, dataset in datasets.items()}
    with Gather() as gather:
        return _rules(study, columns, gather)


def check_acceptance(study: Study, columns: Mapping[str, Collection[str]]) -> list[StudyError]:
    """Return all that is wrong with acceptance.yaml, without data; ``columns`` are those known of each dataset.

    A dataset that is not among them is named; one without columns may have any.
    """
    gather = Gather()
    with gather.part():
        _rules(study, columns, gather, known=columns)
    return gather.found


def _rules(
    study: Study, columns: Mapping[str, Collection[str]], gather: Gather, known: Collection[str] = ()
) -> list[Expectation]:
    rules: list[Expectation] = []
    if not study.path(FILE).is_file():
        return rules
    declared = study.read_yaml(FILE)
    for key in declared:
        with gather.part():
            if key not in PARTS:
                raise complain(declared, key, f"there is no such key here{nearest(key, PARTS)}")
    datasets: LocatedDict = declared.get("datasets") or LocatedDict()
    for name, nodes in datasets.items():
        with gather.part():
            if known and name not in known:
                raise complain(datasets, name, f"the study makes no dataset {name}{nearest(name, known)}")
        for node in nodes:
            with gather.part():
                rules.append(_rule(node, str(name), columns))
    return rules


def _rule(node: Any, dataset: str, columns: Mapping[str, Collection[str]]) -> Expectation:
    word = str(node.get("expect", ""))
    if word not in DECLARABLE:
        raise complain(node, "expect", f"there is no expectation '{word}'{nearest(word, DECLARABLE)}")
    needed = VOCABULARY[word].keys
    for key in node:
        if key not in ("expect", "where", *needed):
            raise complain(node, key, f"'{word}' has no key '{key}'{nearest(str(key), needed)}")
    for key in needed:
        if key not in node:
            raise complain(node, None, f"'{word}' needs the key '{key}'")
    where = node.get("where") or {}
    named = [(key, node[key]) for key in ("column", "first", "then") if key in node]
    for key, column in [*named, *(("where", column) for column in where)]:
        own = columns.get(dataset, ())
        if own and column not in own:
            raise complain(node, key, f"{dataset} has no variable '{column}'{nearest(str(column), own)}")
    if "pattern" in node:
        _pattern(node)
    return Expectation(dataset, word, {key: node[key] for key in needed}, dict(where))


def _pattern(node: Any) -> None:
    try:
        re.compile(str(node["pattern"]))
    except re.error as error:
        raise complain(node, "pattern", f"not a regular expression: {error}") from None


def arguments(rule: Expectation, datasets: Mapping[str, Dataset], terminology: Terminology | None) -> dict[str, Any]:
    """Return the keyword arguments of the rule's expectation."""
    keys = {ARGUMENTS.get(key, key): value for key, value in rule.keys.items()}
    if rule.word in ("values_in", "values_from", "terms"):
        return {"column": keys["column"], "value_set": _value_set(rule, datasets, terminology)}
    if rule.word == "distinct_count":
        return {"column": keys["column"], "min_value": keys["value"], "max_value": keys["value"]}
    return {**keys, **FIXED.get(rule.word, {})}


def _value_set(rule: Expectation, datasets: Mapping[str, Dataset], terminology: Terminology | None) -> list[Any]:
    if rule.word == "values_in":
        return list(rule.keys["values"])
    if rule.word == "values_from":
        other = datasets.get(str(rule.keys["dataset"]))
        return [] if other is None else sorted(set(other.frame[rule.keys["column"]].astype("str")) - {""})
    assert terminology is not None
    return [*terminology.codelist(str(rule.keys["codelist"])).terms, "MULTIPLE"]


def rows_of(frame: pd.DataFrame, where: Mapping[str, Any]) -> np.ndarray:
    """Return True for the rows that a rule looks at."""
    chosen = np.ones(len(frame), bool)
    for column, value in where.items():
        chosen &= (frame[column].astype("str") == str(value)).to_numpy(bool)
    return chosen


def with_nulls(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with blanks of Char variables as None (they are null to nobody otherwise)."""
    return frame.assign(**{name: _nullable(frame[name]) for name in frame.columns if frame[name].dtype != "float64"})


def _nullable(values: pd.Series) -> pd.Series:
    texts = values.astype("str").astype(object)
    return texts.where(texts != "", None)
