"""A study's conformance.yaml: findings that a reviewer would accept, each with its reason.

``explanations`` is a list of ``{rule, dataset, variable, records, reason}``. ``rule`` is one of ours or a CORE id;
it and ``dataset`` may be lists. ``variable`` and ``records`` may be left out: with ``records`` the reason
holds for at most so many records, so that it does not cover what comes later.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from metadata.errors import StudyError, nearest
from metadata.study import Study
from metadata.yaml_source import LocatedDict, complain, file_of, line_of
from validation.conformance.finding import ConformanceFinding

FILE = "conformance.yaml"
STALE = "explanation.stale"
STALE_SENTENCE = "An explanation in conformance.yaml matches no finding and is removed."
CORE_ID = re.compile(r"CORE-\d{6}")
KEYS = ("rule", "dataset", "variable", "records", "reason")


@dataclass(frozen=True)
class Explanation:
    """One entry of conformance.yaml for one dataset; blank ``variable`` is any, ``records`` None is any number."""

    rule: str
    dataset: str
    variable: str
    records: int | None
    reason: str

    def explains(self, finding: ConformanceFinding) -> bool:
        """Return True if the finding is the one that is meant."""
        same = (self.rule, self.dataset) == (finding.rule, finding.dataset)
        return same and self._has_variable(finding) and (self.records is None or finding.records <= self.records)

    def _has_variable(self, finding: ConformanceFinding) -> bool:
        return not self.variable or self.variable in finding.variable.split(", ")


def is_core(rule: str) -> bool:
    """Return True for the id of a CORE rule."""
    return bool(CORE_ID.fullmatch(rule))


def read_explanations(study: Study, known: Collection[str]) -> list[Explanation]:
    """Read conformance.yaml, if the study has one; raises StudyError for an entry that is not complete.

    ``known`` are the ids of our own rules.
    """
    if not (study.folder / FILE).is_file():
        return []
    content = study.read_yaml(FILE) or {}
    if not isinstance(content, LocatedDict) or not isinstance(content.get("explanations"), list):
        raise complain(content, None, "the file has one key, 'explanations', with a list")
    entries = content["explanations"]
    for index, node in enumerate(entries):
        if not isinstance(node, LocatedDict):
            said = f"an explanation has the keys {', '.join(KEYS)}"
            raise StudyError(said, file_of(entries), line_of(entries, index))
    return [made for node in entries for made in _explanations(node, known)]


def _explanations(node: LocatedDict, known: Collection[str]) -> list[Explanation]:
    for key in node:
        if key not in KEYS:
            raise complain(node, key, f"an explanation has no such key{nearest(key, KEYS)}")
    for key in ("rule", "dataset", "reason"):
        if not str(node.get(key) or "").strip():
            raise complain(node, None, f"the explanation has no {key}")
    rules, datasets, records = _names(node["rule"]), _names(node["dataset"]), node.get("records")
    for rule in rules:
        if rule not in known and not is_core(rule):
            raise complain(node, "rule", f"there is no rule '{rule}'{nearest(rule, known)}; CORE has CORE-000123")
    if records is not None and (not isinstance(records, int) or isinstance(records, bool) or records < 1):
        raise complain(node, "records", "it is the largest number of records that the reason covers, at least 1")
    variable, reason = str(node.get("variable") or ""), " ".join(str(node["reason"]).split())
    return [Explanation(rule, name, variable, records, reason) for rule in rules for name in datasets]


def _names(given: object) -> list[str]:
    return [str(name) for name in given] if isinstance(given, list) else [str(given)]


def explain(findings: Iterable[ConformanceFinding], explanations: Sequence[Explanation]) -> list[ConformanceFinding]:
    """Return the findings with their reasons, and one finding more for each explanation that matches none."""
    used: set[Explanation] = set()
    made = []
    for finding in findings:
        fitting = [entry for entry in explanations if entry.explains(finding)]
        used.update(fitting)
        made.append(replace(finding, explained=fitting[0].reason) if fitting else finding)
    return made + [_stale(entry) for entry in explanations if entry not in used]


def _stale(entry: Explanation) -> ConformanceFinding:
    limit = f" (at most {entry.records} records)" if entry.records else ""
    said = f"Nothing is found by {entry.rule} in {entry.dataset}{limit} that its reason would explain."
    return ConformanceFinding(STALE, FILE, entry.dataset, entry.variable, "warning", 0, (), STALE_SENTENCE, said)
