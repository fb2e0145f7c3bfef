"""The variables, their texts and the conditions that an output names, each with the dataset that must have them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any, get_args

from metadata.condition import Condition, DatasetKinds
from metadata.condition_tests import impossible
from metadata.declaration import parameters, role_of
from metadata.errors import nearest
from metadata.schema_errors import unknown_variable
from metadata.variable_kind import CHAR, MOMENTS, PHRASE
from metadata.yaml_source import complain
from reports.results.specification import SUBJECT_LEVEL, OutputColumns


@dataclass(frozen=True)
class NamedVariable:
    """A variable that a key names, or that is meant where it is left out (``key`` is None then).

    ``role`` is that of the key's annotation (see ``specification``).
    """

    dataset: str
    node: Mapping[str, Any]
    key: str | None
    name: str
    role: str

    def check(self, datasets: DatasetKinds) -> None:
        """Raise StudyError if its dataset does not have it, or holds values of the wrong kind.

        A dataset of which no variable is known may have any. A listing also shows variables of the subject level and
        supplemental qualifiers, whose names only the data know.
        """
        dataset = SUBJECT_LEVEL if self.role in ("subject", "columns") else self.dataset
        known = datasets.get(dataset, {})
        if not known:
            return
        if self.role == "lists":
            self._check_listed(dataset, {*known, *datasets.get(SUBJECT_LEVEL, {})}, datasets)
            return
        if self.name not in known:
            raise unknown_variable(self.node, self.key, dataset, self.name, known)
        if self.role == "measures" and known[self.name] == "Char":
            raise complain(self.node, self.key, f"{dataset}.{self.name} is text: a number is needed")
        self._check_described(dataset, known[self.name])
        if self.role == "columns" and known[self.name] not in ("Char", ""):
            raise complain(self.node, self.key, f"{dataset}.{self.name} is a number: columns are made by texts")

    def _check_described(self, dataset: str, kind: str) -> None:
        """Raise StudyError for a mean of texts, or of dates (a text under a key of numbers is refused as such)."""
        if self.role == "describes" and kind == CHAR:
            raise complain(self.node, self.key, f"{dataset}.{self.name} is text, of which there is no mean: count it,"
                           " under 'labels'")  # fmt: skip
        if self.role in ("describes", "means") and kind in MOMENTS:
            problem = f"{dataset}.{self.name} is {PHRASE[kind]}, of which there is no mean: take days from another one"
            raise complain(self.node, self.key, problem)

    def _check_listed(self, dataset: str, known: Collection[str], datasets: DatasetKinds) -> None:
        unknown = self.name not in known and datasets.get(SUBJECT_LEVEL)
        if unknown and f"SUPP{dataset}" not in datasets:
            problem = f"neither {dataset} nor {SUBJECT_LEVEL} has a variable {self.name}{nearest(self.name, known)}"
            raise complain(self.node, self.key, problem)


@dataclass(frozen=True)
class NamedText:
    """A text that a variable must be able to have, as a value of ``key`` or one of the keys there."""

    dataset: str
    node: Mapping[str, Any]
    key: str
    variable: str
    text: str

    def check(self, datasets: DatasetKinds) -> None:
        """Raise StudyError if the variable's texts are a closed list without it."""
        kind = datasets.get(self.dataset, {}).get(self.variable, "")
        if problem := impossible(f"{self.dataset}.{self.variable}", self.text, kind):
            inner = self.node[self.key]
            raise (
                complain(inner, self.text, problem)
                if isinstance(inner, dict)
                else complain(self.node, self.key, problem)
            )


@dataclass(frozen=True)
class NamedCondition:
    """A condition on the records of a dataset."""

    dataset: str
    condition: Condition

    def check(self, datasets: DatasetKinds) -> None:
        """Raise StudyError if the dataset lacks a variable, or has it of another kind."""
        if known := datasets.get(self.dataset, {}):
            self.condition.check(known, self.dataset)


Named = NamedVariable | NamedText | NamedCondition


def named_in(declared: Any, node: Mapping[str, Any], dataset: str) -> Iterator[Named]:
    """Yield what a mapping names and, in depth, its parts; a part without a ``dataset`` has that of the whole.

    ``declared`` is the dataclass that was read from ``node``. A condition of the whole (``where``) holds for the
    records of each part, so it is held against the datasets that the parts name (``datasets_looked_at``).
    """
    own = str(getattr(declared, "dataset", "")) or dataset
    for name in declared.implied() if hasattr(declared, "implied") else ():
        yield NamedVariable(own, node, None, name, "reads")
    for key in declared.described() if hasattr(declared, "described") else ():
        role = "means" if _role(parameters(type(declared))[key]) == "measures" else "describes"
        yield NamedVariable(own, node, key, str(getattr(declared, key)), role)
    for key, variable, texts in declared.texts_of() if hasattr(declared, "texts_of") else ():
        owner = SUBJECT_LEVEL if isinstance(declared, OutputColumns) else own
        yield from (NamedText(owner, node, key, variable, text) for text in texts or () if variable)
    for key, kind in parameters(type(declared)).items():
        value, role = getattr(declared, key if hasattr(declared, key) else f"{key}_"), _role(kind)
        if key not in node:
            if role and value:
                yield NamedVariable(own, node, None, str(value), role)
            continue
        for part, inner in _parts(value, node[key]):
            if isinstance(part, Condition):
                looked_at = declared.datasets_looked_at(own) if hasattr(declared, "datasets_looked_at") else [own]
                yield from (NamedCondition(name, part) for name in looked_at)
            elif is_dataclass(part):
                yield from named_in(part, inner, own)
            elif role and part:
                yield NamedVariable(own, node, key, str(part), role)


def _parts(value: Any, node: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, list):
        return list(zip(value, node, strict=True))
    if isinstance(value, dict):
        return list(zip(value.values(), node.values(), strict=True))
    return [(value, node)]


def _role(kind: Any) -> str:
    return role_of(kind) or next((role for part in get_args(kind) if (role := _role(part))), "")
