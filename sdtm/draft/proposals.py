"""What a draft proposes for each field, tried out on the engine's own operations: with confidence and its reason."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import sdtm.operations
from metadata.dictionary import Field
from metadata.errors import StudyError
from metadata.labels import plain_label
from metadata.project import Project
from metadata.registration import load_modules
from metadata.sdtm_model import with_model
from metadata.standards import GuideVariable, sdtm_dataset, sdtm_domains, sdtm_variables
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.yaml_source import LocatedDict, LocatedList
from sdtm.columns.text import transliterated
from sdtm.draft.annotation import Seed, seeds
from sdtm.draft.choices import ChoiceTerms, terms_of
from sdtm.draft.recognised import CERTAIN, GUESS, SUBJECTS
from sdtm.mapping.domain_mapping import codelists
from sdtm.mapping.reading_tests import TestReader
from sdtm.operations.operation import MappingContext, Target, record_operation
from sdtm.operations.value_sets import possible_values

LABEL, CODE = 40, 8
FURTHER = "#"
"""Between a form and the number of a further block of it."""
COUNTED = re.compile(r"^(.*[a-z])_?(\d{1,2})$")
RECORDS = ("Events", "Interventions")
NOT_SUBMITTED = "NOT SUBMITTED"
WORDED = ("label", "constant", "test", "testcd", "category", "terms", "code", "codelists", "standard", "standard_unit")
"""Keys of operations and tests that hold words of the study, which may be spelt like the name of a field."""
FREE = ("ORRES", "REASND")
"""Ends of variables whose terms a test reads in its own way."""

load_modules(sdtm.operations)


@dataclass(frozen=True)
class Proposal:
    """One line of a drafted mapping; it is left out (a comment) unless ``active``.

    ``block`` names the block of records within the domain, ``reason`` says why the field is thought to be this,
    ``doubt`` what is to be decided in the line.
    """

    domain: str
    block: str
    section: str
    key: str
    spec: dict[str, Any]
    confidence: str
    reason: str
    doubt: str = ""
    active: bool = True


@dataclass(frozen=True)
class Placement:
    """Where a draft puts a field: ``AE.AETERM``, ``LB.LBORRES.ALT``, ``SUPPAE.QVAL`` or ``NOT SUBMITTED``, and why."""

    field: str
    place: str
    confidence: str
    reason: str


@dataclass(frozen=True)
class Link:
    """A field of a domain's form that holds the number of an instance of another domain's form."""

    field: str
    domain: str
    form: str
    to_domain: str
    to_form: str


@dataclass
class Draft:
    """All that is proposed.

    ``blocks`` are the keys of each block beside its variables, by domain and name; ``not_submitted`` are reasons by
    field, ``doubts`` what is said of fields without a place, ``extensions`` terms by codelist.
    """

    proposals: list[Proposal] = field(default_factory=list)
    blocks: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    placements: list[Placement] = field(default_factory=list)
    not_submitted: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)
    extensions: dict[str, dict[str, str]] = field(default_factory=dict)
    criteria: list[dict[str, str]] = field(default_factory=list)
    without_record: dict[str, str] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)

    def taken(self, domain: str, block: str, section: str, key: str) -> Proposal | None:
        """Return the line that is at a place already."""
        place = (domain, block, section, key)
        return next((p for p in self.proposals if p.active and (p.domain, p.block, p.section, p.key) == place), None)

    def of_block(self, domain: str, block: str) -> list[Proposal]:
        """Return the active lines of a block."""
        return [one for one in self.proposals if one.active and (one.domain, one.block) == (domain, block)]

    def place(self, names: Iterable[str], place: str, confidence: str, reason: str) -> None:
        """Say where some fields are."""
        self.placements += [Placement(name, place, confidence, reason) for name in names]

    def placed(self) -> set[str]:
        """Return the fields that an active line names, or that are declared not submitted."""
        named = {word for one in self.proposals if one.active for word in texts(one.spec)}
        conditions = {word for head in self.blocks.values() for word in (*(head.get("where") or {}), *texts(head))}
        return named | conditions | set(self.not_submitted) | {link.field for link in self.links}


def texts(node: Any) -> set[str]:
    """Return all texts in a node that may be names of fields, save for its keys."""
    if isinstance(node, dict):
        return {word for key, value in node.items() if key not in WORDED for word in texts(value)}
    if isinstance(node, list):
        return {word for item in node for word in texts(item)}
    return {node} if isinstance(node, str) else set()


def label_of(item: Field) -> str:
    """Return a field's label as a dataset can hold it: ASCII, at most 40 characters; blank if nothing is left."""
    plain = transliterated(plain_label(item.label))[0].encode("ascii", "ignore").decode()
    return plain.strip()[:LABEL].strip()


class Lines:
    """Writes the lines of a draft, each only as the engine takes it."""

    def __init__(self, study: Study, project: Project, terminology: Terminology) -> None:
        self.study, self.project, self.terminology = study, project, terminology
        self.version = study.standards["sdtmig"]
        self.draft = Draft()
        self.relative: list[tuple[str, str, str, str, dict[str, Any]]] = []

    def made(
        self,
        domain: str,
        block: str,
        key: str,
        spec: dict[str, Any],
        confidence: str,
        reason: str,
        section: str = "variables",
    ) -> Proposal:
        """Return a line that needs no trial."""
        return Proposal(domain, block, section, key, spec, confidence, reason)

    def block(self, domain: str, name: str, **head: Any) -> str:
        """Return the name of a block, made if there is none: of subjects for DM, else of the form ``name``."""
        if domain == SUBJECTS:
            name, head = "", {"each": "subject"}
        self.draft.blocks.setdefault((domain, name), head or {"form": name})
        return name

    def variable(self, item: Field, domain: str, variable: str, confidence: str, reason: str) -> bool:
        """Propose a field for a variable; return True if the line is taken."""
        block = self.block_of(item, domain, variable)
        codes = self.target(domain, variable).codelists
        if item.choices and codes and terms_of(item, codes, self.terminology).guessed:
            confidence = GUESS
        made = self.propose(domain, block, "variables", variable, self.operation(item, variable), confidence, reason)
        if made:
            self.draft.place([item.name], f"{domain}.{variable}", confidence, reason)
        return made

    def supplemental(self, item: Field, domain: str, qnam: str, confidence: str, reason: str) -> bool:
        """Propose a field as a supplemental qualifier."""
        spec = {**self.operation(item, qnam), "label": label_of(item) or qnam}
        made = self.propose(domain, self.block_of(item, domain), "supplemental", qnam, spec, confidence, reason)
        if made:
            self.draft.place([item.name], f"SUPP{domain}.QVAL", confidence, reason)
        return made

    def block_of(self, item: Field, domain: str, variable: str = "") -> str:
        """Return the block of a field: its form, or a further block where its name counts the records of the form.

        ``dose_2`` is of a second record if EXDOSE is ``dose_1`` or ``dose``, or if another field began that record.
        """
        numbered = COUNTED.match(item.name)
        if numbered is None or sdtm_dataset(self.version, domain).dataset_class not in RECORDS:
            return item.form
        number = int(numbered[2])
        further = f"{item.form}{FURTHER}{number}"
        taken = self.draft.taken(domain, item.form, "variables", variable)
        first = {numbered[1], numbered[1].removesuffix("_"), f"{numbered[1]}1", f"{numbered[1]}_1"}
        begun = number == 2 or (domain, f"{item.form}{FURTHER}{number - 1}") in self.draft.blocks
        if taken and first & texts(taken.spec) and begun and (domain, further) not in self.draft.blocks:
            self.block(domain, further, form=item.form, where={item.name: {"missing": False}})
        return further if (domain, further) in self.draft.blocks else item.form

    def operation(self, item: Field, variable: str) -> dict[str, Any]:
        """Return the operation that takes a field for a variable."""
        if variable.endswith("DTC"):
            return {"date": item.name}
        if item.type == "checkbox" and len(item.choices) == 1:
            return {"checkbox": item.name, "code": next(iter(item.choices))}
        if item.type == "checkbox":
            return {"checkbox": item.name, "multiple": "MULTIPLE"}
        return {"field": item.name}

    def propose(
        self, domain: str, block: str, section: str, key: str, spec: dict[str, Any], confidence: str, reason: str
    ) -> bool:
        """Add a line if the engine takes it, else as a comment with what the engine says; return True if it does."""
        known = {item.name for item in sdtm_variables(self.version, domain)}
        name = self.block(domain, block)
        place = self.draft.taken(domain, name, section, key)
        doubt, active = "", False
        if section == "variables" and key not in known:
            doubt = f"{domain} has no variable {key} in SDTMIG {self.version}"
        elif place is not None:
            doubt = f"{key} is taken already, by {place.spec}"
        else:
            target = self.target(domain, key if section == "variables" else "")
            spec, doubt, active = self.tried(spec, target, block.partition(FURTHER)[0])
        self.draft.proposals.append(Proposal(domain, name, section, key, spec, confidence, reason, doubt, active))
        return active

    def target(self, domain: str, variable: str) -> Target:
        """Return the target of a variable, with its codelists."""
        guide: dict[str, GuideVariable] = {item.name: item for item in sdtm_variables(self.version, domain)}
        found = guide.get(variable)
        if found is None:
            return Target(domain, variable)
        bound = () if variable.endswith(FREE) else codelists(found)
        return Target(domain, variable, found.type == "Num", bound, found.described)

    def tried(self, spec: dict[str, Any], target: Target, form: str) -> tuple[dict[str, Any], str, bool]:
        """Return the operation as the engine takes it, what is doubtful, and whether it takes it at all."""
        problem = self.problem(spec, target, form)
        if not problem:
            return spec, "", True
        for other, doubt, terms in self._otherwise(spec, target):
            self._extend(terms)
            if not self.problem(other, target, form):
                for name, added in terms.added.items():
                    self.draft.extensions.setdefault(name, {}).update(added)
                return other, doubt, True
        return spec, problem, False

    def _extend(self, terms: ChoiceTerms) -> None:
        for name, added in terms.added.items():
            self.terminology.add(name, added)

    def own_term(self, codelist: str, term: str, said: str = "") -> None:
        """Add a term of the study's own to a codelist that may be extended, and to terminology.yaml."""
        listed = self.terminology.codelist(codelist)
        if term not in listed.terms:
            self.terminology.add(codelist, {term: said or term})
            self.draft.extensions.setdefault(listed.name, {})[term] = said or term

    def own_test(self, domain: str, code: str, name: str) -> None:
        """Add a test of the study's own to the codelists that the guide binds to a domain's tests, if it does."""
        for end, term in (("TESTCD", code), ("TEST", name)):
            for listed in self.target(domain, f"{domain}{end}").codelists:
                self.own_term(listed, term, name)

    def _otherwise(self, spec: dict[str, Any], target: Target) -> list[tuple[dict[str, Any], str, ChoiceTerms]]:
        """Return other ways to write an operation that the engine does not take."""
        ways, name = [], spec.get("field") or spec.get("checkbox") or spec.get("date")
        found, none = self.project.dictionary.fields.get(str(name)), ChoiceTerms()
        written = spec
        if found is not None and found.choices and target.codelists and "date" not in spec:
            terms = terms_of(found, target.codelists, self.terminology)
            if not terms.open:
                written = {**spec, "terms": terms.terms}
                ways.append((written, "; ".join(dict.fromkeys(terms.doubts)), terms))
        if target.domain == SUBJECTS and found is not None:
            ways += self._of_first_event(written, found)
        return ways or [(spec, "", none)]

    def _of_first_event(self, spec: dict[str, Any], found: Field) -> list[tuple[dict[str, Any], str, ChoiceTerms]]:
        """Return how a field of a form that is filled in several events is taken from the first of them."""
        project = self.project
        first = next(
            (
                event
                for event in project.event_names
                if project.designated(event, found.form)
                and not project.repeats(event, found.form)
                and not project.event_repeats(event)
            ),
            "",
        )
        if not first:
            return []
        doubt = f"its form is filled in several events; taken from the first, {first}"
        if "field" in spec:
            more = {key: value for key, value in spec.items() if key != "field"}
            return [({"lookup": found.name, "event": first, **more}, doubt, ChoiceTerms())]
        if "date" in spec:
            return [({**spec, "match": "subject", "event": first}, doubt, ChoiceTerms())]
        return []

    def problem(self, spec: dict[str, Any], target: Target, form: str) -> str:
        """Return what the engine says against an operation, the first of several; blank if it takes it."""
        own = form if target.domain != SUBJECTS else ""
        context = MappingContext(self.study, self.project, self.terminology, own)
        node = located(spec)
        try:
            made = record_operation(node, target, context, node)
        except StudyError as error:
            more = f" (and {len(error.others)} more)" if error.others else ""
            return f"{error.message}{more}"
        strange = next((value for value in possible_values([made]) if transliterated(value)[1]), "")
        return f"'{strange}' holds characters that no dataset can hold" if strange else ""

    def problem_of_test(self, domain: str, form: str, key: str, spec: dict[str, Any]) -> str:
        """Return what the engine says against a test, the first of several; blank if it takes it."""
        reader = _Domain(domain, located({}), self._variables(domain, spec), self.terminology)
        context = MappingContext(self.study, self.project, self.terminology, form)
        try:
            TestReader(reader, context, key, located(spec), located({})).read()
        except StudyError as error:
            return f"{error.message}" + (f" (and {len(error.others)} more)" if error.others else "")
        return ""

    def _variables(self, domain: str, spec: dict[str, Any]) -> dict[str, GuideVariable]:
        """Return the variables of a domain, with those of the model that a test names."""
        kind = sdtm_dataset(self.version, domain).dataset_class
        listed = with_model(domain, kind, sdtm_variables(self.version, domain), set(spec.get("variables", {})))
        return {variable.name: variable for variable in listed}

    def annotated(self, item: Field) -> bool:
        """Propose what the field's annotation says; return True if it says anything of SDTM."""
        found, strange = seeds(item.field_annotation)
        for seed in found:
            if not seed.not_submitted and seed.domain not in sdtm_domains(self.version):
                strange.append(f"{seed.domain}.{seed.variable}")
            else:
                self._seeded(item, seed)
        if strange:
            self.draft.doubts[item.name] = f"the annotation '{strange[0]}' names nothing of SDTMIG {self.version}"
        return bool(found)

    def _seeded(self, item: Field, seed: Seed) -> None:
        reason = "its annotation says so"
        if seed.not_submitted:
            self.draft.not_submitted[item.name] = "Annotated as not submitted"
            self.draft.place([item.name], NOT_SUBMITTED, CERTAIN, reason)
        elif seed.supplemental:
            self.supplemental(item, seed.domain, seed.variable, CERTAIN, reason)
        elif not seed.test:
            self.variable(item, seed.domain, seed.variable, CERTAIN, reason)

    def replace(self, old: Proposal, **changes: Any) -> Proposal:
        """Put a changed line in the place of another."""
        made = replace(old, **changes)
        self.draft.proposals[self.draft.proposals.index(old)] = made
        return made


@dataclass
class _Domain:
    """What the engine's reader of a test needs of its domain."""

    domain: str
    body: LocatedDict
    by_name: dict[str, GuideVariable]
    terminology: Terminology

    def target(self, node: LocatedDict, name: str) -> Target:
        """Return the target of a variable; raises StudyError if the domain has none of that name."""
        if name not in self.by_name:
            raise StudyError(f"{self.domain} has no variable {name}")
        guide = self.by_name[name]
        return Target(self.domain, name, guide.type == "Num", codelists(guide), guide.described)


def located(body: Any) -> Any:
    """Return a node as the reader of YAML makes it, without a place."""
    if isinstance(body, dict):
        node = LocatedDict({key: located(value) for key, value in body.items()})
        node.file, node.line, node.lines = "", 0, {}
        return node
    if isinstance(body, list):
        items: LocatedList = LocatedList(located(value) for value in body)
        items.file, items.line, items.lines = "", 0, {}
        return items
    return body
