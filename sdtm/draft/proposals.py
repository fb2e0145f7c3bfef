"""What a draft proposes for each field, tried out on the engine's own operations: certain, doubtful, or only said."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import sdtm.operations
from metadata.dictionary import Field
from metadata.errors import StudyError
from metadata.project import Project
from metadata.registration import load_modules
from metadata.standards import GuideVariable, sdtm_domains, sdtm_variables
from metadata.study import Study
from metadata.terminology import Terminology
from metadata.yaml_source import LocatedDict, LocatedList
from sdtm.draft.annotation import Seed, seeds
from sdtm.draft.names import (
    NOT_DONE_ENDS,
    UNIT_ENDS,
    Guess,
    companion,
    date_parts,
    guess,
    stem_of,
    tests_of,
    unit_in,
)
from sdtm.mapping.domain_mapping import codelists
from sdtm.operations.operation import MappingContext, Target, record_operation

SUBJECTS = "DM"
UNKNOWN_TERM = "???"
TEST_PARTS = {"ORRES": "result", "ORRESU": "unit", "STAT": "not_done", "REASND": "reason"}
LABEL = 40

load_modules(sdtm.operations)


@dataclass(frozen=True)
class Proposal:
    """One line of a drafted mapping; it is left out (a comment) unless ``active``, and marked where there is doubt."""

    domain: str
    form: str
    section: str
    key: str
    spec: dict[str, Any]
    doubt: str = ""
    active: bool = True


@dataclass
class Draft:
    """All proposals, and the fields that their annotation declares not submitted."""

    proposals: list[Proposal] = field(default_factory=list)
    not_submitted: list[str] = field(default_factory=list)
    doubts: dict[str, str] = field(default_factory=dict)

    def taken(self, domain: str, form: str, section: str, key: str) -> Proposal | None:
        """Return the line that is at a place already."""
        place = (domain, form, section, key)
        return next((p for p in self.proposals if p.active and (p.domain, p.form, p.section, p.key) == place), None)


class Drafter:
    """Goes over a dictionary: annotations first, then names."""

    def __init__(self, study: Study, project: Project, terminology: Terminology) -> None:
        self.study, self.project, self.terminology = study, project, terminology
        self.version = study.standards["sdtmig"]
        self.draft = Draft()

    def run(self) -> Draft:
        """Return the draft."""
        for form in self.project.dictionary.forms:
            self._form(form)
        return self.draft

    def _form(self, form: str) -> None:
        dictionary = self.project.dictionary
        tests = tests_of(dictionary, form, self.terminology, self.version)
        self.done: set[str] = set()
        fields = [item for item in dictionary.form_fields(form) if item.type not in ("descriptive", "calc")]
        for item in fields:
            self._annotated(item)
        for parts in date_parts(dictionary, form):
            self._date_parts(form, parts.stem, parts.fields)
        for item in fields:
            if item.name not in self.done and item.name != dictionary.record_id:
                self._named(item, tests)

    def _annotated(self, item: Field) -> None:
        found, strange = seeds(item.field_annotation)
        for seed in found:
            self.done.add(item.name)
            if seed.not_submitted:
                self.draft.not_submitted.append(item.name)
            elif seed.domain not in sdtm_domains(self.version):
                strange.append(f"{seed.domain}.{seed.variable}")
            elif seed.supplemental:
                self._supplemental(item, seed)
            elif self._part(seed) and seed.test:
                self._test(item, seed.domain, seed.test, self._part(seed), "")
            else:
                self._variable(item, Guess(seed.domain, seed.variable))
        if strange:
            self.draft.doubts[item.name] = f"the annotation '{strange[0]}' names nothing of SDTMIG {self.version}"

    @staticmethod
    def _part(seed: Seed) -> str:
        return TEST_PARTS.get(seed.variable.removeprefix(seed.domain), "")

    def _named(self, item: Field, tests: dict[str, tuple[Guess, str]]) -> None:
        own = guess(item, self.version)
        if own is not None:
            self._variable(item, own)
        elif item.name in tests:
            found, code = tests[item.name]
            self._test(item, found.domain, code, "result", found.doubt)
            self._companions(item, found.domain, code)

    def _companions(self, item: Field, domain: str, code: str) -> None:
        """Take the fields of a test's unit and of its being not done."""
        end = item.name.lower().removeprefix(stem_of(item))
        for part, ends in (("unit", UNIT_ENDS), ("not_done", NOT_DONE_ENDS)):
            found = companion(self.project.dictionary, item, ends, end)
            if found is not None and found.name not in self.done and not found.field_annotation.upper().count("SDTM"):
                self._test(found, domain, code, part, "")

    def _date_parts(self, form: str, stem: str, names: tuple[str, str, str]) -> None:
        found = guess(replace(self.project.dictionary.fields[names[0]], field_name=stem), self.version)
        if found is None or not found.variable.endswith("DTC") or set(names) & self.done:
            return
        self.done.update(names)
        self._propose(found.domain, form, "variables", found.variable, {"date": list(names)}, found.doubt)

    def _supplemental(self, item: Field, seed: Seed) -> None:
        spec = {**self._operation(item, seed.variable), "label": item.label[:LABEL] or seed.variable}
        self._propose(seed.domain, item.form, "supplemental", seed.variable, spec, "")

    def _operation(self, item: Field, variable: str) -> dict[str, Any]:
        if variable.endswith("DTC"):
            return {"date": item.name}
        if item.type == "checkbox":
            return {"checkbox": item.name, "multiple": "MULTIPLE"}
        return {"field": item.name}

    def _variable(self, item: Field, found: Guess) -> None:
        self.done.add(item.name)
        spec = self._operation(item, found.variable)
        self._propose(found.domain, item.form, "variables", found.variable, spec, found.doubt)

    def _test(self, item: Field, domain: str, code: str, part: str, doubt: str) -> None:
        """Propose one part of a test; the parts of one test are in one line."""
        self.done.add(item.name)
        place = self.draft.taken(domain, item.form, "tests", code)
        suffix = next(suffix for suffix, name in TEST_PARTS.items() if name == part)
        target = self._target(domain, f"{domain}{suffix}")
        spec: Any = item.name
        problem = "" if part == "not_done" else self._problem({"field": item.name}, target, item.form)
        meant = {"field": item.name, "synonyms": True}
        if problem and part == "unit" and not self._problem(meant, target, item.form):
            spec, problem = meant, ""
        if part == "result" and place is None and not problem:
            self._propose_test(domain, item, code, doubt)
        elif part == "result":
            taken = f"{code} is taken already, by {place.spec}" if place else problem
            self.draft.proposals.append(
                Proposal(domain, item.form, "tests", code, {"result": item.name}, taken, active=False)
            )
        elif place is None or problem:
            self.draft.doubts[item.name] = problem or f"there is no result of the test {code} on the form"
        else:
            several = part == "unit" and len(item.choices) > 1
            sentence = "say its standard_unit, and under from the factors of the other units" if several else ""
            doubts = "; ".join(words for words in (place.doubt, sentence) if words)
            made = replace(place, spec={**place.spec, part: spec}, doubt=doubts)
            self.draft.proposals[self.draft.proposals.index(place)] = made

    def _propose_test(self, domain: str, item: Field, code: str, doubt: str) -> None:
        """Propose a test; one that the terminology lacks gets its field's label as its name."""
        bound = self._target(domain, f"{domain}TESTCD").codelists
        spec: dict[str, Any] = {"result": item.name}
        if not any(code in self.terminology.codelist(listed).terms for listed in bound):
            spec["test"] = item.label[:LABEL] or code
            if bound:
                listed = self.terminology.codelist(bound[0])
                doubt = f"'{code}' is not a term of {listed.name}{listed.nearest(code)}"
                self.draft.proposals.append(Proposal(domain, item.form, "tests", code, spec, doubt, active=False))
                return
            doubt = doubt or "the test's name is the field's label"
        unit = self._unit_in_label(domain, item)
        if unit:
            spec |= {"unit": {"constant": unit}, "standard_unit": unit}
        self.draft.proposals.append(Proposal(domain, item.form, "tests", code, spec, doubt))

    def _unit_in_label(self, domain: str, item: Field) -> str:
        """Return the term of the unit that a label names in brackets; blank without one, or with a field for it."""
        end = item.name.lower().removeprefix(stem_of(item))
        word = "" if companion(self.project.dictionary, item, UNIT_ENDS, end) else unit_in(item.label)
        lists = [self.terminology.codelist(code) for code in self._target(domain, f"{domain}ORRESU").codelists]
        own = [word for listed in lists if word in listed.terms]
        meant = [term for term in (listed.meant(word) for listed in lists) if term] if word else []
        return next(iter([*own, *meant]), "")

    def _target(self, domain: str, variable: str) -> Target:
        guide: dict[str, GuideVariable] = {item.name: item for item in sdtm_variables(self.version, domain)}
        found = guide.get(variable)
        if found is None:
            return Target(domain, variable)
        bound = () if variable.endswith(("ORRES", "REASND")) else codelists(found)
        return Target(domain, variable, found.type == "Num", bound)

    def _propose(
        self, domain: str, form: str, section: str, key: str, spec: dict[str, Any], doubt: str, active: bool = True
    ) -> None:
        """Add a line if the engine takes it; what it says otherwise becomes the doubt of a line left out."""
        known = {item.name for item in sdtm_variables(self.version, domain)}
        place = self.draft.taken(domain, "" if domain == SUBJECTS else form, section, key)
        if section == "variables" and key not in known:
            active, doubt = False, f"{domain} has no variable {key} in SDTMIG {self.version}"
        elif place is not None:
            active, doubt = False, f"{key} is taken already, by {place.spec}"
        elif active:
            spec, doubt, active = self._tried(
                spec, self._target(domain, key if section == "variables" else ""), form, doubt
            )
        shown = "" if domain == SUBJECTS else form
        self.draft.proposals.append(Proposal(domain, shown, section, key, spec, doubt, active))

    def _tried(self, spec: dict[str, Any], target: Target, form: str, doubt: str) -> tuple[dict[str, Any], str, bool]:
        """Return the operation as the engine takes it, what is doubtful, and whether it takes it at all."""
        problem = self._problem(spec, target, form)
        if not problem:
            return spec, doubt, True
        for other, reason in self._otherwise(spec, target):
            if not self._problem(other, target, form):
                return other, "; ".join(part for part in (doubt, reason) if part), True
        return self._with_terms(spec, target), problem, False

    def _otherwise(self, spec: dict[str, Any], target: Target) -> list[tuple[dict[str, Any], str]]:
        """Return other ways to write an operation that the engine does not take."""
        ways = []
        if target.codelists and ("field" in spec or "checkbox" in spec):
            ways.append(({**spec, "synonyms": True}, "choices are matched by synonyms of the terms"))
        name = spec.get("field") or spec.get("date")
        if target.domain == SUBJECTS and isinstance(name, str):
            form = self.project.dictionary.fields[name].form
            first = next((event for event in self.project.event_names if self.project.designated(event, form)), "")
            sentence = f"its form is filled in several events; taken from the first, {first}"
            if first and "field" in spec:
                ways.append(({"lookup": name, "event": first}, sentence))
            elif first:
                ways.append(({"date": name, "match": "subject", "event": first}, sentence))
        return ways

    def _with_terms(self, spec: dict[str, Any], target: Target) -> dict[str, Any]:
        """Return a choice field's operation with the terms that its labels name, the others to be filled in."""
        name = spec.get("field") or spec.get("checkbox")
        found = self.project.dictionary.fields.get(str(name))
        if found is None or not found.choices or not target.codelists:
            return spec
        lists = [self.terminology.codelist(code) for code in target.codelists]
        terms = {
            code: next((term for term in (listed.meant(label) for listed in lists) if term), UNKNOWN_TERM)
            for code, label in found.choices.items()
        }
        return {**spec, "terms": terms}

    def _problem(self, spec: dict[str, Any], target: Target, form: str) -> str:
        """Return what the engine says against an operation, the first of several; blank if it takes it."""
        own = form if target.domain != SUBJECTS else ""
        context = MappingContext(self.study, self.project, self.terminology, own)
        node = located(spec)
        try:
            record_operation(node, target, context, node)
        except StudyError as error:
            more = f" (and {len(error.others)} more)" if error.others else ""
            return f"{error.message}{more}"
        return ""


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
