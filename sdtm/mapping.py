"""Reading one domain's mapping file: structure, operations and tests, all checked before any record is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from metadata.errors import StudyError, nearest
from metadata.project import Project
from metadata.standards import GuideDataset, GuideVariable, sdtm_dataset, sdtm_variables
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.units import TestUnits, read_units
from metadata.yaml_source import LocatedDict, LocatedList, complain
from sdtm import choices, dates, subjects
from sdtm.operations import (
    Condition,
    Context,
    Operation,
    RecordOperation,
    TableOperation,
    Target,
    check_term,
    choice,
    condition,
    operation,
    record_operation,
)
from sdtm.schema import check_structure
from sdtm.values import FieldValue

WORDS = (choices, dates, subjects)
"""Modules whose operations register themselves when they are imported."""
QUALIFIERS = {"category": "CAT", "subcategory": "SCAT", "specimen": "SPEC", "method": "METHOD", "location": "LOC"}
QNAM = re.compile(r"[A-Z][A-Z0-9]{0,7}")
EACH = ("subject", "visit", "element")


@dataclass(frozen=True)
class NotDone:
    """How a form says that a test was not done: a checkbox option, a coded answer, or a blank result."""

    field: str = ""
    code: str = ""
    checkbox: bool = False
    blank: bool = False


@dataclass(frozen=True)
class Test:
    """One test of a findings domain on one form."""

    __test__ = False

    key: str
    testcd: str
    name: str
    result: RecordOperation
    unit: RecordOperation | None
    units: TestUnits
    not_done: NotDone
    reason: RecordOperation | None
    variables: dict[str, RecordOperation]
    label_without: str = ""
    standard: str = "result"
    standard_terms: dict[str, str] = field(default_factory=dict)
    toxicity: str = ""
    toxicity_terms: dict[str, float] = field(default_factory=dict)

    def fields(self) -> list[str]:
        """All fields of the dictionary that the test reads."""
        parts = [self.result, self.unit, self.reason, *self.variables.values()]
        own = [self.not_done.field] if self.not_done.field else []
        return own + [name for part in parts if part for name in part.fields()]


@dataclass(frozen=True)
class Supplement:
    """One supplemental qualifier; ``tests`` limits it to the records of some tests."""

    qnam: str
    label: str
    operation: RecordOperation
    qorig: str
    qeval: str
    tests: frozenset[str]


@dataclass(frozen=True)
class Block:
    """Records of one form, or of the subjects, visits or elements."""

    form: str
    each: str
    events: tuple[str, ...]
    where: Condition | None
    variables: dict[str, RecordOperation]
    tests: tuple[Test, ...]
    supplemental: tuple[Supplement, ...]
    visits: LocatedDict | None = None

    def fields(self) -> list[str]:
        """All fields of the dictionary that the block reads."""
        named = [name for made in self.variables.values() for name in made.fields()]
        named += [name for test in self.tests for name in test.fields()]
        named += [name for supplement in self.supplemental for name in supplement.operation.fields()]
        return named + (self.where.fields() if self.where else []) + ([self.each] if self.each not in ("", *EACH) else [])


@dataclass(frozen=True)
class DomainMapping:
    """One domain: what the guide says about it, and what the study's file does."""

    domain: str
    file: str
    guide: GuideDataset
    variables: tuple[GuideVariable, ...]
    blocks: tuple[Block, ...]
    table_operations: dict[str, TableOperation]
    keys: tuple[str, ...]
    toxicity_scheme: str = ""
    ranges_file: str = ""
    laboratory_variable: str = ""

    @cached_property
    def by_name(self) -> dict[str, GuideVariable]:
        """The guide's variables by name."""
        return {variable.name: variable for variable in self.variables}

    @property
    def is_findings(self) -> bool:
        """True for a findings domain."""
        return self.guide.dataset_class.startswith("Findings")

    def prefixed(self, suffix: str) -> str:
        """Return a variable's name with the domain's prefix: --SEQ is AESEQ."""
        return f"{self.domain}{suffix}"

    def has(self, name: str) -> bool:
        """Return True if the guide gives the domain this variable."""
        return name in self.by_name

    def fields(self) -> list[str]:
        """All fields of the dictionary that the domain reads, each once, in order."""
        return list(dict.fromkeys(name for block in self.blocks for name in block.fields()))

    def operations(self) -> dict[str, Operation]:
        """The first operation that makes each variable, for its origin and method."""
        made: dict[str, Operation] = {}
        for block in self.blocks:
            for test in block.tests:
                for name, declared in test.variables.items():
                    made.setdefault(name, declared)
            for name, declared in block.variables.items():
                made.setdefault(name, declared)
        return {**made, **self.table_operations}


def codelists(variable: GuideVariable) -> tuple[str, ...]:
    """NCI codes of the codelists that the guide binds to a variable."""
    return tuple(code.strip() for code in variable.codelist.split(";") if code.strip())


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
        shared = self._operations(self.body.get("variables"), context, table_operations) if node is not self.body else {}
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
            raise complain(node, name, f"{self.domain} has no variable {name} in the guide{nearest(name, self.by_name)}")
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
                raise complain(node["supplemental"], qnam, "QNAM is at most 8 capital letters and digits, and no variable of the domain")
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
            made.append(TestReader(self, context, key, spec, {} if both else shared.get(key) or {}).read())
        return made


class TestReader:
    """Reads one test: what the domain says of it everywhere, and which fields one form gives it."""

    __test__ = False

    def __init__(self, reader: Reader, context: Context, key: str, spec: LocatedDict, shared: Any) -> None:
        self.reader, self.context, self.key, self.spec, self.shared = reader, context, key, spec, shared

    def _get(self, name: str, otherwise: Any = "") -> Any:
        return self.spec.get(name, self.shared.get(name, otherwise))

    def _node(self, name: str) -> LocatedDict:
        return self.spec if name in self.spec else self.shared

    def read(self) -> Test:
        """Return the checked test."""
        testcd = str(self._get("testcd", self.key))
        units = self._units()
        return Test(
            key=self.key,
            testcd=testcd,
            name=self._name(testcd),
            result=self._operation("result", "ORRES"),
            unit=self._unit(units),
            units=units,
            not_done=self._not_done(),
            reason=self._operation("reason", "REASND") if "reason" in self.spec else None,
            variables=self._variables(),
            label_without=str(self._get("label_without")),
            standard=str(self._get("standard", "result")),
            standard_terms={code: str(value) for code, value in (self._get("standard_terms", None) or {}).items()},
            toxicity=str(self._get("toxicity")),
            toxicity_terms={term: float(grade) for term, grade in (self._get("toxicity_terms", None) or {}).items()},
        )

    def _name(self, testcd: str) -> str:
        """Return --TEST: decoded from the codelist of --TESTCD, or declared for a sponsor's test."""
        reader, terminology = self.reader, self.reader.terminology
        target = Target(reader.domain, f"{reader.domain}TESTCD", codelists=self._codelists("TESTCD"))
        check_term(self.spec, self.key, testcd, target, terminology)
        names = self._codelists("TEST")
        if len(testcd) > 8 or not re.fullmatch(r"[A-Z_][A-Z0-9_]*", testcd):
            raise complain(self.spec, None, f"{testcd}: a test code has at most 8 capital letters, digits and underscores")
        if names and target.codelists:
            decoded = terminology.decode(target.codelists[0], names[0])
            if testcd in decoded:
                return decoded[testcd]
        name = str(self._get("test"))
        if not 1 <= len(name.encode()) <= 40:
            raise complain(self.spec, "test", f"{testcd} needs a test name of 1 to 40 characters")
        return name

    def _codelists(self, suffix: str) -> tuple[str, ...]:
        """Codelists of the guide, or those that the test or the domain declares."""
        declared = self._get("codelists", None) or self.reader.body.get("codelists") or {}
        if suffix.lower() in declared:
            return (str(declared[suffix.lower()]),)
        return codelists(self.reader.by_name[f"{self.reader.domain}{suffix}"])

    def _operation(self, key: str, suffix: str) -> RecordOperation:
        """Return the operation under ``key``: an operation, or a field's name for short."""
        spec = self.spec.get(key)
        if isinstance(spec, str):
            made = LocatedDict({"field": spec})
            made.file, made.line, made.lines = self.spec.file, self.spec.lines.get(key, self.spec.line), {}
            spec = made
        bound = () if suffix in ("ORRES", "REASND") else codelists(self.reader.by_name[f"{self.reader.domain}{suffix}"])
        target = Target(self.reader.domain, f"{self.reader.domain}{suffix}", codelists=bound)
        if suffix == "ORRESU" and isinstance(spec, LocatedDict) and "field" in spec and "terms" not in spec:
            spec = self._with_unit_terms(spec)
        return record_operation(spec, target, self.context, self.spec)

    def _with_unit_terms(self, spec: LocatedDict) -> LocatedDict:
        """Return a unit's field with the domain's ``unit_terms`` for the choices that it offers."""
        declared = self.reader.body.get("unit_terms") or {}
        found = self.context.dictionary.fields.get(str(spec["field"]))
        if found is None or not found.choices or not set(found.choices) <= set(declared):
            return spec
        terms = LocatedDict({code: declared[code] for code in found.choices})
        terms.file, terms.line, terms.lines = declared.file, declared.line, declared.lines
        made = LocatedDict({**spec, "terms": terms})
        made.file, made.line, made.lines = spec.file, spec.line, spec.lines
        return made

    def _unit(self, units: TestUnits) -> RecordOperation | None:
        """Return the unit's operation; raises StudyError if a unit it can give has no factor."""
        if "unit" not in self.spec:
            return None
        made = self._operation("unit", "ORRESU")
        terms = made.terms.values() if isinstance(made, FieldValue) else []
        for term in terms:
            if term and units.standard and units.factor(term) is None:
                raise complain(self.spec, "unit", f"{self.key} has no factor from {term} to {units.standard}: declare it under from")
        return made

    def _units(self) -> TestUnits:
        node = self._node("standard_unit")
        given = {name: node[name] for name in ("standard_unit", "from") if name in node}
        body = LocatedDict(given)
        body.file, body.line, body.lines = node.file if given else "", node.line if given else 0, {}
        units = read_units({self.key: body})[self.key]
        target = Target("", "", codelists=codelists(self.reader.by_name[f"{self.reader.domain}STRESU"])
                        if f"{self.reader.domain}STRESU" in self.reader.by_name else ())
        check_term(node if given else self.spec, "standard_unit", units.standard, target, self.reader.terminology)
        return units

    def _not_done(self) -> NotDone:
        spec = self._get("not_done", None)
        if spec is None:
            return NotDone()
        if spec == "blank":
            return NotDone(blank=True)
        node = spec if isinstance(spec, LocatedDict) else self.spec
        name = str(spec["field"]) if isinstance(spec, LocatedDict) else str(spec)
        found = self.context.field(node, "not_done", name)
        code = str(spec.get("code", "1")) if isinstance(spec, LocatedDict) else "1"
        choice(node, "code" if "code" in node else "not_done", found, code)
        return NotDone(name, code, found.type == "checkbox")

    def _variables(self) -> dict[str, RecordOperation]:
        reader, made = self.reader, {}
        for key, suffix in QUALIFIERS.items():
            value = self._get(key)
            if value:
                node = self._node(key)
                spec = LocatedDict({"constant": value})
                spec.file, spec.line, spec.lines = node.file, node.lines.get(key, node.line), {}
                name = f"{reader.domain}{suffix}"
                made[name] = record_operation(spec, reader.target(node, name), self.context, node)
        for node in (self.shared, self.spec):
            declared = node.get("variables") or {}
            for name, spec in declared.items():
                made[name] = record_operation(spec, reader.target(declared, name), self.context, declared)
        return made
