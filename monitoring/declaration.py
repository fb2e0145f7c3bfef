"""Reads monitoring.yaml: every mistake is a StudyError with file, line, key and the nearest right name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass, replace
from typing import Any

from metadata.declaration import marked_names, parameters, read_document, read_parameters
from metadata.declaration_schema import document_schema, parameters_schema
from metadata.errors import Gather, StudyError, nearest
from metadata.project import Project
from metadata.registration import load_modules
from metadata.schema_errors import entry_of, needed_key, none_of, quoted, wrong_type
from metadata.study import Study
from metadata.yaml_source import LocatedDict, complain
from monitoring import rules
from monitoring.observations import domains_read, mapping_file, read_domains
from monitoring.plan import KINDS, Plan, Rule, TestsKnown
from monitoring.rules.controls import Visits
from monitoring.rules.results import Limits
from monitoring.settings import FILE, OF_RUNS, PlanFile
from sdtm.mapping.domain_mapping import DomainMapping
from validation.checks.declaration import NAMES

load_modules(rules)


def read_plan(study: Study) -> Plan:
    """Read the plan of a study without a look at its project; raises StudyError for what is no plan."""
    name = f"{study.name}/{FILE}"
    if not study.path(FILE).is_file():
        raise StudyError("the study has no plan of monitoring: write it", name)
    declared = read_document(PlanFile, study.read_yaml(FILE), name)
    made: dict[str, Rule] = {}
    with Gather() as gather:
        for node in declared.rules:
            with gather.part():
                rule = _rule(declared, node)
                if rule.id in (*made, OF_RUNS):
                    taken = "is in the file already" if rule.id in made else "is that of the runs themselves"
                    raise complain(node, "id", f"a rule '{rule.id}' {taken}")
                made[rule.id] = rule
    sha256 = hashlib.sha256(study.path(FILE).read_bytes()).hexdigest()
    return Plan(replace(declared, rules=list(made.values())), tuple(made.values()), sha256)


def _rule(declared: PlanFile, node: object) -> Rule:
    if not isinstance(node, LocatedDict):
        raise wrong_type(declared.node, "rules", node, "a list of mappings")
    if "kind" not in node:
        raise needed_key(node, "kind", entry_of("rules"))
    if node["kind"] not in KINDS:
        raise none_of(node, "kind", node["kind"], KINDS)
    return read_parameters(KINDS[node["kind"]], node, quoted(node["kind"]))


def checked_plan(study: Study, project: Project) -> tuple[Plan, dict[str, DomainMapping]]:
    """Return the plan of a study and the mappings that it reads; raises StudyError for all that does not fit."""
    plan = read_plan(study)
    node = plan.file.node
    with Gather() as gather:
        for name in domains_read(plan.file):
            with gather.part():
                if not study.path(mapping_file(name)).is_file():
                    key = "results" if name in plan.file.results else "exposure"
                    raise complain(node, key, f"the study has no {mapping_file(name)} that maps {name}")
    domains = read_domains(study, project, domains_read(plan.file))
    with Gather() as gather:
        for name in plan.file.results:
            with gather.part():
                if not domains[name].is_findings:
                    raise complain(node, "results", f"{name} is no findings domain")
        for problem in _problems(study, project, plan, domains):
            with gather.part():
                raise problem
    return plan, domains


def check_plan(study: Study, project: Project) -> list[StudyError]:
    """Return what is wrong with a study's plan; a study needs none."""
    if not study.path(FILE).is_file():
        return []
    try:
        checked_plan(study, project)
    except StudyError as error:
        return list(error.each)
    return []


def tests_known(plan: Plan, domains: dict[str, DomainMapping]) -> TestsKnown:
    """Return the tests of the domains that the plan reads, each with its standard unit."""
    return {
        test.key: test.units.standard for name in plan.file.results for block in domains[name].blocks
        for test in block.tests
    }  # fmt: skip


def _problems(study: Study, project: Project, plan: Plan, domains: dict[str, DomainMapping]) -> Iterator[StudyError]:
    """Yield an error for each name that nothing has, and for what the parts of the plan say of themselves."""
    tests = tests_known(plan, domains)
    known: dict[str, dict[str, Any]] = {
        "test": dict(tests),
        "drug": dict(plan.file.drugs),
        "level": dict(plan.file.levels),
    }
    declared: list[Any] = [plan.file.study_end, plan.file.profile, *plan.file.levels.values(), *plan.rules]
    for part in (one for one in declared if one is not None):
        yield from _wrong_names(project, part, known)
    if plan.file.unjudged not in plan.file.levels:
        yield none_of(plan.file.node, "unjudged", plan.file.unjudged, plan.file.levels)
    for rule in plan.rules:
        for key, sentence in rule.problems(plan, tests):
            yield complain(rule.node, key or None, sentence)
        if isinstance(rule, Limits):
            for name in rule.levels:
                if name not in plan.file.levels:
                    yield none_of(rule.node["levels"], name, name, plan.file.levels)
        if isinstance(rule, Visits) and rule.reference not in study.visit_events:
            near = nearest(rule.reference, study.visit_events)
            yield complain(rule.node, "reference", f"study.yaml has no visit with the event '{rule.reference}'{near}")


def _wrong_names(project: Project, declared: Any, known: dict[str, dict[str, Any]]) -> Iterator[StudyError]:
    """Yield an error for each name of a declaration that the plan, the mapping or the project does not have."""
    for key, kind in parameters(type(declared)).items():
        value = getattr(declared, key if hasattr(declared, key) else f"{key}_")
        for one in marked_names(kind, value, declared):
            find = NAMES.get(one.role)
            node = getattr(one.owner, "node", None) if is_dataclass(one.owner) else declared.node
            if find is not None:
                yield from _raised(find, project, node, key if key in (node or {}) else _key(node, one.name), one.name)
            elif (one.role, key) != ("level", "levels") and one.name not in known.get(one.role, {one.name: None}):
                problem = f"there is no {one.role} '{one.name}'{nearest(one.name, known[one.role])}"
                yield complain(node, key if key in (node or {}) else _key(node, one.name), problem)


def _key(node: Any, name: str) -> str | None:
    """Return the key of a mapping whose value is, or holds, a name."""
    for key, value in (node or {}).items():
        if value == name or (isinstance(value, list) and name in value):
            return str(key)
    return None


def _raised(find: Callable[..., None], *asked: Any) -> Iterator[StudyError]:
    try:
        find(*asked)
    except StudyError as error:
        yield error


def monitoring_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) of monitoring.yaml."""
    made = document_schema(PlanFile, "plan of a study's safety monitoring")
    made["properties"]["rules"]["items"] = {"oneOf": [_kind_schema(made, name) for name in KINDS]}
    return made


def _kind_schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    made = parameters_schema(KINDS[name])
    document.setdefault("$defs", {}).update(made.pop("$defs", {}))
    return {**made, "description": KINDS[name].__doc__, "properties": {**made["properties"], "kind": {"const": name}}}
