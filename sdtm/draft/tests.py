"""The tests of a draft: the field of a result with those of its unit, its limits and of its not being done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from metadata.dictionary import Field
from metadata.labels import plain_label
from metadata.unit_scale import factor_between
from sdtm.columns.text import transliterated
from sdtm.draft.choices import terms_of, unit_term
from sdtm.draft.names import COMPANIONS, companion, names_of, units_in
from sdtm.draft.proposals import Lines, Proposal, label_of, texts
from sdtm.draft.recognised import LIKELY, Guess
from sdtm.draft.vocabulary import every_word

SUFFIX = {"result": "ORRES", "unit": "ORRESU", "not_done": "STAT", "reason": "REASND"}
PARTS = {suffix: part for part, suffix in SUFFIX.items()}
REPEATED = "REPNUM"
DONE = {"done", "performed", "taken", "collected", "hizo", "realizo", "obtained"}


@dataclass
class Tests:
    """Writes tests into the lines of a draft; ``done`` are the fields that have been used."""

    lines: Lines
    done: set[str] = field(default_factory=set)

    def result(self, item: Field, guess: Guess) -> bool:
        """Propose a test with its companions; a second one of the same code on the form is a repetition."""
        lines, domain = self.lines, guess.domain
        code = guess.test if guess.more else self._share(item, domain, guess.test)
        block = lines.block(domain, item.form)
        spec: dict[str, Any] = {"result": item.name, **guess.more}
        spec |= {} if guess.more else self._name(item, domain, code)
        key, doubt = self._key(domain, block, code, spec)
        unit = self._printed_unit(domain, item)
        units: dict[str, Any] = {"unit": {"constant": unit}, "standard_unit": unit} if unit else {}
        spec, problem = self._as_taken(item, domain, key, {**spec, **units})
        if problem or doubt is None:
            why = problem or f"'{code}' is not a term of the codelist of {domain}TESTCD"
            lines.draft.proposals.append(
                Proposal(domain, block, "tests", code, spec, guess.confidence, guess.reason, why, False)
            )
            return False
        lines.draft.proposals.append(Proposal(domain, block, "tests", key, spec, guess.confidence, guess.reason, doubt))
        lines.draft.place([item.name], f"{domain}.{domain}ORRES.{code}", guess.confidence, guess.reason)
        self.done.add(item.name)
        self._companions(item, domain, block, key, code, guess.confidence)
        return True

    def _as_taken(self, item: Field, domain: str, key: str, spec: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """Return a test as the engine takes it, with the code of a choice as its standard result where it must be.

        With it comes what the engine says against it, blank if it takes it.
        """
        problem = self.lines.problem_of_test(domain, item.form, key, spec)
        strange = next((label for label in item.choices.values() if transliterated(plain_label(label))[1]), "")
        if strange:
            return spec, f"'{plain_label(strange)}' holds characters that no dataset can hold"
        by_code = {**spec, "standard": "code"}
        if problem and item.choices and not self.lines.problem_of_test(domain, item.form, key, by_code):
            return by_code, ""
        return spec, problem

    def part(self, item: Field, domain: str, code: str, part: str, confidence: str, reason: str) -> bool:
        """Add one field to a test that is there; return False if there is none, or the engine does not take it."""
        lines, block = self.lines, item.form
        place = lines.draft.taken(domain, block, "tests", code)
        spec, doubt = self._part(item, domain, part)
        if place is None or spec is None:
            lines.draft.doubts.setdefault(item.name, doubt or f"there is no result of the test {code} on the form")
            return False
        if part in SUFFIX:
            made = {**place.spec, part: spec}
            if part == "unit":
                made, more = self._with_standard(made, item, domain)
                doubt = "; ".join(filter(None, (doubt, more)))
        else:
            made = {**place.spec, "variables": {**place.spec.get("variables", {}), f"{domain}{part}": spec}}
        problem = lines.problem_of_test(domain, block, place.key, made)
        if problem:
            lines.draft.doubts.setdefault(item.name, problem)
            return False
        lines.replace(place, spec=made, doubt="; ".join(filter(None, (place.doubt, doubt))))
        shown = f"{domain}.{domain}{SUFFIX.get(part, part)}"
        lines.draft.place([item.name], f"{shown}.{code.partition('_')[0]}", confidence, reason)
        self.done.add(item.name)
        return True

    def whole_form(self, item: Field, domain: str) -> bool:
        """Take a question whether the form's tests were done, or why not, for all tests of the form."""
        lines = self.lines
        tests = [one for one in lines.draft.of_block(domain, item.form) if one.section == "tests"]
        no = _no(item)
        if not tests or not self.asks_if_done(item):
            return False
        spec = {"field": item.name, "code": no}
        for one in self._of_section(item, tests):
            if "not_done" not in one.spec:
                lines.replace(one, spec={**one.spec, "not_done": spec})
        lines.draft.place([item.name], f"{domain}.{domain}STAT", LIKELY, "it asks whether the form's tests were done")
        return True

    def asks_if_done(self, item: Field) -> bool:
        """Return True for a question with yes and no whether something was done."""
        return bool(_no(item)) and bool(DONE & set(every_word(item.label)))

    def why_not(self, item: Field, domain: str) -> bool:
        """Take the reason why the tests of a form were not done for all that may be."""
        lines, target = self.lines, self.lines.target(domain, f"{domain}REASND")
        tests = [one for one in lines.draft.of_block(domain, item.form) if "not_done" in one.spec]
        if not tests or lines.problem({"field": item.name}, target, item.form):
            return False
        for one in self._of_section(item, tests):
            if "reason" not in one.spec:
                lines.replace(one, spec={**one.spec, "reason": item.name})
        lines.draft.place([item.name], f"{domain}.{domain}REASND", LIKELY, "it asks why the form's tests were not done")
        return True

    def _of_section(self, item: Field, tests: list[Proposal]) -> list[Proposal]:
        """Return the tests of the field's own section of the form where it has any, else all of them."""
        own, section = {}, ""
        for each in self.lines.project.dictionary.form_fields(item.form):
            section = each.name if each.section_header else section
            own[each.name] = section
        same = [one for one in tests if any(own.get(name) == own[item.name] for name in texts(one.spec["result"]))]
        return same or tests

    def _share(self, item: Field, domain: str, code: str) -> str:
        """Return the test of a share of the leukocytes where the unit is a percentage: LYM in % is LYMLE."""
        bound = self.lines.target(domain, f"{domain}TESTCD").codelists
        unit = companion(self.lines.project.dictionary, item, COMPANIONS["unit"])
        shown = list(unit.choices.values()) if unit is not None else units_in(item.label)
        known = any(f"{code}LE" in self.lines.terminology.codelist(listed).terms for listed in bound)
        return f"{code}LE" if known and shown and all(one.strip() == "%" for one in shown) else code

    def _name(self, item: Field, domain: str, code: str) -> dict[str, str]:
        """Return the name of a test that the terminology does not name."""
        bound = self.lines.target(domain, f"{domain}TESTCD").codelists
        if any(code in self.lines.terminology.codelist(listed).terms for listed in bound):
            return {}
        return {"test": label_of(item) or code}

    def _key(self, domain: str, block: str, code: str, spec: dict[str, Any]) -> tuple[str, str | None]:
        """Return the key of a test, and what is doubtful of it; None where the codelist has no such test."""
        lines = self.lines
        bound = lines.target(domain, f"{domain}TESTCD").codelists
        if "test" in spec and bound and not any(code in lines.terminology.codelist(listed).terms for listed in bound):
            return code, None
        first = lines.draft.taken(domain, block, "tests", code)
        if first is None:
            return code, "the test's name is the field's label" if "test" in spec else ""
        name, number = f"{domain}{REPEATED}", 2
        while lines.draft.taken(domain, block, "tests", f"{code}_{number}"):
            number += 1
        if number == 2:
            lines.replace(first, spec={**first.spec, "variables": {name: {"constant": "1"}}})
        spec |= {"testcd": code, "variables": {name: {"constant": str(number)}}}
        return f"{code}_{number}", f"{code} is on the form before; taken as repetition {number}"

    def _companions(self, item: Field, domain: str, block: str, key: str, code: str, confidence: str) -> None:
        """Take the fields of a test's unit, its limits and of its being not done."""
        for part, ends in COMPANIONS.items():
            found = companion(self.lines.project.dictionary, item, ends)
            if found is None or found.name in self.done or "SDTM" in found.field_annotation.upper():
                continue
            if part in ("ORNRLO", "ORNRHI") and not self._has(domain, part):
                continue
            self.part(found, domain, key, part, confidence, f"it is named after {item.name}, the result of {code}")

    def _has(self, domain: str, part: str) -> bool:
        return f"{domain}{part}" in names_of(self.lines.version, domain)

    def _part(self, item: Field, domain: str, part: str) -> tuple[Any, str]:
        """Return how one part of a test is written, None if the engine does not take it, and what is to be said."""
        lines, variable = self.lines, f"{domain}{SUFFIX.get(part, part)}"
        if part == "not_done":
            return (item.name, "") if item.choices else (None, "it has no choices that say that the test was not done")
        spec, doubt, active = lines.tried({"field": item.name}, lines.target(domain, variable), item.form)
        if not active:
            return None, doubt
        return (item.name if spec == {"field": item.name} and part in SUFFIX else spec), doubt

    def _with_standard(self, spec: dict[str, Any], item: Field, domain: str) -> tuple[dict[str, Any], str]:
        """Return a test with the first of its units as the standard one where the factors of all others are known."""
        spec = {key: value for key, value in spec.items() if key != "standard_unit"}
        bound = self.lines.target(domain, f"{domain}ORRESU").codelists
        given = terms_of(item, bound, self.lines.terminology).terms if item.choices and bound else {}
        units = list(dict.fromkeys(unit for unit in given.values() if unit))
        if not units:
            return spec, ""
        factors = {unit: factor_between(unit, units[0]) for unit in units[1:]}
        if any(factor is None for factor in factors.values()):
            return spec, "say its standard_unit, and under unit_factors the factors of the other units"
        more = {"unit_factors": factors} if factors else {}
        return {**spec, "standard_unit": units[0], **more}, ""

    def _printed_unit(self, domain: str, item: Field) -> str:
        """Return the term of the unit that a label has in brackets; blank without one, or with a field for it."""
        if companion(self.lines.project.dictionary, item, COMPANIONS["unit"]):
            return ""
        lists = [
            self.lines.terminology.codelist(code) for code in self.lines.target(domain, f"{domain}ORRESU").codelists
        ]
        words = [*units_in(item.label), item.field_note]
        found = [term for word in words for part in (word, word.split(",")[0]) if (term := unit_term(part, lists))]
        return found[0] if lists and found else ""


def _no(item: Field) -> str:
    """Return the code of a choice that is called no; blank if there is none."""
    return next((code for code, label in item.choices.items() if every_word(label)[:1] in (("no",), ("not",))), "")
