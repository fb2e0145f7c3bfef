"""Operations over several choices: checkbox (flags, the one ticked, MULTIPLE, the n-th), strongest, common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from metadata.coded_text import CodedText
from metadata.condition import Condition
from metadata.declaration_limits import Limit
from metadata.dictionary import Field
from metadata.yaml_source import complain
from sdtm.columns.column import Column, Read
from sdtm.columns.source import FormRows
from sdtm.operations.field_condition import read_field_condition
from sdtm.operations.operation import (
    MappingContext,
    RecordOperation,
    Terms,
    check_term,
    choice,
    keyed,
    located,
    record_operation,
    sentence_of_terms,
)
from sdtm.operations.values import resolve_terms


def ticked(source: FormRows, name: str, codes: list[str]) -> tuple[np.ndarray, Read]:
    """Return which options are ticked, rows by options, and what was read."""
    taken = [source.raw(name, code=code) for code in codes]
    marks = np.column_stack([stored.isin(["1"]) for stored, _ in taken])
    held = np.logical_or.reduce([read.held for _, read in taken])
    return marks, Read(name, taken[0][1].rows, held, np.any(marks, axis=1).reshape(-1))


@keyed("checkbox")
class Checkbox(RecordOperation):
    """One column of a checkbox, by declaration.

    ``{checkbox: FIELD, code: C}`` or ``code: [C, D]``: ``checked`` (Y) if one is ticked, else ``unchecked`` (N).
    ``{checkbox: FIELD}``: the term of the one ticked option, ``multiple`` if there are several, else ``none``.
    ``{checkbox: FIELD, nth: N}``: the term of the n-th ticked option where several are ticked (for SUPP--).
    """

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        checkbox: str
        code: tuple[str, ...] | None = None
        checked: str | float | None = "Y"
        unchecked: str | None = "N"
        nth: Annotated[int, Limit(1)] = 0
        multiple: str = ""
        none: str = ""
        terms: Terms | None = None
        synonyms: bool = False
        when: Condition | None = None

    def bind(self, context: MappingContext) -> None:
        """Check field, codes and terms."""
        self.found: Field = context.field(self.spec, self.key, str(self.value))
        if self.found.type != "checkbox":
            raise complain(self.spec, self.key, f"field '{self.found.name}' is not a checkbox: write field")
        given = self.spec.get("code")
        self.codes = (
            [str(code) for code in (given if isinstance(given, list) else [given])] if given is not None else []
        )
        for code in self.codes:
            choice(self.spec, "code", self.found, code)
        self.terms = {} if self.codes else resolve_terms(self.spec, self.key, self.found, self, context)
        self.checked = self._term("checked", "Y" if self.codes else "", context)
        self.unchecked = self._term("unchecked", "N" if self.codes else "", context)
        self.none = self._term("none", "", context)
        self.multiple = str(self.spec.get("multiple", ""))
        if not self.codes and not self.multiple and "nth" not in self.spec:
            raise complain(self.spec, self.key, "say what several ticks give, for example multiple: MULTIPLE")
        self.when = read_field_condition(self.spec, "when", context)

    def _term(self, key: str, otherwise: str, context: MappingContext) -> str:
        given = self.spec.get(key, otherwise)
        return check_term(self.spec, key, "" if given is None else str(given), self.target, context.terminology)

    def fields(self) -> list[str]:
        """The checkbox, and the fields of the condition."""
        return [self.found.name, *(self.when.fields() if self.when else [])]

    def taken(self) -> list[str]:
        """The checkbox."""
        return [self.found.name]

    def options(self) -> tuple[str, ...]:
        """The codes that are declared."""
        return tuple(self.codes)

    def apply(self, source: FormRows) -> Column:
        """Return the flag, the term, or the n-th term."""
        marks, read = ticked(source, self.found.name, self.codes or list(self.found.choices))
        if self.codes:
            values = CodedText.of_codes(np.any(marks, axis=1).reshape(-1), [self.unchecked, self.checked])
        elif "nth" in self.spec:
            values = self._nth(marks, int(self.spec["nth"]))
        else:
            values = self._one(marks)
        column = Column(values, (read,))
        if self.when is None:
            return column
        met, reads = self.when.holds(source)
        kept = column.only(met)
        return Column(kept.data, (*kept.reads, *reads))

    def _one(self, marks: np.ndarray) -> CodedText:
        options = [*(self.terms[code] for code in self.found.choices), self.none, self.multiple]
        count = marks.sum(axis=1)
        first = marks.argmax(axis=1)
        places = np.where(count == 0, len(options) - 2, np.where(count > 1, len(options) - 1, first))
        return CodedText.of_codes(places, options)

    def _nth(self, marks: np.ndarray, number: int) -> CodedText:
        options = [self.terms[code] for code in self.found.choices]
        order = np.cumsum(marks, axis=1)
        here = marks & (order == number) & (marks.sum(axis=1) > 1)[:, None]
        return CodedText.of_codes(np.where(here.any(axis=1), here.argmax(axis=1), -1), options)

    def sentence(self) -> str:
        """Say the rule."""
        name = self.found.name
        if self.codes:
            labels = " or ".join(self.found.choices[code] for code in self.codes)
            return f"{self.checked or 'Null'} if '{labels}' is ticked in field {name}, else {self.unchecked or 'null'}."
        if "nth" in self.spec:
            return f"Option number {self.spec['nth']} of those ticked in field {name}, where several are."
        return f"The option ticked in field {name}, {self.multiple} if several are ({sentence_of_terms(self.terms)})."


class Drugs(RecordOperation):
    """Shared by operations that bring the same question about several treatments to one value."""

    def bind(self, context: MappingContext) -> None:
        """Check the fields and that each has its terms."""
        self.parts = []
        for name in self.value:
            terms = {"terms": self.spec["terms"]} if "terms" in self.spec else {}
            spec = located({"field": str(name), **terms}, self.spec)
            self.parts.append(record_operation(spec, self.target, context, self.spec))
        self.finish(context)

    def finish(self, context: MappingContext) -> None:
        """Check what is particular."""

    def fields(self) -> list[str]:
        """All the fields."""
        return [name for part in self.parts for name in part.fields()]

    def apply(self, source: FormRows) -> Column:
        """Return one value a row."""
        columns = [part.apply(source) for part in self.parts]
        reads = tuple(read for column in columns for read in column.reads)
        values = self.one([column.text for column in columns], source.count)
        return Column(values, reads, tuple(problem for column in columns for problem in column.problems))

    def one(self, values: list[CodedText], count: int) -> CodedText:
        """Return the one value of each row."""
        raise NotImplementedError


@keyed("strongest")
class Strongest(Drugs):
    """``{strongest: [FIELD, ...], order: [WEAKEST, ..., STRONGEST]}``: the strongest of several terms."""

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        strongest: list[str]
        order: list[str]
        terms: Terms | None = None

    def finish(self, context: MappingContext) -> None:
        """Check that the order holds every term."""
        self.order = [str(term) for term in self.spec["order"]]
        for part in self.parts:
            for term in part.terms.values():  # type: ignore[attr-defined]
                if term and term not in self.order:
                    raise complain(self.spec, "order", f"the term '{term}' has no place in the order")

    def one(self, values: list[CodedText], count: int) -> CodedText:
        """Return the term that is last in the order."""
        place = {term: number for number, term in enumerate(self.order)}
        ranks = [value.each(lambda term: place.get(term, -1), int) for value in values]
        return CodedText.of_codes(np.max(ranks, axis=0), self.order)

    def sentence(self) -> str:
        """Say the order."""
        return f"The strongest of fields {', '.join(self.fields())}, in the order {', '.join(self.order)}."


@keyed("common")
class Common(Drugs):
    """``{common: [FIELD, ...], otherwise: TERM}``: the value that all fields share, else the given term."""

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        common: list[str]
        otherwise: str
        terms: Terms | None = None

    def one(self, values: list[CodedText], count: int) -> CodedText:
        """Return the common value; a blank field does not count."""
        common, differs = CodedText.constant("", count), np.zeros(count, bool)
        for value in values:
            both = common.present() & value.present()
            differs |= both & (np.ptp(CodedText.stack([common, value]).codes.reshape(2, -1), axis=0) != 0)
            common = common.where(common.present(), value)
        return common.where(~differs, str(self.spec["otherwise"]))

    def sentence(self) -> str:
        """Say the rule."""
        return f"The value common to fields {', '.join(self.fields())}; {self.spec['otherwise']} if they differ."


@keyed("option")
class Option(RecordOperation):
    """``{option: FIELD}``: in a block with ``each: FIELD``, the term of the option that the record stands for."""

    @dataclass(frozen=True)
    class Keys:
        """Keys of the YAML."""

        option: str
        terms: Terms | None = None
        synonyms: bool = False

    def bind(self, context: MappingContext) -> None:
        """Check field and terms."""
        self.found = context.field(self.spec, self.key, str(self.value))
        self.terms = resolve_terms(self.spec, self.key, self.found, self, context)

    def fields(self) -> list[str]:
        """The checkbox."""
        return [self.found.name]

    def apply(self, source: FormRows) -> Column:
        """Return the term of the block's current option."""
        _, read = ticked(source, self.found.name, [source.option])
        return Column(CodedText.constant(self.terms[source.option], source.count), (read,))

    def sentence(self) -> str:
        """Say the rule."""
        return f"One record for each option ticked in field {self.found.name}."
