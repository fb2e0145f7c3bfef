"""A study's conformance.yaml: findings that a reviewer would accept, each with its reason.

``explanations`` is a list of ``{rule, dataset, variable, records, reason}``. ``rule`` is one of ours or a CORE id;
``dataset`` is a name or a list of names. ``variable`` and ``records`` may be left out: with ``records`` the reason
holds for at most so many records, so that it does not cover what comes later.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from metadata.errors import nearest
from metadata.study import Study
from metadata.yaml_source import LocatedDict, complain
from validation.conformance.finding import Finding

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

    def explains(self, finding: Finding) -> bool:
        """Return True if the finding is the one that is meant."""
        same = (self.rule, self.dataset) == (finding.rule, finding.dataset)
        return same and self._has_variable(finding) and (self.records is None or finding.records <= self.records)

    def _has_variable(self, finding: Finding) -> bool:
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
    return [made for node in content["explanations"] for made in _explanations(node, known)]


def _explanations(node: object, known: Collection[str]) -> list[Explanation]:
    if not isinstance(node, LocatedDict):
        raise complain(node, None, f"an explanation has the keys {', '.join(KEYS)}")
    for key in node:
        if key not in KEYS:
            raise complain(node, key, f"an explanation has no such key{nearest(key, KEYS)}")
    for key in ("rule", "dataset", "reason"):
        if not node.get(key):
            raise complain(node, None, f"the explanation has no {key}")
    rule, records = str(node["rule"]), node.get("records")
    if rule not in known and not is_core(rule):
        raise complain(node, "rule", f"there is no rule '{rule}'{nearest(rule, known)}; CORE's are written CORE-000123")
    if records is not None and (not isinstance(records, int) or records < 1):
        raise complain(node, "records", "it is the largest number of records that the reason covers, at least 1")
    named = node["dataset"] if isinstance(node["dataset"], list) else [node["dataset"]]
    reason = " ".join(str(node["reason"]).split())
    return [Explanation(rule, str(name), str(node.get("variable") or ""), records, reason) for name in named]


def explain(findings: Iterable[Finding], explanations: Sequence[Explanation]) -> list[Finding]:
    """Return the findings with their reasons, and one finding more for each explanation that matches none."""
    used: set[Explanation] = set()
    made = []
    for finding in findings:
        fitting = [entry for entry in explanations if entry.explains(finding)]
        used.update(fitting)
        made.append(replace(finding, explained=fitting[0].reason) if fitting else finding)
    return made + [_stale(entry) for entry in explanations if entry not in used]


def _stale(entry: Explanation) -> Finding:
    limit = f" (at most {entry.records} records)" if entry.records else ""
    said = f"Nothing is found by {entry.rule} in {entry.dataset}{limit} that its reason would explain."
    return Finding(STALE, FILE, entry.dataset, entry.variable, "warning", 0, (), STALE_SENTENCE, said)
