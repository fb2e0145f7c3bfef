"""Operations that take a stored value: field, constant, lookup, first_of, concat, coded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from metadata.coded_text import CodedText
from metadata.coding_file import read_codes, term_key
from metadata.condition import Condition
from metadata.dictionary import Field
from metadata.errors import Gather
from metadata.labels import plain_label
from metadata.yaml_source import LocatedDict, complain
from sdtm.columns.column import Column, Read, UnrepresentedValues, first_present
from sdtm.columns.number import NumberForm, fits_float, is_number, plain_number, read_result
from sdtm.columns.source import FormRows
from sdtm.operations.field_condition import FieldCondition, read_field_condition
from sdtm.operations.operation import (
    MappingContext,
    NestedOperation,
    OneOrMore,
    RecordOperation,
    Terms,
    check_term,
    choice,
    events_of,
    keyed,
    record_operation,
    sentence_of_terms,
)


def resolve_terms(
    spec: LocatedDict, key: str, found: Field, operation: RecordOperation, context: MappingContext
) -> dict[str, str]:
    """Return stored code to SDTM value for a field with choices or with declared ``terms``.

    Without ``terms`` a choice gives its label: the codelist's own term if the target is bound to one (compared
    regardless of case; Yes and No give Y and N), the label as it is otherwise. With ``synonyms: true`` a label may
    also be a synonym or the preferred term of one term.
    """
    declared = spec.get("terms")
    if declared is None:
        return _own_terms(spec, key, found, operation, context)
    terms = {}
    with Gather() as gather:
        for code, value in declared.items():
            with gather.part():
                if found.choices and code not in context.project.missing_codes:
                    choice(declared, code, found, code)
                text = "" if value is None else str(value)
                terms[code] = check_term(declared, code, text, operation.target, context.terminology)
        for code, label in found.choices.items():
            with gather.part():
                if code not in declared:
                    raise complain(spec, "terms", f"choice '{code}' ({label}) of field '{found.name}' has no term")
    return terms


def _own_terms(
    spec: LocatedDict, key: str, found: Field, operation: RecordOperation, context: MappingContext
) -> dict[str, str]:
    terms = {}
    with Gather() as gather:
        for code, label in found.choices.items():
            with gather.part():
                terms[code] = _own_term(spec, key, label, operation, context)
    return terms


def _own_term(spec: LocatedDict, key: str, shown: str, operation: RecordOperation, context: MappingContext) -> str:
    label = plain_label(shown)
    if not operation.target.codelists:
        return label
    for code in operation.target.codelists:
        listed = context.terminology.codelist(code).terms
        for wanted in (label, label.upper(), {"yes": "Y", "no": "N"}.get(label.lower(), label)):
            if wanted in listed:
                return wanted
    meant = by_synonym(spec, operation, context)(label)
    if meant:
        return meant
    return check_term(spec, key, label, operation.target, context.terminology)


def by_synonym(spec: LocatedDict, operation: RecordOperation, context: MappingContext) -> Callable[[str], str]:
    """Return what finds the term that a text names by a synonym; it finds none unless the mapping says so."""
    if not spec.get("synonyms"):
        return lambda text: ""
    lists = [context.terminology.codelist(code) for code in operation.target.codelists]
    if not lists:
        raise complain(spec, "synonyms", f"{operation.target.variable} has no codelist whose synonyms could be meant")
    return lambda text: next((term for term in (listed.meant(text) for listed in lists) if term), "")


class FieldValue(RecordOperation):
    """Shared by the operations that take one field's value."""

    found: Field
    terms: dict[str, str]
    when: FieldCondition | None
    forms: frozenset[NumberForm] = frozenset()
    """How a result may be written beyond a plain number; the test of a findings domain says so."""

    def bind(self, context: MappingContext) -> None:
        """Check field, terms and condition."""
        self.found = self.locate(context)
        translated = bool(self.found.choices) or "terms" in self.spec
        if self.found.type == "checkbox":
            raise complain(self.spec, self.key, f"field '{self.found.name}' is a checkbox: write checkbox")
        self.terms = resolve_terms(self.spec, self.key, self.found, self, context) if translated else {}
        self.meant = by_synonym(self.spec, self, context)
        name = self.found.name
        dated = self.found.validation.startswith(("date_", "datetime_")) or name in context.study.text_dates
        if self.target.variable.endswith("DTC") and dated:  # another text may be ISO 8601 as it was collected
            problem = f"field '{name}' holds dates, which must be read as such: write {{date: {name}}}"
            raise complain(self.spec, self.key, problem)
        if self.target.is_number and self.terms and any(not is_number(term) for term in self.terms.values() if term):
            raise complain(self.spec, self.key, f"{self.target.variable} is a number, but the choices give text")
        self.when = read_field_condition(self.spec, "when", context)

    def locate(self, context: MappingContext) -> Field:
        """Return the field that is read."""
        return context.field(self.spec, self.key, str(self.value))

    def stored(self, source: FormRows) -> tuple[CodedText, Read]:
        """Return the raw texts."""
        return source.raw(self.found.name)

    def fields(self) -> list[str]:
        """The field, and those of the condition."""
        return [self.found.name, *(self.when.fields() if self.when else [])]

    def taken(self) -> list[str]:
        """The field."""
        return [self.found.name]

    def apply(self, source: FormRows) -> Column:
        """Return the field's value, translated and typed."""
        raw, read = self.stored(source)
        column = self.translated(raw, read, source) if self.terms else self.plain(raw, read, source)
        if self.when is None:
            return column
        met, reads = self.when.holds(source)
        kept = column.only(met)
        return Column(kept.data, (*kept.reads, *reads), kept.problems)

    def translated(self, raw: CodedText, read: Read, source: FormRows) -> Column:
        """Return the terms of stored codes; a code that is not a choice is a problem."""
        missing = source.project.missing_codes
        wrong = ~raw.isin([*self.terms, *missing, ""])
        made = raw.replace({**dict.fromkeys(missing, ""), **self.terms}, "")
        problem = UnrepresentedValues(wrong, (self.found.name,), f"it is not a choice of field {self.found.name}")
        return Column(made.each(plain_number, float) if self.target.is_number else made, (read,), (problem,))

    def plain(self, raw: CodedText, read: Read, source: FormRows) -> Column:
        """Return the text, or the number for a numeric variable; missing-data codes are null."""
        values = source.without_codes(raw).map(str.strip).map(lambda word: self.meant(word) or word)
        if not (self.target.is_number or self.found.is_numeric):
            return Column(values, (read,))
        if self.found.has_comma:
            values = values.map(lambda word: word.replace(",", "."))
        name = (self.found.name,)
        wrong = values.test(lambda text: text != "" and not self._is_number(text))
        problems = [UnrepresentedValues(wrong, name, "it is not a number")]
        if not self.target.is_number:
            return Column(values.where(~wrong), (read,), tuple(problems))
        long = ~wrong & values.test(lambda text: text != "" and not fits_float(text))
        problems.append(UnrepresentedValues(long, name, "it has more digits than a number of 64 bits holds"))
        return Column(np.where(long, np.nan, values.each(plain_number, float)), (read,), tuple(problems))

    def _is_number(self, text: str) -> bool:
        found = read_result(text, self.forms)
        return found is not None and not found.sign

    def sentence(self) -> str:
        """Say where the value comes from."""
        sentence = f"The value of field {self.found.name}"
        sentence += f", translated: {sentence_of_terms(self.terms)}" if self.terms else ""
        sentence += ", synonyms as the terms they stand for" if self.spec.get("synonyms") and not self.terms else ""
        return sentence + (f", where {self.when}" if self.when else "") + "."


@keyed("field")
class TakeField(FieldValue):
    """``{field: NAME}``: the value of a field of the block's form; ``terms`` translates codes, ``when`` restricts.

    ``synonyms: true`` takes a text or a choice's label that is a synonym of a term for that term (g/l for g/L).
    """

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        field: str
        terms: Terms | None = None
        synonyms: bool = False
        when: Condition | None = None


@keyed("lookup")
class LookupValue(FieldValue):
    """``{lookup: NAME, match: subject | visit, event: EVENT}``: the value of a field of another form."""

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        lookup: str
        match: Literal["subject", "visit"] = "subject"
        event: OneOrMore | None = None
        terms: Terms | None = None
        synonyms: bool = False
        when: Condition | None = None

    def locate(self, context: MappingContext) -> Field:
        """Return the field of the other form."""
        found = context.any_field(self.spec, self.key, str(self.value))
        if self.spec.get("match", "subject") == "visit":
            return found
        return context.once_a_subject(self.spec, self.key, found, events_of(self.spec))

    def stored(self, source: FormRows) -> tuple[CodedText, Read]:
        """Return the raw texts of the matching row."""
        return source.raw(self.found.name, self.spec.get("match", "subject"), events_of(self.spec))


@keyed("constant")
class ConstantValue(RecordOperation):
    """``{constant: TERM}``: the same value in every record, or only where a condition holds."""

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        constant: str
        when: Condition | None = None

    origin = "Assigned"

    def bind(self, context: MappingContext) -> None:
        """Check the term."""
        self.text = check_term(self.spec, self.key, str(self.value), self.target, context.terminology)
        if self.target.is_number and not is_number(self.text):
            raise complain(self.spec, self.key, f"{self.target.variable} is a number, and '{self.text}' is not")
        self.when = read_field_condition(self.spec, "when", context)

    def fields(self) -> list[str]:
        """Fields of the condition."""
        return self.when.fields() if self.when else []

    def taken(self) -> list[str]:
        """None: the value is a constant."""
        return []

    def apply(self, source: FormRows) -> Column:
        """Return the constant."""
        values: CodedText | np.ndarray = CodedText.constant(self.text, source.count)
        if self.target.is_number:
            values = np.full(source.count, float(self.text))
        if self.when is None:
            return Column(values)
        met, reads = self.when.holds(source)
        return Column(Column(values).only(met).data, reads)

    def sentence(self) -> str:
        """Say the constant."""
        return f"Assigned {self.text}" + (f" where {self.when}" if self.when else "") + "."


class Several(RecordOperation):
    """Shared by the operations that join other operations."""

    parts: list[RecordOperation]

    def bind(self, context: MappingContext) -> None:
        """Check each part."""
        self.parts = [record_operation(item, self.target, context, self.spec) for item in self.value]
        if not self.parts:
            raise complain(self.spec, self.key, f"'{self.key}' needs at least one operation")

    def fields(self) -> list[str]:
        """Fields of all parts."""
        return [name for part in self.parts for name in part.fields()]

    def taken(self) -> list[str]:
        """Fields whose values the parts take."""
        return [name for part in self.parts for name in part.taken()]


@keyed("first_of")
class FirstOf(Several):
    """``{first_of: [OPERATION, ...]}``: the first value that is not blank."""

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        first_of: list[NestedOperation]

    def apply(self, source: FormRows) -> Column:
        """Return the first present value; what the others hold is read as well."""
        columns = [part.apply(source) for part in self.parts]
        values = columns[0].data
        for column in columns[1:]:
            values = first_present(values, column.data)
        reads = tuple(read for column in columns for read in column.reads)
        return Column(values, reads, tuple(problem for column in columns for problem in column.problems))

    def sentence(self) -> str:
        """Say the order."""
        return "The first that is not null of: " + " ".join(part.sentence() for part in self.parts)


@keyed("concat")
class Concat(Several):
    """``{concat: [OPERATION, ...], separator: TEXT}``: the values that are not blank, joined."""

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        concat: list[NestedOperation]
        separator: str = " "

    def apply(self, source: FormRows) -> Column:
        """Return the joined texts."""
        columns = [part.apply(source) for part in self.parts]
        separator = self.spec.get("separator", " ")
        joined = columns[0].text
        for column in columns[1:]:
            joined = joined.join(column.text, separator)
        reads = tuple(read for column in columns for read in column.reads)
        return Column(joined, reads, tuple(problem for column in columns for problem in column.problems))

    def sentence(self) -> str:
        """Say the parts."""
        return "Joined from: " + " ".join(part.sentence() for part in self.parts)


@keyed("coded")
class Coded(RecordOperation):
    """``{coded: FIELD, file: CSV, column: NAME}``: the study's own coding of a reported term.

    The CSV's first column is the reported term, compared regardless of case and of blanks at the ends;
    it is there once.
    """

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        coded: str
        file: str
        column: str

    origin = "Assigned"

    def bind(self, context: MappingContext) -> None:
        """Check the field and read the coding file."""
        self.found = context.field(self.spec, self.key, str(self.value))
        self.codes = read_codes(context.study, self.spec)

    def fields(self) -> list[str]:
        """The reported term."""
        return [self.found.name]

    def apply(self, source: FormRows) -> Column:
        """Return the coded term; one that the file lacks, or has without a code, is null and asked about."""
        values, read = source.text(self.found.name)
        lacking = values.test(lambda word: bool(word.strip()) and not self.codes.get(term_key(word)))
        reason = f"the coding file has no {self.spec['column']} for it"
        problem = UnrepresentedValues(lacking, (self.found.name,), reason, elsewhere=True)
        return Column(values.map(lambda word: self.codes.get(term_key(word), "")), (read,), (problem,))

    def sentence(self) -> str:
        """Say the coding."""
        return f"Coded from field {self.found.name} by the study's own coding file (not MedDRA)."
