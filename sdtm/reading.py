"""Reading one domain's mapping file: every key, field, variable and term is checked before any record is read."""

from __future__ import annotations

import re

from metadata.errors import StudyError, nearest
from metadata.project import Project
from metadata.standards import sdtm_dataset, sdtm_variables
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.yaml_source import LocatedDict, LocatedList, complain
from sdtm import choices, dates, subjects
from sdtm.mapping import EACH, Block, DomainMapping, Supplement, Test, codelists
from sdtm.operations import (
    Context,
    RecordOperation,
    TableOperation,
    Target,
    condition,
    operation,
    record_operation,
)
from sdtm.reading_tests import TestReader
from sdtm.schema import check_structure

WORDS = (choices, dates, subjects)
"""Modules whose operations register themselves when they are imported."""
QNAM = re.compile(r"[A-Z][A-Z0-9]{0,7}")


class Reader:
    """Reads the file of one domain."""

    def __init__(self, study: Study, project: Project, terminology: Terminology, relative: str) -> None:
        self.study, self.project, self.terminology = study, project, terminology
        self.file = f"{study.name}/{relative}"
        self.body: LocatedDict = study.read_yaml(relative)
        check_structure(self.body, self.file)
        version = study.standards["sdtmig"]
        self.domain = str(self.body["domain"])
        try:
            self.guide = sdtm_dataset(version, self.domain)
            self.variables = sdtm_variables(version, self.domain)
        except StudyError as error:
            raise complain(self.body, "domain", error.message) from None
        self.by_name = {variable.name: variable for variable in self.variables}

    def read(self) -> DomainMapping:
        """Return the checked mapping."""
        records = self.body["records"]
        nodes = records if isinstance(records, LocatedList) else [records]
        table_operations: dict[str, TableOperation] = {}
        blocks = tuple(self._block(node, table_operations) for node in nodes)
        ranges = self.body.get("ranges") or {}
        return DomainMapping(
            self.domain,
            self.file,
            self.guide,
            self.variables,
            blocks,
            table_operations,
            self._keys(),
            str(self.body.get("toxicity", "")),
            str(ranges.get("file", "")),
            str(ranges.get("laboratory", "")),
        )

    def _keys(self) -> tuple[str, ...]:
        declared = self.body.get("keys")
        for index, name in enumerate(declared or []):
            if name not in self.by_name:
                raise complain(declared, index, f"{self.domain} has no variable {name}{nearest(name, self.by_name)}")
        return tuple(declared) if declared else self._default_keys()

    def _default_keys(self) -> tuple[str, ...]:
        """Natural keys by class: who, what, when, and the form's own row (--SPID)."""
        topic = next((name for name, variable in self.by_name.items() if variable.role == "Topic"), "")
        when = [f"{self.domain}{suffix}" for suffix in ("STDTC", "DTC")]
        rest = ["VISITNUM", next((name for name in when if name in self.by_name), ""), f"{self.domain}SPID"]
        wanted = ["STUDYID", "USUBJID", topic, *rest]
        return tuple(dict.fromkeys(name for name in wanted if name in self.by_name))

    def _block(self, node: LocatedDict, table_operations: dict[str, TableOperation]) -> Block:
        form = str(node.get("form", ""))
        each = str(node.get("each", ""))
        forms = self.project.dictionary.forms
        if form and form not in forms:
            raise complain(node, "form", f"the dictionary has no form '{form}'{nearest(form, forms)}")
        context = Context(self.study, self.project, self.terminology, form)
        self._check_each(node, form, each, context)
        own = self._operations(node.get("variables"), context, table_operations)
        shared = (
            self._operations(self.body.get("variables"), context, table_operations) if node is not self.body else {}
        )
        tests = tuple(self._tests(node, context))
        return Block(
            form,
            each,
            self._events(node, form),
            condition(node["where"], context) if "where" in node else None,
            {**shared, **own},
            tests,
            tuple(self._supplemental(node, context, tests)),
            node.get("dates"),
        )

    def _check_each(self, node: LocatedDict, form: str, each: str, context: Context) -> None:
        if each in EACH and form:
            raise complain(node, "each", f"'{each}' goes over the whole study: leave out the form")
        if not each and not form:
            raise complain(node, None, "say which records: a form, or each: subject")
        if each and each not in EACH and context.field(node, "each", each).type != "checkbox":
            raise complain(node, "each", f"field '{each}' is not a checkbox")

    def _events(self, node: LocatedDict, form: str) -> tuple[str, ...]:
        events = tuple(str(event) for event in node.get("events", []))
        known = [event for event in self.project.event_names if self.project.designated(event, form)]
        for event in events:
            if event not in known:
                raise complain(node, "events", f"form '{form}' is not filled in event '{event}'{nearest(event, known)}")
        return events

    def target(self, node: LocatedDict, name: str) -> Target:
        """Return the target of a variable; raises StudyError if the guide's domain has none of that name."""
        if name not in self.by_name:
            raise complain(
                node, name, f"{self.domain} has no variable {name} in the guide{nearest(name, self.by_name)}"
            )
        guide = self.by_name[name]
        return Target(self.domain, name, guide.type == "Num", codelists(guide))

    def _operations(
        self, node: LocatedDict | None, context: Context, table_operations: dict[str, TableOperation]
    ) -> dict[str, RecordOperation]:
        made: dict[str, RecordOperation] = {}
        for name, spec in (node or {}).items():
            declared = operation(spec, self.target(node, name), context, node)  # type: ignore[arg-type]
            if isinstance(declared, TableOperation):
                table_operations[name] = declared
            elif isinstance(declared, RecordOperation):
                made[name] = declared
        return made

    def _supplemental(self, node: LocatedDict, context: Context, tests: tuple[Test, ...]) -> list[Supplement]:
        made = []
        known = {test.testcd for test in tests}
        for qnam, spec in (node.get("supplemental") or {}).items():
            if not QNAM.fullmatch(qnam) or qnam in self.by_name:
                problem = "QNAM is at most 8 capital letters and digits, and no variable of the domain"
                raise complain(node["supplemental"], qnam, problem)
            if not 1 <= len(str(spec.get("label", "")).encode()) <= 40:
                raise complain(spec, "label", f"{qnam} needs a label of 1 to 40 characters")
            for test in spec.get("tests", []):
                if test not in known:
                    raise complain(spec, "tests", f"the block has no test {test}{nearest(test, known)}")
            declared = record_operation(spec, Target("", qnam), context, node["supplemental"])
            tested = frozenset(str(test) for test in spec.get("tests", []))
            origin, evaluator = str(spec.get("qorig", "CRF")), str(spec.get("qeval", ""))
            made.append(Supplement(qnam, str(spec["label"]), declared, origin, evaluator, tested))
        return made

    def _tests(self, node: LocatedDict, context: Context) -> list[Test]:
        declared = node.get("tests")
        if not declared:
            return []
        if not self.guide.dataset_class.startswith("Findings"):
            raise complain(node, "tests", f"{self.domain} is not a findings domain")
        shared = self.body.get("tests") or {}
        both = node is self.body
        made = []
        for key, spec in declared.items():
            if not both and shared and key not in shared:
                raise complain(declared, key, f"the domain declares no test '{key}'{nearest(key, shared)}")
            made.append(
                TestReader(self, context, key, spec, LocatedDict() if both else shared.get(key) or LocatedDict()).read()
            )
        return made
