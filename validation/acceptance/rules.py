"""What is expected of the final datasets, in a closed vocabulary: by acceptance.yaml and by their own metadata."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from metadata.condition import EVERY_ROW, Condition, DatasetKinds
from metadata.condition_tests import impossible
from metadata.dataset import Dataset
from metadata.declaration import read_document
from metadata.declaration_schema import document_schema
from metadata.errors import Gather, StudyError
from metadata.schema_errors import unknown_dataset, unknown_variable
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.variable_kind import CHAR
from metadata.yaml_source import complain
from validation.acceptance.vocabulary import DECLARABLE, DeclaredExpectation

FILE = "acceptance.yaml"
ARGUMENTS = {
    "low": "min_value",
    "high": "max_value",
    "pattern": "regex",
    "variable": "column",
    "variables": "column_list",
    "then": "column_A",
    "first": "column_B",
}
FIXED: dict[str, dict[str, Any]] = {
    "unique": {"ignore_row_if": "never"},
    "ordered": {"or_equal": True, "ignore_row_if": "either_value_is_missing"},
}
STUDY, METADATA = "study", "metadata"
LONGEST_LIST = 12


@dataclass(frozen=True)
class Word:
    """A kind of expectation: the expectation of Great Expectations behind it, and its sentence."""

    expectation: str
    sentence: str


VOCABULARY = {
    **{name: Word(declared.library_name, declared.sentence) for name, declared in DECLARABLE.items()},
    "columns": Word("ExpectTableColumnsToMatchOrderedList", "the variables are those of the metadata, in order"),
    "unique": Word("ExpectCompoundColumnsToBeUnique", "{variables} tell the rows apart"),
    "unique_column": Word("ExpectColumnValuesToBeUnique", "{variable} tells the rows apart"),
    "terms": Word("ExpectColumnValuesToBeInSet", "{variable} is a term of codelist {codelist}"),
}
"""Kinds of expectation of acceptance.yaml, and those that only the datasets' own metadata use."""


@dataclass(frozen=True)
class AcceptanceFile:
    """The whole file: the expectations of each dataset; ``definitions`` hold values that they take by a YAML anchor."""

    datasets: dict[str, list[DeclaredExpectation]] = field(default_factory=dict)
    definitions: dict[str, Any] = field(default_factory=dict)


def acceptance_schema() -> dict[str, Any]:
    """Return the JSON Schema of acceptance.yaml."""
    return document_schema(AcceptanceFile, "what is expected of the final datasets", [DeclaredExpectation, Condition])


@dataclass(frozen=True)
class Expectation:
    """One expectation: dataset, kind and its keys, rows it looks at, and who asked for it (study or metadata).

    ``declared_where`` is the condition as acceptance.yaml writes it; ``of_records`` the number of records that a
    snapshot must have for the expectation to be judged, None for any.
    """

    dataset: str
    kind: str
    keys: Mapping[str, Any]
    where: Condition = EVERY_ROW
    declared_where: Any = field(default_factory=dict)
    source: str = STUDY
    may_be_empty: bool = False
    of_records: int | None = None

    @property
    def reads(self) -> list[str]:
        """Variables whose values it looks at."""
        single = [str(self.keys[key]) for key in ("variable", "first", "then") if key in self.keys]
        return [*single, *map(str, self.keys.get("variables", ()))]

    @property
    def sentence(self) -> str:
        """The expectation as a sentence."""
        shown = {key: _listed(value) for key, value in self.keys.items()}
        said = VOCABULARY[self.kind].sentence.format(**shown)
        return said if self.where == EVERY_ROW else f"where {self.where}, {said}"


def _listed(value: object) -> str:
    if not isinstance(value, list | tuple):
        return f"{value:.15g}" if isinstance(value, float) else str(value)
    more = f" and {len(value) - LONGEST_LIST} more" if len(value) > LONGEST_LIST else ""
    return ", ".join(map(_listed, value[:LONGEST_LIST])) + more


def metadata_rules(dataset: Dataset, terminology: Terminology | None) -> Iterator[Expectation]:
    """Yield what a dataset's metadata say: variables in order, unique keys, Required values, closed codelists."""
    metadata = dataset.metadata
    of_metadata = partial(Expectation, dataset.name, source=METADATA, may_be_empty=True)
    yield of_metadata("columns", {"variables": metadata.names})
    if len(metadata.keys) == 1:
        yield of_metadata("unique_column", {"variable": metadata.keys[0]})
    else:
        yield of_metadata("unique", {"variables": list(metadata.keys)})
    for name in metadata.never_null:
        yield of_metadata("not_null", {"variable": name})
    for variable in metadata.variables:
        codelist = terminology.codelists.get(variable.codelist or "") if terminology else None
        if codelist is not None and not codelist.extensible and variable.type == "Char":
            yield of_metadata("terms", {"variable": variable.name, "codelist": variable.codelist})


def declared_rules(study: Study, datasets: Mapping[str, Dataset]) -> list[Expectation]:
    """Return what acceptance.yaml declares; raises StudyError with line and nearest name for what does not fit.

    A dataset that was not made keeps its rules: they are not met.
    """
    with Gather() as gather:
        return _rules(study, {name: dataset.metadata.kinds for name, dataset in datasets.items()}, gather)


def check_acceptance(study: Study, kinds: DatasetKinds) -> list[StudyError]:
    """Return all that is wrong with acceptance.yaml, without data; ``kinds`` are those of each dataset's variables.

    A dataset that is not among them is named; one without variables may have any.
    """
    gather = Gather()
    with gather.part():
        _rules(study, kinds, gather, known=kinds)
    return gather.found


def _rules(study: Study, kinds: DatasetKinds, gather: Gather, known: Collection[str] = ()) -> list[Expectation]:
    rules: list[Expectation] = []
    if not study.path(FILE).is_file():
        return rules
    body = study.read_yaml(FILE)
    for name, entries in read_document(AcceptanceFile, body, f"{study.name}/{FILE}").datasets.items():
        with gather.part():
            if known and name not in known:
                raise unknown_dataset(body["datasets"], name, name, known)
        for entry in entries:
            with gather.part():
                _check_variables(entry, name, kinds.get(name, {}))
                rules.append(_expectation(name, entry))
    return rules


def _expectation(dataset: str, entry: DeclaredExpectation) -> Expectation:
    where = entry.where or EVERY_ROW
    shown = entry.node["where"] if entry.where else {}
    return Expectation(
        dataset, entry.expect, entry.keys, where, shown, may_be_empty=entry.may_be_empty, of_records=entry.of_records
    )


def _check_variables(entry: DeclaredExpectation, dataset: str, own: Mapping[str, str]) -> None:
    """Raise StudyError for variables that the dataset does not have, or that are tested as another kind than theirs.

    A dataset without variables may have any.
    """
    if not own:
        return
    where = entry.where or EVERY_ROW
    named = [(key, entry.keys[key]) for key in ("variable", "first", "then") if key in entry.keys]
    for key, variable in [*named, *(("where", variable) for variable in where.reads)]:
        if variable not in own:
            raise unknown_variable(entry.node, key, dataset, variable, own)
    where.check(own, dataset)
    _check_possible(entry, dataset, own)
    variable, low, high = (entry.keys.get(key) for key in ("variable", "low", "high"))
    if "low" in entry.keys and own.get(str(variable)) == CHAR:
        raise complain(entry.node, "variable", f"{dataset}.{variable} is a text, and '{entry.expect}' is of numbers")
    if low is not None and high is not None and low > high:
        raise complain(entry.node, "low", f"the lower limit {low:g} is above the upper {high:g}")


def _check_possible(entry: DeclaredExpectation, dataset: str, own: Mapping[str, str]) -> None:
    """Raise StudyError for a value that is allowed to a variable and that it can never have."""
    variable = str(entry.keys.get("variable"))
    for value in entry.keys.get("values", ()):
        if isinstance(value, str) and (problem := impossible(f"{dataset}.{variable}", value, own.get(variable, ""))):
            raise complain(entry.node, "values", problem)


def arguments(rule: Expectation, datasets: Mapping[str, Dataset], terminology: Terminology | None) -> dict[str, Any]:
    """Return the keyword arguments of the rule's expectation."""
    keys = {ARGUMENTS.get(key, key): value for key, value in rule.keys.items()}
    if rule.kind in ("values_in", "values_from", "terms"):
        return {"column": keys["column"], "value_set": _value_set(rule, datasets, terminology)}
    if rule.kind == "distinct_count":
        return {"column": keys["column"], "min_value": keys["value"], "max_value": keys["value"]}
    return {**keys, **FIXED.get(rule.kind, {})}


def _value_set(rule: Expectation, datasets: Mapping[str, Dataset], terminology: Terminology | None) -> list[Any]:
    """Return the allowed values; of another dataset or a codelist those that occur, for there may be thousands."""
    variable = str(rule.keys["variable"])
    if rule.kind == "values_in":
        return list(rule.keys["values"])
    occurring = _texts(datasets[rule.dataset], variable)
    if rule.kind == "values_from":
        other = datasets.get(str(rule.keys["dataset"]))
        return [] if other is None else sorted(occurring & _texts(other, variable))
    assert terminology is not None
    return sorted(occurring & {*terminology.codelist(str(rule.keys["codelist"])).terms, "MULTIPLE"})


def _texts(dataset: Dataset, variable: str) -> set[str]:
    return set(dataset.frame[variable].unique().astype("str")) - {""}
