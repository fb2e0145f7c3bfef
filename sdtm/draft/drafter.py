"""Going over a dictionary: annotations first, then tests, dates and the variables of each form's domain."""

from __future__ import annotations

import re
from dataclasses import replace

from metadata.dictionary import Field
from metadata.project import Project
from metadata.standards import sdtm_dataset
from metadata.study import Study
from metadata.terminology import Terminology
from sdtm.draft.annotation import seeds
from sdtm.draft.completion import completed
from sdtm.draft.instruments import CATEGORIES, InstrumentItems
from sdtm.draft.linked_records import linked_form
from sdtm.draft.names import date_parts, names_of, stem_of
from sdtm.draft.proposals import CODE, NOT_SUBMITTED, RECORDS, Draft, Lines, Link, texts
from sdtm.draft.recognised import (
    CERTAIN,
    GUESS,
    LIKELY,
    SUBJECTS,
    WITH_CHOICES,
    FormGuess,
    Guess,
    form_domain,
    label_of_form,
    own_name,
    prefix_of,
    recognised,
    surest,
)
from sdtm.draft.sponsor_items import SponsorItems, alike
from sdtm.draft.tests import PARTS, Tests
from sdtm.draft.vocabulary import Phrases, every_word, form_phrases, milestones, of_list, vocabulary

SILENT = ("descriptive", "calc", "file", "sql")
PERSONAL = (
    "email",
    "phone",
    "phone_australia",
    "phone_uk",
    "postalcode_australia",
    "ssn",
    "vmrn",
    "zipcode",
    "signature",
)
NUMBERED = re.compile(r"^([a-z]+?)_?(\d{1,2})[a-z]?$")
NAMED_BY_OPTION = {"MH": "TERM", "CM": "TRT"}
"""Topics that the options of a checkbox may be."""
NOTHING = (("none",), ("no",), ("ninguno",), ("ninguna",), ("not",), ("na",), ("unknown",))
COMMENTS, CRITERIA, VISITS = "CO", "IE", "SV"


class Drafter:
    """Goes over a dictionary."""

    def __init__(self, study: Study, project: Project, terminology: Terminology) -> None:
        self.study, self.project = study, project
        self.lines = Lines(study, project, terminology)
        self.version = study.standards["sdtmig"]
        self.dates = frozenset(study.text_dates)
        self.sponsor_items = SponsorItems(self.lines)
        self.kinds = {form: self._kind(form) for form in project.dictionary.forms}
        identity = study.declared.identity
        own = [identity.subject, identity.site] if identity else []
        self.known = {project.dictionary.record_id, *(name for name in own if isinstance(name, str))}

    def run(self) -> Draft:
        """Return the draft."""
        draft = self.lines.draft
        for name in sorted(self.known - {self.project.dictionary.record_id}):
            draft.place([name], "DM.SUBJID", LIKELY, "study.yaml names it under identity")
        for form in self.project.dictionary.forms:
            self._form(form)
        completed(self.lines)
        return draft

    def _kind(self, form: str) -> FormGuess:
        """Return the domain of a form by its names, else of questions if most of them offer the same choices."""
        kind = form_domain(self.project, form, self.version)
        weak = kind.domain in ("", VISITS)
        if weak and alike(self.project.dictionary.form_fields(form)):
            return FormGuess("QS", "most of its fields offer the same choices")
        return kind

    def _form(self, form: str) -> None:
        self.tests = Tests(self.lines, set(self.known))
        fields = [item for item in self.project.dictionary.form_fields(form) if item.type not in SILENT]
        kind, prefix = self.kinds[form], prefix_of(self.project, form)
        label = label_of_form(self.project, form)
        items = self._items_of_instruments(form, label, fields, kind)
        self._annotated(fields)
        if kind.domain == CRITERIA:
            self._criteria(form)
        guesses = {
            item.name: found
            for item in fields
            if item.name not in self.done
            and (found := surest(items.get(item.name), self._guess(item, kind, prefix))) is not None
        }
        for item in fields:
            if item.name in guesses and guesses[item.name].test and item.name not in self.done:
                self.tests.result(item, guesses[item.name])
        if fields:
            self._sponsor_items(fields, kind, prefix, label or form.replace("_", " "))
        kind = self._by_tests(form, kind)
        self._date_parts(form, kind, prefix)
        for item in fields:
            if item.name not in self.done and self.tests.whole_form(item, kind.domain):
                self.done.add(item.name)
        for item in fields:
            if item.name not in self.done:
                found = guesses.get(item.name) or self._guess(item, kind, prefix)
                self._milestone(item)
                if item.name not in self.done or (found and found.domain == SUBJECTS):
                    self._one(item, found, kind)
        self._time(fields, kind)
        for item in self.project.dictionary.form_fields(form):
            if item.name not in self.done:
                self._rest(item, kind, prefix)

    @property
    def done(self) -> set[str]:
        """The fields of the form that have a place."""
        return self.tests.done

    def _guess(self, item: Field, kind: FormGuess, prefix: str) -> Guess | None:
        return recognised(item, kind, prefix, self.version, self.lines.terminology, self.dates)

    def _items_of_instruments(self, form: str, label: str, fields: list[Field], kind: FormGuess) -> dict[str, Guess]:
        """Return the items of questionnaires and tests of the terminology; on a form of events none that is a guess."""
        found = InstrumentItems(self.lines.terminology, f"{form.replace('_', ' ')} {label}", fields).run()
        records = bool(kind.domain) and self._takes_qualifiers(kind.domain)
        return {name: guess for name, guess in found.items() if not (records and guess.confidence == GUESS)}

    def _sponsor_items(self, fields: list[Field], kind: FormGuess, prefix: str, label: str) -> None:
        """Take what is left of a form of questions or tests as items of the sponsor's own."""
        dates = {name for parts in date_parts(self.project.dictionary, fields[0].form) for name in parts.fields}
        open_ = {
            item.name
            for item in fields
            if item.name not in self.done | dates
            and not self._guess(item, kind, prefix)
            and not self.tests.asks_if_done(item)
            and not of_list("not_submitted", stem_of(item).replace("_", ""), item.label)
        }
        for name, guess in self.sponsor_items.guesses(fields, open_, kind.domain, label).items():
            before = {listed: dict(terms) for listed, terms in self.lines.draft.extensions.items()}
            self.lines.own_test(kind.domain, guess.test, str(guess.more["test"]))
            if "category" in guess.more:
                self.lines.own_term(CATEGORIES[kind.domain], str(guess.more["category"]))
            if not self.tests.result(self.project.dictionary.fields[name], guess):
                self.lines.draft.extensions = before  # nothing uses the terms

    def _annotated(self, fields: list[Field]) -> None:
        """Take what annotations say: results of tests first, then their other parts, then the rest."""
        for results in (True, False):
            for item in fields:
                for seed in seeds(item.field_annotation)[0]:
                    part = PARTS.get(seed.variable.removeprefix(seed.domain), "") if seed.test else ""
                    if seed.test and (part == "result") == results and item.name not in self.done:
                        self._seeded_test(item, seed.domain, seed.variable, seed.test, part)
        for item in fields:
            if item.name not in self.done and (self._annotated_flag(item) or self.lines.annotated(item)):
                self.done.add(item.name)

    def _annotated_flag(self, item: Field) -> bool:
        """Take an answer with yes and no whose annotation names --ENRTPT or --STRTPT."""
        named = [seed for seed in seeds(item.field_annotation)[0] if seed.variable.endswith(("ENRTPT", "STRTPT"))]
        reason = "its annotation says so"
        return any(self._flag(item, Guess(seed.domain, seed.variable, CERTAIN, reason)) for seed in named)

    def _seeded_test(self, item: Field, domain: str, variable: str, code: str, part: str) -> None:
        reason = "its annotation says so"
        if part == "result":
            self.tests.result(item, Guess(domain, variable, CERTAIN, reason, code))
        else:
            self.tests.part(item, domain, code, part or variable.removeprefix(domain), CERTAIN, reason)
        self.done.add(item.name)

    def _by_tests(self, form: str, kind: FormGuess) -> FormGuess:
        """Return the domain of a form that no name says, or that only its tests say: that of most of them."""
        found = [one.domain for one in self.lines.draft.proposals if one.active and one.block == form]
        tests = [one.domain for one in self.lines.draft.proposals if one.section == "tests" and one.block == form]
        most = max(sorted(set(tests)), key=tests.count, default="")
        if most and not kind.domain and found:
            return FormGuess(most, f"the form has tests of {most}")
        return kind

    def _date_parts(self, form: str, kind: FormGuess, prefix: str) -> None:
        """Take dates in several fields."""
        for parts in date_parts(self.project.dictionary, form):
            first = self.project.dictionary.fields[parts.fields[0]]
            shown = re.sub(r"[:,]?\s*\(?(year|año|ano)\)?\s*$", "", first.label, flags=re.IGNORECASE)
            whole = replace(
                first, field_name=parts.stem, field_label=shown, text_validation_type_or_show_slider_number="date_ymd"
            )
            found = self._guess(whole, kind, prefix)
            if found is None or not found.variable.endswith("DTC") or found.confidence == GUESS:
                continue
            if set(parts.fields) & self.done:
                continue
            spec = {"date": list(parts.fields)}
            if self.lines.propose(
                found.domain, form, "variables", found.variable, spec, found.confidence, found.reason
            ):
                self.lines.draft.place(parts.fields, f"{found.domain}.{found.variable}", found.confidence, found.reason)
                self.done.update(parts.fields)

    def _one(self, item: Field, found: Guess | None, kind: FormGuess) -> None:
        """Take a field as what it is recognised as, an identifier or a remark as such."""
        no_variable = self._of_subject(item) or self._personal(item, found)
        if no_variable or self._seriousness(item, kind) or self._flag(item, found) or self._ticked(item, kind):
            self.done.add(item.name)
        elif found is None or found.test:
            return
        elif found.variable.endswith(("REASND", "STAT")) and self._is_findings(found.domain):
            if self.tests.why_not(item, found.domain):
                self.done.add(item.name)
        elif self.lines.variable(item, found.domain, found.variable, found.confidence, found.reason):
            self.done.add(item.name)

    def _of_subject(self, item: Field) -> bool:
        """Take what is known of a subject and has no variable in DM as its supplemental qualifier, on any form."""
        match = of_list("subject_qualifiers", item.name, item.label)
        if not (match and match.whole) or item.identifier.lower() == "y" or item.type in ("checkbox", *SILENT):
            return False
        qnam = re.sub("[^A-Z0-9]", "", item.name.upper())[:CODE]
        return self.lines.supplemental(item, SUBJECTS, qnam, LIKELY, "its label says what is known of the subject")

    def _personal(self, item: Field, found: Guess | None) -> bool:
        """Take a field as one that is not submitted, where it tells who somebody is or keeps the site's books."""
        match = of_list("not_submitted", stem_of(item).replace("_", ""), item.label)
        if item.identifier.lower() == "y" and not (match and match.whole) and "date" in item.validation:
            return False
        flagged = item.identifier.lower() == "y"
        if item.validation in PERSONAL or flagged:
            reason, confidence = "Identifier", CERTAIN
            why = "REDCap marks it as an identifier" if flagged else f"its validation is {item.validation}"
        elif found is not None and found.domain != SUBJECTS:
            return False  # the name of a medication is nobody's name
        elif match and (match.whole or match.length > 1):
            reason, confidence = str(match.found), CERTAIN if match.whole else LIKELY
            why = "its name and label say so" if match.whole else "its label has words of an identifier"
        else:
            return False
        self.lines.draft.not_submitted[item.name] = reason
        self.lines.draft.place([item.name], NOT_SUBMITTED, confidence, why)
        return True

    def _milestone(self, item: Field) -> None:
        """Take the date of a milestone of the protocol as a record of DS, beside what else it is."""
        match = milestones().find(item.label) if item.validation.startswith(("date_", "datetime_")) else None
        if match is None or not (match.whole or match.length > 1):
            return
        name, reason = f"{item.form}:{item.name}", f"its label says {match.found}"
        confidence = LIKELY if match.whole else GUESS
        self.lines.block("DS", name, form=item.form, where={item.name: {"missing": False}})
        for variable, spec in (
            ("DSTERM", {"constant": match.found}),
            ("DSDECOD", {"constant": match.found}),
            ("DSCAT", {"constant": "PROTOCOL MILESTONE"}),
            ("DSSTDTC", {"date": item.name}),
        ):
            self.lines.draft.proposals.append(self.lines.made("DS", name, variable, spec, confidence, reason))
        self.lines.draft.place([item.name], "DS.DSSTDTC", confidence, reason)
        self.done.add(item.name)

    def _seriousness(self, item: Field, kind: FormGuess) -> bool:
        """Take the options of a checkbox that are criteria of seriousness, each as its own variable of AE."""
        if kind.domain != "AE" or item.type != "checkbox":
            return False
        phrases = Phrases.of((text, end) for end, texts in vocabulary()["seriousness"].items() for text in texts)
        meant = {code: match for code, label in item.choices.items() if (match := phrases.find(label))}
        ends = [str(match.found) for match in meant.values()]
        if len(meant) < 2 or len(set(ends)) < len(ends):
            return False
        reason = "its options are criteria of seriousness"
        for code, match in meant.items():
            spec = {"checkbox": item.name, "code": code}
            if self.lines.propose("AE", item.form, "variables", f"AE{match.found}", spec, LIKELY, reason):
                self.lines.draft.place([item.name], f"AE.AE{match.found}", LIKELY, reason)
        return True

    def _ticked(self, item: Field, kind: FormGuess) -> bool:
        """Take the options of a checkbox of conditions or medications as a record each; not where one means none."""
        named = form_phrases().find(item.label)
        said = str(named.found) if named and (named.whole or named.length > 1) else ""
        domain = next((one for one in (kind.domain, said) if one in NAMED_BY_OPTION), "")
        none = any(every_word(label)[:1] in NOTHING for label in item.choices.values())
        if item.type != "checkbox" or len(item.choices) < 2 or not domain or none:
            return False
        variable, spec = f"{domain}{NAMED_BY_OPTION[domain]}", {"option": item.name}
        if self.lines.problem(spec, self.lines.target(domain, variable), item.form):
            return False
        name, reason = f"{item.form}:{item.name}", f"its options are what a form of {domain} asks by name"
        self.lines.block(domain, name, form=item.form, each=item.name)
        asked = {f"{domain}PRESP": {"constant": "Y"}, f"{domain}OCCUR": {"constant": "Y"}}
        for key, value in {variable: spec, **asked}.items():
            self.lines.draft.proposals.append(self.lines.made(domain, name, key, value, GUESS, reason))
        self.lines.draft.place([item.name], f"{domain}.{variable}", GUESS, reason)
        return True

    def _flag(self, item: Field, found: Guess | None) -> bool:
        """Take an answer whether something goes on, or was before, as --ENRTPT and --STRTPT."""
        words_of = {"ENRTPT": "ONGOING", "STRTPT": "BEFORE"}
        end = found.variable.removeprefix(found.domain) if found else ""
        if found is None or end not in words_of or item.type not in WITH_CHOICES or item.type == "checkbox":
            return False
        terms = {code: words_of[end] if every_word(label)[:1] in (("yes",), ("si",), ("true",)) else None
                 for code, label in item.choices.items()}  # fmt: skip
        if list(terms.values()).count(words_of[end]) != 1:
            return False
        spec = {"field": item.name, "terms": terms}
        taken = self.lines.propose(
            found.domain, item.form, "variables", found.variable, spec, found.confidence, found.reason
        )
        if taken:
            self.lines.draft.place([item.name], f"{found.domain}.{found.variable}", found.confidence, found.reason)
            point = {"ENRTPT": ("ENTPT", "DM.RFPENDTC"), "STRTPT": ("STTPT", "DM.RFICDTC")}[end]
            self.lines.draft.blocks.setdefault((SUBJECTS, ""), {"each": "subject"})
            self._time_point(found, item.form, *point)
        return taken

    def _time_point(self, found: Guess, form: str, end: str, variable: str) -> None:
        """Say what a relative time point is relative to."""
        when = {found.variable: {"missing": False}}
        self.lines.relative.append((found.domain, form, f"{found.domain}{end}", variable, when))

    def _time(self, fields: list[Field], kind: FormGuess) -> None:
        """Add the one field of a time of day to the one date of the form."""
        times = [item for item in fields if item.validation == "time" and item.name not in self.done]
        if len(times) != 1:
            return
        of_form = [one for one in self.lines.draft.proposals if one.active and one.block == times[0].form]
        dates = [one for one in of_form if one.key.endswith("DTC") and isinstance(one.spec.get("date"), str)]
        spec = {**dates[0].spec, "time": times[0].name} if len(dates) == 1 and "time" not in dates[0].spec else {}
        if spec and not self.lines.problem(spec, self.lines.target(dates[0].domain, dates[0].key), times[0].form):
            self.lines.replace(dates[0], spec=spec)
            reason = f"the form has one date, {dates[0].spec['date']}"
            self.lines.draft.place([times[0].name], f"{dates[0].domain}.{dates[0].key}", LIKELY, reason)
            self.done.add(times[0].name)

    def _rest(self, item: Field, kind: FormGuess, prefix: str) -> None:
        """Take remarks as comments, and of events and interventions what is left as supplemental qualifiers."""
        if item.type in ("descriptive", "calc"):
            if item.type == "calc":
                self.lines.draft.place([item.name], NOT_SUBMITTED, LIKELY, "REDCap calculates it")
        elif item.type == "file":
            self.lines.draft.not_submitted[item.name] = "A file, which no dataset holds"
            self.lines.draft.place([item.name], NOT_SUBMITTED, CERTAIN, "it is a file")
        elif self._comment(item, kind):
            self.done.add(item.name)
        elif self._link(item, kind) or item.type in ("checkbox", "sql"):
            return
        elif kind.domain and self._takes_qualifiers(kind.domain):
            self._qualifier(item, kind.domain, prefix)

    def _link(self, item: Field, kind: FormGuess) -> bool:
        """Take the number of an instance of another form as a relation of the records."""
        form = linked_form(item, self.kinds, self.project) if kind.domain else ""
        if form:
            target = self.kinds[form].domain
            self.lines.draft.links.append(Link(item.name, kind.domain, item.form, target, form))
            self.lines.draft.place([item.name], "RELREC", LIKELY, f"its label is the number of a record of {form}")
            self.done.add(item.name)
        return bool(form)

    def _comment(self, item: Field, kind: FormGuess) -> bool:
        match = of_list("comments", stem_of(item).rpartition("_")[2], item.label)
        remark = bool(match and match.whole) or item.type == "notes"
        if item.type not in ("notes", "text") or item.validation or not remark:
            return False
        own = [one.domain for one in self.lines.draft.proposals if one.active and one.block == item.form]
        about = kind.domain if kind.domain in own else next(iter(own), SUBJECTS)
        named = bool(match and match.whole)
        reason = "its label says that it is a remark" if named else "it is a long text without a variable"
        name = f"{item.form}:{item.name}"
        spec = {"field": item.name}
        if self.lines.problem(spec, self.lines.target(COMMENTS, "COVAL"), item.form):
            return False
        self.lines.block(COMMENTS, name, form=item.form, about=about, where={item.name: {"missing": False}})
        confidence = LIKELY if item.type == "notes" and named else GUESS
        self.lines.draft.proposals.append(self.lines.made(COMMENTS, name, "COVAL", spec, confidence, reason))
        self.lines.draft.place([item.name], f"{COMMENTS}.COVAL", confidence, reason)
        return True

    def _is_findings(self, domain: str) -> bool:
        return sdtm_dataset(self.version, domain).dataset_class.startswith("Findings")

    def _takes_qualifiers(self, domain: str) -> bool:
        return sdtm_dataset(self.version, domain).dataset_class in RECORDS

    def _qualifier(self, item: Field, domain: str, prefix: str) -> None:
        """Propose a field for which the domain has no variable as a supplemental qualifier."""
        if any(item.name in texts(one.spec) for one in self.lines.draft.proposals if not one.active):
            return  # it is recognised, and what the engine says against it is to be decided first
        end = re.sub("[^A-Z0-9]", "", own_name(item, domain, prefix).upper())
        qnam = f"{domain}{end}"[:CODE]
        number = 1
        while qnam in names_of(self.version, domain) or self.lines.draft.taken(domain, item.form, "supplemental", qnam):
            number += 1
            qnam = f"{f'{domain}{end}'[: CODE - 1]}{number}"
        reason = f"no variable of {domain} is recognised in a form of {domain}"
        if self.lines.supplemental(item, domain, qnam, GUESS, reason):
            self.done.add(item.name)

    def _criteria(self, form: str) -> None:
        """Take numbered questions of eligibility as tests of IE: a criterion that was not met gives a record."""
        kinds = {name: kind for kind, names in vocabulary()["criteria"].items() for name in names}
        block = ""
        for item in self.project.dictionary.form_fields(form):
            found = NUMBERED.match(item.name.rpartition("_")[2] if "_" in item.name else item.name) or NUMBERED.match(
                item.name
            )
            kind = kinds.get(found[1], "") if found else ""
            answers = {every_word(label)[:1]: code for code, label in item.choices.items()}
            yes, no = (next((code for word, code in answers.items() if word in meant), "") for meant in (YES, NO))
            if not kind or not yes or not no or item.type == "checkbox" or item.name in self.done or not found:
                continue
            code = f"{'INCL' if kind == 'INCLUSION' else 'EXCL'}{int(found[2]):02d}"
            wrong = no if kind == "INCLUSION" else yes
            terms = {one: ("N" if wrong == no else "Y") if one == wrong else None for one in item.choices}
            block = self.lines.block(CRITERIA, form)
            reason = f"a numbered question of {kind.lower()} with yes and no"
            spec = {"result": {"field": item.name, "terms": terms}}
            self.lines.draft.proposals.append(
                self.lines.made(CRITERIA, block, code, spec, LIKELY, reason, section="tests")
            )
            self.lines.draft.criteria.append({"IETESTCD": code, "IECAT": kind, "IETEST": item.label})
            self.lines.draft.without_record[item.name] = "IE holds only criteria that were not met"
            self.lines.draft.place([item.name], f"{CRITERIA}.IEORRES.{code}", LIKELY, reason)
            self.done.add(item.name)


YES, NO = (("yes",), ("si",), ("true",), ("y",)), (("no",), ("false",), ("n",))
