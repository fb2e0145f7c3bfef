"""Reading the tests of a findings domain: what a test is everywhere, and which fields one form gives it."""

from __future__ import annotations

import re
from typing import Any, Protocol

from metadata.coding_file import read_codes
from metadata.errors import Gather, StudyError
from metadata.standards import GuideVariable
from metadata.terminology import Terminology
from metadata.units import TestUnits, read_units
from metadata.yaml_source import LocatedDict, complain
from sdtm.columns.number import NumberForm, read_result
from sdtm.columns.text import LIMIT, transliterated
from sdtm.mapping.criteria import DOMAIN as CRITERIA
from sdtm.mapping.domain_mapping import FindingTest, NotDone, codelists
from sdtm.operations.field_condition import read_field_condition
from sdtm.operations.operation import (
    MappingContext,
    RecordOperation,
    Target,
    check_term,
    choice,
    located,
    record_operation,
)
from sdtm.operations.value_sets import value_set
from sdtm.operations.values import FieldValue

QUALIFIERS = {"category": "CAT", "subcategory": "SCAT", "specimen": "SPEC", "method": "METHOD", "location": "LOC"}


def variables_given(spec: dict[str, Any], shared: dict[str, Any], key: str, domain: str) -> set[str]:
    """Return the variables that a test declares, on its form or for the whole domain."""
    nodes = [spec, shared.get(key) or {}]
    named = {name for node in nodes for name in node.get("variables") or {}}
    return named | {f"{domain}{suffix}" for word, suffix in QUALIFIERS.items() if any(node.get(word) for node in nodes)}


def _is_measured(word: str) -> bool:
    """True for a number or a limit such as <5, which a codelist of results need not have."""
    return read_result(word) is not None


class DomainReader(Protocol):
    """What a test needs of the reader of its domain."""

    domain: str
    body: LocatedDict
    by_name: dict[str, GuideVariable]
    terminology: Terminology

    def target(self, node: LocatedDict, name: str) -> Target:
        """Return the target of a variable."""


class TestReader:
    """Reads one test: what the domain says of it everywhere, and which fields one form gives it."""

    __test__ = False

    def __init__(
        self, reader: DomainReader, context: MappingContext, key: str, spec: LocatedDict, shared: LocatedDict
    ) -> None:
        self.reader, self.context, self.key, self.spec, self.shared = reader, context, key, spec, shared

    def _get(self, name: str, otherwise: Any = "") -> Any:
        return self.spec.get(name, self.shared.get(name, otherwise))

    def _node(self, name: str) -> LocatedDict:
        return self.spec if name in self.spec else self.shared

    def read(self) -> FindingTest:
        """Return the checked test."""
        testcd = str(self._get("testcd", self.key))
        unit: RecordOperation | None = None
        with Gather() as gather:
            with gather.part():
                name = self._name(testcd)
            with gather.part():
                result = self._operation("result", "ORRES")
                standard_terms = self._standard_terms(result)
                standard_codes = self._standard_codes(result)
                also_read = self._also_read(result)
            with gather.part():
                unit = self._operation("unit", "ORRESU") if "unit" in self.spec else None
            with gather.part():
                units = self._units()
                self._check_factors(unit, units)
            with gather.part():
                not_done = self._not_done()
            with gather.part():
                reason = self._operation("reason", "REASND") if "reason" in self.spec else None
            with gather.part():
                variables = self._variables()
            with gather.part():
                where = read_field_condition(self._node("where"), "where", self.context)
        return FindingTest(
            key=self.key,
            testcd=testcd,
            name=name,
            result=result,
            unit=unit,
            units=units,
            not_done=not_done,
            reason=reason,
            variables=variables,
            label_without=str(self._get("label_without")),
            standard=str(self._get("standard", "result")),
            standard_terms=standard_terms,
            standard_codes=standard_codes,
            coding_file=str(self._get("standard_coded", {}).get("file", "")),
            also_read=also_read,
            toxicity=str(self._get("toxicity")),
            toxicity_terms={term: float(grade) for term, grade in (self._get("toxicity_terms", None) or {}).items()},
            otherwise_reason=str(self.reader.body.get("reason_not_done", "")),
            where=where,
            codelists=(";".join(self._codelists("TESTCD")), ";".join(self._codelists("TEST"))),
        )

    def _name(self, testcd: str) -> str:
        """Return --TEST: decoded from the codelist of --TESTCD, or declared for a sponsor's test."""
        reader, terminology = self.reader, self.reader.terminology
        target = Target(reader.domain, f"{reader.domain}TESTCD", codelists=self._codelists("TESTCD"))
        check_term(self.spec, self.key, testcd, target, terminology)
        names = self._codelists("TEST")
        if len(testcd) > 8 or not re.fullmatch(r"[A-Z_][A-Z0-9_]*", testcd):
            raise complain(
                self.spec, None, f"{testcd}: a test code has at most 8 capital letters, digits and underscores"
            )
        if names and target.codelists:
            decoded = terminology.decode(target.codelists[0], names[0])
            if testcd in decoded:
                return decoded[testcd]
        name = str(self._get("test"))
        longest = LIMIT if reader.domain == CRITERIA else 40
        if not 1 <= len(name.encode()) <= longest:
            raise complain(self.spec, "test", f"{testcd} needs a test name of 1 to {longest} characters")
        check_term(self.spec, "test", name, Target(reader.domain, f"{reader.domain}TEST", codelists=names), terminology)
        if unknown := transliterated(name)[1]:
            raise complain(self.spec, "test", f"'{name}' holds characters that no dataset can hold: {unknown}")
        return name

    def _standard_codes(self, result: RecordOperation) -> dict[str, str] | None:
        """Return the study's codes by term of a result in free text; raises StudyError for a result of choices."""
        spec = self._get("standard_coded", None)
        if spec is None:
            return None
        if value_set([result]):
            problem = "only a result in free text is coded by a file; choices have standard_terms"
            raise complain(self._node("standard_coded"), "standard_coded", problem)
        return read_codes(self.context.study, spec)

    def _standard_terms(self, result: RecordOperation) -> dict[str, str]:
        """Return the value of --STRESC for a text: as declared, or the codelist's own term for a choice.

        Raises StudyError for a choice of which neither is known: its standard result would be null.
        """
        declared = {code: str(value) for code, value in (self._get("standard_terms", None) or {}).items()}
        name = f"{self.reader.domain}STRESC"
        guide = self.reader.by_name.get(name)
        bound = codelists(guide) if guide else ()
        if not bound or not isinstance(result, FieldValue) or self._get("standard") == "code":
            return declared
        target, cut = Target(self.reader.domain, name, codelists=bound), str(self._get("label_without"))
        with Gather() as gather:
            for given in dict.fromkeys(result.terms.values()):
                word = re.sub(cut, "", given) if cut else given
                wanted = declared.get(word, word)
                with gather.part():
                    term = self._standard_term(wanted, target) if wanted and not _is_measured(wanted) else wanted
                    if term != word:
                        declared[word] = term
        return declared

    def _standard_term(self, word: str, target: Target) -> str:
        """Return a term of the codelist, whatever its case; raises StudyError if there is none."""
        terms = {term for code in target.codelists for term in self.reader.terminology.codelist(code).terms}
        if word not in terms and word.upper() in terms:
            return word.upper()
        try:
            return check_term(self.spec, "result", word, target, self.reader.terminology)
        except StudyError as error:
            raise complain(
                self.spec, "result", f"{error.message}; the terms to take instead go under standard_terms"
            ) from None

    def _also_read(self, result: RecordOperation) -> frozenset[NumberForm]:
        """Return how results may be written beyond a plain number, by the test or the whole domain."""
        forms: frozenset[NumberForm] = frozenset(
            self._get("also_read", None) or self.reader.body.get("also_read") or []
        )
        if isinstance(result, FieldValue):
            result.forms = forms
        return forms

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
            spec = located({"field": spec}, self.spec, key)
        bound = () if suffix == "REASND" else codelists(self.reader.by_name[f"{self.reader.domain}{suffix}"])
        target = Target(self.reader.domain, f"{self.reader.domain}{suffix}", codelists=bound)
        if suffix == "ORRESU" and isinstance(spec, LocatedDict) and "field" in spec and "terms" not in spec:
            spec = self._with_unit_terms(spec)
        return record_operation(spec, target, self.context, self.spec)

    def _with_unit_terms(self, spec: LocatedDict) -> LocatedDict:
        """Return a unit's field with the domain's ``unit_terms``: for its choices, or all that a free text may hold."""
        declared: LocatedDict = self.reader.body.get("unit_terms") or LocatedDict()
        found = self.context.dictionary.fields.get(str(spec["field"]))
        if found is None or not declared or not set(found.choices) <= set(declared) or "synonyms" in spec:
            return spec
        every = {**{term: term for term in declared.values()}, **declared}  # a free text may be the term itself
        terms = located({code: every[code] for code in found.choices or every}, declared)
        return located({**spec, "terms": terms}, spec)

    def _check_factors(self, unit: RecordOperation | None, units: TestUnits) -> None:
        """Raise StudyError for the units that the form can give and that have no factor.

        Where each test has rows of its own, their units are in one field, and a free text has those of all tests: a
        factor is needed for none of them but one, and what a record has without a factor is a query.
        """
        free = isinstance(unit, FieldValue) and not unit.found.choices
        if unit is not None and (self._get("where") or free):
            return self._check_any_factor(unit, units)
        terms = unit.terms.values() if isinstance(unit, FieldValue) else []
        with Gather() as gather:
            for term in terms:
                with gather.part():
                    if term and units.standard and units.factor(term) is None:
                        problem = (
                            f"{self.key} has no factor from {term} to {units.standard}: declare it under unit_factors"
                        )
                        raise complain(self.spec, "unit", problem)

    def _check_any_factor(self, unit: RecordOperation, units: TestUnits) -> None:
        terms = [term for term in unit.terms.values() if term] if isinstance(unit, FieldValue) else []
        if terms and units.standard and all(units.factor(term) is None for term in terms):
            problem = (
                f"{self.key} has no factor from any unit of the form to {units.standard}: declare it under unit_factors"
            )
            raise complain(self.spec, "unit", problem)

    def _units(self) -> TestUnits:
        node = self._node("standard_unit")
        given = {name: node[name] for name in ("standard_unit", "unit_factors", "digits", "decimals") if name in node}
        body = located(given, node) if given else LocatedDict()
        units = read_units({self.key: body})[self.key]
        guide = self.reader.by_name.get(f"{self.reader.domain}STRESU")
        target = Target("", "", codelists=codelists(guide) if guide else ())
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
                spec = located({"constant": value}, node, key)
                name = f"{reader.domain}{suffix}"
                made[name] = record_operation(spec, reader.target(node, name), self.context, node)
        with Gather() as gather:
            for node in (self.shared, self.spec):
                declared: LocatedDict = node.get("variables") or LocatedDict()
                for name, spec in declared.items():
                    with gather.part():
                        made[name] = record_operation(spec, reader.target(declared, name), self.context, declared)
        return made
