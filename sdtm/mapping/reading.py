"""Reading one domain's mapping file: every key, field, variable and term is checked before any record is read."""

from __future__ import annotations

import re

from metadata.errors import Gather, StudyError, nearest
from metadata.project import Project
from metadata.schema_errors import unknown_variable
from metadata.sdtm_model import model_variables, with_model
from metadata.standards import GuideVariable, sdtm_dataset, sdtm_variables
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.yaml_source import LocatedDict, LocatedList, complain, filled_in, mapping_at
from sdtm.mapping.criteria import with_criteria
from sdtm.mapping.derived_methods import is_derived
from sdtm.mapping.domain_mapping import (
    COMMENTS,
    EACH,
    Block,
    DomainMapping,
    FindingTest,
    SupplementalQualifier,
    codelists,
)
from sdtm.mapping.guide_variables import variables_named, with_continuations
from sdtm.mapping.reading_tests import TestReader, variables_given
from sdtm.mapping.schema import check_structure
from sdtm.operations.field_condition import read_field_condition
from sdtm.operations.operation import (
    MappingContext,
    RecordOperation,
    TableOperation,
    Target,
    located,
    operation,
    record_operation,
)
from sdtm.operations.subjects import ArmOf

VISITS = ("VISITNUM", "VISIT", "VISITDY")
QNAM = re.compile(r"[A-Z][A-Z0-9]{0,7}")


# Only domains of the general observation classes may have timing variables beyond the guide's (SDTM 1.7, 2.2.5).
WITHOUT_MORE_TIMING = ("Special-Purpose", "Trial Design", "Relationship", "Study Reference")


def with_study_days(domain: str, variables: tuple[GuideVariable, ...]) -> tuple[GuideVariable, ...]:
    """Return the guide's variables with --STDY and --ENDY where it lists the dates only (MH).

    They are timing variables that any domain with the dates may have (SDTM 1.7, timing variables); they come after
    the last of the dates.
    """
    known = {variable.name for variable in variables}
    dates = [variable for variable in variables if variable.name in (f"{domain}STDTC", f"{domain}ENDTC")]
    missing = [date for date in dates if f"{date.name.removesuffix('DTC')}DY" not in known]
    made = tuple(
        GuideVariable(
            f"{date.name.removesuffix('DTC')}DY",
            _day_label(date),
            "Num",
            "Perm",
            "Timing",
            "",
            dates[-1].order,
        )
        for date in missing
    )
    after = next(
        (place for place, item in enumerate(variables, start=1) if dates and item is dates[-1]), len(variables)
    )
    return (*variables[:after], *made, *variables[after:])


def expanded(nodes: list[LocatedDict]) -> list[LocatedDict]:
    """Return the blocks, one with ``for_each`` once an item with ``{each}`` and the item's own words filled in.

    Raises StudyError for items whose words have not the same names: a place would be left open.
    """
    made = []
    for node in nodes:
        items = node.get("for_each") if isinstance(node, LocatedDict) else None
        if isinstance(items, LocatedDict):
            _check_words(node, items)
            made += [filled_in(node, str(item), words) for item, words in items.items()]
        else:
            made += [filled_in(node, str(item)) for item in items] if items else [node]
    return made


def _check_words(node: LocatedDict, items: LocatedDict) -> None:
    """Raise StudyError unless all items have the same words."""
    names = [sorted(words) for words in items.values()]
    for item, own in zip(items, names, strict=True):
        lacking = [name for name in dict.fromkeys(word for words in names for word in words) if name not in own]
        if lacking:
            raise complain(items, item, f"the item '{item}' has no word '{lacking[0]}', which the others have")


def _day_label(date: GuideVariable) -> str:
    """Return the label of a date's study day; the model's own where the guide's words are over 40 characters."""
    label = f"Study Day of {date.label.replace(' Date/Time', '', 1)}"
    return label if len(label) <= 40 else f"Study Day of {date.label.split()[0]} of Observation"


class Reader:
    """Reads the file of one domain."""

    def __init__(self, study: Study, project: Project, terminology: Terminology, relative: str) -> None:
        self.study, self.project, self.terminology = study, project, terminology
        self.file = f"{study.name}/{relative}"
        self.body: LocatedDict = study.read_yaml(relative)
        check_structure(self.body, self.file)
        with_criteria(study, self.body)
        version = study.standards["sdtmig"]
        self.domain = str(self.body["domain"])
        try:
            self.guide = sdtm_dataset(version, self.domain)
            self.variables = self._variables(version)
        except StudyError as error:
            raise complain(self.body, "domain", error.message) from None
        self.by_name = {variable.name: variable for variable in self.variables}

    def _variables(self, version: str) -> tuple[GuideVariable, ...]:
        """Return the variables of the guide, and those beyond it that the model allows for the domain's class."""
        listed = sdtm_variables(version, self.domain)
        if self.guide.dataset_class not in WITHOUT_MORE_TIMING:
            listed = with_study_days(self.domain, listed)
        named = variables_named(self.body) | (set(VISITS) if self.body.get("visits") else set())
        return with_continuations(self.domain, with_model(self.domain, self.guide.dataset_class, listed, named))

    def read(self) -> DomainMapping:
        """Return the checked mapping."""
        records = self.body["records"]
        nodes = expanded(records if isinstance(records, LocatedList) else [records])
        table_operations: dict[str, TableOperation] = {}
        blocks: list[Block] = []
        with Gather() as gather:
            for node in nodes:
                with gather.part():
                    blocks.append(self._block(node, table_operations))
            with gather.part():
                self._arms(blocks, table_operations)
            with gather.part():
                keys = self._keys()
            with gather.part():
                baseline_by = self._baseline_by()
        ranges = self.body.get("ranges") or {}
        made = DomainMapping(
            self.domain,
            self.file,
            self.guide,
            self.variables,
            tuple(blocks),
            table_operations,
            keys,
            str(self.body.get("toxicity", "")),
            str(ranges.get("file", "")),
            str(ranges.get("laboratory", "")),
            self.body.get("if_empty") == "omit",
            self.study.declared.identity.usubjid if self.study.declared.identity else "",
            baseline_by,
        )
        for index, name in enumerate(baseline_by):
            if name not in made.operations:
                problem = f"{name} is not mapped, so that it cannot tell baselines apart"
                raise complain(self.body["baseline_by"], index, problem)
        return made

    def _arms(self, blocks: list[Block], table_operations: dict[str, TableOperation]) -> None:
        """Give ARM and ACTARM the names of study.yaml's arms where only their codes are mapped."""
        mapped = {*table_operations, *(name for block in blocks for name in block.variables)}
        if self.domain != "DM" or not self.study.declared.arms:
            return
        for code, name in (("ARMCD", "ARM"), ("ACTARMCD", "ACTARM")):
            if code in mapped and name not in mapped:
                spec = located({ArmOf.key: code}, self.body)
                context = MappingContext(self.study, self.project, self.terminology, "")
                table_operations[name] = ArmOf(spec, self.target(self.body, name), context)

    def _baseline_by(self) -> tuple[str, ...]:
        """Return the variables that tell baselines of one test apart, besides those that always do."""
        declared = self.body.get("baseline_by") or []
        if declared and f"{self.domain}LOBXFL" not in self.by_name:
            raise complain(self.body, "baseline_by", f"{self.domain} has no baseline: it is not a findings domain")
        for index, name in enumerate(declared):
            if name not in self.by_name:
                raise complain(declared, index, f"{self.domain} has no variable {name}{nearest(name, self.by_name)}")
        return tuple(declared)

    def _keys(self) -> tuple[str, ...]:
        declared = self.body.get("keys")
        for index, name in enumerate(declared or []):
            if name not in self.by_name:
                raise unknown_variable(declared, index, self.domain, name, self.by_name)
        return tuple(declared) if declared else self._default_keys()

    def _default_keys(self) -> tuple[str, ...]:
        """Natural keys by class: who, what, when, and the form's own row (--SPID); of a comment, what it is about.

        Elements are in their order.
        """
        topic = next((name for name, variable in self.by_name.items() if variable.role == "Topic"), "")
        when = [f"{self.domain}{suffix}" for suffix in ("STDTC", "DTC")]
        if self.domain == "SE":
            return ("STUDYID", "USUBJID", "TAETORD")
        rest = ["VISITNUM", next((name for name in when if name in self.by_name), "")]
        rest += [f"{self.domain}TPTNUM"] if f"{self.domain}TPTNUM" in variables_named(self.body) else []
        rest += ["RDOMAIN", "IDVAR", "IDVARVAL"] if self.domain == COMMENTS else [f"{self.domain}SPID"]
        wanted = ["STUDYID", "USUBJID", topic, *rest]
        return tuple(dict.fromkeys(name for name in wanted if name in self.by_name))

    def _block(self, node: LocatedDict, table_operations: dict[str, TableOperation]) -> Block:
        form = str(node.get("form", ""))
        each = str(node.get("each", ""))
        forms = self.project.dictionary.forms
        if form and form not in forms:
            raise complain(node, "form", f"the dictionary has no form '{form}'{nearest(form, forms)}")
        context = MappingContext(self.study, self.project, self.terminology, form)
        self._check_each(node, form, each, context)
        with Gather() as gather:
            with gather.part():
                own = self._operations(node.get("variables"), context, table_operations)
            with gather.part():
                common = self.body.get("variables") if node is not self.body else None
                shared = self._operations(common, context, table_operations)
            with gather.part():
                tests = tuple(self._tests(node, context))
            with gather.part():
                events = self._events(node, form)
            with gather.part():
                where = read_field_condition(node, "where", context)
            with gather.part():
                supplements = tuple(self._supplemental(node, context))
            self._check_required(node, gather)
        variables, about = {**shared, **own}, self._about(node)
        line = next((node.lines[key] for key in ("where", "events") if key in node.lines), node.line)
        place = f"{node.file}, line {line}"
        return Block(form, each, events, where, variables, tests, supplements, node.get("dates"), about, place)

    def _about(self, node: LocatedDict) -> str:
        """Return the domain that comments are about."""
        about = str(node.get("about", ""))
        if about and self.domain != COMMENTS:
            raise complain(node, "about", f"only {COMMENTS} is about another domain")
        if self.domain == COMMENTS and not about:
            raise complain(node, None, "say which domain the comments are about: about: DOMAIN")
        return about

    def _check_required(self, node: LocatedDict, gather: Gather) -> None:
        """Find the variables that the guide requires and that neither the block nor the engine gives."""
        common, shared = self.body.get("variables") or {}, self.body.get("tests") or {}
        mapped = {*common, *(node.get("variables") or {})}
        tests = node.get("tests") or {}
        findings = self.guide.dataset_class.startswith("Findings")
        if findings and not tests and f"{self.domain}TESTCD" not in mapped:
            raise complain(node, None, f"the block has no tests, so that it makes no record of {self.domain}")
        for variable in self.variables:
            if variable.core != "Req" or variable.name in mapped or is_derived(self.domain, variable.name):
                continue
            lacking = [
                key
                for key, spec in tests.items()
                if variable.name not in variables_given(spec, shared, key, self.domain)
            ]
            with gather.part():
                if lacking:
                    raise complain(tests, lacking[0], f"{variable.name} ({variable.label}) is required: map it")
                if not tests:
                    raise complain(node, None, f"{variable.name} ({variable.label}) is required: map it")

    def _check_each(self, node: LocatedDict, form: str, each: str, context: MappingContext) -> None:
        if each in EACH and form:
            raise complain(node, "each", f"'{each}' goes over the whole study: leave out the form")
        if not each and not form:
            raise complain(node, None, "say which records: a form, or each: subject")
        if each and each not in EACH and context.field(node, "each", each).type != "checkbox":
            raise complain(node, "each", f"field '{each}' is not a checkbox")

    def _events(self, node: LocatedDict, form: str) -> tuple[str, ...]:
        events = tuple(str(event) for event in node.get("events", []))
        if events and not form:
            raise complain(node, "events", "only records of a form are of some events: write form, or leave out events")
        known = [event for event in self.project.event_names if self.project.designated(event, form)]
        for event in events:
            if event not in known:
                raise complain(node, "events", f"form '{form}' is not filled in event '{event}'{nearest(event, known)}")
        return events

    def target(self, node: LocatedDict, name: str) -> Target:
        """Return the target of a variable; raises StudyError if the guide's domain has none of that name."""
        if name not in self.by_name:
            near = nearest(name, self._allowed())
            problem = f"{self.domain} has no variable {name} in the guide or in its class of the model{near}"
            raise complain(node, name, problem)
        guide = self.by_name[name]
        return Target(self.domain, name, guide.type == "Num", codelists(guide), guide.described)

    def _allowed(self) -> list[str]:
        return [*self.by_name, *(variable.name for variable in model_variables(self.domain, self.guide.dataset_class))]

    def _operations(
        self, node: LocatedDict | None, context: MappingContext, table_operations: dict[str, TableOperation]
    ) -> dict[str, RecordOperation]:
        made: dict[str, RecordOperation] = {}
        with Gather() as gather:
            for name, spec in (node or {}).items():
                with gather.part():
                    declared = operation(spec, self.target(node, name), context, node)  # type: ignore[arg-type]
                    if isinstance(declared, TableOperation):
                        table_operations[name] = declared
                    elif isinstance(declared, RecordOperation):
                        made[name] = declared
        return made

    def _supplemental(self, node: LocatedDict, context: MappingContext) -> list[SupplementalQualifier]:
        made = []
        with Gather() as gather:
            supplemental = mapping_at(node, "supplemental")
            for qnam in supplemental:
                with gather.part():
                    made.append(self._supplement(node, qnam, mapping_at(supplemental, qnam), context))
        return made

    def _supplement(
        self, node: LocatedDict, qnam: str, spec: LocatedDict, context: MappingContext
    ) -> SupplementalQualifier:
        if not QNAM.fullmatch(qnam) or qnam in self.by_name:
            problem = "QNAM is at most 8 capital letters and digits, and not a variable of the domain"
            raise complain(node["supplemental"], qnam, problem)
        if not 1 <= len(str(spec.get("label", "")).encode()) <= 40:
            raise complain(spec, "label", f"{qnam} needs a label of 1 to 40 characters")
        known = self._test_codes(node)
        for test in spec.get("tests", []):
            if test not in known:
                raise complain(spec, "tests", f"the block has no test {test}{nearest(test, known)}")
        declared = record_operation(spec, Target("", qnam), context, node["supplemental"])
        tested = frozenset(str(test) for test in spec.get("tests", []))
        origin, evaluator = str(spec.get("qorig", "CRF")), str(spec.get("qeval", ""))
        return SupplementalQualifier(qnam, str(spec["label"]), declared, origin, evaluator, tested)

    def _test_codes(self, node: LocatedDict) -> set[str]:
        """Test codes of a block, as far as they are declared."""
        shared = self.body.get("tests") or {}
        tests = node.get("tests") or {}
        return {str(spec.get("testcd", (shared.get(key) or {}).get("testcd", key))) for key, spec in tests.items()}

    def _tests(self, node: LocatedDict, context: MappingContext) -> list[FindingTest]:
        declared = node.get("tests")
        if not declared:
            return []
        if not self.guide.dataset_class.startswith("Findings"):
            raise complain(node, "tests", f"{self.domain} is not a findings domain")
        shared = self.body.get("tests") or {}
        both = node is self.body
        made = []
        with Gather() as gather:
            for key, spec in declared.items():
                with gather.part():
                    if not both and shared and key not in shared:
                        raise complain(declared, key, f"the domain declares no test '{key}'{nearest(key, shared)}")
                    everywhere = LocatedDict() if both else shared.get(key) or LocatedDict()
                    made.append(TestReader(self, context, key, spec, everywhere).read())
        return made
