"""A study's conformance.yaml: findings that a reviewer would accept, each with its reason."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from metadata.declaration import read_document
from metadata.declaration_limits import NOT_BLANK, Above, Entries, Limit
from metadata.declaration_schema import document_schema
from metadata.errors import Gather, nearest
from metadata.schema_errors import unknown_dataset, unknown_variable
from metadata.study import Study
from metadata.yaml_source import complain
from validation.conformance.finding import ConformanceFinding

FILE = "conformance.yaml"
STALE = "explanation.stale"
STALE_SENTENCE = "An explanation in conformance.yaml matches no finding and is removed."
CORE_ID = re.compile(r"CORE-\d{6}")


@dataclass(frozen=True)
class DeclaredExplanation:
    """Why findings of one or several rules in one or several datasets are acceptable.

    ``variable``, ``records`` and ``share`` may be left out: with ``records`` the reason holds for at most so many
    records, so that it does not cover what comes later; with ``share`` for at most so large a part of the dataset's
    records, above 0 and up to 1. With both, as in a trial that is to grow, the larger of the two numbers counts.
    """

    rule: Annotated[tuple[str, ...], Entries(1)]
    dataset: Annotated[tuple[str, ...], Entries(1)]
    reason: Annotated[str, NOT_BLANK]
    variable: str = ""
    records: Annotated[int, Limit(1)] | None = None
    share: Annotated[float, Above(0), Limit(high=1)] | None = None


@dataclass(frozen=True)
class ExplanationsFile:
    """The whole file."""

    explanations: list[DeclaredExplanation]


def conformance_schema() -> dict[str, Any]:
    """Return the JSON Schema of conformance.yaml."""
    return document_schema(ExplanationsFile, "findings of conformance that are explained")


@dataclass(frozen=True)
class Explanation:
    """An entry of conformance.yaml for one dataset; no ``variable`` is any, no ``records`` nor ``share`` any number."""

    rule: str
    dataset: str
    variable: str
    records: int | None
    reason: str
    share: float | None = None

    def explains(self, finding: ConformanceFinding, rows: int = 0) -> bool:
        """Return True if it matches the finding and covers its records; ``rows`` are the records of its dataset."""
        most = self.most(rows)
        return self.matches(finding) and (most is None or finding.records <= most)

    def matches(self, finding: ConformanceFinding) -> bool:
        """Return True if the finding is of the rule, dataset and variable that are meant."""
        return (self.rule, self.dataset) == (finding.rule, finding.dataset) and self._has_variable(finding)

    def most(self, rows: int) -> int | None:
        """Return how many of ``rows`` records the reason covers, None if any number."""
        if self.share is None:
            return self.records
        return max(self.records or 0, math.floor(self.share * rows))

    def _has_variable(self, finding: ConformanceFinding) -> bool:
        return not self.variable or self.variable in finding.variable.split(", ")


def is_core(rule: str) -> bool:
    """Return True for the id of a CORE rule."""
    return bool(CORE_ID.fullmatch(rule))


def read_explanations(
    study: Study, known: Collection[str], datasets: Mapping[str, Collection[str]] | None = None
) -> list[Explanation]:
    """Read conformance.yaml, if the study has one; raises StudyError for each entry that does not fit.

    ``known`` are the ids of our own rules, ``datasets`` the datasets that there may be, each with its
    variables (none if they are not known), if that is asked.
    """
    if not study.path(FILE).is_file():
        return []
    body = study.read_yaml(FILE)
    read = read_document(ExplanationsFile, body, f"{study.name}/{FILE}")
    with Gather() as gather:
        for node, declared in zip(body["explanations"], read.explanations, strict=True):
            for rule in declared.rule:
                with gather.part():
                    if rule not in known and not is_core(rule):
                        hint = f"{nearest(rule, known)}; CORE has CORE-000123"
                        raise complain(node, "rule", f"there is no rule '{rule}'{hint}")
            for name in declared.dataset:
                with gather.part():
                    if datasets is not None and name not in datasets:
                        raise unknown_dataset(node, "dataset", name, datasets)
                    variables = datasets.get(name) if datasets else None
                    if declared.variable and variables and declared.variable not in variables:
                        raise unknown_variable(node, "variable", name, declared.variable, variables)
    return [made for declared in read.explanations for made in _explanations(declared)]


def _explanations(declared: DeclaredExplanation) -> list[Explanation]:
    reason = " ".join(declared.reason.split())
    return [
        Explanation(rule, name, declared.variable, declared.records, reason, declared.share)
        for rule in declared.rule
        for name in declared.dataset
    ]


def explain(
    findings: Iterable[ConformanceFinding], explanations: Sequence[Explanation], rows: Mapping[str, int] | None = None
) -> list[ConformanceFinding]:
    """Return the findings with their reasons, and one finding more for each explanation that matches none.

    ``rows`` is the number of records of each dataset, of which explanations may cover a share. A finding of more
    records than its explanation covers is not explained, and its detail says so.
    """
    rows = rows or {}
    used: set[Explanation] = set()
    made = []
    for finding in findings:
        count = rows.get(finding.dataset, 0)
        matching = [entry for entry in explanations if entry.matches(finding)]
        used.update(matching)
        fitting = [entry for entry in matching if entry.explains(finding, count)]
        if fitting:
            made.append(replace(finding, explained=fitting[0].reason))
        else:
            made.append(replace(finding, detail=_exceeding(finding, matching, count)) if matching else finding)
    return made + [_stale(entry) for entry in explanations if entry not in used]


def _exceeding(finding: ConformanceFinding, matching: Sequence[Explanation], rows: int) -> str:
    most = max(entry.most(rows) or 0 for entry in matching)
    sentence = f"The explanation in {FILE} covers at most {most} records, and {finding.records} are found."
    return f"{finding.detail} {sentence}".strip()


def _stale(entry: Explanation) -> ConformanceFinding:
    detail = f"{entry.rule} finds nothing in {entry.variable or entry.dataset} that its reason would explain."
    return ConformanceFinding(STALE, FILE, entry.dataset, entry.variable, "warning", 0, (), STALE_SENTENCE, detail)
