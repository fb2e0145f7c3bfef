"""What the lines of a draft still need so that the engine takes them: Required variables, and blocks that make records.

A block that lacks what only a person can say is left out as a whole, and its fields are said to be open.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from metadata.standards import sdtm_dataset, sdtm_variables
from sdtm.columns.text import transliterated
from sdtm.draft.choices import unit_term
from sdtm.draft.linked_records import settle_links
from sdtm.draft.names import units_in
from sdtm.draft.proposals import CODE, FURTHER, Lines, Proposal, texts
from sdtm.draft.recognised import CERTAIN, GUESS, LIKELY, SUBJECTS
from sdtm.draft.vocabulary import every_word
from sdtm.mapping.derived_methods import is_derived

SAME = {"DECOD": "TERM", "TERM": "DECOD"}
PLACEHOLDERS: dict[str, tuple[dict[str, Any], str]] = {
    "COUNTRY": ({"constant": "ZZZ"}, "ZZZ is no country: write the ISO 3166-1 code of the sites"),
    "SEX": ({"constant": "U"}, "no field for the sex of a subject is recognised"),
    "EXTRT": ({"constant": "STUDY TREATMENT"}, "write the name of the treatment"),
    "DSCAT": ({"constant": "DISPOSITION EVENT"}, "or PROTOCOL MILESTONE"),
}
"""Values of Required variables that a draft cannot know, and what is to be decided."""
NEEDED = "it is needed"
"""The reason of a value that stands in for what no form gives."""
END = "RFPENDTC"
NAMED_BY_FORM = (("CE", "TERM"), ("HO", "TERM"), ("FA", "OBJ"))
"""Topics that may be what the whole form is about."""
OF_TESTS = ("TESTCD", "TEST", "ORRES", "CAT")
"""Ends of Required variables that tests have; the category of a criterion of IE comes with its text from TI."""


def completed(lines: Lines) -> None:
    """Add what is required to each block, or leave out the block."""
    lines.block(SUBJECTS, "")
    _end_of_participation(lines)
    for domain, block in list(lines.draft.blocks):
        _complete(lines, domain, block)
    _terms_of_disposition(lines)
    settle_links(lines.draft)
    _comments_of_subjects(lines)
    _derived_of_subjects(lines)
    _several_ticks(lines)
    _units_of_doses(lines)
    for domain, block, variable, source, when in lines.relative:
        known = {one.key for one in lines.draft.of_block(SUBJECTS, "")}
        if source.partition(".")[2] in known and lines.draft.of_block(domain, block):
            spec = {"subject": source, "when": when}
            reason = "the time point to which the answer is relative"
            lines.draft.proposals.append(lines.made(domain, block, variable, spec, CERTAIN, reason))
        else:
            _drop_relative(lines, domain, block, next(iter(when)), source)


def _end_of_participation(lines: Lines) -> None:
    """Take the date of the disposition event as the end of participation, to which what goes on is relative."""
    forms = lines.project.dictionary.fields
    for one in [one for one in lines.draft.proposals if one.active and one.domain == "DS" and one.key == "DSSTDTC"]:
        name = one.spec.get("date")
        if ":" in one.block or not isinstance(name, str) or lines.draft.taken(SUBJECTS, "", "variables", END):
            continue
        events = [event for event in lines.project.event_names if lines.project.designated(event, forms[name].form)]
        for spec in ({"date": name}, {"date": name, "match": "subject", "event": events}):
            if not lines.problem(spec, lines.target(SUBJECTS, END), ""):
                reason = "the date of the disposition event"
                lines.draft.proposals.append(lines.made(SUBJECTS, "", END, spec, GUESS, reason))
                break
        else:
            lines.propose(SUBJECTS, "", "variables", END, {"date": name}, GUESS, "the date of the disposition event")


def _derived_of_subjects(lines: Lines) -> None:
    """Add to DM what follows from other variables (SDTMIG 3.3, 5.2): exposure, death, unit of age."""
    given = {one.key for one in lines.draft.of_block(SUBJECTS, "")}
    exposure = {one.key for one in lines.draft.proposals if one.active and one.domain == "EX"}
    ends = [f"EX.{name}" for name in ("EXENDTC", "EXSTDTC") if name in exposure]
    made: list[tuple[str, dict[str, Any], str, str]] = []
    if "EXSTDTC" in exposure:
        first, last = {"earliest": "EX.EXSTDTC"}, {"latest": ends}
        made += [("RFXSTDTC", first, CERTAIN, "the first exposure"), ("RFXENDTC", last, CERTAIN, "the last exposure")]
        made += [("RFSTDTC", first, LIKELY, "day 1 of the study is that of the first exposure")]
        made += [("RFENDTC", last, LIKELY, "the reference period ends with the last exposure")]
    if "EXSTDTC" not in exposure:
        made += _reference_without_exposure(lines)
    if "DTHDTC" in given:
        flag = {"assign": "Y", "when": {"DTHDTC": {"missing": False}}}
        made.append(("DTHFL", flag, CERTAIN, "who has a date of death died"))
    age = lines.draft.taken(SUBJECTS, "", "variables", "AGE")
    if age is not None and "field" in age.spec:
        years = {"constant": "YEARS", "when": {age.spec["field"]: {"missing": False}}}
        label = lines.project.dictionary.fields[age.spec["field"]].label
        sure = CERTAIN if {"years", "anos"} & set(every_word(label)) else LIKELY
        made.append(("AGEU", years, sure, "the unit of AGE"))
    for name, spec, confidence, reason in made:
        if name not in given:
            lines.draft.proposals.append(lines.made(SUBJECTS, "", name, spec, confidence, reason))


def _terms_of_disposition(lines: Lines) -> None:
    """Give a disposition without a text of its own the term of its status: a record needs one, a form seldom asks."""
    for term in [one for one in lines.draft.proposals if one.active and (one.domain, one.key) == ("DS", "DSTERM")]:
        status = lines.draft.taken("DS", term.block, "variables", "DSDECOD")
        if status is None or "field" not in term.spec or "field" not in status.spec or term.spec == status.spec:
            continue
        spec = {"first_of": [term.spec, status.spec]}
        form = str(lines.draft.blocks["DS", term.block].get("form", ""))
        if not lines.problem(spec, lines.target("DS", "DSTERM"), form):
            lines.replace(term, spec=spec, reason=f"{term.reason}; without it the status")


def _reference_without_exposure(lines: Lines) -> list[tuple[str, dict[str, Any], str, str]]:
    """Return the reference period of a study without doses: from the consent to the end of participation."""
    made = []
    for name, source, what in (("RFSTDTC", "RFICDTC", "consent"), ("RFENDTC", END, "the end of participation")):
        line = lines.draft.taken(SUBJECTS, "", "variables", source)
        if line is not None:
            made.append((name, line.spec, GUESS, f"no dose is recognised, so that it is the day of {what}"))
    return made


def _comments_of_subjects(lines: Lines) -> None:
    """Let comments be about the subject where the domain of their form has no record after all."""
    given = {one.domain for one in lines.draft.proposals if one.active} | {SUBJECTS}
    for head in lines.draft.blocks.values():
        if head.get("about", SUBJECTS) not in given:
            head["about"] = SUBJECTS


def _several_ticks(lines: Lines) -> None:
    """Keep in SUPP-- what several ticks of a checkbox are, which is MULTIPLE itself (SDTMIG 3.3, 5.2 and 4.2.8.3)."""
    several = [one for one in lines.draft.proposals if one.active and {"checkbox", "multiple"} <= set(one.spec)]
    for one in several:
        terms = {"terms": one.spec["terms"]} if "terms" in one.spec else {}
        what = "Races" if one.key == "RACE" else "Options Ticked"
        for number, word in enumerate(("First", "Second", "Third"), start=1):
            spec = {"checkbox": one.spec["checkbox"], "nth": number, **terms, "label": f"{word} of Several {what}"}
            name = f"{one.key[: CODE - 1]}{number}"
            lines.draft.proposals.append(
                lines.made(one.domain, one.block, name, spec, one.confidence, "one of several", section="supplemental")
            )


def _units_of_doses(lines: Lines) -> None:
    """Give a dose whose unit only its label has that unit: Daily dose (mg)."""
    fields = lines.project.dictionary.fields
    for one in [one for one in lines.draft.proposals if one.active and one.key == f"{one.domain}DOSE"]:
        name, unit = str(one.spec.get("field", "")), f"{one.domain}DOSU"
        if name not in fields or lines.draft.taken(one.domain, one.block, "variables", unit):
            continue
        lists = [lines.terminology.codelist(code) for code in lines.target(one.domain, unit).codelists]
        found = next((term for word in units_in(fields[name].label) if (term := unit_term(word, lists))), "")
        if found:
            spec = {"constant": found, "when": {name: {"missing": False}}}
            lines.draft.proposals.append(lines.made(one.domain, one.block, unit, spec, LIKELY, f"the label of {name}"))


def _drop_relative(lines: Lines, domain: str, block: str, variable: str, source: str) -> None:
    """Leave out a relation to a time point that no variable of DM gives."""
    for one in lines.draft.of_block(domain, block):
        if one.key == variable:
            _leave_out(lines, one, f"it is relative to {source}, which nothing gives")


def _complete(lines: Lines, domain: str, block: str) -> None:
    draft = lines.draft
    own = draft.of_block(domain, block)
    if not own and domain != SUBJECTS:
        return
    findings = sdtm_dataset(lines.version, domain).dataset_class.startswith("Findings")
    if findings and not any(one.section == "tests" for one in own):
        for one in own:
            _leave_out(lines, one, f"no test of {domain} is recognised on the form")
        return
    keys = {one.key for one in own if one.section == "variables"}
    for variable in sdtm_variables(lines.version, domain):
        if variable.core != "Req" or variable.name in keys or is_derived(domain, variable.name):
            continue
        if findings and variable.name.removeprefix(domain) in OF_TESTS:
            continue
        added = _filled(lines, domain, block, variable.name)
        if added is None:
            for one in own:
                _leave_out(lines, one, f"{variable.name} ({variable.label}) is required: which field is it?")
            return
        draft.proposals.append(added)
        keys.add(variable.name)
    if domain == "DS" and "DSCAT" not in keys:
        draft.proposals.append(_placeholder(lines, domain, block, "DSCAT"))


def _filled(lines: Lines, domain: str, block: str, variable: str) -> Proposal | None:
    """Return a line for a Required variable: a placeholder, or what its twin has."""
    end = variable.removeprefix(domain)
    twin = lines.draft.taken(domain, block, "variables", f"{domain}{SAME.get(end, '')}") if end in SAME else None
    if variable in PLACEHOLDERS:
        return _placeholder(lines, domain, block, variable)
    if twin is None and (domain, end) in NAMED_BY_FORM:
        return _of_form(lines, domain, block, variable)
    if twin is None:
        return None
    spec = {key: value for key, value in twin.spec.items() if key not in ("terms", "synonyms")}
    form = "" if domain == SUBJECTS else str(lines.draft.blocks[domain, block].get("form", ""))
    spec, doubt, active = lines.tried(spec, lines.target(domain, variable), form)
    if not active:
        return None
    words = "code the reported terms (MedDRA), with coded: and a file" if end == "DECOD" else doubt
    return replace(lines.made(domain, block, variable, spec, GUESS, f"as {twin.key}"), doubt=words)


def _of_form(lines: Lines, domain: str, block: str, variable: str) -> Proposal:
    """Return the label of a form as what all of its records are."""
    named = {str(row["instrument_name"]): str(row["instrument_label"]) for row in lines.project.instruments}
    form = block.partition(FURTHER)[0]
    term = transliterated(named.get(form) or form)[0].upper()
    return lines.made(domain, block, variable, {"constant": term}, GUESS, "what the form is about")


def _placeholder(lines: Lines, domain: str, block: str, variable: str) -> Proposal:
    spec, doubt = PLACEHOLDERS[variable]
    return replace(lines.made(domain, block, variable, spec, GUESS, NEEDED), doubt=doubt)


def _leave_out(lines: Lines, one: Proposal, why: str) -> None:
    """Make a line a comment, and its fields open again."""
    lines.replace(one, active=False, doubt=why)
    names = texts(one.spec) & set(lines.project.dictionary.fields)
    draft = lines.draft
    draft.placements = [
        place for place in draft.placements if place.field not in names or place.field in draft.placed()
    ]
    for name in names:
        draft.without_record.pop(name, None)
